"""How easily numbers are remembered, and what they spell."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numbers_app import memorable
from numbers_app.callcap import vanity
from numbers_app.memorable import memorability, words_of

NUMBERS = st.from_regex(r"[2-9][0-9]{9}", fullmatch=True)
WORDS = Path(memorable.__file__).with_name("words.txt").read_text().splitlines()


@pytest.mark.parametrize(
    ("number", "reasons"),
    [
        ("3162019999", {"ends in 9999"}),
        ("3162099999", {"ends in 99999"}),
        ("3162061000", {"ends in 000"}),
        ("3162061900", {"ends in 00"}),
        ("3167771903", {"has 777 in it"}),
        ("3161945671", {"counts up 4567"}),
        ("3164197890", {"counts up 7890"}),
        ("3161043210", {"counts down 43210"}),
        ("3162061717", {"ends in 1717, 17 twice"}),
        ("3162061100", {"ends in pairs, 1100"}),
        ("3162061991", {"ends in 1991, the same backwards"}),
        ("3163161029", {"the exchange is the area code again"}),
        ("3161041049", {"104 twice"}),
        ("3161049104", {"104 twice"}),
        ("3161049401", {"1049401 is the same backwards"}),
        ("3161011001", {"only the digits 0 and 1", "ends in 1001, the same backwards"}),
        ("3161942253", {"spells CAKE"}),
        ("3161903804", set()),
    ],
)
def test_every_point_has_its_reason(number: str, reasons: set[str]) -> None:
    found = memorability(number)
    assert set(found.reasons) == reasons
    assert (found.points > 0) == bool(reasons)


def test_what_is_easier_has_more_points() -> None:
    ranked = ["3161903804", "3162061900", "3162061991", "3162061717", "3162092222", "3162222222"]
    points = [memorability(number).points for number in ranked]
    assert points == sorted(set(points))


@given(NUMBERS)
@settings(max_examples=200)
def test_points_stay_within_bounds_and_words_dial_the_number(number: str) -> None:
    found = memorability(number)
    assert 0 <= found.points <= 100
    assert (found.points > 0) == bool(found.reasons)
    assert len(set(found.reasons)) == len(found.reasons)
    words = words_of(number)
    assert len(set(words)) == len(words) <= 3
    for word in words:
        assert vanity.to_pattern(word) == number
        assert re.fullmatch(r"[0-9]{3}-[0-9A-Z-]+", word)
        assert re.search(r"[A-Z]{3,7}", word)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("3167342253", ("316-734-CAKE", "316-734-BAKE", "316-734-CALF")),
        ("8003569377", ("800-FLOWERS", "800-3-JOY-377", "800-356-YES7")),
        ("2127268377", ("212-7-COVERS",)),
        ("3161974992", ("316-19-PIZZA", "316-19-SIX-92")),
        ("3162271903", ("316-CAR-1903", "316-BBQ-1903", "316-BAR-1903")),
        ("2271903804", ()),
    ],
)
def test_words_are_shown_in_one_piece_best_first(number: str, words: tuple[str, ...]) -> None:
    assert words_of(number) == words


def test_every_word_of_the_list_is_found_at_the_end_of_a_number() -> None:
    listed = [word for line in WORDS if not line.startswith("#") for word in line.split()]
    assert len(listed) == len(set(listed)) > 1_500
    for word in listed:
        assert re.fullmatch(r"[a-z]{3,7}", word)
        number = "3161111111"[: 10 - len(word)] + vanity.to_pattern(word)
        assert any(start + len(word) == 10 and found == word.upper() for start, found in memorable._spelled(number))
