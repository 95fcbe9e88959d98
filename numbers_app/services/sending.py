"""One POST to the vendor: durable intent, one send within its window, outcome and record. See ``execution.py``."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.callcap import (
    KEY_REFUSED_STATUSES,
    AvailableNumber,
    CallcapError,
    CallcapUnauthorized,
    Outcome,
    WriteAnswer,
)
from numbers_app.models import (
    UNSETTLED,
    Attempt,
    AttemptKind,
    AttemptOutcome,
    Order,
    OrderStatus,
    Verb,
)
from numbers_app.protocol import Next
from numbers_app.steps import reached
from numbers_app.vendor import VendorBusy, vendor_find_number, vendor_turn

from .doubt import doubtful_purchase, purchase_doubt
from .recording import attempt_record, attempt_store, order_fail, order_hand_over, order_retry_at
from .switch import is_batch_paused, purchases_pause_for_key, sending_switch
from .transition import order_lock_with_number, order_transition
from .validity import order_problem

logger = structlog.get_logger(__name__)

# The POST starts this soon after the intent was written, or not at all: by then nobody else may act on the lease.
SEND_WINDOW_SECONDS = 5
LEASE_MARGIN_SECONDS = 10


class SendWindow:
    """The seconds from now in which a POST may start, on the monotonic clock and on the wall clock.

    The monotonic clock stands still while a machine sleeps; the wall clock is set now and then.
    """

    def __init__(self) -> None:
        self._monotonic, self._wall = time.monotonic(), time.time()

    @property
    def is_open(self) -> bool:
        elapsed = (time.monotonic() - self._monotonic, abs(time.time() - self._wall))
        return max(elapsed) <= SEND_WINDOW_SECONDS


def number_look(actor: Actor, order: Order, number: str) -> AvailableNumber | None:
    """Whether the number is offered to the order's account now. Raises CallcapError after putting the order off."""
    found = vendor_ask(actor, order, lambda: vendor_find_number(number, order.account.key, batch=True))
    reached("looked")
    return found


def vendor_ask[T](actor: Actor, order: Order, question: Callable[[], T]) -> T:
    """What the vendor answers. Raises CallcapError after putting the order off."""
    try:
        return question()
    except CallcapError as error:
        if isinstance(error, CallcapUnauthorized):
            purchases_pause_for_key(actor=actor, message=error.message)
        order_put_off(order, error.message)
        raise


def attempt_send(
    *,
    actor: Actor,
    order: Order,
    kind: AttemptKind,
    number: str,
    values: Callable[[Order], dict[str, Any]],
    found: AvailableNumber | None,
    send: Callable[[dict[str, Any]], WriteAnswer],
) -> None:
    """Write down the intent, send once, record what came back. ``values`` are read from the locked order.

    Nothing is sent when the order was taken, decided, rewritten or became invalid meanwhile. An error of the intent's
    commit is raised, so nothing is sent then either. The turn at the rate gate is taken before the intent, whose
    window must not be spent on waiting.
    """
    try:
        vendor_turn(batch=True)
    except VendorBusy as busy:
        order_put_off(order, busy.message)
        return
    window = SendWindow()
    attempt = _intend(actor, order, kind, number, values, found)
    if attempt is None:
        return
    reached("intent written")
    answer = send(attempt.parameters) if window.is_open else _too_late()
    reached("answered")
    if kind == AttemptKind.BUY and answer.outcome == Outcome.REFUSED:
        _look_again(attempt, order)
    attempt_conclude(actor=actor, attempt=attempt, answer=answer)
    if answer.outcome == Outcome.REFUSED and answer.http_status in KEY_REFUSED_STATUSES:
        purchases_pause_for_key(actor=actor, message=answer.message)


def attempt_conclude(*, actor: Actor, attempt: Attempt, answer: WriteAnswer) -> None:
    """Record what came back. If the record fails, keep the outcome alone: a bought number is never known only there."""
    try:
        with transaction.atomic():
            # Before the attempt's row is written: two workers at one late answer would else wait for each other.
            order = order_lock_with_number(attempt.order_id)
            if attempt_store(attempt=attempt, answer=answer):
                attempt_record(actor=actor, order=order, attempt=attempt)
            reached("recording")
    except Exception:
        logger.critical(
            "outcome_not_recorded",
            order=attempt.order_id,
            number=attempt.number,
            outcome=str(answer.outcome),
            exc_info=True,
        )
        with transaction.atomic():
            attempt_store(attempt=attempt, answer=answer)
    reached("recorded")


