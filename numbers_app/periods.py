"""Days as the reader's clocks show them, as moments that an index can find."""

from __future__ import annotations

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
