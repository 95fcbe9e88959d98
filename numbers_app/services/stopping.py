"""Reminding people of numbers that will stop: thirty days before, a week before, and the day before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cache
from itertools import batched

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, Order, OrderKind, OrderStatus, StopReminder, User
from numbers_app.permissions import administrators, nearest_deciders_for
from numbers_app.selectors.accounts import accounts_visible
from numbers_app.selectors.stopping import days_left, stops_between, today_by_zone

from .notifications import stops_tell

REMIND_DAYS = (30, 7, 1)
# So many numbers share a transaction: few enough to be done at once, many enough for few queries.
TOGETHER = 100


def stop_reminders_send(*, actor: Actor) -> int:
    """Tell people of numbers that stop within 30 days, 7 days or 1 day, by the date at their Locations.

    Each is told once for a stop date: of several that are due, after the clock has stood still, only the most urgent.
    A stop date that moves away makes the reminders of the old one moot, and brings its own in its time. Returns the
    numbers that people were told of.
    """
    due = list(Campaign.objects.filter(_due()).order_by("pk").values_list("pk", flat=True))
    audience = _audience()
    told = 0
    for some in batched(due, TOGETHER, strict=False):
        with transaction.atomic():
            told += _remind(some, audience)
    return told


def _due() -> Q:
    """Whether the reminder for the days that are left was not sent yet. Looks at nothing further ahead."""
    today = today_by_zone()
    due = Q(pk__in=())
    for days, next_days in zip(REMIND_DAYS, (*REMIND_DAYS[1:], -1), strict=True):
        told = StopReminder.objects.filter(campaign=OuterRef("pk"), stop_date=OuterRef("stop_date"), days=days)
        due |= stops_between(next_days + 1, days, today) & Q(~Exists(told))
    furthest = max(today.values(), default=None)
    return due & Q(ended_at=None, stop_date__lte=furthest + timedelta(days=max(REMIND_DAYS))) if furthest else due


def _remind(campaign_ids: Sequence[int], audience: Callable[[Campaign], list[User]]) -> int:
    """Tell of those that are still due behind their locks: another clock may have been first, or the date moved."""
    # No key: rows that refer to these numbers commit meanwhile.
    locked = Campaign.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=campaign_ids).order_by("pk")
    list(locked)
    due = _with_asker(Campaign.objects.filter(_due(), pk__in=campaign_ids).select_related("account"))
    stops = [(campaign, campaign.stop_date) for campaign in due if campaign.stop_date]
    StopReminder.objects.bulk_create(
        [
            StopReminder(campaign=campaign, stop_date=day, days=days)
            for campaign, day in stops
            for days in REMIND_DAYS
            if days_left(campaign) <= days
        ],
        # Those further ahead may have been told before.
        ignore_conflicts=True,
    )
    stops_tell(stops=[(person, campaign, day) for campaign, day in stops for person in audience(campaign)])
    return len(stops)


def _with_asker(campaigns: QuerySet[Campaign]) -> QuerySet[Campaign]:
    """The numbers with ``asker_id``: who asked for the purchase, else who asked for the last change, else nobody."""
    done = Order.objects.filter(campaign=OuterRef("pk"), status=OrderStatus.DONE).order_by("-pk")
    bought = done.filter(kind=OrderKind.PROVISION).values("requester_id")[:1]
    changed = done.filter(kind=OrderKind.CHANGE).values("author_id")[:1]
    return campaigns.annotate(asker_id=Coalesce(Subquery(bought), Subquery(changed)))


def _audience() -> Callable[[Campaign], list[User]]:
    """Whom a number concerns: who asked for it, while they may see it, and the nearest managers; else administrators.

    Remembers what many numbers have in common.
    """
    nobody_else = cache(administrators)

    @cache
    def managers(account: Account) -> list[User]:
        return nearest_deciders_for(account, apart_from=set())

    @cache
    def asker(user_id: int, account: Account) -> list[User]:
        people = User.objects.filter(pk=user_id, is_active=True)
        return [person for person in people if accounts_visible(person).filter(pk=account.pk).exists()]

    def concerned(campaign: Campaign) -> list[User]:
        asker_id: int | None = getattr(campaign, "asker_id")  # noqa: B009
        asked = asker(asker_id, campaign.account) if asker_id else []
        return list(dict.fromkeys([*asked, *managers(campaign.account)])) or nobody_else()

    return concerned
