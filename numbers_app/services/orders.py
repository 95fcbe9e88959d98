"""Asking for purchases and changes, and deciding on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import Account, Campaign, Choice, Order, OrderKind, OrderStatus, User, Verb
from numbers_app.permissions import Capability, can, require
from numbers_app.selectors.accounts import accounts_granted, locations_granted
from numbers_app.selectors.campaigns import campaigns_held
from numbers_app.selectors.orders import live_choices
from numbers_app.tasks import execute_order
from numbers_app.text import phone_text

from .history import history_append
from .transition import order_lock, order_transition
from .validity import plain_value


@dataclass(frozen=True)
class WantedNumber:
    """A ranked choice of a purchase; ``place`` is what the vendor said of it, empty when it could not be asked."""

    number: str
    place: str = ""


def order_request_purchase(
    *,
    actor: Actor,
    account: Account,
    wanted: Sequence[WantedNumber],
    parameters: dict[str, Any],
    reason: str,
    form_token: UUID,
) -> Order:
    """Ask for one of one to five numbers, best first. The same form sent twice makes one order.

    Raises InvalidInput naming the field when a number is ours or wanted by another order, or the form was already sent
    with other values; PermissionDenied where the person has no grant.
    """
    user = actor.person_or_refuse
    require(user, Capability.ORDER)
    if not locations_granted(user).filter(pk=account.pk).exists():
        raise PermissionDenied("You may not order numbers for this account.")
    numbers = [choice.number for choice in wanted]
    repeated = _made_by_form(form_token, user, account, parameters, numbers=numbers)
    if repeated:
        return repeated
    try:
        _refuse_taken(numbers)
        with transaction.atomic():
            order = Order(
                kind=OrderKind.PROVISION,
                account=account,
                phone_number=wanted[0].number if len(wanted) == 1 else "",
                parameters=parameters,
                reason=reason,
                form_token=form_token,
            )
            _write_request(actor, user, order, {"number": [None, numbers]})
            Choice.objects.bulk_create(
                Choice(order=order, number=choice.number, rank=rank, place=choice.place)
                for rank, choice in enumerate(wanted, start=1)
            )
    except (InvalidInput, IntegrityError):
        # Perhaps a race, against the same form sent twice or against somebody else who wants the number.
        repeated = _made_by_form(form_token, user, account, parameters, numbers=numbers)
        if repeated:
            return repeated
        _refuse_taken(numbers)
        raise
    return order


def order_request_change(
    *,
    actor: Actor,
    campaign: Campaign,
    version: int,
    parameters: dict[str, Any],
    reason: str,
    form_token: UUID,
) -> Order:
    """Ask for a change of a number's routing, stop date or campaign information; ``parameters`` hold only what changes.

    A manager's own change needs nobody else and is on its way at once; a rep's waits for a manager. Raises Conflict
    when the number is no longer as it was seen (``version``), InvalidInput when nothing would change or it has stopped.
    """
    user = actor.person_or_refuse
    require(user, Capability.ORDER)
    if not accounts_granted(user).filter(pk=campaign.account_id).exists():
        raise PermissionDenied("You may not change numbers of this account.")
    if not parameters:
        raise InvalidInput("Nothing would change: every value is as it was.")
    with transaction.atomic():
        locked = Campaign.objects.select_for_update(of=("self",)).select_related("account").get(pk=campaign.pk)
        # Behind the lock, so that the same form sent twice at once makes one order too.
        repeated = _made_by_form(form_token, user, locked.account, parameters, campaign=locked)
        if repeated:
            return repeated
        if locked.ended_at:
            raise InvalidInput("This number has stopped. It can no longer be changed.")
        if locked.version != version:
            raise Conflict("Somebody changed this number after you opened the form.")
        order = Order(
            kind=OrderKind.CHANGE,
            account=locked.account,
            campaign=locked,
            phone_number=locked.phone_number,
            parameters=parameters,
            before={name: plain_value(getattr(locked, name)) for name in parameters},
            reason=reason,
            form_token=form_token,
        )
        _write_request(actor, user, order, {name: [order.before[name], value] for name, value in parameters.items()})
        if can(user, Capability.CHANGE_ROUTING):
            _approve(actor, user, order, self_approved=True)
    return order


def order_approve(*, actor: Actor, order_id: int, revision: int) -> Order:
    """Approve what was seen (``revision``) and tell the worker.

    Raises PermissionDenied to its author, Conflict when it was decided or rewritten meanwhile.
    """
    user = actor.person_or_refuse
    with transaction.atomic():
        order = _lock_to_decide(user, order_id, revision)
        _approve(actor, user, order, self_approved=False)
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
        order = _lock_granted(user, order_id)
        if order.author_id != user.pk:
            require(user, Capability.DECIDE)
        if order.status not in (OrderStatus.PENDING, OrderStatus.APPROVED):
            raise Conflict(f"This order cannot be cancelled any more: {_standing(order)}")
        result = f"Cancelled by {actor.name}. Nothing was sent."
        order_transition(
            actor=actor,
            order=order,
            to=OrderStatus.CANCELLED,
            verb=Verb.ORDER_CANCELLED,
            result=result,
            finished_at=timezone.now(),
        )
        order.choices.update(live=False)
    return order


def _made_by_form(
    form_token: UUID,
    user: User,
    account: Account,
    parameters: dict[str, Any],
    *,
    campaign: Campaign | None = None,
    numbers: Sequence[str] = (),
) -> Order | None:
    """The order that this very form has made already. Raises InvalidInput when it was sent with other values then:
    those of now must not be dropped without a word."""
    order = Order.objects.filter(form_token=form_token).first()
    if order is None:
        return None
    wish = (user.pk, account.pk, campaign.pk if campaign else None, parameters, list(numbers))
    chosen = [choice.number for choice in order.choices.all()]
    if wish != (order.author_id, order.account_id, order.campaign_id, order.parameters, chosen):
        raise InvalidInput(
            "This form was already sent, with other values. Send it once more to ask for these as well.", "form_token"
        )
    return order


def _refuse_taken(numbers: list[str]) -> None:
    held, wanted = campaigns_held(numbers), live_choices(numbers)
    for number in numbers:
        if number in held:
            raise InvalidInput(f"{phone_text(number)} is already one of our numbers.", field="number")
        if number in wanted:
            raise InvalidInput(f"{phone_text(number)} is already asked for in order {wanted[number]}.", field="number")


def _write_request(actor: Actor, user: User, order: Order, changes: dict[str, list[Any]]) -> None:
    order.author_id, order.author_name, order.request_id = user.pk, actor.name, actor.request_id
    order.save(force_insert=True)
    history_append(
        actor=actor,
        verb=Verb.ORDER_REQUESTED,
        number=order.phone_number,
        account_key=order.account.key,
        order_id=order.pk,
        changes={name: [None, value] for name, value in order.parameters.items()} | changes,
        reason=order.reason,
    )


def _approve(actor: Actor, user: User, order: Order, *, self_approved: bool) -> None:
    order_transition(
        actor=actor,
        order=order,
        to=OrderStatus.APPROVED,
        verb=Verb.ORDER_APPROVED,
        self_approved=self_approved,
        execute_after=timezone.now(),
        rung_at=timezone.now(),
        **_decision(actor, user, ""),
    )
    execute_order.enqueue(order.pk)


def _decision(actor: Actor, user: User, reason: str) -> dict[str, Any]:
    return {
        "decider_id": user.pk,
        "decider_name": actor.name,
        "decided_at": timezone.now(),
        "decision_reason": reason,
        "request_id": actor.request_id,
    }


def _lock_granted(user: User, order_id: int) -> Order:
    """The locked order; one in an account without a grant is as good as absent (Order.DoesNotExist)."""
    order = order_lock(order_id)
    if not accounts_granted(user).filter(pk=order.account_id).exists():
        raise Order.DoesNotExist
    return order


def _lock_to_decide(user: User, order_id: int, revision: int) -> Order:
    require(user, Capability.DECIDE)
    order = _lock_granted(user, order_id)
    if order.author_id == user.pk:
        raise PermissionDenied("You asked for this yourself, so somebody else decides on it.")
    if order.status != OrderStatus.PENDING:
        raise Conflict(f"This order was decided before you: {_standing(order)}")
    if order.revision != revision:
        raise Conflict("This order was rewritten after you opened it. Read it again before you decide.")
    return order


def _standing(order: Order) -> str:
    by = f" by {order.decider_name}" if order.decider_name else ""
    at = f" on {order.decided_at:%Y-%m-%d at %H:%M} UTC" if order.decided_at else ""
    return (
        f"it is {order.get_status_display().lower()}, decided{by}{at}."
        if by
        else f"it is {order.get_status_display().lower()}."
    )
