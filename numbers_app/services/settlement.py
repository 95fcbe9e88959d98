"""Settling by hand what nobody but a person can find out: whether the vendor carried out an unknown order."""

from __future__ import annotations

from enum import StrEnum

from django.db import transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import AttemptOutcome, Campaign, Order, OrderKind, OrderStatus, Verb
from numbers_app.permissions import Capability, require
from numbers_app.text import phone_text

from .decisions import order_lock_granted, order_refuse_writer, order_standing
from .doubt import doubtful_purchase, names_another
from .mirror import campaign_bought, campaign_changed, order_reapply_later
from .recording import order_end_bought, order_fail
from .transition import order_transition
from .validity import campaign_lock


class Finding(StrEnum):
    """What somebody found in the vendor's own interface."""

    CARRIED_OUT = "carried_out"
    ANOTHER_NUMBER = "another_number"
    NOT_CARRIED_OUT = "not_carried_out"


_FOUND = {
    Finding.CARRIED_OUT: "Callcap carried it out.",
    Finding.ANOTHER_NUMBER: "Callcap sold us the other number that it named.",
    Finding.NOT_CARRIED_OUT: "Callcap did not carry it out.",
}


def order_settle(*, actor: Actor, order_id: int, finding: Finding, reason: str) -> Order:
    """End an unknown order by what a manager found, with the reason to believe it.

    Raises PermissionDenied to who wrote the order (except a manager's own change), Conflict when it is not unknown any
    more or a call for it is under way, InvalidInput for another number when the vendor named none.
    """
    user = actor.person_or_refuse
    require(user, Capability.DECIDE)
    with transaction.atomic():
        order = order_lock_granted(user, order_id)
        if not order.self_approved:
            order_refuse_writer(user, order)
        if order.status != OrderStatus.UNKNOWN:
            raise Conflict(f"This order is not unknown any more: {order_standing(order)}")
        if order.attempts.filter(outcome=AttemptOutcome.SENDING).exists():
            raise Conflict("Callcap is being asked about this order right now. Wait a minute, then look again.")
        if order.campaign_id:
            order.campaign = campaign_lock(pk=order.campaign_id)
        result = f"{_FOUND[finding]} Settled by {actor.name}: {reason}"
        settle = _settle_purchase if order.kind == OrderKind.PROVISION else _settle_change
        settle(actor, order, finding, result)
    return order


def _settle_purchase(actor: Actor, order: Order, finding: Finding, result: str) -> None:
    if finding == Finding.NOT_CARRIED_OUT:
        order_fail(actor=actor, order=order, why=result, verb=Verb.ORDER_SETTLED)
        return
    purchase = doubtful_purchase(order)
    number = purchase.number
    if finding == Finding.ANOTHER_NUMBER:
        if not names_another(purchase):
            raise InvalidInput("Callcap named no other number in its answer to this order.", "finding")
        number = purchase.named_number
    if Campaign.objects.filter(phone_number=number, ended_at=None).exists():
        raise InvalidInput(
            f"{phone_text(number)} is already among our numbers, so it was not this order that bought it.", "finding"
        )
    campaign = campaign_bought(actor=actor, order=order, attempt=purchase, number=number)
    order_end_bought(actor=actor, order=order, campaign=campaign, result=result, verb=Verb.ORDER_SETTLED)


def _settle_change(actor: Actor, order: Order, finding: Finding, result: str) -> None:
    if finding == Finding.ANOTHER_NUMBER:
        raise InvalidInput("A change is about one number only.", "finding")
    if finding == Finding.NOT_CARRIED_OUT:
        order_fail(actor=actor, order=order, why=result, verb=Verb.ORDER_SETTLED)
    else:
        if order.kind == OrderKind.CHANGE:
            campaign_changed(actor=actor, order=order, parameters=order.parameters)
        order_transition(
            actor=actor,
            order=order,
            to=OrderStatus.DONE,
            verb=Verb.ORDER_SETTLED,
            reason=result,
            result=result,
            execute_after=None,
            finished_at=timezone.now(),
        )
    order_reapply_later(actor=actor, order=order)
