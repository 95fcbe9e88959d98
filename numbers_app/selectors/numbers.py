"""What a number's own page shows beside its values, and what its history says of earlier ones."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Max, QuerySet

from numbers_app.models import NUMBER_VERBS, OPEN, RUN_ON, Campaign, HistoryEntry, Order, User, Verb
from numbers_app.services.validity import can_be_sent, plain_value

from .campaigns import campaign_list
from .history import history_list
from .orders import order_list


def numbers_ringing_too(user: User, campaign: Campaign) -> QuerySet[Campaign]:
    """The other numbers with the same destination that the user may see."""
    same = campaign_list(user).filter(destination=campaign.destination, ended_at=None)
    return same.exclude(phone_number=campaign.phone_number).order_by("phone_number")


def number_orders(user: User, number: str) -> QuerySet[Order]:
    """Every visible order about the number, newest first."""
    return order_list(user).filter(phone_number=number)


def number_orders_open(user: User, number: str) -> QuerySet[Order]:
    """The visible orders that may still change the number, the one that is due first at the top."""
    return number_orders(user, number).filter(status__in=OPEN).order_by("execute_after", "pk")


def number_history(user: User, number: str) -> QuerySet[HistoryEntry]:
    """What became of the number itself, newest first."""
    told = (*NUMBER_VERBS, Verb.NUMBER_DISPUTED, Verb.NUMBER_SETTLED)
    return history_list(user).filter(number=number, verb__in=told)


def values_at_version(campaign: Campaign, version: int) -> dict[str, Any]:
    """The number's values as they were in an earlier version, as JSON values: the changes since are taken back.

    Only fields that have changed since are named; the others are as they are now.
    """
    since = max(campaign.version - version, 0)
    changes = HistoryEntry.objects.filter(number=campaign.phone_number, verb=Verb.NUMBER_CHANGED).order_by("-sequence")
    values: dict[str, Any] = {}
    for entry in changes[:since]:
        values |= {name: before for name, (before, _) in entry.changes.items()}
    return values


def change_to_put_back(user: User, campaign: Campaign, sequence: int) -> HistoryEntry | None:
    """The entry, when the user may see it and it changed this very campaign, not an earlier one with the number."""
    began = HistoryEntry.objects.filter(
        number=campaign.phone_number, verb__in=(Verb.NUMBER_BOUGHT, Verb.NUMBER_IMPORTED)
    ).aggregate(at=Max("sequence"))["at"]
    changes = history_list(user).filter(number=campaign.phone_number, verb=Verb.NUMBER_CHANGED)
    return changes.filter(sequence=sequence, sequence__gt=began or 0, account_key=campaign.account.key).first()


def values_before(entry: HistoryEntry, campaign: Campaign) -> tuple[dict[str, Any], dict[str, str]]:
    """What putting back a change would set, as JSON values, and a sentence on each field that cannot be put back.

    Only what the change touched and what differs from now. A number that had no stop date runs on.
    """
    values, problems = {}, {}
    for name, (before, _) in entry.changes.items():
        wished = plain_value(RUN_ON) if name == "stop_date" and before is None else before
        if plain_value(getattr(campaign, name)) in (before, wished):
            continue
        if name == "stop_date" and date.fromisoformat(wished) < campaign.account.today():
            problems[name] = f"The stop date was {wished}, which has passed. Give another one below if it should stop."
        elif not can_be_sent(name, wished) and name in ("recording", "evaluation"):
            problems[name] = f"{_FEATURES[name]} was not set, and Callcap cannot take it back to that."
        else:
            values[name] = wished
    return values, problems


_FEATURES = {"recording": "Call recording", "evaluation": "Evaluation"}
