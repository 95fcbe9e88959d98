"""Deciding on batches: whole or by rows, only where one was granted, never on one's own."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django_tasks_db.models import DBTaskResult

from numbers_app.actors import Actor
from numbers_app.errors import Conflict
from numbers_app.models import Account, Batch, BatchStatus, Campaign, RowState, User
from numbers_app.services.batches import batch_reject
from tests.batches.making import (
    approve,
    campaigns_at,
    change_draft,
    outcomes,
    purchase_draft,
    row,
    submit,
    told,
    written,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(rep: User, manager: User, numbers: list[Campaign]) -> Batch:
    """A rep's batch of the lines 2, 3 and 4."""
    return submit(rep, change_draft(rep, numbers))


@pytest.fixture
def split(wide_rep: User, manager: User, strange_manager: User, location: Account, elsewhere: Account) -> Batch:
    """A batch with the lines 2 and 3 in one account and 4 in another."""
    rows = [*campaigns_at(location, 2), *campaigns_at(elsewhere, 1, first=3000)]
    return submit(wide_rep, change_draft(wide_rep, rows))


def reject(person: User, batch: Batch, lines: list[int] | None = None) -> int:
    rejected = batch_reject(actor=Actor.person(person), batch_id=batch.pk, reason="Wrong number", lines=lines)
    batch.refresh_from_db()
    return rejected


def test_a_batch_is_approved_as_a_whole(waiting: Batch, manager: User) -> None:
    assert approve(manager, waiting) == 3
    assert (waiting.status, outcomes(waiting)) == (BatchStatus.RUNNING, {"approved": 3})
    assert waiting.started_at
    decided = row(waiting, 2)
    assert (decided.decider_id, decided.decider_name, decided.self_approved) == (manager.pk, "Manager Test", False)
    assert written(waiting)[1:] == [("batch.approved", "Manager Test", 3)]
    assert DBTaskResult.objects.filter(task_path__endswith="release_batch").count() == 1
    assert told(waiting, "batch_decided") == ["rep"]
    assert waiting.notifications.get(kind="batch_decided").detail == "Manager Test: 3 rows approved."


def test_ticked_rows_alone_are_approved_and_the_others_wait(waiting: Batch, manager: User, manager2: User) -> None:
    assert approve(manager, waiting, [2, 4]) == 2
    assert [row(waiting, line).state for line in (2, 3, 4)] == [RowState.APPROVED, RowState.READY, RowState.APPROVED]
    assert approve(manager2, waiting) == 1
    assert row(waiting, 3).decider_id == manager2.pk


def test_rows_of_other_accounts_wait_for_their_own_manager(split: Batch, manager: User, strange_manager: User) -> None:
    assert approve(manager, split) == 2
    assert (split.status, row(split, 4).state) == (BatchStatus.RUNNING, RowState.READY)
    with pytest.raises(Conflict):
        approve(manager, split, [4])
    assert approve(strange_manager, split, [2, 4]) == 1
    assert row(split, 4).decider_id == strange_manager.pk


def test_a_conflict_says_nothing_of_rows_elsewhere(split: Batch, manager: User, strange_manager: User) -> None:
    reject(manager, split)
    reject(strange_manager, split)
    Batch.objects.update(result="Rejected by Strange_manager Test: Not to Denver")
    with pytest.raises(Conflict, match=r"The batch: it is rejected \(2 rejected\)\.$"):
        approve(manager, split)


def test_who_was_granted_none_of_the_accounts_finds_no_batch(waiting: Batch, strange_manager: User) -> None:
    for decide in (approve, reject):
        with pytest.raises(Batch.DoesNotExist):
            decide(strange_manager, waiting)


def test_reps_and_auditors_decide_on_nothing(waiting: Batch, rep: User, auditor: User) -> None:
    for person in (rep, auditor):
        for decide in (approve, reject):
            with pytest.raises(PermissionDenied):
                decide(person, waiting)
    assert outcomes(waiting) == {"waiting": 3}


def test_nobody_decides_on_their_own_batch(manager: User, location: Account) -> None:
    batch = submit(manager, purchase_draft(manager, location, "3167342253"))
    for decide in (approve, reject):
        with pytest.raises(PermissionDenied, match="You made this batch yourself"):
            decide(manager, batch)


def test_the_database_refuses_a_row_decided_by_its_author(waiting: Batch, rep: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        waiting.rows.update(state=RowState.APPROVED, decider_id=rep.pk)


def test_who_comes_second_hears_who_was_first(waiting: Batch, manager: User, manager2: User) -> None:
    approve(manager, waiting)
    for decide in (approve, reject):
        with pytest.raises(Conflict, match=r"None of these rows waits for a decision any more\. Manager Test decided"):
            decide(manager2, waiting)
    assert len(written(waiting)) == 2


def test_a_batch_rejected_as_a_whole_has_ended_and_its_author_reads_why(waiting: Batch, manager: User) -> None:
    assert reject(manager, waiting) == 3
    assert (waiting.status, waiting.result) == (BatchStatus.REJECTED, "Rejected by Manager Test: Wrong number")
    assert (outcomes(waiting), row(waiting, 2).decision_reason) == ({"rejected": 3}, "Wrong number")
    assert written(waiting)[1:] == [("batch.rejected", "Manager Test", 3)]
    assert waiting.notifications.get(kind="batch_decided").detail == "Manager Test: 3 rows rejected: Wrong number"


def test_rejected_rows_keep_no_others_from_being_approved(waiting: Batch, manager: User) -> None:
    assert reject(manager, waiting, [3]) == 1
    assert waiting.status == BatchStatus.WAITING
    assert approve(manager, waiting) == 2
    assert outcomes(waiting) == {"approved": 2, "rejected": 1}


def test_a_draft_cannot_be_decided_on(rep: User, manager: User, numbers: list[Campaign]) -> None:
    with pytest.raises(Batch.DoesNotExist):
        approve(manager, change_draft(rep, numbers))
