"""Whether what was valid when an order was asked for still is, at the moment it is sent."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings

from numbers_app.models import Campaign, HistoryEntry, Order, OrderKind, Verb
from numbers_app.text import phone_text


def plain_value(value: Any) -> Any:
    """A model's value as it stands in parameters and history: dates as ISO text."""
    return value.isoformat() if isinstance(value, date) else value


def order_undo_until(order: Order) -> datetime:
    """Until when the approval of an order can be taken back."""
    return (order.decided_at or order.created_at) + timedelta(seconds=settings.APPROVAL_UNDO_SECONDS)


def order_problem(order: Order, number: str) -> str:
    """Why an approved order must not be sent now, in a sentence; empty when nothing stands against it.

    Called with the order's row locked, in the transaction of the intent.
    """
    if not order.account.active:
        return f"{order.account} is no longer in Callcap's account tree. Nothing was sent."
    if order.kind == OrderKind.REAPPLY:
        return _ended(_locked_campaign(order))
    wished = order.parameters.get("stop_date")
    if wished and date.fromisoformat(wished) < order.account.today():
        return f"The stop date {wished} had passed before the order was sent. Nothing was sent."
    if order.kind == OrderKind.PROVISION:
        if Campaign.objects.filter(phone_number=number, ended_at=None).exists():
            return f"{phone_text(number)} is already among our numbers. Nothing was sent."
        return ""
    return _overtaken(order)


def _locked_campaign(order: Order) -> Campaign:
    return Campaign.objects.select_for_update(of=("self",)).get(orders=order)


def _ended(campaign: Campaign) -> str:
    return "The number has stopped meanwhile. Nothing was sent." if campaign.ended_at else ""


def _overtaken(order: Order) -> str:
    campaign = _locked_campaign(order)
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
