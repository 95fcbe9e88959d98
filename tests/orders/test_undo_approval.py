"""Taking back one's own approval before it takes effect."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from numbers_app.actors import Actor
from numbers_app.errors import Conflict
from numbers_app.models import Account, Campaign, HistoryEntry, Order, OrderStatus, User
from numbers_app.services import decisions
from numbers_app.services.decisions import order_cancel, order_undo_approval
from numbers_app.services.sweep import orders_sweep
from tests.orders.steps import (
    CAKE,
    WORKER,
    approve,
    ask,
    ask_change,
    carry_out,
    keep_trying,
    outcomes,
    rings,
    time_passes,
    verbs,
)
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.django_db

TIME_TO_UNDO = 10
type Listen = Callable[[str, Callable[[], Any]], None]


@pytest.fixture(autouse=True)
def _time_to_undo(settings: Any) -> None:
    settings.APPROVAL_UNDO_SECONDS = TIME_TO_UNDO


@pytest.fixture
def two_clocks(approved: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's clock says that the time to undo is over, the page's says that it is not."""
    time_passes(approved, TIME_TO_UNDO + 1)
    monkeypatch.setattr(decisions, "order_undo_until", lambda order: timezone.now() + timedelta(seconds=5))


def undo(person: User, order: Order) -> Order:
    order_undo_approval(actor=Actor.person(person), order_id=order.pk)
    order.refresh_from_db()
    return order


def seconds_pass(order: Order, seconds: float) -> None:
    """The approval is that much older."""
    time_passes(order, seconds)
    Order.objects.filter(pk=order.pk).update(decided_at=order.decided_at - timedelta(seconds=seconds))
    order.refresh_from_db()


# --- the time to undo ----------------------------------------------------------------------------------------------


def test_approved_order_is_due_when_the_time_to_undo_is_over(approved: Order) -> None:
    assert approved.decided_at
    assert approved.execute_after == approved.decided_at + timedelta(seconds=TIME_TO_UNDO)


def test_nothing_is_sent_before_the_time_to_undo_is_over(approved: Order, sandbox: SandboxServer) -> None:
    seconds_pass(approved, TIME_TO_UNDO - 5)
    orders_sweep(actor=WORKER)
    assert (carry_out(approved).status, outcomes(approved)) == (OrderStatus.APPROVED, [])
    assert sandbox.purchases() == []
    seconds_pass(approved, 6)
    assert carry_out(approved).status == OrderStatus.DONE


def test_worker_is_told_for_the_moment_when_the_time_is_over(approved: Order) -> None:
    [task] = DBTaskResult.objects.all()
    assert task.run_after == approved.execute_after
    assert not DBTaskResult.objects.ready().exists()
    assert approved.rung_at == approved.execute_after


def test_clock_does_not_ring_again_while_the_worker_has_been_told(approved: Order) -> None:
    seconds_pass(approved, TIME_TO_UNDO + 1)
    Order.objects.update(rung_at=approved.execute_after)
    assert orders_sweep(actor=WORKER) == 0
    Order.objects.update(rung_at=timezone.now() - timedelta(seconds=61))
    assert orders_sweep(actor=WORKER) == 1


def test_manager_s_own_change_waits_as_well(manager: User, mirrored: Campaign) -> None:
    order = ask_change(manager, mirrored, notes="x")
    order.refresh_from_db()
    assert (carry_out(order).status, outcomes(order)) == (OrderStatus.APPROVED, [])


def test_without_a_time_to_undo_the_worker_is_told_at_once(
    rep: User, manager: User, location: Account, settings: Any
) -> None:
    settings.APPROVAL_UNDO_SECONDS = 0
    order = approve(manager, ask(rep, location))
    assert (DBTaskResult.objects.ready().count(), rings()) == (1, [order.pk])
    with pytest.raises(Conflict, match="The time to undo is over"):
        undo(manager, order)


