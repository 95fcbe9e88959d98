"""Whether an offered number is one that a search asked for."""

from __future__ import annotations

from typing import Any

import pytest

from numbers_app.callcap import AvailableNumber, SearchCriteria
from numbers_app.callcap.matching import matches

CAKE = AvailableNumber("3167342253", "local", "public", "US", "KS", "Wichita", "WICHITA", "67202")


@pytest.mark.parametrize(
    "criteria",
    [
        {},
        {"area_code": "316", "exchange": "734", "line": "2253"},
        {"full_number": "3167342253"},
        {"vanity_text": "###cake"},
        {"vanity_text": "734 c*ke"},
        {"city": "wichita", "state": "ks", "country": "US"},
        {"rate_center": "Wichita", "zipcode": "67202"},
        {"show_local": True},
        {"show_local": True, "show_tollfree": True},
        {"show_tollfree": False},
        {"show_public_pool": True, "show_reserved_pool": True, "account": "L-3"},
    ],
)
def test_number_that_fits_in_all_that_was_asked_matches(criteria: dict[str, Any]) -> None:
    assert matches(SearchCriteria(**criteria), CAKE)


@pytest.mark.parametrize(
    "criteria",
    [
        {"area_code": "212"},
        {"area_code": "316", "exchange": "735"},
        {"line": "2254"},
        {"full_number": "3167342254"},
        {"vanity_text": "cakes"},
        {"city": "Derby"},
        {"state": "MO"},
        {"country": "CA"},
        {"zipcode": "67203"},
        {"show_tollfree": True},
        {"show_local": False},
        {"show_reserved_pool": True, "account": "L-3"},
    ],
)
def test_number_that_differs_in_one_thing_does_not(criteria: dict[str, Any]) -> None:
    assert not matches(SearchCriteria(**criteria), CAKE)


def test_what_callcap_does_not_say_speaks_against_nothing_but_digits_always_count() -> None:
    bare = AvailableNumber("3167342253")
    assert matches(SearchCriteria(city="Derby", show_tollfree=True, show_reserved_pool=True), bare)
    assert not matches(SearchCriteria(area_code="212"), bare)


def test_reserved_number_is_none_of_a_search_that_names_no_pool() -> None:
    assert not matches(SearchCriteria(area_code="316"), AvailableNumber("3167342253", pool="reserved"))
