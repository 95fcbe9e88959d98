"""Carrying a change on: sent once, and while its outcome is unknown sent again until it is definite.

Updates are repeatable, so unlike a purchase a change may be re-sent with the same values. While one is unknown its
number takes no other order.
"""

from __future__ import annotations

from typing import Any

from numbers_app.actors import Actor
from numbers_app.models import AttemptKind, Order, OrderKind
from numbers_app.vendor import callcap_client

from .sending import attempt_send
from .validity import number_of, plain_value


def change_carry(*, actor: Actor, order: Order) -> None:
    """Send the change, or send it once more."""
    attempt_send(
        actor=actor,
        order=order,
        kind=AttemptKind.UPDATE,
        number=order.phone_number,
        values=lambda locked: order.parameters if order.kind == OrderKind.CHANGE else _values_in_force(locked),
        found=None,
        send=lambda values: callcap_client().update(order.phone_number, values),
    )


def _values_in_force(order: Order) -> dict[str, Any]:
    """What the mirror says of the fields that a re-application or a confirmation is about."""
    campaign = number_of(order)
    return {name: plain_value(getattr(campaign, name)) for name in order.parameters}
