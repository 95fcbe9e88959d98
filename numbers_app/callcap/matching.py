"""Whether an offered number is one that a search asked for.

The vendor answers a search; whoever buys by one looks again: an answer that ignores a parameter must not decide what
is bought.
"""

from __future__ import annotations

from . import vanity
from .schemas import AvailableNumber, SearchCriteria

PLACES = ("country", "state", "city", "rate_center", "zipcode")


def matches(criteria: SearchCriteria, offer: AvailableNumber) -> bool:
    """Whether the offer fits the search in its digits, and in type, pool and place as far as the vendor names them."""
    return (
        _digits_match(criteria, offer.number)
        and _wanted(offer.number_type, {"local": criteria.show_local, "tollfree": criteria.show_tollfree})
        and _wanted(offer.pool, _pools(criteria))
        and all(_same(getattr(criteria, name), getattr(offer, name)) for name in PLACES)
    )


def _digits_match(criteria: SearchCriteria, number: str) -> bool:
    parts = (criteria.area_code, number[:3]), (criteria.exchange, number[3:6]), (criteria.line, number[6:])
    if any(wanted not in ("", given) for wanted, given in (*parts, (criteria.full_number, number))):
        return False
    return not criteria.vanity_text or vanity.match(number, criteria.vanity_text) is not None


def _pools(criteria: SearchCriteria) -> dict[str, bool | None]:
    """The public pool is searched when no pool is named."""
    asked = {"public": criteria.show_public_pool, "reserved": criteria.show_reserved_pool}
    return asked if any(asked.values()) else asked | {"public": True}


def _wanted(given: str, switches: dict[str, bool | None]) -> bool:
    """Whether a word of the vendor's is one of those switched on; with none switched on, not one of those off."""
    if given not in switches:
        return True
    return bool(switches[given]) if any(switches.values()) else switches[given] is not False


def _same(wanted: str, given: str) -> bool:
    return not (wanted and given) or _plain(wanted) == _plain(given)


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()
