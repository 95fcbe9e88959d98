"""Carrying approved orders to the vendor, so that nothing is bought twice and nothing bought is lost.

The vendor has no idempotency key, so the number is the key: it can be sold only once, and we always name it. Each call
is: preflight, durable intent (order ``sending``, an Attempt with a lease), one POST outside any transaction, then
outcome, mirror and history in one transaction (``recording.py``). Nothing here enqueues; the sweep rings
again what is due.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.callcap import AvailableNumber, CallcapError, Outcome, WriteAnswer
from numbers_app.models import (
    Attempt,
    AttemptKind,
    AttemptOutcome,
    Choice,
    Order,
    OrderKind,
    OrderStatus,
    Verb,
)
from numbers_app.vendor import callcap_client

from .recording import attempt_record, attempt_store, order_retry_at
from .transition import order_lock, order_transition
from .validity import order_problem

logger = structlog.get_logger(__name__)

# The POST starts this soon after the intent was written, or not at all: by then nobody else may act on the lease.
SEND_WINDOW_SECONDS = 5
LEASE_MARGIN_SECONDS = 10


def order_execute(*, actor: Actor, order_id: int) -> None:
    """Carry an approved, due order as far as it will go now. Harmless to repeat and to run twice at once.

    A purchase goes through its choices by rank until one is bought, refused for good or of unknown outcome; it is put
    off while the vendor cannot be reached.
    """
    for attempt in Attempt.objects.filter(order_id=order_id, recorded=False).exclude(outcome=AttemptOutcome.SENDING):
        with transaction.atomic():
            attempt_record(actor=actor, attempt=attempt)
    while True:
        order = Order.objects.select_related("account", "campaign").get(pk=order_id)
        if order.status != OrderStatus.APPROVED or (order.execute_after and order.execute_after > timezone.now()):
            return
        actor_here = _carrying(actor, order)
        if order.kind == OrderKind.CHANGE:
            _execute_change(actor_here, order)
        else:
            _execute_purchase(actor_here, order)


def attempts_expire(*, actor: Actor) -> int:
    """Give up on attempts whose worker went silent past its lease: their outcome is unknown. Returns how many."""
    expired = Attempt.objects.filter(outcome=AttemptOutcome.SENDING, lease_until__lt=Now())
    count = 0
    for attempt in expired:
        silence = WriteAnswer(
            outcome=Outcome.UNKNOWN,
            http_status=None,
            message="The worker stopped between sending and recording, so nobody saw Callcap's answer.",
        )
        _conclude(_carrying(actor, attempt.order), attempt, silence)
        count += 1
    return count


def _carrying(actor: Actor, order: Order) -> Actor:
    """The acting process under the id of the request that decided the order, so that one id joins page and worker."""
    return Actor(
        user=None,
        user_id=None,
        name=actor.name,
        role=actor.role,
        source=actor.source,
        request_id=order.request_id,
    )


def _execute_purchase(actor: Actor, order: Order) -> None:
    choice = order.choices.filter(live=True).first()
    if choice is None:
        _fail_unsent(actor, order, "None of the wanted numbers is available any more. Nothing was bought.")
        return
    try:
        found = callcap_client().find_number(choice.number, account=order.account.key)
    except CallcapError as error:
        _put_off(order, error.message)
        return
    if found is None:
        _drop_choice(actor, order, choice, "Callcap no longer offers it.")
        return
    values = {name: value for name, value in order.parameters.items() if name != "stop_date"}
    attempt, window_ends = _intend(actor, order, AttemptKind.BUY, choice.number, values, found)
    if attempt is None:
        return
    if time.monotonic() > window_ends:
        answer = _too_late()
    else:
        answer = callcap_client().provision(choice.number, order.account.key, values)
    if answer.outcome == Outcome.REFUSED and answer.http_status != 429:
        _look_again(attempt, order)
    _conclude(actor, attempt, answer)


def _execute_change(actor: Actor, order: Order) -> None:
    attempt, window_ends = _intend(actor, order, AttemptKind.UPDATE, order.phone_number, order.parameters, None)
    if attempt is None:
        return
    if time.monotonic() > window_ends:
        answer = _too_late()
    else:
        answer = callcap_client().update(attempt.number, order.parameters)
    _conclude(actor, attempt, answer)


def _intend(
    actor: Actor,
    order: Order,
    kind: AttemptKind,
    number: str,
    values: dict[str, Any],
    found: AvailableNumber | None,
) -> tuple[Attempt | None, float]:
    """Write down durably that the number is about to be sent, and until when (monotonic seconds) it may be.

    No attempt comes back when the order was taken, changed or became invalid meanwhile. An error of the commit itself
    is raised, so nothing is sent.
    """
    window_ends = time.monotonic() + SEND_WINDOW_SECONDS
    lease = timedelta(seconds=SEND_WINDOW_SECONDS + settings.CALLCAP_TIMEOUT + LEASE_MARGIN_SECONDS)
    try:
        with transaction.atomic(durable=True):
            locked = order_lock(order.pk)
            if locked.status != OrderStatus.APPROVED or locked.revision != order.revision:
                return None, window_ends
            problem = order_problem(locked, number)
            if problem:
                _fail(actor, locked, problem)
                return None, window_ends
            order_transition(
                actor=actor,
                order=locked,
                to=OrderStatus.SENDING,
                verb=Verb.ORDER_SENDING,
                phone_number=number,
                result="",
            )
            attempt = Attempt.objects.create(
                order=locked,
                kind=kind,
                number=number,
                parameters=values,
                preflight=_evidence(found),
                started_at=Now(),
                lease_until=Now() + lease,
            )
    except IntegrityError:
        _put_off(order, "Another order for this number is at Callcap right now.")
        return None, window_ends
    return attempt, window_ends


def _conclude(actor: Actor, attempt: Attempt, answer: WriteAnswer) -> None:
    """Record what came back. If the record fails, keep the outcome alone: a bought number is never known only there."""
    try:
        with transaction.atomic():
            if attempt_store(attempt=attempt, answer=answer):
                attempt_record(actor=actor, attempt=attempt)
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


def _look_again(attempt: Attempt, order: Order) -> None:
    """After a refusal: is the number still offered? Kept as evidence; only a definite no allows the next choice."""
    try:
        found = callcap_client().find_number(attempt.number, account=order.account.key)
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


def _drop_choice(actor: Actor, order: Order, choice: Choice, why: str) -> None:
    """Take a number that cannot be had out of the race; the next choice follows."""
    from_rank = {"choice": [choice.number, None]}
    with transaction.atomic():
        locked = order_lock(order.pk)
        if locked.status == OrderStatus.APPROVED:
            order_transition(
                actor=actor,
                order=locked,
                to=OrderStatus.APPROVED,
                verb=Verb.ORDER_CHOICE_GONE,
                reason=why,
                changes=from_rank,
            )
            Choice.objects.filter(pk=choice.pk).update(live=False, dropped_because=why)


def _fail_unsent(actor: Actor, order: Order, why: str) -> None:
    """End an approved order that nothing was sent for."""
    with transaction.atomic():
        locked = order_lock(order.pk)
        if locked.status == OrderStatus.APPROVED:
            _fail(actor, locked, why)


def _fail(actor: Actor, locked: Order, why: str) -> None:
    order_transition(
        actor=actor,
        order=locked,
        to=OrderStatus.FAILED,
        verb=Verb.ORDER_FAILED,
        reason=why,
        result=why,
        finished_at=timezone.now(),
    )
    locked.choices.update(live=False)


def _put_off(order: Order, why: str) -> None:
    """Try again later; nothing was sent, so nothing is written to the history."""
    Order.objects.filter(pk=order.pk, status=OrderStatus.APPROVED).update(
        execute_after=order_retry_at(order), tries=F("tries") + 1, result=f"Not sent yet: {why}", rung_at=None
    )
