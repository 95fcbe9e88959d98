"""Carrying approved orders to the vendor, so that nothing is bought twice and nothing bought is lost.

The vendor has no idempotency key, so the number is the key: it can be sold only once, and we always name it. Each call
is: preflight, durable intent (an Attempt with a lease), one POST outside any transaction (``sending.py``), then
outcome, mirror and history in one transaction (``recording.py``). What follows from an outcome is decided in
``protocol.py``. Nothing here enqueues; the sweep rings again what is due.
"""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.callcap import Outcome, WriteAnswer
from numbers_app.models import Attempt, AttemptOutcome, Order, OrderKind, OrderStatus, SendingSwitch
from numbers_app.steps import reached

from .change import change_carry
from .purchase import purchase_carry, purchase_check
from .recording import attempt_record
from .sending import attempt_conclude
from .switch import is_batch_paused, sending_guard
from .transition import order_lock_with_number


def order_execute(*, actor: Actor, order_id: int) -> None:
    """Carry an order that is due as far as it will go now. Harmless to repeat and to run twice at once.

    A purchase goes through its choices by rank until one is bought, refused for good or of unknown outcome; an unknown
    outcome is checked; whatever cannot be done now is put off.
    """
    for attempt in Attempt.objects.filter(order_id=order_id, recorded=False).exclude(outcome=AttemptOutcome.SENDING):
        with transaction.atomic():
            attempt_record(actor=actor, order=order_lock_with_number(order_id), attempt=attempt)
    seen = None
    while True:
        order = Order.objects.select_related("account").get(pk=order_id)
        if not _is_due(order) or _is_held(order, sending_guard(actor=actor)):
            return
        reached("picked up")
        carrying = _carrying(actor, order)
        if order.kind != OrderKind.PROVISION:
            # Whatever a change comes to, nothing more of it is due at once.
            change_carry(actor=carrying, order=order)
            return
        stands = (order.status, order.execute_after, order.choices.filter(live=True).count())
        if stands == seen:
            return
        seen = stands
        carry = purchase_carry if order.status == OrderStatus.APPROVED else purchase_check
        carry(actor=carrying, order=order)


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
        attempt_conclude(actor=_carrying(actor, attempt.order), attempt=attempt, answer=silence)
        count += 1
    return count


def _is_due(order: Order) -> bool:
    if order.status not in (OrderStatus.APPROVED, OrderStatus.UNKNOWN):
        return False
    return order.execute_after is not None and order.execute_after <= timezone.now()


def _is_held(order: Order, switch: SendingSwitch) -> bool:
    """Whether the switch or a paused batch holds the order back. What is in doubt is checked unless all is paused."""
    if order.status != OrderStatus.APPROVED:
        return switch.everything_paused
    buying = order.kind == OrderKind.PROVISION
    return switch.everything_paused or (buying and switch.purchases_paused) or is_batch_paused(order)


def _carrying(actor: Actor, order: Order) -> Actor:
    """The acting process under the id of the request that decided the order, so that one id joins page and worker."""
    return replace(actor, user=None, user_id=None, request_id=order.request_id)
