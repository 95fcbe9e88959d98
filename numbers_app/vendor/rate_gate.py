"""How often Callcap is asked: ``CALLCAP_MAX_PER_SECOND`` calls a second, counted over all processes.

A gate is a row that says when its next call may start. Taking a turn moves that moment on, by one conditional UPDATE
on the database's clock, and then waits for the moment that was taken. Whoever would have to wait too long takes none.
"""

from __future__ import annotations

import math
import time
from contextvars import ContextVar

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, When
from django.db.models.functions import Greatest

from numbers_app.callcap import CallcapError
from numbers_app.models import RateGate

from .clock import DatabaseSeconds

# Batches leave a quarter of the rate to people.
BATCH_SHARE = 0.75
# After a quiet moment so many seconds' worth of calls may start at once.
BURST_SECONDS = 0.25
PERSON_PATIENCE_SECONDS = 2.0
BATCH_PATIENCE_SECONDS = 10.0
# For whom this thread asked last: the client that repeats a read does not know it.
_asks_for_batch: ContextVar[bool] = ContextVar("asks_for_batch", default=False)


class VendorBusy(CallcapError):
    """The portal has asked Callcap as often as it may, so this was not sent."""

    def __init__(self) -> None:
        super().__init__(
            "The portal asks Callcap as often as it may right now, so this was not sent. Try again in a moment."
        )


def vendor_turn(*, batch: bool = False, patience: float = math.inf) -> None:
    """Wait until one call may be made. Raises VendorBusy when that takes longer than whoever asks can wait.

    ``batch`` is what nobody waits for at a screen: it has more patience and at most three quarters of the rate.
    ``patience`` are the seconds that are left to wait, where they are fewer. No transaction may be open. Costs nothing
    when the settings set no rate.
    """
    _asks_for_batch.set(batch)
    rate = settings.CALLCAP_MAX_PER_SECOND
    if not rate:
        return
    ends = time.monotonic() + min(patience, BATCH_PATIENCE_SECONDS if batch else PERSON_PATIENCE_SECONDS)
    if batch:
        _pass(RateGate.Name.BATCHES, rate * BATCH_SHARE, ends)
    _pass(RateGate.Name.ALL, rate, ends)


def retry_turn(patience: float) -> bool:
    """Wait for the turn to repeat the read under way, at most so many seconds; False when there is none by then."""
    try:
        vendor_turn(batch=_asks_for_batch.get(), patience=patience)
    except VendorBusy:
        return False
    return True


def _pass(name: RateGate.Name, rate: float, ends: float) -> None:
    wait = _reserve(name, 1 / rate, max(ends - time.monotonic(), 0))
    if wait is None:
        raise VendorBusy
    time.sleep(wait)


def _reserve(name: RateGate.Name, interval: float, patience: float) -> float | None:
    """Take the gate's next turn: the seconds until it comes, or None when it comes later than ``patience`` allows."""
    now = DatabaseSeconds()
    # Nobody takes a turn that far ahead: the clock was set back, or the rate was much lower.
    nonsense = Q(next_at__gt=now + BATCH_PATIENCE_SECONDS + interval)
    earliest = Case(When(nonsense, then=now), default=Greatest(F("next_at"), now - BURST_SECONDS))
    gate = RateGate.objects.filter(name=name)
    with transaction.atomic(durable=True):
        taken = gate.filter(nonsense | Q(next_at__lte=now + patience)).update(next_at=earliest + interval)
        after = gate.annotate(now=now).first()
    if after is None:
        RateGate.objects.bulk_create([RateGate(name=name)], ignore_conflicts=True)
        return _reserve(name, interval, patience)
    return max(after.next_at - interval - after.now, 0) if taken else None
