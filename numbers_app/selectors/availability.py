"""Whether what a purchase asks for is to be had right now."""

from __future__ import annotations

from dataclasses import dataclass

from numbers_app.callcap import SearchCriteria
from numbers_app.callcap.matching import matches
from numbers_app.criteria import criteria_from_json
from numbers_app.errors import VendorTrouble
from numbers_app.models import Order, OrderKind
from numbers_app.ranking import best_first

from .search import found_numbers, number_places, number_search


@dataclass(frozen=True)
class Matches:
    """How many numbers that nobody has or wants match a search, the best of them, and whether there may be more."""

    count: int
    example: str
    capped: bool


@dataclass(frozen=True)
class Availability:
    """Whether each live choice of an order is offered now, and what matches its search.

    ``trouble`` says why that could not be asked.
    """

    offered: dict[str, bool]
    matches: Matches | None = None
    trouble: str = ""

    @property
    def gone(self) -> list[str]:
        return [number for number, offered in self.offered.items() if not offered]

    @property
    def all_gone(self) -> bool:
        """Whether there is nothing to buy; not so when that could not be asked, or there was nothing to ask."""
        asked = bool(self.offered) or self.matches is not None
        return asked and not any(self.offered.values()) and not (self.matches and self.matches.count)


def order_availability(order: Order) -> Availability:
    """Ask the vendor whether what a purchase wants is still to be had."""
    if order.kind != OrderKind.PROVISION:
        return Availability({})
    numbers = [choice.number for choice in order.choices.all() if choice.live]
    try:
        places = number_places(numbers, order.account.key)
        found = search_matches(criteria_from_json(order.criteria), fresh=True) if order.criteria else None
    except VendorTrouble as trouble:
        return Availability({}, trouble=trouble.message)
    return Availability({number: place is not None for number, place in places.items()}, found)


def search_matches(criteria: SearchCriteria, *, fresh: bool = False) -> Matches:
    """What the search would bring now. Raises VendorTrouble when the vendor cannot be asked."""
    result = number_search(criteria, fresh=fresh)
    matching = [offer for offer in result.offers if matches(criteria, offer)]
    free = [found.offer for found in found_numbers(matching) if found.free]
    best = next(iter(best_first(free, criteria.vanity_text)), None)
    return Matches(len(free), best.number if best else "", result.capped)
