"""A person who takes another mail address is in the history."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client, TestCase

from numbers_app.models import HistoryEntry, User
from tests.factories import PASSWORD
from tests.orders.steps import database_obeys_again, database_refuses

from .conftest import told

pytestmark = pytest.mark.django_db

URL = "/accounts/email/"
OTHER = "riley@example.com"


@pytest.fixture
def as_rep(client: Client, rep: User) -> Client:
    """Signed in just now, with another address beside the first."""
    client.post("/accounts/login/", {"login": "rep", "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post(URL, {"action_add": "", "email": OTHER})
    return client


def test_another_address_beside_the_first_changes_nothing_yet(as_rep: Client, rep: User) -> None:
    assert told() == []
    assert OTHER in as_rep.get(URL).content.decode()


def test_another_first_address_is_told(as_rep: Client, rep: User) -> None:
    as_rep.post(URL, {"action_primary": "", "email": OTHER})
    rep.refresh_from_db()
    assert rep.email == OTHER
    assert told() == [("user.changed", {"user": ["rep", "rep"], "email": ["rep@example.com", OTHER]})]
    assert HistoryEntry.objects.get().actor_name == "Rep Test"


def test_the_mail_about_it_waits_until_it_is_kept(as_rep: Client) -> None:
    as_rep.post(URL, {"action_primary": "", "email": OTHER})
    as_rep.post(URL, {"action_add": "", "email": "third@example.com"})
    with TestCase.captureOnCommitCallbacks(execute=True) as later:
        as_rep.post(URL, {"action_primary": "", "email": "third@example.com"})
        assert mail.outbox == []
    assert len(later) == len(mail.outbox) == 1


def test_the_address_stays_while_the_history_cannot_be_written(as_rep: Client, rep: User) -> None:
    as_rep.raise_request_exception = False
    database_refuses("INSERT", "numbers_app_historyentry")
    response = as_rep.post(URL, {"action_primary": "", "email": OTHER})
    database_obeys_again()
    assert response.status_code == 500
    rep.refresh_from_db()
    assert rep.email == "rep@example.com"


def test_who_is_not_signed_in_is_led_to_the_sign_in(db: None) -> None:
    assert Client().get(URL)["Location"].startswith("/accounts/login/")
