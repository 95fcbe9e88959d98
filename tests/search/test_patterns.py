"""The keypad and vanity patterns, as the rest of the search relies on them."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from numbers_app.callcap import vanity

from .searches import PATTERN

NUMBERS = st.from_regex(r"[0-9]{10}", fullmatch=True)


@given(PATTERN)
@settings(max_examples=100)
def test_case_and_separators_change_nothing(text: str) -> None:
    assert vanity.to_pattern(f"({text.upper()}) -.") == vanity.to_pattern(text.lower())
    assert vanity.to_pattern(vanity.clean(text)) == vanity.to_pattern(vanity.to_pattern(text))


@given(number=NUMBERS, text=PATTERN | st.text("1234#*", min_size=1, max_size=4).filter(lambda text: text.strip("*#")))
@settings(max_examples=200)
def test_a_pattern_matches_where_each_character_is_its_digit_or_a_wildcard(number: str, text: str) -> None:
    expression = vanity.to_pattern(text).replace("*", ".").replace("#", ".")
    found = re.search(expression, number)
    assert vanity.match(number, text) == (found.span() if found else None)


@given(number=NUMBERS, text=PATTERN)
@settings(max_examples=100)
def test_what_matches_still_matches_with_any_one_character_as_a_wildcard(number: str, text: str) -> None:
    if vanity.match(number, text) is None:
        return
    cleaned = vanity.clean(text)
    for at in range(len(cleaned)):
        looser = f"{cleaned[:at]}*{cleaned[at + 1 :]}"
        if looser.strip(vanity.WILDCARDS):
            assert vanity.match(number, looser) is not None
