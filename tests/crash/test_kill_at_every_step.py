"""A worker killed or frozen at a step of an order: whoever comes after it brings the order to its true end."""

from __future__ import annotations

import pytest
from django_tasks_db.models import DBTaskResult

from numbers_app.actors import Actor
from numbers_app.callcap import SearchCriteria
from numbers_app.models import Account, Campaign, HistoryEntry, Order, OrderKind, OrderStatus, Source, User
from numbers_app.services.sweep import orders_sweep
from numbers_app.steps import STEPS
from tests.crash.books import disagreements, orders_that_move, report
from tests.crash.passing_time import time_passes
from tests.crash.workers import Crew, Worker
from tests.orders.steps import CAKE, approve, ask, ask_change, carry_out, outcomes, wait_until
from tests.sandbox_server import SandboxServer

CLOCK = Actor.portal("Clock", source=Source.WORKER)
MOVED = "3165550100"
IN_THE_CALL = "in the call"
# The vendor works for so long on the call in which the worker dies.
CALL = 0.6
# Enough on a machine that is busy with other things.
PATIENCE = 90
PURCHASE_STEPS = [step for step in STEPS if step != "searched"]
# A change looks for nothing before it is sent.
CHANGE_STEPS = [step for step in PURCHASE_STEPS if step != "looked"]

pytestmark = pytest.mark.django_db(transaction=True)


def worker_dies(crew: Crew, sandbox: SandboxServer, step: str, endpoint: str) -> None:
    """A worker takes up what is due and is killed at the step."""
    if step == IN_THE_CALL:
        sandbox.arm_fault("slow", endpoint, seconds=CALL)
        worker = crew.start_worker("--kill-in-call", str(CALL / 2))
    else:
        worker = crew.start_worker("--kill-at", step)
    wait_until(lambda: not worker.is_alive, seconds=PATIENCE)
    assert worker.was_killed, crew.log.read_text()


def others_carry_on(crew: Crew) -> None:
    """Another worker and the clock go on until nothing is due any more."""
    crew.start_worker()

    def nothing_is_due() -> bool:
        time_passes(worker.name for worker in crew.alive)
        orders_sweep(actor=CLOCK)
        return not Order.objects.filter(status__in=("approved", "sending", "unknown")).exists()

    wait_until(nothing_is_due, seconds=PATIENCE)
    crew.dismiss_workers()


def everything_agrees(sandbox: SandboxServer) -> None:
    problems = disagreements(sandbox)
    assert not problems, report(problems, sandbox)


@pytest.mark.parametrize("step", [*PURCHASE_STEPS, IN_THE_CALL])
def test_purchase_whose_worker_is_killed_is_made_exactly_once(
    step: str, rep: User, manager: User, location: Account, sandbox: SandboxServer, crew: Crew
) -> None:
    order = approve(manager, ask(rep, location, CAKE, "3164440002"))
    worker_dies(crew, sandbox, step, "provision")
    others_carry_on(crew)
    order.refresh_from_db()
    assert (order.status, order.campaign) == (OrderStatus.DONE, Campaign.objects.get(phone_number=CAKE))
    assert [purchase["number"] for purchase in sandbox.purchases()] == [CAKE]
    everything_agrees(sandbox)


@pytest.mark.parametrize("step", ["searched", "answered"])
def test_purchase_by_search_whose_worker_is_killed_buys_one_number(
    step: str, rep: User, manager: User, location: Account, sandbox: SandboxServer, crew: Crew
) -> None:
    order = approve(manager, ask(rep, location, criteria=SearchCriteria(area_code="316")))
    worker_dies(crew, sandbox, step, "provision")
    others_carry_on(crew)
    order.refresh_from_db()
    assert (order.status, order.choices.count()) == (OrderStatus.DONE, 1)
    assert [purchase["number"] for purchase in sandbox.purchases()] == [order.phone_number]
    everything_agrees(sandbox)


