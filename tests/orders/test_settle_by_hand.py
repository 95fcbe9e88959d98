"""Settling an unknown order by what a manager found in Callcap's own interface."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.exceptions import PermissionDenied

from numbers_app.actors import Actor
from numbers_app.callcap import Outcome, WriteAnswer
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import (
    Account,
    AttemptOutcome,
    Campaign,
    HistoryEntry,
    Order,
    OrderKind,
    OrderStatus,
    User,
)
from numbers_app.permissions import Role
from numbers_app.services.sending import attempt_conclude
from numbers_app.services.settlement import Finding, order_settle
from numbers_app.services.verification import history_verify
from tests.factories import CampaignFactory, UserFactory
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
    waits_for_a_person,
)
from tests.sandbox_server import SandboxServer

WHY = "Order list of Callcap, page 2"
MOVED = "3165550100"
CARRIED_OUT, ANOTHER, NOT_CARRIED_OUT = Finding.CARRIED_OUT, Finding.ANOTHER_NUMBER, Finding.NOT_CARRIED_OUT

pytestmark = pytest.mark.django_db


@pytest.fixture
def doubted(approved: Order, sandbox: SandboxServer) -> Order:
    """A purchase of unknown outcome that nobody but a person can settle."""
    sandbox.arm_fault("drop_before_commit", "provision", times=2)
    carry_out(approved)
    keep_trying(approved)
    assert waits_for_a_person(approved)
    return approved


@pytest.fixture
def misnamed(approved: Order, sandbox: SandboxServer) -> Order:
    """A purchase that Callcap answered with another number."""
    sandbox.arm_fault("other_number", "provision")
    return carry_out(approved)


@pytest.fixture
def doubted_change(manager: User, bought: Campaign, sandbox: SandboxServer) -> Order:
    """A manager's change of unknown outcome whose repetition Callcap refused."""
    sandbox.arm_fault("drop_before_commit", "update")
    order = carry_out(ask_change(manager, bought, destination=MOVED))
    sandbox.arm_fault("404", "update")
    pause_is_over(order)
    carry_out(order)
    assert waits_for_a_person(order)
    return order


def settle(person: User, order: Order, finding: Finding) -> Order:
    order_settle(actor=Actor.person(person), order_id=order.pk, finding=finding, reason=WHY)
    order.refresh_from_db()
    return order


# --- purchases -----------------------------------------------------------------------------------------------------


def test_purchase_found_carried_out_is_done_and_mirrored(doubted: Order, manager: User) -> None:
    settle(manager, doubted, CARRIED_OUT)
    assert doubted.status == OrderStatus.DONE
    assert doubted.result == f"Callcap carried it out. Settled by Manager Test: {WHY}"
    assert doubted.campaign == Campaign.objects.get(phone_number=CAKE, destination=DESTINATION)
    assert doubted.finished_at
    assert verbs(doubted)[-2:] == ["number.bought", "order.settled"]
    assert history_verify().problems == []


def test_purchase_found_not_carried_out_fails_and_frees_its_number(
    doubted: Order, rep: User, manager: User, location: Account
) -> None:
    settle(manager, doubted, NOT_CARRIED_OUT)
    assert (doubted.status, doubted.execute_after) == (OrderStatus.FAILED, None)
    assert doubted.result == f"Callcap did not carry it out. Settled by Manager Test: {WHY}"
    assert not Campaign.objects.exists()
    assert ask(rep, location, CAKE).status == OrderStatus.PENDING


def test_purchase_of_the_number_that_callcap_named_is_mirrored_under_it(misnamed: Order, manager: User) -> None:
    named = misnamed.attempts.get().named_number
    settle(manager, misnamed, ANOTHER)
    assert (misnamed.status, misnamed.phone_number) == (OrderStatus.DONE, named)
    campaign = Campaign.objects.get()
    assert (campaign.phone_number, campaign.destination, campaign.city) == (named, DESTINATION, "")
    assert HistoryEntry.objects.get(verb="number.bought").number == named
    assert not misnamed.choices.filter(live=True).exists()
    assert history_verify().problems == []


