"""Asking for a change of a number."""

import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import Account, Campaign, HistoryEntry, Order, OrderStatus, User
from tests.factories import CampaignFactory
from tests.orders.steps import CAKE, DESTINATION, ask, ask_change, rings, verbs

MOVED = "3165550100"

pytestmark = pytest.mark.django_db


def test_rep_s_change_waits_for_a_manager(rep: User, mirrored: Campaign) -> None:
    order = ask_change(rep, mirrored, destination=MOVED, stop_date="2099-01-31")
    assert (order.status, order.decider_id, order.self_approved) == (OrderStatus.PENDING, None, False)
    assert order.before == {"destination": DESTINATION, "stop_date": None}
    assert rings() == []
    entry = HistoryEntry.objects.get(order_id=order.pk)
    assert entry.changes == {"destination": [DESTINATION, MOVED], "stop_date": [None, "2099-01-31"]}


def test_manager_s_own_change_is_on_its_way_at_once_and_marked(manager: User, mirrored: Campaign) -> None:
    order = ask_change(manager, mirrored, destination=MOVED)
    order.refresh_from_db()
    assert (order.status, order.decider_id, order.self_approved) == (OrderStatus.APPROVED, manager.pk, True)
    assert verbs(order) == ["order.requested", "order.approved"]
    assert rings() == [order.pk]


def test_asking_changes_nothing_yet(manager: User, mirrored: Campaign) -> None:
    ask_change(manager, mirrored, destination=MOVED)
    mirrored.refresh_from_db()
    assert (mirrored.destination, mirrored.version) == (DESTINATION, 1)


def test_auditor_may_not_ask(auditor: User, mirrored: Campaign) -> None:
    with pytest.raises(PermissionDenied, match="Your role does not allow you"):
        ask_change(auditor, mirrored, destination=MOVED)


def test_number_of_an_account_without_grant_is_refused(manager: User, elsewhere: Account) -> None:
    campaign = CampaignFactory(phone_number=CAKE, account=elsewhere)
    with pytest.raises(PermissionDenied, match="may not change numbers of this account"):
        ask_change(manager, campaign, destination=MOVED)


def test_change_of_nothing_is_refused(rep: User, mirrored: Campaign) -> None:
    with pytest.raises(InvalidInput, match="Nothing would change"):
        ask_change(rep, mirrored)


def test_same_form_sent_twice_makes_one_order(manager: User, mirrored: Campaign) -> None:
    token = uuid.uuid4()
    first = ask_change(manager, mirrored, token=token, destination=MOVED)
    assert ask_change(manager, mirrored, token=token, destination=MOVED) == first
    assert Order.objects.count() == 1
    assert rings() == [first.pk]


def test_form_sent_again_with_other_values_is_refused_rather_than_dropped(rep: User, mirrored: Campaign) -> None:
    token = uuid.uuid4()
    ask_change(rep, mirrored, token=token, destination=MOVED)
    with pytest.raises(InvalidInput, match="already sent, with other values"):
        ask_change(rep, mirrored, token=token, destination="3165550199")
    assert Order.objects.count() == 1


def test_stale_form_is_a_conflict(rep: User, mirrored: Campaign) -> None:
    Campaign.objects.filter(pk=mirrored.pk).update(version=2, notes="from a colleague")
    with pytest.raises(Conflict, match="Somebody changed this number after you opened the form"):
        ask_change(rep, mirrored, version=1, destination=MOVED)
    assert not Order.objects.exists()


def test_stopped_number_takes_no_change(rep: User, location: Account) -> None:
    at = location.synced_at
    stopped = CampaignFactory(phone_number=CAKE, account=location, stop_date=at.date(), ended_at=at)
    with pytest.raises(InvalidInput, match="has stopped"):
        ask_change(rep, stopped, destination=MOVED)


def test_the_database_takes_no_change_without_a_number(rep: User, location: Account) -> None:
    order = ask(rep, location)
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(kind="change")
