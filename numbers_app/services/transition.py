"""Moving an order from one state to the next: history entry, compare-and-set and what people are told, together."""

from __future__ import annotations

from typing import Any

from numbers_app.actors import Actor
from numbers_app.errors import Conflict
from numbers_app.models import Order, OrderStatus, Verb

from .history import Changes, VendorWords, history_append
from .notifications import order_tell
from .validity import campaign_lock


def order_lock(order_id: int) -> Order:
    """The order, its row locked until the transaction ends."""
    return Order.objects.select_for_update(of=("self",)).select_related("account").get(pk=order_id)


def order_lock_with_number(order_id: int) -> Order:
    """The order and the number of ours that it is about, if any, both locked, in the order that everybody keeps to."""
    order = order_lock(order_id)
    if order.campaign_id:
        order.campaign = campaign_lock(pk=order.campaign_id)
    return order


def order_transition(
    *,
    actor: Actor,
    order: Order,
    to: OrderStatus,
    verb: Verb,
    reason: str = "",
    vendor: VendorWords | None = None,
    changes: Changes | None = None,
    **fields: Any,
) -> None:
    """Move a locked order to ``to``, setting ``fields`` too, with its history entry, and tell whom it concerns.

    Raises Conflict, and the caller's transaction ends, when the row is no longer in the state that ``order`` shows.
    """
    number = fields.get("phone_number", order.phone_number)
    moved: Changes = {} if order.status == to else {"status": [order.status, to.value]}
    history_append(
        actor=actor,
        verb=verb,
        number=number,
        account_key=order.account.key,
        order_id=order.pk,
        changes=moved | (changes or {}),
        reason=reason,
        vendor=vendor,
    )
    was = order.status
    seen = Order.objects.filter(pk=order.pk, status=was, revision=order.revision)
    if seen.update(status=to, **fields) != 1:
        raise Conflict("This order has just changed. Open it again to see how it stands.")
    for name, value in {"status": to, **fields}.items():
        setattr(order, name, value)
    order_tell(actor=actor, order=order, verb=verb, detail=reason, repeated=was == to)
