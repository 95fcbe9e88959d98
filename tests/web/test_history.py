"""The change history: who sees which entries, and the filters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, HistoryEntry, User, Verb
from numbers_app.services.decisions import order_reject
from numbers_app.templatetags.history import what
from tests.factories import CampaignFactory

from .conftest import Purchase
from .page import Page

pytestmark = pytest.mark.django_db


def entries(client: Client, **filters: str) -> list[str]:
    """The entries' sentences, without time and details."""
    response = client.get("/history/", filters)
    assert response.status_code == 200
    lists = Page(response).all("ol", aria_labelledby="entries-heading")
    return [item.all("p")[0].text for item in lists[0].all("li")] if lists else []


def entry_numbers(page: Page) -> list[str]:
    """Which entries a list shows."""
    return [link.text for link in page.one("ol", aria_labelledby="entries-heading").all("a")]


@pytest.fixture
def events(location: Account, elsewhere: Account, purchase: Purchase, manager: User) -> None:
    """One number here, one elsewhere, one order asked for and rejected."""
    CampaignFactory(phone_number="3167342201", account=location)
    CampaignFactory(phone_number="3167342202", account=elsewhere)
    order = purchase("3167342203")
    order_reject(actor=Actor.person(manager), order_id=order.pk, revision=1, reason="We have one.")


@pytest.mark.usefixtures("events")
class TestEntries:
    def test_newest_first_and_of_ones_own_accounts_only(self, as_rep: Client) -> None:
        rejected, requested, bought = entries(as_rep)
        assert rejected.startswith("Manager Test rejected order")
        assert requested.startswith("Rep Test requested order")
        assert bought == "Factory bought (316) 734-2201, ringing (316) 444-7896"

    def test_an_auditor_sees_every_account(self, signed_in: Any, auditor: User) -> None:
        assert len(entries(signed_in(auditor))) == HistoryEntry.objects.count() == 4

    def test_a_stranger_sees_their_own_account_only(self, signed_in: Any, stranger: User) -> None:
        assert entries(signed_in(stranger)) == ["Factory bought (316) 734-2202, ringing (316) 444-7896"]

    @pytest.mark.parametrize(
        ("number", "found"),
        [
            ("3167342201", 1),
            ("(316) 734-2203", 2),
            ("+1 316 734 2203", 2),
            ("734-22", 3),
            ("3167342202", 0),
        ],
    )
    def test_a_number_is_found_however_it_is_written(self, as_rep: Client, number: str, found: int) -> None:
        assert len(entries(as_rep, number=number)) == found

    @pytest.mark.parametrize(("actor", "found"), [("manager", 1), ("REP TEST", 1), ("Test", 2), ("nobody", 0)])
    def test_a_person_is_found_by_part_of_the_name(self, as_rep: Client, actor: str, found: int) -> None:
        assert len(entries(as_rep, actor=actor)) == found

    def test_filters_work_together(self, as_rep: Client) -> None:
        assert len(entries(as_rep, number="3167342203", actor="manager")) == 1

    def test_an_entry_shows_its_reason_and_what_changed(self, as_rep: Client) -> None:
        page = Page(as_rep.get("/history/", {"actor": "manager"}))
        shown = page.one("ol", aria_labelledby="entries-heading").text
        assert "We have one." in shown
        assert "Status pending rejected" in shown
        assert "UTC" in shown

    def test_htmx_gets_the_entries_alone(self, as_rep: Client) -> None:
        html = as_rep.get("/history/", headers={"HX-Request": "true"}).content.decode()
        assert html.strip().startswith('<div id="entries">')
        assert "<html" not in html

    @pytest.mark.parametrize(
        ("filters", "field", "sentence"),
        [
            ({"date_from": "yesterday"}, "date_from", "Enter a valid date"),
            ({"date_to": "2026-02-30"}, "date_to", "Enter a valid date"),
            ({"number": "316\x00734"}, "number", "Remove the null character"),
            ({"number": "abc"}, "number", "Give a number or some of its digits"),
            ({"date_from": "2026-03-02", "date_to": "2026-03-01"}, "date_to", "The last day is before the first."),
            ({"actor": "A\x00nn"}, "actor", "Remove the null character"),
            ({"actor": "x" * 301}, "actor", "at most 300 characters"),
        ],
    )
    def test_a_bad_filter_is_refused_at_its_field_and_kept(
        self, as_rep: Client, filters: dict[str, str], field: str, sentence: str
    ) -> None:
        response = as_rep.get("/history/", filters)
        page = Page(response)
        assert response.status_code == 422
        assert sentence in page.error_at(field)
        assert page.value(field) == filters[field]

    @pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
    def test_the_ends_of_the_calendar_are_dates_too(self, as_rep: Client, day: str) -> None:
        assert as_rep.get("/history/", {"date_from": day}).status_code == 200
        assert as_rep.get("/history/", {"date_to": day}).status_code == 200

    def test_nothing_found_says_so(self, as_rep: Client) -> None:
        assert "No entries here" in Page(as_rep.get("/history/", {"actor": "nobody"})).text


