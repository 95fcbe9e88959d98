"""Numbers that stop: the weeks ahead, the list by stop date, its filters, and what each row offers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from numbers_app.models import Account, Campaign, User
from numbers_app.selectors.stopping import campaigns_stopping, stops_by_week, stops_within, today_by_zone
from tests.factories import CampaignFactory, GrantFactory, LocationFactory

from .conftest import CAKE, Purchase
from .page import Page

pytestmark = pytest.mark.django_db

URL = "/numbers/stopping/"
# A Thursday; noon in Chicago.
NOON = datetime(2026, 11, 26, 18, tzinfo=UTC)

type Stops = Callable[..., Campaign]


@pytest.fixture(autouse=True)
def _noon() -> Any:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def stops(location: Account) -> Stops:
    """``stops("3167342253", 5)``: a number of L-3 that stops in so many days."""

    def make(number: str, days: int | date | None, account: Account = location, **fields: Any) -> Campaign:
        stop_date = date(2026, 11, 26) + timedelta(days=days) if isinstance(days, int) else days
        made: Campaign = CampaignFactory(phone_number=number, account=account, stop_date=stop_date, **fields)
        return made

    return make


def listed(client: Client, query: str = "") -> list[str]:
    """The numbers of the list, as they stand in it."""
    found = Page(client.get(URL + query))
    return [link.text for row in found.all("tr") for link in row.all("a", class_="number")]


def week_counts(client: Client, query: str = "") -> dict[str, str]:
    table = Page(client.get(URL + query)).one("table", class_="table chart-table")
    rows = [(row.one("th").text, row.one("td").text) for row in table.all("tr")[1:]]
    return {week: count for week, count in rows if count != "0"}


def test_the_first_to_stop_comes_first_with_the_days_that_are_left(as_rep: Client, stops: Stops) -> None:
    stops("3167340003", 34)
    stops("3167340001", 0)
    stops("3167340002", 1)
    stops("3167340000", -2)
    page = Page(as_rep.get(URL))
    rows = [[cell.text for cell in row.all("td")] for row in page.all("table")[-1].all("tr")[1:]]
    assert listed(as_rep) == ["(316) 734-0000", "(316) 734-0001", "(316) 734-0002", "(316) 734-0003"]
    assert [row[4] for row in rows] == ["passed 2 days ago", "today is the last day", "1 day", "34 days"]
    assert rows[3][3] == "Dec 30, 2026 (America/Chicago time)"
    assert "by the date and time zone of the Location" in page.text
    assert "1 stop date has passed." in page.text


def test_what_runs_on_or_has_stopped_is_not_listed(as_rep: Client, stops: Stops) -> None:
    stops("3167340001", None)
    stops("3167340002", date(2099, 1, 1))
    stops("3167340003", -5, ended_at=NOON)
    assert listed(as_rep) == []
    assert "Nothing stops" in Page(as_rep.get(URL)).text


def test_days_are_those_of_the_location(rep: User, stops: Stops, signed_in: Any) -> None:
    """At ten in the evening in Honolulu it is already the next day in Chicago."""
    honolulu = LocationFactory(key="L-28", callcap_id=28, time_zone="Pacific/Honolulu")
    GrantFactory(user=rep, account=honolulu)
    stops("3167340001", 31)
    stops("3167340002", 31, honolulu)
    with time_machine.travel(datetime(2026, 11, 27, 8, tzinfo=UTC), tick=False):
        client = signed_in(rep)
        assert listed(client, "?within=30") == ["(316) 734-0001"]
        page = Page(client.get(URL))
    assert "Dec 27, 2026 (Pacific/Honolulu time)" in page.text
    assert [cell.text for cell in page.all("td", data_label="Left")] == ["30 days", "31 days"]


def test_the_list_is_narrowed_by_window_and_part_of_the_tree(as_rep: Client, rep: User, stops: Stops) -> None:
    other = LocationFactory(key="L-28", callcap_id=28)
    GrantFactory(user=rep, account=other)
    stops("3167340001", 30)
    stops("3167340002", 31)
    stops("3167340003", 90, other)
    assert listed(as_rep, "?within=30") == ["(316) 734-0001"]
    assert listed(as_rep, "?within=60") == ["(316) 734-0001", "(316) 734-0002"]
    assert listed(as_rep, "?within=90&account=L-28") == ["(316) 734-0003"]
    assert week_counts(as_rep, "?within=30&account=L-28") == {"Feb 22 to Feb 28, 2027": "1"}


@pytest.mark.parametrize("query", ["?within=31", "?account=L-999", "?within=%00"])
def test_a_filter_that_is_none_is_refused_and_finds_nothing(as_rep: Client, stops: Stops, query: str) -> None:
    stops("3167340001", 5)
    assert as_rep.get(URL + query).status_code == 422
    assert listed(as_rep, query) == []


def test_each_week_of_half_a_year_is_counted_and_leads_to_its_numbers(as_rep: Client, stops: Stops) -> None:
    for place, days in enumerate((0, 3, 4, 200, -1)):
        stops(f"316734000{place}", days)
    assert week_counts(as_rep) == {"Nov 23 to Nov 29, 2026": "2", "Nov 30 to Dec 6, 2026": "1"}
    page = Page(as_rep.get(URL))
    assert len(page.one("table", class_="table chart-table").all("tr")) == 27
    assert page.one("figure").one("svg", role="img").attributes["aria-label"] == (
        "3 numbers, most in the week of Nov 23 (2)"
    )
    [there] = {link for link in page.links("2") if "stop_from=2026-11-23" in link}
    assert "stop_to=2026-11-29" in there
    assert as_rep.get(there).status_code == 200


def test_a_date_before_this_week_s_monday_that_has_not_passed_counts_in_the_first_week(stops: Stops, rep: User) -> None:
    stops("3167340001", date(2026, 11, 29))
    weeks = stops_by_week(campaigns_stopping(rep), date(2026, 11, 30))
    assert [week.numbers for week in weeks[:2]] == [1, 0]


def test_nobody_sees_numbers_of_accounts_that_were_not_granted(
    as_rep: Client, stops: Stops, elsewhere: Account, auditor: User, signed_in: Any
) -> None:
    stops("3167340001", 5)
    stops("3167340002", 5, elsewhere)
    assert listed(as_rep) == ["(316) 734-0001"]
    assert week_counts(as_rep) == {"Nov 30 to Dec 6, 2026": "1"}
    assert len(listed(signed_in(auditor))) == 2


def test_who_may_not_act_is_offered_nothing(stops: Stops, auditor: User, signed_in: Any) -> None:
    stops("3167340001", 5)
    page = Page(signed_in(auditor).get(URL))
    assert page.values("number") == []
    assert page.all("button", name="by") == []


def test_a_row_says_on_its_buttons_to_which_date_they_extend(as_rep: Client, stops: Stops) -> None:
    stops(CAKE, 5)
    texts = [button.text for button in Page(as_rep.get(URL)).all("button", name="by")]
    assert texts[2:] == [
        "Extend (316) 734-2253 by 30 days, to Dec 31, 2026",
        "Extend (316) 734-2253 by 90 days, to Mar 1, 2027",
    ]


def test_a_row_shows_the_order_that_may_still_move_its_date(
    as_rep: Client, stops: Stops, change: Purchase, signed_in: Any, manager: User
) -> None:
    order = change(stops(CAKE, 5), stop_date="2027-05-01")
    change(stops("3167340001", 6), destination="3165550100")
    page = Page(as_rep.get(URL))
    row = page.one("tr", id=f"number-{CAKE}")
    assert f"Waiting for approval Order {order.pk} : to May 1, 2027" in row.text
    assert f"Take back order {order.pk}" in row.text
    assert row.all("button", name="by") == []
    assert len(page.one("tr", id="number-3167340001").all("button", name="by")) == 2
    as_rep.post(f"/orders/{order.pk}/cancel/")
    assert len(Page(as_rep.get(URL)).one("tr", id=f"number-{CAKE}").all("button", name="by")) == 2


def test_long_lists_have_numbered_pages_that_keep_the_filter(as_rep: Client, stops: Stops) -> None:
    for place in range(51):
        stops(f"31673400{place:02d}", 10)
    assert (len(listed(as_rep, "?within=30")), len(listed(as_rep, "?within=30&page=2"))) == (50, 1)
    assert Page(as_rep.get(URL + "?within=30")).links("Next") == ["?within=30&page=2"]


def test_the_page_costs_the_same_for_one_number_as_for_fifty(as_rep: Client, stops: Stops) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            as_rep.get(URL)
        return len(caught)

    stops("3167341000", 10)
    queries()
    few = queries()
    for place in range(50):
        stops(f"31673400{place:02d}", 10)
    assert queries() == few


def test_a_stop_date_at_the_end_of_the_calendar_is_no_trouble(as_rep: Client, stops: Stops) -> None:
    stops(CAKE, date(9999, 12, 31))
    page = Page(as_rep.get(URL))
    assert [button.text for button in page.all("button", name="by")] == ["Extend to this day", "Let them run on"]
    assert as_rep.get(f"/numbers/{CAKE}/extend/").status_code == 200


def test_windows_hold_for_locations_whose_zone_is_not_known(stops: Stops, rep: User, location: Account) -> None:
    Account.objects.filter(pk=location.pk).update(time_zone="")
    stops(CAKE, 30)
    found = campaigns_stopping(rep).filter(stops_within(30, today_by_zone()))
    assert [campaign.phone_number for campaign in found] == [CAKE]
