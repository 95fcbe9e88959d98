"""Checking what a provision or an update sends about a campaign and its routing."""

import re
from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

import phonenumbers
from django.utils import timezone

from sandbox.answers import VendorError
from sandbox.models import Account
from sandbox.parameters import Params, flag
from sandbox.tree import TIME_ZONES

Value = str | bool | int | None
REFUSED_TYPES = frozenset({phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.UNKNOWN})
TEXT_LENGTHS = {"campaignName": 255, "memo1": 255, "memo2": 255, "brand": 255, "service": 255, "target": 255}
TEXT_LENGTHS |= {"offer": 255, "notes": 65_535}


def provision_values(params: Params) -> dict[str, Value]:
    """The documented values of a provision that were sent. Raises VendorError."""
    return _values(params, {"evaluation": _one_of("off", "realtime")})


def update_values(params: Params, account: Account) -> dict[str, Value]:
    """The documented values of an update that were sent; dates are those of the Location's zone."""
    today = timezone.now().astimezone(ZoneInfo(TIME_ZONES[account.time_zone])).date()
    return _values(
        params,
        {
            "evaluation": _one_of("off", "realtime", "delayed"),
            "stopDate": lambda name, text: _stop_date(name, text, today),
        },
    )


Check = Callable[[str, str], Value]


def _values(params: Params, checks: dict[str, Check]) -> dict[str, Value]:
    checks = COMMON_CHECKS | checks
    return {name: checks[name](name, params[name]) for name in checks if name in params}


def _destination(name: str, text: str) -> str:
    problem = VendorError(f"{name} must be a valid US or Canadian phone number.")
    try:
        parsed = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException as reason:
        raise problem from reason
    if (
        not phonenumbers.is_valid_number(parsed)
        or phonenumbers.region_code_for_number(parsed) not in {"US", "CA"}
        or phonenumbers.number_type(parsed) in REFUSED_TYPES
        or parsed.extension
    ):
        raise problem
    return str(parsed.national_number)


def _stop_date(name: str, text: str, today: date) -> str:
    try:
        wanted = date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        wanted = None
    if wanted is None:
        raise VendorError(f"{name} must be a valid date (yyyy-mm-dd).")
    if wanted < today:
        raise VendorError(f"{name} must be the current day or later.")
    return wanted.isoformat()


def _text(name: str, text: str) -> str:
    if len(text) > TEXT_LENGTHS[name]:
        raise VendorError(f"{name} may be at most {TEXT_LENGTHS[name]} characters long.")
    if "\0" in text:
        raise VendorError(f"{name} must not hold NUL characters.")
    return text


def _switch(name: str, text: str) -> bool | None:
    return flag({name: text}, name)


def _media_type(name: str, text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise VendorError(f"{name} must be numeric.")
    return int(text)


def _one_of(*words: str) -> Check:
    def check(name: str, text: str) -> str:
        if text not in words:
            raise VendorError(f"{name} must be one of: {', '.join(words)}.")
        return text

    return check


COMMON_CHECKS: dict[str, Check] = {
    "destination": _destination,
    "recording": _switch,
    "mediaTypeID": _media_type,
    **dict.fromkeys(TEXT_LENGTHS, _text),
}
