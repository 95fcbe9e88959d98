"""The page of a batch: who sees what of it, what approving would do, and every verb."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Account, Batch, BatchStatus, Campaign, Order, OrderStatus, RowState, User
from numbers_app.permissions import Role
from numbers_app.services.batches import batch_reject
from tests.batches.making import (
    NEW,
    approve,
    campaigns_at,
    change_draft,
    import_draft,
    orders_of,
    outcomes,
    release,
    running,
    submit,
)
from tests.factories import GrantFactory, UserFactory
from tests.web.conftest import HTMX
from tests.web.page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def numbers(location: Account) -> list[Campaign]:
    return campaigns_at(location, 3)


@pytest.fixture
def waiting(rep: User, manager: User, numbers: list[Campaign]) -> Batch:
    """A rep's batch of the lines 2, 3 and 4."""
    return submit(rep, change_draft(rep, numbers))


@pytest.fixture
def split(rep: User, manager: User, location: Account, elsewhere: Account) -> Batch:
    """The lines 2 and 3 lie in the manager's account, 4 elsewhere."""
    GrantFactory(user=rep, account=elsewhere)
    return submit(rep, change_draft(rep, [*campaigns_at(location, 2), *campaigns_at(elsewhere, 1, first=3000)]))


def page_of(client: Client, batch: Batch, query: str = "") -> Page:
    return Page(client.get(f"/batches/{batch.pk}/{query}"))


def send(client: Client, batch: Batch, verb: str, **sent: Any) -> Any:
    response = client.post(f"/batches/{batch.pk}/{verb}/", sent)
    batch.refresh_from_db()
    return response


def lines(page: Page) -> list[str]:
    return [row.all("th")[0].text for row in page.one("section", id="rows").all("tr")[1:]]


# --- what is seen ---------------------------------------------------------------------------------------------------


def test_a_draft_is_led_to_its_preview_and_hidden_from_others(
    as_rep: Client, as_manager: Client, rep: User, numbers: list[Campaign]
) -> None:
    batch = change_draft(rep, numbers)
    assert as_rep.get(f"/batches/{batch.pk}/")["Location"] == f"/batches/{batch.pk}/preview/"
    assert as_manager.get(f"/batches/{batch.pk}/").status_code == 404


def test_a_manager_sees_the_rows_of_granted_accounts_alone(
    split: Batch, as_rep: Client, as_manager: Client, signed_in: Any, strange_manager: User, auditor: User
) -> None:
    assert lines(page_of(as_rep, split)) == ["2", "3", "4"]
    assert lines(page_of(as_manager, split)) == ["2", "3"]
    assert lines(page_of(signed_in(strange_manager), split)) == ["4"]
    assert lines(page_of(signed_in(auditor), split)) == ["2", "3", "4"]
    page = page_of(as_manager, split)
    assert "2 rows wait for your decision" in page.text
    assert "(316) 734-3000" not in page.html


def test_what_was_said_of_rows_elsewhere_is_not_shown(
    split: Batch, as_rep: Client, as_manager: Client, manager: User, strange_manager: User
) -> None:
    batch_reject(actor=Actor.person(strange_manager), batch_id=split.pk, reason="Not to Denver", lines=None)
    batch_reject(actor=Actor.person(manager), batch_id=split.pk, reason="Not to Wichita", lines=None)
    Batch.objects.update(result="Rejected by Strange: Not to Denver")
    page = page_of(as_manager, split)
    assert "Not to Wichita" in page.one("ol", aria_label="Timeline").text
    assert "Denver" not in page.text
    assert "The shop has moved" in page.one("ol", aria_label="Timeline").text
    assert "Denver" in page_of(as_rep, split).text


def test_a_refresh_reads_no_more_than_it_shows(waiting: Batch, as_manager: Client, manager: User) -> None:
    approve(manager, waiting, [2])
    with CaptureQueriesContext(connection) as asked:
        as_manager.get(f"/batches/{waiting.pk}/", headers=HTMX)
    of_rows = [query["sql"] for query in asked if '"numbers_app_batchrow"."parameters"' in query["sql"]]
    assert of_rows == []


def test_more_rows_ask_no_more_of_the_database(as_manager: Client, rep: User, manager: User, location: Account) -> None:
    def asked_for(batch: Batch) -> int:
        approve(manager, batch, [2, 3])
        release(batch)
        with CaptureQueriesContext(connection) as asked:
            as_manager.get(f"/batches/{batch.pk}/")
        return len(asked)

    few = asked_for(submit(rep, change_draft(rep, campaigns_at(location, 3), destination=NEW, media_type_id=7)))
    many = campaigns_at(location, 40, first=3000)
    assert asked_for(submit(rep, change_draft(rep, many, destination=NEW, media_type_id=7))) <= few


