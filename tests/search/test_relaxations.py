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
from numbers_app.places import AREA_CODES, TOLLFREE_CODES, neighbours_of
from numbers_app.selectors import relaxations as module
from numbers_app.selectors.relaxations import candidates, relaxations
from numbers_app.vendor import Searched, vendor_search
from tests.sandbox_server import SandboxServer

from .searches import CRITERIA, EXCHANGE, LINE

NOWHERE = SearchCriteria(area_code="316", exchange="999", line="0000")


def said(criteria: SearchCriteria) -> list[str]:
    return [candidate.said for candidate in candidates(criteria)]


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
                "any number, area code 316",
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
                "any number, in KS",
                "spelling CAKE in any place",
            ],
        ),
        (
            SearchCriteria(vanity_text="800FLOWERS"),
            ["spelling FLOWERS anywhere in the number", "spelling FL*WERS", "spelling FLOWER", "spelling FLOW"],
        ),
        (
            SearchCriteria(area_code="800", vanity_text="cake"),
            ["spelling C*KE", "spelling CAK", "with any toll-free code", "in any place", "any number, area code 800"],
        ),
        (
            SearchCriteria(city="Wichita", zipcode="67999", show_local=True, account="L-3"),
            [
                "without the ZIP or postal code 67999",
                "without the city Wichita",
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
        (SearchCriteria(zipcode="67202"), []),
        (SearchCriteria(), []),
        (
            SearchCriteria(area_code="316", vanity_text="dog", show_tollfree=True),
            ["in any place", "local numbers too", "any number, area code 316"],
        ),
    ],
)
def test_wider_searches_nearest_first(criteria: SearchCriteria, expected: list[str]) -> None:
    assert said(criteria) == expected


@given(CRITERIA)
@settings(max_examples=100)
def test_no_wider_search_repeats_the_search_or_another_or_asks_for_everything(criteria: SearchCriteria) -> None:
    asked = [_as_asked(criteria), *(_as_asked(candidate.criteria) for candidate in candidates(criteria))]
    assert len(set(asked)) == len(asked)
    everything = {"account", "show_public_pool", "show_reserved_pool", "show_local", "country"}
    for wider in asked[1:]:
        assert any(wider[name] for name in range(len(wider)) if _NAMES[name] not in everything)
    assert all(candidate.said for candidate in candidates(criteria))


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
        place |= {"city": "Wichita", "rate_center": "WICHITA", "zipcode": "67202"}
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
    assert [relaxation.said for relaxation in relaxations(NOWHERE)] == [
        "without the exchange 999: 1 number",
        "without the line 0000: 50 or more numbers",
        "anywhere in Kansas: 50 or more numbers",
        "with area code 620 instead: 50 or more numbers",
    ]
    assert len(asked) == 6


@given(CRITERIA)
@settings(max_examples=50)
def test_at_most_six_are_asked_in_their_order_and_the_widest_are_among_them(criteria: SearchCriteria) -> None:
    found = list(candidates(criteria))
    chosen = module._chosen(found)
    assert len(chosen) == min(6, len(found))
    assert [candidate for candidate in found if candidate in chosen] == chosen
    widest = [candidate for candidate in found if candidate.kind == "widest"]
    assert all(candidate in chosen for candidate in widest[:2])
    assert {candidate.kind for candidate in found} == {candidate.kind for candidate in chosen}


def test_searches_that_fail_are_left_out(answers: Any) -> None:
    def count(criteria: SearchCriteria) -> int:
        if criteria.exchange:
            raise CallcapRateLimited("Callcap asks for a pause of 30 seconds.")
        return 3

    answers(count)
    assert [relaxation.said for relaxation in relaxations(NOWHERE)] == [
        "without the exchange 999: 3 numbers",
        "any number, area code 316: 3 numbers",
        "any number in Kansas: 3 numbers",
    ]


def test_searches_that_are_late_are_left_out(answers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.3)
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
    assert len(found) == 3
    assert took < 2


def test_an_absent_vendor_is_no_reason_to_wait(answers: Any) -> None:
    def count(criteria: SearchCriteria) -> int:
        raise CallcapUnreachable("Callcap is not answering.")

    answers(count)
    started = time.monotonic()
    assert relaxations(NOWHERE) == []
    assert time.monotonic() - started < 0.5


def test_nothing_to_relax_asks_nothing(answers: Any) -> None:
    asked = answers(lambda criteria: 1)
    assert relaxations(SearchCriteria(zipcode="67202")) == []
    assert asked == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("criteria", "wire"),
    [
        (NOWHERE, {"areaCode": "316"}),
        (SearchCriteria(vanity_text="#zzzzzz", area_code="316"), {"areaCode": "316"}),
        (SearchCriteria(full_number="3169990000"), {"areaCode": "316"}),
    ],
)
def test_callcap_is_asked_and_at_least_two_find_something(
    sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, criteria: SearchCriteria, wire: dict[str, str]
) -> None:
    used = []

    def search(wider: SearchCriteria) -> Searched:
        used.append(connections["default"])
        return vendor_search(wider)

    monkeypatch.setattr(module, "vendor_search", search)
    monkeypatch.setattr(module, "SECONDS", 10)  # the machine that runs the tests may be busy
    assert vendor_search(criteria).answer.numbers == ()
    found = relaxations(criteria)
    assert len(found) >= 2
    counts = {relaxation.criteria: relaxation.count for relaxation in found}
    assert counts[SearchCriteria(area_code="316")] == len(sandbox.search(**wire))
    assert all(connection.connection is None for connection in used)
