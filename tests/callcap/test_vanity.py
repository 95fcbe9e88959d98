"""Letters on the keypad."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numbers_app.callcap.vanity import match, spell, to_pattern

NUMBERS = st.from_regex(r"[2-9][0-9]{9}", fullmatch=True)
LETTERS = {"2": "ABC", "3": "DEF", "4": "GHI", "5": "JKL", "6": "MNO", "7": "PQRS", "8": "TUV", "9": "WXYZ"}


@pytest.mark.parametrize(
    ("text", "pattern"),
    [("cake", "2253"), ("###cake", "###2253"), ("1-800-FLOWER", "1800356937"), ("*a (z) .9", "*299")],
)
def test_pattern(text: str, pattern: str) -> None:
    assert to_pattern(text) == pattern


def test_every_letter_is_on_its_key() -> None:
    assert to_pattern("abcdefghij") + to_pattern("klmnopqrst") + to_pattern("uvwxyz") == "22233344455566677778889999"


@pytest.mark.parametrize(
    "text", ["", "###", " - ", "a_b", "c%", "c?", "éa", "саке", "\u212aey", "３", "a\x00", "cakes for you"]
)
def test_what_no_keypad_dials(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        to_pattern(text)
    with pytest.raises(ValueError, match=r"\.$"):
        match("3167342253", text)
    assert spell("3167342253", text) == "316-734-2253"


@pytest.mark.parametrize(
    ("text", "place", "spelled"),
    [
        ("###cake", (3, 10), "316-734-CAKE"),
        ("cake", (6, 10), "316-734-CAKE"),
        ("#p*4ca", (2, 8), "316-P34-CA53"),
        ("dog", None, "316-734-2253"),
        ("cakes", None, "316-734-2253"),
        ("3", (0, 1), "316-734-2253"),
    ],
)
def test_match_and_spell(text: str, place: tuple[int, int] | None, spelled: str) -> None:
    assert match("3167342253", text) == place
    assert spell("3167342253", text) == spelled


@given(number=NUMBERS, data=st.data())
def test_a_word_made_from_the_number_matches_and_spells(number: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, 9))
    end = data.draw(st.integers(start + 1, 10))
    word = "".join(data.draw(st.sampled_from(LETTERS.get(digit, digit) + "*#")) for digit in number[start:end])
    if not word.strip("*#"):
        return
    found = match(number, word.lower())
    assert found is not None
    assert found[0] <= start
    assert found[1] - found[0] == len(word)
    spelled = spell(number, word)
    assert re.fullmatch(r"[0-9A-Z]{3}-[0-9A-Z]{3}-[0-9A-Z]{4}", spelled)
    assert to_pattern(spelled) == number


@given(number=NUMBERS, text=st.text(max_size=12))
def test_any_text_spells_something_that_dials_the_number(number: str, text: str) -> None:
    assert to_pattern(spell(number, text)) == number
