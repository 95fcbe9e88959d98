"""What the vendor confirmed, brought into the mirror, and the orders that follow from it by themselves."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import InvalidInput
from numbers_app.models import (
    Account,
    Attempt,
    AttemptKind,
    Campaign,
    Choice,
    Order,
    OrderKind,
    OrderStatus,
    Verb,
)
from numbers_app.text import phone_text, storable

from .doubt import doubtful_purchase
from .history import NumberState, VendorWords, history_append, history_lock
from .validity import can_be_sent, number_of, plain_value


def campaign_bought(
    *, actor: Actor, order: Order, attempt: Attempt, vendor: VendorWords | None = None, number: str = ""
) -> Campaign:
    """Put a bought number into the mirror: the attempt's, or ``number`` when the vendor sold another one."""
    purchase = attempt if attempt.kind == AttemptKind.BUY else doubtful_purchase(order)
    number = number or purchase.number
    values = {name: value for name, value in purchase.parameters.items() if value is not None}
    # The vendor names the campaign after the number when it is given no name.
    values["campaign_name"] = values.get("campaign_name") or number
    entry = history_append(
        actor=actor.on_behalf(order.author_id, order.author_name),
        verb=Verb.NUMBER_BOUGHT,
        number=number,
        account_key=order.account.key,
        order_id=order.pk,
        changes={name: [None, value] for name, value in values.items()},
        state=NumberState(destination=values["destination"], stop_date=None),
        reason=order.reason,
        approved_by=order.decider_name,
        vendor=vendor,
    )
    return Campaign.objects.create(
        phone_number=number,
        account=order.account,
        callcap_campaign_id=attempt.callcap_campaign_id,
        confirmed_at=timezone.now(),
        last_change=entry,
        **(_place(purchase) if number == purchase.number else {}),
        **values,
    )


def campaign_import(
    *, actor: Actor, account: Account, number: str, values: dict[str, Any], reason: str, approved_by: str
) -> Campaign:
    """Put a number that was bought outside the portal into the mirror, in the caller's transaction.

    ``values`` are JSON values by field, as orders hold them, with a destination. The vendor is not asked, so nothing
    counts as confirmed. Raises InvalidInput when the number is ours already or an order wants it.
    """
    # Purchases write behind the same lock: none can put the number into the mirror between the look and the write.
    history_lock()
    _refuse_import(number)
    given = {"campaign_name": number} | {name: value for name, value in values.items() if value not in (None, "")}
    stop_date = date.fromisoformat(given["stop_date"]) if "stop_date" in given else None
    entry = history_append(
        actor=actor,
        verb=Verb.NUMBER_IMPORTED,
        number=number,
        account_key=account.key,
        changes={name: [None, value] for name, value in given.items()},
        state=NumberState(destination=given["destination"], stop_date=stop_date),
        reason=reason,
        approved_by=approved_by,
    )
    return Campaign.objects.create(
        phone_number=number,
        account=account,
        imported_at=timezone.now(),
        last_change=entry,
        **(given | {"stop_date": stop_date}),
    )


def _refuse_import(number: str) -> None:
    if Campaign.objects.filter(phone_number=number, ended_at=None).exists():
        raise InvalidInput(f"{phone_text(number)} is already one of our numbers.", field="number")
    wanted = Choice.objects.filter(number=number, live=True).first()
    if wanted:
        raise InvalidInput(f"{phone_text(number)} is already asked for in order {wanted.order_id}.", field="number")


def _place(attempt: Attempt) -> dict[str, str]:
    """Where the number belongs, as the vendor offered it. Words too long for the mirror, such as a whole country name,
    stay in the attempt alone: they must not keep a bought number out of the mirror."""
    names = {"number_type", "country", "state", "city", "rate_center", "zipcode"}
    room = {field.name: field.max_length or 0 for field in Campaign._meta.concrete_fields if field.name in names}
    given = {name: attempt.preflight.get(name, "") for name in room}
    return {name: words if len(words) <= room[name] else "" for name, words in given.items()}


def campaign_changed(
    *, actor: Actor, order: Order, parameters: dict[str, Any], vendor: VendorWords | None = None
) -> Campaign:
    """Bring the mirror in line with a change that the vendor carried out. The order is locked with its number."""
    campaign = number_of(order)
    _settle_by_answer(actor, order, campaign, vendor)
    after: dict[str, Any] = {
        name: date.fromisoformat(value) if name == "stop_date" else value for name, value in parameters.items()
    }
    if after.get("campaign_name") == "":
        after["campaign_name"] = campaign.phone_number
    entry = history_append(
        actor=actor.on_behalf(order.author_id, order.author_name),
        verb=Verb.NUMBER_CHANGED,
        number=campaign.phone_number,
        account_key=order.account.key,
        order_id=order.pk,
        changes={name: [plain_value(getattr(campaign, name)), plain_value(value)] for name, value in after.items()},
        state=NumberState(
            destination=after.get("destination", campaign.destination),
            stop_date=after.get("stop_date", campaign.stop_date),
            ended_at=campaign.ended_at,
        ),
        reason=order.reason,
        approved_by=order.decider_name,
        vendor=vendor,
    )
    Campaign.objects.filter(pk=campaign.pk).update(
        version=F("version") + 1, last_change=entry, **_confirmation(), **after
    )
    return campaign


