"""Signing in and out, and a new password by mail."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client, TestCase

from numbers_app.models import User
from tests.factories import PASSWORD

from .page import Page

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"
NEW_PASSWORD = "a brand new passphrase"


def sign_in(client: Client, login: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post(LOGIN, {"login": login, "password": password, **more})


def is_signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


@pytest.mark.parametrize("login", ["rep", "rep@example.com", "REP@example.com"])
def test_username_and_address_both_open_the_door(client: Client, rep: User, login: str) -> None:
    response = sign_in(client, login)
    assert response["Location"] == "/"
    assert is_signed_in(client)


def test_a_person_lands_where_they_wanted_to_go(client: Client, rep: User) -> None:
    assert sign_in(client, "rep", next="/orders/")["Location"] == "/orders/"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_nobody_is_sent_to_another_site(client: Client, rep: User, target: str) -> None:
    assert sign_in(client, "rep", next=target)["Location"] == "/"


@pytest.mark.parametrize(("login", "password"), [("rep", "wrong"), ("nobody", PASSWORD), ("rep", ""), ("", PASSWORD)])
def test_a_wrong_name_or_password_opens_nothing(client: Client, rep: User, login: str, password: str) -> None:
    response = sign_in(client, login, password)
    page = Page(response)
    assert response.status_code == 200
    assert page.summary
    assert page.value("login") == login
    assert page.value("password") == ""
    assert not is_signed_in(client)


def test_a_wrong_name_and_a_wrong_password_are_told_apart_by_nobody(client: Client, rep: User) -> None:
    assert Page(sign_in(client, "rep", "wrong")).summary == Page(sign_in(client, "ghost", "wrong")).summary


def test_a_switched_off_account_opens_nothing(client: Client, rep: User) -> None:
    User.objects.filter(pk=rep.pk).update(is_active=False)
    response = client.post(LOGIN, {"login": "rep", "password": PASSWORD}, follow=True)
    assert "This account is switched off" in response.content.decode()
    assert not is_signed_in(client)


def test_nobody_signs_up_by_themselves(client: Client, db: None) -> None:
    assert "Accounts are made by administrators" in client.get("/accounts/signup/").content.decode()
    wish = {"username": "mallory", "email": "m@example.com", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    client.post("/accounts/signup/", wish)
    assert not User.objects.filter(username="mallory").exists()


def test_signing_out_takes_a_post(as_rep: Client) -> None:
    page = Page(as_rep.get("/accounts/logout/"))
    assert "Sign out of the numbers portal in this browser?" in page.text
    assert is_signed_in(as_rep)
    as_rep.post("/accounts/logout/")
    assert not is_signed_in(as_rep)


def reset_link(client: Client, address: str) -> str:
    with TestCase.captureOnCommitCallbacks(execute=True):
        response = client.post("/accounts/password/reset/", {"email": address})
    assert response["Location"] == "/accounts/password/reset/done/"
    links = re.findall(r"https?://\S+", str(mail.outbox[-1].body))
    assert len(links) == 1
    return str(links[0])


def choose_password(client: Client, link: str) -> Any:
    path = link.split("/", 3)[3]
    form_url = client.get(f"/{path}")["Location"]
    return client.post(form_url, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})


def test_a_mail_with_a_link_to_this_site_sets_a_new_password(client: Client, rep: User, settings: Any) -> None:
    settings.SITE_URL = "https://numbers.example.com"
    link = reset_link(client, "rep@example.com")
    message = mail.outbox[0]
    assert message.to == ["rep@example.com"]
    assert message.subject == "Choose a new password for the numbers portal"
    assert link.startswith("https://numbers.example.com/accounts/password/reset/key/")
    assert choose_password(client, link)["Location"] == "/accounts/password/reset/key/done/"
    assert sign_in(Client(), "rep", NEW_PASSWORD).status_code == 302
    assert sign_in(Client(), "rep", PASSWORD).status_code == 200


def test_the_link_works_once(client: Client, rep: User) -> None:
    link = reset_link(client, "rep@example.com")
    choose_password(client, link)
    assert "This link no longer works" in Client().get("/" + link.split("/", 3)[3], follow=True).content.decode()


def test_a_new_password_must_be_long_enough(client: Client, rep: User) -> None:
    link = reset_link(client, "rep@example.com")
    form_url = client.get("/" + link.split("/", 3)[3])["Location"]
    response = client.post(form_url, {"password1": "short", "password2": "short"})
    assert "at least 12 characters" in Page(response).summary
    assert sign_in(Client(), "rep").status_code == 302


def test_an_unknown_address_is_answered_alike(client: Client, rep: User) -> None:
    known = client.post("/accounts/password/reset/", {"email": "rep@example.com"})
    with TestCase.captureOnCommitCallbacks(execute=True):
        unknown = client.post("/accounts/password/reset/", {"email": "ghost@example.com"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert "/reset/key/" not in str(mail.outbox[-1].body)


def test_a_person_changes_their_own_password(as_rep: Client) -> None:
    sent = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    as_rep.post("/accounts/password/change/", sent)
    assert sign_in(Client(), "rep", NEW_PASSWORD).status_code == 302


def test_many_wrong_passwords_lock_the_door_for_a_while(client: Client, rep: User, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "3/5m/key"}
    for _ in range(3):
        sign_in(client, "rep", "wrong")
    response = sign_in(client, "rep", PASSWORD)
    assert response.status_code in (200, 429)
    assert not is_signed_in(client)
