"""Promise 1: at most one effective purchase per approved order, and what was bought is in the mirror."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Account, Attempt, AttemptOutcome, Campaign, Choice, Order, OrderStatus, User
from numbers_app.services import recording
from numbers_app.services.execution import attempts_expire, order_execute
from numbers_app.services.sweep import orders_sweep
from numbers_app.vendor import callcap_client
from tests.sandbox_server import SandboxServer

from .wishes import CAKE, approved, changed, executed

pytestmark = pytest.mark.django_db

UNKNOWN = ["drop_before_commit", "drop_after_commit", "500", "html", "truncated"]
REFUSED = ["401", "404"]


def make_due(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(execute_after=timezone.now() - timedelta(seconds=1))


def other_number(sandbox: SandboxServer) -> str:
    return next(offer["phoneNumber"] for offer in sandbox.search(areaCode="316") if offer["phoneNumber"] != CAKE)


@pytest.mark.parametrize("fault", UNKNOWN)
def test_a_lost_answer_is_unknown_and_nothing_is_sent_again(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor, fault: str
) -> None:
    second = other_number(sandbox)
    order = approved(rep, manager, location, CAKE, second)
    sandbox.arm_fault(fault, on="provision")
    assert executed(worker, order).status == OrderStatus.UNKNOWN
    bought = len(sandbox.purchases())
    for _ in range(3):
        orders_sweep(actor=worker)
        executed(worker, order)
    assert order.status == OrderStatus.UNKNOWN
    assert order.attempts.count() == 1
    assert len(sandbox.purchases()) == bought <= 1
    assert not sandbox.sold(second), "an order with an unknown attempt moved on to another number"
    assert Choice.objects.filter(number=CAKE, live=True).exists(), "somebody else could order the number now"


def test_a_late_commit_is_still_one_purchase(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor
) -> None:
    order = approved(rep, manager, location)
    sandbox.arm_fault("late_commit", on="provision", seconds=0.2)
    assert executed(worker, order).status == OrderStatus.UNKNOWN
    callcap_client().find_number(CAKE)
    executed(worker, order)
    assert order.attempts.count() == 1


@pytest.mark.parametrize("fault", REFUSED)
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
    sandbox.arm_fault("401", on="provision")
    assert executed(worker, order).status == OrderStatus.FAILED
    assert not sandbox.purchases()


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
        broken.setattr(recording, "history_append", fail)
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
