"""What to search for instead when a search finds nothing: wider searches that do find something."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any

from django.db import connections

from numbers_app.callcap import CallcapError, SearchAnswer, SearchCriteria, vanity
from numbers_app.criteria import any_number_in_words, vanity_in_words
from numbers_app.places import AREA_CODES, TOLLFREE_CODES, neighbours_of, state_name, state_of_zip
from numbers_app.search_box import as_place
from numbers_app.vendor import vendor_search

MOST_CALLS = 6
LEAST_LEADS = 2
SECONDS = 1.0
SHORTEST_WORD = 3
# Longer words are also cut to this, since short ones are found far more often.
_HANDY_WORD = 4
_DIGITS = "0123456789"
_NO_DIGITS: dict[str, Any] = {"full_number": "", "exchange": "", "line": "", "vanity_text": ""}
_NO_PLACE: dict[str, Any] = {"area_code": "", "state": "", "city": "", "rate_center": "", "zipcode": "", "country": ""}
_EITHER_TYPE: dict[str, Any] = {"show_local": None, "show_tollfree": None}
# Without any of these a search is for everything there is.
_NARROWING = (*_NO_DIGITS, "area_code", "state", "city", "rate_center", "zipcode", "show_tollfree")


@dataclass(frozen=True)
class Candidate:
    """A wider search and how it differs (``without the exchange 555``); ``kind`` is what it gives up on."""

    criteria: SearchCriteria
    said: str
    kind: str


@dataclass(frozen=True)
class Relaxation:
    """A wider search that finds ``count`` numbers; ``said`` as in ``without the exchange 555: 12 numbers``."""

    criteria: SearchCriteria
    said: str
    count: int


@dataclass(frozen=True)
class Relaxations:
    """The wider searches that ``found`` something, nearest first; ``unanswered`` says how many failed or were late."""

    found: tuple[Relaxation, ...]
    unanswered: int


def relaxations(criteria: SearchCriteria) -> Relaxations:
    """The wider searches that find something, at least two if the vendor offers numbers of both types.

    Takes at most a second and six calls to the vendor. What is no more than the last resort is left out where enough
    others find something.
    """
    asked = _chosen(list(candidates(criteria)))
    answers = _ask_all([candidate.criteria for candidate in asked])
    found = [
        (candidate, Relaxation(candidate.criteria, f"{candidate.said}: {_count_in_words(answer)}", len(answer.numbers)))
        for candidate, answer in zip(asked, answers, strict=True)
        if answer and answer.numbers
    ]
    near = sum(candidate.kind != "last resort" for candidate, _ in found)
    leads = tuple(lead for _, lead in found[: max(near, LEAST_LEADS)])
    return Relaxations(leads, unanswered=answers.count(None))


def _count_in_words(answer: SearchAnswer) -> str:
    count = len(answer.numbers)
    if answer.capped:
        return f"{count} or more numbers"
    return f"{count} number{'' if count == 1 else 's'}"


def candidates(criteria: SearchCriteria) -> Iterator[Candidate]:
    """Every search that is wider than this one, nearest first and the last resorts at the end, none of them twice."""
    last = [candidate for candidate in _last_resorts(criteria) if candidate.criteria != criteria]
    seen = {_asked(criteria), *(candidate.criteria for candidate in last)}
    for candidate in _candidates(criteria):
        asked = _asked(candidate.criteria)
        if asked not in seen and any(getattr(asked, name) for name in _NARROWING):
            seen.add(asked)
            yield candidate
    yield from last


def _asked(criteria: SearchCriteria) -> SearchCriteria:
    """The search as the vendor understands it: CAKE and c-a-k-e are the same."""
    try:
        return replace(criteria, vanity_text=vanity.clean(criteria.vanity_text))
    except ValueError:
        return criteria


def _candidates(criteria: SearchCriteria) -> Iterator[Candidate]:
    if criteria.full_number:
        yield from _other_offers(criteria)
        yield from _around_the_number(criteria)
        return
    yield from _word_as_place(criteria)
    yield from _fewer_digits(criteria)
    yield from _looser_words(criteria)
    yield from _wider_places(criteria)
    yield from _other_offers(criteria)
    yield from _widest(criteria)


def _around_the_number(criteria: SearchCriteria) -> Iterator[Candidate]:
    number = criteria.full_number
    area_code, exchange, line = number[:3], number[3:6], number[6:]
    base = replace(criteria, **_NO_DIGITS, **_NO_PLACE, **_EITHER_TYPE)
    near = replace(base, area_code=area_code)
    yield Candidate(replace(near, exchange=exchange), f"any line of {area_code}-{exchange}", "line")
    yield Candidate(replace(near, line=line), f"any exchange of {area_code} with line {line}", "exchange")
    state = _state_of(near)
    if state:
        yield Candidate(replace(base, line=line, state=state), f"line {line} anywhere in {state_name(state)}", "places")
    yield Candidate(near, f"any number with area code {area_code}", "widest")
    if state:
        yield Candidate(replace(base, state=state), f"any number in {state_name(state)}", "widest")


def _word_as_place(criteria: SearchCriteria) -> Iterator[Candidate]:
    """Whoever was told that there is no Wichita to spell may have meant the city."""
    meant = as_place(criteria.vanity_text)
    if meant and not _is_tollfree(criteria) and not any(getattr(criteria, name) for name in meant.fields):
        fields: dict[str, Any] = {"vanity_text": ""} | meant.fields
        yield Candidate(replace(criteria, **fields), meant.said, "meant")


def _fewer_digits(criteria: SearchCriteria) -> Iterator[Candidate]:
    if criteria.exchange:
        yield Candidate(replace(criteria, exchange=""), f"without the exchange {criteria.exchange}", "digits")
    if criteria.line:
        yield Candidate(replace(criteria, line=""), f"without the line {criteria.line}", "digits")


def _looser_words(criteria: SearchCriteria) -> Iterator[Candidate]:
    word = _word(criteria)
    if not word:
        return
    anywhere = vanity.clean(criteria.vanity_text).strip(vanity.WILDCARDS)
    yield _spelling(criteria, anywhere, " anywhere in the number")
    yield _spelling(criteria, word, " anywhere in the number")
    if len(word) > SHORTEST_WORD:
        yield _spelling(criteria, _one_more_wildcard(word))
        yield _spelling(criteria, word[:-1])
        yield _spelling(criteria, word[:_HANDY_WORD])


def _word(criteria: SearchCriteria) -> str:
    """The letters that are looked for, without digits before them and wildcards around; empty when there is nothing."""
    try:
        typed = vanity.clean(criteria.vanity_text).strip(vanity.WILDCARDS)
    except ValueError:
        return ""
    word = typed.lstrip(_DIGITS + vanity.WILDCARDS)
    return word if len(word) >= SHORTEST_WORD else typed


def _one_more_wildcard(word: str) -> str:
    """A vowel is missed least (C*KE is read as cake); without one, or in digits, it is the second character."""
    vowels = (index for index, character in enumerate(word) if index and character in "AEIOU")
    at = next(vowels, 1)
    return f"{word[:at]}*{word[at + 1 :]}"


def _spelling(criteria: SearchCriteria, word: str, where: str = "") -> Candidate:
    return Candidate(replace(criteria, vanity_text=word), f"{vanity_in_words(word)}{where}", "words")


def _wider_places(criteria: SearchCriteria) -> Iterator[Candidate]:
    for name, words in (("zipcode", "ZIP or postal code"), ("rate_center", "rate center"), ("city", "city")):
        if value := getattr(criteria, name):
            without: dict[str, Any] = {name: ""}
            yield Candidate(replace(criteria, **without), f"without the {words} {value}", "places")
    yield from _other_area_codes(criteria)
    yield Candidate(replace(criteria, **_NO_PLACE), "in any place", "places")


def _other_area_codes(criteria: SearchCriteria) -> Iterator[Candidate]:
    code = criteria.area_code
    elsewhere = replace(criteria, **_NO_PLACE)
    if code in TOLLFREE_CODES:
        yield Candidate(replace(elsewhere, show_tollfree=True, show_local=None), "with any toll-free code", "places")
    elif state := _state_of(criteria):
        yield Candidate(replace(elsewhere, state=state), f"anywhere in {state_name(state)}", "places")
        for other in neighbours_of(code):
            yield Candidate(replace(elsewhere, area_code=other), f"with area code {other} instead", "places")


def _other_offers(criteria: SearchCriteria) -> Iterator[Candidate]:
    """The pool or the type that was not asked for, in addition. The reserved pool is always some Location's."""
    if criteria.show_reserved_pool and not criteria.show_public_pool:
        yield Candidate(replace(criteria, show_public_pool=True), "in the public pool too", "offers")
    elif criteria.account and not criteria.show_reserved_pool:
        both = replace(criteria, show_public_pool=True, show_reserved_pool=True)
        yield Candidate(both, f"in the reserved pool of {criteria.account} too", "offers")
    both = replace(criteria, **_EITHER_TYPE)
    area_code = criteria.area_code or criteria.full_number[:3]
    if criteria.show_local and not criteria.show_tollfree:
        yield Candidate(both, "toll-free numbers too", "offers")
    elif criteria.show_tollfree and not criteria.show_local and area_code not in TOLLFREE_CODES:
        yield Candidate(both, "local numbers too", "offers")


