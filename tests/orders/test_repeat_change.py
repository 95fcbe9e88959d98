"""A change of unknown outcome is sent again until it is definite, and then once more what the mirror says: in the end
Callcap and the mirror agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.callcap import Outcome, WriteAnswer
from numbers_app.models import Account, AttemptOutcome, Campaign, HistoryEntry, Order, OrderKind, OrderStatus, User
from numbers_app.services import sending
from numbers_app.services.execution import attempts_expire
from numbers_app.services.mirror import campaign_end
from numbers_app.services.sending import attempt_conclude
from numbers_app.services.settlement import Finding, order_settle
from numbers_app.services.switch import purchases_pause, sending_switch
from numbers_app.services.verification import history_verify
from numbers_app.vendor import callcap_client
from tests.orders.steps import (
    CAKE,
    DESTINATION,
    WORKER,
    approve,
    ask,
    ask_change,
    carry_out,
    keep_trying,
    outcomes,
    pause_is_over,
    settling_is_over,
    time_passes,
    told,
    verbs,
    wait_until,
    waits_for_a_person,
)
from tests.sandbox_server import SandboxServer

MOVED, NEWER = "3165550100", "3165550101"
LOST = "drop_before_commit"
UNKNOWN, APPLIED, REFUSED = AttemptOutcome.UNKNOWN, AttemptOutcome.APPLIED, AttemptOutcome.REFUSED

pytestmark = pytest.mark.django_db


@pytest.fixture
def lost(manager: User, bought: Campaign, sandbox: SandboxServer) -> Order:
    """A change that never reached Callcap, which nobody knows."""
    sandbox.arm_fault(LOST, "update")
    return carry_out(ask_change(manager, bought, destination=MOVED))


def after_the_pause(order: Order) -> Order:
    pause_is_over(order)
    return carry_out(order)


def sent(sandbox: SandboxServer) -> list[dict[str, Any]]:
    """The values of every update that Callcap carried out, in turn."""
    return [update["values"] for update in sandbox.journal(number=CAKE, kind="update")]


def destination_at_callcap(sandbox: SandboxServer) -> str:
    """Where Callcap routes the number now."""
    values: dict[str, str] = {}
    for entry in sandbox.journal(number=CAKE):
        values |= entry["values"]
    return values["destination"]


def again(order: Order) -> Order:
    """The order that sends once more what the mirror says."""
    return order.children.get(kind=OrderKind.REAPPLY)


# --- sent again until it is definite -------------------------------------------------------------------------------


def test_change_is_sent_again_until_callcap_says_what_became_of_it(
    manager: User, bought: Campaign, sandbox: SandboxServer
) -> None:
    sandbox.arm_fault("500", "update", times=3)
    order = carry_out(ask_change(manager, bought, destination=MOVED, notes="by the river"))
    for made in (1, 2, 3):
        assert (order.status, outcomes(order)) == (OrderStatus.UNKNOWN, [(CAKE, UNKNOWN)] * made)
        bought.refresh_from_db()
        assert (bought.destination, bought.version) == (DESTINATION, 1)
        after_the_pause(order)
    assert (order.status, order.result) == (OrderStatus.DONE, "Changed.")
    assert sent(sandbox) == [{"destination": MOVED, "notes": "by the river"}]
    bought.refresh_from_db()
    assert (bought.destination, bought.notes, bought.version) == (MOVED, "by the river", 2)
    assert verbs(order).count("number.changed") == 1
    assert history_verify().problems == []


def test_pauses_between_repetitions_grow(manager: User, bought: Campaign, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("500", "update", times=8)
    order = ask_change(manager, bought, destination=MOVED)
    pauses = []
    for _ in range(8):
        before = timezone.now()
        after_the_pause(order)
        assert order.execute_after
        pauses.append(round((order.execute_after - before).total_seconds()))
    assert pauses == pytest.approx([5, 10, 20, 40, 80, 160, 300, 300], abs=4)


@pytest.mark.parametrize("fault", ["drop_after_commit", "500_after_commit", "html_after_commit", "truncated"])
def test_change_that_was_carried_out_the_first_time_is_done_by_its_repetition(
    manager: User, bought: Campaign, sandbox: SandboxServer, fault: str
) -> None:
    sandbox.arm_fault(fault, "update")
    order = carry_out(ask_change(manager, bought, destination=MOVED))
    after_the_pause(order)
    assert (order.status, sent(sandbox)) == (OrderStatus.DONE, [{"destination": MOVED}] * 2)
    bought.refresh_from_db()
    assert (bought.destination, bought.version) == (MOVED, 2)


def test_order_stays_unknown_while_it_is_sent_again(
    lost: Order, on_step: Callable[[str, Callable[[], Any]], None]
) -> None:
    seen = []
    on_step("answered", lambda: seen.append(Order.objects.get(pk=lost.pk).status))
    after_the_pause(lost)
    assert seen == [OrderStatus.UNKNOWN]


@pytest.mark.parametrize(("fault", "seconds"), [("429", 110), ("401", 0)])
def test_repetition_that_callcap_did_not_look_at_is_made_again(
    lost: Order, sandbox: SandboxServer, fault: str, seconds: int
) -> None:
    sandbox.arm_fault(fault, "update", retry_after="120")
    after_the_pause(lost)
    assert (lost.status, outcomes(lost)[1:]) == (OrderStatus.UNKNOWN, [(CAKE, REFUSED)])
    assert lost.execute_after
    assert lost.execute_after > timezone.now() + timedelta(seconds=seconds)
    assert sending_switch().purchases_paused == (fault == "401")
    assert after_the_pause(lost).status == OrderStatus.DONE


def test_repetition_that_could_not_be_sent_is_made_again(lost: Order, sandbox: SandboxServer) -> None:
    sandbox.stop()
    try:
        after_the_pause(lost)
    finally:
        sandbox.start()
    assert (lost.status, outcomes(lost)[1:]) == (OrderStatus.UNKNOWN, [(CAKE, AttemptOutcome.NOT_SENT)])
    assert after_the_pause(lost).status == OrderStatus.DONE


def test_paused_purchases_do_not_stop_a_change_from_being_sent_again(lost: Order, manager: User) -> None:
    purchases_pause(actor=Actor.person(manager), reason="The budget")
    assert keep_trying(lost).status == OrderStatus.DONE


@pytest.mark.parametrize("fault", ["404", "not_success", "nul_refusal"])
def test_definite_refusal_of_a_repetition_is_left_to_a_person(lost: Order, sandbox: SandboxServer, fault: str) -> None:
    sandbox.arm_fault(fault, "update")
    after_the_pause(lost)
    for _ in range(2):
        assert waits_for_a_person(lost)
        assert outcomes(lost) == [(CAKE, UNKNOWN), (CAKE, REFUSED)]
        keep_trying(lost)
    assert lost.result.startswith("Callcap refused to repeat it: ")
    assert lost.result.endswith("Whether it was carried out the first time is not known.")
    assert told(lost, "needs_person") == ["manager"]
    assert Campaign.objects.get().destination == DESTINATION


@pytest.mark.parametrize("fault", ["other_number", "other_number_after_commit"])
def test_change_whose_answer_names_another_number_is_left_to_a_person(
    manager: User, bought: Campaign, sandbox: SandboxServer, fault: str
) -> None:
    sandbox.arm_fault(fault, "update")
    order = carry_out(ask_change(manager, bought, destination=MOVED))
    keep_trying(order)
    assert waits_for_a_person(order)
    assert outcomes(order) == [(CAKE, UNKNOWN)]


# --- meanwhile -----------------------------------------------------------------------------------------------------


def test_number_takes_no_other_order_until_the_change_is_definite(
    lost: Order, rep: User, manager: User, bought: Campaign, sandbox: SandboxServer
) -> None:
    other = carry_out(approve(manager, ask_change(rep, bought, notes="after it")))
    assert (other.status, outcomes(other)) == (OrderStatus.APPROVED, [])
    assert other.result == "Not sent yet: Another order for this number is at Callcap right now."
    after_the_pause(lost)
    assert after_the_pause(other).status == OrderStatus.DONE
    assert sent(sandbox) == [{"destination": MOVED}, {"notes": "after it"}]


def test_number_takes_no_other_order_while_a_person_must_find_out(
    lost: Order, manager: User, bought: Campaign, sandbox: SandboxServer
) -> None:
    sandbox.arm_fault("404", "update")
    after_the_pause(lost)
    other = ask_change(manager, bought, notes="after it")
    keep_trying(other)
    assert (other.status, outcomes(other)) == (OrderStatus.APPROVED, [])


# --- once more what the mirror says --------------------------------------------------------------------------------


def test_change_that_was_in_doubt_is_followed_by_another_sending_after_the_settling_time(
    rep: User, manager: User, bought: Campaign, sandbox: SandboxServer, settings: Any
) -> None:
    sandbox.arm_fault(LOST, "update")
    order = carry_out(approve(manager, ask_change(rep, bought, destination=MOVED)))
    assert not order.children.exists()
    after_the_pause(order)
    child = again(order)
    assert (child.status, child.requester_id, child.decider_id) == (OrderStatus.APPROVED, rep.pk, manager.pk)
    assert child.execute_after
    waits = (child.execute_after - timezone.now()).total_seconds()
    assert waits == pytest.approx(settings.CALLCAP_SETTLE_SECONDS, abs=10)
    entry = HistoryEntry.objects.get(order_id=child.pk)
    assert (entry.verb, entry.actor_name) == ("order.approved", "Manager Test")
    assert entry.reason.startswith(f"The outcome of order {order.pk} was unknown")


def test_change_that_never_was_in_doubt_is_not_sent_again(manager: User, bought: Campaign) -> None:
    assert not carry_out(ask_change(manager, bought, destination=MOVED)).children.exists()


def test_nothing_is_sent_once_more_before_the_settling_time_is_over(lost: Order, sandbox: SandboxServer) -> None:
    after_the_pause(lost)
    time_passes(again(lost), 890)
    assert carry_out(again(lost)).status == OrderStatus.APPROVED
    assert len(sent(sandbox)) == 1


def test_sending_once_more_changes_nothing_in_the_mirror(lost: Order, bought: Campaign, sandbox: SandboxServer) -> None:
    after_the_pause(lost)
    child = settling_is_over(again(lost))
    assert (child.status, child.result) == (OrderStatus.DONE, "Sent again.")
    assert sent(sandbox) == [{"destination": MOVED}] * 2
    bought.refresh_from_db()
    assert (bought.destination, bought.version) == (MOVED, 2)
    assert HistoryEntry.objects.filter(verb="number.changed").count() == 1
    assert not child.children.exists()
    assert history_verify().problems == []


def test_sending_once_more_that_is_in_doubt_itself_is_repeated_and_followed_by_another(
    lost: Order, sandbox: SandboxServer
) -> None:
    after_the_pause(lost)
    sandbox.arm_fault(LOST, "update")
    child = settling_is_over(again(lost))
    assert child.status == OrderStatus.UNKNOWN
    assert after_the_pause(child).status == OrderStatus.DONE
    assert settling_is_over(again(child)).status == OrderStatus.DONE
    assert sent(sandbox) == [{"destination": MOVED}] * 3


def test_newer_change_of_other_values_is_left_alone(
    lost: Order, manager: User, bought: Campaign, sandbox: SandboxServer
) -> None:
    after_the_pause(lost)
    bought.refresh_from_db()
    carry_out(ask_change(manager, bought, notes="newer"))
    assert settling_is_over(again(lost)).status == OrderStatus.DONE
    assert sent(sandbox) == [{"destination": MOVED}, {"notes": "newer"}, {"destination": MOVED}]


def test_late_commit_of_an_older_change_does_not_stay_in_force(
    manager: User, bought: Campaign, sandbox: SandboxServer
) -> None:
    sandbox.arm_fault("late_commit", "update", seconds=2.5)
    older = carry_out(ask_change(manager, bought, destination=MOVED))
    after_the_pause(older)
    bought.refresh_from_db()
    assert carry_out(ask_change(manager, bought, destination=NEWER)).status == OrderStatus.DONE
    wait_until(lambda: len(sent(sandbox)) == 3)
    assert destination_at_callcap(sandbox) == MOVED
    child = settling_is_over(again(older))
    bought.refresh_from_db()
    assert bought.destination == NEWER
    assert destination_at_callcap(sandbox) == NEWER, child.result


# --- workers that sleep --------------------------------------------------------------------------------------------


@pytest.fixture
def asleep(manager: User, bought: Campaign, die_at: Callable[[Order, str], None]) -> Order:
    """A change whose worker fell asleep before sending and was given up."""
    order = ask_change(manager, bought, destination=MOVED)
    die_at(order, "intent written")
    time_passes(order, 60)
    attempts_expire(actor=WORKER)
    order.refresh_from_db()
    assert order.status == OrderStatus.UNKNOWN
    return order


def wake(order: Order, answer: WriteAnswer | None = None) -> None:
    """The first worker sends after all, or has the answer, and records it."""
    attempt = order.attempts.all()[0]
    answer = answer or callcap_client().update(CAKE, attempt.parameters)
    attempt_conclude(actor=WORKER, attempt=attempt, answer=answer)
    order.refresh_from_db()


def test_late_success_is_recorded_and_followed_by_another_sending(asleep: Order, sandbox: SandboxServer) -> None:
    wake(asleep)
    assert (asleep.status, outcomes(asleep)) == (OrderStatus.DONE, [(CAKE, APPLIED)])
    assert Campaign.objects.get().destination == MOVED
    assert again(asleep).status == OrderStatus.APPROVED
    keep_trying(asleep)
    assert len(sent(sandbox)) == 1


def test_late_success_after_the_repetition_is_recorded_once(asleep: Order, bought: Campaign) -> None:
    after_the_pause(asleep)
    wake(asleep)
    bought.refresh_from_db()
    assert (bought.destination, bought.version) == (MOVED, 2)
    assert verbs(asleep).count("number.changed") == 1


def test_late_success_after_a_person_settled_the_change_as_not_made_ends_with_both_in_agreement(
    asleep: Order, manager: User, sandbox: SandboxServer
) -> None:
    order_settle(actor=Actor.person(manager), order_id=asleep.pk, finding=Finding.NOT_CARRIED_OUT, reason="Seen")
    wake(asleep)
    assert destination_at_callcap(sandbox) == MOVED
    settling_is_over(again(asleep))
    assert destination_at_callcap(sandbox) == Campaign.objects.get().destination


def test_late_success_counts_after_a_person_settled_the_change_as_not_made(asleep: Order, manager: User) -> None:
    order_settle(actor=Actor.person(manager), order_id=asleep.pk, finding=Finding.NOT_CARRIED_OUT, reason="Seen")
    wake(asleep)
    assert asleep.status == OrderStatus.DONE
    assert Campaign.objects.get().destination == MOVED


def test_late_refusal_of_the_only_sending_is_definite(asleep: Order) -> None:
    wake(asleep, WriteAnswer(Outcome.REFUSED, 400, "destination must be a valid phone number."))
    assert (asleep.status, asleep.result) == (
        OrderStatus.FAILED,
        "Callcap refused: destination must be a valid phone number.",
    )


def test_late_news_that_nothing_was_sent_ends_the_doubt(asleep: Order, rep: User, manager: User) -> None:
    wake(asleep, WriteAnswer(Outcome.NOT_SENT, None, "Held up too long."))
    assert asleep.status == OrderStatus.APPROVED


def test_what_is_sent_once_more_stands_in_its_order_as_it_is_in_the_mirror(lost: Order, manager: User) -> None:
    order_settle(actor=Actor.person(manager), order_id=lost.pk, finding=Finding.NOT_CARRIED_OUT, reason="Seen")
    assert (again(lost).parameters, again(lost).before) == ({"destination": DESTINATION}, {"destination": DESTINATION})


def test_nothing_is_sent_once_more_for_a_number_that_has_stopped(lost: Order, manager: User, bought: Campaign) -> None:
    with transaction.atomic():
        campaign_end(actor=WORKER, campaign=bought, reason="It was released.")
    order_settle(actor=Actor.person(manager), order_id=lost.pk, finding=Finding.NOT_CARRIED_OUT, reason="Seen")
    assert not lost.children.exists()


def test_nothing_empty_is_sent_once_more(manager: User, bought: Campaign, sandbox: SandboxServer) -> None:
    sandbox.arm_fault(LOST, "update")
    order = carry_out(ask_change(manager, bought, stop_date="2099-01-31"))
    order_settle(actor=Actor.person(manager), order_id=order.pk, finding=Finding.NOT_CARRIED_OUT, reason="Seen")
    for child in order.children.all():
        settling_is_over(child)
    assert {} not in sent(sandbox)


def test_change_made_while_the_mirror_is_about_to_be_sent_once_more_stays_in_force(
    lost: Order, manager: User, bought: Campaign, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_the_pause(lost)
    child = again(lost)
    intends = sending._intend

    def newer_change_comes_first(*args: Any) -> Any:
        monkeypatch.setattr(sending, "_intend", intends)
        bought.refresh_from_db()
        assert carry_out(ask_change(manager, bought, destination=NEWER)).status == OrderStatus.DONE
        return intends(*args)

    monkeypatch.setattr(sending, "_intend", newer_change_comes_first)
    settling_is_over(child)
    keep_trying(child)
    assert Campaign.objects.get().destination == NEWER
    assert destination_at_callcap(sandbox) == NEWER


def test_check_of_a_purchase_that_is_carried_out_late_does_not_stay_in_force_over_a_newer_change(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    sandbox.arm_fault("drop_after_commit", "provision")
    sandbox.arm_fault("late_commit", "update", seconds=1)
    order = carry_out(approve(manager, ask(rep, location, CAKE)))
    after_the_pause(order)
    assert order.status == OrderStatus.DONE
    newer = carry_out(ask_change(manager, Campaign.objects.get(), destination=NEWER))
    assert newer.status == OrderStatus.DONE
    wait_until(lambda: destination_at_callcap(sandbox) == DESTINATION)
    settling_is_over(again(order))
    assert destination_at_callcap(sandbox) == Campaign.objects.get().destination == NEWER