def campaign_confirmed(*, actor: Actor, order: Order, vendor: VendorWords) -> None:
    """The vendor carried out an update that changes nothing in the mirror: the number is ours, as of now."""
    campaign = number_of(order)
    _settle_by_answer(actor, order, campaign, vendor)
    Campaign.objects.filter(pk=campaign.pk).update(**_confirmation())


def campaign_dispute(*, actor: Actor, order: Order, vendor: VendorWords) -> None:
    """The vendor says that the number of an order is not ours: somebody has to look. A dispute is opened once."""
    campaign = number_of(order)
    if campaign.ended_at or campaign.disputed_at:
        return
    history_append(
        actor=actor.on_behalf(order.author_id, order.author_name),
        verb=Verb.NUMBER_DISPUTED,
        number=campaign.phone_number,
        account_key=order.account.key,
        order_id=order.pk,
        vendor=vendor,
    )
    Campaign.objects.filter(pk=campaign.pk).update(disputed_at=timezone.now(), dispute=storable(vendor.message))


def campaign_end(*, actor: Actor, campaign: Campaign, reason: str) -> None:
    """A locked number is no longer ours, or has stopped. Nothing is open about it any more."""
    ended_at = timezone.now()
    entry = history_append(
        actor=actor,
        verb=Verb.NUMBER_ENDED,
        number=campaign.phone_number,
        account_key=campaign.account.key,
        changes={"ended_at": [None, ended_at.isoformat()]},
        state=NumberState(campaign.destination, campaign.stop_date, ended_at),
        reason=reason,
    )
    Campaign.objects.filter(pk=campaign.pk).update(ended_at=ended_at, last_change=entry, disputed_at=None, dispute="")


def _settle_by_answer(actor: Actor, order: Order, campaign: Campaign, vendor: VendorWords | None) -> None:
    """What the vendor carried out proves that the number is ours, so a dispute about it is over."""
    if campaign.disputed_at:
        history_append(
            actor=actor.on_behalf(order.author_id, order.author_name),
            verb=Verb.NUMBER_SETTLED,
            number=campaign.phone_number,
            account_key=order.account.key,
            order_id=order.pk,
            changes={"dispute": [campaign.dispute, None]},
            reason="Callcap carried out an update of the number.",
            vendor=vendor,
        )


def _confirmation() -> dict[str, Any]:
    return {"confirmed_at": timezone.now(), "disputed_at": None, "dispute": ""}


def order_stop_later(*, actor: Actor, order: Order, campaign: Campaign) -> None:
    """Set the stop date wished with a purchase: the vendor takes it only on an update."""
    _follow_up(
        actor,
        order,
        campaign,
        kind=OrderKind.CHANGE,
        parameters={"stop_date": order.parameters["stop_date"]},
        due=timezone.now(),
        why=f"The stop date asked for with order {order.pk}.",
    )


def order_reapply_later(*, actor: Actor, order: Order) -> None:
    """Send what the mirror says once more after the settling time.

    A change whose outcome was unknown may still be carried out until then, over a newer one.
    """
    campaign = Campaign.objects.get(orders=order)
    values = {name: plain_value(getattr(campaign, name)) for name in order.parameters}
    parameters = {name: value for name, value in values.items() if can_be_sent(name, value)}
    if campaign.ended_at or not parameters:
        return
    due = timezone.now() + timedelta(seconds=settings.CALLCAP_SETTLE_SECONDS)
    _follow_up(
        actor,
        order,
        campaign,
        kind=OrderKind.REAPPLY,
        parameters=parameters,
        due=due,
        why=f"The outcome of order {order.pk} was unknown: Callcap might still carry it out over a newer change.",
    )


def _follow_up(
    actor: Actor,
    order: Order,
    campaign: Campaign,
    *,
    kind: OrderKind,
    parameters: dict[str, Any],
    due: datetime,
    why: str,
) -> None:
    """An order that follows from another one, approved with it and by the same person."""
    child = Order.objects.create(
        kind=kind,
        status=OrderStatus.APPROVED,
        account=order.account,
        campaign=campaign,
        parent=order,
        phone_number=campaign.phone_number,
        parameters=parameters,
        before={name: plain_value(getattr(campaign, name)) for name in parameters},
        reason=order.reason,
        requester_id=order.requester_id,
        requester_name=order.requester_name,
        author_id=order.author_id,
        author_name=order.author_name,
        decider_id=order.decider_id,
        decider_name=order.decider_name,
        decided_at=order.decided_at,
        decision_reason=order.decision_reason,
        self_approved=order.self_approved,
        execute_after=due,
        request_id=order.request_id,
    )
    history_append(
        actor=actor.on_behalf(order.decider_id, order.decider_name),
        verb=Verb.ORDER_APPROVED,
        number=campaign.phone_number,
        account_key=order.account.key,
        order_id=child.pk,
        changes={name: [child.before[name], value] for name, value in parameters.items()},
        reason=why,
    )
