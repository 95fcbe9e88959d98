"""What was in force at a moment, replayed from the history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, OuterRef, QuerySet, Subquery

from numbers_app.models import NUMBER_VERBS, Account, Campaign, HistoryEntry

# A clock that is further off pauses what is sent to Callcap.
CLOCKS_SET_BACK = timedelta(days=1)


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


def numbers_of(accounts: QuerySet[Account]) -> list[str]:
    """The numbers that are or were those of the accounts."""
    return sorted(set(Campaign.objects.filter(account__in=accounts).values_list("phone_number", flat=True)))


def numbers_as_of(accounts: QuerySet[Account], numbers: list[str], moment: datetime) -> list[NumberThen]:
    """Routing and stop date of the numbers at the moment, in the order given: two queries, however many there are.

    Numbers that never were those of the accounts are left out; one that was not theirs at the moment has no entry.
    """
    until = HistoryEntry.objects.filter(verb__in=NUMBER_VERBS, at__lte=moment)
    set_by = Campaign.objects.filter(phone_number__in=numbers, account__in=accounts).annotate(
        newest=_newest(until),
        routed=_newest(until.filter(changes__has_key="destination")),
        stopped=_newest(until.filter(changes__has_key="stop_date")),
    )
    keys = {number: rest for number, *rest in set_by.values_list("phone_number", "newest", "routed", "stopped")}
    theirs = HistoryEntry.objects.filter(account_key__in=accounts.values("key"))
    entries = theirs.defer("canonical").in_bulk({key for found in keys.values() for key in found if key})
    return [_then(number, *(entries.get(key) for key in keys[number])) for number in numbers if number in keys]


def _newest(entries: QuerySet[HistoryEntry]) -> Subquery:
    """The campaign's last one written, as for the mirror: after a clock was set back it has not the latest time.

    Looked for only as far before the latest time as clocks are set back, so that one index answers, however long the
    number's history is.
    """
    latest = entries.filter(number=OuterRef(OuterRef("phone_number"))).order_by("-at").values("at")[:1]
    near = entries.filter(number=OuterRef("phone_number"), at__gte=Subquery(latest) - CLOCKS_SET_BACK)
    return Subquery(near.values("number").annotate(newest=Max("sequence")).values("newest"))


def _then(
    number: str, entry: HistoryEntry | None, routed: HistoryEntry | None, stopped: HistoryEntry | None
) -> NumberThen:
    # A stop date that was taken back, or one of an earlier life of the number, is not the one in force.
    in_force = stopped if entry and stopped and entry.stop_date and stopped.stop_date == entry.stop_date else None
    return NumberThen(number, entry, routed, in_force)
