"""Submitting a draft: who then has to decide, and what is on its way at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import Account, Batch, BatchKind, BatchStatus, Campaign, RowState, User
from tests.batches.making import (
    campaigns_at,
    change_draft,
    draft,
    import_draft,
    outcomes,
    purchase_draft,
    submit,
    told,
    written,
)
from tests.factories import BatchRowFactory

pytestmark = pytest.mark.django_db


def rung() -> int:
    return DBTaskResult.objects.filter(task_path__endswith="release_batch").count()


def test_a_reps_batch_waits_for_a_manager_of_its_accounts(
    rep: User, manager: User, strange_manager: User, numbers: list[Campaign]
) -> None:
    batch = submit(rep, change_draft(rep, numbers))
    assert (batch.status, batch.reason, outcomes(batch)) == (BatchStatus.WAITING, "The shop has moved", {"waiting": 3})
    assert written(batch) == [("batch.submitted", "Rep Test", 3)]
    assert told(batch, "batch_waiting") == ["manager"]
    assert rung() == 0


def test_a_managers_own_change_is_on_its_way_at_once_and_marked(manager: User, numbers: list[Campaign]) -> None:
    batch = submit(manager, change_draft(manager, numbers))
    assert (batch.status, outcomes(batch)) == (BatchStatus.RUNNING, {"approved": 3})
    assert set(batch.rows.values_list("decider_id", "self_approved")) == {(manager.pk, True)}
    assert written(batch) == [("batch.submitted", "Manager Test", 3), ("batch.approved", "Manager Test", 3)]
    assert (batch.notifications.count(), rung()) == (0, 1)


@pytest.mark.parametrize("kind", [BatchKind.CONFIRM, BatchKind.REAPPLY])
def test_a_managers_own_confirmation_or_reapplication_needs_nobody_either(
    kind: BatchKind, manager: User, numbers: list[Campaign]
) -> None:
    batch = draft(manager, kind)
    BatchRowFactory(batch=batch, campaign=numbers[0], account=numbers[0].account, parameters={"campaign_name": "A"})
    assert submit(manager, batch).status == BatchStatus.RUNNING


@pytest.mark.parametrize("make", [purchase_draft, import_draft])
def test_purchases_and_imports_wait_for_somebody_else_also_a_managers_own(
    make: Any, manager: User, manager2: User, location: Account
) -> None:
    batch = submit(manager, make(manager, location, "3167342253"))
    assert (batch.status, told(batch, "batch_waiting")) == (BatchStatus.WAITING, ["manager2"])


def test_rows_that_cannot_be_done_or_change_nothing_are_left_where_they_are(rep: User, numbers: list[Campaign]) -> None:
    batch = change_draft(rep, numbers)
    batch.rows.filter(line=2).update(state=RowState.REFUSED)
    batch.rows.filter(line=3).update(state=RowState.UNCHANGED)
    assert outcomes(submit(rep, batch)) == {"waiting": 1, "unchanged": 1, "refused": 1}
    assert written(batch) == [("batch.submitted", "Rep Test", 1)]


def test_nothing_to_do_is_no_batch(rep: User, numbers: list[Campaign]) -> None:
    batch = change_draft(rep, numbers)
    batch.rows.update(state=RowState.REFUSED)
    with pytest.raises(InvalidInput, match="no row of this batch can be done"):
        submit(rep, batch)


def test_a_batch_is_submitted_once(rep: User, numbers: list[Campaign]) -> None:
    batch = submit(rep, change_draft(rep, numbers))
    with pytest.raises(Conflict, match="submitted already: it is waiting for approval"):
        submit(rep, batch)
    assert len(written(batch)) == 1


def test_somebody_elses_draft_is_as_good_as_absent(rep: User, manager: User, numbers: list[Campaign]) -> None:
    with pytest.raises(Batch.DoesNotExist):
        submit(manager, change_draft(rep, numbers))


def test_an_account_that_is_not_granted_any_more_stops_the_whole_batch(
    wide_rep: User, location: Account, elsewhere: Account
) -> None:
    batch = change_draft(wide_rep, [*campaigns_at(location, 1), *campaigns_at(elsewhere, 2, first=3000)])
    wide_rep.grants.filter(account=elsewhere).delete()
    with pytest.raises(Conflict, match="2 rows lie in accounts that are not granted to you any more"):
        submit(wide_rep, batch)


def test_auditors_ask_for_nothing(auditor: User, numbers: list[Campaign]) -> None:
    with pytest.raises(PermissionDenied):
        submit(auditor, change_draft(auditor, numbers))


def test_a_batch_for_later_is_rung_by_the_clock_when_its_time_has_come(manager: User, numbers: list[Campaign]) -> None:
    batch = submit(manager, change_draft(manager, numbers), execute_after=timezone.now() + timedelta(hours=1))
    assert (batch.status, rung()) == (BatchStatus.RUNNING, 0)


def test_who_decides_is_asked_of_each_account_once(
    wide_rep: User, manager: User, strange_manager: User, location: Account, elsewhere: Account
) -> None:
    rows = [*campaigns_at(location, 2), *campaigns_at(elsewhere, 2, first=3000)]
    batch = submit(wide_rep, change_draft(wide_rep, rows))
    assert told(batch, "batch_waiting") == ["manager", "strange_manager"]
