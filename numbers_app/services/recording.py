"""What an attempt's outcome means for the order and the mirror, written in one transaction with its history."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.callcap import WriteAnswer
from numbers_app.models import (
    UNSETTLED,
    Attempt,
    AttemptKind,
    AttemptOutcome,
    Campaign,
    Order,
    OrderKind,
    OrderStatus,
    User,
    Verb,
)
from numbers_app.permissions import roles_of
from numbers_app.text import storable

from .history import NumberState, VendorWords, history_append
from .transition import order_lock, order_transition
from .validity import plain_value

FIRST_PAUSE_SECONDS = 5
LONGEST_PAUSE_SECONDS = 300


def order_retry_at(order: Order, least_seconds: float = 0) -> datetime:
    """When to try again: pauses double from 5 seconds to 5 minutes, and are never shorter than the vendor asked for."""
    pause = min(FIRST_PAUSE_SECONDS * 2 ** min(order.tries, 10), LONGEST_PAUSE_SECONDS)
    return timezone.now() + timedelta(seconds=max(pause, least_seconds))


def attempt_store(*, attempt: Attempt, answer: WriteAnswer) -> bool:
    """Keep what came back in the attempt's own row. False when a definite outcome is there already.

    An answer that comes after the lease ran out still counts: it is the truth about the one POST that was sent.
    """
    fields: dict[str, Any] = {
        "outcome": AttemptOutcome(answer.outcome.value),
        "http_status": answer.http_status,
        "message": storable(answer.message),
        "excerpt": storable(answer.excerpt),
        "retry_after": answer.retry_after,
        "callcap_campaign_id": storable(answer.campaign_id)[:40],
        "recorded": False,
    }
    if fields["outcome"] == AttemptOutcome.UNKNOWN:
        fields["ever_unknown"] = True
    waiting = Attempt.objects.filter(pk=attempt.pk, outcome__in=(AttemptOutcome.SENDING, AttemptOutcome.UNKNOWN))
    if not waiting.update(finished_at=Now(), **fields):
        return False
    for name, value in fields.items():
        setattr(attempt, name, value)
    return True


def attempt_record(*, actor: Actor, attempt: Attempt) -> None:
    """Bring order, mirror and history in line with a concluded attempt. Harmless to repeat."""
    order = order_lock(attempt.order_id)
    # A late answer may have come in since the caller read the attempt.
    attempt.refresh_from_db()
    if order.status in UNSETTLED and not attempt.recorded:
        _RECORDERS[AttemptOutcome(attempt.outcome)](actor, order, attempt)
    Attempt.objects.filter(pk=attempt.pk, outcome=attempt.outcome).update(recorded=True)


def _record_applied(actor: Actor, order: Order, attempt: Attempt) -> None:
    if attempt.kind == AttemptKind.BUY:
        campaign = _campaign_bought(actor, order, attempt)
        result = "Bought."
    else:
        campaign = _campaign_changed(actor, order, attempt)
        result = "Changed."
    order_transition(
        actor=actor,
        order=order,
        to=OrderStatus.DONE,
        verb=Verb.ORDER_DONE,
        vendor=_words(attempt),
        campaign=campaign,
        result=result,
        finished_at=timezone.now(),
    )
    order.choices.update(live=False)
    if attempt.kind == AttemptKind.BUY and order.parameters.get("stop_date"):
        _request_stop_date(actor, order, campaign)


def _record_refused(actor: Actor, order: Order, attempt: Attempt) -> None:
    if attempt.http_status == 429:
        _postpone(actor, order, attempt, f"Callcap asked us to wait: {attempt.message}")
        return
    gone = attempt.preflight.get("after_refusal") == "not offered"
    doubtful = Attempt.objects.filter(order=order, number=attempt.number, ever_unknown=True).exists()
    others = order.choices.filter(live=True).exclude(number=attempt.number).exists()
    if attempt.kind == AttemptKind.BUY and gone and others and not doubtful:
        order.choices.filter(number=attempt.number).update(
            live=False, dropped_because=f"Callcap refused: {attempt.message}"
        )
        _back_to_approved(actor, order, attempt, Verb.ORDER_CHOICE_GONE, attempt.message, timezone.now())
        return
    why = f"Callcap refused: {attempt.message}"
    order_transition(
        actor=actor,
        order=order,
        to=OrderStatus.FAILED,
        verb=Verb.ORDER_FAILED,
        vendor=_words(attempt),
        reason=why,
        result=why,
        finished_at=timezone.now(),
    )
    order.choices.update(live=False)


def _record_not_sent(actor: Actor, order: Order, attempt: Attempt) -> None:
    _postpone(actor, order, attempt, f"Not sent yet: {attempt.message}")


def _record_unknown(actor: Actor, order: Order, attempt: Attempt) -> None:
    if order.status == OrderStatus.UNKNOWN:
        return
    order_transition(
        actor=actor,
        order=order,
        to=OrderStatus.UNKNOWN,
        verb=Verb.ORDER_UNKNOWN,
        vendor=_words(attempt),
        reason=attempt.message,
        result=attempt.message,
    )


_RECORDERS = {
    AttemptOutcome.APPLIED: _record_applied,
    AttemptOutcome.REFUSED: _record_refused,
    AttemptOutcome.NOT_SENT: _record_not_sent,
    AttemptOutcome.UNKNOWN: _record_unknown,
}


def _postpone(actor: Actor, order: Order, attempt: Attempt, why: str) -> None:
    again = order_retry_at(order, least_seconds=attempt.retry_after or 0)
    _back_to_approved(actor, order, attempt, Verb.ORDER_POSTPONED, why, again)


def _back_to_approved(actor: Actor, order: Order, attempt: Attempt, verb: Verb, why: str, again: datetime) -> None:
    order_transition(
        actor=actor,
        order=order,
        to=OrderStatus.APPROVED,
        verb=verb,
        vendor=_words(attempt),
        reason=why,
        result=why,
        execute_after=again,
        rung_at=None,
        tries=F("tries") + 1,
    )


def _words(attempt: Attempt) -> VendorWords:
    return VendorWords(status=attempt.http_status, message=attempt.message)


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


def _campaign_bought(actor: Actor, order: Order, attempt: Attempt) -> Campaign:
    values = {name: value for name, value in attempt.parameters.items() if value is not None}
    # The vendor names the campaign after the number when it is given no name.
    values["campaign_name"] = values.get("campaign_name") or attempt.number
    entry = history_append(
        actor=_on_behalf(actor, order.author_id, order.author_name),
        verb=Verb.NUMBER_BOUGHT,
        number=attempt.number,
        account_key=order.account.key,
        order_id=order.pk,
        changes={name: [None, value] for name, value in values.items()},
        state=NumberState(destination=values["destination"], stop_date=None),
        reason=order.reason,
        approved_by=order.decider_name,
        vendor=_words(attempt),
    )
    return Campaign.objects.create(
        phone_number=attempt.number,
        account=order.account,
        callcap_campaign_id=attempt.callcap_campaign_id,
        confirmed_at=timezone.now(),
        last_change=entry,
        **_place(attempt),
        **values,
    )


def _place(attempt: Attempt) -> dict[str, str]:
    """Where the number belongs, as the vendor offered it. Words too long for the mirror, such as a whole country name,
    stay in the attempt alone: they must not keep a bought number out of the mirror."""
    names = {"number_type", "country", "state", "city", "rate_center", "zipcode"}
    room = {field.name: field.max_length or 0 for field in Campaign._meta.concrete_fields if field.name in names}
    given = {name: attempt.preflight.get(name, "") for name in room}
    return {name: words if len(words) <= room[name] else "" for name, words in given.items()}


def _campaign_changed(actor: Actor, order: Order, attempt: Attempt) -> Campaign:
    campaign = Campaign.objects.select_for_update(of=("self",)).get(orders=order)
    after: dict[str, Any] = {
        name: date.fromisoformat(value) if name == "stop_date" else value for name, value in attempt.parameters.items()
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
        vendor=_words(attempt),
    )
    Campaign.objects.filter(pk=campaign.pk).update(
        version=F("version") + 1, confirmed_at=timezone.now(), last_change=entry, **after
    )
    return campaign


def _request_stop_date(actor: Actor, order: Order, campaign: Campaign) -> None:
    """The vendor takes a stop date only on an update: an order of its own, already approved with the purchase."""
    child = Order.objects.create(
        kind=OrderKind.CHANGE,
        status=OrderStatus.APPROVED,
        account=order.account,
        campaign=campaign,
        parent=order,
        phone_number=campaign.phone_number,
        parameters={"stop_date": order.parameters["stop_date"]},
        before={"stop_date": None},
        reason=order.reason,
        author_id=order.author_id,
        author_name=order.author_name,
        decider_id=order.decider_id,
        decider_name=order.decider_name,
        decided_at=order.decided_at,
        decision_reason=order.decision_reason,
        execute_after=timezone.now(),
        request_id=order.request_id,
    )
    history_append(
        actor=_on_behalf(actor, order.decider_id, order.decider_name),
        verb=Verb.ORDER_APPROVED,
        number=campaign.phone_number,
        account_key=order.account.key,
        order_id=child.pk,
        changes={"stop_date": [None, order.parameters["stop_date"]]},
        reason=f"The stop date asked for with order {order.pk}.",
    )