@pytest.mark.parametrize("step", [*CHANGE_STEPS, IN_THE_CALL])
def test_change_whose_worker_is_killed_is_made_and_no_late_copy_of_it_stays_in_force(
    step: str, rep: User, manager: User, location: Account, sandbox: SandboxServer, crew: Crew
) -> None:
    carry_out(approve(manager, ask(rep, location, CAKE)))
    order = ask_change(manager, Campaign.objects.get(), destination=MOVED)
    worker_dies(crew, sandbox, step, "update")
    others_carry_on(crew)
    order.refresh_from_db()
    assert (order.status, Campaign.objects.get().destination) == (OrderStatus.DONE, MOVED)
    doubted = order.attempts.filter(ever_unknown=True).exists()
    assert order.children.filter(kind=OrderKind.REAPPLY, status=OrderStatus.DONE).count() == doubted
    everything_agrees(sandbox)


def test_purchase_whose_workers_are_killed_one_after_another_is_made_exactly_once(
    rep: User, manager: User, location: Account, sandbox: SandboxServer, crew: Crew
) -> None:
    order = approve(manager, ask(rep, location, CAKE, "3164440002"))
    for step in ("picked up", "intent written", "recording"):
        worker_dies(crew, sandbox, step, "provision")
        wait_until_the_bell_is_rung_again(crew, order)
    others_carry_on(crew)
    order.refresh_from_db()
    assert order.status == OrderStatus.DONE
    assert [purchase["number"] for purchase in sandbox.purchases()] == [CAKE]
    everything_agrees(sandbox)


def wait_until_the_bell_is_rung_again(crew: Crew, order: Order) -> None:
    def rung() -> bool:
        time_passes(worker.name for worker in crew.alive)
        return orders_sweep(actor=CLOCK) > 0

    wait_until(rung, seconds=PATIENCE)


@pytest.fixture
def frozen_with_the_answer(
    rep: User, manager: User, location: Account, sandbox: SandboxServer, crew: Crew
) -> tuple[Order, Worker]:
    """An order whose worker stands still with the answer in its hands, so long that the clock has given up on it."""
    order = approve(manager, ask(rep, location, CAKE, "3164440002"))
    worker = crew.start_worker("--freeze-at", "answered")
    wait_until(lambda: worker.is_frozen, seconds=PATIENCE)
    time_passes(living=[])
    orders_sweep(actor=CLOCK)
    order.refresh_from_db()
    assert (order.status, outcomes(order)) == (OrderStatus.UNKNOWN, [(CAKE, "unknown")])
    return order, worker


def test_answer_of_a_worker_that_froze_past_its_lease_is_the_truth_and_needs_no_check(
    frozen_with_the_answer: tuple[Order, Worker], sandbox: SandboxServer, crew: Crew
) -> None:
    order, worker = frozen_with_the_answer
    # So that the worker itself does not check before it has told what it knows.
    DBTaskResult.objects.filter(status="READY").delete()
    worker.thaw()
    wait_until(Campaign.objects.exists, seconds=PATIENCE)
    order.refresh_from_db()
    assert (order.status, outcomes(order)) == (OrderStatus.DONE, [(CAKE, "applied")])
    everything_agrees(sandbox)


def test_worker_that_thaws_after_others_have_settled_its_order_changes_nothing(
    frozen_with_the_answer: tuple[Order, Worker], sandbox: SandboxServer, crew: Crew
) -> None:
    order, worker = frozen_with_the_answer
    other = crew.start_worker()
    wait_until(lambda: not orders_that_move().exists(), seconds=PATIENCE)
    before = HistoryEntry.objects.count()
    worker.thaw()
    attempt = order.attempts.first()
    wait_until(lambda: attempt.refresh_from_db() or attempt.outcome == "applied", seconds=PATIENCE)
    crew.dismiss_workers()
    assert other.process.returncode == 0
    assert (HistoryEntry.objects.count(), len(sandbox.purchases())) == (before, 1)
    everything_agrees(sandbox)
