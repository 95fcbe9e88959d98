"""Asking for a number."""

import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from numbers_app.actors import Actor
from numbers_app.errors import InvalidInput
from numbers_app.models import Account, Campaign, Choice, HistoryEntry, Order, OrderStatus, User
from numbers_app.services.decisions import order_cancel
from tests.factories import CampaignFactory
from tests.orders.steps import CAKE, DESTINATION, WORKER, ask, rings, verbs

SECOND, THIRD = "3164440002", "3164440003"

pytestmark = pytest.mark.django_db


def test_request_waits_for_approval_with_its_choices_in_order(rep: User, location: Account) -> None:
    order = ask(rep, location, CAKE, SECOND, THIRD, campaign_name="Cakes")
    assert order.status == OrderStatus.PENDING
    assert order.phone_number == ""
    assert list(order.choices.values_list("rank", "number", "live")) == [
        (1, CAKE, True),
        (2, SECOND, True),
        (3, THIRD, True),
    ]
    assert order.parameters == {"destination": DESTINATION, "campaign_name": "Cakes"}
    assert rings() == []


def test_request_is_in_the_history_with_values_and_reason(rep: User, location: Account) -> None:
    order = ask(rep, location, CAKE)
    entry = HistoryEntry.objects.get(order_id=order.pk)
    assert (entry.verb, entry.actor_id, entry.role) == ("order.requested", rep.pk, "Sales rep")
    assert entry.changes == {"destination": [None, DESTINATION], "number": [None, [CAKE]]}
    assert (entry.number, entry.account_key, entry.reason) == (CAKE, "L-3", "For the spring campaign")


def test_auditor_may_not_ask(auditor: User, location: Account) -> None:
    with pytest.raises(PermissionDenied, match="Your role does not allow you to request purchases"):
        ask(auditor, location)
    assert not Order.objects.exists()


def test_account_without_grant_is_refused(rep: User, elsewhere: Account) -> None:
    with pytest.raises(PermissionDenied, match="may not order numbers for this account"):
        ask(rep, elsewhere)


def test_account_that_holds_no_numbers_is_refused(manager: User, location: Account) -> None:
    assert location.parent
    manager.grants.create(account=location.parent)
    with pytest.raises(PermissionDenied):
        ask(manager, location.parent)


def test_account_gone_from_the_vendor_is_refused(rep: User, location: Account) -> None:
    Account.objects.filter(pk=location.pk).update(active=False)
    with pytest.raises(PermissionDenied):
        ask(rep, location)


def test_the_portal_itself_may_not_ask() -> None:
    with pytest.raises(PermissionDenied, match="Only a person"):
        _ = WORKER.person_or_refuse


def test_same_form_sent_twice_makes_one_order(rep: User, location: Account) -> None:
    token = uuid.uuid4()
    first = ask(rep, location, CAKE, token=token)
    assert ask(rep, location, CAKE, token=token) == first
    assert Order.objects.count() == 1
    assert verbs(first) == ["order.requested"]


def test_form_sent_again_with_other_values_is_refused_rather_than_dropped(rep: User, location: Account) -> None:
    token = uuid.uuid4()
    ask(rep, location, CAKE, token=token)
    with pytest.raises(InvalidInput, match="already sent, with other values"):
        ask(rep, location, SECOND, token=token)
    with pytest.raises(InvalidInput, match="already sent, with other values"):
        ask(rep, location, CAKE, token=token, notes="also")
    assert Order.objects.count() == 1


def test_another_persons_form_token_does_not_show_their_order(rep: User, manager: User, location: Account) -> None:
    token = uuid.uuid4()
    ask(rep, location, CAKE, token=token)
    with pytest.raises(InvalidInput, match="already sent"):
        ask(manager, location, CAKE, token=token)


def test_number_wanted_by_another_order_is_refused_by_name(rep: User, manager: User, location: Account) -> None:
    first = ask(rep, location, SECOND, CAKE)
    with pytest.raises(InvalidInput, match=rf"\(316\) 734-2253 is already asked for in order {first.pk}") as refusal:
        ask(manager, location, THIRD, CAKE)
    assert refusal.value.field == "number"
    assert Order.objects.count() == 1


def test_number_of_a_cancelled_order_can_be_asked_for_again(rep: User, location: Account) -> None:
    order_cancel(actor=Actor.person(rep), order_id=ask(rep, location, CAKE).pk)
    assert ask(rep, location, CAKE).status == OrderStatus.PENDING


def test_number_that_is_already_ours_is_refused(rep: User, location: Account, mirrored: Campaign) -> None:
    with pytest.raises(InvalidInput, match="is already one of our numbers") as refusal:
        ask(rep, location, SECOND, CAKE)
    assert refusal.value.field == "number"


def test_number_that_stopped_can_be_asked_for_again(rep: User, location: Account) -> None:
    stopped = location.synced_at
    CampaignFactory(phone_number=CAKE, account=location, ended_at=stopped, stop_date=stopped.date())
    assert ask(rep, location, CAKE).status == OrderStatus.PENDING


def test_the_database_takes_a_number_live_in_one_order_only(rep: User, location: Account) -> None:
    ask(rep, location, CAKE)
    other = ask(rep, location, SECOND)
    with pytest.raises(IntegrityError), transaction.atomic():
        Choice.objects.create(order=other, number=CAKE, rank=2)


def test_the_database_takes_no_order_of_a_made_up_state(rep: User, location: Account) -> None:
    order = ask(rep, location, CAKE)
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(status="finished")
