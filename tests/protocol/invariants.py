"""What must be true of the purchase: always, and once everything has come to rest."""

from __future__ import annotations

from .model import (
    APPLIED,
    DONE,
    FAILED,
    NOT_WORKED_ON,
    OURS,
    PERSON,
    REFUSED,
    Order,
    State,
    in_flight,
)


def always(state: State) -> str | None:
    """The rule that this state breaks, if any."""
    order = state.order
    if state.vendor.numbers.count(OURS) > 1:
        return "charged twice for one order"
    if in_flight(order) > 1:
        return "two attempts in flight"
    if _moved_on_in_doubt(order):
        return "another number was sent while the first was in doubt"
    if order.status == DONE:
        return None if state.vendor.ours == [order.mirrored] else "done, but the number in the mirror is not ours"
    if order.mirrored or any(purchase.outcome == APPLIED for purchase in order.purchases):
        return "a purchase is known to have succeeded, but the order is not done"
    return None


def _moved_on_in_doubt(order: Order) -> bool:
    """Whether a number was sent although a purchase of the other was not definitely without effect."""
    last = order.purchases[-1].number if order.purchases else ""
    return any(p.number != last and p.outcome not in {REFUSED, NOT_WORKED_ON} for p in order.purchases)


def at_rest(state: State) -> str | None:
    """The rule that is broken if nothing more happens, if any."""
    status, ours = state.order.status, state.vendor.ours
    if status == FAILED and ours:
        return f"failed, but {ours[0]} is ours"
    if status not in {DONE, FAILED, PERSON}:
        return f"stuck: nothing will happen to the order any more, and it is {status}"
    return None
