"""Reading the mirror of provisioned numbers, within what the reader may see."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet

from numbers_app.callcap import vanity
from numbers_app.models import Campaign, Inventory, User
from numbers_app.places import TOLLFREE_CODES
from numbers_app.search_box import read_box
from numbers_app.search_words import Fields

from .accounts import accounts_granted, accounts_visible

# Two letters are part of a word more often than of a number that spells them.
LEAST_SPELLED = 3
# What the search page's box may make of a text that is about a number and not about where it is from.
_OF_A_NUMBER = frozenset({"full_number", "area_code", "exchange", "line", "vanity_text", "show_tollfree"})
SORTS = {"newest": "newest", "number": "number", "account": "Location", "stop_date": "stop date"}
_ORDERS = {
    "newest": ("-created_at", "-pk"),
    "number": ("phone_number", "-created_at", "-pk"),
    "account": ("account__name", "account__key", "phone_number", "-pk"),
    # The next to stop first, those that have stopped last.
    "stop_date": (
        F("ended_at").desc(nulls_first=True),
        F("stop_date").asc(nulls_last=True),
        "phone_number",
        "-pk",
    ),
}


@dataclass(frozen=True)
class Imported:
    """How many of the numbers were not bought here, and what the vendor has said of these so far."""

    numbers: int
    confirmed: int
    disputed: int


def campaign_list(user: User) -> QuerySet[Campaign]:
    """The numbers of the accounts that the user may see, newest first."""
    return Campaign.objects.filter(account__in=accounts_visible(user)).select_related("account__parent")


def campaign_sort(campaigns: QuerySet[Campaign], sort: str) -> QuerySet[Campaign]:
    """The numbers in the order that one of SORTS names; newest first for any other word."""
    return campaigns.order_by(*_ORDERS.get(sort, _ORDERS["newest"]))


def campaign_search(campaigns: QuerySet[Campaign], text: str) -> QuerySet[Campaign]:
    """Those whose number, destination, name, notes or memos contain the text, or whose number spells it.

    Whatever the search page's box understands of a number is understood here too: "316 cake", "ends in 2253".
    """
    found = (
        Q(campaign_name__icontains=text)
        | Q(notes__icontains=text)
        | Q(memo1__icontains=text)
        | Q(memo2__icontains=text)
    )
    if pattern := number_pattern(text):
        found |= _with_digits("phone_number", pattern)
        if not _spells(text):
            found |= _with_digits("destination", pattern)
    if fields := _read_number(text):
        found |= _as_read("phone_number", fields)
        if fields.keys().isdisjoint({"vanity_text", "show_tollfree"}):
            found |= _as_read("destination", fields)
    return campaigns.filter(found)


def number_spelling(text: str) -> str:
    """What of the text can be marked in a number, in its letters or digits; empty when nothing of it can be."""
    spelled = str(_read_number(text).get("vanity_text", ""))
    return spelled or (text if number_pattern(text) else "")


def campaigns_ringing(campaigns: QuerySet[Campaign], text: str) -> QuerySet[Campaign]:
    """Those whose destination contains the digits of the text; none when it has no digits of a number."""
    pattern = number_pattern(text)
    return campaigns.filter(_with_digits("destination", pattern)) if pattern else campaigns.none()


def number_pattern(text: str) -> str:
    """What the text asks for in the ten digits of a number: digits, and wildcards each for any one.

    Written in any usual way, with or without the country code, letters as they lie on the keypad. Empty for text that
    is no part of a number, and for fewer than three letters.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    kept = "".join(character for character in plain if character not in vanity.SEPARATORS)
    kept = re.sub(r"^(\+1|(001|1)(?=.{10}$))", "", kept)
    try:
        pattern = vanity.to_pattern(kept)
    except ValueError:
        return ""
    return "" if _spells(kept) and len(pattern) < LEAST_SPELLED else pattern


def _read_number(text: str) -> Fields:
    """The fields that the search page's box sets for the text; none when any of it is about something else."""
    reading = read_box(text)
    fields = reading.fields
    word = str(fields.get("vanity_text", ""))
    if reading.unread or fields.keys() - _OF_A_NUMBER or (_spells(word) and len(word) < LEAST_SPELLED):
        return {}
    # That an area code is toll-free is said by its digits.
    return {name: value for name, value in fields.items() if name != "show_tollfree" or "area_code" not in fields}


def _as_read(column: str, fields: Fields) -> Q:
    conditions = Q()
    if full_number := fields.get("full_number"):
        conditions &= Q(**{column: full_number})
    if fields.keys() & {"area_code", "exchange", "line"}:
        code, exchange, line = (fields.get(name) for name in ("area_code", "exchange", "line"))
        conditions &= Q(**{f"{column}__regex": f"^{code or '...'}{exchange or '...'}{line or '....'}$"})
    if fields.get("show_tollfree"):
        conditions &= Q(**{f"{column}__regex": f"^({'|'.join(TOLLFREE_CODES)})"})
    if word := fields.get("vanity_text"):
        conditions &= _with_digits(column, vanity.to_pattern(str(word)))
    return conditions


def _spells(text: str) -> bool:
    return any(character.isalpha() for character in text)


def _with_digits(field: str, pattern: str) -> Q:
    if not any(wildcard in pattern for wildcard in vanity.WILDCARDS):
        return Q(**{f"{field}__contains": pattern})
    return Q(**{f"{field}__regex": re.sub(f"[{vanity.WILDCARDS}]", "[0-9]", pattern)})


def campaigns_disputed(user: User) -> QuerySet[Campaign]:
    """The numbers of accounts granted to the user that the vendor says are not ours, until one of them settles it."""
    return campaign_list(user).filter(account__in=accounts_granted(user), disputed_at__isnull=False)


def campaigns_imported(user: User) -> Imported:
    """Of the numbers that the user may see, those that were not bought here."""
    imported = Q(imported_at__isnull=False)
    counts = campaign_list(user).aggregate(
        numbers=Count("pk", filter=imported),
        confirmed=Count("pk", filter=imported & Q(confirmed_at__isnull=False, disputed_at=None)),
        disputed=Count("pk", filter=imported & Q(disputed_at__isnull=False)),
    )
    return Imported(**counts)


def inventory_declaration() -> Inventory | None:
    """Who said when that the inventory is complete; None while numbers bought before the portal may be missing."""
    return Inventory.objects.filter(pk=Inventory.ONLY).first()
