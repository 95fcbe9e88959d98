"""Reading phone numbers and text as people type them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from numbers_app.forms.campaigns import PurchaseForm
from numbers_app.forms.fields import (
    OptionalSwitchField,
    PhoneNumberField,
    PlainTextField,
    RankedNumbersField,
    read_phone_number,
)
from numbers_app.forms.search import SearchForm
from numbers_app.models import Account
from numbers_app.text import phone_text, storable


@pytest.mark.parametrize("form", [SearchForm, PurchaseForm])
def test_locations_are_read_in_one_query_without_a_cursor_of_their_own(
    form: Any, location: Account, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(connection, "chunked_cursor", None)
    with django_assert_num_queries(1):
        assert location.name in str(form(locations=Account.objects.all())["account"])


DIGITS = st.from_regex(r"(316|212|416|808|604)[2-9][0-9]{2}[0-9]{4}", fullmatch=True).filter(
    lambda number: not number[3:6].endswith("11")
)


@pytest.mark.parametrize(
    "typed",
    [
        "3165550100",
        "(316) 555-0100",
        "316.555.0100",
        "316-555-0100",
        "  316 555 0100  ",
        "1 316 555 0100",
        "+1 316 555 0100",
        "+1 (316) 555-0100",
        "001 316 555 0100",
        "３１６５５５０１００",  # full-width digits, as from an East Asian keyboard
        "316\u00a0555\u00a00100",  # no-break spaces, as pasted from a web page
        "316\u2011555\u20110100",  # no-break hyphens
    ],
)
def test_a_number_typed_in_any_usual_way_is_ten_digits(typed: str) -> None:
    assert read_phone_number(typed) == "3165550100"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("(316) 555-0100 ext. 5", "without an extension"),
        ("(316) 555-0100 x5", "without an extension"),
        ("316-555-CAKE", "has letters in it"),
        ("1-800-FLOWERS", "has letters in it"),
        ("٣١٦٥٥٥٠١٠٠x", "has letters in it"),
        ("876 555 0100", "not a US or Canadian number"),  # Jamaica
        ("+1 242 365 0100", "not a US or Canadian number"),  # Bahamas
        ("+44 20 7946 0958", "not a US or Canadian number"),
        ("011 44 20 7946 0958", "not a US or Canadian number"),
        ("555-0100", "not a US or Canadian number"),
        ("31655501001", "not a US or Canadian number"),
        ("0165550100", "not a US or Canadian number"),
        ("900-555-0100", "premium number"),
        ("911", "not a US or Canadian number"),
        ("#31#3165550100", "not a US or Canadian number"),
        ("-", "not a US or Canadian number"),
        ("+", "not a US or Canadian number"),
    ],
)
def test_what_is_no_us_or_canadian_number_is_refused_with_a_sentence(typed: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        read_phone_number(typed)
    assert sentence in refusal.value.message
    assert typed in refusal.value.message


@pytest.mark.parametrize("typed", ["3165550100;ext=5", "316-555-0100 #5", "(316) 555-0100, 5", "tel:3165550100"])
def test_an_extension_never_disappears_silently(typed: str) -> None:
    """Callcap takes ten digits: a person who typed an extension must learn that it is not dialled."""
    with pytest.raises(ValidationError):
        read_phone_number(typed)


@given(DIGITS, st.sampled_from(["{}", "+1{}", "1{}", "001{}", "({:.3}) {rest}"]))
def test_every_spelling_of_a_number_reads_the_same(number: str, spelling: str) -> None:
    assert read_phone_number(spelling.format(number, rest=f"{number[3:6]}-{number[6:]}")) == number


@given(DIGITS)
def test_what_is_shown_can_be_typed_back(number: str) -> None:
    assert read_phone_number(phone_text(number)) == number


def outcome(field: forms.Field, typed: Any) -> tuple[Any, str]:
    """What the field makes of it: the cleaned value, or the sentence with which it refuses."""
    try:
        return field.clean(typed), ""
    except ValidationError as refusal:
        return None, refusal.messages[0]


@given(st.text(max_size=40))
def test_any_text_at_all_is_ten_digits_or_a_sentence(typed: str) -> None:
    cleaned, sentence = outcome(PhoneNumberField(), typed)
    assert sentence.endswith(".") or re.fullmatch("[0-9]{10}", str(cleaned))


@given(st.lists(st.text(max_size=20), max_size=8))
def test_any_list_of_texts_is_one_to_five_different_numbers_or_a_sentence(typed: list[str]) -> None:
    cleaned, sentence = outcome(RankedNumbersField(), typed)
    numbers = cleaned or []
    assert sentence.endswith(".") or 1 <= len(numbers) == len(set(numbers)) <= RankedNumbersField.MOST


def test_five_numbers_are_taken_and_six_are_not() -> None:
    numbers = [f"31673422{digit}0" for digit in range(6)]
    assert RankedNumbersField().clean(numbers[:5]) == numbers[:5]
    with pytest.raises(ValidationError, match="at most 5 numbers"):
        RankedNumbersField().clean(numbers)


def test_all_inputs_of_one_name_are_read() -> None:
    data = QueryDict("number=1&number=2&other=3")
    assert RankedNumbersField().widget.value_from_datadict(data, {}, "number") == ["1", "2"]


@pytest.mark.parametrize(
    ("word", "means"),
    [("true", True), ("on", True), ("1", True), ("Yes", True), ("false", False), ("off", False), ("0", False)],
)
def test_a_switch_is_on_or_off(word: str, means: bool) -> None:
    assert OptionalSwitchField().clean(word) is means


def test_a_switch_left_alone_is_neither() -> None:
    assert OptionalSwitchField().clean("") is None
    assert OptionalSwitchField().clean(None) is None


def test_a_switch_takes_no_other_word() -> None:
    with pytest.raises(ValidationError):
        OptionalSwitchField().clean("perhaps")


def test_line_breaks_of_browsers_become_plain_ones() -> None:
    assert PlainTextField().clean("one\r\ntwo\n") == "one\ntwo"


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=30))
def test_any_text_can_be_made_storable(text: str) -> None:
    kept = storable(text)
    assert "\x00" not in kept
    assert kept.encode("utf-8").decode("utf-8") == kept
