"""Days as the reader's clocks show them, as moments that an index can find."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

# Nothing of the portal is older or younger; beyond them lie dates that no zone can be applied to.
FIRST, LAST = date(1900, 1, 1), date(9000, 1, 1)


def start_of(day: date) -> datetime:
    """The first moment of the day in the reader's zone."""
    return datetime.combine(min(max(day, FIRST), LAST), time.min, tzinfo=timezone.get_current_timezone())


def end_of(day: date) -> datetime:
    """The first moment after the day in the reader's zone."""
    return start_of(min(day, LAST) + timedelta(days=1))


@dataclass(frozen=True)
class Period:
    """Days in the reader's zone, the last one included."""

    first: date
    last: date

    @classmethod
    def latest(cls, days: int) -> Period:
        """So many days, up to today."""
        today = timezone.localdate()
        return cls(today - timedelta(days=days - 1), today)

    def __str__(self) -> str:
        return f"{self.first.isoformat()} to {self.last.isoformat()}"

    @property
    def starts_at(self) -> datetime:
        return start_of(self.first)

    @property
    def ends_at(self) -> datetime:
        """The first moment after it."""
        return end_of(self.last)

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=day) for day in range((self.last - self.first).days + 1)]
