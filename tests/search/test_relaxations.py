"""What is offered instead when a search finds nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from numbers_app.callcap import (
    AvailableNumber,
    CallcapRateLimited,
    CallcapUnreachable,
    SearchAnswer,
    SearchCriteria,
    vanity,
)
from numbers_app.criteria import criteria_in_words
from numbers_app.places import AREA_CODES, TOLLFREE_CODES, neighbours_of
from numbers_app.selectors import relaxations as module
from numbers_app.selectors.relaxations import Relaxations, candidates, relaxations
from numbers_app.vendor import Searched, vendor_search
from tests.sandbox_server import SandboxServer

from .searches import CRITERIA, EXCHANGE, LINE

NOWHERE = SearchCriteria(area_code="316", exchange="999", line="0000")


def said(criteria: SearchCriteria) -> list[str]:
    """How the wider searches differ, but for the last resorts."""
    return [candidate.said for candidate in candidates(criteria) if candidate.kind != "last resort"]


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        (
            NOWHERE,
            [
                "without the exchange 999",
                "without the line 0000",
                "anywhere in Kansas",
                *(f"with area code {code} instead" for code in ("620", "785", "913")),
                "in any place",
                "any number with area code 316",
                "any number in Kansas",
            ],
        ),
        (
            SearchCriteria(vanity_text="###cake", state="KS"),
            [
                "spelling CAKE anywhere in the number",
                "spelling C*KE",
                "spelling CAK",
                "in any place",
                "any number in KS",
                "spelling CAKE in any place",
            ],
        ),
        (
            SearchCriteria(vanity_text="800FLOWERS"),
            ["spelling FLOWERS anywhere in the number", "spelling FL*WERS", "spelling FLOWER", "spelling FLOW"],
        ),
        (
            SearchCriteria(area_code="800", vanity_text="cake"),
            [
                "spelling C*KE",
                "spelling CAK",
                "with any toll-free code",
                "in any place",
                "any number with area code 800",
            ],
        ),
        (
            SearchCriteria(city="Wichita", zipcode="67999", show_local=True, account="L-3"),
            [
                "without the ZIP or postal code 67999",
                "without the city Wichita",
                "anywhere in Kansas",
                "in the reserved pool of L-3 too",
                "toll-free numbers too",
            ],
        ),
        (
            SearchCriteria(state="KS", show_tollfree=True, show_reserved_pool=True, account="L-3"),
            ["in any place", "in the public pool too", "local numbers too"],
        ),
        (
            SearchCriteria(full_number="3165551234"),
            [
                "any line of 316-555",
                "any exchange of 316 with line 1234",
                "line 1234 anywhere in Kansas",
                "any number with area code 316",
                "any number in Kansas",
            ],
        ),
        (SearchCriteria(zipcode="67202"), ["anywhere in Kansas"]),
        (SearchCriteria(zipcode="C1A 1A1"), ["anywhere in Prince Edward Island"]),
        (SearchCriteria(zipcode="00401"), []),
        (SearchCriteria(), []),
        (
            SearchCriteria(area_code="316", vanity_text="dog", show_tollfree=True),
            ["in any place", "local numbers too", "any number with area code 316"],
        ),
        (
            SearchCriteria(vanity_text="cake", show_tollfree=True, show_public_pool=True),
            ["spelling C*KE", "spelling CAK", "local numbers too", "any number that is toll-free"],
        ),
        (SearchCriteria(vanity_text="el paso"), ["in el paso", "spelling ELP*SO", "spelling ELPAS", "spelling ELPA"]),
    ],
)
def test_wider_searches_nearest_first(criteria: SearchCriteria, expected: list[str]) -> None:
    assert said(criteria) == expected


@pytest.mark.parametrize(
    ("criteria", "first"),
    [
        (SearchCriteria(vanity_text="kansas", city="Wichita"), "in KS"),
        (SearchCriteria(vanity_text="Wichita", city="Derby"), "spelling W*CHITA"),
        (SearchCriteria(vanity_text="Wichita", show_tollfree=True), "spelling W*CHITA"),
        (SearchCriteria(full_number="3165551234", show_tollfree=True), "local numbers too"),
        (SearchCriteria(full_number="8005551234", show_local=True), "toll-free numbers too"),
    ],
)
def test_first_comes_what_was_more_likely_meant(criteria: SearchCriteria, first: str) -> None:
    assert said(criteria)[0] == first


@given(CRITERIA)
@settings(max_examples=100)
def test_no_wider_search_repeats_the_search_or_another_or_asks_for_everything(criteria: SearchCriteria) -> None:
    found = list(candidates(criteria))
    asked = [_as_asked(criteria), *(_as_asked(candidate.criteria) for candidate in found)]
    assert len(set(asked)) == len(asked)
    everything = {"account", "show_public_pool", "show_reserved_pool", "show_local", "country"}
    for candidate, wider in zip(found, asked[1:], strict=True):
        narrowed = any(wider[name] for name in range(len(wider)) if _NAMES[name] not in everything)
        assert narrowed or candidate.kind == "last resort"
    assert all(candidate.said for candidate in found)


_NAMES = [field.name for field in fields(SearchCriteria)]


def _as_asked(criteria: SearchCriteria) -> tuple[Any, ...]:
    text = criteria.vanity_text
    spelled = replace(criteria, vanity_text=vanity.to_pattern(text) if text else "")
    return tuple(getattr(spelled, name) for name in _NAMES)


@st.composite
def finds(draw: st.DrawFn) -> tuple[SearchCriteria, AvailableNumber]:
    """A search, and a number that it finds."""
    area_code = draw(st.sampled_from(["316", "416", "307", *TOLLFREE_CODES[:2]]))
    number = area_code + draw(EXCHANGE) + draw(LINE)
    pool = draw(st.sampled_from(["public", "reserved"]))
    country, state = AREA_CODES.get(area_code, ("", ""))
    place = {"country": country, "state": state}
    if state:
        zipcode = {"316": "67202", "416": "M5V 2T6", "307": "82001"}[area_code]
        place |= {"city": "Wichita", "rate_center": "WICHITA", "zipcode": zipcode}
    offer = AvailableNumber(number=number, number_type="local" if state else "tollfree", pool=pool, **place)
    start = draw(st.integers(0, 8))
    wildcards = st.sampled_from("*#")
    text = "".join(draw(wildcards | st.just(digit)) for digit in number[start : draw(st.integers(start + 1, 10))])
    true_of_it: dict[str, Any] = {
        **place,
        "area_code": area_code,
        "exchange": number[3:6],
        "line": number[6:],
        "full_number": number,
        "vanity_text": text if text.strip("*#") else "",
        "show_local" if state else "show_tollfree": True,
    }
    chosen = draw(st.sets(st.sampled_from(sorted(true_of_it))))
    known: dict[str, Any] = {name: true_of_it[name] for name in chosen}
    known |= {f"show_{pool}_pool": True} if pool == "reserved" or draw(st.booleans()) else {}
    return SearchCriteria(account="L-3", **known), offer


def _matches(criteria: SearchCriteria, offer: AvailableNumber) -> bool:
    """What Callcap documents: everything that is said must hold; no pool is the public one, no type is both."""
    number = offer.number
    public = criteria.show_public_pool if criteria.show_public_pool is not None else not criteria.show_reserved_pool
    pools = {"public": public, "reserved": criteria.show_reserved_pool}
    either = not criteria.show_local and not criteria.show_tollfree
    types = {"local": either or criteria.show_local, "tollfree": either or criteria.show_tollfree}
    parts = {"area_code": number[:3], "exchange": number[3:6], "line": number[6:], "full_number": number}
    parts |= {name: getattr(offer, name) for name in ("country", "state", "city", "rate_center", "zipcode")}
    spelled = not criteria.vanity_text or vanity.match(number, criteria.vanity_text)
    equal = all(getattr(criteria, name) in ("", value) for name, value in parts.items())
    return bool(equal and spelled and pools[offer.pool] and types[offer.number_type])


@given(finds())
@settings(max_examples=200)
def test_what_a_search_finds_every_wider_one_finds_too(found: tuple[SearchCriteria, AvailableNumber]) -> None:
    criteria, offer = found
    assert _matches(criteria, offer)
    for candidate in candidates(criteria):
        if candidate.kind in ("last resort", "meant"):
            continue  # something else altogether
        if "instead" in candidate.said:
            assert candidate.criteria.area_code in neighbours_of(criteria.area_code)
        else:
            assert _matches(candidate.criteria, offer), candidate.said


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[SearchCriteria], int]], list[SearchCriteria]]:
    """Let the vendor answer each search with so many numbers; gives the list of what it is asked."""

    def install(count: Callable[[SearchCriteria], int]) -> list[SearchCriteria]:
        asked: list[SearchCriteria] = []

        def search(criteria: SearchCriteria) -> Searched:
            asked.append(criteria)
            numbers = tuple(AvailableNumber(f"316555{line:04}") for line in range(count(criteria)))
            return Searched(SearchAnswer(numbers, capped=len(numbers) == 50), timezone.now(), cached=False)

        monkeypatch.setattr(module, "vendor_search", search)
        return asked

    return install


def test_those_that_find_something_are_given_with_their_counts(answers: Any) -> None:
    asked = answers(lambda criteria: {"": 0, "0000": 1}[criteria.line] if criteria.exchange == "" else 50)
    assert [relaxation.said for relaxation in relaxations(NOWHERE).found] == [
        "without the exchange 999: 1 number",
        "without the line 0000: 50 or more numbers",
        "anywhere in Kansas: 50 or more numbers",
    ]
    assert len(asked) == 6


def test_the_last_resorts_are_given_where_fewer_than_two_others_find_something(answers: Any) -> None:
    def count(criteria: SearchCriteria) -> int:
        if criteria.show_local or criteria.show_tollfree:
            return 5
        return 1 if criteria.exchange and not criteria.state else 0

    answers(count)
    assert [relaxation.said for relaxation in relaxations(NOWHERE).found] == [
        "without the line 0000: 1 number",
        "any local number: 5 numbers",
    ]


def test_without_a_search_that_finds_something_there_are_none(answers: Any) -> None:
    answers(lambda criteria: 0)
    assert relaxations(NOWHERE) == Relaxations((), unanswered=0)


@given(CRITERIA)
@settings(max_examples=50)
def test_at_most_six_are_asked_in_their_order_and_the_widest_are_among_them(criteria: SearchCriteria) -> None:
    found = list(candidates(criteria))
    chosen = module._chosen(found)
    assert len(chosen) == min(6, len(found))
    assert [candidate for candidate in found if candidate in chosen] == chosen
    assert [candidate for candidate in found if candidate.kind == "last resort"] == chosen[-2:]
    widest = [candidate for candidate in found if candidate.kind == "widest"]
    assert all(candidate in chosen for candidate in widest[:1])
    others = [candidate.kind for candidate in chosen if candidate.kind not in ("widest", "last resort")]
    assert len(set(others)) == min(len(others), len({one.kind for one in found} - {"widest", "last resort"}))


def test_searches_that_fail_are_left_out(answers: Any) -> None:
    def count(criteria: SearchCriteria) -> int:
        if criteria.exchange:
            raise CallcapRateLimited("Callcap asks for a pause of 30 seconds.")
        return 3

    answers(count)
    relaxed = relaxations(NOWHERE)
    assert [relaxation.said for relaxation in relaxed.found] == [
        "without the exchange 999: 3 numbers",
        "any number with area code 316: 3 numbers",
    ]
    assert relaxed.unanswered == 2


def test_searches_that_are_late_are_left_out(answers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 1)
    over = threading.Event()

    def count(criteria: SearchCriteria) -> int:
        if criteria.exchange:
            over.wait(10)
        return 3

    answers(count)
    started = time.monotonic()
    found = relaxations(NOWHERE)
    took = time.monotonic() - started
    over.set()
    assert (len(found.found), found.unanswered) == (2, 2)
    assert took < 5


def test_an_absent_vendor_is_no_reason_to_wait(answers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 10)

    def count(criteria: SearchCriteria) -> int:
        raise CallcapUnreachable("Callcap is not answering.")

    answers(count)
    started = time.monotonic()
    assert relaxations(NOWHERE) == Relaxations((), unanswered=6)
    assert time.monotonic() - started < 5


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "criteria",
    [
        NOWHERE,
        SearchCriteria(vanity_text="#zzzzzz", area_code="316"),
        SearchCriteria(full_number="3169990000"),
        SearchCriteria(full_number="2005551234"),
        SearchCriteria(full_number="3167342253", show_tollfree=True),
        SearchCriteria(full_number="8005551234", show_local=True),
        SearchCriteria(vanity_text="zzzzzzz"),
        SearchCriteria(zipcode="67299"),
        SearchCriteria(city="Nope"),
        SearchCriteria(city="Lebanon", state="KS"),
        SearchCriteria(state="PE"),
        SearchCriteria(rate_center="NOPE"),
    ],
    ids=criteria_in_words,
)
def test_callcap_is_asked_and_at_least_two_find_something(
    sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, criteria: SearchCriteria
) -> None:
    used = []

    def search(wider: SearchCriteria) -> Searched:
        used.append(connections["default"])
        return vendor_search(wider)

    monkeypatch.setattr(module, "vendor_search", search)
    monkeypatch.setattr(module, "SECONDS", 10)  # the machine that runs the tests may be busy
    assert vendor_search(criteria).answer.numbers == ()
    relaxed = relaxations(criteria)
    assert len(relaxed.found) >= 2
    assert relaxed.unanswered == 0
    for lead in relaxed.found:
        assert lead.count == len(sandbox.search(**lead.criteria.to_wire()))
    assert len(used) <= 6
    assert all(connection.connection is None for connection in used)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("sandbox")
def test_a_word_that_cannot_be_spelled_leads_to_the_city_of_that_name_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 10)
    assert vendor_search(SearchCriteria(vanity_text="Wichita")).answer.numbers == ()
    first = relaxations(SearchCriteria(vanity_text="Wichita")).found[0]
    assert first.said == f"in Wichita: {first.count} numbers"
