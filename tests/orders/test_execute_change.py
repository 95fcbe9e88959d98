"""Carrying a change to Callcap."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from numbers_app.models import Account, AttemptOutcome, Campaign, HistoryEntry, Order, OrderStatus, User
from numbers_app.services import sending
from numbers_app.services.change import change_carry
from numbers_app.services.sweep import campaigns_end_stopped
from numbers_app.services.verification import history_verify
from tests.factories import CampaignFactory
from tests.orders.steps import (
    CAKE,
    DESTINATION,
    WORKER,
    approve,
    ask_change,
    carry_out,
    keep_trying,
    outcomes,
    pause_is_over,
    verbs,
)
from tests.sandbox_server import SandboxServer

MOVED = "3165550100"

pytestmark = pytest.mark.django_db


def test_only_what_changed_is_sent(manager: User, bought: Campaign, sandbox: SandboxServer) -> None:
    order = carry_out(ask_change(manager, bought, destination=MOVED, notes="new shop"))
    assert (order.status, order.result) == (OrderStatus.DONE, "Changed.")
    [update] = sandbox.journal(number=CAKE, kind="update")
    assert update["values"] == {"destination": MOVED, "notes": "new shop"}
    bought.refresh_from_db()
    assert (bought.destination, bought.notes, bought.version) == (MOVED, "new shop", 2)
    assert (bought.memo1, bought.recording, bought.campaign_name) == ("kept", True, "Cakes")


def test_history_shows_before_and_after(rep: User, manager: User, bought: Campaign) -> None:
    order = carry_out(approve(manager, ask_change(rep, bought, destination=MOVED, stop_date="2099-01-31")))
    assert verbs(order)[-3:] == ["order.sending", "number.changed", "order.done"]
    entry = HistoryEntry.objects.get(verb="number.changed")
    assert entry.changes == {"destination": [DESTINATION, MOVED], "stop_date": [None, "2099-01-31"]}
    assert (entry.actor_name, entry.approved_by, str(entry.stop_date)) == ("Rep Test", "Manager Test", "2099-01-31")
    assert history_verify().problems == []


def test_cleared_name_becomes_the_number_as_callcap_does(manager: User, bought: Campaign) -> None:
    carry_out(ask_change(manager, bought, campaign_name=""))
    bought.refresh_from_db()
    assert bought.campaign_name == CAKE


def test_cleared_information_is_cleared_at_callcap_too(manager: User, bought: Campaign, sandbox: SandboxServer) -> None:
    for media_type in (7, None):
        carry_out(ask_change(manager, bought, media_type_id=media_type))
        bought.refresh_from_db()
        assert bought.media_type_id == media_type
    # How the sandbox notes that it was sent empty.
    assert sandbox.journal(number=CAKE, kind="update")[-1]["values"] == {"mediaTypeID": None}


def test_change_overtaken_by_another_fails_and_says_by_what(rep: User, manager: User, bought: Campaign) -> None:
    waiting = ask_change(rep, bought, destination="3165550101")
    winner = carry_out(ask_change(manager, bought, destination=MOVED))
    approve(manager, waiting)
    carry_out(waiting)
    assert (waiting.status, outcomes(waiting)) == (OrderStatus.FAILED, [])
    assert waiting.result == (
        f"Overtaken: destination was changed meanwhile by Manager Test (order {winner.pk}). Nothing was sent."
    )


def test_a_number_that_would_ring_itself_is_not_sent(manager: User, bought: Campaign, sandbox: SandboxServer) -> None:
    order = carry_out(ask_change(manager, bought, destination=CAKE))
    assert (order.status, outcomes(order)) == (OrderStatus.FAILED, [])
    assert order.result == "(316) 734-2253 would ring itself: calls would go round in a circle. Nothing was sent."


def test_change_of_other_values_is_not_overtaken(
    rep: User, manager: User, bought: Campaign, sandbox: SandboxServer
) -> None:
    waiting = ask_change(rep, bought, notes="by the river")
    carry_out(ask_change(manager, bought, destination=MOVED))
    assert carry_out(approve(manager, waiting)).status == OrderStatus.DONE
    bought.refresh_from_db()
    assert (bought.destination, bought.notes) == (MOVED, "by the river")


def test_values_changed_without_an_order_overtake_too(rep: User, manager: User, bought: Campaign) -> None:
    waiting = approve(manager, ask_change(rep, bought, notes="by the river"))
    Campaign.objects.filter(pk=bought.pk).update(notes="somebody else's")
    carry_out(waiting)
    assert waiting.result == "Overtaken: notes was changed meanwhile. Nothing was sent."


def test_refusal_is_told_in_callcap_s_words(manager: User, location: Account, sandbox: SandboxServer) -> None:
    campaign = CampaignFactory(phone_number=CAKE, account=location)  # the vendor knows nothing of it
    order = carry_out(ask_change(manager, campaign, destination=MOVED))
    assert (order.status, outcomes(order)) == (OrderStatus.FAILED, [(CAKE, AttemptOutcome.REFUSED)])
    assert order.result == "Callcap refused: The phone number does not exist in your account."
    campaign.refresh_from_db()
    assert campaign.destination == DESTINATION
    entry = HistoryEntry.objects.get(order_id=order.pk, verb="order.failed")
    assert (entry.vendor_status, entry.vendor_message) == (404, "The phone number does not exist in your account.")


@pytest.mark.usefixtures("any_clock")
def test_number_that_stopped_meanwhile_is_left_alone(
    rep: User, manager: User, bought: Campaign, sandbox: SandboxServer
) -> None:
    carry_out(ask_change(manager, bought, stop_date=bought.account.today().isoformat()))
    bought.refresh_from_db()
    order = approve(manager, ask_change(rep, bought, notes="too late"))
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert campaigns_end_stopped(actor=WORKER) == 1
    carry_out(order)
    assert (order.status, order.result) == (
        OrderStatus.FAILED,
        "The number has stopped meanwhile. Nothing was sent.",
    )


@pytest.mark.usefixtures("any_clock")
def test_stop_date_that_passed_meanwhile_ends_the_change(
    rep: User, manager: User, bought: Campaign, sandbox: SandboxServer
) -> None:
    order = approve(manager, ask_change(rep, bought, stop_date=bought.account.today().isoformat()))
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        carry_out(order)
    assert order.status == OrderStatus.FAILED
    assert "had passed before the order was sent" in order.result
    assert sandbox.journal(kind="update") == []


def test_unknown_change_is_not_shown_as_made_and_blocks_the_number(
    rep: User, manager: User, bought: Campaign, sandbox: SandboxServer
) -> None:
    sandbox.arm_fault("drop_after_commit", "update")
    order = carry_out(ask_change(manager, bought, destination=MOVED))
    assert (order.status, outcomes(order)) == (OrderStatus.UNKNOWN, [(CAKE, AttemptOutcome.UNKNOWN)])
    bought.refresh_from_db()
    assert bought.destination == DESTINATION
    other = carry_out(ask_change(manager, bought, notes="after it"))
    assert (other.status, outcomes(other)) == (OrderStatus.APPROVED, [])
    assert other.result == "Not sent yet: Another order for this number is at Callcap right now."
    assert [update["values"] for update in sandbox.journal(kind="update")] == [{"destination": MOVED}]


@pytest.mark.parametrize("fault", ["drop_before_commit", "drop_after_commit", "500", "html", "truncated"])
def test_unknown_change_is_sent_again_after_a_pause_and_not_before(
    manager: User, bought: Campaign, sandbox: SandboxServer, fault: str
) -> None:
    sandbox.arm_fault(fault, "update")
    order = carry_out(ask_change(manager, bought, destination=MOVED))
    sent = sandbox.journal(kind="update")
    assert carry_out(order).status == OrderStatus.UNKNOWN
    assert sandbox.journal(kind="update") == sent
    pause_is_over(order)
    assert carry_out(order).status == OrderStatus.DONE
    assert outcomes(order) == [(CAKE, AttemptOutcome.UNKNOWN), (CAKE, AttemptOutcome.APPLIED)]
    values = [update["values"] for update in sandbox.journal(kind="update")[len(sent) :]]
    assert values == [{"destination": MOVED}]
    bought.refresh_from_db()
    assert bought.destination == MOVED


def test_change_that_did_not_reach_callcap_is_tried_again(
    manager: User, bought: Campaign, sandbox: SandboxServer
) -> None:
    order = ask_change(manager, bought, destination=MOVED)
    sandbox.stop()
    try:
        carry_out(order)
    finally:
        sandbox.start()
    assert (order.status, outcomes(order)) == (OrderStatus.APPROVED, [(CAKE, AttemptOutcome.NOT_SENT)])
    assert order.result == "Not sent yet: Callcap could not be reached. Nothing was sent."
    assert verbs(order)[-1] == "order.postponed"
    pause_is_over(order)
    assert carry_out(order).status == OrderStatus.DONE
    assert outcomes(order)[1:] == [(CAKE, AttemptOutcome.APPLIED)]


def test_change_waits_as_long_as_callcap_asks(manager: User, bought: Campaign, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("429", "update", retry_after="90")
    order = carry_out(ask_change(manager, bought, destination=MOVED))
    assert order.status == OrderStatus.APPROVED
    assert order.execute_after
    assert order.execute_after > timezone.now() + timedelta(seconds=80)
    pause_is_over(order)
    assert carry_out(order).status == OrderStatus.DONE


def test_worker_that_was_held_up_does_not_send_the_change(
    manager: User, bought: Campaign, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SEND_WINDOW_SECONDS", -1)
    order = carry_out(ask_change(manager, bought, destination=MOVED))
    assert outcomes(order) == [(CAKE, AttemptOutcome.NOT_SENT)]
    assert sandbox.journal(kind="update") == []


def test_repeating_a_done_change_sends_nothing(manager: User, bought: Campaign, sandbox: SandboxServer) -> None:
    order = carry_out(ask_change(manager, bought, destination=MOVED))
    assert keep_trying(order).status == OrderStatus.DONE
    assert len(sandbox.journal(kind="update")) == 1


def test_order_taken_by_another_worker_meanwhile_is_left_to_it(
    manager: User, bought: Campaign, sandbox: SandboxServer
) -> None:
    order = ask_change(manager, bought, destination=MOVED)
    stale = Order.objects.select_related("account", "campaign").get(pk=order.pk)
    carry_out(order)
    change_carry(actor=WORKER, order=stale)
    assert len(sandbox.journal(kind="update")) == 1
