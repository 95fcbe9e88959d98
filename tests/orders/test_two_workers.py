"""Two at once, on real connections: workers, deciders, sweeps."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import Account, Attempt, AttemptOutcome, Campaign, Order, OrderStatus, Source, User
from numbers_app.selectors.verification import history_verify
from numbers_app.services.decisions import order_cancel
from numbers_app.services.execution import attempts_expire, order_execute
from numbers_app.services.sweep import orders_sweep
from tests.factories import CampaignFactory
from tests.orders.steps import CAKE, DESTINATION, WORKER, approve, ask, ask_change, outcomes, rings, verbs, wait_until
from tests.sandbox_server import SandboxServer

CLOCK = Actor.portal("Clock", source=Source.WORKER)

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*steps: Callable[[], Any]) -> list[Any]:
    """Every step in a thread and with a connection of its own; what each returned or raised."""
    barrier = threading.Barrier(len(steps))

    def run(step: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            barrier.wait(10)
            return step()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(steps)) as pool:
        return list(pool.map(run, steps))


def execute(order: Order) -> None:
    order_execute(actor=WORKER, order_id=order.pk)


def test_two_workers_buy_once(rep: User, manager: User, location: Account, sandbox: SandboxServer) -> None:
    for fault in ("search", "provision"):
        sandbox.arm_fault("slow", fault, seconds=0.2, times=2)
    order = approve(manager, ask(rep, location, CAKE))
    assert at_once(lambda: execute(order), lambda: execute(order)) == [None, None]
    order.refresh_from_db()
    assert (order.status, outcomes(order)) == (OrderStatus.DONE, [(CAKE, AttemptOutcome.APPLIED)])
    assert len(sandbox.purchases()) == 1
    assert Campaign.objects.count() == 1
    assert history_verify().problems == []


def test_two_workers_with_several_choices_buy_one_number(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    offers = [offer["phoneNumber"] for offer in sandbox.search(areaCode="316")][:4]
    order = approve(manager, ask(rep, location, *offers))
    sandbox.take(offers[0])
    sandbox.arm_fault("slow", "search", seconds=0.1, times=4)
    assert at_once(*[lambda: execute(order)] * 4) == [None] * 4
    order.refresh_from_db()
    assert (order.status, [purchase["number"] for purchase in sandbox.purchases()]) == (OrderStatus.DONE, [offers[1]])


def test_two_workers_change_once(rep: User, manager: User, location: Account, sandbox: SandboxServer) -> None:
    execute(approve(manager, ask(rep, location, CAKE)))
    order = ask_change(manager, Campaign.objects.get(), destination="3165550100")
    sandbox.arm_fault("slow", "update", seconds=0.3)
    assert at_once(lambda: execute(order), lambda: execute(order)) == [None, None]
    assert len(sandbox.journal(kind="update")) == 1


def test_of_two_approvals_one_wins_and_the_other_is_told_by_whom(
    rep: User, manager: User, manager2: User, location: Account
) -> None:
    order = ask(rep, location, CAKE)
    results = at_once(lambda: approve(manager, order), lambda: approve(manager2, order))
    [conflict] = [result for result in results if isinstance(result, Conflict)]
    [winner] = [result for result in results if isinstance(result, Order)]
    assert f"decided by {winner.decider_name}" in conflict.message
    assert verbs(order) == ["order.requested", "order.approved"]
    assert rings() == [order.pk]


def test_order_approved_and_cancelled_at_once_is_cancelled_and_never_sent(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = ask(rep, location, CAKE)
    approval, cancelling = at_once(
        lambda: approve(manager, order), lambda: order_cancel(actor=Actor.person(rep), order_id=order.pk)
    )
    assert isinstance(cancelling, Order)
    assert isinstance(approval, Order | Conflict)
    execute(order)
    order.refresh_from_db()
    assert (order.status, sandbox.purchases()) == (OrderStatus.CANCELLED, [])


def test_order_cancelled_while_the_worker_takes_it_is_either_cancelled_or_bought(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = approve(manager, ask(rep, location, CAKE))
    _, cancelling = at_once(lambda: execute(order), lambda: order_cancel(actor=Actor.person(rep), order_id=order.pk))
    order.refresh_from_db()
    cancelled = isinstance(cancelling, Order)
    assert cancelled or isinstance(cancelling, Conflict)
    assert order.status == (OrderStatus.CANCELLED if cancelled else OrderStatus.DONE)
    assert len(sandbox.purchases()) == (0 if cancelled else 1)


def test_of_two_who_want_one_number_the_second_is_told_of_the_first(
    rep: User, manager: User, location: Account
) -> None:
    results = at_once(lambda: ask(rep, location, CAKE), lambda: ask(manager, location, CAKE))
    [order] = [result for result in results if isinstance(result, Order)]
    [refusal] = [result for result in results if isinstance(result, InvalidInput)]
    assert f"already asked for in order {order.pk}" in refusal.message


def test_same_purchase_form_sent_twice_at_once_makes_one_order(rep: User, location: Account) -> None:
    token = uuid.uuid4()
    first, second = at_once(*[lambda: ask(rep, location, CAKE, token=token)] * 2)
    assert first == second == Order.objects.get()


def test_same_change_form_sent_twice_at_once_makes_one_order(manager: User, location: Account) -> None:
    campaign = CampaignFactory(phone_number=CAKE, account=location, destination=DESTINATION)
    token = uuid.uuid4()
    first, second = at_once(*[lambda: ask_change(manager, campaign, token=token, notes="x")] * 2)
    assert first == second == Order.objects.get()


def test_two_sweeps_at_once_ring_once(rep: User, manager: User, location: Account) -> None:
    order = approve(manager, ask(rep, location, CAKE))
    Order.objects.update(rung_at=None)
    already = len(rings())
    assert sorted(at_once(*[lambda: orders_sweep(actor=CLOCK)] * 2)) == [0, 1]
    assert rings()[already:] == [order.pk]


@pytest.mark.parametrize("answer", ["bought", "refused"])
def test_definite_answer_that_comes_after_the_lease_still_counts(
    rep: User, manager: User, location: Account, sandbox: SandboxServer, answer: str
) -> None:
    order = approve(manager, ask(rep, location, CAKE, "3164440002"))
    sandbox.arm_fault("slow", "provision", seconds=1.5)

    def clock() -> None:
        wait_until(Attempt.objects.exists)
        if answer == "refused":
            sandbox.take(CAKE)
        Attempt.objects.update(lease_until=timezone.now() - timedelta(seconds=5))
        assert attempts_expire(actor=CLOCK) == 1
        assert Order.objects.get().status == OrderStatus.UNKNOWN

    assert at_once(lambda: execute(order), clock) == [None, None]
    order.refresh_from_db()
    assert order.attempts.get().ever_unknown
    if answer == "bought":
        assert (order.status, order.campaign) == (OrderStatus.DONE, Campaign.objects.get(phone_number=CAKE))
        assert len(sandbox.purchases()) == 1
    else:
        assert (order.status, outcomes(order)) == (OrderStatus.FAILED, [(CAKE, AttemptOutcome.REFUSED)])
        assert sandbox.purchases() == []
    assert history_verify().problems == []


def test_history_stays_one_chain_under_many_writers(rep: User, location: Account) -> None:
    steps = [lambda number=f"31644400{index:02}": ask(rep, location, number) for index in range(6)]
    assert all(isinstance(result, Order) for result in at_once(*steps))
    verification = history_verify()
    assert (verification.entries, verification.problems) == (6, [])
