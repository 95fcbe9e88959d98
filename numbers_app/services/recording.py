"""What an attempt's outcome means for the order and the mirror, written in one transaction with its history."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.callcap import NOT_OURS_STATUS, WriteAnswer
from numbers_app.models import (
    UNSETTLED,
    Attempt,
    AttemptKind,
    AttemptOutcome,
    Campaign,
    NotificationKind,
    Order,
    OrderKind,
    OrderStatus,
    Verb,
)
from numbers_app.protocol import Next, after_refusal, after_unknown
from numbers_app.text import phone_text, storable

from .doubt import (
    after_last_choice,
    doubtful_purchase,
    is_doubt_open,
    is_doubted,
    is_processed,
    names_another,
    purchase_doubt,
)
from .history import VendorWords
from .mirror import (
    campaign_bought,
    campaign_changed,
    campaign_confirmed,
    campaign_dispute,
    order_reapply_later,
    order_stop_later,
)
from .notifications import order_tell_of
from .transition import order_transition
from .validity import number_of, plain_value

FIRST_PAUSE_SECONDS = 5
LONGEST_PAUSE_SECONDS = 300


def order_retry_at(order: Order, least_seconds: float = 0) -> datetime:
    """When to try again: pauses double from 5 seconds to 5 minutes, and are never shorter than the vendor asked for."""
    pause = min(FIRST_PAUSE_SECONDS * 2 ** min(order.tries, 10), LONGEST_PAUSE_SECONDS)
    return timezone.now() + timedelta(seconds=max(pause, least_seconds))


def attempt_store(*, attempt: Attempt, answer: WriteAnswer) -> bool:
    """Keep what came back in the attempt's own row. False when there is nothing new in it.

    An answer that comes after the lease ran out still counts: it is the truth about the one POST that was sent.
    """
    fields: dict[str, Any] = {
        "outcome": AttemptOutcome(answer.outcome.value),
        "http_status": answer.http_status,
        "message": storable(answer.message),
        "excerpt": storable(answer.excerpt),
        "retry_after": answer.retry_after,
        "named_number": answer.named_number,
        "callcap_campaign_id": storable(answer.campaign_id)[:40],
        "recorded": False,
    }
    if fields["outcome"] == AttemptOutcome.UNKNOWN:
        fields["ever_unknown"] = True
    waiting = Attempt.objects.filter(pk=attempt.pk, outcome__in=(AttemptOutcome.SENDING, AttemptOutcome.UNKNOWN))
    if fields["outcome"] == AttemptOutcome.UNKNOWN and not fields["named_number"]:
        # Told twice that nobody knows: the later words are better evidence, but nothing follows from them.
        again = {name: fields[name] for name in ("http_status", "message", "excerpt")}
        waiting.filter(outcome=AttemptOutcome.UNKNOWN).update(**again)
        waiting = waiting.filter(outcome=AttemptOutcome.SENDING)
    if not waiting.update(finished_at=Now(), **fields):
        return False
    for name, value in fields.items():
        setattr(attempt, name, value)
    return True


def attempt_record(*, actor: Actor, order: Order, attempt: Attempt) -> None:
    """Bring an order, which is locked with its number, mirror and history in line with its concluded attempt.

    Harmless to repeat.
    """
    # A late answer may have come in since the caller read the attempt.
    attempt.refresh_from_db()
    if not attempt.recorded:
        if _proves_purchase(attempt):
            _record_bought(actor, order, attempt)
        elif order.status in UNSETTLED or _is_late_change(order, attempt):
            _RECORDERS[AttemptKind(attempt.kind)](actor, order, attempt)
        elif attempt.outcome == AttemptOutcome.UNKNOWN and attempt.kind != AttemptKind.BUY and order.campaign_id:
            # The order has ended without it, but it may still be carried out, over a newer change.
            order_reapply_later(actor=actor, order=order)
    Attempt.objects.filter(pk=attempt.pk, outcome=attempt.outcome).update(recorded=True)


def order_fail(
    *, actor: Actor, order: Order, why: str, vendor: VendorWords | None = None, verb: Verb = Verb.ORDER_FAILED
) -> None:
    """End a locked order that did not get what it asked for."""
    order_transition(
        actor=actor,
        order=order,
        to=OrderStatus.FAILED,
        verb=verb,
        vendor=vendor,
        reason=why,
        result=why,
        execute_after=None,
        finished_at=timezone.now(),
    )
    order.choices.update(live=False)


def _proves_purchase(attempt: Attempt) -> bool:
    return attempt.outcome == AttemptOutcome.APPLIED and attempt.kind in (AttemptKind.BUY, AttemptKind.PROBE)


def _is_late_change(order: Order, attempt: Attempt) -> bool:
    """Whether a change that a person settled as not made was made after all, and nothing newer is in force."""
    if attempt.outcome != AttemptOutcome.APPLIED or (order.kind, order.status) != (
        OrderKind.CHANGE,
        OrderStatus.FAILED,
    ):
        return False
    campaign = number_of(order)
    return all(plain_value(getattr(campaign, name)) == order.before.get(name) for name in order.parameters)


def _record_bought(actor: Actor, order: Order, attempt: Attempt) -> None:
    """The number is ours. True whatever the order has come to meanwhile: a bought number always reaches the mirror."""
    live = Campaign.objects.select_for_update().filter(phone_number=attempt.number, ended_at=None)
    mirrored = live.first()
    campaign = mirrored or campaign_bought(actor=actor, order=order, attempt=attempt, vendor=_words(attempt))
    if order.status == OrderStatus.DONE:
        return
    result = "Bought."
    if mirrored:
        result = "Bought. The number was in the mirror already."
    elif attempt.kind == AttemptKind.PROBE:
        result = "Bought. Callcap's answer was lost, but a check proved it."
    elif order.status not in UNSETTLED:
        result = "Bought after all: Callcap's answer came late."
    order_end_bought(actor=actor, order=order, campaign=campaign, result=result, vendor=_words(attempt))


def order_end_bought(
    *,
    actor: Actor,
    order: Order,
    campaign: Campaign,
    result: str,
    vendor: VendorWords | None = None,
    verb: Verb = Verb.ORDER_DONE,
) -> None:
    """End a locked purchase whose number is in the mirror; its stop date follows."""
    order_transition(
        actor=actor,
        order=order,
        to=OrderStatus.DONE,
        verb=verb,
        vendor=vendor,
        reason="" if result == "Bought." else result,
        campaign=campaign,
        phone_number=campaign.phone_number,
        result=result,
        execute_after=None,
        finished_at=timezone.now(),
    )
    order.choices.update(live=False)
    if order.attempts.filter(kind=AttemptKind.PROBE, ever_unknown=True).exists():
        # A check is an update too: carried out late, it would overwrite a newer change.
        order_reapply_later(actor=actor, order=order)
    if order.parameters.get("stop_date"):
        order_stop_later(actor=actor, order=order, campaign=campaign)


def _record_buy(actor: Actor, order: Order, attempt: Attempt) -> None:
    """A purchase that was refused, not sent, or of unknown outcome."""
    if attempt.outcome == AttemptOutcome.UNKNOWN:
        _leave_unknown(actor, order, attempt, after_unknown(names_another=names_another(attempt)))
        return
    doubt_open = is_doubt_open(order, apart_from=attempt)
    ranked = order.choices.filter(live=True).exclude(number=attempt.number)
    if attempt.outcome == AttemptOutcome.NOT_SENT:
        _postpone(actor, order, attempt, f"Not sent yet: {attempt.message}", doubted=doubt_open)
        return
    after = after_refusal(
        processed=is_processed(attempt),
        offered=_offered_after_refusal(attempt),
        others=ranked.exists() or after_last_choice(order) == Next.FIND,
        doubted=is_doubted(order),
        doubt_open=doubt_open,
    )
    refused = f"Callcap refused: {attempt.message}"
    if after == Next.AGAIN:
        _postpone(actor, order, attempt, _unprocessed(attempt), doubted=doubt_open)
    elif after == Next.CHECK:
        _leave_unknown(actor, order, attempt, after)
    elif after == Next.NEXT_CHOICE:
        _wait(actor, order, attempt, Verb.ORDER_CHOICE_GONE, attempt.message, timezone.now(), OrderStatus.APPROVED)
        order.choices.filter(number=attempt.number).update(live=False, dropped_because=refused)
    else:
        order_fail(actor=actor, order=order, why=refused, vendor=_words(attempt))


def _offered_after_refusal(attempt: Attempt) -> bool | None:
    seen = attempt.preflight.get("after_refusal")
    return None if seen is None else seen != "not offered"


def _record_probe(actor: Actor, order: Order, attempt: Attempt) -> None:
    """A check that did not prove the purchase."""
    doubt = purchase_doubt(order)
    if doubt.next == Next.PERSON:
        why = _in_doubt(order, attempt)
        order_hand_over(actor=actor, order=order, why=why, verb=Verb.ORDER_CHECKED, vendor=_words(attempt))
        return
    pause = is_processed(attempt) and attempt.outcome == AttemptOutcome.REFUSED
    due = doubt.due if pause else max(doubt.due, order_retry_at(order, least_seconds=attempt.retry_after or 0))
    _wait(actor, order, attempt, Verb.ORDER_CHECKED, attempt.message, due, OrderStatus.UNKNOWN)


def _in_doubt(order: Order, probe: Attempt) -> str:
    number = phone_text(probe.number)
    offered = "still offered" if probe.preflight.get("number") else "no longer offered"
    return (
        f"{doubtful_purchase(order).message} The checks did not settle it: {number} is {offered}, "
        f"and asked to update it Callcap said: {probe.message or 'nothing'}"
    )


def _record_update(actor: Actor, order: Order, attempt: Attempt) -> None:
    """A change that was applied, refused, not sent, or of unknown outcome. An unknown one is sent again."""
    if attempt.outcome == AttemptOutcome.APPLIED:
        _record_changed(actor, order, attempt)
        return
    doubted = is_doubt_open(order, apart_from=attempt)
    if attempt.outcome == AttemptOutcome.UNKNOWN:
        if names_another(attempt):
            order_hand_over(actor=actor, order=order, why=attempt.message, vendor=_words(attempt))
        else:
            again = order_retry_at(order)
            _wait(actor, order, attempt, Verb.ORDER_UNKNOWN, attempt.message, again, OrderStatus.UNKNOWN)
    elif attempt.outcome == AttemptOutcome.NOT_SENT:
        _postpone(actor, order, attempt, f"Not sent yet: {attempt.message}", doubted=doubted)
    elif not is_processed(attempt):
        _postpone(actor, order, attempt, _unprocessed(attempt), doubted=doubted)
    else:
        _record_update_refused(actor, order, attempt, doubted=doubted)


def _record_update_refused(actor: Actor, order: Order, attempt: Attempt, *, doubted: bool) -> None:
    """A refusal that is about the update itself. One that says that the number is not ours opens a dispute."""
    if attempt.http_status == NOT_OURS_STATUS:
        campaign_dispute(actor=actor, order=order, vendor=_words(attempt))
    if doubted and order.kind != OrderKind.CONFIRM:
        why = f"Callcap refused to repeat it: {attempt.message} Whether it was carried out the first time is not known."
        order_hand_over(actor=actor, order=order, why=why, vendor=_words(attempt))
    else:
        why = f"Callcap refused: {attempt.message}"
        order_fail(actor=actor, order=order, why=why, vendor=_words(attempt))
        if doubted:
            # Nothing hangs on whether a confirmation was carried out, but its old name may still be, over a newer one.
            order_reapply_later(actor=actor, order=order)


def _record_changed(actor: Actor, order: Order, attempt: Attempt) -> None:
    if order.kind == OrderKind.CHANGE:
        campaign_changed(actor=actor, order=order, parameters=attempt.parameters, vendor=_words(attempt))
    else:
        campaign_confirmed(actor=actor, order=order, vendor=_words(attempt))
    order_transition(
        actor=actor,
        order=order,
        to=OrderStatus.DONE,
        verb=Verb.ORDER_DONE,
        vendor=_words(attempt),
        result=_CARRIED_OUT[OrderKind(order.kind)],
        execute_after=None,
        finished_at=timezone.now(),
    )
    if is_doubted(order) and not order.children.filter(kind=OrderKind.REAPPLY, status=OrderStatus.APPROVED).exists():
        order_reapply_later(actor=actor, order=order)


_CARRIED_OUT = {
    OrderKind.CHANGE: "Changed.",
    OrderKind.REAPPLY: "Sent again.",
    OrderKind.CONFIRM: "Confirmed: the number is ours.",
}
_RECORDERS = {
    AttemptKind.BUY: _record_buy,
    AttemptKind.PROBE: _record_probe,
    AttemptKind.UPDATE: _record_update,
}


def _unprocessed(attempt: Attempt) -> str:
    return (
        f"Callcap asked us to wait: {attempt.message}"
        if attempt.http_status == 429
        else (f"Callcap did not accept the portal's key: {attempt.message}")
    )


def _leave_unknown(actor: Actor, order: Order, attempt: Attempt, after: Next) -> None:
    if after == Next.PERSON:
        named = phone_text(attempt.named_number)
        why = f"{attempt.message} Callcap named {named}."
        order_hand_over(actor=actor, order=order, why=why, vendor=_words(attempt))
        return
    due = purchase_doubt(order).due
    _wait(actor, order, attempt, Verb.ORDER_UNKNOWN, attempt.message, due, OrderStatus.UNKNOWN)


def order_hand_over(
    *, actor: Actor, order: Order, why: str, verb: Verb = Verb.ORDER_UNKNOWN, vendor: VendorWords | None = None
) -> None:
    """Nothing more can be found out or done here about a locked order: a person has to look."""
    order_transition(
        actor=actor,
        order=order,
        to=OrderStatus.UNKNOWN,
        verb=verb,
        vendor=vendor,
        reason=why,
        result=why,
        execute_after=None,
    )
    order_tell_of(actor=actor, order=order, kind=NotificationKind.NEEDS_PERSON, detail=why)


def _postpone(actor: Actor, order: Order, attempt: Attempt, why: str, *, doubted: bool) -> None:
    again = order_retry_at(order, least_seconds=attempt.retry_after or 0)
    to = OrderStatus.UNKNOWN if doubted else OrderStatus.APPROVED
    _wait(actor, order, attempt, Verb.ORDER_POSTPONED, why, again, to)


def _wait(actor: Actor, order: Order, attempt: Attempt, verb: Verb, why: str, until: datetime, to: OrderStatus) -> None:
    """The order goes on by itself at ``until``, unless it waits for a person: then it goes on waiting."""
    waits_for_person = order.status == to == OrderStatus.UNKNOWN and order.execute_after is None
    order_transition(
        actor=actor,
        order=order,
        to=to,
        verb=verb,
        vendor=_words(attempt),
        reason=why,
        result=why,
        execute_after=None if waits_for_person else until,
        rung_at=None,
        tries=F("tries") + 1,
    )


def _words(attempt: Attempt) -> VendorWords:
    return VendorWords(status=attempt.http_status, message=attempt.message)
