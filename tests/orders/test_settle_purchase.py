"""A purchase whose outcome is unknown settles itself: checked, repeated once when it certainly is not ours, or left to
a person. Never two charges, and what is ours is always in the mirror."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.callcap import Outcome, WriteAnswer
from numbers_app.errors import InvalidInput
from numbers_app.models import (
    Account,
    Attempt,
    AttemptKind,
    AttemptOutcome,
    Campaign,
    HistoryEntry,
    Order,
    OrderKind,
    OrderStatus,
    User,
)
from numbers_app.services.execution import attempts_expire
from numbers_app.services.sending import attempt_conclude
from numbers_app.services.settlement import Finding, order_settle
from numbers_app.services.switch import purchases_pause, sending_resume, sending_switch
from numbers_app.services.verification import history_verify
from numbers_app.vendor import callcap_client
from tests.factories import CampaignFactory
from tests.orders.steps import (
    CAKE,
    DESTINATION,
    WORKER,
    approve,
    ask,
    buys,
    carry_out,
    checks,
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

pytestmark = pytest.mark.django_db

SETTLE = 900
BOUGHT_AND_LOST = [
    "drop_after_commit",
    "500_after_commit",
    "html_after_commit",
    "truncated",
    "truncated_without_length",
    "no_number",
    "nan",
    "duplicate_keys",
]
LOST = "drop_before_commit"
DOUBTED = (CAKE, AttemptOutcome.UNKNOWN)
NOT_OURS = AttemptOutcome.REFUSED


@pytest.fixture(autouse=True)
def _settling_time(settings: Any) -> None:
    settings.CALLCAP_SETTLE_SECONDS = SETTLE


@pytest.fixture
def lost(approved: Order, sandbox: SandboxServer) -> Order:
    """A purchase that never reached Callcap, checked once already."""
    sandbox.arm_fault(LOST, "provision")
    return carry_out(approved)


def sell(order: Order) -> WriteAnswer:
    """Callcap carries the order's purchase out now."""
    return callcap_client().provision(CAKE, order.account.key, {"destination": DESTINATION})


def bought_once(order: Order, sandbox: SandboxServer) -> bool:
    """The order is done, its number is ours once, in the mirror and in the journal, and the history holds."""
    order.refresh_from_db()
    mirrored = list(Campaign.objects.values_list("phone_number", flat=True))
    sold = [purchase["number"] for purchase in sandbox.purchases()]
    assert history_verify().problems == []
    assert not order.choices.filter(live=True).exists()
    return order.status == OrderStatus.DONE and mirrored == sold == [order.phone_number] == [CAKE]


def due_in(order: Order) -> float:
    """Seconds from the end of the doubted purchase until the order goes on."""
    purchase = order.attempts.filter(kind=AttemptKind.BUY).last()
    assert purchase
    assert purchase.finished_at
    assert order.execute_after
    return (order.execute_after - purchase.finished_at).total_seconds()


# --- the number is ours --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", BOUGHT_AND_LOST)
def test_check_proves_at_once_what_was_bought(approved: Order, sandbox: SandboxServer, fault: str) -> None:
    sandbox.arm_fault(fault, "provision")
    carry_out(approved)
    assert bought_once(approved, sandbox)
    assert outcomes(approved) == [DOUBTED, (CAKE, AttemptOutcome.APPLIED)]
    assert approved.result == "Bought. Callcap's answer was lost, but a check proved it."
    assert verbs(approved)[2:] == ["order.sending", "order.unknown", "number.bought", "order.done"]


