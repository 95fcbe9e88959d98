"""Carrying a purchase to Callcap, whatever Callcap does."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import (
    Account,
    Attempt,
    AttemptOutcome,
    Campaign,
    HistoryEntry,
    Order,
    OrderStatus,
    User,
)
from numbers_app.services import sending
from numbers_app.services.switch import sending_resume, sending_switch
from numbers_app.services.verification import history_verify
from tests.factories import CampaignFactory, GrantFactory, LocationFactory
from tests.orders.steps import (
    CAKE,
    DESTINATION,
    approve,
    ask,
    buys,
    carry_out,
    keep_trying,
    outcomes,
    pause_is_over,
    verbs,
    wait_until,
    waits_for_a_person,
)
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.django_db


def test_number_is_bought_and_mirrored(rep: User, manager: User, location: Account, sandbox: SandboxServer) -> None:
    order = ask(rep, location, CAKE, campaign_name="Cakes", recording=True, evaluation="realtime", media_type_id=None)
    carry_out(approve(manager, order))
    order.refresh_from_db()
    assert (order.status, order.result, order.phone_number) == (OrderStatus.DONE, "Bought.", CAKE)
    assert outcomes(order) == [(CAKE, AttemptOutcome.APPLIED)]
    campaign = Campaign.objects.get(phone_number=CAKE)
    assert order.campaign == campaign
    assert (campaign.campaign_name, campaign.recording, campaign.evaluation) == ("Cakes", True, "realtime")
    assert (campaign.city, campaign.state, campaign.country) == ("Wichita", "KS", "US")
    assert campaign.callcap_campaign_id
    [purchase] = sandbox.purchases(CAKE)
    assert (purchase["account"], purchase["values"]["destination"]) == ("L-3", DESTINATION)
    assert history_verify().problems == []


def test_history_names_author_approver_and_callcap_s_answer(approved: Order) -> None:
    carry_out(approved)
    assert verbs(approved) == ["order.requested", "order.approved", "order.sending", "number.bought", "order.done"]
    entry = HistoryEntry.objects.get(verb="number.bought")
    assert (entry.actor_name, entry.approved_by, entry.vendor_status) == ("Rep Test", "Manager Test", 200)
    assert (entry.destination, entry.stop_date, entry.source) == (DESTINATION, None, "worker")


def test_blank_name_becomes_the_number_as_callcap_does(approved: Order) -> None:
    carry_out(approved)
    assert Campaign.objects.get().campaign_name == CAKE


def test_author_deleted_meanwhile_stays_named(approved: Order, rep: User) -> None:
    rep.grants.all().delete()
    rep.delete()
    assert carry_out(approved).status == OrderStatus.DONE
    entry = HistoryEntry.objects.get(verb="number.bought")
    assert (entry.actor_name, entry.role) == ("Rep Test", "no role")


def test_stop_date_follows_as_an_approved_change_of_its_own(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = carry_out(approve(manager, ask(rep, location, CAKE, stop_date="2099-01-31")))
    [purchase] = sandbox.purchases(CAKE)
    assert "stopDate" not in purchase["values"]
    child = order.children.get()
    assert (child.status, child.author_id, child.decider_id) == (OrderStatus.APPROVED, rep.pk, manager.pk)
    assert carry_out(child).status == OrderStatus.DONE
    assert str(Campaign.objects.get().stop_date) == "2099-01-31"


def test_repeating_a_done_order_sends_nothing(approved: Order, sandbox: SandboxServer) -> None:
    carry_out(approved)
    assert keep_trying(approved).status == OrderStatus.DONE
    assert len(sandbox.purchases()) == 1


def test_order_that_nobody_approved_is_not_sent(rep: User, location: Account, sandbox: SandboxServer) -> None:
    order = keep_trying(ask(rep, location))
    assert (order.status, sandbox.purchases()) == (OrderStatus.PENDING, [])


def test_order_that_is_not_due_is_not_sent(approved: Order, sandbox: SandboxServer) -> None:
    Order.objects.update(execute_after=timezone.now() + timedelta(minutes=5))
    assert carry_out(approved).status == OrderStatus.APPROVED
    assert sandbox.purchases() == []


# --- choices -------------------------------------------------------------------------------------------------------


def test_choice_that_is_gone_is_followed_by_the_next(
    rep: User, manager: User, location: Account, sandbox: SandboxServer, numbers: list[str]
) -> None:
    first, second, third = numbers[:3]
    order = approve(manager, ask(rep, location, first, second, third))
    sandbox.take(first)
    assert carry_out(order).status == OrderStatus.DONE
    assert outcomes(order) == [(second, AttemptOutcome.APPLIED)]
    assert [purchase["number"] for purchase in sandbox.purchases()] == [second]
    assert order.choices.get(number=first).dropped_because == "Callcap no longer offers it."
    assert verbs(order)[2] == "order.choice_gone"
    assert not order.choices.filter(live=True).exists()


def test_order_fails_when_all_choices_are_gone(
    rep: User, manager: User, location: Account, sandbox: SandboxServer, numbers: list[str]
) -> None:
    order = approve(manager, ask(rep, location, *numbers[:2]))
    for number in numbers[:2]:
        sandbox.take(number)
    assert carry_out(order).status == OrderStatus.FAILED
    assert order.result == "None of the wanted numbers is available any more. Nothing was bought."
    assert verbs(order)[2:] == ["order.choice_gone", "order.choice_gone", "order.failed"]
    assert sandbox.purchases() == []


def test_choice_lost_to_a_rival_at_the_last_moment_is_followed_by_the_next(
    rep: User, manager: User, location: Account, sandbox: SandboxServer, numbers: list[str]
) -> None:
    first, second = numbers[:2]
    order = approve(manager, ask(rep, location, first, second))
    sandbox.arm_fault("slow", "provision", seconds=0.8, number=first)
    rival = threading.Timer(0.4, sandbox.take, [first])
    rival.start()
    carry_out(order)
    rival.join()
    assert outcomes(order) == [(first, AttemptOutcome.REFUSED), (second, AttemptOutcome.APPLIED)]
    assert order.status == OrderStatus.DONE
    assert order.choices.get(number=first).dropped_because == "Callcap refused: The phone number is not available."


def test_refused_number_that_is_still_offered_ends_the_order(
    rep: User, manager: User, location: Account, sandbox: SandboxServer, numbers: list[str]
) -> None:
    order = approve(manager, ask(rep, location, *numbers[:2]))
    sandbox.arm_fault("404", "provision")
    assert carry_out(order).status == OrderStatus.FAILED
    assert outcomes(order) == [(numbers[0], AttemptOutcome.REFUSED)]
    assert order.result.startswith("Callcap refused: The requested resource did not exist")
    assert ask(rep, location, *numbers[:2]).status == OrderStatus.PENDING


def test_refused_number_that_cannot_be_looked_up_again_ends_the_order(
    rep: User, manager: User, location: Account, sandbox: SandboxServer, numbers: list[str]
) -> None:
    order = approve(manager, ask(rep, location, *numbers[:2]))
    sandbox.arm_fault("slow", "search", seconds=0)
    sandbox.arm_fault("500", "search")
    sandbox.arm_fault("404", "provision")
    assert carry_out(order).status == OrderStatus.FAILED
    assert outcomes(order) == [(numbers[0], AttemptOutcome.REFUSED)]


def test_reserved_number_is_sold_into_its_own_location_only(
    rep: User, manager: User, elsewhere: Account, location: Account, sandbox: SandboxServer
) -> None:
    offers = sandbox.search(account="L-3", showReservedPool="true", showPublicPool="false")
    reserved = offers[0]["phoneNumber"]
    GrantFactory(user=rep, account=elsewhere)
    GrantFactory(user=manager, account=elsewhere)
    wrong = carry_out(approve(manager, ask(rep, elsewhere, reserved)))
    assert (wrong.status, outcomes(wrong)) == (OrderStatus.FAILED, [])
    right = carry_out(approve(manager, ask(rep, location, reserved)))
    assert right.status == OrderStatus.DONE
    assert [purchase["account"] for purchase in sandbox.purchases(reserved)] == ["L-3"]


# --- what Callcap can do to the purchase itself -----------------------------------------------------------------


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("fault", "options", "sold"),
    [
        ("drop_before_commit", {}, 0),
        ("drop_after_commit", {}, 1),
        ("late_commit", {"seconds": 0.5}, 1),
        ("slow", {"seconds": 1.5}, 1),
        ("truncated", {}, 1),
        ("500", {}, 0),
        ("500_after_commit", {}, 1),
        ("html", {}, 0),
        ("html_after_commit", {}, 1),
        ("no_number", {}, 1),
    ],
)
def test_number_is_charged_once_and_mirrored_by_itself_after(
    approved: Order, sandbox: SandboxServer, fault: str, options: dict[str, float], sold: int
) -> None:
    sandbox.arm_fault(fault, "provision", **options)
    carry_out(approved)
    assert buys(approved) == [(CAKE, AttemptOutcome.UNKNOWN)]
    assert approved.result
    wait_until(lambda: len(sandbox.purchases()) == sold)
    keep_trying(approved)
    assert approved.status == OrderStatus.DONE
    assert [purchase["number"] for purchase in sandbox.purchases()] == [CAKE]
    # What was sold is proved by a check; what was not is bought by the one repetition.
    assert buys(approved) == [(CAKE, AttemptOutcome.UNKNOWN), (CAKE, AttemptOutcome.APPLIED)][: 2 - sold]
    assert all(attempt.recorded for attempt in approved.attempts.all())
    assert approved.attempts.all()[0].ever_unknown
    assert verbs(approved)[-1] == "order.done"
    assert approved.campaign == Campaign.objects.get(phone_number=CAKE)
    assert history_verify().problems == []


@pytest.mark.parametrize("fault", ["404", "not_success", "nul_refusal"])
def test_nothing_is_sent_again_after_a_refusal(approved: Order, sandbox: SandboxServer, fault: str) -> None:
    sandbox.arm_fault(fault, "provision")
    carry_out(approved)
    for _ in range(2):
        assert (approved.status, outcomes(approved)) == (OrderStatus.FAILED, [(CAKE, AttemptOutcome.REFUSED)])
        assert approved.result.startswith("Callcap refused: ")
        keep_trying(approved)
    assert sandbox.purchases() == []
    attempt = approved.attempts.get()
    assert (attempt.recorded, attempt.ever_unknown) == (True, False)
    assert verbs(approved)[-1] == "order.failed"
    assert not Campaign.objects.exists()


@pytest.mark.parametrize("fault", ["401", "403"])
def test_key_that_is_not_accepted_puts_the_order_off_and_pauses_purchases(
    approved: Order, manager: User, sandbox: SandboxServer, fault: str
) -> None:
    sandbox.arm_fault(fault, "provision")
    carry_out(approved)
    assert (approved.status, outcomes(approved)) == (OrderStatus.APPROVED, [(CAKE, AttemptOutcome.REFUSED)])
    assert approved.result.startswith("Callcap did not accept the portal's key: ")
    assert verbs(approved)[-1] == "order.postponed"
    keep_trying(approved)
    assert (approved.status, len(outcomes(approved)), sandbox.purchases()) == (OrderStatus.APPROVED, 1, [])
    assert approved.choices.filter(number=CAKE, live=True).exists()
    sending_resume(actor=Actor.person(manager), reason="The key is replaced")
    keep_trying(approved)
    assert (approved.status, buys(approved)[1:]) == (OrderStatus.DONE, [(CAKE, AttemptOutcome.APPLIED)])
    assert len(sandbox.purchases()) == 1


def test_unknown_order_never_goes_on_to_the_next_choice(
    rep: User, manager: User, location: Account, sandbox: SandboxServer, numbers: list[str]
) -> None:
    order = approve(manager, ask(rep, location, *numbers[:3]))
    sandbox.arm_fault("drop_before_commit", "provision")
    carry_out(order)
    sandbox.take(numbers[0])
    keep_trying(order)
    assert waits_for_a_person(order)
    assert buys(order) == [(numbers[0], AttemptOutcome.UNKNOWN)]
    assert {number for number, _ in outcomes(order)} == {numbers[0]}
    assert sandbox.purchases() == []


def test_numbers_of_an_unknown_order_stay_taken(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = approve(manager, ask(rep, location, CAKE))
    sandbox.arm_fault("drop_before_commit", "provision", times=2)
    for _ in range(2):
        assert keep_trying(order).status == OrderStatus.UNKNOWN
        assert order.choices.filter(live=True, number=CAKE).exists()


@pytest.mark.parametrize(("retry_after", "seconds"), [("", 30), ("120", 120), ("soon", 30), ("86400", 300)])
def test_order_waits_as_long_as_callcap_asks_and_is_bought_once(
    approved: Order, sandbox: SandboxServer, retry_after: str, seconds: int
) -> None:
    sandbox.arm_fault("429", "provision", retry_after=retry_after)
    before = timezone.now()
    carry_out(approved)
    assert (approved.status, outcomes(approved)) == (OrderStatus.APPROVED, [(CAKE, AttemptOutcome.REFUSED)])
    assert approved.result.startswith("Callcap asked us to wait")
    assert approved.execute_after
    assert timedelta(0) <= approved.execute_after - before - timedelta(seconds=seconds) < timedelta(seconds=10)
    assert verbs(approved)[-1] == "order.postponed"
    carry_out(approved)
    assert sandbox.purchases() == []
    pause_is_over(approved)
    assert carry_out(approved).status == OrderStatus.DONE
    assert len(sandbox.purchases()) == 1


def test_pauses_grow(approved: Order, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("500", "search", times=8)
    pauses = []
    for _ in range(8):
        pause_is_over(approved)
        before = timezone.now()
        carry_out(approved)
        assert approved.execute_after
        pauses.append(round((approved.execute_after - before).total_seconds()))
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300]


# --- what Callcap can do before the purchase ----------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["drop_before_commit", "401", "429", "500", "html", "truncated"])
def test_order_is_put_off_when_the_number_cannot_be_looked_up(
    approved: Order, manager: User, sandbox: SandboxServer, fault: str
) -> None:
    sandbox.arm_fault(fault, "search", times=3)  # a broken read is tried again
    carry_out(approved)
    assert (approved.status, outcomes(approved), approved.tries) == (OrderStatus.APPROVED, [], 1)
    assert approved.result.startswith("Not sent yet: ")
    assert verbs(approved) == ["order.requested", "order.approved"]
    sandbox.clear_faults()
    assert sending_switch().purchases_paused == (fault == "401")
    if fault == "401":
        sending_resume(actor=Actor.person(manager), reason="The key is replaced")
    pause_is_over(approved)
    assert carry_out(approved).status == OrderStatus.DONE
    assert len(sandbox.purchases()) == 1


def test_order_waits_while_callcap_is_down(approved: Order, sandbox: SandboxServer) -> None:
    sandbox.stop()
    try:
        carry_out(approved)
        assert (approved.status, outcomes(approved)) == (OrderStatus.APPROVED, [])
        assert approved.result == "Not sent yet: Callcap could not be reached. Nothing was sent."
    finally:
        sandbox.start()
    pause_is_over(approved)
    assert carry_out(approved).status == OrderStatus.DONE
    assert len(sandbox.purchases()) == 1


def test_worker_that_was_held_up_after_the_intent_does_not_send(
    approved: Order, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as held_up:
        held_up.setattr(sending, "SEND_WINDOW_SECONDS", -1)
        carry_out(approved)
    assert (approved.status, outcomes(approved)) == (OrderStatus.APPROVED, [(CAKE, AttemptOutcome.NOT_SENT)])
    assert "held up too long" in approved.result
    assert sandbox.purchases() == []
    pause_is_over(approved)
    assert carry_out(approved).status == OrderStatus.DONE
    assert outcomes(approved)[1:] == [(CAKE, AttemptOutcome.APPLIED)]


# --- what changed between asking and sending ----------------------------------------------------------------------


@pytest.mark.usefixtures("any_clock")
def test_stop_date_that_passed_meanwhile_ends_the_order(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    stop_date = (location.today() + timedelta(days=1)).isoformat()
    order = approve(manager, ask(rep, location, CAKE, stop_date=stop_date))
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        carry_out(order)
    assert order.status == OrderStatus.FAILED
    assert order.result == f"The stop date {stop_date} had passed before the order was sent. Nothing was sent."
    assert sandbox.purchases() == []
    assert not order.choices.filter(live=True).exists()


def test_account_that_is_gone_ends_the_order(approved: Order, location: Account, sandbox: SandboxServer) -> None:
    Account.objects.filter(pk=location.pk).update(active=False)
    carry_out(approved)
    assert approved.status == OrderStatus.FAILED
    assert "no longer in Callcap's account tree. Nothing was sent." in approved.result
    assert sandbox.purchases() == []


def test_number_that_became_ours_meanwhile_ends_the_order(
    approved: Order, location: Account, sandbox: SandboxServer
) -> None:
    CampaignFactory(phone_number=CAKE, account=location)
    carry_out(approved)
    assert (approved.status, outcomes(approved)) == (OrderStatus.FAILED, [])
    assert approved.result == "(316) 734-2253 is already among our numbers. Nothing was sent."
    assert sandbox.purchases() == []


def test_number_that_another_order_has_at_callcap_waits(
    approved: Order, rep: User, location: Account, sandbox: SandboxServer
) -> None:
    other = ask(rep, location, "3164440002")
    Order.objects.filter(pk=other.pk).update(status="unknown", phone_number=CAKE, decider_id=99)
    carry_out(approved)
    assert (approved.status, outcomes(approved)) == (OrderStatus.APPROVED, [])
    assert approved.result == "Not sent yet: Another order for this number is at Callcap right now."
    assert sandbox.purchases() == []


def test_lease_outlasts_window_deadline_and_margin(approved: Order, settings: Any) -> None:
    carry_out(approved)
    attempt = Attempt.objects.get()
    assert attempt.lease_until - attempt.started_at == timedelta(seconds=5 + settings.CALLCAP_TIMEOUT + 10)


def test_evidence_of_the_look_up_is_kept(approved: Order) -> None:
    carry_out(approved)
    preflight = Attempt.objects.get().preflight
    assert (preflight["number"], preflight["pool"], preflight["city"]) == (CAKE, "public", "Wichita")


def test_zone_of_the_location_decides_what_today_is(db: None) -> None:
    with time_machine.travel("2026-11-24T04:30:00Z", tick=False):
        assert str(LocationFactory(time_zone="America/Chicago").today()) == "2026-11-23"
        assert str(LocationFactory(time_zone="America/Halifax").today()) == "2026-11-24"
        assert str(LocationFactory(time_zone="").today()) == "2026-11-23"