# --- taking it back ------------------------------------------------------------------------------------------------


def test_order_waits_again_as_if_nobody_had_decided(approved: Order, manager: User) -> None:
    undo(manager, approved)
    assert approved.status == OrderStatus.PENDING
    assert (approved.decider_id, approved.decider_name, approved.decided_at) == (None, "", None)
    assert (approved.execute_after, approved.rung_at, approved.revision) == (None, None, 1)
    assert approved.choices.filter(live=True, number=CAKE).exists()


def test_undoing_is_in_the_history(approved: Order, manager: User) -> None:
    undo(manager, approved)
    entry = HistoryEntry.objects.get(verb="order.approval_undone")
    assert (entry.actor_id, entry.changes) == (manager.pk, {"status": ["approved", "pending"]})


def test_what_was_taken_back_is_never_sent(approved: Order, manager: User, sandbox: SandboxServer) -> None:
    undo(manager, approved)
    keep_trying(approved)
    assert (approved.status, outcomes(approved), sandbox.purchases()) == (OrderStatus.PENDING, [], [])


def test_order_approved_anew_has_a_time_to_undo_of_its_own(
    approved: Order, manager: User, manager2: User, sandbox: SandboxServer
) -> None:
    seconds_pass(approved, TIME_TO_UNDO - 5)
    undo(manager, approved)
    approve(manager2, approved)
    approved.refresh_from_db()
    # The first approval's ring comes when the second can still be taken back.
    assert (carry_out(approved).status, sandbox.purchases()) == (OrderStatus.APPROVED, [])
    assert undo(manager2, approved).status == OrderStatus.PENDING
    assert verbs(approved)[1:] == ["order.approved", "order.approval_undone"] * 2


def test_approved_order_can_be_cancelled_within_the_time_to_undo(
    approved: Order, rep: User, sandbox: SandboxServer
) -> None:
    order_cancel(actor=Actor.person(rep), order_id=approved.pk)
    keep_trying(approved)
    assert (approved.status, sandbox.purchases()) == (OrderStatus.CANCELLED, [])


# --- who and when --------------------------------------------------------------------------------------------------


def test_other_manager_may_not_and_is_told_whose_it_is(approved: Order, manager2: User) -> None:
    with pytest.raises(PermissionDenied, match=r"Only Manager Test can take back this approval. You can cancel"):
        undo(manager2, approved)
    approved.refresh_from_db()
    assert approved.status == OrderStatus.APPROVED


def test_requester_may_not(approved: Order, rep: User) -> None:
    with pytest.raises(PermissionDenied, match="Your role does not allow you"):
        undo(rep, approved)


def test_decider_who_is_no_longer_a_manager_may_not(approved: Order, manager: User) -> None:
    manager.groups.clear()
    with pytest.raises(PermissionDenied):
        undo(User.objects.get(pk=manager.pk), approved)


def test_decider_who_lost_the_grant_may_not(approved: Order, manager: User) -> None:
    manager.grants.all().delete()
    with pytest.raises(Order.DoesNotExist):
        undo(manager, approved)


def test_the_portal_itself_may_not(approved: Order) -> None:
    with pytest.raises(PermissionDenied, match="Only a person"):
        order_undo_approval(actor=WORKER, order_id=approved.pk)


def test_it_is_too_late_when_the_time_is_over_even_if_nothing_was_sent_yet(approved: Order, manager: User) -> None:
    seconds_pass(approved, TIME_TO_UNDO - 5)
    undo(manager, Order.objects.get(pk=approved.pk))
    approve(manager, approved)
    approved.refresh_from_db()
    seconds_pass(approved, TIME_TO_UNDO)
    with pytest.raises(Conflict, match=r"time to undo is over. You can still cancel"):
        undo(manager, approved)
    approved.refresh_from_db()
    assert approved.status == OrderStatus.APPROVED


