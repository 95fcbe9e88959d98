"""Promise 1: at most one effective purchase per approved order, and what was bought is in the mirror."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.models import F
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.callcap import SearchCriteria
from numbers_app.models import (
    Account,
    Attempt,
    AttemptKind,
    AttemptOutcome,
    Campaign,
    Choice,
    Order,
    OrderKind,
    OrderStatus,
    User,
)
from numbers_app.services import mirror
from numbers_app.services.decisions import order_undo_approval
from numbers_app.services.execution import attempts_expire, order_execute
from numbers_app.services.settlement import Finding, order_settle
from numbers_app.services.sweep import orders_sweep
from numbers_app.services.switch import sending_resume
from numbers_app.vendor import callcap_client
from tests.sandbox_server import SandboxServer

from .wishes import CAKE, approved, changed, executed

pytestmark = pytest.mark.django_db

NOT_COMMITTED = ["drop_before_commit", "500", "html"]
COMMITTED = ["drop_after_commit", "500_after_commit", "html_after_commit", "truncated", "no_number"]


def make_due(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(execute_after=timezone.now() - timedelta(seconds=1))


def hours_later(worker: Actor, order: Order) -> Order:
    """What happens by itself in hours: the dates of the order and its calls move, since clocks must stand."""
    for _ in range(4):
        hour = timedelta(hours=1)
        order.attempts.update(
            started_at=F("started_at") - hour, finished_at=F("finished_at") - hour, lease_until=F("lease_until") - hour
        )
        waiting = Order.objects.filter(pk=order.pk).exclude(execute_after=None)
        waiting.update(execute_after=F("execute_after") - hour)
        Order.objects.filter(pk=order.pk).update(rung_at=None)
        orders_sweep(actor=worker)
        executed(worker, order)
    return order


def purchases_tried(order: Order) -> list[tuple[str, str]]:
    return list(order.attempts.filter(kind=AttemptKind.BUY).values_list("number", "outcome"))


def other_number(sandbox: SandboxServer) -> str:
    return next(offer["phoneNumber"] for offer in sandbox.search(areaCode="316") if offer["phoneNumber"] != CAKE)


@pytest.mark.parametrize("fault", COMMITTED)
def test_a_purchase_whose_answer_was_lost_is_charged_once_and_found_by_a_check(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor, fault: str
) -> None:
    order = approved(rep, manager, location, CAKE, other_number(sandbox))
    sandbox.arm_fault(fault, on="provision")
    executed(worker, order)
    assert purchases_tried(order) == [(CAKE, "unknown")]
    hours_later(worker, order)
    assert order.status == OrderStatus.DONE
    assert [entry["number"] for entry in sandbox.purchases()] == [CAKE]
    assert purchases_tried(order) == [(CAKE, "unknown")], "the vendor was asked to sell it again"
    assert Campaign.objects.get().phone_number == CAKE, "a number that is ours is not in the mirror"


@pytest.mark.parametrize("fault", NOT_COMMITTED)
def test_a_purchase_that_never_was_is_tried_once_more_and_charged_once(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor, fault: str
) -> None:
    order = approved(rep, manager, location, CAKE, other_number(sandbox))
    sandbox.arm_fault(fault, on="provision")
    for _ in range(3):
        orders_sweep(actor=worker)
        assert executed(worker, order).status == OrderStatus.UNKNOWN
    assert not sandbox.purchases(), "bought again before the vendor had time to carry out the first"
    assert Choice.objects.filter(number=CAKE, live=True).exists(), "somebody else could order the number now"
    hours_later(worker, order)
    assert order.status == OrderStatus.DONE
    assert [entry["number"] for entry in sandbox.purchases()] == [CAKE]
    assert Campaign.objects.get().phone_number == CAKE


@pytest.mark.parametrize("fault", NOT_COMMITTED)
def test_a_purchase_that_stays_in_doubt_is_tried_twice_and_never_of_another_number(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor, fault: str
) -> None:
    second = other_number(sandbox)
    order = approved(rep, manager, location, CAKE, second)
    sandbox.arm_fault(fault, on="provision", times=10)
    executed(worker, order)
    hours_later(worker, order)
    assert (order.status, order.execute_after) == (OrderStatus.UNKNOWN, None), "no person is asked"
    assert purchases_tried(order) == [(CAKE, "unknown")] * 2
    assert not sandbox.sold(second), "an order with an unknown attempt moved on to another number"
    assert Choice.objects.filter(number=CAKE, live=True).exists(), "somebody else could order the number now"


def test_a_repetition_that_meets_the_late_first_is_one_charge(
    sandbox: SandboxServer,
    location: Account,
    rep: User,
    manager: User,
    worker: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = approved(rep, manager, location, CAKE, other_number(sandbox))
    sandbox.arm_fault("drop_before_commit", on="provision")
    executed(worker, order)
    real = callcap_client().provision

    def after_the_first_is_committed(*args: Any) -> Any:
        real(*args)
        return real(*args)

    monkeypatch.setattr(callcap_client(), "provision", after_the_first_is_committed)
    hours_later(worker, order)
    assert purchases_tried(order) == [(CAKE, "unknown"), (CAKE, "refused")]
    assert order.status == OrderStatus.DONE
    assert [entry["number"] for entry in sandbox.purchases()] == [CAKE]
    assert Campaign.objects.get().phone_number == CAKE


@pytest.mark.parametrize("fault", ["other_number", "other_number_after_commit"])
def test_an_answer_about_another_number_is_left_to_a_person(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor, fault: str
) -> None:
    order = approved(rep, manager, location, CAKE, other_number(sandbox))
    sandbox.arm_fault(fault, on="provision")
    executed(worker, order)
    hours_later(worker, order)
    assert (order.status, order.execute_after) == (OrderStatus.UNKNOWN, None)
    assert order.attempts.count() == 1, "something was sent about a number of which nobody knows whose it is"
    assert not sandbox.journal(kind="update")


def test_a_late_commit_is_still_one_purchase(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor
) -> None:
    order = approved(rep, manager, location)
    sandbox.arm_fault("late_commit", on="provision", seconds=1)
    assert executed(worker, order).status == OrderStatus.UNKNOWN
    assert not sandbox.purchases()
    deadline = time.monotonic() + 10
    while not sandbox.purchases() and time.monotonic() < deadline:
        time.sleep(0.05)
    hours_later(worker, order)
    assert order.status == OrderStatus.DONE
    assert purchases_tried(order) == [(CAKE, "unknown")]
    assert len(sandbox.purchases()) == 1
    assert Campaign.objects.get().phone_number == CAKE


@pytest.mark.parametrize("fault", ["404", "not_success"])
def test_a_refusal_fails_in_the_vendors_words(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor, fault: str
) -> None:
    order = approved(rep, manager, location)
    sandbox.arm_fault(fault, on="provision")
    executed(worker, order)
    assert order.status == OrderStatus.FAILED
    assert order.result.startswith("Callcap refused: ")
    assert order.attempts.get().message in order.result
    assert not sandbox.purchases()
    assert not Choice.objects.filter(live=True).exists(), "a failed order keeps its number from others"


def test_a_refusal_of_a_number_that_is_still_offered_does_not_move_on(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor
) -> None:
    order = approved(rep, manager, location, CAKE, other_number(sandbox))
    sandbox.arm_fault("404", on="provision")
    assert executed(worker, order).status == OrderStatus.FAILED
    assert not sandbox.purchases()


@pytest.mark.parametrize("fault", ["401", "403"])
def test_a_key_that_is_not_accepted_loses_no_order_and_pauses_purchases(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor, fault: str
) -> None:
    order = approved(rep, manager, location, CAKE, other_number(sandbox))
    sandbox.arm_fault(fault, on="provision")
    executed(worker, order)
    hours_later(worker, order)
    assert (order.status, purchases_tried(order)) == (OrderStatus.APPROVED, [(CAKE, "refused")])
    assert not sandbox.purchases()
    sending_resume(actor=Actor.person(manager), reason="A new key")
    make_due(order)
    assert executed(worker, order).status == OrderStatus.DONE
    assert [entry["number"] for entry in sandbox.purchases()] == [CAKE]


def test_an_approval_that_was_taken_back_in_time_is_never_sent(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor, settings: Any
) -> None:
    settings.APPROVAL_UNDO_SECONDS = 10
    order = approved(rep, manager, location)
    executed(worker, order)
    assert not sandbox.purchases(), "sent while the approval could be taken back"
    order_undo_approval(actor=Actor.person(manager), order_id=order.pk)
    order.refresh_from_db()
    hours_later(worker, order)
    assert (order.status, order.attempts.count()) == (OrderStatus.PENDING, 0)
    assert not sandbox.purchases()


def test_a_late_success_is_recorded_even_after_a_person_said_that_nothing_was_bought(
    sandbox: SandboxServer,
    location: Account,
    rep: User,
    manager: User,
    worker: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = approved(rep, manager, location)
    real = callcap_client().provision

    def outlive_the_decision(*args: Any) -> Any:
        Attempt.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        attempts_expire(actor=worker)
        settled = {"finding": Finding.NOT_CARRIED_OUT, "reason": "Not in the list"}
        order_settle(actor=Actor.person(manager), order_id=order.pk, **settled)
        return real(*args)

    monkeypatch.setattr(callcap_client(), "provision", outlive_the_decision)
    assert executed(worker, order).status == OrderStatus.DONE
    assert Campaign.objects.get().phone_number == CAKE
    assert len(sandbox.purchases()) == 1


def test_a_number_lost_to_a_rival_in_the_last_moment_gives_way_to_the_next(
    sandbox: SandboxServer,
    location: Account,
    rep: User,
    manager: User,
    worker: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    second = other_number(sandbox)
    order = approved(rep, manager, location, CAKE, second)
    real = callcap_client().provision

    def after_the_rival(number: str, *args: Any) -> Any:
        if number == CAKE:
            sandbox.take(CAKE)
        return real(number, *args)

    monkeypatch.setattr(callcap_client(), "provision", after_the_rival)
    assert executed(worker, order).status == OrderStatus.DONE
    assert [entry["number"] for entry in sandbox.purchases()] == [second]
    assert [attempt.outcome for attempt in order.attempts.all()] == ["refused", "applied"]


def test_a_busy_vendor_is_asked_again_for_the_same_number_after_its_pause(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor
) -> None:
    order = approved(rep, manager, location)
    sandbox.arm_fault("429", on="provision", retry_after=120)
    executed(worker, order)
    assert order.status == OrderStatus.APPROVED
    assert order.execute_after is not None
    assert timedelta(seconds=100) < order.execute_after - timezone.now() < timedelta(seconds=130)
    executed(worker, order)
    assert not sandbox.purchases(), "sent before the pause was over"
    make_due(order)
    assert executed(worker, order).status == OrderStatus.DONE
    assert len(sandbox.purchases(CAKE)) == 1


def test_an_absent_vendor_is_waited_for(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor
) -> None:
    order = approved(rep, manager, location)
    sandbox.stop()
    try:
        executed(worker, order)
    finally:
        sandbox.start()
    assert (order.status, order.attempts.count(), order.tries) == (OrderStatus.APPROVED, 0, 1)
    assert order.result.startswith("Not sent yet: ")
    make_due(order)
    assert executed(worker, order).status == OrderStatus.DONE


def test_a_number_that_is_gone_gives_way_to_the_next_choice(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor
) -> None:
    second = other_number(sandbox)
    order = approved(rep, manager, location, CAKE, second)
    sandbox.take(CAKE)
    assert executed(worker, order).status == OrderStatus.DONE
    assert [entry["number"] for entry in sandbox.purchases()] == [second]
    assert Campaign.objects.get().phone_number == second


ANY_316 = SearchCriteria(area_code="316")


@pytest.mark.parametrize("fault", [*COMMITTED, *NOT_COMMITTED])
def test_the_vendor_never_chooses_and_an_order_by_search_is_one_charge_whatever_fails(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor, fault: str
) -> None:
    order = approved(rep, manager, location, criteria=ANY_316)
    sandbox.arm_fault(fault, on="provision")
    executed(worker, order)
    chosen = Choice.objects.get()
    hours_later(worker, order)
    assert order.status == OrderStatus.DONE
    assert [entry["number"] for entry in sandbox.purchases()] == [chosen.number]
    assert {attempt.number for attempt in order.attempts.all()} == {chosen.number}, "another number was asked for"
    assert Choice.objects.get() == chosen, "another number was chosen although the first may be ours"
    assert Campaign.objects.get().phone_number == chosen.number


@pytest.mark.parametrize("fault", ["drop_after_commit", "truncated"])
def test_a_number_found_by_search_that_is_unknown_stays_the_only_one_though_others_are_offered(
    sandbox: SandboxServer,
    location: Account,
    rep: User,
    manager: User,
    worker: Actor,
    fault: str,
) -> None:
    """The first is bought and not offered any more, and every check of it fails: it would be easy to go on."""
    order = approved(rep, manager, location, criteria=ANY_316)
    sandbox.arm_fault(fault, on="provision")
    sandbox.arm_fault("404", on="update", times=10)
    executed(worker, order)
    hours_later(worker, order)
    assert (order.status, order.execute_after) == (OrderStatus.UNKNOWN, None), "no person is asked"
    assert len(sandbox.purchases()) == 1, "a second number was bought"
    assert order.choices.count() == 1


def test_orders_by_the_same_search_buy_a_number_each(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor
) -> None:
    first, second = (approved(rep, manager, location, criteria=ANY_316) for _ in range(2))
    sandbox.arm_fault("drop_before_commit", on="provision")
    executed(worker, first)
    assert executed(worker, second).status == OrderStatus.DONE
    hours_later(worker, first)
    assert first.status == OrderStatus.DONE
    assert len(sandbox.purchases()) == len({entry["number"] for entry in sandbox.purchases()}) == 2
    assert {first.phone_number, second.phone_number} == {number.phone_number for number in Campaign.objects.all()}


def test_with_every_choice_gone_the_order_fails_and_says_so(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor
) -> None:
    order = approved(rep, manager, location)
    sandbox.take(CAKE)
    assert executed(worker, order).status == OrderStatus.FAILED
    assert "Nothing was bought" in order.result


def test_a_worker_that_dies_after_the_intent_leaves_an_unknown_order(
    sandbox: SandboxServer,
    location: Account,
    rep: User,
    manager: User,
    worker: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = approved(rep, manager, location)

    def die(*args: Any, **kwargs: Any) -> None:
        raise SystemExit("killed")

    monkeypatch.setattr(callcap_client(), "provision", die)
    with pytest.raises(SystemExit):
        order_execute(actor=worker, order_id=order.pk)
    order.refresh_from_db()
    assert order.status == OrderStatus.SENDING
    executed(worker, order)
    assert attempts_expire(actor=worker) == 0, "the lease is not over"
    Attempt.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert attempts_expire(actor=worker) == 1
    order.refresh_from_db()
    assert order.status == OrderStatus.UNKNOWN
    assert order.attempts.count() == 1
    monkeypatch.undo()
    assert executed(worker, order).status == OrderStatus.UNKNOWN
    assert not sandbox.purchases(), "bought again before the dead worker's call can have come to its end"
    assert hours_later(worker, order).status == OrderStatus.DONE
    assert len(sandbox.purchases()) == 1


def test_what_a_worker_bought_before_it_died_is_found_by_a_check(
    sandbox: SandboxServer,
    location: Account,
    rep: User,
    manager: User,
    worker: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = approved(rep, manager, location)
    real = callcap_client().provision

    def die(*args: Any) -> None:
        real(*args)
        raise SystemExit("killed")

    monkeypatch.setattr(callcap_client(), "provision", die)
    with pytest.raises(SystemExit):
        order_execute(actor=worker, order_id=order.pk)
    hours_later(worker, order)
    assert (order.status, purchases_tried(order)) == (OrderStatus.DONE, [(CAKE, "unknown")])
    assert len(sandbox.purchases()) == 1
    assert Campaign.objects.get().phone_number == CAKE


def test_an_answer_after_the_lease_still_counts(
    sandbox: SandboxServer,
    location: Account,
    rep: User,
    manager: User,
    worker: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = approved(rep, manager, location)
    real = callcap_client().provision

    def outlive_the_lease(*args: Any) -> Any:
        answer = real(*args)
        Attempt.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        attempts_expire(actor=worker)
        return answer

    monkeypatch.setattr(callcap_client(), "provision", outlive_the_lease)
    assert executed(worker, order).status == OrderStatus.DONE
    assert Campaign.objects.get().phone_number == CAKE
    assert order.attempts.get().ever_unknown


def test_a_purchase_that_cannot_be_recorded_is_kept_and_finished_later(
    sandbox: SandboxServer,
    location: Account,
    rep: User,
    manager: User,
    worker: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = approved(rep, manager, location)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(mirror, "history_append", fail)
        executed(worker, order)
    assert order.status == OrderStatus.SENDING
    assert not Campaign.objects.exists()
    attempt = order.attempts.get()
    assert (attempt.outcome, attempt.recorded) == (AttemptOutcome.APPLIED, False)
    Order.objects.update(rung_at=None)
    assert orders_sweep(actor=worker) == 1
    assert executed(worker, order).status == OrderStatus.DONE
    assert Campaign.objects.get().phone_number == CAKE
    assert len(sandbox.purchases()) == 1


def test_a_reserved_number_goes_into_its_own_location_only(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor
) -> None:
    others = sandbox.search(showReservedPool="true", account="L-4")
    order = approved(rep, manager, location, others[0]["phoneNumber"])
    assert executed(worker, order).status == OrderStatus.FAILED
    assert not sandbox.purchases()


def test_a_stop_date_that_passed_before_sending_stops_the_order(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor
) -> None:
    yesterday = (location.today() - timedelta(days=1)).isoformat()
    order = approved(rep, manager, location, stop_date=yesterday)
    assert executed(worker, order).status == OrderStatus.FAILED
    assert yesterday in order.result
    assert not sandbox.purchases()


def test_an_overtaken_change_fails_and_says_by_what(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor
) -> None:
    executed(worker, approved(rep, manager, location))
    campaign = Campaign.objects.get()
    first = changed(manager, campaign, destination="3165550100")
    second = changed(manager, campaign, destination="3165550101")
    assert executed(worker, second).status == OrderStatus.DONE
    assert executed(worker, first).status == OrderStatus.FAILED
    assert f"order {second.pk}" in first.result
    campaign.refresh_from_db()
    assert campaign.destination == "3165550101"
    assert [e["values"] for e in sandbox.journal(kind="update")] == [{"destination": "3165550101"}]


def test_a_number_with_an_unknown_change_takes_no_other(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor
) -> None:
    executed(worker, approved(rep, manager, location))
    campaign = Campaign.objects.get()
    first = changed(manager, campaign, destination="3165550100")
    second = changed(manager, campaign, notes="Other")
    sandbox.arm_fault("drop_after_commit", on="update")
    assert executed(worker, first).status == OrderStatus.UNKNOWN
    assert executed(worker, second).status == OrderStatus.APPROVED
    assert "Another order" in second.result
    assert len(sandbox.journal(kind="update")) == 1


def test_an_unknown_change_is_repeated_and_then_re_applied(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor
) -> None:
    executed(worker, approved(rep, manager, location))
    order = changed(manager, Campaign.objects.get(), destination="3165550100")
    sandbox.arm_fault("drop_before_commit", on="update")
    assert executed(worker, order).status == OrderStatus.UNKNOWN
    assert hours_later(worker, order).status == OrderStatus.DONE
    assert Campaign.objects.get().destination == "3165550100"
    again = order.children.get(kind=OrderKind.REAPPLY)
    executed(worker, again)
    assert again.status == OrderStatus.APPROVED, "applied again before a late commit can have come"
    assert hours_later(worker, again).status == OrderStatus.DONE
    assert [entry["values"] for entry in sandbox.journal(kind="update")] == [{"destination": "3165550100"}] * 2
