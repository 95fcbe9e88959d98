"""Making the draft of a batch, throwing it away, and forgetting it."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import Account, Batch, BatchKind, BatchRow, Campaign, HistoryEntry, Order, Source, User
from numbers_app.services import batch_drafts
from numbers_app.services.batch_drafts import (
    batch_discard,
    batch_drafts_forget,
    batch_from_file,
    batch_from_selection,
)
from tests.batches.making import campaigns_at, submit
from tests.factories import CampaignFactory

pytestmark = pytest.mark.django_db

CHANGES = b"phone_number,destination\r\n3167342000,3165550100\r\n3167342001,12\r\n3167342002,3164447896\r\n"


def uploaded(user: User, data: bytes = CHANGES, **fields: Any) -> Batch:
    given = {"kind": BatchKind.CHANGE, "filename": "spring.csv", "title": "", "form_token": uuid.uuid4()} | fields
    return batch_from_file(actor=Actor.person(user), data=data, **given)


def selected(user: User, kind: BatchKind = BatchKind.CHANGE, **fields: Any) -> Batch:
    given = {"campaigns": Campaign.objects.all(), "values": {"destination": "3165550100"}} | fields
    return batch_from_selection(actor=Actor.person(user), kind=kind, **given)


def states(batch: Batch) -> list[tuple[int, str]]:
    return list(batch.rows.values_list("line", "state"))


def test_a_file_becomes_a_draft_with_a_judged_row_a_line(rep: User, numbers: list[Campaign]) -> None:
    batch = uploaded(rep)
    assert (batch.kind, batch.status, batch.filename, batch.title) == ("change", "draft", "spring.csv", "spring.csv")
    assert (batch.author_id, batch.author_name) == (rep.pk, rep.display_name)
    assert states(batch) == [(2, "ready"), (3, "refused"), (4, "unchanged")]
    assert batch.rows.get(line=3).given == {"phone_number": "3167342001", "destination": "12"}


def test_nothing_is_asked_for_and_nothing_decided_by_a_draft(rep: User, numbers: list[Campaign]) -> None:
    before = HistoryEntry.objects.count()
    uploaded(rep)
    assert (Order.objects.count(), HistoryEntry.objects.count()) == (0, before)


def test_a_file_that_cannot_be_read_makes_no_batch(rep: User) -> None:
    with pytest.raises(InvalidInput):
        uploaded(rep, b"phone_number,colour\r\n3167342000,red\r\n")
    assert not Batch.objects.exists()


def test_the_same_form_sent_twice_with_the_same_file_makes_one_batch(rep: User, numbers: list[Campaign]) -> None:
    token = uuid.uuid4()
    assert uploaded(rep, form_token=token) == uploaded(rep, form_token=token)
    assert BatchRow.objects.count() == 3


def test_the_same_form_with_another_file_or_title_makes_another_batch(rep: User, numbers: list[Campaign]) -> None:
    first = uploaded(rep, form_token=(token := uuid.uuid4()))
    assert uploaded(rep, CHANGES.replace(b"12\r", b"3165550100\r"), form_token=token) != first
    assert uploaded(rep, title="Spring", form_token=token) != first


def test_a_race_of_the_same_form_makes_one_batch(
    rep: User, numbers: list[Campaign], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = uuid.uuid4()
    first = uploaded(rep, form_token=token)
    answers = iter([None, first])
    # The other request's batch is not there yet when this one looks.
    monkeypatch.setattr(batch_drafts, "_made", lambda user, token: next(answers))
    assert uploaded(rep, form_token=token) == first
    assert Batch.objects.count() == 1


def test_only_who_may_order_makes_a_draft(auditor: User, numbers: list[Campaign]) -> None:
    with pytest.raises(PermissionDenied):
        uploaded(auditor)
    with pytest.raises(PermissionDenied):
        selected(auditor)


def test_a_long_title_and_a_strange_file_name_are_kept_as_far_as_they_fit(rep: User, numbers: list[Campaign]) -> None:
    batch = uploaded(rep, title="x" * 300, filename="\ud800" + "y" * 300 + ".csv")
    batch.refresh_from_db()
    assert (len(batch.title), len(batch.filename), batch.filename[-4:]) == (200, 200, ".csv")


def test_a_selection_becomes_a_draft_of_the_granted_numbers(
    rep: User, numbers: list[Campaign], elsewhere: Account
) -> None:
    CampaignFactory(phone_number="3167349999", account=elsewhere)
    batch = selected(rep)
    assert (batch.title, batch.filename) == ("Change of 3 numbers", "")
    assert states(batch) == [(1, "ready"), (2, "ready"), (3, "ready")]
    assert [row.number for row in batch.rows.all()] == [campaign.phone_number for campaign in numbers]


def test_a_selection_sent_twice_makes_one_batch(rep: User, numbers: list[Campaign]) -> None:
    token = uuid.uuid4()
    first = selected(rep, form_token=token)
    assert selected(rep, form_token=token) == first
    assert selected(rep) != first
    # Whoever goes back in the browser and sets something else means something else.
    other = selected(rep, form_token=token, values={"stop_date": date(2098, 1, 1)})
    assert other != first
    assert other.rows.all()[0].parameters == {"stop_date": "2098-01-01"}


def test_a_selection_without_a_granted_number_is_refused(rep: User, elsewhere: Account) -> None:
    CampaignFactory(account=elsewhere)
    with pytest.raises(InvalidInput, match="None of these numbers"):
        selected(rep)


def test_a_selection_of_too_many_is_refused(
    rep: User, numbers: list[Campaign], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_drafts, "MOST_ROWS", 2)
    with pytest.raises(InvalidInput, match="at most 2 numbers"):
        selected(rep)


def test_the_number_of_queries_does_not_grow_with_the_rows(rep: User, location: Account) -> None:
    def queries(count: int) -> int:
        lines = [f"316735{line:04d},3165550100" for line in range(count)]
        data = "\r\n".join(["phone_number,destination", *lines]).encode()
        with CaptureQueriesContext(connection) as captured:
            uploaded(User.objects.get(pk=rep.pk), data)
        return len(captured)

    campaigns_at(location, 3)
    assert queries(2) == queries(200)


def test_a_discarded_draft_is_gone_with_its_rows(rep: User, numbers: list[Campaign]) -> None:
    batch = uploaded(rep)
    batch_discard(actor=Actor.person(rep), batch_id=batch.pk)
    assert not Batch.objects.exists()
    assert not BatchRow.objects.exists()


def test_somebody_elses_draft_cannot_be_discarded(rep: User, manager: User, numbers: list[Campaign]) -> None:
    batch = uploaded(rep)
    with pytest.raises(Batch.DoesNotExist):
        batch_discard(actor=Actor.person(manager), batch_id=batch.pk)
    assert Batch.objects.exists()


def test_a_submitted_batch_cannot_be_discarded(rep: User, numbers: list[Campaign]) -> None:
    batch = submit(rep, uploaded(rep))
    with pytest.raises(Conflict, match="has been submitted"):
        batch_discard(actor=Actor.person(rep), batch_id=batch.pk)
    assert batch.rows.exists()


def test_drafts_are_forgotten_after_a_week_and_nothing_else(rep: User, numbers: list[Campaign]) -> None:
    old, young, submitted = uploaded(rep), uploaded(rep), submit(rep, uploaded(rep))
    long_ago = timezone.now() - timedelta(days=8)
    Batch.objects.filter(pk__in=[old.pk, submitted.pk]).update(created_at=long_ago)
    assert batch_drafts_forget(actor=Actor.portal("Clock", source=Source.WORKER)) == 1
    assert set(Batch.objects.all()) == {young, submitted}
