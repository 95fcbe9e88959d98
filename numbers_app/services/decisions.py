"""Deciding on orders: approving, taking that back, rejecting, cancelling, and talking about them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import Conflict
from numbers_app.models import BatchRow, HistoryEntry, Order, OrderStatus, User, Verb
from numbers_app.permissions import Capability, require
from numbers_app.selectors.accounts import accounts_granted
from numbers_app.tasks import execute_order

from .transition import order_lock, order_transition
from .validity import order_undo_until

# What is due later than this is rung by the sweep: the bell is for what somebody is waiting for.
RING_AHEAD = timedelta(minutes=10)


def order_approve(*, actor: Actor, order_id: int, revision: int) -> Order:
    """Approve what was seen (``revision``). It takes effect after the time to undo it, or when it is scheduled for.

    Raises PermissionDenied to everybody who wrote one of its revisions, Conflict when it was decided or rewritten
    meanwhile.
    """
    user = actor.person_or_refuse
    with transaction.atomic():
        order = _lock_to_decide(user, order_id, revision)
        _approve(actor, user, order, self_approved=False)
    return order


def order_approve_own(*, actor: Actor, order: Order) -> None:
    """A manager's own change to a number, which needs nobody else. In the transaction that writes the order."""
    user = actor.person_or_refuse
    require(user, Capability.CHANGE_ROUTING)
    _approve(actor, user, order, self_approved=True)


def order_undo_approval(*, actor: Actor, order_id: int) -> Order:
    """Take back one's own approval while it has not taken effect. Raises Conflict afterwards."""
    user = actor.person_or_refuse
    require(user, Capability.DECIDE)
    with transaction.atomic():
        order = order_lock_granted(user, order_id)
        if order.status != OrderStatus.APPROVED or order.self_approved:
            raise Conflict(f"There is no approval to take back: {order_standing(order)}")
        if row := BatchRow.objects.filter(order_id=order.pk).first():
            raise Conflict(f"This order belongs to batch {row.batch_id}. Pause or cancel the batch instead.")
        if order.decider_id != user.pk:
            raise PermissionDenied(f"Only {order.decider_name} can take back this approval. You can cancel the order.")
        until = order_undo_until(order)
        if timezone.now() >= until:
            raise Conflict("The time to undo is over. You can still cancel the order until it is sent.")
        order_transition(
            actor=actor,
            order=order,
            to=OrderStatus.PENDING,
            verb=Verb.ORDER_APPROVAL_UNDONE,
            # What is later than the time to undo was wished for.
            execute_after=order.execute_after if order.execute_after and order.execute_after > until else None,
            rung_at=None,
            decider_id=None,
            decider_name="",
            decided_at=None,
        )
    return order


def order_reject(*, actor: Actor, order_id: int, revision: int, reason: str) -> Order:
    """Turn an order down, with a reason for the person who asked. Raises as ``order_approve``."""
    user = actor.person_or_refuse
    with transaction.atomic():
        order = _lock_to_decide(user, order_id, revision)
        order_transition(
            actor=actor,
            order=order,
            to=OrderStatus.REJECTED,
            verb=Verb.ORDER_REJECTED,
            reason=reason,
            finished_at=timezone.now(),
            result=reason,
            **_decision(actor, user, reason),
        )
        order.choices.update(live=False)
    return order


def order_cancel(*, actor: Actor, order_id: int) -> Order:
    """Take back one's own order before it is sent; managers may take back any. Raises Conflict once it is sent."""
    user = actor.person_or_refuse
    require(user, Capability.ORDER)
    with transaction.atomic():
        order = order_lock_granted(user, order_id)
        if user.pk not in (order.requester_id, order.author_id):
            require(user, Capability.DECIDE)
        if order.status not in (OrderStatus.PENDING, OrderStatus.APPROVED):
            raise Conflict(f"This order cannot be cancelled any more: {order_standing(order)}")
        nothing = "Nothing was bought or changed." if order.attempts.exists() else "Nothing was sent."
        order_transition(
            actor=actor,
            order=order,
            to=OrderStatus.CANCELLED,
            verb=Verb.ORDER_CANCELLED,
            result=f"Cancelled by {actor.name}. {nothing}",
            finished_at=timezone.now(),
        )
        order.choices.update(live=False)
    return order


