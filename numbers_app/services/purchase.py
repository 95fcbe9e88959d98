"""Carrying a purchase on: through its choices until one is bought, and through its doubts until they are settled.

Once no choice is left, the order's search may bring another one (``first_match.py``).
"""

from __future__ import annotations

from django.db import transaction

from numbers_app.actors import Actor
from numbers_app.callcap import AvailableNumber, CallcapError
from numbers_app.models import AttemptKind, Choice, Order, OrderStatus, Verb
from numbers_app.protocol import MOST_FOUND, Next, after_look
from numbers_app.vendor import callcap_client

from .doubt import after_last_choice, doubtful_purchase, is_doubted, purchase_doubt
from .first_match import choice_find, order_fail_unsent
from .sending import attempt_send, number_look, order_put_off
from .switch import sending_switch
from .transition import order_lock, order_transition


def purchase_carry(*, actor: Actor, order: Order) -> None:
    """Buy the best choice that is still offered; one that is not gives way to the next, or to one that is found."""
    choice = order.choices.filter(live=True).first()
    if choice is None:
        if after_last_choice(order) == Next.FIND:
            choice_find(actor=actor, order=order)
        else:
            order_fail_unsent(actor=actor, order=order, why=_all_gone(order))
        return
    try:
        found = number_look(actor, order, choice.number)
    except CallcapError:
        return
    if after_look(offered=found is not None) == Next.NEXT_CHOICE:
        _drop_choice(actor, order, choice, "Callcap no longer offers it.")
        return
    _buy(actor, order, choice.number, found)


def purchase_check(*, actor: Actor, order: Order) -> None:
    """Find out whether a number whose purchase is in doubt is ours, or try it once more when it certainly is not.

    The check is an update with the approved values: its success proves that the number is ours. It is made only of
    numbers that this order saw offered, since it could overwrite what somebody else has set up.
    """
    purchase = doubtful_purchase(order)
    try:
        found = number_look(actor, order, purchase.number)
    except CallcapError:
        return
    if purchase_doubt(order).next == Next.BUY and found is not None:
        if sending_switch().purchases_paused:
            order_put_off(order, "Purchases are paused.")
        else:
            _buy(actor, order, purchase.number, found)
        return
    attempt_send(
        actor=actor,
        order=order,
        kind=AttemptKind.PROBE,
        number=purchase.number,
        values=lambda _: purchase.parameters,
        found=found,
        send=lambda values: callcap_client().update(purchase.number, values),
    )


def _buy(actor: Actor, order: Order, number: str, found: AvailableNumber | None) -> None:
    attempt_send(
        actor=actor,
        order=order,
        kind=AttemptKind.BUY,
        number=number,
        values=lambda _: {name: value for name, value in order.parameters.items() if name != "stop_date"},
        found=found,
        send=lambda values: callcap_client().provision(number, order.account.key, values),
    )


def _drop_choice(actor: Actor, order: Order, choice: Choice, why: str) -> None:
    """Take a number that cannot be had out of the race; the next choice follows."""
    with transaction.atomic():
        locked = order_lock(order.pk)
        if locked.status == OrderStatus.APPROVED:
            order_transition(
                actor=actor,
                order=locked,
                to=OrderStatus.APPROVED,
                verb=Verb.ORDER_CHOICE_GONE,
                reason=why,
                changes={"choice": [choice.number, None]},
            )
            Choice.objects.filter(pk=choice.pk).update(live=False, dropped_because=why)


def _all_gone(order: Order) -> str:
    if not order.criteria:
        return "None of the wanted numbers is available any more. Nothing was bought."
    if is_doubted(order):
        return (
            "The wanted number is not available any more. No other one is looked for, since it was not known for a "
            "while whether Callcap had sold this one. Nothing was bought."
        )
    return f"{MOST_FOUND} numbers that the search found were gone before they could be bought. Nothing was bought."
