"""Asking Callcap whether a number is still ours: what is sent, what an answer means, and how a dispute is settled."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import Account, Campaign, HistoryEntry, Order, OrderKind, OrderStatus, User, Verb
from numbers_app.services.confirmation import campaign_settle_dispute, order_request_confirm
from numbers_app.services.orders import order_amend
from numbers_app.services.verification import history_verify
from tests.orders.steps import (
    CAKE,
    approve,
    ask_change,
    carry_out,
    pause_is_over,
    settling_is_over,
    told,
    verbs,
    waits_for_a_person,
)
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.django_db


def ask_confirm(person: User, campaign: Campaign, token: uuid.UUID | None = None) -> Order:
    return order_request_confirm(actor=Actor.person(person), campaign=campaign, form_token=token or uuid.uuid4())


def settle(person: User, campaign: Campaign, *, still_ours: bool) -> Campaign:
    campaign_settle_dispute(
        actor=Actor.person(person), campaign=campaign, still_ours=still_ours, reason="Seen in Callcap's interface"
    )
    campaign.refresh_from_db()
    return campaign


def sent(sandbox: SandboxServer) -> list[dict[str, Any]]:
    return [update["values"] for update in sandbox.journal(number=CAKE, kind="update")]


@pytest.fixture
def unconfirmed(bought: Campaign) -> Campaign:
    """A number of ours that was last confirmed a year ago."""
    Campaign.objects.update(confirmed_at=timezone.now() - timedelta(days=365))
    bought.refresh_from_db()
    return bought


@pytest.fixture
def disputed(mirrored: Campaign, manager: User, sandbox: SandboxServer) -> Campaign:
    """A number of the mirror that Callcap says is not ours."""
    carry_out(ask_confirm(manager, mirrored))
    mirrored.refresh_from_db()
    return mirrored


def test_a_confirmation_sends_the_name_alone_and_changes_nothing_but_the_date(
    manager: User, unconfirmed: Campaign, sandbox: SandboxServer
) -> None:
    before = HistoryEntry.objects.filter(verb=Verb.NUMBER_CHANGED).count()
    order = carry_out(ask_confirm(manager, unconfirmed))
    assert (order.status, order.result) == (OrderStatus.DONE, "Confirmed: the number is ours.")
    assert sent(sandbox) == [{"campaignName": "Cakes"}]
    was = Campaign.objects.get()
    assert was.confirmed_at
    assert was.confirmed_at > timezone.now() - timedelta(minutes=1)
    assert was.version == unconfirmed.version
    assert HistoryEntry.objects.filter(verb=Verb.NUMBER_CHANGED).count() == before
    assert history_verify().problems == []


def test_a_managers_confirmation_needs_nobody_else_and_a_reps_waits(
    rep: User, manager: User, mirrored: Campaign
) -> None:
    own = ask_confirm(manager, mirrored)
    assert (own.status, own.self_approved, told(own, "requested")) == (OrderStatus.APPROVED, True, [])
    Order.objects.filter(pk=own.pk).update(status=OrderStatus.DONE)
    asked = ask_confirm(rep, mirrored)
    assert (asked.status, told(asked, "requested")) == (OrderStatus.PENDING, ["manager"])


def test_the_name_is_sent_as_it_is_at_that_moment(
    rep: User, manager: User, bought: Campaign, sandbox: SandboxServer
) -> None:
    order = ask_confirm(rep, bought)
    carry_out(ask_change(manager, bought, campaign_name="Pies"))
    carry_out(approve(manager, order))
    assert sent(sandbox)[-1] == {"campaignName": "Pies"}


def test_a_number_that_is_not_ours_fails_the_order_and_is_disputed(disputed: Campaign, manager: User) -> None:
    order = disputed.orders.get()
    assert order.status == OrderStatus.FAILED
    assert order.result.startswith("Callcap refused: ")
    assert disputed.disputed_at is not None
    assert disputed.dispute in order.result
    entry = HistoryEntry.objects.get(verb=Verb.NUMBER_DISPUTED)
    assert (entry.number, entry.order_id, entry.vendor_status) == (CAKE, order.pk, 404)
    assert entry.actor_name == "Manager Test"
    assert history_verify().problems == []


def test_a_refusal_for_another_reason_disputes_nothing(manager: User, bought: Campaign, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("not_success", "update")
    assert carry_out(ask_confirm(manager, bought)).status == OrderStatus.FAILED
    assert Campaign.objects.get().disputed_at is None


@pytest.mark.parametrize("fault", ["429", "401"])
def test_an_answer_that_is_not_about_the_number_disputes_nothing_and_is_tried_again(
    manager: User, bought: Campaign, sandbox: SandboxServer, fault: str
) -> None:
    sandbox.arm_fault(fault, "update")
    assert carry_out(ask_confirm(manager, bought)).status == OrderStatus.APPROVED
    assert Campaign.objects.get().disputed_at is None


def test_a_change_that_is_refused_as_not_ours_disputes_the_number_too(
    manager: User, mirrored: Campaign, sandbox: SandboxServer
) -> None:
    assert carry_out(ask_change(manager, mirrored, notes="new")).status == OrderStatus.FAILED
    assert Campaign.objects.get().disputed_at is not None


def test_a_dispute_is_opened_once(disputed: Campaign, manager: User, sandbox: SandboxServer) -> None:
    carry_out(ask_confirm(manager, disputed))
    assert HistoryEntry.objects.filter(verb=Verb.NUMBER_DISPUTED).count() == 1
    assert Campaign.objects.get().disputed_at == disputed.disputed_at


@pytest.mark.parametrize("parameters", [{}, {"notes": "new"}])
def test_an_update_that_callcap_carries_out_ends_the_dispute(
    manager: User, bought: Campaign, parameters: dict[str, str]
) -> None:
    Campaign.objects.update(disputed_at=timezone.now(), dispute="No such number.")
    order = ask_change(manager, bought, **parameters) if parameters else ask_confirm(manager, bought)
    carry_out(order)
    campaign = Campaign.objects.get()
    assert (campaign.disputed_at, campaign.dispute) == (None, "")
    entry = HistoryEntry.objects.get(verb=Verb.NUMBER_SETTLED)
    assert (entry.order_id, entry.changes) == (order.pk, {"dispute": ["No such number.", None]})
    assert history_verify().problems == []


def test_a_confirmation_of_unknown_outcome_is_repeated_and_the_name_sent_once_more(
    manager: User, bought: Campaign, sandbox: SandboxServer
) -> None:
    sandbox.arm_fault("drop_before_commit", "update")
    order = carry_out(ask_confirm(manager, bought))
    assert order.status == OrderStatus.UNKNOWN
    pause_is_over(order)
    assert carry_out(order).status == OrderStatus.DONE
    again = settling_is_over(order.children.get(kind=OrderKind.REAPPLY))
    assert (again.status, sent(sandbox)) == (OrderStatus.DONE, [{"campaignName": "Cakes"}] * 2)


def test_a_repetition_that_is_refused_needs_no_person(manager: User, bought: Campaign, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("drop_before_commit", "update")
    order = carry_out(ask_confirm(manager, bought))
    sandbox.arm_fault("404", "update")
    pause_is_over(order)
    carry_out(order)
    assert not waits_for_a_person(order)
    assert order.status == OrderStatus.FAILED
    assert Campaign.objects.get().disputed_at is not None
    assert order.children.get().kind == OrderKind.REAPPLY


def test_a_number_that_stopped_meanwhile_is_not_asked_about(
    rep: User, manager: User, disputed: Campaign, sandbox: SandboxServer
) -> None:
    order = approve(manager, ask_confirm(rep, disputed))
    calls = len(sandbox.journal())
    settle(manager, disputed, still_ours=False)
    assert carry_out(order).status == OrderStatus.FAILED
    assert order.result == "The number has stopped meanwhile. Nothing was sent."
    assert len(sandbox.journal()) == calls


def test_the_same_form_sent_twice_asks_once_and_a_second_form_is_told(manager: User, mirrored: Campaign) -> None:
    token = uuid.uuid4()
    first = ask_confirm(manager, mirrored, token)
    assert ask_confirm(manager, mirrored, token) == first
    with pytest.raises(Conflict, match=f"Order {first.pk} asks Callcap about"):
        ask_confirm(manager, mirrored)


def test_what_is_asked_cannot_be_rewritten(rep: User, mirrored: Campaign) -> None:
    order = ask_confirm(rep, mirrored)
    with pytest.raises(InvalidInput, match="nothing to rewrite"):
        order_amend(
            actor=Actor.person(rep),
            order_id=order.pk,
            revision=1,
            parameters={"destination": "3165550100"},
            reason="",
            urgent=False,
            execute_after=None,
        )


def test_who_was_not_granted_the_account_or_may_not_order_asks_nothing(
    strange_rep: User, auditor: User, mirrored: Campaign
) -> None:
    for person in (strange_rep, auditor):
        with pytest.raises(PermissionDenied):
            ask_confirm(person, mirrored)
    assert not Order.objects.exists()


# --- settling -------------------------------------------------------------------------------------------------------


def test_a_manager_settles_that_the_number_is_still_ours(disputed: Campaign, manager: User) -> None:
    settle(manager, disputed, still_ours=True)
    assert (disputed.disputed_at, disputed.dispute, disputed.ended_at) == (None, "", None)
    entry = HistoryEntry.objects.get(verb=Verb.NUMBER_SETTLED)
    assert (entry.reason, entry.actor_id) == ("Seen in Callcap's interface", manager.pk)
    assert history_verify().problems == []


def test_a_manager_settles_that_the_number_is_not_ours_any_more(disputed: Campaign, manager: User) -> None:
    settle(manager, disputed, still_ours=False)
    assert disputed.ended_at is not None
    assert (disputed.disputed_at, disputed.last_change.verb) == (None, Verb.NUMBER_ENDED)
    assert disputed.last_change.reason == "It is not ours any more. Seen in Callcap's interface"
    assert history_verify().problems == []


def test_a_dispute_is_settled_once(disputed: Campaign, manager: User) -> None:
    settle(manager, disputed, still_ours=True)
    with pytest.raises(Conflict):
        settle(manager, disputed, still_ours=False)
    assert Campaign.objects.get().ended_at is None


@pytest.mark.parametrize("who", ["rep", "strange_manager", "auditor"])
def test_only_managers_of_the_account_settle(
    disputed: Campaign, who: str, request: pytest.FixtureRequest, location: Account
) -> None:
    with pytest.raises(PermissionDenied):
        settle(request.getfixturevalue(who), disputed, still_ours=False)
    assert Campaign.objects.get().disputed_at is not None


def test_the_orders_history_tells_of_the_dispute(disputed: Campaign) -> None:
    assert verbs(disputed.orders.get()) == [
        "order.requested",
        "order.approved",
        "order.sending",
        "number.disputed",
        "order.failed",
    ]
