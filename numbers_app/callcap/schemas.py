"""Typed values of the vendor's world. The vendor's own names stand in the tables here and nowhere else.

From Callcap's page "Phone Numbers" (``/v3/numbers/``) and "Accounts" (``/v2/get/accounts/``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import NamedTuple

type WriteValue = str | int | bool | None
type WriteValues = dict[str, WriteValue]

SEARCH_WIRE_NAMES = {
    "area_code": "areaCode",
    "exchange": "exchange",
    "line": "line",
    "account": "account",
    "show_public_pool": "showPublicPool",
    "show_reserved_pool": "showReservedPool",
    "show_tollfree": "showTollfree",
    "show_local": "showLocal",
    "country": "country",
    "state": "state",
    "city": "city",
    "rate_center": "rateCenter",
    "zipcode": "zipcode",
    "vanity_text": "vanityText",
    "full_number": "fullNumber",
}

WRITE_WIRE_NAMES = {
    "destination": "destination",
    "campaign_name": "campaignName",
    "notes": "notes",
    "memo1": "memo1",
    "memo2": "memo2",
    "recording": "recording",
    "evaluation": "evaluation",
    "media_type_id": "mediaTypeID",
    "brand": "brand",
    "service": "service",
    "target": "target",
    "offer": "offer",
    "stop_date": "stopDate",
}
# What a number and its Location are called in a provision.
NUMBER_WIRE_NAMES = {"phone_number": "phoneNumber", "account": "account"}
UPDATE_FIELDS = tuple(WRITE_WIRE_NAMES)
# The vendor takes a stop date only on an update.
PROVISION_FIELDS = tuple(name for name in WRITE_WIRE_NAMES if name != "stop_date")
# Campaign information is cleared by sending it empty; routing and features have no empty value.
CLEARABLE_FIELDS = tuple(
    name for name in WRITE_WIRE_NAMES if name not in ("destination", "recording", "evaluation", "stop_date")
)

# The vendor's zones, some of which slim systems do not know, by their IANA names.
TIME_ZONES = {
    "US/Hawaii": "Pacific/Honolulu",
    "US/Alaska": "America/Anchorage",
    "US/Pacific": "America/Los_Angeles",
    "US/Mountain": "America/Denver",
    "Canada/Atlantic": "America/Halifax",
    "US/Central": "America/Chicago",
    "US/Eastern": "America/New_York",
}


@dataclass(frozen=True)
class SearchCriteria:
    """What to look for; an empty text or None leaves a parameter out. ``account`` is a Location key such as ``L-3``."""

    area_code: str = ""
    exchange: str = ""
    line: str = ""
    account: str = ""
    show_public_pool: bool | None = None
    show_reserved_pool: bool | None = None
    show_tollfree: bool | None = None
    show_local: bool | None = None
    country: str = ""
    state: str = ""
    city: str = ""
    rate_center: str = ""
    zipcode: str = ""
    vanity_text: str = ""
    full_number: str = ""

    def to_wire(self) -> dict[str, str]:
        """Query parameters under the vendor's names; booleans as ``true`` and ``false``."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {SEARCH_WIRE_NAMES[name]: wire_text(value) for name, value in given.items() if value not in ("", None)}


class AvailableNumber(NamedTuple):
    """A number that the vendor offers. ``number`` is ten digits; what the vendor did not say is empty.

    ``number_type`` is ``local`` or ``tollfree``, ``pool`` is ``public`` or ``reserved``. A tuple, since a search brings
    a thousand of them.
    """

    number: str
    number_type: str = ""
    pool: str = ""
    country: str = ""
    state: str = ""
    city: str = ""
    rate_center: str = ""
    zipcode: str = ""

    @property
    def place(self) -> str:
        """City and state, as in ``Wichita, KS``; empty for toll-free numbers."""
        return ", ".join(part for part in (self.city, self.state) if part)


@dataclass(frozen=True)
class SearchAnswer:
    """``skipped`` items could not be read; ``capped`` says that the list may have been cut off."""

    numbers: tuple[AvailableNumber, ...]
    skipped: int = 0
    capped: bool = False


@dataclass(frozen=True)
class AccountNode:
    """One account of the vendor's tree: ``kind`` corporate, division or location; ``key`` such as ``L-3``.

    ``parent_key`` is empty at the top; ``time_zone`` is an IANA name, or empty where the vendor names none.
    """

    key: str
    kind: str
    callcap_id: int
    name: str
    parent_key: str = ""
    time_zone: str = ""


class Outcome(StrEnum):
    """What is known of a write: it took effect, was refused, never left here, or nobody can tell."""

    APPLIED = "applied"
    REFUSED = "refused"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class WriteAnswer:
    """What came back from one POST. ``message`` are the vendor's words, or ours on what came back instead.

    ``excerpt`` is the start of the answer, ASCII-escaped; ``named_number`` the number it names, ten digits or
    empty; ``retry_after`` seconds to wait, only for 429.
    """

    outcome: Outcome
    http_status: int | None
    message: str
    excerpt: str = ""
    named_number: str = ""
    campaign_id: str = ""
    retry_after: float | None = None


_WIRE_NAMES = SEARCH_WIRE_NAMES | WRITE_WIRE_NAMES | NUMBER_WIRE_NAMES
# Callcap names a Location by its key or by its bare number.
_SNAKE_NAMES = {wire.lower(): name for name, wire in _WIRE_NAMES.items()} | {"locationid": "account"}


def wire_name(name: str) -> str:
    """The vendor's name for one of our fields; empty when it has none."""
    return _WIRE_NAMES.get(name, "")


def snake_name(word: str) -> str:
    """Our name for a field as somebody wrote it: in the vendor's way, in ours or in words. An unknown word stays."""
    plain = "_".join(word.lower().split())
    return _SNAKE_NAMES.get(plain, plain)


def wire_text(value: object) -> str:
    """A value as it travels in a query or a form: booleans as ``true`` and ``false``, None as empty."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def write_values_to_wire(values: Mapping[str, WriteValue], allowed: tuple[str, ...]) -> dict[str, WriteValue]:
    """Values under the vendor's names, less those that say nothing. What is None or blank clears campaign information,
    which is sent empty for that, and says nothing of routing and features.

    Raises ValueError for a name that this call does not take or an empty destination.
    """
    unknown = [name for name in values if name not in allowed]
    if unknown:
        raise ValueError(f"Callcap does not take {', '.join(unknown)} here.")
    if values.get("destination", "given") in ("", None):
        raise ValueError("An empty destination is never sent.")
    said = {name: "" if value is None else value for name, value in values.items()}
    return {WRITE_WIRE_NAMES[name]: value for name, value in said.items() if value != "" or name in CLEARABLE_FIELDS}
