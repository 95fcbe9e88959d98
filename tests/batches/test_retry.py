"""Trying failed rows again: with the same approval, and never over what somebody set meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import Conflict
from numbers_app.models import (
    Account,
    Attempt,
    AttemptKind,
    AttemptOutcome,
    Batch,
    BatchStatus,
    Campaign,
    Choice,
    Order,
    OrderStatus,
    RowState,
    User,
)
from numbers_app.permissions import Role
from numbers_app.services.batches import batch_cancel, batch_retry
from numbers_app.services.history import NumberState, history_append
from tests.batches.making import (
    NEW,
    OLD,
    carry_out,
    change_draft,
    import_draft,
    orders_of,
    outcomes,
    purchase_draft,
    release,
    row,
    running,
    submit,
    written,
)
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.django_db
OTHER = "3165550177"


@pytest.fixture
def failed(rep: User, manager: User, numbers: list[Campaign], sandbox: SandboxServer) -> Batch:
    """Done, and every row refused: the sandbox sold none of these numbers."""
    batch = running(rep, manager, change_draft(rep, numbers, destination=NEW, memo1="moved"))
    release(batch)
    carry_out(batch)
    assert outcomes(batch) == {"failed": 3}
    return batch


@pytest.fixture
def now_says(monkeypatch: pytest.MonkeyPatch, worker: Actor) -> Any:
    """``now_says(campaign, destination="…")``: somebody set that meanwhile."""

    def change(campaign: Campaign, **values: str) -> None:
        with transaction.atomic():
            destination = values.get("destination", campaign.destination)
            entry = history_append(
                actor=worker,
                verb="number.changed",
                number=campaign.phone_number,
                changes={name: [None, value] for name, value in values.items()},
                state=NumberState(destination, None),
            )
            Campaign.objects.filter(pk=campaign.pk).update(last_change=entry, **values)

    return change


def retry(person: User, batch: Batch) -> int:
    again = batch_retry(actor=Actor.person(person), batch_id=batch.pk)
    batch.refresh_from_db()
    return again


def test_failed_rows_are_approved_again_by_the_decision_they_have(failed: Batch, rep: User, manager: User) -> None:
    before = [order.pk for order in orders_of(failed)]
    assert retry(rep, failed) == 3
    assert (failed.status, failed.result, outcomes(failed)) == (BatchStatus.RUNNING, "", {"approved": 3})
    assert written(failed)[-1] == ("batch.retried", "Rep Test", 3)
    release(failed)
    made = orders_of(failed)
    assert [order.parent_id for order in made] == before
    assert {order.decider_id for order in made} == {manager.pk}


def test_what_failed_and_is_tried_again_is_done_when_it_succeeds(
    failed: Batch, rep: User, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    retry(rep, failed)
    release(failed)
    for order in orders_of(failed):
        order.status = OrderStatus.DONE
        order.save()
    carry_out(failed)
    assert (failed.status, failed.result) == (BatchStatus.DONE, "3 done.")


def test_what_somebody_else_set_meanwhile_is_never_overwritten(
    failed: Batch, rep: User, numbers: list[Campaign], now_says: Any
) -> None:
    now_says(numbers[0], destination=OTHER)
    assert retry(rep, failed) == 2
    overtaken = row(failed, 2)
    assert (overtaken.state, overtaken.before) == (RowState.FAILED, {"destination": OLD, "memo1": ""})
    assert overtaken.problem == (
        "Not tried again: destination was changed by somebody else meanwhile, which would be overwritten."
    )
    assert len(release(failed)) == 2


def test_a_field_that_is_as_wished_by_now_stands_in_nobodys_way(
    failed: Batch, rep: User, numbers: list[Campaign], now_says: Any, sandbox: SandboxServer
) -> None:
    now_says(numbers[0], destination=NEW)
    assert retry(rep, failed) == 3
    assert row(failed, 2).before == {"destination": NEW, "memo1": ""}
    release(failed)
    carry_out(failed)
    again = row(failed, 2).order
    assert again is not None
    # Refused by Callcap once more, and not because it was overtaken.
    assert again.attempts.count() == 1


def test_a_row_with_nothing_left_to_change_is_left_alone(
    failed: Batch, rep: User, numbers: list[Campaign], now_says: Any
) -> None:
    now_says(numbers[0], destination=NEW, memo1="moved")
    assert retry(rep, failed) == 2
    assert outcomes(failed) == {"approved": 2, "unchanged": 1}


def test_failed_imports_are_tried_again(rep: User, manager: User, location: Account) -> None:
    batch = running(rep, manager, import_draft(rep, location, "3167342253"))
    release(batch)
    batch.rows.update(state=RowState.FAILED, problem="It was ours.", campaign=None)
    assert retry(rep, batch) == 1
    assert row(batch, 2).problem == ""
    release(batch)
    assert outcomes(batch) == {"failed": 1}


def test_nothing_to_try_again_is_said(rep: User, manager: User, numbers: list[Campaign]) -> None:
    batch = submit(rep, change_draft(rep, numbers))
    with pytest.raises(Conflict, match="No row of this batch has failed: it is waiting for approval"):
        retry(rep, batch)
    batch = running(rep, manager, change_draft(rep, numbers))
    with pytest.raises(Conflict, match="No row of this batch has failed"):
        retry(rep, batch)


def test_a_cancelled_batch_stays_cancelled(failed: Batch, rep: User) -> None:
    retry(rep, failed)
    batch_cancel(actor=Actor.person(rep), batch_id=failed.pk)
    assert outcomes(failed) == {"cancelled": 3}
    with pytest.raises(Conflict):
        retry(rep, failed)


def test_others_try_nothing_again(failed: Batch, strange_manager: User, auditor: User) -> None:
    with pytest.raises(Batch.DoesNotExist):
        retry(strange_manager, failed)
    with pytest.raises(PermissionDenied):
        retry(auditor, failed)


def test_a_purchase_that_was_once_in_doubt_is_never_bought_by_trying_again(
    rep: User, manager: User, location: Account
) -> None:
    batch = running(rep, manager, purchase_draft(rep, location, "3167342253", "3164440002"))
    release(batch)
    Choice.objects.update(live=False)
    Order.objects.update(status=OrderStatus.FAILED, result="Callcap did not carry it out. Settled by Manager Test: No")
    now = timezone.now()
    Attempt.objects.create(
        order=orders_of(batch)[0],
        kind=AttemptKind.BUY,
        number="3167342253",
        parameters={},
        started_at=now,
        lease_until=now,
        finished_at=now,
        outcome=AttemptOutcome.UNKNOWN,
        ever_unknown=True,
        recorded=True,
    )
    assert retry(rep, batch) == 1
    doubted = row(batch, 2)
    assert doubted.state == RowState.FAILED
    assert doubted.problem.startswith("Not tried again: it was not known for a while whether Callcap had sold a number")
    assert len(release(batch)) == 1
    assert Order.objects.count() == 3


def test_nobody_approves_their_own_rows_by_trying_again_once_they_are_no_manager(
    manager: User, numbers: list[Campaign]
) -> None:
    batch = submit(manager, change_draft(manager, numbers))
    release(batch)
    Order.objects.update(status=OrderStatus.FAILED)
    manager.groups.set([Group.objects.get(name=Role.SALES_REP)])
    assert retry(manager, batch) == 0
    assert outcomes(batch) == {"failed": 3}
    assert row(batch, 2).problem == (
        "Not tried again: Manager Test, who approved it, may not decide on it any more. Make a new batch."
    )


@pytest.mark.parametrize("loss", ["grant", "person"])
def test_an_approval_is_not_used_again_when_its_giver_may_not_decide_any_more(
    failed: Batch, rep: User, manager: User, loss: str
) -> None:
    if loss == "grant":
        manager.grants.all().delete()
    else:
        User.objects.filter(pk=manager.pk).update(is_active=False)
    assert retry(rep, failed) == 0
    assert outcomes(failed) == {"failed": 3}


def test_what_was_carried_out_after_all_before_it_could_be_ordered_again_is_done(
    failed: Batch, rep: User, numbers: list[Campaign]
) -> None:
    late = orders_of(failed)[0]
    retry(rep, failed)
    Order.objects.filter(pk=late.pk).update(status=OrderStatus.DONE)
    assert len(release(failed)) == 2
    assert row(failed, 2).order == late
    assert outcomes(failed) == {"approved": 2, "done": 1}
