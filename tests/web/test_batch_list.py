"""The list of batches, and where else waiting and running ones are mentioned."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from numbers_app.models import Account, Batch, Campaign, User
from numbers_app.services.notifications import notification_mail
from tests.batches.making import WORKER, approve, campaigns_at, change_draft, running, submit
from tests.web.page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def numbers(location: Account) -> list[Campaign]:
    return campaigns_at(location, 2)


@pytest.fixture
def waiting(rep: User, manager: User, numbers: list[Campaign]) -> Batch:
    return submit(rep, change_draft(rep, numbers))


def listed(client: Client) -> list[str]:
    return Page(client.get("/batches/")).links("#")


def test_people_see_their_own_batches_and_those_they_may_decide_on(
    waiting: Batch, as_rep: Client, as_manager: Client, signed_in: Any, strange_manager: User, auditor: User
) -> None:
    there = [f"/batches/{waiting.pk}/"]
    assert listed(as_rep) == listed(as_manager) == listed(signed_in(auditor)) == there
    assert listed(signed_in(strange_manager)) == []


def test_drafts_are_their_authors_alone(
    rep: User, as_rep: Client, as_manager: Client, signed_in: Any, auditor: User, numbers: list[Campaign]
) -> None:
    draft = change_draft(rep, numbers)
    assert listed(as_rep) == [f"/batches/{draft.pk}/"]
    assert listed(as_manager) == listed(signed_in(auditor)) == []


def test_progress_stands_beside_each(waiting: Batch, as_rep: Client, manager: User) -> None:
    row = Page(as_rep.get("/batches/")).one("tbody")
    assert "Waiting for approval" in row.text
    assert "0 of 2" in row.text
    assert row.one("progress").attributes["value"] == "0"


@pytest.mark.parametrize("path", ["/", "/orders/", "/batches/"])
def test_a_manager_meets_what_waits_on_the_first_page_and_in_the_queue(
    path: str, waiting: Batch, as_manager: Client, manager: User
) -> None:
    sentence = f"Batch {waiting.pk}: New reception by Rep Test has rows that wait for your decision."
    assert sentence in Page(as_manager.get(path)).text
    approve(manager, waiting)
    assert sentence not in Page(as_manager.get(path)).text


def test_an_author_meets_open_batches_on_the_first_page(waiting: Batch, as_rep: Client) -> None:
    assert Page(as_rep.get("/")).links(f"Batch {waiting.pk}: New reception") == [f"/batches/{waiting.pk}/"]


def test_who_may_not_order_is_offered_no_new_batch(signed_in: Any, auditor: User, as_rep: Client) -> None:
    assert not Page(signed_in(auditor).get("/batches/")).links("New batch")
    assert Page(as_rep.get("/batches/")).links("New batch")


def test_a_mail_says_what_waits_and_where(rep: User, manager: User, numbers: list[Campaign]) -> None:
    manager.mail_wanted = True
    manager.save()
    batch = submit(rep, change_draft(rep, numbers))
    notification_mail(actor=WORKER, notification_id=batch.notifications.get().pk)
    assert mail.outbox[0].subject == f"Batch {batch.pk} waits for your decision - New reception"
    assert f"/batches/{batch.pk}/" in mail.outbox[0].body
    assert "approve or reject its rows" in mail.outbox[0].body


def test_more_batches_ask_no_more_of_the_database(
    rep: User, manager: User, as_rep: Client, numbers: list[Campaign]
) -> None:
    def asked_for() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert as_rep.get("/batches/").status_code == 200
        return len(asked)

    running(rep, manager, change_draft(rep, numbers))
    few = asked_for()
    for _ in range(4):
        running(rep, manager, change_draft(rep, numbers))
    assert asked_for() == few
