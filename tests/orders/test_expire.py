"""Orders that nobody decides on end by themselves, and people are reminded before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import Conflict
from numbers_app.models import Account, Campaign, HistoryEntry, Order, OrderStatus, Source, User
from numbers_app.services.orders import WantedNumber, order_amend
from numbers_app.services.sweep import orders_expire
from numbers_app.services.verification import history_verify
from tests.orders.steps import CAKE, approve, ask, ask_change, told, verbs

CLOCK = Actor.portal("Clock", source=Source.WORKER)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fortnight(settings: Any) -> None:
    settings.ORDER_EXPIRY_DAYS, settings.ORDER_REMINDER_DAYS = 14, 3


@pytest.fixture
def waiting(rep: User, manager: User, location: Account) -> Order:
    return ask(rep, location, CAKE)


def days_pass(order: Order, days: float) -> int:
    """The order was asked for that many days ago, and the clock comes by; how many orders it ended."""
    Order.objects.filter(pk=order.pk).update(submitted_at=timezone.now() - timedelta(days=days))
    ended = orders_expire(actor=CLOCK)
    order.refresh_from_db()
    return ended


# --- the end -------------------------------------------------------------------------------------------------------


def test_order_ends_when_nobody_decided_in_time(waiting: Order) -> None:
    assert days_pass(waiting, 13.9) == 0
    assert waiting.status == OrderStatus.PENDING
    assert days_pass(waiting, 14.01) == 1
    assert waiting.status == OrderStatus.CANCELLED
    assert waiting.finished_at
    assert waiting.result == (
        "Expired. Nobody decided on it within 14 days. Nothing was sent; ask again if it is needed."
    )


def test_ended_order_is_in_the_history_and_frees_its_numbers(waiting: Order, rep: User, location: Account) -> None:
    days_pass(waiting, 15)
    entry = HistoryEntry.objects.get(verb="order.expired")
    assert (entry.actor_id, entry.actor_name, entry.changes) == (None, "Clock", {"status": ["pending", "cancelled"]})
    assert ask(rep, location, CAKE).status == OrderStatus.PENDING
    assert history_verify().problems == []


def test_order_ends_once(waiting: Order) -> None:
    assert days_pass(waiting, 15) == 1
    assert orders_expire(actor=CLOCK) == 0
    assert verbs(waiting).count("order.expired") == 1


def test_ended_order_is_no_longer_approved(waiting: Order, manager: User) -> None:
    days_pass(waiting, 15)
    with pytest.raises(Conflict, match=r"decided before you: Expired\. Nobody decided"):
        approve(manager, waiting)


def test_change_ends_as_well(rep: User, mirrored: Campaign) -> None:
    order = ask_change(rep, mirrored, notes="x")
    assert (days_pass(order, 15), order.status) == (1, OrderStatus.CANCELLED)


@pytest.mark.parametrize("status", ["approved", "sending", "done", "failed", "unknown", "rejected", "cancelled"])
def test_order_that_does_not_wait_for_a_decision_never_expires(waiting: Order, status: str) -> None:
    Order.objects.update(status=status, decider_id=99)
    assert (days_pass(waiting, 1000), waiting.status) == (0, status)
    assert not waiting.notifications.filter(kind__in=["expiring", "expired"]).exists()


def test_scheduled_order_that_nobody_approved_ends_too(rep: User, location: Account) -> None:
    order = ask(rep, location, execute_after=timezone.now() + timedelta(days=60))
    assert days_pass(order, 15) == 1


def test_amended_order_counts_anew(waiting: Order, rep: User) -> None:
    Order.objects.update(submitted_at=timezone.now() - timedelta(days=13))
    orders_expire(actor=CLOCK)
    waiting.refresh_from_db()
    assert waiting.reminded_at
    order_amend(
        actor=Actor.person(rep),
        order_id=waiting.pk,
        revision=1,
        wanted=[WantedNumber(CAKE)],
        parameters=waiting.parameters,
        reason="Still wanted",
        urgent=False,
        execute_after=None,
    )
    waiting.refresh_from_db()
    assert (timezone.now() - waiting.submitted_at, waiting.reminded_at) < (timedelta(minutes=1), None)
    assert orders_expire(actor=CLOCK) == 0
    assert told(waiting, "expiring") == ["manager", "rep"]
    days_pass(waiting, 12)
    assert told(waiting, "expiring") == ["manager", "manager", "rep", "rep"]


def test_requester_is_told_that_it_expired(waiting: Order) -> None:
    days_pass(waiting, 15)
    assert told(waiting, "expired") == ["rep"]


# --- the reminder --------------------------------------------------------------------------------------------------


def test_those_concerned_are_reminded_once_some_days_before(waiting: Order) -> None:
    days_pass(waiting, 10.9)
    assert told(waiting, "expiring") == []
    for _ in range(3):
        days_pass(waiting, 11.1)
    assert told(waiting, "expiring") == ["manager", "rep"]
    assert waiting.status == OrderStatus.PENDING


def test_reminder_says_when_it_expires(waiting: Order) -> None:
    days_pass(waiting, 12)
    day = waiting.submitted_at + timedelta(days=14)
    details = set(waiting.notifications.filter(kind="expiring").values_list("detail", flat=True))
    assert details == {f"It expires on {day:%Y-%m-%d} unless somebody decides before."}


def test_no_reminder_is_sent_where_none_is_wanted(waiting: Order, settings: Any) -> None:
    settings.ORDER_REMINDER_DAYS = 0
    days_pass(waiting, 13.9)
    assert told(waiting, "expiring") == []


def test_order_found_only_after_its_end_is_not_reminded_of(waiting: Order) -> None:
    days_pass(waiting, 30)
    assert told(waiting, "expiring") == []
