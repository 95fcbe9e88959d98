"""What was in force at a moment, replayed from the history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, OuterRef, QuerySet, Subquery

from numbers_app.models import NUMBER_VERBS, Account, Campaign, HistoryEntry, User

from .accounts import accounts_visible


@dataclass(frozen=True)
class NumberThen:
    """A number at a moment: the newest entry until then, whose values were in force, and those that set them.

    ``entry`` is None when the number was not ours yet; ``routed`` and ``stopped`` are the entries that last set the
    destination and the stop date, None for a stop date that was never set.
    """

    number: str
    entry: HistoryEntry | None
    routed: HistoryEntry | None
    stopped: HistoryEntry | None


def numbers_of(user: User, number: str = "", account: Account | None = None) -> list[str]:
    """The numbers that are or were the account's or those below it, or the one number, as far as the user sees them."""
    accounts = accounts_visible(user)
    if account:
        accounts = accounts.filter(path__startswith=account.path)
    campaigns = Campaign.objects.filter(account__in=accounts)
    if number:
        campaigns = campaigns.filter(phone_number=number)
    return sorted(set(campaigns.values_list("phone_number", flat=True)))


def numbers_as_of(user: User, numbers: list[str], moment: datetime) -> list[NumberThen]:
    """Routing and stop date of the numbers at the moment, in the order given: two queries, however many there are.

    A number that belonged to an account hidden from the user at that moment counts as not ours yet.
    """
    until = HistoryEntry.objects.filter(number=OuterRef("phone_number"), verb__in=NUMBER_VERBS, at__lte=moment)
    set_by = Campaign.objects.filter(phone_number__in=numbers).annotate(
        newest=_newest(until),
        routed=_newest(until.filter(changes__has_key="destination")),
        stopped=_newest(until.filter(changes__has_key="stop_date", stop_date__isnull=False)),
        number=F("phone_number"),
    )
    keys = {number: rest for number, *rest in set_by.values_list("number", "newest", "routed", "stopped")}
    visible = HistoryEntry.objects.filter(account_key__in=accounts_visible(user).values("key"))
    entries = visible.in_bulk({key for found in keys.values() for key in found if key})
    return [_then(number, *(entries.get(key) for key in keys.get(number, (None, None, None)))) for number in numbers]


def _newest(entries: QuerySet[HistoryEntry]) -> Subquery:
    return Subquery(entries.order_by("-at", "-sequence").values("sequence")[:1])


def _then(
    number: str, entry: HistoryEntry | None, routed: HistoryEntry | None, stopped: HistoryEntry | None
) -> NumberThen:
    # A stop date that was taken back, or one of an earlier life of the number, is not the one in force.
    in_force = stopped if entry and stopped and stopped.stop_date == entry.stop_date else None
    return NumberThen(number, entry, routed, in_force)
