"""The filters of the inventory: each by itself, how text is read, the counts by status, and what is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from numbers_app.forms.inventory import InventoryFilter
from numbers_app.models import Account, MediaType, User
from numbers_app.selectors.campaigns import number_pattern
from tests.factories import CampaignFactory, LocationFactory

from .page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def inventory(location: Account, elsewhere: Account) -> None:
    """Five numbers of L-3, each with something of its own, and one elsewhere."""
    CampaignFactory(
        phone_number="3167342201", account=location, campaign_name="Radio", destination="2125550147", state="KS"
    )
    CampaignFactory(phone_number="3167342202", account=location, notes="by the RIVER", stop_date=date(2027, 5, 1))
    CampaignFactory(
        phone_number="3167342203",
        account=location,
        memo1="left memo",
        ended_at=timezone.now(),
        stop_date=date(2026, 5, 1),
        state="Kansas",
        recording=True,
        evaluation="delayed",
    )
    CampaignFactory(
        phone_number="3167342253",
        account=location,
        memo2="100% off_season",
        stop_date=date(2099, 1, 1),
        brand="Prairie Comfort",
        recording=False,
        media_type_id=7,
        disputed_at=timezone.now(),
    )
    CampaignFactory(
        phone_number="8005550105",
        account=location,
        number_type="tollfree",
        confirmed_at=None,
        imported_at=timezone.now(),
        media_type_id=9,
    )
    CampaignFactory(phone_number="3167342206", account=elsewhere, campaign_name="Radio elsewhere", media_type_id=11)


ALL = ["01", "02", "03", "05", "53"]


def listed(client: Client, **filters: str) -> list[str]:
    """The last two digits of what is found, in order."""
    response = client.get("/numbers/", filters)
    assert response.status_code == 200
    return sorted(link.attributes["href"][-3:-1] for link in Page(response).all("a", class_="number"))


@pytest.mark.usefixtures("inventory")
class TestFilters:
    @pytest.mark.parametrize(
        ("text", "numbers"),
        [
            ("radio", ["01"]),
            ("river", ["02"]),
            ("left memo", ["03"]),
            ("(316) 734-2202", ["02"]),
            ("+1 (316) 734-2202", ["02"]),
            ("1-316-734-2202", ["02"]),
            ("734-22", ["01", "02", "03", "53"]),
            ("+1 316", ["01", "02", "03", "05", "53"]),
            ("212 555", ["01"]),
            ("cake", ["53"]),
            ("316-734-CAKE", ["53"]),
            ("+1 316 734 cake", ["53"]),
            ("##2253", ["53"]),
            ("7#4220*", ["01", "02", "03"]),
            ("316 cake", ["53"]),
            ("316-CAKE", ["53"]),
            ("316 2202", ["02"]),
            ("ends in 2203", ["03"]),
            ("ends in 0147", ["01"]),
            ("area code 800", ["05"]),
            ("area code 734", []),
            ("800 734", []),
            ("toll free", ["05"]),
            ("tollfree", ["05"]),
            ("toll free cake", []),
            ("100%", ["53"]),
            ("off_s", ["53"]),
            ("offXs", []),
            ("zebra", []),
        ],
    )
    def test_text_finds_numbers_destinations_spellings_names_notes_and_memos(
        self, as_rep: Client, text: str, numbers: list[str]
    ) -> None:
        assert listed(as_rep, q=text) == numbers

    @pytest.mark.parametrize(
        ("filters", "numbers"),
        [
            ({"status": "active"}, ["01", "05", "53"]),
            ({"status": "stopping"}, ["02"]),
            ({"status": "ended"}, ["03"]),
            ({"status": ""}, ALL),
            ({"state": "KS"}, ["01", "03"]),
            ({"number_type": "tollfree"}, ["05"]),
            ({"number_type": "unset"}, ["01", "02", "03", "53"]),
            ({"stop_from": "2026-05-02", "stop_to": "2027-05-01"}, ["02"]),
            ({"stop_to": "2026-05-01"}, ["03"]),
            ({"stop_from": "2026-06-01"}, ["02"]),
            ({"stop_to": "2099-12-31"}, ["02", "03"]),
            ({"destination": "212-555"}, ["01"]),
            ({"destination": "the shop"}, []),
            ({"recording": "on"}, ["03"]),
            ({"recording": "off"}, ["53"]),
            ({"recording": "unset"}, ["01", "02", "05"]),
            ({"evaluation": "delayed"}, ["03"]),
            ({"evaluation": "unset"}, ["01", "02", "05", "53"]),
            ({"media_type": "7"}, ["53"]),
            ({"brand": "COMFORT"}, ["53"]),
            ({"confirmation": "never"}, ["05"]),
            ({"confirmation": "disputed"}, ["53"]),
            ({"confirmation": "confirmed"}, ["01", "02", "03"]),
            ({"q": "734", "state": "KS", "status": "ended"}, ["03"]),
        ],
    )
    def test_each_filter_narrows_and_they_work_together(
        self, as_rep: Client, filters: dict[str, str], numbers: list[str]
    ) -> None:
        assert listed(as_rep, **filters) == numbers

    def test_an_account_means_everything_below_it(self, signed_in: Any, auditor: User, location: Account) -> None:
        client = signed_in(auditor)
        division = location.parent
        assert division
        CampaignFactory(phone_number="3167342207", account=LocationFactory(key="L-4", callcap_id=4, parent=division))
        assert listed(client, account=division.key) == [*ALL[:4], "07", "53"]
        assert listed(client, account="L-4") == ["07"]

    def test_the_counts_by_status_are_links_and_heed_the_other_filters(self, as_rep: Client) -> None:
        statuses = Page(as_rep.get("/numbers/", {"q": "734", "status": "ended"})).one("ul", aria_label="By status")
        assert [link.text for link in statuses.all("a")] == ["All 4", "Active 2", "Stop date set 1", "Stopped 1"]
        assert [link.text for link in statuses.all("a", aria_current="true")] == ["Stopped 1"]
        assert [link.attributes["href"] for link in statuses.all("a")][1] == "?q=734&status=active"

    def test_each_filter_that_is_set_has_a_chip_that_removes_it(self, as_rep: Client) -> None:
        MediaType.objects.create(number=7, name="Radio spots")
        query = {"q": "734", "media_type": "7", "stop_from": "2027-01-31", "sort": "number", "page": "1"}
        chips = Page(as_rep.get("/numbers/", query)).one("ul", aria_label="Filters").all("a")
        assert [chip.text.replace(" Remove this filter", "") for chip in chips] == [
            "Number, name, notes or memo: 734",
            "Stops from: Jan 31, 2027",
            "Media type: Radio spots (7)",
        ]
        assert chips[0].attributes["href"] == "?media_type=7&stop_from=2027-01-31&sort=number"

    def test_media_types_in_use_are_offered_by_name_first(self, as_rep: Client) -> None:
        MediaType.objects.create(number=12, name="Billboard")
        MediaType.objects.create(number=9, name="Radio")
        assert Page(as_rep.get("/numbers/")).choices("media_type") == ["", "12", "9", "7"]

    def test_filters_seldom_used_are_folded_away_until_one_is_set(self, as_rep: Client) -> None:
        def is_open(**query: str) -> bool:
            found = Page(as_rep.get("/numbers/", query)).one("form", id="number-filter").one("details")
            return "open" in found.attributes

        assert not is_open(q="734")
        assert is_open(brand="x")
        assert is_open(state="nowhere")


@pytest.mark.parametrize(
    ("filters", "field", "sentence"),
    [
        ({"q": "ri\x00ver"}, "q", "Remove the null character"),
        ({"q": "x" * 101}, "q", "at most 100 characters"),
        ({"status": "lost"}, "status", "not one of the available choices"),
        ({"account": "L-30"}, "account", "not one of the available choices"),
        ({"media_type": "11"}, "media_type", "not one of the available choices"),
        ({"stop_from": "soon"}, "stop_from", "Enter a valid date"),
        ({"stop_from": "2027-05-02", "stop_to": "2027-05-01"}, "stop_to", "This day is before the first one."),
        ({"brand": "\x00"}, "brand", "Remove the null character"),
    ],
)
@pytest.mark.usefixtures("inventory")
def test_a_bad_filter_is_refused_at_its_field_and_finds_nothing(
    as_rep: Client, filters: dict[str, str], field: str, sentence: str
) -> None:
    response = as_rep.get("/numbers/", filters)
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.error_at(field)
    assert page.all("a", class_="number") == page.all("ul", aria_label="By status") == []
    assert "No numbers here" not in page.text


@pytest.mark.usefixtures("inventory")
def test_other_pages_read_a_query_with_the_same_filter(rep: User) -> None:
    filtered = InventoryFilter(QueryDict("q=cake&sort=number&page=2"), user=rep)
    assert [campaign.phone_number for campaign in filtered.qs] == ["3167342253"]
    assert not InventoryFilter(QueryDict("status=lost"), user=rep).qs.exists()


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("(316) 734-2253", "3167342253"),
        ("1.316.734.2253", "3167342253"),
        ("001 316 734 2253", "3167342253"),
        ("+1316", "316"),
        ("0012", "0012"),
        ("3 1 6", "316"),
        ("\uff13\uff11\uff16", "316"),
        ("Cake", "2253"),
        ("###cake", "###2253"),
        ("ab", ""),
        ("a1b", "212"),
        ("", ""),
        ("**", ""),
        ("100%", ""),
        ("crème", ""),
        ("316734225301", ""),
    ],
)
def test_a_text_is_read_as_part_of_a_number(text: str, pattern: str) -> None:
    assert number_pattern(text) == pattern
