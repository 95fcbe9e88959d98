"""Second factors that come, go or are wrong are noted."""

from __future__ import annotations

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.test import Client

from numbers_app.models import SecurityEvent, User
from tests.factories import PASSWORD

from .conftest import HERE, newest, noted, sign_in

pytestmark = pytest.mark.django_db

ACTIVATE, DEACTIVATE = "/accounts/2fa/totp/activate/", "/accounts/2fa/totp/deactivate/"
ASKED = "/accounts/2fa/authenticate/"


def code_for(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


@pytest.fixture
def secret(rep: User) -> str:
    """The rep's second factor."""
    made = generate_totp_secret()
    TOTP.activate(rep, made)
    return made


@pytest.mark.django_db(transaction=True)
def test_a_second_factor_added_and_removed_is_noted(client: Client, rep: User) -> None:
    sign_in(client)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.get(ACTIVATE)
    client.post(ACTIVATE, {"code": code_for(client.session["mfa.totp.secret"])})
    client.post(DEACTIVATE)
    kinds = list(SecurityEvent.objects.order_by("pk").values_list("kind", "detail", "person"))[1:]
    assert kinds == [
        ("second_factor_added", "TOTP Authenticator", "rep"),
        ("second_factor_added", "Recovery codes", "rep"),
        ("second_factor_removed", "TOTP Authenticator", "rep"),
        ("second_factor_removed", "Recovery codes", "rep"),
    ]


def test_a_wrong_second_factor_is_noted_and_nobody_is_signed_in(client: Client, rep: User, secret: str) -> None:
    sign_in(client)
    client.post(ASKED, {"code": "000000" if code_for(secret) != "000000" else "000001"})
    event = newest()
    assert (event.kind, event.person, event.user_id) == ("second_factor_failed", "rep", rep.pk)
    assert (event.address, event.path, event.detail) == (HERE, ASKED, "TOTP Authenticator")
    assert noted() == [("second_factor_failed", "rep")]


def test_signed_in_is_noted_only_after_the_second_factor(client: Client, secret: str) -> None:
    sign_in(client)
    assert noted() == []
    client.post(ASKED, {"code": code_for(secret)})
    assert noted() == [("signed_in", "rep")]


def test_too_many_wrong_second_factors_are_a_lock_out_of_their_owner(
    client: Client, rep: User, secret: str, settings: Any
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "2/5m/key"}
    sign_in(client)
    for _ in range(3):
        client.post(ASKED, {"code": "nonsense"})
    assert noted() == [("second_factor_failed", "rep")] * 2 + [("locked_out", "rep")]
    assert newest().user_id == rep.pk


def test_an_administrator_who_takes_a_lost_second_factor_away_is_named(
    client: Client, rep: User, secret: str, admin: User
) -> None:
    sign_in(client, "admin")
    authenticator = Authenticator.objects.get(user=rep)
    page = client.get(f"/admin/mfa/authenticator/{authenticator.pk}/change/")
    assert page.status_code == 200
    assert secret not in page.content.decode()
    client.post(f"/admin/mfa/authenticator/{authenticator.pk}/delete/", {"post": "yes"})
    assert not Authenticator.objects.exists()
    event = newest()
    assert (event.kind, event.person, event.user_id) == ("second_factor_removed", "rep", rep.pk)
    assert event.detail == "TOTP Authenticator, by Admin Test"


def test_several_taken_away_at_once_are_each_noted(client: Client, rep: User, secret: str, admin: User) -> None:
    sign_in(client, "admin")
    chosen = list(Authenticator.objects.values_list("pk", flat=True))
    sent = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    client.post("/admin/mfa/authenticator/", sent)
    assert noted()[1:] == [("second_factor_removed", "rep")]
