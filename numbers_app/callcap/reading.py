"""Reading the vendor's answers: strict about JSON, lenient about the shapes that the vendor's pages leave open.

Documented ("Getting started", "Accounts"): JSON with a top-level ``status``, and the account tree. Not documented: the
shape of a search answer and of a write's answer, so every name that is likely is understood.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

from .errors import CallcapUnreadable
from .evidence import Evidence
from .schemas import TIME_ZONES, AccountNode, AvailableNumber, SearchAnswer

# Lists of at least this length look cut off by the vendor.
CAP = 1000
RETRY_AFTER_DEFAULT, RETRY_AFTER_LEAST, RETRY_AFTER_MOST = 30.0, 1.0, 300.0
FIELD_CHARACTERS = 200

LIST_NAMES = ("numbers", "results", "data")
# Where an answer about one number may keep its fields when not at the top.
INNER_NAMES = ("data", "result", "results", "number", "numbers", "campaign", "phoneNumber")
NUMBER_NAMES = ("phoneNumber", "phone_number", "number", "fullNumber", "full_number")
CAMPAIGN_NAMES = ("campaignID", "campaignId", "campaign_id")
PLACE_NAMES = {
    "country": ("country",),
    "state": ("state",),
    "city": ("city",),
    "rate_center": ("rateCenter", "rate_center"),
    "zipcode": ("zipcode", "zipCode", "zip_code", "zip"),
}
TYPE_NAMES = ("type", "numberType", "number_type")
POOL_NAMES = ("pool",)
ZONE_NAMES = ("systemTimezone", "system_timezone")
MESSAGE_NAMES = ("message", "error", "errors", "status")
ACCOUNT_PREFIXES = {"corporate": "C", "division": "D", "location": "L"}
_TEN_DIGITS = re.compile(r"[2-9][0-9]{9}").fullmatch
CHILD_KINDS = {"corporate": "division", "division": "location"}


class NotStrictJson(ValueError):
    """The answer is not one strict JSON object; the message says what it is instead."""


def strict_object(body: bytes) -> dict[str, Any]:
    """The JSON object in ``body``. Anything else, duplicate keys, NaN and infinities raise NotStrictJson."""
    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except NotStrictJson:
        raise
    except (ValueError, RecursionError):
        raise NotStrictJson("no valid JSON") from None
    if not isinstance(value, dict):
        raise NotStrictJson("JSON without an object at its top")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotStrictJson("JSON with a name given twice")
    return found


def _no_constant(name: str) -> Any:
    raise NotStrictJson(f"JSON with {name}, which is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise NotStrictJson("JSON with a number too large to hold")
    return value


def ten_digits(value: object) -> str:
    """A US or Canadian number as ten digits, read with or without ``+1`` and punctuation; empty when it is none."""
    if isinstance(value, str) and _TEN_DIGITS(value):
        return value
    if not isinstance(value, str | int) or isinstance(value, bool):
        return ""
    digits = re.sub(r"[\s().\-+/]", "", str(value))
    found = re.fullmatch(r"1?([2-9][0-9]{9})", digits)
    return found[1] if found else ""


def status_of(answer: dict[str, Any]) -> str:
    """The top-level status in small letters; empty when the answer has none that is text."""
    status = answer.get("status")
    return status.strip().lower() if isinstance(status, str) else ""


def succeeded(answer: dict[str, Any]) -> bool:
    """Success is HTTP 200 and a top-level status of ``success`` ("Getting started")."""
    return status_of(answer) == "success"


def refuses(status: int, answer: dict[str, Any]) -> bool:
    """The vendor's definite no: a 4xx other than 408 (a time-out says nothing), or a 200 with another status."""
    return (400 <= status < 500 and status != 408) or (status == 200 and status_of(answer) not in ("", "success"))


def vendor_words(answer: dict[str, Any], evidence: Evidence) -> str:
    """The vendor's own message, or its status when it gave none; empty when it said nothing."""
    return next((words for name in MESSAGE_NAMES if (words := evidence.words(answer.get(name) or None))), "")


