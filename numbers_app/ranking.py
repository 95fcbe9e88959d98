"""Which of the numbers that match a search is the best."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import overload

from .callcap import AvailableNumber, vanity
from .memorable import memorability


def best_first(offers: Iterable[AvailableNumber], text: str) -> Sequence[AvailableNumber]:
    """The offers, best first: those that show ``text``, the vanity text searched for, nearest to their end, then those
    that are easy to remember. Without a text the vendor's own order is as good."""
    return _BestFirst(offers, text) if text else list(offers)


class _BestFirst(Sequence[AvailableNumber]):
    """Put in order only as far as somebody looks: to judge a thousand numbers takes longer than to read them."""

    def __init__(self, offers: Iterable[AvailableNumber], text: str) -> None:
        self._ordered: list[AvailableNumber] = []
        self._waiting: dict[int, list[AvailableNumber]] = {}
        find = vanity.finder(text)
        for offer in offers:
            found = find(offer.number)
            self._waiting.setdefault(found.end() if found else 0, []).append(offer)
        self._length = sum(map(len, self._waiting.values()))

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> AvailableNumber: ...
    @overload
    def __getitem__(self, index: slice) -> list[AvailableNumber]: ...
    def __getitem__(self, index: int | slice) -> AvailableNumber | list[AvailableNumber]:
        whole = range(self._length)[index]
        self._put_in_order(max(whole, default=-1) + 1 if isinstance(whole, range) else whole + 1)
        return self._ordered[index]

    def _put_in_order(self, count: int) -> None:
        while len(self._ordered) < count:
            end = max(self._waiting)
            alike = self._waiting.pop(end)
            # What does not show the text at all keeps the vendor's order.
            self._ordered += sorted(alike, key=_hard_to_remember) if end else alike


def _hard_to_remember(offer: AvailableNumber) -> int:
    return -memorability(offer.number).points
