"""Cancelling: what is not sent is taken back, what is sent goes on."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied

from numbers_app.actors import Actor
from numbers_app.errors import Conflict
from numbers_app.models import Account, Batch, BatchStatus, Campaign, Choice, Order, OrderStatus, User
from numbers_app.services import batch_release
from numbers_app.services.batches import batch_cancel
from numbers_app.services.sweep import batches_sweep, orders_sweep
from numbers_app.services.verification import history_verify
from tests.batches.making import (
    CLOCK,
    approve,
    campaigns_at,
    change_draft,
    orders_of,
    outcomes,
    purchase_draft,
    release,
    row,
    running,
    submit,
    told,
    written,
)
from tests.orders.steps import verbs

pytestmark = pytest.mark.django_db


@pytest.fixture
def half_way(rep: User, manager: User, numbers: list[Campaign], monkeypatch: pytest.MonkeyPatch) -> Batch:
    """Line 2 is at Callcap, line 3 is ordered, line 4 is approved."""
    monkeypatch.setattr(batch_release, "MOST_OPEN", 2)
    monkeypatch.setattr(batch_release, "ORDERS_AT_ONCE", 1)
    batch = running(rep, manager, change_draft(rep, numbers))
    release(batch)
    Order.objects.filter(batch_row__line=2).update(status=OrderStatus.SENDING)
    return batch


def cancel(person: User, batch: Batch) -> int:
    cancelled = batch_cancel(actor=Actor.person(person), batch_id=batch.pk)
    batch.refresh_from_db()
    return cancelled


def test_what_is_not_sent_is_taken_back_and_what_is_sent_goes_on(half_way: Batch, rep: User) -> None:
    assert cancel(rep, half_way) == 2
    assert (half_way.status, outcomes(half_way)) == (BatchStatus.CANCELLED, {"sending": 1, "cancelled": 2})
    assert half_way.result == "Cancelled by Rep Test. What was sent before goes on."
    order = row(half_way, 3).order
    assert order is not None
    assert order.result == f"Cancelled with batch {half_way.pk} by Rep Test. Nothing was sent."
    assert verbs(order)[-1] == "order.cancelled"
    assert written(half_way)[-1] == ("batch.cancelled", "Rep Test", 2)
    assert history_verify().problems == []


def test_nothing_of_a_cancelled_batch_is_ordered_or_rung_any_more(half_way: Batch, rep: User) -> None:
    cancel(rep, half_way)
    Order.objects.update(rung_at=None)
    assert (release(half_way), batches_sweep(actor=CLOCK), orders_sweep(actor=CLOCK)) == ([], 0, 0)
    half_way.refresh_from_db()
    assert half_way.status == BatchStatus.CANCELLED


def test_a_waiting_batch_is_cancelled_by_its_author(rep: User, numbers: list[Campaign]) -> None:
    batch = submit(rep, change_draft(rep, numbers))
    assert (cancel(rep, batch), outcomes(batch)) == (3, {"cancelled": 3})


def test_a_manager_who_cancels_tells_the_author(half_way: Batch, rep: User, manager2: User) -> None:
    cancel(manager2, half_way)
    assert told(half_way, "batch_decided") == ["rep", "rep"]
    newest = half_way.notifications.filter(kind="batch_decided").first()
    assert newest is not None
    assert newest.detail == "Manager2 Test: 2 rows cancelled."
    assert not rep.notifications.filter(kind="cancelled").exists()


def test_a_manager_cancels_in_their_own_accounts_alone_and_leaves_the_rest_to_others(
    wide_rep: User, manager: User, strange_manager: User, location: Account, elsewhere: Account
) -> None:
    rows = [*campaigns_at(location, 1), *campaigns_at(elsewhere, 2, first=3000)]
    batch = submit(wide_rep, change_draft(wide_rep, rows))
    approve(manager, batch)
    approve(strange_manager, batch)
    release(batch)
    assert cancel(strange_manager, batch) == 2
    assert (batch.status, outcomes(batch)) == (BatchStatus.RUNNING, {"approved": 1, "cancelled": 2})
    assert orders_of(batch)[0].status == OrderStatus.APPROVED
    assert (cancel(manager, batch), batch.status) == (1, BatchStatus.CANCELLED)


def test_cancelled_purchases_give_their_numbers_free(rep: User, manager: User, location: Account) -> None:
    batch = running(rep, manager, purchase_draft(rep, location, "3167342253"))
    release(batch)
    cancel(rep, batch)
    assert not Choice.objects.filter(live=True).exists()


def test_nothing_left_to_cancel_is_said(half_way: Batch, rep: User) -> None:
    cancel(rep, half_way)
    with pytest.raises(Conflict, match="left to cancel: cancelled by Rep Test"):
        cancel(rep, half_way)


def test_others_cancel_nothing(half_way: Batch, strange_manager: User, auditor: User) -> None:
    with pytest.raises(Batch.DoesNotExist):
        cancel(strange_manager, half_way)
    with pytest.raises(PermissionDenied):
        cancel(auditor, half_way)
    assert outcomes(half_way) == {"approved": 2, "sending": 1}
