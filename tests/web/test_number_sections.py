"""Editing a number by section: in place, or on a page of its own; only the section's fields are sent."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client

from numbers_app.forms.campaigns import SECTIONS, ChangeForm, section_fields
from numbers_app.models import Account, Campaign, Order
from tests.factories import CampaignFactory

from .conftest import CAKE, HTMX
from .page import Page

pytestmark = pytest.mark.django_db

URL = f"/numbers/{CAKE}/change/"


def test_every_field_of_a_number_is_in_one_section() -> None:
    assert sorted(name for section in SECTIONS for name in section_fields(section)) == sorted(
        ChangeForm.CAMPAIGN_FIELDS
    )


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_shows_its_own_fields_and_no_other(as_rep: Client, campaign: Campaign, section: str) -> None:
    page = Page(as_rep.get(URL, {"section": section}))
    filled = page.filled(URL)
    assert set(filled) & set(ChangeForm.CAMPAIGN_FIELDS) == set(section_fields(section))
    assert {"version", "form_token", "reason"} <= set(filled)


def test_a_section_that_is_not_there_shows_all(as_rep: Client, campaign: Campaign) -> None:
    assert set(ChangeForm.CAMPAIGN_FIELDS) <= set(Page(as_rep.get(URL, {"section": "x"})).filled(URL))


def test_in_place_only_the_form_is_loaded_under_names_of_its_own(as_rep: Client, campaign: Campaign) -> None:
    parts = {name: Page(as_rep.get(URL, {"section": name}, headers=HTMX)) for name in SECTIONS}
    assert all(not part.all("html") for part in parts.values())
    ids = [element.attributes["id"] for part in parts.values() for element in part if element.attributes.get("id")]
    assert len(ids) == len(set(ids))
    assert parts["routing"].one("h2", id="routing-heading").text == "Change: routing"


def test_the_numbers_page_has_an_edit_link_for_each_section(as_rep: Client, campaign: Campaign) -> None:
    page = Page(as_rep.get(f"/numbers/{CAKE}/"))
    assert page.links("Edit") == [f"{URL}?section={name}" for name in SECTIONS]


def test_a_section_changes_only_what_was_touched_in_it(as_rep: Client, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, brand="Blue", notes="keep", stop_date=date(2098, 1, 1))
    page = Page(as_rep.get(URL, {"section": "features"}))
    shown = Page(as_rep.post(URL, page.filled(URL) | {"recording": "true"}))
    as_rep.post(URL, shown.filled(URL) | {"confirmed": "1"})
    assert Order.objects.get().parameters == {"recording": True}


def test_a_mistake_in_a_section_is_answered_with_that_section(as_rep: Client, campaign: Campaign) -> None:
    page = Page(as_rep.get(URL, {"section": "routing"}))
    response = as_rep.post(URL, page.filled(URL) | {"destination": ""})
    again = Page(response)
    assert response.status_code == 422
    assert "Give the number that calls should ring to." in again.error_at("destination")
    assert set(again.filled(URL)) & set(ChangeForm.CAMPAIGN_FIELDS) == {"destination", "stop_date"}


def test_what_runs_on_has_an_empty_stop_date_that_changes_nothing(as_rep: Client, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, stop_date=date(2099, 1, 1))
    page = Page(as_rep.get(URL, {"section": "routing"}))
    assert page.value("stop_date") == ""
    shown = Page(as_rep.post(URL, page.filled(URL) | {"destination": "3165550100"}))
    as_rep.post(URL, shown.filled(URL) | {"confirmed": "1"})
    assert Order.objects.get().parameters == {"destination": "3165550100"}