def order_comment(*, actor: Actor, order_id: int, text: str) -> Order:
    """Say something about an order. It stands in the history, and those who take part in the talk are told."""
    user = actor.person_or_refuse
    require(user, Capability.ORDER)
    with transaction.atomic():
        order = order_lock_granted(user, order_id)
        stays = OrderStatus(order.status)
        order_transition(actor=actor, order=order, to=stays, verb=Verb.ORDER_COMMENTED, reason=text)
    return order


def order_mark_urgent(*, actor: Actor, order_id: int) -> Order:
    """Tell every manager of the account at once. Raises Conflict when it no longer waits or is urgent already."""
    user = actor.person_or_refuse
    require(user, Capability.ORDER)
    with transaction.atomic():
        order = order_lock_granted(user, order_id)
        if order.status != OrderStatus.PENDING:
            raise Conflict(f"This order no longer waits: {order_standing(order)}")
        if order.urgent:
            raise Conflict("This order is marked as urgent already.")
        order_transition(actor=actor, order=order, to=OrderStatus.PENDING, verb=Verb.ORDER_URGED, urgent=True)
    return order


def order_lock_granted(user: User, order_id: int) -> Order:
    """The locked order; one in an account without a grant is as good as absent (Order.DoesNotExist)."""
    order = order_lock(order_id)
    if not accounts_granted(user).filter(pk=order.account_id).exists():
        raise Order.DoesNotExist
    return order


def order_refuse_stale(order: Order, revision: int) -> None:
    """Raise Conflict, saying who did what, when the order is no longer what somebody has in front of them."""
    if order.status != OrderStatus.PENDING:
        raise Conflict(f"This order was decided before you: {order_standing(order)}")
    if order.revision != revision:
        at = f"{order.submitted_at:%Y-%m-%d at %H:%M} UTC"
        raise Conflict(
            f"{order.author_name} rewrote this order on {at}, after you opened it. Read it again before you decide."
        )


def order_refuse_writer(user: User, order: Order) -> None:
    """Raise PermissionDenied to everybody who asked for the order or wrote one of its revisions."""
    writing = (Verb.ORDER_REQUESTED, Verb.ORDER_AMENDED)
    wrote = HistoryEntry.objects.filter(order_id=order.pk, verb__in=writing, actor_id=user.pk)
    if user.pk in (order.requester_id, order.author_id) or wrote.exists():
        raise PermissionDenied("You asked for this yourself or wrote a part of it, so somebody else decides on it.")


def order_standing(order: Order) -> str:
    """How the order stands and whose doing that is, as the end of a sentence."""
    if order.status == OrderStatus.CANCELLED:
        return order.result
    by = f", decided by {order.decider_name}" if order.decider_name else ""
    at = f" on {order.decided_at:%Y-%m-%d at %H:%M} UTC" if order.decided_at else ""
    why = f": {order.decision_reason}" if order.decision_reason else "."
    return f"it is {order.get_status_display().lower()}{by}{at}{why}"


def _lock_to_decide(user: User, order_id: int, revision: int) -> Order:
    require(user, Capability.DECIDE)
    order = order_lock_granted(user, order_id)
    order_refuse_writer(user, order)
    order_refuse_stale(order, revision)
    return order


def _approve(actor: Actor, user: User, order: Order, *, self_approved: bool) -> None:
    decision = _decision(actor, user, "")
    order.decided_at = decision["decided_at"]
    due = max(order.execute_after or timezone.now(), order_undo_until(order))
    is_near = due <= timezone.now() + RING_AHEAD
    order_transition(
        actor=actor,
        order=order,
        to=OrderStatus.APPROVED,
        verb=Verb.ORDER_APPROVED,
        self_approved=self_approved,
        execute_after=due,
        rung_at=due if is_near else None,
        **decision,
    )
    if is_near:
        _ring(order, due)


def _ring(order: Order, due: datetime) -> None:
    bell = execute_order if due <= timezone.now() else execute_order.using(run_after=due)
    bell.enqueue(order.pk)


def _decision(actor: Actor, user: User, reason: str) -> dict[str, Any]:
    return {
        "decider_id": user.pk,
        "decider_name": actor.name,
        "decided_at": timezone.now(),
        "decision_reason": reason,
        "request_id": actor.request_id,
    }
