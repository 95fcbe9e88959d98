"""Pausing what is sent to the vendor: by hand, and by itself when nobody should trust what would be sent."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import Conflict
from numbers_app.models import (
    BatchRow,
    BatchStatus,
    HistoryEntry,
    Order,
    OrderStatus,
    SendingScope,
    SendingSwitch,
    Verb,
)
from numbers_app.permissions import Capability, require
from numbers_app.triggers import triggers_missing

from .head import head_is_lost, head_read, head_remember
from .history import history_append

logger = structlog.get_logger(__name__)

# Clocks of machines that keep time differ by less.
MOST_CLOCK_DIFFERENCE = timedelta(seconds=30)
_WIDTH = (SendingScope.NOTHING, SendingScope.PURCHASES, SendingScope.EVERYTHING)


def sending_switch() -> SendingSwitch:
    """The switch as it stands."""
    return SendingSwitch.objects.filter(pk=SendingSwitch.ONLY).first() or SendingSwitch()


def is_batch_paused(order: Order) -> bool:
    """Whether the order belongs to a batch that somebody paused."""
    return BatchRow.objects.filter(order_id=order.pk, batch__status=BatchStatus.PAUSED).exists()


def purchases_pause(*, actor: Actor, reason: str) -> SendingSwitch:
    """Stop all purchases until somebody resumes. Raises Conflict when they are paused already."""
    require(actor.person_or_refuse, Capability.PAUSE)
    if not _pause(actor, SendingScope.PURCHASES, reason):
        raise Conflict(f"{sending_switch()} already.")
    return sending_switch()


def sending_resume(*, actor: Actor, reason: str) -> SendingSwitch:
    """Let the worker send again. Raises Conflict when nothing is paused."""
    require(actor.person_or_refuse, Capability.PAUSE)
    with transaction.atomic():
        switch = _lock()
        if switch.paused == SendingScope.NOTHING:
            raise Conflict("Nothing is paused.")
        _set(switch, actor, SendingScope.NOTHING, reason, Verb.SENDING_RESUMED)
    # What was held back is rung at once instead of when its last bell has faded. Only now: order rows are locked
    # before the history's head, never while it is held, and by number, as by everybody who locks several.
    with transaction.atomic():
        due = Order.objects.filter(status=OrderStatus.APPROVED, execute_after__lte=timezone.now())
        list(due.select_for_update(no_key=True).order_by("pk").values_list("pk"))
        due.update(rung_at=None)
    return switch


def purchases_pause_for_key(*, actor: Actor, message: str) -> None:
    """The vendor did not accept the portal's key: every further purchase would be refused too."""
    _pause(actor, SendingScope.PURCHASES, f"Callcap did not accept the portal's key: {message}")


def sending_pause_without_guards(*, actor: Actor) -> None:
    """Pause everything while the database would let routing change without history."""
    missing = triggers_missing(connection)
    if missing:
        names = ", ".join(missing)
        _pause(actor, SendingScope.EVERYTHING, f"Guards of the database are missing or altered: {names}.")


def sending_guard(*, actor: Actor) -> SendingSwitch:
    """The switch, after pausing everything if this database is a restored backup or the clock is wrong.

    Old orders in a restored database may have been sent long ago, and a wrong clock sends too early or twice.
    """
    switch = sending_switch()
    newest = (
        HistoryEntry.objects.order_by("-sequence")
        .annotate(database_time=Now())
        .values("sequence", "hash", "at", "database_time")
        .first()
    )
    if newest is None:
        return switch
    problem, lost_head = _clock_problem(newest["at"], newest["database_time"]), ""
    known = head_read()
    if known and known.hash not in (newest["hash"], switch.lost_head) and head_is_lost(known):
        lost_head = known.hash
        problem = (
            f"This database lacks entry {known.sequence} of the history, so it is a restored backup. "
            "Compare it with Callcap's own interface before you resume: what was sent since is missing here."
        )
    else:
        head_remember(newest["sequence"], newest["hash"])
    if problem and _pause(actor, SendingScope.EVERYTHING, problem, lost_head):
        return sending_switch()
    return switch


def _clock_problem(newest_entry: datetime, database_time: datetime) -> str:
    now = timezone.now()
    if newest_entry - now > MOST_CLOCK_DIFFERENCE:
        return "The clock is wrong: the history's newest entry lies in its future."
    if abs(database_time - now) > MOST_CLOCK_DIFFERENCE:
        return "The clocks of the worker and of the database differ too much."
    return ""


def _pause(actor: Actor, scope: SendingScope, reason: str, lost_head: str = "") -> bool:
    """Whether this paused more than was paused already."""
    with transaction.atomic():
        switch = _lock()
        if _WIDTH.index(SendingScope(switch.paused)) >= _WIDTH.index(scope):
            return False
        if lost_head:
            switch.lost_head = lost_head
        _set(switch, actor, scope, reason, Verb.SENDING_PAUSED)
    logger.critical("sending_paused", scope=str(scope), reason=reason, actor=actor.name)
    return True


def _lock() -> SendingSwitch:
    SendingSwitch.objects.get_or_create(pk=SendingSwitch.ONLY)
    return SendingSwitch.objects.select_for_update().get(pk=SendingSwitch.ONLY)


def _set(switch: SendingSwitch, actor: Actor, scope: SendingScope, reason: str, verb: Verb) -> None:
    history_append(
        actor=actor,
        verb=verb,
        changes={"paused": [switch.paused, scope.value]},
        reason=reason,
    )
    switch.paused, switch.reason, switch.actor_name, switch.since = scope, reason, actor.name, timezone.now()
    switch.save()
