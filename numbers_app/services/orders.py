"""Asking for purchases and changes, and writing what was asked for anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.callcap import SearchCriteria
from numbers_app.criteria import criteria_from_json, criteria_in_words, criteria_to_json
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import (
    CHANGES_A_NUMBER,
    SENDS_WHAT_IS_SET,
    Account,
    Campaign,
    Choice,
    Order,
    OrderKind,
    OrderStatus,
    User,
    Verb,
)
from numbers_app.permissions import Capability, can, require
from numbers_app.selectors.accounts import accounts_granted, locations_granted
from numbers_app.selectors.taken import numbers_taken
from numbers_app.text import phone_text

from .decisions import order_approve_own, order_lock_granted, order_refuse_stale
from .history import Changes, history_append
from .notifications import order_tell
from .transition import order_transition
from .validity import campaign_lock, plain_value


@dataclass(frozen=True)
class WantedNumber:
    """A ranked choice of a purchase, with its letters where it was searched for by them (``316-734-CAKE``).

    ``place`` is what the vendor said of it, empty when it could not be asked.
    """

    number: str
    place: str = ""
    spelling: str = ""


def order_request_purchase(
    *,
    actor: Actor,
    account: Account,
    wanted: Sequence[WantedNumber] = (),
    criteria: SearchCriteria | None = None,
    parameters: dict[str, Any],
    reason: str,
    form_token: UUID,
    urgent: bool = False,
    execute_after: datetime | None = None,
) -> Order:
    """Ask for one of up to five numbers, best first, and after them for any number that matches a search.

    One of both is needed. The same form sent twice makes one order. Raises InvalidInput naming the field when a number
    is ours or wanted by another order, the search cannot be ordered by, or the form was already sent with other values;
    PermissionDenied where the person has no grant.
    """
    user = actor.person_or_refuse
    require(user, Capability.ORDER)
    if not locations_granted(user).filter(pk=account.pk).exists():
        raise PermissionDenied("You may not order numbers for this account.")
    numbers = [choice.number for choice in wanted]
    search = _search(account, numbers, criteria)
    repeated = _made_by_form(form_token, user, account, parameters, numbers=numbers, search=search)
    if repeated:
        return repeated
    try:
        _refuse_taken(numbers)
        with transaction.atomic():
            order = Order(
                kind=OrderKind.PROVISION,
                account=account,
                phone_number=_only_number(numbers, search),
                parameters=parameters,
                criteria=search,
                reason=reason,
                form_token=form_token,
                urgent=urgent,
                execute_after=execute_after,
            )
            order_write_request(actor, user, order, _difference({}, _wish_for(numbers, search)))
            _write_choices(order, wanted)
    except (InvalidInput, IntegrityError):
        # Perhaps a race, against the same form sent twice or against somebody else who wants the number.
        repeated = _made_by_form(form_token, user, account, parameters, numbers=numbers, search=search)
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
    urgent: bool = False,
    execute_after: datetime | None = None,
) -> Order:
    """Ask for a change of a number's routing, stop date or campaign information; ``parameters`` hold only what changes.

    A manager's own change needs nobody else and is on its way at once; a rep's waits for a manager. Raises Conflict
    when the number is no longer as it was seen (``version``), InvalidInput when nothing would change or it has stopped.
    """
    user = actor.person_or_refuse
    require(user, Capability.ORDER)
    if not accounts_granted(user).filter(pk=campaign.account_id).exists():
        raise PermissionDenied("You may not change numbers of this account.")
    with transaction.atomic():
        locked = campaign_lock(pk=campaign.pk)
        # Behind the lock, so that the same form sent twice at once makes one order too.
        repeated = _made_by_form(form_token, user, locked.account, parameters, campaign=locked)
        if repeated:
            return repeated
        _refuse_pointless(locked, parameters)
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
            urgent=urgent,
            execute_after=execute_after,
        )
        order_write_request(
            actor, user, order, {name: [order.before[name], value] for name, value in parameters.items()}
        )
        if can(user, Capability.CHANGE_ROUTING):
            order_approve_own(actor=actor, order=order)
    return order


def order_amend(
    *,
    actor: Actor,
    order_id: int,
    revision: int,
    wanted: Sequence[WantedNumber] = (),
    criteria: SearchCriteria | None = None,
    parameters: dict[str, Any],
    reason: str,
    urgent: bool,
    execute_after: datetime | None,
) -> Order:
    """Write a waiting order anew: a new revision by this person, which somebody else decides on.

    ``wanted`` and ``criteria`` are what a purchase then asks for. The person who asked may, and managers may. Raises
    Conflict when it was decided or rewritten meanwhile, InvalidInput when nothing changes, a number is taken, or the
    order only sends what is set already.
    """
    user = actor.person_or_refuse
    require(user, Capability.ORDER)
    numbers = [choice.number for choice in wanted]
    try:
        with transaction.atomic():
            order = order_lock_granted(user, order_id)
            if user.pk not in (order.requester_id, order.author_id):
                require(user, Capability.DECIDE)
            order_refuse_stale(order, revision)
            if order.kind in SENDS_WHAT_IS_SET:
                raise InvalidInput("It sends what is set already, so there is nothing to rewrite.")
            _refuse_taken(numbers, by_other_than=order.pk)
            if order.campaign:
                _refuse_pointless(order.campaign, parameters)
            search = _search(order.account, numbers, criteria) if order.kind == OrderKind.PROVISION else {}
            _rewrite(actor, user, order, wanted, search, (parameters, reason, urgent, execute_after))
    except IntegrityError:
        # Somebody has just asked for one of the numbers.
        _refuse_taken(numbers, by_other_than=order_id)
        raise
    return order


type Search = dict[str, str | bool]
type Wish = tuple[dict[str, Any], str, bool, datetime | None]


def _rewrite(
    actor: Actor, user: User, order: Order, wanted: Sequence[WantedNumber], search: Search, wish: Wish
) -> None:
    numbers = [choice.number for choice in wanted]
    before = _whole_wish(order, list(order.choices.values_list("number", flat=True)))
    order.parameters, order.reason, order.urgent, order.execute_after = wish
    order.criteria = search
    changes = _difference(before, _whole_wish(order, numbers))
    if not changes:
        raise InvalidInput("Nothing would change: every value is as it was.")
    _write_revision(actor, user, order, numbers, changes)
    if "number" in changes:
        order.choices.all().delete()
        _write_choices(order, wanted)


def _refuse_pointless(campaign: Campaign, parameters: dict[str, Any]) -> None:
    """Raise InvalidInput for a change that changes nothing, or nothing any more."""
    if not parameters:
        raise InvalidInput("Nothing would change: every value is as it is now.")
    if campaign.ended_at:
        raise InvalidInput("This number has stopped. It can no longer be changed.")


def _whole_wish(order: Order, numbers: list[str]) -> dict[str, Any]:
    return _wish(order) | _wish_for(numbers, order.criteria) | {"reason": order.reason or None}


def _wish_for(numbers: list[str], search: Search) -> dict[str, Any]:
    """What may be bought, as the history writes it down."""
    words = criteria_in_words(criteria_from_json(search)) if search else None
    return {"number": numbers or None, "criteria": words}


def _only_number(numbers: list[str], search: Search) -> str:
    """The number that a purchase is about from the start: none while there is something to choose."""
    return numbers[0] if len(numbers) == 1 and not search else ""


def _search(account: Account, numbers: list[str], criteria: SearchCriteria | None) -> Search:
    """The search of a purchase as it is stored. Raises InvalidInput for one that cannot be ordered by."""
    search = criteria_to_json(criteria) if criteria else {}
    if criteria and not search:
        raise InvalidInput("The search says nothing to look for. Any number at all is no order.", "criteria")
    if not numbers and not search:
        raise InvalidInput("Give the number to be bought.", "number")
    pool = search.get("account", "" if "show_reserved_pool" in search else account.key)
    if pool != account.key:
        raise InvalidInput(
            f"A number of a reserved pool can be ordered only into its own Location, which is not {account}.",
            "criteria",
        )
    return search


def _difference(before: dict[str, Any], after: dict[str, Any]) -> Changes:
    names = dict.fromkeys([*before, *after])
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}


def _write_revision(actor: Actor, user: User, order: Order, numbers: list[str], changes: Changes) -> None:
    fields: dict[str, Any] = {}
    if order.kind == OrderKind.PROVISION:
        fields = {"phone_number": _only_number(numbers, order.criteria), "criteria": order.criteria}
    if order.campaign is not None:
        fields["before"] = {name: plain_value(getattr(order.campaign, name)) for name in order.parameters}
    order_transition(
        actor=actor,
        order=order,
        to=OrderStatus.PENDING,
        verb=Verb.ORDER_AMENDED,
        changes=changes,
        parameters=order.parameters,
        urgent=order.urgent,
        execute_after=order.execute_after,
        author_id=user.pk,
        author_name=actor.name,
        submitted_at=timezone.now(),
        reminded_at=None,
        request_id=actor.request_id,
        **fields,
    )
    # After the transition, which expects the revision that was locked.
    order.revision += 1
    Order.objects.filter(pk=order.pk).update(revision=order.revision, reason=order.reason)


def _made_by_form(
    form_token: UUID,
    user: User,
    account: Account,
    parameters: dict[str, Any],
    *,
    campaign: Campaign | None = None,
    numbers: Sequence[str] = (),
    search: Search | None = None,
) -> Order | None:
    """The order that this very form has made already. Raises InvalidInput when it was sent with other values then:
    those of now must not be dropped without a word."""
    order = Order.objects.filter(form_token=form_token).first()
    if order is None:
        return None
    wish = (user.pk, account.pk, campaign.pk if campaign else None, parameters, list(numbers), search or {})
    chosen = [choice.number for choice in order.choices.all() if not choice.found]
    # A purchase has a campaign only once it is done.
    changed = order.campaign_id if order.kind != OrderKind.PROVISION else None
    made = (order.author_id, order.account_id, changed, order.parameters, chosen, order.criteria)
    if wish != made:
        raise InvalidInput(
            "This form was already sent, with other values. Send it once more to ask for these as well.", "form_token"
        )
    return order


def _refuse_taken(numbers: list[str], by_other_than: int | None = None) -> None:
    taken = numbers_taken(numbers)
    for number in numbers:
        if number in taken.held:
            raise InvalidInput(f"{phone_text(number)} is already one of our numbers.", field="number")
        asked_by = taken.wanted.get(number, by_other_than)
        if asked_by != by_other_than:
            raise InvalidInput(f"{phone_text(number)} is already asked for in order {asked_by}.", field="number")


def order_write_request(actor: Actor, user: User, order: Order, changes: Changes) -> None:
    """Save a new order as asked for by this person, with its history entry, and tell whom it waits for."""
    order.requester_id, order.requester_name = order.author_id, order.author_name = user.pk, actor.name
    order.request_id = actor.request_id
    order.save(force_insert=True)
    history_append(
        actor=actor,
        verb=Verb.ORDER_REQUESTED,
        number=order.phone_number,
        account_key=order.account.key,
        order_id=order.pk,
        changes={name: [None, value] for name, value in _wish(order).items()} | changes,
        reason=order.reason,
    )
    needs_nobody = order.kind in CHANGES_A_NUMBER and can(user, Capability.CHANGE_ROUTING)
    if not needs_nobody:
        order_tell(actor=actor, order=order, verb=Verb.ORDER_REQUESTED, detail=order.reason)


def _write_choices(order: Order, wanted: Sequence[WantedNumber]) -> None:
    Choice.objects.bulk_create(
        Choice(order=order, number=choice.number, rank=rank, place=choice.place, spelling=choice.spelling)
        for rank, choice in enumerate(wanted, start=1)
    )


def _wish(order: Order) -> dict[str, Any]:
    """What the order asks for beside its numbers, as the history writes it down; what is not said is left out."""
    wish = dict(order.parameters)
    if order.execute_after:
        wish["execute_after"] = order.execute_after.astimezone(UTC).isoformat()
    if order.urgent:
        wish["urgent"] = True
    return wish