def _widest(criteria: SearchCriteria) -> Iterator[Candidate]:
    """The place with any digits, and the start of the word in any place: what is hardly ever without numbers."""
    place: dict[str, Any] = {name: getattr(criteria, name) for name in _NO_PLACE}
    # Without a place it is the type that narrows: "any number" would not be so.
    tollfree = True if _is_tollfree(criteria) and not any(place.values()) else None
    here = SearchCriteria(**place, show_tollfree=tollfree)
    yield Candidate(replace(criteria, **_NO_DIGITS), any_number_in_words(here), "widest")
    if word := _word(criteria):
        start = _spelling(replace(criteria, **_NO_DIGITS, **_NO_PLACE), word[:_HANDY_WORD], " in any place")
        yield replace(start, kind="widest")
    if state := _state_of(criteria):
        anywhere = replace(criteria, **_NO_DIGITS, **_NO_PLACE | {"state": state})
        yield Candidate(anywhere, f"any number in {state_name(state)}", "widest")


def _last_resorts(criteria: SearchCriteria) -> Iterator[Candidate]:
    """Searches that find something whenever the vendor offers anything."""
    anything = SearchCriteria(account=criteria.account)
    yield Candidate(replace(anything, show_local=True), "any local number", "last resort")
    yield Candidate(replace(anything, show_tollfree=True), "any toll-free number", "last resort")