def at(moment: datetime, location: Account, number: str) -> Campaign:
    with time_machine.travel(moment, tick=False):
        campaign: Campaign = CampaignFactory(phone_number=number, account=location)
        return campaign


def test_days_are_those_of_the_readers_zone_and_both_ends_count(as_rep: Client, rep: User, location: Account) -> None:
    rep.time_zone = "Pacific/Honolulu"
    rep.save()
    # 23:30 on the 1st, 00:00 and 23:59 on the 2nd, 00:00 on the 3rd, by the clocks of Honolulu.
    at(datetime(2026, 3, 2, 9, 30, tzinfo=UTC), location, "3167342201")
    at(datetime(2026, 3, 2, 10, 0, tzinfo=UTC), location, "3167342202")
    at(datetime(2026, 3, 3, 9, 59, tzinfo=UTC), location, "3167342203")
    at(datetime(2026, 3, 3, 10, 0, tzinfo=UTC), location, "3167342204")
    of_the_second = entries(as_rep, date_from="2026-03-02", date_to="2026-03-02")
    assert [text.split(",")[0][-8:] for text in of_the_second] == ["734-2203", "734-2202"]
    assert len(entries(as_rep, date_from="2026-03-02")) == 3
    assert len(entries(as_rep, date_to="2026-03-02")) == 3


def test_a_long_history_has_pages_that_keep_the_filter(as_rep: Client, location: Account) -> None:
    for place in range(51):
        CampaignFactory(phone_number=f"31673422{place:02d}", account=location)
    page = Page(as_rep.get("/history/", {"actor": "factory"}))
    older = page.links("Older")[0]
    assert "actor=factory" in older
    assert page.links("Newer") == []
    second = Page(as_rep.get(f"/history/{older}"))
    assert len(second.one("ol", aria_labelledby="entries-heading").all("li")) == 1
    assert second.links("Older") == []
    back = Page(as_rep.get(f"/history/{second.links('Newer')[0]}"))
    assert entry_numbers(back) == entry_numbers(page)
    assert second.links("Newest") == ["?actor=factory"]


def test_a_filter_that_is_not_understood_finds_nothing(as_manager: Client, campaign: Campaign) -> None:
    assert "bought (316)" in Page(as_manager.get("/history/")).html
    page = Page(as_manager.get("/history/", {"date_from": "yesterday"}))
    assert "No entries here" in page.html
    assert "bought (316)" not in page.html


def test_a_persons_own_change_is_not_called_approved_by_themselves() -> None:
    entry = HistoryEntry(
        verb=Verb.NUMBER_CHANGED,
        number="3167342253",
        actor_name="Morgan",
        approved_by="Morgan",
        changes={"destination": ["3164447896", "3165550100"]},
    )
    said = "re-routed (316) 734-2253 from (316) 444-7896 to (316) 555-0100, without needing an approval"
    assert what(entry) == said
