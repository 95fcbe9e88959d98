"""States and area codes."""

from __future__ import annotations

import re

import phonenumbers
import pytest

from numbers_app.places import AREA_CODES, STATES, TOLLFREE_CODES, country_of, neighbours_of, state_name, state_of
from sandbox.places import area_codes


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("KS", "KS"),
        ("ks", "KS"),
        ("Kansas", "KS"),
        ("  new   YORK ", "NY"),
        ("Washington DC", "DC"),
        ("Québec", "QC"),
        ("puerto rico", "PR"),
        ("Wichita", None),
        ("", None),
        ("К\u0405", None),
    ],
)
def test_states_by_letters_and_by_name(text: str, code: str | None) -> None:
    assert state_of(text) == code


def test_all_states_provinces_and_territories_are_there() -> None:
    assert [sum(state.country == country for state in STATES) for country in ("US", "CA")] == [56, 13]
    assert len({state.code for state in STATES}) == len({state.name for state in STATES}) == len(STATES)
    assert {country_of(code) for code in ("KS", "PR")} == {"US"}
    assert (country_of("ON"), state_name("ON")) == ("CA", "Ontario")


@pytest.mark.parametrize("region", ["US", "CA"])
def test_every_area_code_that_the_phone_number_library_knows_is_there(region: str) -> None:
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    pattern = re.compile(metadata.fixed_line.national_number_pattern)
    known = {str(code) for code in range(200, 1000) if any(pattern.fullmatch(f"{code}{e}345678") for e in (2, 5, 7))}
    assert len(known) > 50
    assert known <= {code for code, (country, _) in AREA_CODES.items() if country == region}


def test_area_codes_agree_with_callcap_s_stand_in_on_their_state() -> None:
    assert {code: AREA_CODES[code][1] for code in area_codes()} == {
        code: localities[0].state for code, localities in area_codes().items()
    }


def test_neighbours_are_the_state_s_other_codes_nearest_first() -> None:
    assert neighbours_of("316") == ["620", "785", "913"]
    assert neighbours_of("785") == ["913", "620", "316"]
    assert neighbours_of("307") == []
    assert neighbours_of(TOLLFREE_CODES[0]) == []
    assert neighbours_of("") == []
