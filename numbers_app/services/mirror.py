"""What the vendor confirmed, brought into the mirror, and the orders that follow from it by themselves."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Attempt, AttemptKind, Campaign, Order, OrderKind, OrderStatus, User, Verb
from numbers_app.permissions import roles_of

from .doubt import doubtful_purchase
from .history import NumberState, VendorWords, history_append
from .validity import plain_value


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
        actor=_on_behalf(actor, order.author_id, order.author_name),
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
    """Bring the mirror in line with a change that the vendor carried out."""
    campaign = Campaign.objects.select_for_update(of=("self",)).get(orders=order)
    after: dict[str, Any] = {
        name: date.fromisoformat(value) if name == "stop_date" else value for name, value in parameters.items()
    }
    if after.get("campaign_name") == "":
        after["campaign_name"] = campaign.phone_number
    entry = history_append(
        actor=_on_behalf(actor, order.author_id, order.author_name),
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
        version=F("version") + 1, confirmed_at=timezone.now(), last_change=entry, **after
    )
    return campaign


def order_stop_later(*, actor: Actor, order: Order, campaign: Campaign) -> None:
    """Set the stop date wished with a purchase: the vendor takes it only on an update."""
    _follow_up(
        actor,
        order,
        campaign,
        kind=OrderKind.CHANGE,
        names=["stop_date"],
        due=timezone.now(),
        why=f"The stop date asked for with order {order.pk}.",
    )


def order_reapply_later(*, actor: Actor, order: Order) -> None:
    """Send what the mirror says once more after the settling time.

    A change whose outcome was unknown may still be carried out until then, over a newer one.
    """
    campaign = Campaign.objects.get(orders=order)
    names = [name for name in order.parameters if _can_be_sent(name, getattr(campaign, name))]
    due = timezone.now() + timedelta(seconds=settings.CALLCAP_SETTLE_SECONDS)
    if not names:
        return
    _follow_up(
        actor,
        order,
        campaign,
        kind=OrderKind.REAPPLY,
        names=names,
        due=due,
        why=f"The outcome of order {order.pk} was unknown: Callcap might still carry it out over a newer change.",
    )


def _can_be_sent(name: str, value: object) -> bool:
    """Whether there is a value to send: features and stop dates have none before they are first set."""
    return value is not None and not (value == "" and name == "evaluation")


def _follow_up(
    actor: Actor, order: Order, campaign: Campaign, *, kind: OrderKind, names: list[str], due: datetime, why: str
) -> None:
    """An order that follows from another one, approved with it and by the same person."""
    parameters = {name: order.parameters[name] for name in names}
    child = Order.objects.create(
        kind=kind,
        status=OrderStatus.APPROVED,
        account=order.account,
        campaign=campaign,
        parent=order,
        phone_number=campaign.phone_number,
        parameters=parameters,
        before={name: plain_value(getattr(campaign, name)) for name in names},
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
        actor=_on_behalf(actor, order.decider_id, order.decider_name),
        verb=Verb.ORDER_APPROVED,
        number=campaign.phone_number,
        account_key=order.account.key,
        order_id=child.pk,
        changes={name: [child.before[name], value] for name, value in parameters.items()},
        reason=why,
    )


def _on_behalf(actor: Actor, user_id: int | None, name: str) -> Actor:
    """The process that acts, under the name of the person whose wish or decision it carries out."""
    user = User.objects.filter(pk=user_id).first() if user_id else None
    role = ", ".join(roles_of(user)) if user else ""
    return Actor(
        user=None,
        user_id=user_id,
        name=name,
        role=role or "no role",
        source=actor.source,
        request_id=actor.request_id,
    )