def order_put_off(order: Order, why: str) -> None:
    """Try again later; nothing was sent, so nothing is written to the history."""
    fields: dict[str, Any] = {"execute_after": order_retry_at(order), "tries": F("tries") + 1, "rung_at": None}
    if order.status == OrderStatus.APPROVED:
        fields["result"] = f"Not sent yet: {why}"
    Order.objects.filter(pk=order.pk, status=order.status, revision=order.revision).update(**fields)


def _intend(
    actor: Actor,
    order: Order,
    kind: AttemptKind,
    number: str,
    values: Callable[[Order], dict[str, Any]],
    found: AvailableNumber | None,
) -> Attempt | None:
    """The attempt, durably written before anything is sent; None when it must not be."""
    lease = timedelta(seconds=SEND_WINDOW_SECONDS + settings.CALLCAP_TIMEOUT + LEASE_MARGIN_SECONDS)
    try:
        with transaction.atomic(durable=True):
            locked = order_lock_with_number(order.pk)
            if not _may_send(actor, order, locked, kind, number):
                return None
            if kind != AttemptKind.PROBE:
                order_transition(
                    actor=actor,
                    order=locked,
                    to=OrderStatus.UNKNOWN if locked.status == OrderStatus.UNKNOWN else OrderStatus.SENDING,
                    verb=Verb.ORDER_SENDING,
                    phone_number=number,
                )
            return Attempt.objects.create(
                order=locked,
                kind=kind,
                number=number,
                parameters=values(locked),
                preflight=_evidence(found),
                started_at=Now(),
                lease_until=Now() + lease,
            )
    except IntegrityError:
        if order.status in UNSETTLED:
            # Another worker has this very order in hand.
            return None
        order_put_off(order, "Another order for this number is at Callcap right now.")
        return None


def _may_send(actor: Actor, order: Order, locked: Order, kind: AttemptKind, number: str) -> bool:
    """Whether the locked order still is what was about to be carried out; one that became invalid fails here."""
    if (locked.status, locked.revision, locked.execute_after) != (order.status, order.revision, order.execute_after):
        return False
    switch = sending_switch()
    if switch.everything_paused or (kind == AttemptKind.BUY and switch.purchases_paused):
        return False
    if locked.status == OrderStatus.APPROVED and is_batch_paused(locked):
        return False
    if locked.status == OrderStatus.UNKNOWN:
        in_hand = locked.attempts.filter(outcome=AttemptOutcome.SENDING).exists()
        if in_hand or not _is_next(locked, kind, number):
            return False
        if kind != AttemptKind.BUY:
            return True
    problem = order_problem(locked, number)
    if problem and locked.status == OrderStatus.UNKNOWN:
        order_hand_over(actor=actor, order=locked, why=f"It is not bought once more. {problem}")
    elif problem:
        order_fail(actor=actor, order=locked, why=problem)
    return not problem


def _is_next(locked: Order, kind: AttemptKind, number: str) -> bool:
    """Whether what was decided before the lock still follows from what is known of a doubted order."""
    if kind == AttemptKind.UPDATE:
        return True
    same_number = doubtful_purchase(locked).number == number
    return same_number and (kind == AttemptKind.PROBE or purchase_doubt(locked).next == Next.BUY)


def _look_again(attempt: Attempt, order: Order) -> None:
    """After a refusal: is the number still offered? Kept as evidence; only a definite no allows the next choice."""
    try:
        found = vendor_find_number(attempt.number, order.account.key)
    except CallcapError:
        return
    attempt.preflight |= {"after_refusal": _evidence(found) or "not offered"}
    Attempt.objects.filter(pk=attempt.pk).update(preflight=attempt.preflight)


def _evidence(found: AvailableNumber | None) -> dict[str, Any]:
    if found is None:
        return {}
    place = ("number_type", "pool", "country", "state", "city", "rate_center", "zipcode")
    return {"number": found.number, "seen_at": timezone.now().isoformat()} | {
        name: getattr(found, name) for name in place
    }


def _too_late() -> WriteAnswer:
    return WriteAnswer(
        outcome=Outcome.NOT_SENT,
        http_status=None,
        message="The worker was held up too long to send safely, so it did not.",
    )
