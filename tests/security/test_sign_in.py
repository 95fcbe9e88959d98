"""Coming in, going out and being kept out are noted: who, as typed, and from where; never a password."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client, TestCase

from numbers_app.models import SecurityEvent, User
from tests.factories import PASSWORD

from .conftest import HERE, newest, noted, sign_in

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "a brand new passphrase"


def test_signing_in_and_out_is_noted(client: Client, rep: User) -> None:
    sign_in(client, "rep@example.com", headers={"X-Request-ID": "request-of-rep"})
    event = newest()
    assert (event.kind, event.person, event.user_id) == ("signed_in", "rep", rep.pk)
    assert (event.address, event.path, event.request_id) == (HERE, "/accounts/login/", "request-of-rep")
    client.post("/accounts/logout/")
    assert noted() == [("signed_in", "rep"), ("signed_out", "rep")]


def test_signing_out_without_being_signed_in_is_nothing(client: Client, db: None) -> None:
    client.post("/accounts/logout/")
    assert noted() == []


@pytest.mark.parametrize(("typed", "password"), [("rep", "wrong"), ("ghost", PASSWORD), ("Rep@Example.com", "wrong")])
def test_a_wrong_name_or_password_is_noted_with_the_name_as_typed(
    client: Client, rep: User, typed: str, password: str
) -> None:
    sign_in(client, typed, password)
    event = newest()
    assert (event.kind, event.person, event.address, event.user_id) == ("sign_in_failed", typed, HERE, None)


def test_a_switched_off_account_is_noted(client: Client, rep: User) -> None:
    User.objects.filter(pk=rep.pk).update(is_active=False)
    sign_in(client)
    event = newest()
    assert (event.kind, event.person, event.user_id) == ("sign_in_failed", "rep", rep.pk)
    assert event.detail == "The account is switched off."


def test_a_wrong_password_when_asked_again_names_who_is_signed_in(client: Client, rep: User) -> None:
    sign_in(client)
    client.post("/accounts/reauthenticate/", {"password": "wrong"})
    event = newest()
    assert (event.kind, event.person, event.user_id) == ("sign_in_failed", "rep", rep.pk)
    assert event.path == "/accounts/reauthenticate/"


def test_a_lock_out_is_noted(client: Client, rep: User, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "2/5m/key"}
    for _ in range(3):
        sign_in(client, "rep", "wrong")
    assert noted() == [("sign_in_failed", "rep"), ("sign_in_failed", "rep"), ("locked_out", "rep")]
    sign_in(client, "rep", PASSWORD)
    event = newest()
    assert (event.kind, event.person, event.address) == ("locked_out", "rep", HERE)


def test_a_flood_is_noted_once_a_minute_for_each_address(client: Client, rep: User, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip", "reset_password": "1/m/ip"}
    with time_machine.travel("2026-03-02T12:00:00Z", tick=False) as clock:
        answers = [sign_in(client, "rep", "wrong") for _ in range(4)]
        sign_in(client, "rep", "wrong", REMOTE_ADDR="198.51.100.1")
        sign_in(client, "rep", "wrong", REMOTE_ADDR="198.51.100.1")
        clock.shift(61)
        for _ in range(3):
            client.post("/accounts/password/reset/", {"email": "ghost@example.com"})
    assert [answer.status_code for answer in answers] == [200, 429, 429, 429]
    assert "Numbers portal" in answers[1].content.decode()
    locked_out = SecurityEvent.objects.filter(kind="locked_out").order_by("pk")
    assert list(locked_out.values_list("address", "path", "detail")) == [
        (HERE, "/accounts/login/", "Too many requests in a minute"),
        ("198.51.100.1", "/accounts/login/", "Too many requests in a minute"),
        (HERE, "/accounts/password/reset/", "Too many requests in a minute"),
    ]


def test_nothing_that_was_typed_as_a_password_is_kept(client: Client, rep: User) -> None:
    sign_in(client, "rep", "swordfish-1")
    sign_in(client)
    client.post("/accounts/reauthenticate/", {"password": "swordfish-2"})
    sent = {"oldpassword": PASSWORD, "password1": "swordfish-number-3", "password2": "swordfish-number-3"}
    client.post("/accounts/password/change/", sent)
    kept = str(list(SecurityEvent.objects.values()))
    assert newest().kind == "password_changed"
    assert "swordfish" not in kept
    assert PASSWORD not in kept


def test_a_new_password_asked_for_is_noted_whether_or_not_anybody_has_the_address(client: Client, rep: User) -> None:
    client.post("/accounts/password/reset/", {"email": "rep@example.com"})
    client.post("/accounts/password/reset/", {"email": "ghost@example.com"})
    assert noted() == [("password_reset_asked", "rep@example.com"), ("password_reset_asked", "ghost@example.com")]
    assert list(SecurityEvent.objects.order_by("pk").values_list("user_id", flat=True)) == [rep.pk, None]


def asked_link(client: Client) -> str:
    with TestCase.captureOnCommitCallbacks(execute=True):
        client.post("/accounts/password/reset/", {"email": "rep@example.com"})
    found = re.search(r"https?://[^/]+(/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def test_a_password_changed_by_a_mailed_link_is_noted(client: Client, rep: User) -> None:
    form_url = client.get(asked_link(client))["Location"]
    client.post(form_url, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    event = newest()
    assert (event.kind, event.person, event.user_id) == ("password_changed", "rep", rep.pk)
    assert event.detail == "By the link of a mail"


def test_the_key_of_a_mailed_link_is_not_kept(rep: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/accounts/password/reset/")
    token = client.cookies["csrftoken"].value
    with TestCase.captureOnCommitCallbacks(execute=True):
        client.post("/accounts/password/reset/", {"email": "rep@example.com", "csrfmiddlewaretoken": token})
    found = re.search(r"/accounts/password/reset/key/(\w+)-(\S+)/", str(mail.outbox[-1].body))
    assert found
    response = client.post(found[0], {"password1": NEW_PASSWORD})
    assert response.status_code == 403
    assert newest().path == f"/accounts/password/reset/key/{found[1]}-.../"
    assert found[2] not in str(list(SecurityEvent.objects.values()))


@pytest.mark.parametrize(("proxies", "kept"), [(0, HERE), (1, "198.51.100.2"), (2, "198.51.100.1")])
def test_a_forged_address_is_believed_as_far_as_proxies_are_trusted(
    client: Client, rep: User, settings: Any, proxies: int, kept: str
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    sign_in(client, headers={"X-Forwarded-For": "192.0.2.99, 198.51.100.1, 198.51.100.2"})
    assert newest().address == kept


def test_an_address_that_nobody_tells_stays_empty(client: Client, rep: User, settings: Any) -> None:
    sign_in(client, "rep", "wrong", REMOTE_ADDR="")
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 3
    sign_in(client, "rep", "wrong", headers={"X-Forwarded-For": "192.0.2.99"})
    assert list(SecurityEvent.objects.values_list("kind", "address")) == [("sign_in_failed", "")] * 2
