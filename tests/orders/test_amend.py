"""Writing a waiting order anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import Account, Campaign, HistoryEntry, Order, OrderStatus, User, Verb
from numbers_app.permissions import Role
from numbers_app.services import orders
from numbers_app.services.decisions import order_cancel, order_reject
from numbers_app.services.history import NumberState, history_append
from numbers_app.services.orders import WantedNumber, order_amend
from numbers_app.services.verification import history_verify
from tests.factories import CampaignFactory, GrantFactory, UserFactory
from tests.orders.steps import CAKE, DESTINATION, WORKER, approve, ask, ask_change, carry_out, rings, told, verbs
from tests.sandbox_server import SandboxServer

SECOND, THIRD = "3164440002", "3164440003"
MOVED = "3165550100"

pytestmark = pytest.mark.django_db


def amend(person: User, order: Order, *numbers: str, revision: int | None = None, **wish: Any) -> Order:
    """The order written anew: other numbers, and ``parameters``, ``reason``, ``urgent`` or ``execute_after``."""
    wanted = numbers or order.choices.values_list("number", flat=True)
    current = {
        "parameters": order.parameters,
        "reason": order.reason,
        "urgent": order.urgent,
        "execute_after": order.execute_after,
    }
    order_amend(
        actor=Actor.person(person),
        order_id=order.pk,
        revision=revision or order.revision,
        wanted=[WantedNumber(number) for number in wanted],
        **(current | wish),
    )
    order.refresh_from_db()
    return order


@pytest.fixture
def order(rep: User, location: Account) -> Order:
    return ask(rep, location, CAKE, SECOND, notes="first")


# --- what becomes of it --------------------------------------------------------------------------------------------


def test_amended_order_waits_as_a_new_revision_by_its_new_author(order: Order, rep: User, manager: User) -> None:
    before = order.submitted_at
    amend(manager, order, parameters={"destination": MOVED, "notes": "second"}, reason="Better", urgent=True)
    assert (order.status, order.revision) == (OrderStatus.PENDING, 2)
    assert order.parameters == {"destination": MOVED, "notes": "second"}
    assert (order.reason, order.urgent) == ("Better", True)
    assert (order.requester_id, order.author_id, order.author_name) == (rep.pk, manager.pk, "Manager Test")
    assert order.submitted_at > before
    assert rings() == []


def test_numbers_are_replaced_in_the_new_order(order: Order, rep: User, location: Account) -> None:
    amend(rep, order, THIRD, CAKE)
    assert list(order.choices.values_list("rank", "number", "live")) == [(1, THIRD, True), (2, CAKE, True)]
    assert order.phone_number == ""
    assert ask(rep, location, SECOND).status == OrderStatus.PENDING


def test_single_number_is_named_by_the_order(order: Order, rep: User) -> None:
    assert amend(rep, order, THIRD).phone_number == THIRD
    assert amend(rep, order, THIRD, CAKE).phone_number == ""


def test_choices_that_stay_keep_their_place_and_spelling(order: Order, rep: User) -> None:
    order.choices.filter(number=CAKE).update(place="Wichita, KS", spelling="316-734-CAKE")
    amend(rep, order, reason="Only the reason")
    choice = order.choices.get(number=CAKE)
    assert (choice.place, choice.spelling) == ("Wichita, KS", "316-734-CAKE")


def test_history_shows_every_difference_and_nothing_else(order: Order, manager: User) -> None:
    wished = datetime(2099, 1, 31, 12, tzinfo=UTC)
    amend(
        manager,
        order,
        CAKE,
        parameters={"destination": MOVED},
        reason="Better",
        urgent=True,
        execute_after=wished,
    )
    entry = HistoryEntry.objects.get(order_id=order.pk, verb="order.amended")
    assert entry.actor_id == manager.pk
    assert entry.changes == {
        "destination": [DESTINATION, MOVED],
        "notes": ["first", None],
        "number": [[CAKE, SECOND], [CAKE]],
        "reason": ["For the spring campaign", "Better"],
        "urgent": [None, True],
        "execute_after": [None, "2099-01-31T12:00:00+00:00"],
    }
    assert history_verify().problems == []


def test_amending_back_is_an_amendment_too(order: Order, rep: User) -> None:
    amend(rep, order, reason="Other")
    amend(rep, order, reason="For the spring campaign")
    assert (order.revision, verbs(order)) == (3, ["order.requested", "order.amended", "order.amended"])


def test_change_keeps_the_values_that_the_number_has_when_it_is_amended(
    rep: User, manager: User, mirrored: Campaign, sandbox: SandboxServer
) -> None:
    order = ask_change(rep, mirrored, notes="by the river")
    Campaign.objects.filter(pk=mirrored.pk).update(notes="somebody else's")
    amend(rep, order, parameters={"notes": "by the sea", "memo1": "x"})
    assert order.before == {"notes": "somebody else's", "memo1": ""}
    assert order.phone_number == CAKE


def test_what_was_amended_is_what_is_bought(
    rep: User, manager: User, location: Account, sandbox: SandboxServer, numbers: list[str]
) -> None:
    order = ask(rep, location, numbers[0])
    amend(rep, order, numbers[1], parameters={"destination": MOVED})
    assert carry_out(approve(manager, order)).status == OrderStatus.DONE
    [purchase] = sandbox.purchases()
    assert (purchase["number"], purchase["values"]) == (numbers[1], {"destination": MOVED})


def test_wish_for_a_later_time_can_be_taken_back(order: Order, rep: User) -> None:
    amend(rep, order, execute_after=timezone.now() + timedelta(days=3))
    assert amend(rep, order, execute_after=None).execute_after is None


# --- who may -------------------------------------------------------------------------------------------------------


def test_other_rep_may_not(order: Order, location: Account) -> None:
    other: User = UserFactory(role=Role.SALES_REP)
    GrantFactory(user=other, account=location)
    with pytest.raises(PermissionDenied, match="Your role does not allow you"):
        amend(other, order, reason="Mine now")


def test_auditor_may_not(order: Order, auditor: User) -> None:
    with pytest.raises(PermissionDenied):
        amend(auditor, order, reason="Mine now")


def test_the_portal_itself_may_not(order: Order) -> None:
    with pytest.raises(PermissionDenied, match="Only a person"):
        order_amend(
            actor=WORKER,
            order_id=order.pk,
            revision=1,
            wanted=[],
            parameters={},
            reason="",
            urgent=False,
            execute_after=None,
        )


def test_order_of_an_account_without_grant_is_as_good_as_absent(order: Order, strange_manager: User) -> None:
    with pytest.raises(Order.DoesNotExist):
        amend(strange_manager, order, reason="Mine now")


def test_requester_may_amend_what_a_manager_amended(order: Order, rep: User, manager: User) -> None:
    amend(manager, order, reason="Better")
    assert amend(rep, order, reason="Best").author_id == rep.pk


def test_nobody_who_wrote_a_revision_approves_it(order: Order, rep: User, manager: User, manager2: User) -> None:
    amend(manager, order, reason="Better")
    amend(rep, order, reason="Best")
    with pytest.raises(PermissionDenied, match="wrote a part of it"):
        approve(manager, order)
    assert approve(manager2, order).status == OrderStatus.APPROVED


def test_manager_s_amendment_of_a_rep_s_change_waits_for_another_manager(
    rep: User, manager: User, mirrored: Campaign
) -> None:
    order = amend(manager, ask_change(rep, mirrored, notes="x"), parameters={"notes": "y"})
    assert (order.status, order.self_approved) == (OrderStatus.PENDING, False)


# --- conflicts -----------------------------------------------------------------------------------------------------


def test_second_amendment_of_the_same_revision_is_told_who_was_first(order: Order, rep: User, manager: User) -> None:
    amend(manager, order, reason="Better")
    with pytest.raises(Conflict, match=r"Manager Test rewrote this order on \d{4}-.* after you opened it"):
        amend(rep, order, reason="Best", revision=1)
    order.refresh_from_db()
    assert (order.reason, order.revision) == ("Better", 2)


def test_approval_of_what_was_seen_before_is_a_conflict(order: Order, rep: User, manager: User) -> None:
    seen = Order.objects.get(pk=order.pk)
    amend(rep, order, parameters={"destination": MOVED})
    with pytest.raises(Conflict, match="Rep Test rewrote this order"):
        approve(manager, seen)
    with pytest.raises(Conflict, match="Rep Test rewrote this order"):
        order_reject(actor=Actor.person(manager), order_id=seen.pk, revision=seen.revision, reason="No")


def test_approved_order_is_no_longer_amended(order: Order, rep: User, manager: User) -> None:
    approve(manager, order)
    with pytest.raises(Conflict, match="it is approved, decided by Manager Test"):
        amend(rep, order, reason="Better")


def test_cancelled_order_is_no_longer_amended(order: Order, rep: User) -> None:
    order_cancel(actor=Actor.person(rep), order_id=order.pk)
    with pytest.raises(Conflict, match="Cancelled by Rep Test"):
        amend(rep, order, reason="Better")


# --- what is refused -----------------------------------------------------------------------------------------------


def test_amendment_that_changes_nothing_is_refused(order: Order, rep: User) -> None:
    with pytest.raises(InvalidInput, match="Nothing would change"):
        amend(rep, order)
    assert (Order.objects.get().revision, verbs(order)) == (1, ["order.requested"])


def test_number_of_another_order_is_refused_by_name(order: Order, rep: User, location: Account) -> None:
    other = ask(rep, location, THIRD)
    with pytest.raises(InvalidInput, match=f"already asked for in order {other.pk}") as refusal:
        amend(rep, order, CAKE, THIRD)
    assert refusal.value.field == "number"
    assert list(order.choices.values_list("number", flat=True)) == [CAKE, SECOND]


def test_number_that_is_ours_is_refused(order: Order, rep: User, location: Account) -> None:
    CampaignFactory(phone_number=THIRD, account=location)
    with pytest.raises(InvalidInput, match="already one of our numbers"):
        amend(rep, order, THIRD)


def test_own_numbers_are_not_in_the_way(order: Order, rep: User) -> None:
    amend(rep, order, SECOND, CAKE)
    assert list(order.choices.values_list("number", flat=True)) == [SECOND, CAKE]


def test_those_concerned_are_told(order: Order, manager: User, manager2: User) -> None:
    amend(manager, order, reason="Better")
    assert told(order, "amended") == ["manager2", "rep"]


def test_change_of_nothing_is_refused(rep: User, mirrored: Campaign) -> None:
    order = ask_change(rep, mirrored, notes="x")
    with pytest.raises(InvalidInput):
        amend(rep, order, parameters={})


def test_change_of_a_number_that_has_stopped_is_refused(rep: User, location: Account) -> None:
    campaign = CampaignFactory(phone_number=CAKE, account=location, destination=DESTINATION)
    order = ask_change(rep, campaign, notes="x")
    end(campaign)
    with pytest.raises(InvalidInput):
        amend(rep, order, parameters={"notes": "y"})


def test_number_that_somebody_takes_at_that_moment_is_refused_by_name(
    order: Order, rep: User, location: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks_again = orders._refuse_taken

    def overlook_once(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(orders, "_refuse_taken", asks_again)

    other = ask(rep, location, THIRD)
    monkeypatch.setattr(orders, "_refuse_taken", overlook_once)
    with pytest.raises(InvalidInput, match=f"already asked for in order {other.pk}"):
        amend(rep, order, CAKE, THIRD)


def end(campaign: Campaign) -> None:
    """The number has stopped."""
    at = timezone.now()
    with transaction.atomic():
        entry = history_append(
            actor=WORKER,
            verb=Verb.NUMBER_ENDED,
            number=campaign.phone_number,
            state=NumberState(campaign.destination, campaign.stop_date, at),
        )
        Campaign.objects.filter(pk=campaign.pk).update(ended_at=at, last_change=entry)