def test_bought_number_cannot_be_undone(approved: Order, manager: User) -> None:
    seconds_pass(approved, TIME_TO_UNDO)
    carry_out(approved)
    with pytest.raises(Conflict, match="no approval to take back: it is done"):
        undo(manager, approved)


def test_order_that_waits_has_no_approval_to_take_back(rep: User, manager: User, location: Account) -> None:
    with pytest.raises(Conflict, match="no approval to take back"):
        undo(manager, ask(rep, location))


def test_taking_it_back_twice_is_a_conflict(approved: Order, manager: User) -> None:
    undo(manager, approved)
    with pytest.raises(Conflict, match="no approval to take back"):
        undo(manager, approved)


def test_manager_s_own_change_has_no_approval_to_take_back(manager: User, mirrored: Campaign) -> None:
    with pytest.raises(Conflict, match="no approval to take back"):
        undo(manager, ask_change(manager, mirrored, notes="x"))


@pytest.mark.parametrize("step", ["picked up", "looked"])
def test_undoing_that_comes_while_the_worker_is_about_to_send_still_holds_it_back(
    approved: Order, manager: User, sandbox: SandboxServer, two_clocks: None, on_step: Listen, step: str
) -> None:
    def undo_once() -> None:
        if Order.objects.get(pk=approved.pk).status == OrderStatus.APPROVED:
            undo(manager, Order.objects.get(pk=approved.pk))

    on_step(step, undo_once)
    assert (carry_out(approved).status, outcomes(approved)) == (OrderStatus.PENDING, [])
    assert sandbox.purchases() == []


@pytest.mark.parametrize("step", ["picked up", "looked"])
def test_approval_taken_back_and_given_anew_while_the_worker_is_about_to_send_starts_a_time_to_undo_of_its_own(
    approved: Order, manager: User, manager2: User, sandbox: SandboxServer, two_clocks: None, on_step: Listen, step: str
) -> None:
    def undo_and_approve_once() -> None:
        order = Order.objects.get(pk=approved.pk)
        if order.decider_id == manager.pk:
            approve(manager2, undo(manager, order))

    on_step(step, undo_and_approve_once)
    assert (carry_out(approved).status, outcomes(approved)) == (OrderStatus.APPROVED, [])
    assert approved.decider_id == manager2.pk
    assert sandbox.purchases() == []


@pytest.mark.parametrize("step", ["intent written", "answered", "recorded"])
def test_undoing_that_comes_when_the_worker_sends_is_told_so(
    approved: Order, manager: User, sandbox: SandboxServer, two_clocks: None, on_step: Listen, step: str
) -> None:
    told = []

    def undo_too_late() -> None:
        with pytest.raises(Conflict, match="no approval to take back") as conflict:
            undo(manager, Order.objects.get(pk=approved.pk))
        told.append(conflict)

    on_step(step, undo_too_late)
    assert carry_out(approved).status == OrderStatus.DONE
    assert (len(told), len(sandbox.purchases())) == (1, 1)


# --- scheduled orders ----------------------------------------------------------------------------------------------


def test_wish_for_a_later_time_survives_approval_and_undoing(rep: User, manager: User, location: Account) -> None:
    wished = timezone.now() + timedelta(days=3)
    order = ask(rep, location, execute_after=wished)
    approve(manager, order)
    order.refresh_from_db()
    assert order.execute_after == wished
    assert undo(manager, order).execute_after == wished
    approve(manager, order)
    order.refresh_from_db()
    assert order.execute_after == wished


def test_scheduled_order_can_be_undone_only_as_long_as_any_other(rep: User, manager: User, location: Account) -> None:
    order = approve(manager, ask(rep, location, execute_after=timezone.now() + timedelta(days=3)))
    order.refresh_from_db()
    Order.objects.update(decided_at=timezone.now() - timedelta(seconds=TIME_TO_UNDO + 1))
    with pytest.raises(Conflict, match="time to undo is over"):
        undo(manager, order)