def _state_of(criteria: SearchCriteria) -> str:
    """The state of the area code or the ZIP; empty where only toll-free numbers are wanted, which have none."""
    if _is_tollfree(criteria):
        return ""
    return AREA_CODES.get(criteria.area_code, ("", ""))[1] or state_of_zip(criteria.zipcode)


def _is_tollfree(criteria: SearchCriteria) -> bool:
    return bool(criteria.show_tollfree and not criteria.show_local) or criteria.area_code in TOLLFREE_CODES


def _chosen(found: list[Candidate]) -> list[Candidate]:
    """As many as may be asked, in their order: the last resorts, the first of the widest, and of each other kind one
    before any other's two."""
    earlier: Counter[str] = Counter()
    turns = []
    for position, candidate in enumerate(found):
        turn = earlier[candidate.kind]
        earlier[candidate.kind] += 1
        ahead = candidate.kind == "last resort" or (candidate.kind == "widest" and not turn)
        turns.append((-1 if ahead else turn, position))
    return [found[position] for position in sorted(position for _, position in sorted(turns)[:MOST_CALLS])]


def _ask_all(asked: list[SearchCriteria]) -> list[SearchAnswer | None]:
    """The answers that come in time, in the order asked; None for those that do not."""
    if not asked:
        return []
    ends = time.monotonic() + SECONDS
    threads = ThreadPoolExecutor(max_workers=len(asked), thread_name_prefix="relaxations")
    calls = [threads.submit(_ask, criteria) for criteria in asked]
    wait(calls, timeout=max(ends - time.monotonic(), 0))
    # Those that are late end by themselves; nobody waits for them.
    threads.shutdown(wait=False, cancel_futures=True)
    return [call.result() if call.done() and not call.cancelled() else None for call in calls]


def _ask(criteria: SearchCriteria) -> SearchAnswer | None:
    try:
        return vendor_search(criteria).answer
    except CallcapError:
        return None
    finally:
        # A thread has database connections of its own, which nothing else would close.
        connections.close_all()