def test_another_number_is_refused_where_callcap_named_none(doubted: Order, manager: User) -> None:
    with pytest.raises(InvalidInput, match="named no other number") as refusal:
        settle(manager, doubted, ANOTHER)
    assert refusal.value.field == "finding"
    assert waits_for_a_person(doubted)


def test_stop_date_of_a_purchase_found_carried_out_follows(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = approve(manager, ask(rep, location, CAKE, stop_date="2099-01-31"))
    sandbox.arm_fault("other_number", "provision")
    carry_out(order)
    settle(manager, order, CARRIED_OUT)
    child = order.children.get()
    assert (child.kind, child.parameters) == (OrderKind.CHANGE, {"stop_date": "2099-01-31"})


def test_order_that_still_checks_itself_may_be_settled_earlier(
    approved: Order, manager: User, sandbox: SandboxServer
) -> None:
    sandbox.arm_fault("drop_before_commit", "provision")
    assert carry_out(approved).execute_after
    settle(manager, approved, NOT_CARRIED_OUT)
    made = len(outcomes(approved))
    keep_trying(approved)
    assert (approved.status, len(outcomes(approved)), sandbox.purchases()) == (OrderStatus.FAILED, made, [])


# --- changes -------------------------------------------------------------------------------------------------------


def test_change_found_carried_out_is_done_and_mirrored(doubted_change: Order, manager: User) -> None:
    settle(manager, doubted_change, CARRIED_OUT)
    assert doubted_change.status == OrderStatus.DONE
    campaign = Campaign.objects.get()
    assert (campaign.destination, campaign.version) == (MOVED, 2)
    assert verbs(doubted_change)[-2:] == ["number.changed", "order.settled"]
    assert history_verify().problems == []


def test_change_found_not_carried_out_fails_and_leaves_the_mirror(doubted_change: Order, manager: User) -> None:
    settle(manager, doubted_change, NOT_CARRIED_OUT)
    assert doubted_change.status == OrderStatus.FAILED
    assert Campaign.objects.get().destination == DESTINATION


@pytest.mark.parametrize(("finding", "expected"), [(CARRIED_OUT, MOVED), (NOT_CARRIED_OUT, DESTINATION)])
def test_whatever_was_found_the_mirror_is_sent_once_more_after_the_settling_time(
    doubted_change: Order, manager: User, sandbox: SandboxServer, finding: Finding, expected: str
) -> None:
    settle(manager, doubted_change, finding)
    child = doubted_change.children.get(kind=OrderKind.REAPPLY)
    assert carry_out(child).status == OrderStatus.APPROVED
    assert settling_is_over(child).status == OrderStatus.DONE
    assert sandbox.journal(kind="update")[-1]["values"] == {"destination": expected}


def test_change_is_never_about_another_number(doubted_change: Order, manager: User) -> None:
    with pytest.raises(InvalidInput, match="one number only"):
        settle(manager, doubted_change, ANOTHER)
    assert waits_for_a_person(doubted_change)


def test_number_takes_orders_again_once_its_change_is_settled(
    doubted_change: Order, manager: User, bought: Campaign
) -> None:
    waiting = carry_out(ask_change(manager, bought, notes="after it"))
    assert waiting.status == OrderStatus.APPROVED
    settle(manager, doubted_change, NOT_CARRIED_OUT)
    pause_is_over(waiting)
    assert carry_out(waiting).status == OrderStatus.DONE


# --- in the history ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("finding", [CARRIED_OUT, NOT_CARRIED_OUT])
def test_history_says_who_settled_it_and_why(doubted: Order, manager: User, finding: Finding) -> None:
    settle(manager, doubted, finding)
    entry = HistoryEntry.objects.get(verb="order.settled")
    assert (entry.actor_id, entry.source) == (manager.pk, "web")
    assert WHY in entry.reason
    assert entry.changes == {"status": ["unknown", doubted.status]}


def test_requester_is_told_that_it_is_settled_and_the_settler_is_not(doubted: Order, manager: User) -> None:
    settle(manager, doubted, CARRIED_OUT)
    assert told(doubted, "settled") == ["rep"]


# --- who may -------------------------------------------------------------------------------------------------------


def test_rep_may_not(doubted: Order, rep: User) -> None:
    with pytest.raises(PermissionDenied, match="Your role does not allow you"):
        settle(rep, doubted, CARRIED_OUT)


def test_auditor_may_not(doubted: Order, auditor: User) -> None:
    with pytest.raises(PermissionDenied):
        settle(auditor, doubted, CARRIED_OUT)


def test_administrator_may_not(doubted: Order) -> None:
    with pytest.raises(PermissionDenied):
        settle(UserFactory(role=Role.ADMINISTRATOR), doubted, CARRIED_OUT)


def test_the_portal_itself_may_not(doubted: Order) -> None:
    with pytest.raises(PermissionDenied, match="Only a person"):
        order_settle(actor=WORKER, order_id=doubted.pk, finding=CARRIED_OUT, reason=WHY)


def test_order_of_an_account_without_grant_is_as_good_as_absent(doubted: Order, strange_manager: User) -> None:
    with pytest.raises(Order.DoesNotExist):
        settle(strange_manager, doubted, CARRIED_OUT)


def test_manager_who_asked_for_the_purchase_may_not(
    manager: User, manager2: User, location: Account, sandbox: SandboxServer
) -> None:
    order = approve(manager2, ask(manager, location, CAKE))
    sandbox.arm_fault("other_number", "provision")
    carry_out(order)
    with pytest.raises(PermissionDenied, match="You asked for this yourself"):
        settle(manager, order, CARRIED_OUT)
    assert settle(manager2, order, NOT_CARRIED_OUT).status == OrderStatus.FAILED


def test_manager_who_approved_it_may(doubted: Order, manager: User) -> None:
    assert doubted.decider_id == manager.pk
    assert settle(manager, doubted, CARRIED_OUT).status == OrderStatus.DONE


def test_manager_may_settle_their_own_change(doubted_change: Order, manager: User) -> None:
    assert doubted_change.self_approved
    assert settle(manager, doubted_change, CARRIED_OUT).status == OrderStatus.DONE


# --- conflicts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["pending", "approved", "sending", "done", "failed", "rejected", "cancelled"])
def test_order_that_is_not_unknown_is_a_conflict(doubted: Order, manager: User, status: str) -> None:
    Order.objects.filter(pk=doubted.pk).update(status=status)
    with pytest.raises(Conflict, match="not unknown any more"):
        settle(manager, doubted, CARRIED_OUT)
    assert not Campaign.objects.exists()


def test_order_settled_meanwhile_is_a_conflict_that_says_so(doubted: Order, manager: User, manager2: User) -> None:
    settle(manager, doubted, NOT_CARRIED_OUT)
    with pytest.raises(Conflict, match="it is failed"):
        settle(manager2, doubted, CARRIED_OUT)
    assert (doubted.status, verbs(doubted).count("order.settled")) == (OrderStatus.FAILED, 1)


def test_order_whose_check_is_under_way_is_a_conflict(
    approved: Order, manager: User, sandbox: SandboxServer, die_at: Callable[[Order, str], None]
) -> None:
    sandbox.arm_fault("drop_before_commit", "provision")
    die_at(approved, "recorded")
    die_at(approved, "intent written")
    assert approved.status == OrderStatus.UNKNOWN
    with pytest.raises(Conflict, match="being asked about this order right now"):
        settle(manager, approved, NOT_CARRIED_OUT)
    time_passes(approved, 60)
    keep_trying(approved)


# --- answers that come afterwards ----------------------------------------------------------------------------------


@pytest.fixture
def asleep(approved: Order, manager: User, die_at: Callable[[Order, str], None]) -> Order:
    """A purchase whose worker sleeps on, given up by the clock."""
    die_at(approved, "intent written")
    attempt = approved.attempts.get()
    silence = WriteAnswer(Outcome.UNKNOWN, None, "Nobody saw the answer.")
    attempt_conclude(actor=WORKER, attempt=attempt, answer=silence)
    approved.refresh_from_db()
    return approved


def late(order: Order, answer: WriteAnswer) -> Order:
    attempt_conclude(actor=WORKER, attempt=order.attempts.all()[0], answer=answer)
    order.refresh_from_db()
    return order


APPLIED = WriteAnswer(Outcome.APPLIED, 200, "success", named_number=CAKE, campaign_id="77")
REFUSED = WriteAnswer(Outcome.REFUSED, 409, "The phone number is not available.")


def test_late_success_overrules_a_person_who_found_nothing(asleep: Order, manager: User) -> None:
    settle(manager, asleep, NOT_CARRIED_OUT)
    late(asleep, APPLIED)
    assert (asleep.status, asleep.result) == (
        OrderStatus.DONE,
        "Bought after all: Callcap's answer came late.",
    )
    assert asleep.campaign == Campaign.objects.get(phone_number=CAKE)
    assert history_verify().problems == []


def test_late_success_after_a_person_found_it_adds_nothing(asleep: Order, manager: User) -> None:
    settle(manager, asleep, CARRIED_OUT)
    entries = HistoryEntry.objects.count()
    late(asleep, APPLIED)
    assert (Campaign.objects.count(), HistoryEntry.objects.count()) == (1, entries)
    assert asleep.attempts.get().recorded


def test_late_success_after_somebody_else_wanted_the_freed_number_keeps_them_from_buying_it(
    asleep: Order, rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    settle(manager, asleep, NOT_CARRIED_OUT)
    other = approve(manager, ask(rep, location, CAKE))
    late(asleep, APPLIED)
    assert carry_out(other).status == OrderStatus.FAILED
    assert "already among our numbers" in other.result
    assert sandbox.purchases() == []


@pytest.mark.parametrize("finding", [CARRIED_OUT, NOT_CARRIED_OUT])
def test_late_refusal_leaves_what_a_person_found(asleep: Order, manager: User, finding: Finding) -> None:
    status = settle(manager, asleep, finding).status
    late(asleep, REFUSED)
    assert asleep.status == status
    assert outcomes(asleep)[0] == (CAKE, AttemptOutcome.REFUSED)


@pytest.mark.parametrize("finding", [CARRIED_OUT, ANOTHER])
def test_number_that_is_in_the_mirror_already_is_told_in_a_sentence(
    misnamed: Order, manager: User, location: Account, finding: Finding
) -> None:
    named = misnamed.attempts.get().named_number
    CampaignFactory(phone_number=CAKE if finding == CARRIED_OUT else named, account=location)
    with pytest.raises(InvalidInput, match="already among our numbers") as refusal:
        settle(manager, misnamed, finding)
    assert refusal.value.field == "finding"
    assert waits_for_a_person(misnamed)
    assert Campaign.objects.filter(ended_at=None).count() == 1


def test_order_whose_number_was_mirrored_by_a_settlement_while_it_was_bought_ends(
    misnamed: Order,
    rep: User,
    manager: User,
    location: Account,
    on_step: Callable[[str, Callable[[], None]], None],
) -> None:
    named = misnamed.attempts.get().named_number
    order = approve(manager, ask(rep, location, named))
    on_step("answered", lambda: settle(manager, misnamed, ANOTHER) and None)
    carry_out(order)
    keep_trying(order)
    assert Campaign.objects.get().phone_number == named
    assert order.status != OrderStatus.SENDING
