"""Orders that are wished for a later time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, HistoryEntry, Order, OrderStatus, Source, User
from numbers_app.services.decisions import order_cancel
from numbers_app.services.sweep import orders_sweep
from tests.orders.steps import (
    CAKE,
    approve,
    ask,
    ask_change,
    carry_out,
    outcomes,
    rings,
    time_passes,
)
from tests.sandbox_server import SandboxServer

CLOCK = Actor.portal("Clock", source=Source.WORKER)
HOUR = 3600

pytestmark = pytest.mark.django_db


@pytest.fixture
def scheduled(rep: User, manager: User, location: Account) -> Order:
    """An approved purchase that is wished for in an hour."""
    order = approve(manager, ask(rep, location, CAKE, execute_after=timezone.now() + timedelta(seconds=HOUR)))
    order.refresh_from_db()
    return order


def test_wish_is_kept_and_stands_in_the_history(rep: User, location: Account) -> None:
    wished = timezone.now() + timedelta(days=1)
    order = ask(rep, location, execute_after=wished)
    assert Order.objects.get(pk=order.pk).execute_after == wished
    [_, at] = HistoryEntry.objects.get(order_id=order.pk).changes["execute_after"]
    assert timezone.datetime.fromisoformat(at) == wished


def test_approval_keeps_the_wished_time(scheduled: Order) -> None:
    assert scheduled.execute_after
    assert timedelta(0) < scheduled.execute_after - timezone.now() <= timedelta(seconds=HOUR)


def test_wish_that_is_over_when_it_is_approved_is_due_at_once(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = approve(manager, ask(rep, location, execute_after=timezone.now() - timedelta(days=1)))
    assert carry_out(order).status == OrderStatus.DONE


def test_nobody_is_told_before_the_time_has_come(scheduled: Order) -> None:
    assert (rings(), orders_sweep(actor=CLOCK)) == ([], 0)
    time_passes(scheduled, HOUR - 5)
    assert (rings(), orders_sweep(actor=CLOCK)) == ([], 0)


def test_nothing_is_sent_before_the_time_has_come(scheduled: Order, sandbox: SandboxServer) -> None:
    time_passes(scheduled, HOUR - 5)
    assert (carry_out(scheduled).status, outcomes(scheduled)) == (OrderStatus.APPROVED, [])
    assert sandbox.purchases() == []


def test_clock_rings_when_the_time_has_come_and_the_order_is_bought(scheduled: Order, sandbox: SandboxServer) -> None:
    time_passes(scheduled, HOUR + 1)
    assert orders_sweep(actor=CLOCK) == 1
    assert rings() == [scheduled.pk]
    assert carry_out(scheduled).status == OrderStatus.DONE
    assert len(sandbox.purchases()) == 1


def test_worker_is_told_beforehand_of_what_is_due_in_minutes(rep: User, manager: User, location: Account) -> None:
    order = approve(manager, ask(rep, location, execute_after=timezone.now() + timedelta(minutes=5)))
    order.refresh_from_db()
    [task] = DBTaskResult.objects.all()
    assert task.run_after == order.execute_after == order.rung_at


def test_change_is_scheduled_as_well(manager: User, bought: Campaign, sandbox: SandboxServer) -> None:
    wished = timezone.now() + timedelta(seconds=HOUR)
    order = ask_change(manager, bought, notes="later", execute_after=wished)
    assert carry_out(order).status == OrderStatus.APPROVED
    time_passes(order, HOUR + 1)
    assert carry_out(order).status == OrderStatus.DONE


def test_scheduled_order_can_be_cancelled_until_it_is_sent(scheduled: Order, rep: User, sandbox: SandboxServer) -> None:
    order_cancel(actor=Actor.person(rep), order_id=scheduled.pk)
    time_passes(scheduled, HOUR + 1)
    assert (orders_sweep(actor=CLOCK), carry_out(scheduled).status) == (0, OrderStatus.CANCELLED)
    assert sandbox.purchases() == []


def test_scheduled_order_keeps_its_number(scheduled: Order) -> None:
    assert scheduled.choices.filter(live=True, number=CAKE).exists()


def test_what_became_invalid_until_then_is_not_sent(
    scheduled: Order, location: Account, sandbox: SandboxServer
) -> None:
    Account.objects.filter(pk=location.pk).update(active=False)
    time_passes(scheduled, HOUR + 1)
    assert carry_out(scheduled).status == OrderStatus.FAILED
    assert sandbox.purchases() == []
