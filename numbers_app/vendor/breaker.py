"""Leaving Callcap alone while it is down, so that nobody waits for what will not come.

After five reads in a row without a usable answer, reads are refused at once for half a minute. Then one caller at a
time tries, and a success ends it. All processes share one row, changed by conditional UPDATEs.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.db.models import Case, F, Value, When
from django.utils import timezone

from numbers_app.callcap import CallcapUnreachable
from numbers_app.models import Breaker

from .clock import DatabaseSeconds
from .rate_gate import BATCH_PATIENCE_SECONDS

FAILURES = 5
OPEN_SECONDS = 30


class VendorLeftAlone(CallcapUnreachable):
    """Callcap did not answer several times in a row, so it was not asked."""

    def __init__(self, until: datetime) -> None:
        local = timezone.localtime(until)
        moment = f"{local.hour % 12 or 12}:{local:%M:%S %p %Z}"
        super().__init__(f"Callcap did not answer several times in a row, so it is left alone until {moment}.")


def breaker_admit() -> int:
    """Let a read pass, or raise VendorLeftAlone. Returns the failures so far, for what came of it."""
    seen = Breaker.objects.annotate(now=DatabaseSeconds()).filter(pk=Breaker.ONLY).first()
    if seen is None:
        return 0
    if seen.failures >= FAILURES and (seen.open_until > seen.now or not _try_alone()):
        raise VendorLeftAlone(datetime.fromtimestamp(max(seen.open_until, seen.now), UTC))
    return seen.failures


def breaker_succeeded(failures: int) -> None:
    """Callcap answered. Writes only when there were failures before."""
    if failures:
        Breaker.objects.filter(pk=Breaker.ONLY).update(failures=0, open_until=0)


def breaker_not_tried(failures: int) -> None:
    """Callcap was not asked after all. Who was let through to try it alone leaves that to the next one."""
    if failures >= FAILURES:
        Breaker.objects.filter(pk=Breaker.ONLY, failures=failures).update(open_until=0)


def breaker_failed() -> None:
    """Callcap gave no usable answer."""
    if not _count_failure():
        Breaker.objects.bulk_create([Breaker(pk=Breaker.ONLY)], ignore_conflicts=True)
        _count_failure()


def vendor_left_alone_until() -> datetime | None:
    """Until when reads are refused; None when Callcap is asked as usual."""
    seen = Breaker.objects.annotate(now=DatabaseSeconds()).filter(pk=Breaker.ONLY, failures__gte=FAILURES).first()
    return datetime.fromtimestamp(seen.open_until, UTC) if seen and seen.open_until > seen.now else None


def _try_alone() -> bool:
    """Whether this caller is the one that tries. Others are refused for as long as its call can take."""
    now = DatabaseSeconds()
    longest = BATCH_PATIENCE_SECONDS + settings.CALLCAP_TIMEOUT
    due = Breaker.objects.filter(pk=Breaker.ONLY, failures__gte=FAILURES, open_until__lte=now)
    return due.update(open_until=now + longest) == 1


def _count_failure() -> int:
    open_until = Case(
        When(failures__gte=FAILURES - 1, then=DatabaseSeconds() + Value(float(OPEN_SECONDS))), default=F("open_until")
    )
    return Breaker.objects.filter(pk=Breaker.ONLY).update(failures=F("failures") + 1, open_until=open_until)
