"""What the one search box makes of what people type."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numbers_app.callcap import SearchCriteria
from numbers_app.criteria import criteria_in_words
from numbers_app.forms.search import SearchForm
from numbers_app.search_box import as_place, read_box

CAKE = {"vanity_text": "cake"}
WICHITA = {"city": "Wichita", "state": "KS"}
KANSAS = {"state": "KS"}
NUMBER = {"full_number": "3165551234"}


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("316", {"area_code": "316"}),
        ("(316)", {"area_code": "316"}),
        ("area code 316", {"area_code": "316"}),
        ("316-555", {"area_code": "316", "exchange": "555"}),
        ("(316) 555", {"area_code": "316", "exchange": "555"}),
        ("316 555", {"area_code": "316", "exchange": "555"}),
        ("316 2253", {"area_code": "316", "line": "2253"}),
        ("555", {"exchange": "555"}),
        ("exchange 316", {"exchange": "316"}),
        ("555-1234", {"exchange": "555", "line": "1234"}),
        ("316-####", {"vanity_text": "316####"}),
        ("555-****", {"vanity_text": "555****"}),
        ("316 555-####", {"area_code": "316", "vanity_text": "555####"}),
        ("5551234", {"exchange": "555", "line": "1234"}),
        ("ending in 2253", {"line": "2253"}),
        ("(316) 555-1234", NUMBER),
        ("3165551234", NUMBER),
        ("316.555.1234", NUMBER),
        ("1-316-555-1234", NUMBER),
        ("316.555.1234 x12", NUMBER),
        ("316-555-1234, ext. 7", NUMBER),
        ("+1 316 555 1234", NUMBER),
        ("0013165551234", NUMBER),
        ("cake", CAKE),
        ("CAKE", {"vanity_text": "CAKE"}),
        ("###cake", {"vanity_text": "###cake"}),
        ("spelling plumbers", {"vanity_text": "plumbers"}),
        ("7777*", {"vanity_text": "7777*"}),
        ("go4it", {"vanity_text": "go4it"}),
        ("00", {"vanity_text": "00"}),
        ("call me", {"vanity_text": "call me"}),
        ("316 cake", {"area_code": "316"} | CAKE),
        ("316-cake", {"area_code": "316"} | CAKE),
        ("1-800-FLOWERS", {"vanity_text": "800FLOWERS"}),
        ("1 (800) FLOWERS", {"vanity_text": "800FLOWERS"}),
        ("1-800-CONTACTS", {"vanity_text": "800CONTACT"}),
        ("316-734-CAKE", {"vanity_text": "316734CAKE"}),
        ("734-CAKE", {"area_code": "734", "vanity_text": "CAKE"}),
        ("555-CAKE", {"exchange": "555", "vanity_text": "CAKE"}),
        ("316 734-CAKE", {"area_code": "316", "exchange": "734", "vanity_text": "CAKE"}),
        ("Wichita", {"vanity_text": "Wichita"}),
        ("Wichita KS", WICHITA),
        ("Wichita, Kansas", WICHITA),
        ("Wichita ks", WICHITA),
        ("in Wichita", {"city": "Wichita"}),
        ("in ks", KANSAS),
        ("cake in ks", CAKE | KANSAS),
        ("Wichita KS cake", CAKE | WICHITA),
        ("Wichita Kansas cake", CAKE | WICHITA),
        ("New York NY cake", CAKE | {"city": "New York", "state": "NY"}),
        ("New York cake", CAKE | {"state": "NY"}),
        ("CALL ME NOW", {"city": "CALL ME NOW"}),
        ("Jacksonville", {"city": "Jacksonville"}),
        ("Kansas", KANSAS),
        ("new york", {"state": "NY"}),
        ("KS", KANSAS),
        ("ks", {"vanity_text": "ks"}),
        ("New York NY", {"city": "New York", "state": "NY"}),
        ("Kansas City, Missouri", {"city": "Kansas City", "state": "MO"}),
        ("Kansas City", {"city": "Kansas City"}),
        ("salt lake city ut", {"city": "salt lake city", "state": "UT"}),
        ("St. Louis MO", {"city": "St. Louis", "state": "MO"}),
        ("Coeur d'Alene, ID", {"city": "Coeur d'Alene", "state": "ID"}),
        ("Montréal QC", {"city": "Montréal", "state": "QC"}),
        ("portland, or", {"city": "portland", "state": "OR"}),
        ("Gary IN", {"city": "Gary", "state": "IN"}),
        ("67202", {"zipcode": "67202"}),
        ("67202-1234", {"zipcode": "67202"}),
        ("in 67202", {"zipcode": "67202"}),
        ("M5V 2T6", {"zipcode": "M5V 2T6"}),
        ("m5v2t6", {"zipcode": "M5V 2T6"}),
        ("Canada", {"country": "CA"}),
        ("800", {"area_code": "800", "show_tollfree": True}),
        ("toll-free", {"show_tollfree": True}),
        ("toll free 888", {"area_code": "888", "show_tollfree": True}),
        ("local", {"show_local": True}),
        ("cake in Wichita KS", CAKE | WICHITA),
        ("cake, Wichita KS", CAKE | WICHITA),
        ("cake Wichita KS", CAKE | WICHITA),
        ("CAKE IN WICHITA KS", {"vanity_text": "CAKE", "city": "WICHITA", "state": "KS"}),
        ("KS ###pool", KANSAS | {"vanity_text": "###pool"}),
        ("kansas cake", KANSAS | CAKE),
        ("Wichita, KS, 316, cake, toll-free", WICHITA | {"area_code": "316"} | CAKE | {"show_tollfree": True}),
        ("３１６\u3000ｃａｋｅ", {"area_code": "316"} | CAKE),
        ("ca\u212ae", {"vanity_text": "caKe"}),
    ],
)
def test_what_is_understood(text: str, fields: dict[str, Any]) -> None:
    reading = read_box(text)
    assert (reading.fields, reading.unread) == (fields, ())


@pytest.mark.parametrize(
    ("text", "unread"),
    [
        ("", ()),
        (" ,; ", ()),
        ("саке", ("саке",)),
        ("🎂 cake", ("🎂",)),
        ("316 ca\x00ke", ("ca\x00ke",)),
        ("###", ("###",)),
        ("1234567890", ("1234567890",)),
        ("١٢٣", ("١٢٣",)),
        ("cake 316 dog", ("dog",)),
        ("316 area code 620", ("area code 620",)),
        ("cake in", ("in",)),
        ("\ud800", ("\ud800",)),
        ("x" * 101 + " KS", ("x" * 101 + " KS",)),
    ],
)
def test_what_is_not_understood_is_named(text: str, unread: tuple[str, ...]) -> None:
    assert read_box(text).unread == unread


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ""),
        ("316 cake", "Understood as area code 316, spelling CAKE."),
        ("800 in Wichita, Kansas", "Understood as area code 800, toll-free, in Wichita, KS."),
    ],
)
def test_all_is_said_in_one_sentence(text: str, said: str) -> None:
    assert read_box(text).said == said


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Wichita", {"city": "Wichita"}),
        ("Wichita KS", {"vanity_text": "Wichita", "state": "KS"}),
        ("home loans", {"vanity_text": "home loans"}),
        ("Kansas", {"vanity_text": "Kansas"}),
        ("ks", KANSAS),
        ("555", {"area_code": "555"}),
        ("2253", {"vanity_text": "2253"}),
        ("67202", {"vanity_text": "67202"}),
        ("El Paso", {"city": "El Paso"}),
        ("734-CAKE", {"exchange": "734", "vanity_text": "CAKE"}),
        ("555-CAKE", {"area_code": "555", "vanity_text": "CAKE"}),
        ("in Wichita", None),
        ("###cake", None),
        ("Jacksonville Beach", None),
    ],
)
def test_the_other_reading_is_at_hand(text: str, other: dict[str, Any] | None) -> None:
    (part,) = read_box(text).parts
    assert (part.instead.fields if part.instead else None) == other
    if part.instead:
        assert part.instead.said == criteria_in_words(SearchCriteria(**part.instead.fields)) != part.said
        assert (part.instead.text, part.instead.without) == (part.text, part.without)


@pytest.mark.parametrize(
    ("text", "fields"),
    [("Wichita", {"city": "Wichita"}), ("el  paso", {"city": "el paso"}), ("kansas", KANSAS), ("ks", KANSAS)],
)
def test_what_is_to_be_spelled_may_be_a_place(text: str, fields: dict[str, str]) -> None:
    part = as_place(text)
    assert part
    assert (part.fields, part.said) == (fields, criteria_in_words(SearchCriteria(**fields)))


@pytest.mark.parametrize("text", ["", "###cake", "go4it", "316", "*"])
def test_what_is_no_word_is_no_place(text: str) -> None:
    assert as_place(text) is None


def test_each_part_says_what_the_box_holds_without_it() -> None:
    parts = read_box("cake, in Wichita KS,  316").parts
    assert [(part.text, part.without) for part in parts] == [
        ("cake", "in Wichita KS, 316"),
        ("in Wichita KS", "cake 316"),
        ("316", "cake, in Wichita KS"),
    ]


PIECES = st.sampled_from(
    [
        "316",
        "(316) 555",
        "555-1234",
        "3165551234",
        "1-800-FLOWERS",
        "cake",
        "###cake",
        "Wichita",
        "KS",
        "Kansas",
        "in",
        "67202",
        "M5V 2T6",
        "800",
        "toll-free",
        "local",
        "me",
        "or",
        "New York",
        ",",
        "Montréal",
        "area code",
        "#",
        "é",
    ]
)
TYPED = st.text(max_size=30) | st.lists(PIECES | st.text("ab1 #*-.(),+", max_size=8), max_size=6).map(" ".join)


@given(TYPED)
@settings(max_examples=300, deadline=None)
def test_whatever_is_typed_nothing_is_dropped_and_the_form_takes_what_is_understood(text: str) -> None:
    reading = read_box(text)
    typed = unicodedata.normalize("NFC", text)
    kept = "".join([part.text for part in reading.parts] + list(reading.unread))
    assert sorted(_bare(kept)) == sorted(_bare(typed))
    for part in reading.parts:
        assert sorted(_bare(part.without + part.text)) == sorted(_bare(typed))
        assert part.said in reading.said
        assert part.said == criteria_in_words(SearchCriteria(**part.fields))
        for fields in (part.fields, part.instead.fields if part.instead else {}):
            form = SearchForm(
                {name: "on" if value is True else value for name, value in fields.items()}, locations=None
            )
            form.fields.pop("account")
            # Whether there is such a number is left to the form, which says so at its field.
            assert form.is_valid() or set(form.errors) == {"full_number"}, (fields, form.errors)


def _bare(text: str) -> str:
    return "".join("".join(text.split()).replace(",", "").replace(";", ""))


@given(st.text("ab1 #*-.(),+éI", min_size=2_000, max_size=4_000))
@settings(max_examples=10, deadline=2_000)
def test_long_texts_are_read_in_no_time(text: str) -> None:
    read_box(text)
