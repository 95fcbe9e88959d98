"""The inventory and its filters."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from numbers_app.models import Account, User
from tests.factories import CampaignFactory

from .page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def inventory(location: Account, elsewhere: Account) -> None:
    CampaignFactory(phone_number="3167342201", account=location, campaign_name="Radio", destination="2125550147")
    CampaignFactory(phone_number="3167342202", account=location, notes="by the RIVER", stop_date=date(2099, 5, 1))
    CampaignFactory(phone_number="3167342203", account=location, memo1="left memo", ended_at=timezone.now())
    CampaignFactory(phone_number="3167342204", account=location, memo2="100% off_season")
    CampaignFactory(phone_number="3167342205", account=elsewhere, campaign_name="Radio elsewhere")


def listed(client: Client, **filters: str) -> list[str]:
    response = client.get("/numbers/", filters)
    assert response.status_code == 200
    return sorted(link.attributes["href"][-3:-1] for link in Page(response).all("a", class_="number"))


@pytest.mark.usefixtures("inventory")
class TestInventory:
    def test_a_rep_sees_the_numbers_of_their_locations_only(self, as_rep: Client) -> None:
        assert listed(as_rep) == ["01", "02", "03", "04"]

    def test_an_auditor_sees_all(self, signed_in: Any, auditor: User) -> None:
        assert listed(signed_in(auditor)) == ["01", "02", "03", "04", "05"]

    @pytest.mark.parametrize(
        ("text", "numbers"),
        [
            ("radio", ["01"]),
            ("river", ["02"]),
            ("left memo", ["03"]),
            ("(316) 734-2202", ["02"]),
            ("734-22", ["01", "02", "03", "04"]),
            ("212 555", ["01"]),
            ("100%", ["04"]),
            ("off_s", ["04"]),
            ("offXs", []),
            ("zebra", []),
        ],
    )
    def test_text_finds_numbers_destinations_names_notes_and_memos(
        self, as_rep: Client, text: str, numbers: list[str]
    ) -> None:
        assert listed(as_rep, q=text) == numbers

    @pytest.mark.parametrize(
        ("status", "numbers"), [("active", ["01", "04"]), ("stopping", ["02"]), ("ended", ["03"]), ("", None)]
    )
    def test_status_tells_active_stopping_and_stopped_apart(
        self, as_rep: Client, status: str, numbers: list[str] | None
    ) -> None:
        assert listed(as_rep, status=status) == (numbers or ["01", "02", "03", "04"])

    def test_filters_work_together_and_stay_in_the_form(self, as_rep: Client) -> None:
        page = Page(as_rep.get("/numbers/", {"q": "734", "status": "stopping"}))
        assert (page.value("q"), page.value("status")) == ("734", "stopping")
        assert "1 number" in page.one("h2", id="numbers-heading").text

    def test_a_row_shows_routing_location_and_stop_date_with_its_zone(self, as_rep: Client) -> None:
        page = Page(as_rep.get("/numbers/", {"q": "river"}))
        row = page.all("tbody")[0].one("tr")
        assert row.one("td", data_label="Rings").text == "(316) 444-7896"
        assert row.one("td", data_label="Location").text == "Location 3 (L-3)"
        assert row.one("td", data_label="Stop date").text == "May 1, 2099 (America/Chicago time)"

    def test_a_stopped_number_is_marked(self, as_rep: Client) -> None:
        assert "(316) 734-2203 stopped" in Page(as_rep.get("/numbers/", {"status": "ended"})).text

    def test_nothing_found_says_so(self, as_rep: Client) -> None:
        assert "No numbers here" in Page(as_rep.get("/numbers/", {"q": "zebra"})).text

    @pytest.mark.parametrize(
        ("filters", "field", "sentence"),
        [
            ({"q": "ri\x00ver"}, "q", "Remove the null character"),
            ({"q": "x" * 101}, "q", "at most 100 characters"),
            ({"status": "lost"}, "status", "not one of the available choices"),
        ],
    )
    def test_a_bad_filter_is_refused_at_its_field(
        self, as_rep: Client, filters: dict[str, str], field: str, sentence: str
    ) -> None:
        response = as_rep.get("/numbers/", filters)
        assert response.status_code == 422
        assert sentence in Page(response).error_at(field)


def test_a_long_inventory_has_pages_that_keep_the_filter(as_rep: Client, location: Account) -> None:
    for place in range(51):
        CampaignFactory(phone_number=f"31673422{place:02d}", account=location)
    page = Page(as_rep.get("/numbers/", {"q": "734"}))
    assert len(page.all("a", class_="number")) == 50
    following = page.links("Next")[0]
    assert "q=734" in following
    assert len(Page(as_rep.get(f"/numbers/{following}")).all("a", class_="number")) == 1
