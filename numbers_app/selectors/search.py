"""Searching the vendor for numbers, and what is known here about those found."""

from __future__ import annotations

from dataclasses import dataclass

from numbers_app.callcap import AvailableNumber, CallcapError, CallcapUnreachable, SearchCriteria
from numbers_app.errors import VendorTrouble
from numbers_app.models import Order, OrderKind
from numbers_app.vendor import callcap_client

from .campaigns import campaigns_held
from .orders import live_choices


@dataclass(frozen=True)
class FoundNumber:
    """An offered number; ``wanted_by`` is the order that already asks for it, ``held`` says it is ours."""

    offer: AvailableNumber
    wanted_by: int | None
    held: bool


@dataclass(frozen=True)
class SearchResult:
    """``skipped`` items of the vendor's answer could not be read; ``capped`` says that the list looks cut off."""

    found: list[FoundNumber]
    skipped: int
    capped: bool


def number_search(criteria: SearchCriteria) -> SearchResult:
    """Ask the vendor. Raises VendorTrouble when it does not answer or answers nonsense."""
    try:
        answer = callcap_client().search(criteria)
    except CallcapError as error:
        raise _trouble(error) from error
    numbers = [offer.number for offer in answer.numbers]
    wanted, held = live_choices(numbers), campaigns_held(numbers)
    found = [FoundNumber(offer, wanted.get(offer.number), offer.number in held) for offer in answer.numbers]
    return SearchResult(found=found, skipped=answer.skipped, capped=answer.capped)


def number_places(numbers: list[str], account_key: str) -> dict[str, str | None]:
    """{number: place} as the vendor offers them to this account right now; None for one that it does not offer.

    Raises VendorTrouble when it cannot be asked.
    """
    try:
        offers = {number: callcap_client().find_number(number, account=account_key) for number in numbers}
    except CallcapError as error:
        raise _trouble(error) from error
    return {number: _place(offer) if offer else None for number, offer in offers.items()}


@dataclass(frozen=True)
class Availability:
    """Whether each live choice of an order is offered now; ``trouble`` says why that could not be asked."""

    offered: dict[str, bool]
    trouble: str = ""

    @property
    def gone(self) -> list[str]:
        return [number for number, offered in self.offered.items() if not offered]

    @property
    def all_gone(self) -> bool:
        return bool(self.offered) and not any(self.offered.values())


def order_availability(order: Order) -> Availability:
    """Ask the vendor whether the numbers that a purchase wants are still to be had."""
    numbers = [choice.number for choice in order.choices.all() if choice.live]
    if order.kind != OrderKind.PROVISION:
        return Availability({})
    try:
        places = number_places(numbers, order.account.key)
    except VendorTrouble as trouble:
        return Availability({}, trouble.message)
    return Availability({number: place is not None for number, place in places.items()})


def _trouble(error: CallcapError) -> VendorTrouble:
    return VendorTrouble(error.message, answered=not isinstance(error, CallcapUnreachable))


def _place(offer: AvailableNumber) -> str:
    return offer.place or {"tollfree": "Toll-free"}.get(offer.number_type, "")
