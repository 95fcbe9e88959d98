"""The clock's part: nothing that is due is forgotten, and nothing is rung for twice at once."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import time_machine
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import (
    Account,
    Attempt,
    AttemptKind,
    AttemptOutcome,
    Campaign,
    HistoryEntry,
    Order,
    OrderStatus,
    Source,
    User,
    Verb,
)
from numbers_app.services.execution import attempts_expire
from numbers_app.services.sweep import campaigns_end_stopped, orders_sweep
from numbers_app.services.transition import order_lock, order_transition
from numbers_app.services.verification import history_verify
from numbers_app.tasks import execute_order
from numbers_app.vendor import callcap_client
from tests.factories import CampaignFactory
from tests.orders.steps import (
    CAKE,
    WORKER,
    approve,
    ask,
    buys,
    carry_out,
    keep_trying,
    outcomes,
    rings,
    time_passes,
    verbs,
)
from tests.sandbox_server import SandboxServer

CLOCK = Actor.portal("Clock", source=Source.WORKER)

pytestmark = pytest.mark.django_db


@pytest.fixture
def due(rep: User, manager: User, location: Account) -> Order:
    """An approved order that nobody was told of."""
    order = approve(manager, ask(rep, location, CAKE))
    Order.objects.filter(pk=order.pk).update(rung_at=None)
    return order


@pytest.fixture
def silent(due: Order) -> Attempt:
    """A call whose worker died after writing down the intent; its lease is over."""
    order_transition(
        actor=WORKER, order=order_lock(due.pk), to=OrderStatus.SENDING, verb=Verb.ORDER_SENDING, phone_number=CAKE
    )
    return Attempt.objects.create(
        order=due,
        kind=AttemptKind.BUY,
        number=CAKE,
        parameters=due.parameters,
        started_at=timezone.now() - timedelta(minutes=2),
        lease_until=timezone.now() - timedelta(minutes=1),
    )


def test_due_order_is_rung_once(due: Order) -> None:
    already = len(rings())
    assert orders_sweep(actor=CLOCK) == 1
    assert orders_sweep(actor=CLOCK) == 0
    assert rings()[already:] == [due.pk]


def test_order_that_nobody_got_to_is_rung_again_after_a_minute(due: Order) -> None:
    orders_sweep(actor=CLOCK)
    Order.objects.update(rung_at=timezone.now() - timedelta(seconds=55))
    assert orders_sweep(actor=CLOCK) == 0
    Order.objects.update(rung_at=timezone.now() - timedelta(seconds=61))
    assert orders_sweep(actor=CLOCK) == 1


def test_approval_has_rung_already(rep: User, manager: User, location: Account) -> None:
    approve(manager, ask(rep, location))
    assert orders_sweep(actor=CLOCK) == 0


def test_order_that_is_put_off_is_rung_when_its_pause_is_over(due: Order) -> None:
    Order.objects.update(execute_after=timezone.now() + timedelta(seconds=30))
    assert orders_sweep(actor=CLOCK) == 0
    time_passes(due, 31)
    assert orders_sweep(actor=CLOCK) == 1


@pytest.mark.parametrize("status", ["pending", "sending", "done", "failed", "rejected", "cancelled"])
def test_order_that_is_not_to_be_carried_on_is_not_rung(due: Order, status: str) -> None:
    Order.objects.update(status=status)
    assert orders_sweep(actor=CLOCK) == 0


def test_unknown_order_is_rung_when_its_next_check_is_due(due: Order) -> None:
    Order.objects.update(status=OrderStatus.UNKNOWN, execute_after=timezone.now() + timedelta(seconds=30))
    assert orders_sweep(actor=CLOCK) == 0
    time_passes(due, 31)
    assert orders_sweep(actor=CLOCK) == 1


def test_unknown_order_that_waits_for_a_person_is_not_rung(due: Order) -> None:
    Order.objects.update(status=OrderStatus.UNKNOWN, execute_after=None)
    assert orders_sweep(actor=CLOCK) == 0


def test_the_ring_carries_the_order_out(due: Order, sandbox: SandboxServer) -> None:
    orders_sweep(actor=CLOCK)
    execute_order.call(rings()[-1])
    due.refresh_from_db()
    assert due.status == OrderStatus.DONE


def test_silent_worker_s_order_is_of_unknown_outcome(silent: Attempt) -> None:
    orders_sweep(actor=CLOCK)
    silent.refresh_from_db()
    assert (silent.outcome, silent.ever_unknown, silent.recorded) == (AttemptOutcome.UNKNOWN, True, True)
    order = Order.objects.get(pk=silent.order_id)
    assert order.status == OrderStatus.UNKNOWN
    assert order.result.startswith("The worker stopped between sending and recording")
    assert verbs(order)[-1] == "order.unknown"


def test_lease_that_still_runs_is_respected(silent: Attempt) -> None:
    Attempt.objects.update(lease_until=timezone.now() + timedelta(seconds=5))
    assert attempts_expire(actor=CLOCK) == 0
    assert Order.objects.get().status == OrderStatus.SENDING


def test_expiring_twice_is_harmless(silent: Attempt) -> None:
    assert (attempts_expire(actor=CLOCK), attempts_expire(actor=CLOCK)) == (1, 0)
    assert verbs(silent.order).count("order.unknown") == 1


def test_order_of_a_silent_worker_is_bought_once_after_the_checks(silent: Attempt, sandbox: SandboxServer) -> None:
    orders_sweep(actor=CLOCK)
    order = carry_out(silent.order)
    assert (order.status, outcomes(order)) == (
        OrderStatus.UNKNOWN,
        [(CAKE, AttemptOutcome.UNKNOWN), (CAKE, AttemptOutcome.REFUSED)],
    )
    assert sandbox.purchases() == []
    assert keep_trying(order).status == OrderStatus.DONE
    assert buys(order) == [(CAKE, AttemptOutcome.UNKNOWN), (CAKE, AttemptOutcome.APPLIED)]
    assert len(sandbox.purchases()) == 1


def test_number_that_a_silent_worker_bought_is_mirrored_without_another_purchase(
    silent: Attempt, sandbox: SandboxServer
) -> None:
    callcap_client().provision(CAKE, "L-3", silent.parameters)
    orders_sweep(actor=CLOCK)
    order = carry_out(silent.order)
    assert (order.status, buys(order)) == (OrderStatus.DONE, [(CAKE, AttemptOutcome.UNKNOWN)])
    assert Campaign.objects.get().phone_number == CAKE
    assert len(sandbox.purchases()) == 1


# --- numbers whose stop date has passed ---------------------------------------------------------------------------


def test_number_ends_when_its_stop_date_has_passed_at_the_location(location: Account) -> None:
    campaign = CampaignFactory(phone_number=CAKE, account=location, stop_date=location.today())
    assert campaigns_end_stopped(actor=CLOCK) == 0
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert campaigns_end_stopped(actor=CLOCK) == 1
        assert campaigns_end_stopped(actor=CLOCK) == 0
    campaign.refresh_from_db()
    entry = HistoryEntry.objects.get(verb="number.ended")
    assert (campaign.last_change, campaign.ended_at) == (entry, entry.ended_at)
    assert entry.reason == f"Its stop date {campaign.stop_date} has passed at the Location."
    assert history_verify().problems == []


def test_stop_date_is_the_location_s_day_not_utc_s(location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, stop_date=date(2026, 11, 23))
    with time_machine.travel("2026-11-24T05:30:00Z", tick=False):  # 23:30 in Chicago
        assert campaigns_end_stopped(actor=CLOCK) == 0
    with time_machine.travel("2026-11-24T06:30:00Z", tick=False):
        assert campaigns_end_stopped(actor=CLOCK) == 1


def test_number_without_a_stop_date_goes_on(location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location)
    with time_machine.travel(timezone.now() + timedelta(days=3650)):
        assert campaigns_end_stopped(actor=CLOCK) == 0
    assert Campaign.objects.get().ended_at is None
