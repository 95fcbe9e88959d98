"""Searching the vendor for numbers, and what is known here about those found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from numbers_app.callcap import AvailableNumber, CallcapError, CallcapUnreachable, SearchCriteria
from numbers_app.errors import VendorTrouble
from numbers_app.memorable import Memorability, memorability, words_of
from numbers_app.models import OrderKind, OrderStatus, User
from numbers_app.ranking import best_first
from numbers_app.vendor import vendor_find_number, vendor_search

from .campaigns import campaign_list
from .orders import order_list
from .taken import numbers_taken


@dataclass(frozen=True)
class FoundNumber:
    """An offered number; ``wanted_by`` is the order that already asks for it, ``held`` says it is ours."""

    offer: AvailableNumber
    wanted_by: int | None = None
    held: bool = False

    @property
    def free(self) -> bool:
        return not (self.held or self.wanted_by)

    # Worked out for what is shown only: a search may find a thousand numbers.
    @cached_property
    def ease(self) -> Memorability:
        """How easy the number is to remember, and why."""
        return memorability(self.offer.number)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """What else the number spells."""
        return words_of(self.offer.number)


@dataclass(frozen=True)
class SearchResult:
    """``skipped`` items of the vendor's answer could not be read; ``capped`` says that the list looks cut off.

    ``at`` is when the vendor answered; ``cached`` says that it was not asked again since.
    """

    offers: tuple[AvailableNumber, ...]
    skipped: int
    capped: bool
    at: datetime
    cached: bool


MOST_INSTEAD = 3
SORTS = {"best": "best match", "number": "number", "place": "place", "easy": "easy to remember"}


def number_search(criteria: SearchCriteria, *, fresh: bool = False) -> SearchResult:
    """What the vendor offers; an answer of the last minute will do, unless a ``fresh`` one is wanted.

    Raises VendorTrouble when it does not answer or answers nonsense.
    """
    try:
        searched = vendor_search(criteria, fresh=fresh)
    except CallcapError as error:
        raise _trouble(error) from error
    answer = searched.answer
    return SearchResult(answer.numbers, answer.skipped, answer.capped, searched.at, searched.cached)


def sort_offers(offers: Sequence[AvailableNumber], sort: str, text: str) -> Sequence[AvailableNumber]:
    """The offers in one of the orders of ``SORTS``; ``text`` is the vanity text that was searched for."""
    if sort == "number":
        return sorted(offers, key=lambda offer: offer.number)
    if sort == "place":
        return sorted(offers, key=lambda offer: (offer.state, offer.city, offer.number))
    if sort == "easy":
        return sorted(offers, key=lambda offer: (-memorability(offer.number).points, offer.number))
    return best_first(offers, text)


def found_numbers(offers: Sequence[AvailableNumber], *, free_first: bool = True) -> list[FoundNumber]:
    """The offers with what is known here of each; in place, but those that can still be had come first, if wished.

    For a page of a search: asking about a thousand at once costs more than everything else.
    """
    taken = numbers_taken(offer.number for offer in offers)
    found = [FoundNumber(offer, taken.wanted.get(offer.number), offer.number in taken.held) for offer in offers]
    return sorted(found, key=lambda one: not one.free) if free_first else found


def numbers_ours(user: User, numbers: Iterable[str]) -> dict[str, int | None]:
    """Of these numbers, those that are ours and that the user may look at; each with the order that bought it, None
    where there is none that they may see."""
    listed = list(numbers)
    bought = order_list(user).filter(phone_number__in=listed, kind=OrderKind.PROVISION, status=OrderStatus.DONE)
    orders: dict[str, int] = dict(bought.order_by("pk").values_list("phone_number", "pk"))
    ours = campaign_list(user).filter(phone_number__in=listed, ended_at=None)
    return {number: orders.get(number) for number in ours.values_list("phone_number", flat=True)}


def numbers_instead(numbers: list[str], text: str) -> list[FoundNumber]:
    """At most three free numbers of the public pool like those that cannot be had: of the same area code, with the same
    letters first. None while the vendor cannot be asked."""
    like = SearchCriteria(area_code=numbers[0][:3])
    free: dict[str, FoundNumber] = {}
    for criteria in ([replace(like, vanity_text=text)] if text else []) + [like]:
        try:
            offers = number_search(criteria).offers
        except VendorTrouble:
            break
        for found in found_numbers(sort_offers(offers, "best", criteria.vanity_text)):
            if found.free and found.offer.number not in numbers:
                free.setdefault(found.offer.number, found)
        if len(free) >= MOST_INSTEAD:
            break
    return list(free.values())[:MOST_INSTEAD]


def number_places(numbers: list[str], account_key: str) -> dict[str, str | None]:
    """{number: place} as the vendor offers them to this account right now; None for one that it does not offer.

    Raises VendorTrouble when it cannot be asked.
    """
    try:
        offers = {number: vendor_find_number(number, account=account_key) for number in numbers}
    except CallcapError as error:
        raise _trouble(error) from error
    return {number: _place(offer) if offer else None for number, offer in offers.items()}


def _trouble(error: CallcapError) -> VendorTrouble:
    return VendorTrouble(error.message, answered=not isinstance(error, CallcapUnreachable))


def _place(offer: AvailableNumber) -> str:
    return offer.place or {"tollfree": "Toll-free"}.get(offer.number_type, "")
