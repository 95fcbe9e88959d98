"""Two at once, on real connections: workers, deciders, sweeps."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.callcap import Outcome, WriteAnswer
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import (
    Account,
    Attempt,
    AttemptOutcome,
    Campaign,
    Choice,
    HistoryEntry,
    Order,
    OrderStatus,
    Source,
    User,
)
from numbers_app.services import decisions
from numbers_app.services.decisions import order_cancel, order_undo_approval
from numbers_app.services.execution import attempts_expire, order_execute
from numbers_app.services.orders import WantedNumber, order_amend
from numbers_app.services.sending import attempt_conclude
from numbers_app.services.settlement import Finding, order_settle
from numbers_app.services.sweep import orders_expire, orders_sweep
from numbers_app.services.switch import purchases_pause
from numbers_app.services.verification import history_verify
from tests.factories import CampaignFactory
from tests.orders.steps import (
    CAKE,
    DESTINATION,
    WORKER,
    approve,
    ask,
    ask_change,
    at_once,
    buys,
    checks,
    outcomes,
    pause_is_over,
    rings,
    time_passes,
    verbs,
    wait_until,
)
from tests.sandbox_server import SandboxServer

CLOCK = Actor.portal("Clock", source=Source.WORKER)

pytestmark = pytest.mark.django_db(transaction=True)


def execute(order: Order) -> None:
    order_execute(actor=WORKER, order_id=order.pk)


def amend(person: User, order: Order, *numbers: str, **parameters: Any) -> Order:
    return order_amend(
        actor=Actor.person(person),
        order_id=order.pk,
        revision=order.revision,
        wanted=[WantedNumber(number) for number in numbers],
        parameters=order.parameters | parameters,
        reason=order.reason,
        urgent=False,
        execute_after=None,
    )


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


@pytest.mark.parametrize("times", range(3))
def test_of_an_approval_and_an_amendment_one_wins_and_the_other_is_told(
    rep: User, manager: User, location: Account, sandbox: SandboxServer, times: int
) -> None:
    order = ask(rep, location, CAKE)
    approval, amendment = at_once(lambda: approve(manager, order), lambda: amend(rep, order, CAKE, notes="anew"))
    execute(order)
    order.refresh_from_db()
    if isinstance(approval, Order):
        assert isinstance(amendment, Conflict)
        assert "approved, decided by Manager Test" in amendment.message
        assert (order.status, order.revision) == (OrderStatus.DONE, 1)
        assert [purchase["values"] for purchase in sandbox.purchases()] == [{"destination": DESTINATION}]
    else:
        assert isinstance(approval, Conflict)
        assert "Rep Test rewrote this order" in approval.message
        assert isinstance(amendment, Order)
        assert (order.status, order.revision, sandbox.purchases()) == (OrderStatus.PENDING, 2, [])


def test_of_two_amendments_one_wins_and_the_other_is_told_by_whom(rep: User, manager: User, location: Account) -> None:
    order = ask(rep, location, CAKE)
    results = at_once(lambda: amend(rep, order, CAKE, notes="r"), lambda: amend(manager, order, CAKE, notes="m"))
    [winner] = [result for result in results if isinstance(result, Order)]
    [conflict] = [result for result in results if isinstance(result, Conflict)]
    assert f"{winner.author_name} rewrote this order" in conflict.message
    order.refresh_from_db()
    assert (order.author_id, order.revision, order.parameters) == (winner.author_id, 2, winner.parameters)
    assert verbs(order) == ["order.requested", "order.amended"]


@pytest.mark.parametrize("times", range(3))
def test_of_two_amendments_to_one_number_the_second_is_told_of_the_first(
    rep: User, location: Account, times: int
) -> None:
    orders = [ask(rep, location, number) for number in ("3164440002", "3164440003")]
    results = at_once(*[lambda order=order: amend(rep, order, CAKE) for order in orders])
    assert_second_is_told_of_the_first(results)


@pytest.mark.parametrize("times", range(3))
def test_of_an_amendment_and_a_request_for_one_number_the_second_is_told_of_the_first(
    rep: User, manager: User, location: Account, times: int
) -> None:
    order = ask(rep, location, "3164440002")
    results = at_once(lambda: amend(rep, order, CAKE), lambda: ask(manager, location, CAKE))
    assert_second_is_told_of_the_first(results)


@pytest.mark.parametrize("times", range(3))
def test_number_that_two_orders_are_amended_to_is_live_in_one(rep: User, location: Account, times: int) -> None:
    orders = [ask(rep, location, number) for number in ("3164440002", "3164440003")]
    results = at_once(*[lambda order=order: amend(rep, order, CAKE) for order in orders])
    [winner] = [result for result in results if isinstance(result, Order)]
    [choice] = Choice.objects.filter(number=CAKE, live=True)
    assert choice.order == winner
    assert Choice.objects.filter(live=True).count() == 2
    assert history_verify().problems == []


def assert_second_is_told_of_the_first(results: list[Any]) -> None:
    [winner] = [result for result in results if isinstance(result, Order)]
    [refusal] = [result for result in results if not isinstance(result, Order)]
    assert isinstance(refusal, InvalidInput), repr(refusal)
    assert f"already asked for in order {winner.pk}" in refusal.message
    assert Choice.objects.filter(number=CAKE, live=True).count() == 1


@pytest.mark.parametrize("pause", [0, 0.02, 0.06, 0.15])
def test_order_is_either_undone_or_bought_when_the_worker_comes_at_the_same_time(
    rep: User,
    manager: User,
    location: Account,
    sandbox: SandboxServer,
    monkeypatch: pytest.MonkeyPatch,
    pause: float,
) -> None:
    order = approve(manager, ask(rep, location, CAKE))
    # The page's clock is behind the worker's, so that both may act.
    monkeypatch.setattr(decisions, "order_undo_until", lambda order: timezone.now() + timedelta(seconds=5))

    def undo() -> Order:
        time.sleep(pause)
        return order_undo_approval(actor=Actor.person(manager), order_id=order.pk)

    _, undoing = at_once(lambda: execute(order), undo)
    execute(order)
    order.refresh_from_db()
    undone = isinstance(undoing, Order)
    assert undone or isinstance(undoing, Conflict), repr(undoing)
    assert order.status == (OrderStatus.PENDING if undone else OrderStatus.DONE)
    assert len(sandbox.purchases()) == (0 if undone else 1)
    assert history_verify().problems == []


def test_two_pauses_at_once_are_one_and_the_other_is_told(manager: User, manager2: User) -> None:
    people = (manager, manager2)
    steps = [lambda person=person: purchases_pause(actor=Actor.person(person), reason="x") for person in people]
    [conflict] = [result for result in at_once(*steps) if isinstance(result, Conflict)]
    assert "paused already" in conflict.message
    assert HistoryEntry.objects.filter(verb="sending.paused").count() == 1


def test_two_clocks_let_an_order_expire_once(rep: User, location: Account) -> None:
    order = ask(rep, location, CAKE)
    Order.objects.update(submitted_at=timezone.now() - timedelta(days=400))
    assert sorted(at_once(*[lambda: orders_expire(actor=CLOCK)] * 2)) == [0, 1]
    assert verbs(order) == ["order.requested", "order.expired"]


# --- orders in doubt -----------------------------------------------------------------------------------------------


@pytest.fixture
def doubted(
    rep: User, manager: User, location: Account, sandbox: SandboxServer, die_at: Callable[[Order, str], None]
) -> Order:
    """A purchase that Callcap carried out and that nobody has checked yet."""
    order = approve(manager, ask(rep, location, CAKE))
    sandbox.arm_fault("drop_after_commit", "provision")
    die_at(order, "recorded")
    assert order.status == OrderStatus.UNKNOWN
    return order


def settle(person: User, order: Order, finding: Finding) -> Order:
    return order_settle(actor=Actor.person(person), order_id=order.pk, finding=finding, reason="Seen")


def test_two_workers_check_once(doubted: Order, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("slow", "search", seconds=0.2, times=3)
    sandbox.arm_fault("slow", "update", seconds=0.3, times=3)
    assert at_once(*[lambda: execute(doubted)] * 3) == [None] * 3
    doubted.refresh_from_db()
    assert (doubted.status, checks(doubted)) == (OrderStatus.DONE, [AttemptOutcome.APPLIED])
    assert len(sandbox.journal(kind="update")) == 1
    assert Campaign.objects.count() == 1
    assert history_verify().problems == []


def test_the_database_takes_no_second_call_for_an_order_while_one_is_under_way(doubted: Order) -> None:
    call = {"kind": "probe", "number": CAKE, "parameters": {}, "started_at": timezone.now()}
    Attempt.objects.create(order=doubted, lease_until=timezone.now(), **call)
    with pytest.raises(IntegrityError):
        Attempt.objects.create(order=doubted, lease_until=timezone.now(), **call)


def test_two_workers_buy_a_number_that_is_not_ours_once_more_only(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = approve(manager, ask(rep, location, CAKE))
    sandbox.arm_fault("drop_before_commit", "provision")
    execute(order)
    time_passes(order, 3600)
    for on in ("search", "update", "provision"):
        sandbox.arm_fault("slow", on, seconds=0.1, times=10)
    assert at_once(*[lambda: execute(order)] * 3) == [None] * 3
    execute(order)
    order.refresh_from_db()
    assert buys(order) == [(CAKE, AttemptOutcome.UNKNOWN), (CAKE, AttemptOutcome.APPLIED)]
    assert (order.status, len(sandbox.purchases())) == (OrderStatus.DONE, 1)


def test_two_workers_send_a_doubtful_change_again_once(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    execute(approve(manager, ask(rep, location, CAKE)))
    order = ask_change(manager, Campaign.objects.get(), destination="3165550100")
    sandbox.arm_fault("drop_before_commit", "update")
    execute(order)
    pause_is_over(order)
    sandbox.arm_fault("slow", "update", seconds=0.3, times=3)
    assert at_once(*[lambda: execute(order)] * 3) == [None] * 3
    order.refresh_from_db()
    assert (order.status, len(sandbox.journal(kind="update"))) == (OrderStatus.DONE, 1)
    assert order.children.count() == 1


@pytest.mark.parametrize("finding", [Finding.CARRIED_OUT, Finding.NOT_CARRIED_OUT])
@pytest.mark.parametrize("pause", [0, 0.15])
def test_of_a_check_and_a_person_who_settles_one_wins_and_the_person_is_told(
    doubted: Order, manager: User, sandbox: SandboxServer, finding: Finding, pause: float
) -> None:
    sandbox.arm_fault("slow", "update", seconds=0.4)

    def by_hand() -> Order:
        time.sleep(pause)
        return settle(manager, doubted, finding)

    _, settling = at_once(lambda: execute(doubted), by_hand)
    doubted.refresh_from_db()
    if isinstance(settling, Conflict):
        assert "being asked about this order right now" in settling.message or "it is done" in settling.message
        assert (doubted.status, checks(doubted)) == (OrderStatus.DONE, [AttemptOutcome.APPLIED])
    else:
        assert isinstance(settling, Order), repr(settling)
        assert doubted.status == (OrderStatus.DONE if finding == Finding.CARRIED_OUT else OrderStatus.FAILED)
        assert checks(doubted) == []
    assert Campaign.objects.count() == (1 if doubted.status == OrderStatus.DONE else 0)
    assert history_verify().problems == []


def test_of_two_people_who_settle_one_wins_and_the_other_is_told(doubted: Order, manager: User, manager2: User) -> None:
    results = at_once(
        lambda: settle(manager, doubted, Finding.CARRIED_OUT),
        lambda: settle(manager2, doubted, Finding.NOT_CARRIED_OUT),
    )
    [winner] = [result for result in results if isinstance(result, Order)]
    [conflict] = [result for result in results if isinstance(result, Conflict)]
    assert "not unknown any more" in conflict.message
    doubted.refresh_from_db()
    assert doubted.result == winner.result
    assert verbs(doubted).count("order.settled") == 1


def test_late_answer_and_the_proof_of_a_check_at_once_make_one_number_of_the_mirror(
    doubted: Order, sandbox: SandboxServer
) -> None:
    purchase = doubted.attempts.get()
    answer = WriteAnswer(Outcome.APPLIED, 200, "success", named_number=CAKE)
    sandbox.arm_fault("slow", "update", seconds=0.2)

    def wake() -> None:
        wait_until(lambda: Attempt.objects.filter(kind="probe").exists())
        time.sleep(0.2)
        attempt_conclude(actor=WORKER, attempt=purchase, answer=answer)

    assert at_once(lambda: execute(doubted), wake) == [None, None]
    doubted.refresh_from_db()
    assert (doubted.status, Campaign.objects.count()) == (OrderStatus.DONE, 1)
    assert verbs(doubted).count("number.bought") == 1
    assert not doubted.attempts.filter(recorded=False).exists()
    assert history_verify().problems == []


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
