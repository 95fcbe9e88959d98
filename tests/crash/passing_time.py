"""Letting time pass for what would only be waited for.

A dead worker's lease lasts 16 seconds and a lost bell is rung again after 60, a refused call is repeated after 5 to 300
seconds; none of that changes what may happen, only when. So those moments are moved closer. What is never moved is the
settling time, in which the vendor may still carry out what it has received: it is really waited for. Nothing else of an
order or attempt is ever written here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from numbers_app.models import Attempt, AttemptOutcome, Order, OrderKind, OrderStatus

PAUSE = timedelta(seconds=0.5)
WAITING = (OrderStatus.APPROVED, OrderStatus.UNKNOWN)


def time_passes(living: Iterable[str]) -> None:
    """Pauses, and the leases and bells that nobody holds any more, are over. ``living`` names the workers."""
    now = timezone.now()
    _shorten_pauses(now)
    sending = list(Attempt.objects.filter(outcome=AttemptOutcome.SENDING).values_list("pk", "order_id"))
    rung = Order.objects.filter(status__in=WAITING, execute_after__lte=now).exclude(rung_at=None)
    told = list(rung.values_list("pk", "rung_at"))
    # Asked after the above: what was in somebody's hands then and is not now has been put down, not dropped.
    queued, in_hand = _tasks(set(living))
    dropped = [attempt for attempt, order in sending if order not in in_hand]
    Attempt.objects.filter(pk__in=dropped, outcome=AttemptOutcome.SENDING).update(
        lease_until=now - timedelta(seconds=1)
    )
    for order, rung_at in told:
        if order not in queued | in_hand:
            Order.objects.filter(pk=order, rung_at=rung_at).update(rung_at=None)


def _shorten_pauses(now: datetime) -> None:
    """A check on schedule comes within half the settling time of the one before, so what is further off is a pause.

    A re-application waits for the settling time itself, once more after each pause.
    """
    settling = timedelta(seconds=settings.CALLCAP_SETTLE_SECONDS)
    reapply = {"kind": OrderKind.REAPPLY, "status": OrderStatus.APPROVED}
    waiting = Order.objects.filter(status__in=WAITING)
    waiting.filter(**reapply, execute_after__gt=now + settling).update(execute_after=now + settling)
    waiting.exclude(**reapply).filter(execute_after__gt=now + settling / 2 + PAUSE).update(execute_after=now + PAUSE)


def _tasks(living: set[str]) -> tuple[set[int], set[int]]:
    """The orders that wait in the queue, and those that a living worker has in hand."""
    queued, in_hand = set(), set()
    tasks = DBTaskResult.objects.filter(status__in=("READY", "RUNNING"), task_path__endswith="execute_order")
    for status, worker_ids, arguments in tasks.values_list("status", "worker_ids", "args_kwargs"):
        if status == "READY":
            queued.add(arguments["args"][0])
        elif living.intersection(worker_ids):
            in_hand.add(arguments["args"][0])
    return queued, in_hand
