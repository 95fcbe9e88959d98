"""Numbers that stop: when, by week, in how many days at their Locations, and what may still move that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q, QuerySet

from numbers_app.models import OPEN, RUN_ON, Account, Campaign, Order, OrderKind, User

from .accounts import accounts_visible

WEEKS_SHOWN = 26


@dataclass(frozen=True)
class Week:
    """How many numbers stop in the seven days from ``first`` on."""

    first: date
    numbers: int

    @property
    def last(self) -> date:
        return self.first + timedelta(days=6)


def campaigns_stopping(user: User) -> QuerySet[Campaign]:
    """The numbers that the user may see that stop or should have stopped, the first to stop first.

    Those whose date is the one for "runs on" are none of them.
    """
    dated = Campaign.objects.filter(account__in=accounts_visible(user), ended_at=None, stop_date__isnull=False)
    return dated.exclude(stop_date=RUN_ON).select_related("account").order_by("stop_date", "phone_number", "pk")


def today_by_zone() -> dict[str, date]:
    """{time zone of accounts: the date there now}: with it one query finds what is so many days ahead everywhere."""
    zones = Account.objects.order_by().values_list("time_zone", flat=True).distinct()
    return {zone: Account(time_zone=zone).today() for zone in zones}


def stops_within(days: int, today: dict[str, date]) -> Q:
    """Whether at most so many days are left at the Location; none on the last day, less when it has passed."""
    return _in_each_zone(today, lambda here: Q(stop_date__lte=here + timedelta(days=days)))


def stops_between(first: int, last: int, today: dict[str, date]) -> Q:
    """Whether at least ``first`` and at most ``last`` days are left at the Location."""
    step = timedelta(days=1)
    return _in_each_zone(today, lambda here: Q(stop_date__range=(here + first * step, here + last * step)))


def stops_by_week(stopping: QuerySet[Campaign], today: date) -> list[Week]:
    """The weeks from Monday to Sunday, this one first, with how many of the numbers stop in each."""
    this = today - timedelta(days=today.weekday())
    until = this + timedelta(weeks=WEEKS_SHOWN)
    days = stopping.filter(stop_date__lt=until).order_by().values_list("stop_date").annotate(Count("pk"))
    numbers = [0] * WEEKS_SHOWN
    for day, count in days:
        # By its Location's date this week's Sunday may not have passed where the reader has Monday.
        numbers[max((day - this).days, 0) // 7] += count
    return [Week(this + timedelta(weeks=week), count) for week, count in enumerate(numbers)]


def days_left(campaign: Campaign) -> int:
    """How many days follow today at the Location until the number's last day; less than none when it has passed."""
    if campaign.stop_date is None:
        raise ValueError(f"{campaign} has no stop date.")
    return (campaign.stop_date - campaign.account.today()).days


def later_stop(campaign: Campaign, days: int) -> date | None:
    """So many days after the stop date, or after today where that is later; None when no calendar goes that far."""
    if campaign.stop_date is None:
        raise ValueError(f"{campaign} has no stop date.")
    try:
        return max(campaign.stop_date, campaign.account.today()) + timedelta(days=days)
    except OverflowError:
        return None


def can_be_extended(campaign: Campaign) -> bool:
    """Whether there is a stop date to move: the number has not stopped, does not run on, and is still at Callcap."""
    return campaign.ended_at is None and campaign.stop_date not in (None, RUN_ON) and campaign.account.active


def orders_moving_stop(user: User, campaigns: Iterable[Campaign]) -> dict[int, Order]:
    """{campaign id: the newest order that may still move its stop date} as far as the user may see them."""
    asked = Order.objects.filter(
        campaign__in=[campaign.pk for campaign in campaigns],
        account__in=accounts_visible(user),
        kind=OrderKind.CHANGE,
        status__in=OPEN,
        parameters__has_key="stop_date",
    )
    return {order.campaign_id: order for order in asked.order_by("pk") if order.campaign_id}


def _in_each_zone(today: dict[str, date], wanted: Callable[[date], Q]) -> Q:
    found = Q(pk__in=())
    for zone, here in today.items():
        found |= Q(account__time_zone=zone) & wanted(here)
    return found
