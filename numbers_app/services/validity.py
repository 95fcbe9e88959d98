"""What an order would send, and whether what was valid when it was asked for still is when it is sent."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings

from numbers_app.callcap import UPDATE_FIELDS
from numbers_app.models import SENDS_WHAT_IS_SET, Campaign, HistoryEntry, Order, OrderKind, Verb
from numbers_app.text import phone_text


def campaign_lock(**which: Any) -> Campaign:
    """The number that is found so, its row locked until the transaction ends. Before anything is appended to the
    history: two transactions that hold one of both and want the other wait for each other."""
    return Campaign.objects.select_for_update(of=("self",)).select_related("account").get(**which)


def number_of(order: Order) -> Campaign:
    """The number of ours that an order is about; locked with it, see ``order_lock_with_number``."""
    if order.campaign is None:
        raise LookupError(f"{order} is not about a number of ours.")
    return order.campaign


def plain_value(value: Any) -> Any:
    """A model's value as it stands in parameters and history: dates as ISO text."""
    return value.isoformat() if isinstance(value, date) else value


def can_be_sent(name: str, value: object) -> bool:
    """Whether there is a value to send: features and stop dates have none before they are first set."""
    return value is not None and not (value == "" and name == "evaluation")


def confirm_parameters(campaign: Campaign) -> dict[str, Any]:
    """What a confirmation sends: the name that the campaign has already, which changes nothing."""
    return {"campaign_name": campaign.campaign_name}


def reapply_parameters(campaign: Campaign) -> dict[str, Any]:
    """What a re-application sends: every value of the mirror that can be sent.

    Of an imported number what nobody gave is left out: empty texts, and the number in place of a name. They may be
    set at Callcap, and sending them would overwrite that.
    """
    values = {name: plain_value(getattr(campaign, name)) for name in UPDATE_FIELDS}
    not_given = ("", campaign.phone_number) if campaign.imported_at else ()
    return {name: value for name, value in values.items() if can_be_sent(name, value) and value not in not_given}


def order_undo_until(order: Order) -> datetime:
    """Until when the approval of an order can be taken back."""
    return (order.decided_at or order.created_at) + timedelta(seconds=settings.APPROVAL_UNDO_SECONDS)


def order_problem(order: Order, number: str) -> str:
    """Why an approved order must not be sent now, in a sentence; empty when nothing stands against it.

    Called with the order and its number locked, in the transaction of the intent.
    """
    if not order.account.active:
        return f"{order.account} is no longer in Callcap's account tree. Nothing was sent."
    if order.parameters.get("destination") == number:
        return f"{phone_text(number)} would ring itself: calls would go round in a circle. Nothing was sent."
    if order.kind in SENDS_WHAT_IS_SET:
        return _not_repeatable(order)
    wished = order.parameters.get("stop_date")
    if wished and date.fromisoformat(wished) < order.account.today():
        return f"The stop date {wished} had passed before the order was sent. Nothing was sent."
    return _ours_already(number) if order.kind == OrderKind.PROVISION else _overtaken(order)


def _ours_already(number: str) -> str:
    ours = Campaign.objects.filter(phone_number=number, ended_at=None).exists()
    return f"{phone_text(number)} is already among our numbers. Nothing was sent." if ours else ""


def _not_repeatable(order: Order) -> str:
    campaign = number_of(order)
    return _ended(campaign) or (_past_stop_date(campaign) if "stop_date" in order.parameters else "")


def _ended(campaign: Campaign) -> str:
    return "The number has stopped meanwhile. Nothing was sent." if campaign.ended_at else ""


def _past_stop_date(campaign: Campaign) -> str:
    """Why the stop date in force cannot be sent once more: it has passed, and the clock is about to end the number."""
    if campaign.stop_date and campaign.stop_date < campaign.account.today():
        return f"The number's stop date {campaign.stop_date} has passed. Nothing was sent."
    return ""


def _overtaken(order: Order) -> str:
    campaign = number_of(order)
    if problem := _ended(campaign):
        return problem
    moved = [name for name in order.parameters if plain_value(getattr(campaign, name)) != order.before.get(name)]
    if not moved:
        return ""
    later = HistoryEntry.objects.filter(number=order.phone_number, verb=Verb.NUMBER_CHANGED).first()
    by = f" by {later.actor_name} (order {later.order_id})" if later else ""
    return (
        f"Overtaken: {', '.join(name.replace('_', ' ') for name in moved)} was changed meanwhile{by}. Nothing was sent."
    )