def test_another_rep_of_the_account_sees_no_batch(waiting: Batch, signed_in: Any, location: Account) -> None:
    other = UserFactory(role=Role.SALES_REP)
    GrantFactory(user=other, account=location)
    assert signed_in(other).get(f"/batches/{waiting.pk}/").status_code == 404


def test_auditors_and_the_author_are_offered_no_decision(
    waiting: Batch, as_rep: Client, signed_in: Any, auditor: User
) -> None:
    for client in (as_rep, signed_in(auditor)):
        assert not page_of(client, waiting).all("form", id="decide")
    assert not page_of(signed_in(auditor), waiting).all("form", action=f"/batches/{waiting.pk}/cancel/")


def test_approving_says_before_what_will_happen_in_numbers(
    as_manager: Client, rep: User, numbers: list[Campaign]
) -> None:
    batch = submit(rep, change_draft(rep, numbers, destination=NEW, stop_date="2027-01-31", memo1="moved"))
    panel = page_of(as_manager, batch).one("section", aria_labelledby="decide-heading")
    assert [item.text for item in panel.all("li")] == [
        "3 numbers re-routed to (316) 555-0100",
        "Stop date set for 3 numbers",
        "Memo 1 set for 3 numbers",
    ]
    assert "No other number at Location 3 rings (316) 555-0100." in panel.text


def test_a_destination_that_is_one_of_the_numbers_is_warned_of(
    as_manager: Client, rep: User, numbers: list[Campaign]
) -> None:
    batch = submit(rep, change_draft(rep, numbers, destination=numbers[1].phone_number))
    assert "calls would go round in a circle" in page_of(as_manager, batch).text


def test_progress_is_shown_by_outcome_and_refreshes_itself_while_something_moves(
    waiting: Batch, as_rep: Client, manager: User
) -> None:
    assert "hx-get" not in page_of(as_rep, waiting).one("div", id="live").attributes
    approve(manager, waiting)
    release(waiting)
    first, second, _ = orders_of(waiting)
    Order.objects.filter(pk=first.pk).update(status=OrderStatus.DONE, finished_at=timezone.now(), result="Changed.")
    Order.objects.filter(pk=second.pk).update(status=OrderStatus.FAILED, finished_at=timezone.now(), result="No.")
    live = page_of(as_rep, waiting).one("div", id="live")
    panel = live.one("section", id="progress")
    assert live.attributes["hx-get"] == f"/batches/{waiting.pk}/"
    assert panel.one("progress").attributes["value"] == "66"
    assert "66%: 2 of 3 rows" in panel.text
    assert "12 rows a minute, about 1 minute left" in panel.text
    for chip in ("Approved, not sent yet 1", "Done 1", "Failed 1"):
        assert chip in panel.text
    fragment = Page(as_rep.get(f"/batches/{waiting.pk}/", headers=HTMX))
    assert fragment.one("section", id="progress")
    assert lines(fragment) == ["2", "3", "4"]
    assert "as they were when you opened" not in fragment.text


def test_rows_that_somebody_may_be_ticking_are_not_refreshed(
    waiting: Batch, as_manager: Client, manager: User, manager2: User
) -> None:
    approve(manager, waiting, [2])
    page = page_of(as_manager, waiting)
    refresh = page.one("div", id="live").attributes["hx-get"]
    assert lines(page) == ["2", "3", "4"]
    # Also not once somebody else has decided on all of them.
    for lines_approved in (None, [3, 4]):
        if lines_approved:
            approve(manager2, waiting, lines_approved)
        fragment = Page(as_manager.get(refresh, headers=HTMX))
        assert not fragment.all("section", id="rows")
        assert fragment.one("div", id="live").attributes["hx-get"] == refresh
        assert fragment.links("Show them as they are now") == [f"/batches/{waiting.pk}/"]
    assert lines(page_of(as_manager, waiting, "?rows=stay")) == ["2", "3", "4"]


def test_who_decides_reads_from_when_on_it_is_sent_and_nobody_once_that_has_come(
    as_manager: Client, rep: User, manager: User, numbers: list[Campaign]
) -> None:
    later = timezone.now() + timedelta(days=1)
    batch = submit(rep, change_draft(rep, numbers), execute_after=later)
    assert "Nothing of it is sent before" in page_of(as_manager, batch).text
    approve(manager, batch)
    assert "Nothing of it is sent before" in page_of(as_manager, batch).text
    Batch.objects.update(execute_after=timezone.now())
    assert "Nothing of it is sent before" not in page_of(as_manager, batch).text


