"""Destinations that cost extra: which ones the form refuses, and which ones people are warned of."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from numbers_app.forms.fields import read_phone_number
from numbers_app.models import Account, Campaign
from numbers_app.selectors.destinations import destination_warnings

from .conftest import CAKE
from .page import Page

pytestmark = pytest.mark.django_db

REFUSED = ["9005551234", "8765550100", "2423221234", "7872221234", "8092201234"]


@pytest.mark.parametrize("number", REFUSED)
def test_premium_area_codes_and_other_countries_are_refused_by_the_form(number: str) -> None:
    with pytest.raises(ValidationError):
        read_phone_number(number)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("9005551234", "is a premium number"),
        ("3169761234", "is a premium number"),
        ("8763801234", "is in Jamaica: each call there is a call abroad"),
        ("2423221234", "is in the Bahamas"),
        ("7872221234", "is in Puerto Rico"),
    ],
)
def test_each_is_warned_of_wherever_it_comes_from(location: Account, number: str, sentence: str) -> None:
    assert sentence in " ".join(found.text for found in destination_warnings(number, account=location))


@pytest.mark.parametrize("number", ["3165550100", "4165550100", "8005551234"])
def test_an_ordinary_number_is_neither(location: Account, number: str) -> None:
    found = " ".join(found.text for found in destination_warnings(number, account=location))
    assert "premium" not in found
    assert "abroad" not in found


def test_a_premium_exchange_is_taken_by_the_form_and_warned_of_before_it_is_sent(
    as_rep: Client, campaign: Campaign
) -> None:
    response = as_rep.post(f"/numbers/{CAKE}/change/", {"version": "1", "destination": "(316) 976-1234"})
    assert response.status_code == 200
    assert "(316) 976-1234 is a premium number: each call that is sent there may cost extra." in Page(response).text