def test_check_sends_what_was_approved_and_nothing_else(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = approve(manager, ask(rep, location, CAKE, campaign_name="Cakes", recording=True, stop_date="2099-01-31"))
    sandbox.arm_fault("drop_after_commit", "provision")
    carry_out(order)
    [purchase], [check] = sandbox.purchases(), sandbox.journal(kind="update")
    assert check["values"] == purchase["values"]
    assert check["values"] == {"destination": DESTINATION, "campaignName": "Cakes", "recording": True}


def test_number_that_a_check_proved_is_mirrored_as_if_the_answer_had_come(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = approve(manager, ask(rep, location, CAKE, campaign_name="Cakes", recording=True, stop_date="2099-01-31"))
    sandbox.arm_fault("drop_after_commit", "provision")
    carry_out(order)
    campaign = Campaign.objects.get()
    assert (campaign.campaign_name, campaign.recording, campaign.city) == ("Cakes", True, "Wichita")
    assert campaign.callcap_campaign_id
    entry = HistoryEntry.objects.get(verb="number.bought")
    assert (entry.actor_name, entry.approved_by, entry.vendor_status) == ("Rep Test", "Manager Test", 200)
    child = order.children.get()
    assert (child.kind, carry_out(child).status) == (OrderKind.CHANGE, OrderStatus.DONE)
    campaign.refresh_from_db()
    assert str(campaign.stop_date) == "2099-01-31"


def test_late_commit_is_proved_by_a_later_check(approved: Order, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("late_commit", "provision", seconds=1.5)
    assert carry_out(approved).status == OrderStatus.UNKNOWN
    assert checks(approved) == [NOT_OURS]
    wait_until(lambda: sandbox.sold(CAKE))
    assert settling_is_over(approved).status == OrderStatus.DONE
    assert bought_once(approved, sandbox)
    assert buys(approved) == [DOUBTED]


def test_number_that_left_the_searches_long_before_it_is_ours_is_proved_too(
    approved: Order, sandbox: SandboxServer
) -> None:
    sandbox.arm_fault("hold", "provision", seconds=1.5)
    assert carry_out(approved).status == OrderStatus.UNKNOWN
    wait_until(lambda: sandbox.sold(CAKE))
    settling_is_over(approved)
    assert bought_once(approved, sandbox)


def test_repeating_a_settled_order_sends_nothing(approved: Order, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("drop_after_commit", "provision")
    carry_out(approved)
    keep_trying(approved)
    assert bought_once(approved, sandbox)
    assert len(outcomes(approved)) == 2


# --- the number is not ours ----------------------------------------------------------------------------------------


def test_checks_are_made_at_once_half_way_and_at_the_end(lost: Order) -> None:
    assert (lost.status, checks(lost)) == (OrderStatus.UNKNOWN, [NOT_OURS])
    assert due_in(lost) == pytest.approx(SETTLE / 2, abs=5)
    time_passes(lost, SETTLE / 2 - 5)
    assert checks(carry_out(lost)) == [NOT_OURS]
    time_passes(lost, 6)
    assert checks(carry_out(lost)) == [NOT_OURS] * 2
    assert due_in(lost) == pytest.approx(SETTLE, abs=5)
    time_passes(lost, SETTLE / 2 - 10)
    assert checks(carry_out(lost)) == [NOT_OURS] * 2


def test_nothing_is_bought_again_before_the_settling_time_is_over(lost: Order, sandbox: SandboxServer) -> None:
    for _ in range(4):
        pause_is_over(lost)
        carry_out(lost)
    assert (len(checks(lost)), buys(lost), lost.status) == (5, [DOUBTED], OrderStatus.UNKNOWN)
    assert sandbox.purchases() == []


def test_number_that_certainly_is_not_ours_is_bought_once_more(lost: Order, sandbox: SandboxServer) -> None:
    settling_is_over(lost)
    assert bought_once(lost, sandbox)
    assert (checks(lost), buys(lost)) == ([NOT_OURS] * 3, [DOUBTED, (CAKE, AttemptOutcome.APPLIED)])
    assert lost.result == "Bought."
    assert verbs(lost).count("order.checked") == 3
    assert verbs(lost)[-3:] == ["order.sending", "number.bought", "order.done"]


def test_every_check_is_in_the_history_with_callcap_s_words(lost: Order) -> None:
    entry = HistoryEntry.objects.get(order_id=lost.pk, verb="order.checked")
    assert (entry.vendor_status, entry.vendor_message) == (404, "The phone number does not exist in your account.")


def test_order_stays_unknown_while_it_is_bought_again(
    lost: Order, on_step: Callable[[str, Callable[[], Any]], None]
) -> None:
    seen = []
    on_step("answered", lambda: seen.append(Order.objects.get(pk=lost.pk).status))
    settling_is_over(lost)
    assert set(seen) == {OrderStatus.UNKNOWN}
    assert "status" not in HistoryEntry.objects.filter(order_id=lost.pk, verb="order.sending")[0].changes


def test_second_purchase_in_doubt_is_proved_by_its_own_check(lost: Order, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("drop_after_commit", "provision")
    settling_is_over(lost)
    assert bought_once(lost, sandbox)
    assert buys(lost) == [DOUBTED] * 2


def test_number_is_bought_no_more_than_twice(lost: Order, sandbox: SandboxServer, manager: User, rep: User) -> None:
    sandbox.arm_fault(LOST, "provision", times=10)
    for _ in range(4):
        keep_trying(lost)
    assert waits_for_a_person(lost)
    assert buys(lost) == [DOUBTED] * 2
    assert len(checks(lost)) == 6
    assert sandbox.purchases() == []
    assert told(lost, "needs_person") == ["manager", "rep"]
    assert lost.result.endswith(
        "The checks did not settle it: (316) 734-2253 is still offered, and asked to update it Callcap said: "
        "The phone number does not exist in your account."
    )


def test_number_that_is_gone_and_not_ours_is_left_to_a_person(lost: Order, sandbox: SandboxServer) -> None:
    sandbox.take(CAKE)
    settling_is_over(lost)
    keep_trying(lost)
    assert waits_for_a_person(lost)
    assert (len(checks(lost)), buys(lost)) == (3, [DOUBTED])
    assert "(316) 734-2253 is no longer offered" in lost.result
    assert told(lost, "needs_person") == ["manager", "rep"]


def test_number_that_was_hidden_for_a_while_is_left_to_a_person(approved: Order, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("hold_and_release", "provision", seconds=1.5)
    carry_out(approved)
    wait_until(lambda: sandbox.search(fullNumber=CAKE))
    keep_trying(approved)
    assert waits_for_a_person(approved)
    assert (buys(approved), sandbox.purchases()) == ([DOUBTED], [])


def test_order_in_doubt_never_takes_another_number(
    rep: User, manager: User, location: Account, sandbox: SandboxServer, numbers: list[str]
) -> None:
    order = approve(manager, ask(rep, location, *numbers[:3]))
    sandbox.arm_fault(LOST, "provision", times=10)
    carry_out(order)
    for _ in range(4):
        keep_trying(order)
    assert waits_for_a_person(order)
    assert {number for number, _ in outcomes(order)} == {numbers[0]}
    assert order.choices.filter(live=True).count() == 3


def test_refusal_of_the_second_purchase_does_not_go_on_to_the_next_choice(
    rep: User, manager: User, location: Account, sandbox: SandboxServer, numbers: list[str]
) -> None:
    order = approve(manager, ask(rep, location, *numbers[:2]))
    sandbox.arm_fault(LOST, "provision")
    carry_out(order)
    sandbox.arm_fault("404", "provision")
    keep_trying(order)
    assert {number for number, _ in outcomes(order)} == {numbers[0]}
    assert order.status == OrderStatus.UNKNOWN
    assert sandbox.purchases() == []


def test_numbers_of_an_order_in_doubt_cannot_be_asked_for(lost: Order, rep: User, location: Account) -> None:
    with pytest.raises(InvalidInput, match=f"already asked for in order {lost.pk}"):
        ask(rep, location, CAKE)


# --- the first one comes late --------------------------------------------------------------------------------------


def test_second_purchase_refused_since_the_first_was_carried_out_late_is_one_charge(
    lost: Order, sandbox: SandboxServer, on_step: Callable[[str, Callable[[], Any]], None]
) -> None:
    def first_is_carried_out() -> None:
        if len(buys(lost)) == 2 and not sandbox.sold(CAKE):
            assert sell(lost).outcome == Outcome.APPLIED

    on_step("intent written", first_is_carried_out)
    settling_is_over(lost)
    assert bought_once(lost, sandbox)
    assert buys(lost) == [DOUBTED, (CAKE, AttemptOutcome.REFUSED)]
    assert checks(lost)[-1] == AttemptOutcome.APPLIED


def test_first_that_comes_just_before_the_second_is_proved_without_a_second(
    lost: Order, sandbox: SandboxServer, on_step: Callable[[str, Callable[[], Any]], None]
) -> None:
    def first_is_carried_out() -> None:
        if len(checks(lost)) == 3 and not sandbox.sold(CAKE):
            sell(lost)

    on_step("recorded", first_is_carried_out)
    settling_is_over(lost)
    assert bought_once(lost, sandbox)
    assert (buys(lost), checks(lost)) == ([DOUBTED], [*[NOT_OURS] * 3, AttemptOutcome.APPLIED])


# --- another number ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["other_number", "other_number_after_commit"])
def test_answer_that_names_another_number_goes_straight_to_a_person(
    approved: Order, sandbox: SandboxServer, fault: str
) -> None:
    sandbox.arm_fault(fault, "provision")
    carry_out(approved)
    for _ in range(2):
        assert waits_for_a_person(approved)
        assert outcomes(approved) == [DOUBTED]
        keep_trying(approved)
    assert sandbox.journal(kind="update") == []
    attempt = approved.attempts.get()
    assert attempt.named_number not in ("", CAKE)
    assert attempt.named_number in approved.result
    assert told(approved, "needs_person") == ["manager", "rep"]


def test_check_whose_answer_names_another_number_goes_to_a_person(approved: Order, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("drop_after_commit", "provision")
    sandbox.arm_fault("other_number", "update")
    carry_out(approved)
    keep_trying(approved)
    assert waits_for_a_person(approved)
    assert checks(approved) == [AttemptOutcome.UNKNOWN]


# --- checks that prove nothing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["not_success", "nul_refusal", "surrogate_refusal"])
def test_check_refused_for_another_reason_goes_to_a_person(approved: Order, sandbox: SandboxServer, fault: str) -> None:
    sandbox.arm_fault("drop_after_commit", "provision")
    sandbox.arm_fault(fault, "update")
    carry_out(approved)
    for _ in range(2):
        assert waits_for_a_person(approved)
        assert checks(approved) == [AttemptOutcome.REFUSED]
        keep_trying(approved)
    assert told(approved, "needs_person") == ["manager", "rep"]


@pytest.mark.parametrize("fault", [LOST, "500", "html", "307"])
def test_check_without_an_answer_is_made_again_after_a_pause(
    approved: Order, sandbox: SandboxServer, fault: str
) -> None:
    sandbox.arm_fault("drop_after_commit", "provision")
    sandbox.arm_fault(fault, "update", times=2)
    assert carry_out(approved).status == OrderStatus.UNKNOWN
    assert checks(approved) == [AttemptOutcome.UNKNOWN]
    assert len(checks(carry_out(approved))) == 1
    pause_is_over(approved)
    assert checks(carry_out(approved)) == [AttemptOutcome.UNKNOWN] * 2
    pause_is_over(approved)
    carry_out(approved)
    assert bought_once(approved, sandbox)


def test_checks_without_an_answer_never_count_as_not_ours(lost: Order, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("500", "update", times=100)
    for _ in range(4):
        settling_is_over(lost)
        assert lost.execute_after
        assert lost.execute_after > timezone.now()
    assert (buys(lost), lost.status, sandbox.purchases()) == ([DOUBTED], OrderStatus.UNKNOWN, [])
    sandbox.clear_faults()
    settling_is_over(lost)
    assert bought_once(lost, sandbox)


def test_check_waits_as_long_as_callcap_asks(approved: Order, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("drop_after_commit", "provision")
    sandbox.arm_fault("429", "update", retry_after="120")
    assert carry_out(approved).status == OrderStatus.UNKNOWN
    assert approved.execute_after
    assert approved.execute_after > timezone.now() + timedelta(seconds=110)
    pause_is_over(approved)
    carry_out(approved)
    assert bought_once(approved, sandbox)


@pytest.mark.parametrize("fault", ["401", "403"])
def test_key_refused_on_a_check_pauses_purchases_and_the_check_is_made_again(
    approved: Order, sandbox: SandboxServer, fault: str
) -> None:
    sandbox.arm_fault("drop_after_commit", "provision")
    sandbox.arm_fault(fault, "update")
    assert carry_out(approved).status == OrderStatus.UNKNOWN
    assert sending_switch().purchases_paused
    pause_is_over(approved)
    carry_out(approved)
    assert bought_once(approved, sandbox)


@pytest.mark.parametrize("fault", [LOST, "500", "429", "401"])
def test_check_is_put_off_while_the_number_cannot_be_looked_up(
    approved: Order, sandbox: SandboxServer, on_step: Callable[[str, Callable[[], Any]], None], fault: str
) -> None:
    on_step("recorded", lambda: sandbox.arm_fault(fault, "search", times=3) if not checks(approved) else None)
    sandbox.arm_fault("drop_after_commit", "provision")
    assert carry_out(approved).status == OrderStatus.UNKNOWN
    assert (checks(approved), approved.execute_after and approved.execute_after > timezone.now()) == ([], True)
    assert not approved.result.startswith("Not sent yet")
    sandbox.clear_faults()
    pause_is_over(approved)
    carry_out(approved)
    assert bought_once(approved, sandbox)


# --- the second purchase -------------------------------------------------------------------------------------------


def test_second_purchase_waits_while_purchases_are_paused(lost: Order, manager: User, sandbox: SandboxServer) -> None:
    purchases_pause(actor=Actor.person(manager), reason="The budget is used up")
    keep_trying(lost)
    assert (lost.status, buys(lost), len(checks(lost))) == (OrderStatus.UNKNOWN, [DOUBTED], 3)
    sending_resume(actor=Actor.person(manager), reason="It is not")
    keep_trying(lost)
    assert bought_once(lost, sandbox)


@pytest.mark.parametrize("fault", ["429", "401"])
def test_second_purchase_that_callcap_did_not_work_on_is_tried_again_without_counting(
    lost: Order, manager: User, sandbox: SandboxServer, fault: str
) -> None:
    sandbox.arm_fault(fault, "provision")
    settling_is_over(lost)
    assert (lost.status, buys(lost)) == (OrderStatus.UNKNOWN, [DOUBTED, (CAKE, AttemptOutcome.REFUSED)])
    assert lost.execute_after
    if fault == "401":
        sending_resume(actor=Actor.person(manager), reason="A new key")
    keep_trying(lost)
    assert bought_once(lost, sandbox)


# --- workers that die ----------------------------------------------------------------------------------------------


def test_worker_that_died_before_sending_leaves_an_order_that_is_checked_and_bought_once(
    approved: Order, sandbox: SandboxServer, die_at: Callable[[Order, str], None]
) -> None:
    die_at(approved, "intent written")
    assert approved.status == OrderStatus.SENDING
    assert outcomes(carry_out(approved)) == [(CAKE, AttemptOutcome.SENDING)]
    time_passes(approved, 60)
    assert attempts_expire(actor=WORKER) == 1
    assert carry_out(approved).status == OrderStatus.UNKNOWN
    assert (checks(approved), sandbox.purchases()) == ([NOT_OURS], [])
    settling_is_over(approved)
    assert bought_once(approved, sandbox)


@pytest.mark.parametrize("step", ["answered", "recording"])
def test_worker_that_died_after_buying_leaves_an_order_that_a_check_proves(
    approved: Order, sandbox: SandboxServer, die_at: Callable[[Order, str], None], step: str
) -> None:
    die_at(approved, step)
    assert (approved.status, len(sandbox.purchases())) == (OrderStatus.SENDING, 1)
    keep_trying(approved)
    assert bought_once(approved, sandbox)
    assert (buys(approved), checks(approved)) == ([DOUBTED], [AttemptOutcome.APPLIED])


def test_worker_that_died_during_a_check_leaves_it_to_another_one_after_the_lease(
    approved: Order, sandbox: SandboxServer, die_at: Callable[[Order, str], None]
) -> None:
    sandbox.arm_fault("drop_after_commit", "provision")
    die_at(approved, "recorded")
    die_at(approved, "intent written")
    assert checks(carry_out(approved)) == [AttemptOutcome.SENDING]
    time_passes(approved, 60)
    assert attempts_expire(actor=WORKER) == 1
    pause_is_over(approved)
    carry_out(approved)
    assert checks(approved) == [AttemptOutcome.UNKNOWN, AttemptOutcome.APPLIED]
    assert bought_once(approved, sandbox)


def test_worker_that_died_during_the_second_purchase_leaves_it_to_the_checks(
    lost: Order, sandbox: SandboxServer, die_at: Callable[[Order, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as held_up:
        held_up.setattr(callcap_client(), "provision", lambda *args: pytest.exit("killed"))
        with pytest.raises(BaseException, match="killed"):
            settling_is_over(lost)
    assert buys(lost) == [DOUBTED, (CAKE, AttemptOutcome.SENDING)]
    for _ in range(2):
        keep_trying(lost)
    assert waits_for_a_person(lost)
    assert (buys(lost), len(checks(lost))) == ([DOUBTED] * 2, 6)
    assert sandbox.purchases() == []


# --- workers that sleep --------------------------------------------------------------------------------------------


@dataclass
class Sleeper:
    """A worker that fell asleep over its purchase, past its lease."""

    order: Order
    attempt: Attempt
    answer: WriteAnswer | None = None

    def send(self) -> None:
        """Its call reaches Callcap."""
        self.answer = sell(self.order)

    def wake(self) -> None:
        """It wakes up and records what came back."""
        if self.answer is None:
            self.send()
        assert self.answer
        attempt_conclude(actor=WORKER, attempt=self.attempt, answer=self.answer)
        self.order.refresh_from_db()


@pytest.fixture
def sleeper(approved: Order, die_at: Callable[[Order, str], None]) -> Sleeper:
    die_at(approved, "intent written")
    time_passes(approved, 60)
    return Sleeper(approved, approved.attempts.get())


def nobody_noticed(sleeper: Sleeper, manager: User, sandbox: SandboxServer) -> None:
    assert sleeper.order.status == OrderStatus.SENDING


def given_up(sleeper: Sleeper, manager: User, sandbox: SandboxServer) -> None:
    attempts_expire(actor=WORKER)
    sleeper.order.refresh_from_db()


def checked_once(sleeper: Sleeper, manager: User, sandbox: SandboxServer) -> None:
    attempts_expire(actor=WORKER)
    assert checks(carry_out(sleeper.order)) == [NOT_OURS]


def second_in_doubt(sleeper: Sleeper, manager: User, sandbox: SandboxServer) -> None:
    checked_once(sleeper, manager, sandbox)
    sandbox.arm_fault(LOST, "provision")
    settling_is_over(sleeper.order)
    assert buys(sleeper.order) == [DOUBTED] * 2


def left_to_a_person(sleeper: Sleeper, manager: User, sandbox: SandboxServer) -> None:
    second_in_doubt(sleeper, manager, sandbox)
    settling_is_over(sleeper.order)
    assert waits_for_a_person(sleeper.order)


def settled_as_not_bought(sleeper: Sleeper, manager: User, sandbox: SandboxServer) -> None:
    left_to_a_person(sleeper, manager, sandbox)
    settle(sleeper, manager, Finding.NOT_CARRIED_OUT)


def settled_as_bought(sleeper: Sleeper, manager: User, sandbox: SandboxServer) -> None:
    left_to_a_person(sleeper, manager, sandbox)
    settle(sleeper, manager, Finding.CARRIED_OUT)


def proved(sleeper: Sleeper, manager: User, sandbox: SandboxServer) -> None:
    sleeper.send()
    attempts_expire(actor=WORKER)
    assert carry_out(sleeper.order).status == OrderStatus.DONE


def settle(sleeper: Sleeper, manager: User, finding: Finding) -> None:
    order_settle(actor=Actor.person(manager), order_id=sleeper.order.pk, finding=finding, reason="Seen in Callcap")
    sleeper.order.refresh_from_db()


BEFORE_IT_SENDS = [
    nobody_noticed,
    given_up,
    checked_once,
    second_in_doubt,
    left_to_a_person,
    settled_as_not_bought,
    settled_as_bought,
]
Meanwhile = Callable[[Sleeper, User, SandboxServer], None]


@pytest.mark.parametrize("meanwhile", [*BEFORE_IT_SENDS, proved])
def test_late_success_is_recorded_whatever_the_order_has_come_to(
    sleeper: Sleeper, manager: User, sandbox: SandboxServer, meanwhile: Meanwhile
) -> None:
    meanwhile(sleeper, manager, sandbox)
    sleeper.wake()
    assert bought_once(sleeper.order, sandbox)
    keep_trying(sleeper.order)
    assert bought_once(sleeper.order, sandbox)


def test_order_settled_as_not_bought_says_that_the_answer_came_late(
    sleeper: Sleeper, manager: User, sandbox: SandboxServer
) -> None:
    settled_as_not_bought(sleeper, manager, sandbox)
    assert sleeper.order.status == OrderStatus.FAILED
    sleeper.wake()
    assert sleeper.order.result == "Bought after all: Callcap's answer came late."
    assert verbs(sleeper.order)[-3:] == ["order.settled", "number.bought", "order.done"]
    assert "rep" in told(sleeper.order, "bought")


@pytest.mark.parametrize("meanwhile", [nobody_noticed, given_up, checked_once, settled_as_not_bought])
def test_late_refusal_ends_the_order_without_another_purchase(
    sleeper: Sleeper, manager: User, sandbox: SandboxServer, meanwhile: Meanwhile
) -> None:
    meanwhile(sleeper, manager, sandbox)
    sandbox.take(CAKE)
    sleeper.wake()
    assert sleeper.order.status == OrderStatus.FAILED
    keep_trying(sleeper.order)
    assert sleeper.order.status == OrderStatus.FAILED
    assert not Campaign.objects.exists()
    assert sandbox.purchases() == []


@pytest.mark.parametrize("meanwhile", [second_in_doubt, left_to_a_person])
def test_late_refusal_of_the_first_leaves_the_doubt_about_the_second(
    sleeper: Sleeper, manager: User, sandbox: SandboxServer, meanwhile: Meanwhile
) -> None:
    meanwhile(sleeper, manager, sandbox)
    sandbox.take(CAKE)
    sleeper.wake()
    assert sleeper.order.status == OrderStatus.UNKNOWN
    keep_trying(sleeper.order)
    assert waits_for_a_person(sleeper.order)
    assert sandbox.purchases() == []


def test_late_refusal_while_the_number_is_ours_through_the_second_changes_nothing(
    sleeper: Sleeper, manager: User, sandbox: SandboxServer
) -> None:
    checked_once(sleeper, manager, sandbox)
    settling_is_over(sleeper.order)
    assert bought_once(sleeper.order, sandbox)
    entries = HistoryEntry.objects.count()
    sleeper.wake()
    assert buys(sleeper.order) == [(CAKE, AttemptOutcome.REFUSED), (CAKE, AttemptOutcome.APPLIED)]
    assert bought_once(sleeper.order, sandbox)
    assert HistoryEntry.objects.count() == entries


@pytest.mark.parametrize("meanwhile", [given_up, checked_once])
def test_late_news_that_nothing_was_sent_lets_the_order_go_on(
    sleeper: Sleeper, manager: User, sandbox: SandboxServer, meanwhile: Meanwhile
) -> None:
    meanwhile(sleeper, manager, sandbox)
    sleeper.answer = WriteAnswer(Outcome.NOT_SENT, None, "Held up too long.")
    sleeper.wake()
    assert sleeper.order.status == OrderStatus.APPROVED
    keep_trying(sleeper.order)
    assert bought_once(sleeper.order, sandbox)


@pytest.mark.parametrize("meanwhile", [given_up, checked_once, left_to_a_person])
def test_late_answer_about_another_number_goes_to_a_person(
    sleeper: Sleeper, manager: User, sandbox: SandboxServer, meanwhile: Meanwhile
) -> None:
    meanwhile(sleeper, manager, sandbox)
    made = len(outcomes(sleeper.order))
    sleeper.answer = WriteAnswer(Outcome.UNKNOWN, 200, "Success for another one.", named_number="3164440009")
    sleeper.wake()
    assert waits_for_a_person(sleeper.order)
    keep_trying(sleeper.order)
    assert len(outcomes(sleeper.order)) == made


@pytest.mark.parametrize("meanwhile", BEFORE_IT_SENDS)
def test_late_silence_adds_nothing(
    sleeper: Sleeper, manager: User, sandbox: SandboxServer, meanwhile: Meanwhile
) -> None:
    meanwhile(sleeper, manager, sandbox)
    before = (sleeper.order.status, sleeper.order.execute_after, len(outcomes(sleeper.order)))
    sleeper.answer = WriteAnswer(Outcome.UNKNOWN, None, "Callcap closed the connection without an answer.")
    sleeper.wake()
    if meanwhile is not nobody_noticed:
        assert (sleeper.order.status, sleeper.order.execute_after, len(outcomes(sleeper.order))) == before
    else:
        assert sleeper.order.status == OrderStatus.UNKNOWN


def test_late_answer_of_a_check_that_was_given_up_still_proves_the_number(
    approved: Order, sandbox: SandboxServer, die_at: Callable[[Order, str], None]
) -> None:
    sandbox.arm_fault("drop_after_commit", "provision")
    die_at(approved, "recorded")
    die_at(approved, "intent written")
    check = approved.attempts.get(kind=AttemptKind.PROBE)
    time_passes(approved, 60)
    attempts_expire(actor=WORKER)
    answer = callcap_client().update(CAKE, check.parameters)
    attempt_conclude(actor=WORKER, attempt=check, answer=answer)
    assert bought_once(approved, sandbox)


def test_order_whose_number_came_into_the_mirror_otherwise_ends_when_a_check_proves_it(
    approved: Order, location: Account, sandbox: SandboxServer
) -> None:
    sandbox.arm_fault("late_commit", "provision", seconds=1.5)
    carry_out(approved)
    wait_until(lambda: sandbox.sold(CAKE))
    CampaignFactory(phone_number=CAKE, account=location)
    for _ in range(3):
        keep_trying(approved)
    assert approved.status != OrderStatus.UNKNOWN or waits_for_a_person(approved)


def test_number_is_not_probed_once_the_second_purchase_named_another(
    sleeper: Sleeper, manager: User, sandbox: SandboxServer
) -> None:
    checked_once(sleeper, manager, sandbox)
    sandbox.arm_fault("other_number", "provision")
    settling_is_over(sleeper.order)
    assert waits_for_a_person(sleeper.order)
    made = len(checks(sleeper.order))
    sandbox.take(CAKE)
    sleeper.wake()
    keep_trying(sleeper.order)
    assert len(checks(sleeper.order)) == made


def test_second_purchase_is_not_made_for_an_account_that_is_gone(
    lost: Order, location: Account, sandbox: SandboxServer
) -> None:
    Account.objects.filter(pk=location.pk).update(active=False)
    keep_trying(lost)
    assert buys(lost) == [DOUBTED]


def test_second_purchase_is_not_made_of_a_number_that_is_in_the_mirror(
    lost: Order, location: Account, sandbox: SandboxServer
) -> None:
    CampaignFactory(phone_number=CAKE, account=location)
    keep_trying(lost)
    assert buys(lost) == [DOUBTED]