def test_rows_are_filtered_by_outcome(waiting: Batch, as_rep: Client, manager: User) -> None:
    approve(manager, waiting, [2])
    assert lines(page_of(as_rep, waiting, "?outcome=approved")) == ["2"]
    assert lines(page_of(as_rep, waiting, "?outcome=waiting")) == ["3", "4"]
    assert lines(page_of(as_rep, waiting, "?outcome=nonsense")) == ["2", "3", "4"]
    assert "No rows here" in page_of(as_rep, waiting, "?outcome=failed").text


def test_unknown_outcomes_that_wait_for_a_person_are_named_and_linked(
    waiting: Batch, as_rep: Client, manager: User
) -> None:
    approve(manager, waiting)
    release(waiting)
    Order.objects.filter(pk=orders_of(waiting)[0].pk).update(status=OrderStatus.UNKNOWN, execute_after=None)
    page = page_of(as_rep, waiting)
    assert "Of 1 row only a person can tell whether Callcap carried it out; the others go on." in page.text
    assert page.links("Settle what is unknown") == ["/orders/unknown/"]


def test_an_order_of_a_batch_leads_to_it_where_the_batch_may_be_seen(
    waiting: Batch, as_rep: Client, manager: User, signed_in: Any, location: Account
) -> None:
    approve(manager, waiting)
    release(waiting)
    order = orders_of(waiting)[0]
    there = f"/batches/{waiting.pk}/"
    assert there in Page(as_rep.get(order.get_absolute_url())).links(f"batch {waiting.pk}")
    assert page_of(as_rep, waiting).links(f"Order {order.pk}") == [order.get_absolute_url()]
    other = UserFactory(role=Role.SALES_REP)
    GrantFactory(user=other, account=location)
    assert there not in signed_in(other).get(order.get_absolute_url()).content.decode()


def test_the_author_gets_the_refused_rows_as_a_file_also_later(
    as_rep: Client, as_manager: Client, rep: User, numbers: list[Campaign]
) -> None:
    batch = change_draft(rep, numbers)
    batch.rows.filter(line=3).update(state=RowState.REFUSED, problem="No.", given={"phone_number": "316"})
    submit(rep, batch)
    (there,) = page_of(as_rep, batch).links("Refused rows as a file")
    response: Any = as_rep.get(there)
    assert b"".join(response.streaming_content).decode("utf-8-sig").splitlines() == ["problem,phone_number", "No.,316"]
    assert not page_of(as_manager, batch).links("Refused rows as a file")


def test_the_timeline_says_who_decided_what(waiting: Batch, as_rep: Client, manager: User) -> None:
    batch_reject(actor=Actor.person(manager), batch_id=waiting.pk, reason="Wrong number", lines=[3])
    page = page_of(as_rep, waiting)
    timeline = page.one("ol", aria_label="Timeline").text
    assert f"Rep Test submitted 3 rows of batch {waiting.pk}" in timeline
    assert f"Manager Test rejected 1 row of batch {waiting.pk}" in timeline
    assert "Wrong number" in page.text


# --- what is done ---------------------------------------------------------------------------------------------------


def test_a_draft_is_submitted_from_its_preview(as_rep: Client, rep: User, manager: User, location: Account) -> None:
    batch = import_draft(rep, location, "3167342253")
    response = send(as_rep, batch, "submit", reason="From the old list", execute_after="2027-03-31 08:00")
    assert response["Location"] == f"/batches/{batch.pk}/"
    assert (batch.status, batch.reason) == (BatchStatus.WAITING, "From the old list")
    assert batch.execute_after is not None
    assert batch.execute_after.isoformat() == "2027-03-31T13:00:00+00:00"
    assert f"Batch {batch.pk} waits for a manager." in page_of(as_rep, batch).alerts[0]


def test_a_bad_date_is_said_at_its_field_and_nothing_typed_is_lost(
    as_rep: Client, rep: User, numbers: list[Campaign]
) -> None:
    batch = change_draft(rep, numbers)
    response = send(as_rep, batch, "submit", reason="The shop has moved", execute_after="2020-01-01 08:00")
    page = Page(response)
    assert (response.status_code, batch.status) == (422, BatchStatus.DRAFT)
    assert page.error_at("execute_after")
    assert (page.value("reason"), page.value("execute_after")) == ("The shop has moved", "2020-01-01 08:00")


def test_what_was_submitted_already_is_a_conflict(waiting: Batch, as_rep: Client) -> None:
    response = send(as_rep, waiting, "submit", reason="")
    assert response.status_code == 409
    assert "This batch was submitted already" in Page(response).text


