"""Asking Callcap whether a number is still ours, setting it there as the mirror says, and settling what that brings.

Callcap offers no way to read what one owns. An update that changes nothing (the name that the campaign has already)
succeeds for our numbers only, so it is the question.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import OPEN, Campaign, Order, OrderKind, OrderStatus, User, Verb
from numbers_app.permissions import Capability, can, require
from numbers_app.selectors.accounts import accounts_granted
from numbers_app.text import phone_text

from .decisions import order_approve_own
from .history import history_append
from .mirror import campaign_end
from .orders import order_write_request
from .validity import campaign_lock, confirm_parameters, reapply_parameters

# Who asks and decides where no person does: ids of people start at 1.
NOBODY = 0
# How many a second are sent where thousands are to be confirmed, so that other orders find Callcap free.
MOST_A_SECOND = 5


def order_request_confirm(*, actor: Actor, campaign: Campaign, form_token: UUID) -> Order:
    """Ask Callcap whether a number is still ours. A manager's is on its way at once, a rep's waits for a manager.

    The same form sent twice makes one order. Raises Conflict when an open order asks that already, InvalidInput when
    the number has stopped.
    """
    user = _may_ask(actor, campaign)
    with transaction.atomic():
        locked = campaign_lock(pk=campaign.pk)
        repeated = _made_by_form(form_token, user, locked, OrderKind.CONFIRM)
        if repeated:
            return repeated
        _refuse_stopped(locked)
        if asked := _open_confirmation(locked):
            raise Conflict(f"Order {asked.pk} asks Callcap about {phone_text(locked.phone_number)} already.")
        order = _order(locked, OrderKind.CONFIRM, form_token)
        _write(actor, user, order)
    return order


def order_request_reapply(*, actor: Actor, campaign: Campaign, version: int, reason: str, form_token: UUID) -> Order:
    """Ask that everything the mirror says of a number is sent to Callcap once more, over what somebody set there.

    A manager who has seen the values (``version``) needs nobody else; a rep's order waits for a manager. The same form
    sent twice makes one order. Raises Conflict when the number is no longer as it was seen, InvalidInput when it has
    stopped.
    """
    user = _may_ask(actor, campaign)
    with transaction.atomic():
        locked = campaign_lock(pk=campaign.pk)
        repeated = _made_by_form(form_token, user, locked, OrderKind.REAPPLY)
        if repeated:
            return repeated
        _refuse_stopped(locked)
        if locked.version != version:
            raise Conflict("Somebody changed this number after you opened the page. Read the values again.")
        order = _order(locked, OrderKind.REAPPLY, form_token, reason)
        _write(actor, user, order)
    return order


def numbers_confirm(*, actor: Actor, campaigns: Iterable[Campaign]) -> list[int]:
    """Ask Callcap about many numbers, in the name of a command. Returns the orders' ids.

    They are spread over time and go behind everything else. Left out is what has stopped or is being asked already.
    """
    due, orders = timezone.now(), []
    for campaign in campaigns:
        with transaction.atomic():
            locked = campaign_lock(pk=campaign.pk)
            if locked.ended_at or _open_confirmation(locked):
                continue
            orders.append(_write_approved(actor, locked, due))
        due += timedelta(seconds=1 / _a_second())
    return orders


def campaign_settle_dispute(*, actor: Actor, campaign: Campaign, still_ours: bool, reason: str) -> None:
    """End a dispute by what a manager found out: the number is still ours, or it is not and the campaign ends.

    Raises PermissionDenied without the role or the grant, Conflict when nothing is in dispute any more.
    """
    user = actor.person_or_refuse
    require(user, Capability.DECIDE)
    _refuse_ungranted(user, campaign)
    with transaction.atomic():
        locked = campaign_lock(pk=campaign.pk)
        if not locked.disputed_at:
            raise Conflict("There is nothing to settle any more.")
        if not still_ours:
            campaign_end(actor=actor, campaign=locked, reason=f"It is not ours any more. {reason}")
            return
        history_append(
            actor=actor,
            verb=Verb.NUMBER_SETTLED,
            number=locked.phone_number,
            account_key=locked.account.key,
            changes={"dispute": [locked.dispute, None]},
            reason=reason,
        )
        Campaign.objects.filter(pk=locked.pk).update(disputed_at=None, dispute="")


def _may_ask(actor: Actor, campaign: Campaign) -> User:
    user = actor.person_or_refuse
    require(user, Capability.ORDER)
    _refuse_ungranted(user, campaign)
    return user


def _refuse_ungranted(user: User, campaign: Campaign) -> None:
    if not accounts_granted(user).filter(pk=campaign.account_id).exists():
        raise PermissionDenied("You may not change numbers of this account.")


def _refuse_stopped(campaign: Campaign) -> None:
    if campaign.ended_at:
        raise InvalidInput("This number has stopped. Nothing can be sent for it any more.")


def _open_confirmation(campaign: Campaign) -> Order | None:
    return campaign.orders.filter(kind=OrderKind.CONFIRM, status__in=OPEN).first()


def _made_by_form(form_token: UUID, user: User, campaign: Campaign, kind: OrderKind) -> Order | None:
    order = Order.objects.filter(form_token=form_token).first()
    if order and (order.author_id, order.campaign_id, order.kind) != (user.pk, campaign.pk, kind):
        raise InvalidInput("This form was already sent, for something else. Open the number again.", "form_token")
    return order


def _order(campaign: Campaign, kind: OrderKind, form_token: UUID, reason: str = "") -> Order:
    wished = confirm_parameters if kind == OrderKind.CONFIRM else reapply_parameters
    parameters = wished(campaign)
    # Nothing in the mirror is to change, so what is sent is also what was before.
    return Order(
        kind=kind,
        account=campaign.account,
        campaign=campaign,
        phone_number=campaign.phone_number,
        parameters=parameters,
        before=parameters,
        reason=reason,
        form_token=form_token,
    )


def _write(actor: Actor, user: User, order: Order) -> None:
    order_write_request(actor, user, order, {name: [value, value] for name, value in order.parameters.items()})
    if can(user, Capability.CHANGE_ROUTING):
        order_approve_own(actor=actor, order=order)


def _write_approved(actor: Actor, campaign: Campaign, due: datetime) -> int:
    order = _order(campaign, OrderKind.CONFIRM, uuid.uuid4())
    order.status = OrderStatus.APPROVED
    order.requester_id = order.author_id = order.decider_id = NOBODY
    order.requester_name = order.author_name = order.decider_name = actor.name
    order.decided_at, order.execute_after, order.self_approved = timezone.now(), due, True
    order.save(force_insert=True)
    history_append(
        actor=actor,
        verb=Verb.ORDER_APPROVED,
        number=campaign.phone_number,
        account_key=campaign.account.key,
        order_id=order.pk,
    )
    return order.pk


def _a_second() -> float:
    """How many confirmations a second leave room for other orders: half of what Callcap takes at most."""
    limit = settings.CALLCAP_MAX_PER_SECOND
    return min(MOST_A_SECOND, limit / 2) if limit else MOST_A_SECOND
