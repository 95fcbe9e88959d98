"""Which of the numbers that match a search is the best."""

from __future__ import annotations

from collections.abc import Iterable

from .callcap import AvailableNumber, vanity
from .memorable import memorability


def best_first(offers: Iterable[AvailableNumber], text: str) -> list[AvailableNumber]:
    """The offers, best first: those that show ``text``, the vanity text searched for, nearest to their end, then those
    that are easy to remember. Without a text the vendor's own order is as good."""

    def key(offer: AvailableNumber) -> tuple[int, float]:
        place = vanity.match(offer.number, text)
        return (-place[1], -memorability(offer.number).points) if place else (0, 0)

    return sorted(offers, key=key) if text else list(offers)
