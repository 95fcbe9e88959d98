"""The inventory: what a row says, order, pages, saved views and what can be done with ticked numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from numbers_app.models import Account, MediaType, SavedView, User
from tests.factories import CampaignFactory, LocationFactory

from .conftest import HTMX
from .page import Element, Page

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

    def test_filters_work_together_and_stay_in_the_form(self, as_rep: Client) -> None:
        page = Page(as_rep.get("/numbers/", {"q": "734", "status": "stopping"}))
        form = page.one("form", id="number-filter")
        assert form.one("input", name="q").attributes["value"] == "734"
        assert form.one("option", value="stopping", selected="").text == "Stop date set"
        assert "1 number" in page.one("h2", id="numbers-heading").text

    def test_a_row_shows_routing_location_and_stop_date_with_its_zone(self, as_rep: Client) -> None:
        page = Page(as_rep.get("/numbers/", {"q": "river"}))
        row = page.all("tbody")[0].one("tr")
        assert row.one("td", data_label="Rings").text == "(316) 444-7896"
        assert row.one("td", data_label="Location").text == "Location 3 (L-3)"
        assert row.one("td", data_label="Stop date").text.startswith("May 1, 2099 (America/Chicago time)")
        assert row.one("td", data_label="Stop date").text.endswith(" days left")

    def test_a_stopped_number_is_marked(self, as_rep: Client) -> None:
        assert "(316) 734-2203 stopped" in Page(as_rep.get("/numbers/", {"status": "ended"})).text

    def test_nothing_found_says_so(self, as_rep: Client) -> None:
        assert "No numbers here" in Page(as_rep.get("/numbers/", {"q": "zebra"})).text

    def test_a_number_never_confirmed_or_disputed_says_so(self, as_rep: Client, location: Account) -> None:
        CampaignFactory(phone_number="3167342206", account=location, confirmed_at=None, disputed_at=timezone.now())
        confirmed = datetime(2026, 11, 3, 18, tzinfo=UTC)
        CampaignFactory(phone_number="3167342207", account=location, confirmed_at=confirmed)
        rows = rows_of(as_rep)
        assert rows["06"].one("th").text == "(316) 734-2206 Disputed"
        assert rows["06"].one("td", data_label="Confirmed").text == "never"
        assert rows["07"].one("td", data_label="Confirmed").text == "Nov 3, 2026"

    def test_media_types_are_shown_by_name(self, as_rep: Client, location: Account) -> None:
        MediaType.objects.create(number=7, name="Radio spots")
        for number, media_type in (("3167342206", 7), ("3167342207", 8)):
            CampaignFactory(phone_number=number, account=location, media_type_id=media_type)
        rows = rows_of(as_rep)
        assert rows["06"].one("td", data_label="Media type").text == "Radio spots (7)"
        assert rows["07"].one("td", data_label="Media type").text == "8"

    @pytest.mark.parametrize("text", ["cake", "316 cake", "spells cake"])
    def test_what_the_text_spells_is_marked_in_the_number(self, as_rep: Client, location: Account, text: str) -> None:
        CampaignFactory(phone_number="3167342253", account=location)
        (mark,) = Page(as_rep.get("/numbers/", {"q": text})).all("mark")
        assert mark.text == "CAKE"


def rows_of(client: Client, **query: str) -> dict[str, Element]:
    """The rows by the last two digits of their numbers, in their order."""
    rows = Page(client.get("/numbers/", query)).one("tbody").all("tr")
    return {row.one("a", class_="number").attributes["href"][-3:-1]: row for row in rows}


@pytest.fixture
def three(location: Account) -> None:
    """Three numbers, each of which comes first in one order."""
    other = LocationFactory(key="L-4", callcap_id=4, name="A first place", parent=location.parent)
    with time_machine.travel("2026-11-01T12:00Z", tick=False):
        CampaignFactory(phone_number="3167342201", account=location, stop_date=date(2027, 3, 1))
    with time_machine.travel("2026-11-02T12:00Z", tick=False):
        CampaignFactory(phone_number="3167342202", account=other)
    with time_machine.travel("2026-11-03T12:00Z", tick=False):
        CampaignFactory(phone_number="3167342203", account=location, stop_date=date(2027, 1, 1))


@pytest.mark.usefixtures("three")
class TestOrder:
    @pytest.mark.parametrize(
        ("sort", "numbers"),
        [
            ("newest", "03 02 01"),
            ("number", "01 02 03"),
            ("account", "02 01 03"),
            ("stop_date", "03 01 02"),
            ("nonsense", "03 02 01"),
        ],
    )
    def test_by_age_number_location_and_stop_date(self, signed_in: Any, auditor: User, sort: str, numbers: str) -> None:
        assert " ".join(rows_of(signed_in(auditor), sort=sort)) == numbers

    def test_by_stop_date_those_that_have_stopped_come_last(
        self, signed_in: Any, auditor: User, location: Account
    ) -> None:
        CampaignFactory(
            phone_number="3167342204", account=location, stop_date=date(2026, 1, 1), ended_at=timezone.now()
        )
        CampaignFactory(phone_number="3167342205", account=location, stop_date=date(2099, 1, 1))
        assert " ".join(rows_of(signed_in(auditor), sort="stop_date")) == "03 01 05 02 04"

    def test_the_links_keep_the_filter_and_say_what_is_shown(self, as_rep: Client) -> None:
        page = Page(as_rep.get("/numbers/", {"q": "734", "sort": "number", "page": "1"}))
        (link,) = [link for link in page.all("a", aria_current="true") if link.text == "number"]
        assert page.links("stop date") == ["?q=734&sort=stop_date"]
        assert link.attributes["hx-get"] == link.attributes["href"] == "?q=734&sort=number"

    def test_filtering_again_keeps_order_and_length_of_pages(self, as_rep: Client) -> None:
        page = Page(as_rep.get("/numbers/", {"sort": "number", "per_page": "25"}))
        kept = {
            element.attributes["name"]: element.attributes["value"]
            for element in page.all("input", form="number-filter")
        }
        assert kept == {"sort": "number", "per_page": "25"}
        assert Page(as_rep.get("/numbers/")).all("input", form="number-filter") == []


class TestPages:
    @pytest.fixture(autouse=True)
    def _many(self, location: Account) -> None:
        for place in range(51):
            CampaignFactory(phone_number=f"31673422{place:02d}", account=location)

    def test_a_long_inventory_has_pages_that_keep_the_filter(self, as_rep: Client) -> None:
        page = Page(as_rep.get("/numbers/", {"q": "734"}))
        assert len(page.all("a", class_="number")) == 50
        following = page.links("Next")[0]
        assert "q=734" in following
        assert len(Page(as_rep.get(f"/numbers/{following}")).all("a", class_="number")) == 1

    @pytest.mark.parametrize(("asked", "shown"), [("25", 25), ("100", 51), ("7", 50), ("", 50)])
    def test_a_page_has_as_many_as_was_chosen(self, as_rep: Client, asked: str, shown: int) -> None:
        assert len(rows_of(as_rep, per_page=asked)) == shown

    def test_htmx_gets_the_list_alone_and_the_view_to_save(self, as_rep: Client) -> None:
        page = Page(as_rep.get("/numbers/", {"q": "734", "page": "2"}, headers=HTMX))
        assert page.all("h1") == []
        assert len(page.all("a", class_="number")) == 1
        assert page.one("input", id="view-query").attributes["value"] == "q=734"

    def test_the_list_costs_the_same_queries_however_long_it_is(self, as_rep: Client, location: Account) -> None:
        def queries(**query: str) -> int:
            with CaptureQueriesContext(connection) as captured:
                as_rep.get("/numbers/", query)
            return len(captured)

        MediaType.objects.create(number=7, name="Radio")
        few = queries(q="00")
        for place in range(20):
            CampaignFactory(phone_number=f"31673423{place:02d}", account=location, media_type_id=place)
        assert queries(per_page="100", sort="stop_date") == few < 20


class TestSavedViews:
    def test_a_view_opens_the_bare_list_once_it_is_the_default(self, as_rep: Client) -> None:
        kept = {"page": "campaign_list", "name": "Stopped", "query": "status=ended&page=3", "is_default": "on"}
        assert as_rep.post("/views/save/", kept)["Location"] == "/numbers/?status=ended"
        assert as_rep.get("/numbers/")["Location"] == "/numbers/?status=ended"
        assert as_rep.get("/numbers/?all=1").status_code == 200

    def test_shared_views_of_others_are_listed(self, as_rep: Client, manager: User) -> None:
        SavedView.objects.create(owner=manager, page="campaign_list", name="Ours", query="q=x", shared=True)
        SavedView.objects.create(owner=manager, page="history_list", name="Not of this list", query="", shared=True)
        assert [
            link.text for link in Page(as_rep.get("/numbers/?all=1")).one("ul", aria_label="Saved views").all("a")
        ] == ["Ours by Manager Test"]


def test_the_pages_about_numbers_lead_to_each_other_where_one_may_go(
    as_rep: Client, signed_in: Any, auditor: User
) -> None:
    def sections(client: Client) -> list[str]:
        found = Page(client.get("/numbers/")).one("nav", aria_label="Numbers").all("a")
        addresses = [link.attributes["href"] for link in found]
        assert {client.get(address).status_code for address in addresses} == {200}
        return addresses

    everybody = {
        "/numbers/",
        "/numbers/stopping/",
        "/batches/",
        "/numbers/media-types/",
        "/numbers/first-steps/",
    }
    assert set(sections(as_rep)) == everybody | {"/batches/new/"}
    assert set(sections(signed_in(auditor))) == everybody


class TestTicks:
    @pytest.fixture(autouse=True)
    def _numbers(self, location: Account) -> None:
        CampaignFactory(phone_number="3167342201", account=location)
        CampaignFactory(phone_number="3167342202", account=location, ended_at=timezone.now())

    def test_numbers_that_take_calls_can_be_ticked(self, as_rep: Client) -> None:
        page = Page(as_rep.get("/numbers/", {"q": "734", "page": "1"}))
        (tick,) = page.all("input", name="number")
        assert tick.attributes["value"] == "3167342201"
        assert tick.attributes["aria-label"] == "Choose (316) 734-2201"
        form = page.one("form", id=tick.attributes["form"])
        assert form.one("input", name="query").attributes["value"] == "q=734"
        assert "All 2 matching numbers" in form.text
        assert [button.attributes["value"] for button in form.all("button", name="kind")] == [
            "change",
            "confirm",
            "reapply",
        ]

    def test_who_may_not_order_has_nothing_to_tick(self, signed_in: Any, auditor: User) -> None:
        page = Page(signed_in(auditor).get("/numbers/"))
        assert page.all("input", name="number") == page.all("form", id="selection") == []