def retry_after_seconds(header: str) -> float:
    """Seconds to wait after a 429: ``Retry-After`` in either form, clamped to 1 to 300; 30 when absent or nonsense."""
    given = header.strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", given):
        seconds = float(given)
    else:
        try:
            seconds = (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return RETRY_AFTER_DEFAULT
        if seconds < 0:
            return RETRY_AFTER_DEFAULT
    return min(max(seconds, RETRY_AFTER_LEAST), RETRY_AFTER_MOST)


def read_search(answer: dict[str, Any], evidence: Evidence, seen: str) -> SearchAnswer:
    """The numbers of a search answer, each once. Items that cannot be read are counted.

    Raises CallcapUnreadable, naming what was found, when there is no list.
    """
    items = _find_list(answer)
    if items is None:
        found = evidence.words(", ".join(sorted(answer))) or "nothing"
        raise CallcapUnreadable(
            f"Callcap answered without a list of numbers. Found instead: {found}.",
            http_status=200,
            excerpt=seen,
        )
    descriptions = _Descriptions(evidence)
    read = [_read_number(item, descriptions) for item in items]
    numbers = {offer.number: offer for offer in read if offer}
    return SearchAnswer(
        numbers=tuple(numbers.values()),
        skipped=sum(offer is None for offer in read),
        capped=len(items) >= CAP,
    )


def _find_list(answer: dict[str, Any], deeper: bool = True) -> list[Any] | None:
    for name in LIST_NAMES:
        value = answer.get(name)
        if isinstance(value, list):
            return value
        if deeper and isinstance(value, dict):
            found = _find_list(value, deeper=False)
            if found is not None:
                return found
    return None


class _Descriptions(dict[tuple[object, ...], tuple[str, ...]]):
    """{what an item says beside its number: that as it is kept}, filled as it is asked.

    The thousand numbers of an answer lie in few places, so nearly all of them are read by one look here.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def __missing__(self, said: tuple[object, ...]) -> tuple[str, ...]:
        read = self.read(*said)
        # Texts alone: 1 and True are the same key.
        if all(value is None or isinstance(value, str) for value in said):
            self[said] = read
        return read

    def read(self, number_type: object, pool: object, *place: object) -> tuple[str, ...]:
        return (
            _one_of(number_type, ("local", "tollfree")),
            _one_of(pool, ("public", "reserved")),
            *[self._evidence.words(value, FIELD_CHARACTERS) for value in place],
        )


def _read_number(item: object, descriptions: _Descriptions) -> AvailableNumber | None:
    if not isinstance(item, dict):
        number = ten_digits(item)
        return AvailableNumber(number=number) if number else None
    fields = _fields_of(tuple(item))(item)
    number = ten_digits(fields[0])
    if not number:
        return None
    try:
        description = descriptions[fields[1:]]
    except TypeError:
        # Lists and objects, which are no keys.
        description = descriptions.read(*fields[1:])
    return AvailableNumber(number, *description)


# The items of an answer have the same few shapes.
@lru_cache(maxsize=64)
def _fields_of(names: tuple[str, ...]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    """What takes the fields of AvailableNumber, in order, out of an item with these names."""
    known = (NUMBER_NAMES, TYPE_NAMES, POOL_NAMES, *PLACE_NAMES.values())
    here = [tuple(name for name in likely if name in names) for likely in known]
    if all(len(one) == 1 for one in here):
        return itemgetter(*[one for (one,) in here])
    return lambda item: tuple(_first(item, likely) for likely in here)


def _one_of(given: Any, known: tuple[str, ...]) -> str:
    """The word if it is a known one, however spelled (``Toll-Free``, ``toll_free``); else empty."""
    word = re.sub(r"[\s_-]", "", str(given)).lower()
    return word if word in known else ""


def _first(item: dict[str, Any], names: tuple[str, ...]) -> Any:
    for name in names:
        value = item.get(name)
        if value is not None:
            return value
    return None


def named_numbers(answer: dict[str, Any]) -> set[str]:
    """The numbers that a write's answer says it is about, as ten digits; an empty text for one that cannot be read."""
    values = [item[name] for item in _parts(answer) for name in NUMBER_NAMES if name in item]
    named = [value for value in values if value not in (None, "") and not isinstance(value, dict | list)]
    return {ten_digits(value) for value in named}


def campaign_named(answer: dict[str, Any], evidence: Evidence) -> str:
    """The campaign id in a write's answer, or empty."""
    found = (evidence.words(_first(item, CAMPAIGN_NAMES), FIELD_CHARACTERS) for item in _parts(answer))
    return next((campaign for campaign in found if campaign), "")


def _parts(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The answer itself and the objects one level deeper that may hold what it says about a number."""
    yield answer
    for name in INNER_NAMES:
        value = answer.get(name)
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield inner


def read_account(item: object, evidence: Evidence, *, parent_key: str = "", kind: str = "") -> AccountNode | None:
    """One account of the tree; None when it cannot be read. ``parent_key`` and ``kind`` hold where it does not say."""
    if not isinstance(item, dict):
        return None
    kind = evidence.words(item.get("account_type")).lower() or kind
    prefix = ACCOUNT_PREFIXES.get(kind, "none")
    found = re.fullmatch(rf"(?:{prefix}-)?([0-9]{{1,18}})", evidence.words(item.get("account_id")))
    if kind not in ACCOUNT_PREFIXES or not found:
        return None
    key = f"{prefix}-{int(found[1])}"
    parent = item.get("parent")
    above = read_account(parent, evidence) if not parent_key else None
    return AccountNode(
        key=key,
        kind=kind,
        callcap_id=int(found[1]),
        name=evidence.words(item.get("account_name"), FIELD_CHARACTERS) or key,
        parent_key=above.key if above else parent_key,
        time_zone=TIME_ZONES.get(evidence.words(_first(item, ZONE_NAMES)), ""),
    )


def read_children(
    answer: dict[str, Any], evidence: Evidence, seen: str, above: AccountNode | None = None
) -> tuple[AccountNode, ...]:
    """The accounts listed below ``above``, or at the top. Raises CallcapUnreadable rather than leave one out."""
    children = answer.get("children")
    if children is None and above is not None and above.kind == "location":
        return ()
    kind = CHILD_KINDS.get(above.kind, "") if above else "corporate"
    items = children if isinstance(children, list) else [None]
    nodes = [read_account(item, evidence, parent_key=above.key if above else "", kind=kind) for item in items]
    read = tuple(node for node in nodes if node)
    if len(read) != len(nodes):
        message = "Callcap's list of accounts could not be read."
        raise CallcapUnreadable(message, http_status=200, excerpt=seen)
    return read
