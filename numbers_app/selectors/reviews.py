"""Everything a manager should see beside an order before deciding on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from numbers_app.models import (
    OPEN,
    SENDS_WHAT_IS_SET,
    Campaign,
    HistoryEntry,
    Notification,
    NotificationKind,
    Order,
    OrderKind,
    OrderStatus,
    User,
    Verb,
)

from .accounts import accounts_visible
from .costs import Cost, order_cost
from .destinations import DestinationWarning, destination_warnings
from .orders import order_list

MOST_RELATED = 5
UNSUCCESSFUL = (OrderStatus.REJECTED, OrderStatus.CANCELLED, OrderStatus.FAILED)


@dataclass(frozen=True)
class Related:
    """Another live order or number with the same campaign name or destination; one of both is None."""

    order: Order | None
    campaign: Campaign | None
    same: str


@dataclass(frozen=True)
class Sighting:
    """A manager who was told that an order is urgent, and when they saw it."""

    name: str
    seen_at: datetime | None


@dataclass(frozen=True)
class OrderReview:
    """An order with what speaks for and against it.

    Counts are of purchases asked for in this calendar month; ``is_news`` says that the reader has not seen it yet.
    """

    order: Order
    warnings: list[DestinationWarning]
    related: list[Related]
    month_at_location: int
    month_by_requester: int
    cost: Cost | None
    comments: list[HistoryEntry]
    amendment: HistoryEntry | None
    sightings: list[Sighting]
    is_news: bool
    expires_at: datetime


def order_reviews(user: User, orders: Iterable[Order]) -> list[OrderReview]:
    """The orders with what this person may see beside them."""
    return [order_review(user, order) for order in orders]


def order_review(user: User, order: Order) -> OrderReview:
    """One order with what this person may see beside it."""
    month = _purchases_this_month()
    said = list(
        HistoryEntry.objects.filter(order_id=order.pk, verb__in=(Verb.ORDER_COMMENTED, Verb.ORDER_AMENDED)).order_by(
            "sequence"
        )
    )
    amendments = [entry for entry in said if entry.verb == Verb.ORDER_AMENDED]
    return OrderReview(
        order=order,
        warnings=order_destination_warnings(order),
        related=_related(user, order),
        month_at_location=month.filter(account=order.account_id).count(),
        month_by_requester=month.filter(requester_id=order.requester_id).count(),
        cost=order_cost(order),
        comments=[entry for entry in said if entry.verb == Verb.ORDER_COMMENTED],
        amendment=amendments[-1] if amendments else None,
        sightings=_sightings(order),
        is_news=order_is_news(user, order),
        expires_at=order.submitted_at + timedelta(days=settings.ORDER_EXPIRY_DAYS),
    )


def order_is_news(user: User, order: Order) -> bool:
    """Whether the person was told something of the order that they have not seen."""
    return user.notifications.filter(order=order, read_at=None).exists()


def order_destination_warnings(order: Order) -> list[DestinationWarning]:
    """What looks wrong about the order's destination; nothing for one that sets none."""
    destination = order.parameters.get("destination")
    if not destination or order.kind in SENDS_WHAT_IS_SET:
        return []
    numbers = [choice.number for choice in order.choices.all() if choice.live]
    if not numbers and order.phone_number:
        numbers = [order.phone_number]
    return destination_warnings(destination, account=order.account, numbers=numbers, campaign=order.campaign)


def _purchases_this_month() -> QuerySet[Order]:
    first = timezone.localtime().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    asked = Order.objects.filter(kind=OrderKind.PROVISION, created_at__gte=first)
    return asked.exclude(status__in=UNSUCCESSFUL)


def _related(user: User, order: Order) -> list[Related]:
    """Live orders and numbers that this person may see, with the same destination or campaign name."""
    wished = {name: order.parameters.get(name) for name in ("destination", "campaign_name")}
    wished = {name: value for name, value in wished.items() if value}
    if not wished or order.kind in SENDS_WHAT_IS_SET:
        return []
    any_order, any_campaign = Q(pk__in=[]), Q(pk__in=[])
    for name, value in wished.items():
        any_order |= Q(**{f"parameters__{name}": value})
        any_campaign |= Q(**{name: value})
    orders = order_list(user).filter(any_order, status__in=OPEN).exclude(Q(pk=order.pk) | Q(kind__in=SENDS_WHAT_IS_SET))
    campaigns = Campaign.objects.filter(any_campaign, ended_at=None, account__in=accounts_visible(user))
    campaigns = campaigns.exclude(orders=order).select_related("account")
    found = [Related(other, None, _same(wished, other.parameters)) for other in orders[:MOST_RELATED]]
    return found + [
        Related(None, held, _same(wished, {name: getattr(held, name) for name in wished}))
        for held in campaigns[:MOST_RELATED]
    ]


def _same(wished: dict[str, object], found: dict[str, object]) -> str:
    names = {"destination": "destination", "campaign_name": "campaign name"}
    return " and ".join(names[name] for name, value in wished.items() if found.get(name) == value)


def _sightings(order: Order) -> list[Sighting]:
    if not order.urgent:
        return []
    told = Notification.objects.filter(order=order, kind=NotificationKind.URGENT).select_related("user").order_by("pk")
    seen: dict[str, datetime | None] = {}
    for notification in told:
        name = notification.user.display_name
        seen[name] = seen.get(name) or notification.read_at
    return [Sighting(name, at) for name, at in seen.items()]
