"""What the history adds up to over a period, within what the reader may see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from numbers_app.models import NUMBER_VERBS, Account, HistoryEntry, Order, User, Verb
from numbers_app.periods import Period

from .actors import actor_labels
from .history import history_list

MOST_SHOWN = 15
DECISIONS = (Verb.ORDER_APPROVED, Verb.ORDER_REJECTED)

ROUTING = Q(changes__has_key="destination")
STOP_DATE = Q(changes__has_key="stop_date")


@dataclass(frozen=True)
class Changes:
    """How many changes to numbers. ``rerouted`` and ``stop_dates`` are among ``changed``; ``both`` are in each."""

    bought: int = 0
    imported: int = 0
    changed: int = 0
    rerouted: int = 0
    stop_dates: int = 0
    both: int = 0
    stopped: int = 0

    @property
    def total(self) -> int:
        return self.bought + self.imported + self.changed + self.stopped

    @classmethod
    def sum(cls, parts: Iterable[Changes]) -> Changes:
        added = list(parts)
        return cls(**{field.name: sum(getattr(part, field.name) for part in added) for field in fields(cls)})


@dataclass(frozen=True)
class Group:
    """The changes of one person (``key`` is the label) or at one Location (its account key)."""

    key: str
    name: str
    changes: Changes


@dataclass(frozen=True)
class Ranking:
    """Those with the most changes, and how many others there are with how many changes."""

    first: list[Group]
    others: int
    others_changes: Changes


@dataclass(frozen=True)
class Decisions:
    """How many orders were approved and rejected. ``median_wait`` leaves out what needed nobody's approval."""

    approved: int
    rejected: int
    median_wait: timedelta | None


@dataclass(frozen=True)
class Report:
    """A period in numbers: every day of it, the people and the Locations, and the decisions."""

    total: Changes
    days: dict[date, Changes]
    people: Ranking
    locations: Ranking
    decisions: Decisions


_BY_VERB = {
    "bought": Count("pk", filter=Q(verb=Verb.NUMBER_BOUGHT)),
    "imported": Count("pk", filter=Q(verb=Verb.NUMBER_IMPORTED)),
    "changed": Count("pk", filter=Q(verb=Verb.NUMBER_CHANGED)),
    "stopped": Count("pk", filter=Q(verb=Verb.NUMBER_ENDED)),
}
_BY_FIELD = {
    "rerouted": Count("pk", filter=Q(verb=Verb.NUMBER_CHANGED) & ROUTING),
    "stop_dates": Count("pk", filter=Q(verb=Verb.NUMBER_CHANGED) & STOP_DATE),
    "both": Count("pk", filter=Q(verb=Verb.NUMBER_CHANGED) & ROUTING & STOP_DATE),
}


def history_report(user: User, period: Period) -> Report:
    """What happened in the period, as far as the user may see it."""
    entries = history_list(user).filter(at__gte=period.starts_at, at__lt=period.ends_at).order_by()
    changes = entries.filter(verb__in=NUMBER_VERBS)
    days = _by_day(changes, period)
    return Report(
        total=Changes.sum(days.values()),
        days=days,
        people=_named_people(changes),
        locations=_named_locations(changes),
        decisions=_decisions(entries.filter(verb__in=DECISIONS), period),
    )


def _by_day(changes: QuerySet[HistoryEntry], period: Period) -> dict[date, Changes]:
    day = TruncDate("at", tzinfo=timezone.get_current_timezone())
    rows: Iterable[Any] = changes.values(day=day).annotate(**_BY_VERB, **_BY_FIELD)
    found = {row.pop("day"): Changes(**row) for row in rows}
    return {day: found.get(day, Changes()) for day in period.days}


def _ranking(changes: QuerySet[HistoryEntry], *columns: str) -> list[tuple[tuple[Any, ...], Changes]]:
    """(values of the columns, changes), most changes first."""
    rows: Iterable[Any] = changes.values(*columns).annotate(**_BY_VERB)
    groups = [(tuple(row.pop(column) for column in columns), Changes(**row)) for row in rows]
    return sorted(groups, key=lambda group: (-group[1].total, str(group[0])))


def _first(groups: list[Group]) -> Ranking:
    others = groups[MOST_SHOWN:]
    return Ranking(groups[:MOST_SHOWN], len(others), Changes.sum(group.changes for group in others))


def _named_people(changes: QuerySet[HistoryEntry]) -> Ranking:
    """By name; people of one name by the label that tells them apart."""
    found = _ranking(changes, "actor_name", "actor_id")
    people = Counter(name for (name, _), _ in found)
    labels = actor_labels((name, key) for (name, key), _ in found)
    return _first(
        [Group(label := labels[who], label if people[who[0]] > 1 else who[0], changes) for who, changes in found]
    )


def _named_locations(changes: QuerySet[HistoryEntry]) -> Ranking:
    found = _ranking(changes, "account_key")
    names = {account.key: str(account) for account in Account.objects.filter(key__in=[key for (key,), _ in found])}
    return _first([Group(key, names.get(key, key), changes) for (key,), changes in found])


def _decisions(entries: QuerySet[HistoryEntry], period: Period) -> Decisions:
    counts = dict(entries.values_list("verb").annotate(Count("pk")))
    return Decisions(
        approved=counts.get(Verb.ORDER_APPROVED, 0),
        rejected=counts.get(Verb.ORDER_REJECTED, 0),
        median_wait=_median_wait(entries, period),
    )


def _median_wait(entries: QuerySet[HistoryEntry], period: Period) -> timedelta | None:
    """From the request, or its last rewriting, to the decision that stands."""
    waits = (
        Order.objects.filter(
            pk__in=entries.values("order_id"),
            self_approved=False,
            # What follows from another order was approved with it.
            parent=None,
            decided_at__gte=period.starts_at,
            decided_at__lt=period.ends_at,
        )
        .order_by(F("decided_at") - F("submitted_at"))
        .values_list(F("decided_at") - F("submitted_at"), flat=True)
    )
    count = waits.count()
    middle = list(waits[(count - 1) // 2 : count // 2 + 1]) if count else []
    return sum(middle, timedelta()) / len(middle) if middle else None
