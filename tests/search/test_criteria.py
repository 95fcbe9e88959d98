"""A search in words, as a query and as stored values."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numbers_app.callcap import SearchCriteria
from numbers_app.callcap.schemas import SEARCH_WIRE_NAMES
from numbers_app.criteria import criteria_from_json, criteria_in_words, criteria_to_json, criteria_to_query
from numbers_app.forms.search import SearchForm
from numbers_app.models import Account

from .searches import CRITERIA


@pytest.mark.parametrize(
    ("criteria", "words"),
    [
        (SearchCriteria(), "any number"),
        (SearchCriteria(full_number="3167342253"), "the number (316) 734-2253"),
        (SearchCriteria(area_code="316", exchange="555", line="1234"), "area code 316, exchange 555, line 1234"),
        (SearchCriteria(vanity_text="###cake"), "spelling ###CAKE"),
        (SearchCriteria(vanity_text="2253"), "with 2253 in it"),
        (SearchCriteria(city="Toronto", state="ON", country="CA"), "in Toronto, ON, Canada"),
        (SearchCriteria(rate_center="WICHITA DOWNTOWN"), "rate center WICHITA DOWNTOWN"),
        (SearchCriteria(zipcode="67202"), "ZIP 67202"),
        (SearchCriteria(zipcode="M5V 2T6"), "postal code M5V 2T6"),
        (SearchCriteria(account="L-3"), "for L-3"),
        (SearchCriteria(show_public_pool=True, account="L-3"), "from the public pool, for L-3"),
        (
            SearchCriteria(show_public_pool=True, show_reserved_pool=True, account="L-3"),
            "from the public pool and the reserved pool of L-3",
        ),
        (SearchCriteria(show_tollfree=True, show_local=True), "toll-free and local"),
        (SearchCriteria(show_tollfree=False, show_public_pool=False), "not from the public pool, not toll-free"),
        (
            SearchCriteria(
                area_code="316",
                vanity_text="cake",
                city="Wichita",
                state="KS",
                account="L-3",
                show_reserved_pool=True,
                show_tollfree=True,
            ),
            "area code 316, spelling CAKE, in Wichita, KS, from the reserved pool of L-3, toll-free",
        ),
    ],
)
def test_searches_in_words(criteria: SearchCriteria, words: str) -> None:
    assert criteria_in_words(criteria) == words


@given(CRITERIA)
@settings(max_examples=50)
def test_every_field_has_its_words(criteria: SearchCriteria) -> None:
    words = criteria_in_words(criteria)
    for name in criteria_to_json(criteria):
        if name != "show_reserved_pool" or criteria.account:
            assert criteria_in_words(replace(criteria, **{name: _NOTHING[name]})) != words


_NOTHING = {field.name: field.default for field in fields(SearchCriteria)}


@given(CRITERIA, st.sampled_from([None, False]))
@settings(max_examples=50)
def test_stored_and_read_again_it_is_the_same_search(criteria: SearchCriteria, switch: bool | None) -> None:
    criteria = replace(criteria, show_local=switch)
    stored = criteria_to_json(criteria)
    assert "" not in stored.values()
    assert None not in stored.values()
    assert criteria_from_json(json.loads(json.dumps(stored))) == criteria


@pytest.mark.parametrize(
    "stored", [{"areaCode": "316"}, {"area_code": 316}, {"show_local": "on"}, {"city": None}, {"city": "x", "z": ""}]
)
def test_stored_values_of_anything_else_are_refused(stored: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        criteria_from_json(stored)


@pytest.mark.django_db
@given(criteria=CRITERIA)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_from_the_query_through_the_form_to_the_vendor_s_names_and_back(
    location: Account, criteria: SearchCriteria
) -> None:
    query = QueryDict(criteria_to_query(criteria))
    form = SearchForm(query, locations=Account.objects.all())
    assert form.is_valid(), form.errors
    assert form.criteria() == criteria
    wire = criteria.to_wire()
    names = {wire_name: name for name, wire_name in SEARCH_WIRE_NAMES.items()}
    read = {names[wire_name]: True if value == "true" else value for wire_name, value in wire.items()}
    assert criteria_from_json(read) == criteria


def test_a_query_leaves_out_what_is_not_given_and_what_is_off() -> None:
    criteria = SearchCriteria(vanity_text="#cake", city="St. Louis", show_local=True, show_tollfree=False)
    assert criteria_to_query(criteria) == "show_local=on&city=St.+Louis&vanity_text=%23cake"
