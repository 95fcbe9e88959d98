"""Reading calls whose answers are kept as they came, to be compared with how the portal reads them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from numbers_app.callcap.client import NUMBERS_PATH
from numbers_app.callcap.errors import CallcapUnreadable
from numbers_app.callcap.evidence import Evidence
from numbers_app.callcap.reading import (
    LIST_NAMES,
    NotStrictJson,
    read_search,
    retry_after_seconds,
    strict_object,
    succeeded,
    vendor_words,
)
from numbers_app.callcap.schemas import AvailableNumber, SearchCriteria
from numbers_app.callcap.transport import Failure, Transport


class NothingMoreToAsk(Exception):
    """There was no answer, and the next question would find none either; the message says why."""


@dataclass(frozen=True)
class Reply:
    """An answer that arrived. ``problem`` says what is wrong with it, empty for a success."""

    status: int
    object: dict[str, Any]
    seconds: float
    problem: str


@dataclass(frozen=True)
class Look:
    """One search. ``items`` are the list as it came, from under ``path``; ``offers`` are what the portal makes of it.

    ``problem`` says why there is no list; a 404 is an empty one.
    """

    status: int
    seconds: float
    problem: str = ""
    path: str = ""
    items: tuple[Any, ...] = ()
    offers: tuple[AvailableNumber, ...] = ()
    capped: bool = False

    @property
    def numbers(self) -> set[str]:
        return {offer.number for offer in self.offers}


class Asker:
    """Asks one vendor with one key; ``turn`` is called before each call."""

    def __init__(
        self, *, base_url: str, transport: Transport, evidence: Evidence, timeout: float, turn: Callable[[], None]
    ) -> None:
        self.evidence = evidence
        self._base_url, self._transport, self._timeout, self._turn = base_url, transport, timeout, turn

    def ask(self, path: str, params: dict[str, str]) -> Reply:
        """One GET. Raises NothingMoreToAsk when no answer arrived or Callcap asks for a pause."""
        self._turn()
        start = time.monotonic()
        raw = self._transport.get(self._base_url + path, params, self._timeout)
        seconds = time.monotonic() - start
        if isinstance(raw, Failure):
            raise NothingMoreToAsk(raw.message)
        if raw.status == 429:
            wait = retry_after_seconds(raw.retry_after)
            raise NothingMoreToAsk(f"Callcap asks for a pause (429). Wait {wait:g} seconds and run this again.")
        try:
            answer, words = strict_object(raw.body), ""
        except NotStrictJson as problem:
            answer, words = {}, str(problem)
        good = raw.status == 200 and succeeded(answer)
        words = (words or vendor_words(answer, self.evidence) or "without a word").rstrip(".")
        return Reply(
            raw.status, answer, seconds, "" if good else f"Callcap answered with status {raw.status}: {words}."
        )

    def look(self, **criteria: Any) -> Look:
        """One search. Raises NothingMoreToAsk as ``ask`` does."""
        reply = self.ask(NUMBERS_PATH, SearchCriteria(**criteria).to_wire())
        if reply.status == 404 and reply.object:
            return Look(reply.status, reply.seconds)
        if reply.problem:
            return Look(reply.status, reply.seconds, reply.problem)
        try:
            read = read_search(reply.object, self.evidence, "")
        except CallcapUnreadable as error:
            return Look(reply.status, reply.seconds, error.message)
        path, items = next(_lists(reply.object))
        return Look(reply.status, reply.seconds, "", path, tuple(items), read.numbers, read.capped)

    def is_read(self, item: Any) -> bool:
        """Whether the portal finds a number in this item of a list."""
        return bool(read_search({LIST_NAMES[0]: [item]}, self.evidence, "").numbers)


def _lists(answer: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Where the list that ``read_search`` reads may stand, in its order of preference, and the list."""
    for name in LIST_NAMES:
        value = answer.get(name)
        if isinstance(value, list):
            yield name, value
        elif isinstance(value, dict):
            yield from ((f"{name}.{inner}", value[inner]) for inner in LIST_NAMES if isinstance(value.get(inner), list))