def test_all_rows_or_the_ticked_ones_are_approved(waiting: Batch, as_manager: Client) -> None:
    assert send(as_manager, waiting, "approve", line=["3"])["Location"] == f"/batches/{waiting.pk}/"
    assert outcomes(waiting) == {"waiting": 2, "approved": 1}
    send(as_manager, waiting, "approve", whole="1")
    assert outcomes(waiting) == {"approved": 3}
    assert "2 rows are approved." in page_of(as_manager, waiting).alerts[1]


def test_ticked_rows_that_somebody_else_decided_on_are_not_dropped_without_a_word(
    waiting: Batch, as_manager: Client, manager2: User
) -> None:
    approve(manager2, waiting, [2])
    send(as_manager, waiting, "reject", line=["2", "3"], reason="Wrong number")
    told = page_of(as_manager, waiting).alerts[0]
    assert told.startswith("1 row is rejected. Rep Test sees your reason. 1 of the rows that you ticked")
    assert outcomes(waiting) == {"waiting": 1, "approved": 1, "rejected": 1}


def test_nothing_ticked_approves_nothing(waiting: Batch, as_manager: Client) -> None:
    for sent in ({}, {"line": ["x"]}, {"line": ["9" * 40]}):
        assert send(as_manager, waiting, "approve", **sent).status_code == 422
    assert outcomes(waiting) == {"waiting": 3}
    page = Page(send(as_manager, waiting, "approve"))
    assert "Tick the rows that you want to decide on first" in page.summary


def test_rejecting_needs_a_reason_and_keeps_the_ticks(waiting: Batch, as_manager: Client) -> None:
    response = send(as_manager, waiting, "reject", line=["3"], reason="  ")
    page = Page(response)
    assert response.status_code == 422
    assert page.error_at("reason") == "Say why, so that the person who asked knows what to do."
    assert page.values("line") == ["3"]
    send(as_manager, waiting, "reject", line=["3"], reason="Wrong number")
    assert outcomes(waiting) == {"waiting": 2, "rejected": 1}


def test_who_comes_second_reads_who_was_first_and_keeps_the_reason(
    waiting: Batch, as_manager: Client, manager2: User
) -> None:
    approve(manager2, waiting)
    response = send(as_manager, waiting, "reject", whole="1", reason="Wrong number")
    assert response.status_code == 409
    assert "Manager2 Test decided last" in Page(response).summary


def test_a_batch_is_paused_resumed_and_cancelled(waiting: Batch, as_rep: Client, manager: User) -> None:
    approve(manager, waiting)
    for verb, status in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert page_of(as_rep, waiting).all("form", action=f"/batches/{waiting.pk}/{verb}/")
        assert send(as_rep, waiting, verb).status_code == 302
        assert waiting.status == status
    assert "3 rows are cancelled. What is at Callcap already goes on." in page_of(as_rep, waiting).alerts[-1]
    assert not page_of(as_rep, waiting).all("form", action=f"/batches/{waiting.pk}/cancel/")


def test_failed_rows_are_tried_again(rep: User, manager: User, as_rep: Client, numbers: list[Campaign]) -> None:
    batch = running(rep, manager, change_draft(rep, numbers))
    release(batch)
    Order.objects.update(status=OrderStatus.FAILED, result="Callcap refused: no")
    assert "Callcap refused: no" in page_of(as_rep, batch).text
    send(as_rep, batch, "retry")
    assert outcomes(batch) == {"approved": 3}
    release(batch)
    order = orders_of(batch)[0]
    failed = Page(as_rep.get(f"/orders/{order.parent_id}/"))
    assert "which tries it again" in failed.text


def test_failed_rows_are_tried_again_also_after_a_cancel(
    rep: User, manager: User, as_rep: Client, numbers: list[Campaign]
) -> None:
    batch = submit(rep, change_draft(rep, numbers))
    approve(manager, batch, [2])
    release(batch)
    Order.objects.update(status=OrderStatus.FAILED, result="Callcap refused: no")
    send(as_rep, batch, "cancel")
    assert batch.status == BatchStatus.CANCELLED
    assert page_of(as_rep, batch).all("form", action=f"/batches/{batch.pk}/retry/")
    send(as_rep, batch, "retry")
    assert (batch.status, outcomes(batch)) == (BatchStatus.RUNNING, {"approved": 1, "cancelled": 2})
    assert len(release(batch)) == 1
    assert outcomes(batch) == {"approved": 1, "cancelled": 2}


def test_opening_it_from_the_notifications_marks_them_as_read(
    waiting: Batch, as_manager: Client, manager: User
) -> None:
    listed = Page(as_manager.get("/notifications/"))
    assert f"Batch {waiting.pk}, New reception, waits for your decision" in listed.text
    assert send(as_manager, waiting, "seen")["Location"] == f"/batches/{waiting.pk}/"
    assert not manager.notifications.filter(read_at=None).exists()
