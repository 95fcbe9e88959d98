"""Reports over the history: every number agrees with the list that it leads to."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Account, Order, OrderStatus, Source, User, Verb
from numbers_app.services.history import history_append
from numbers_app.templatetags.charts import column_chart
from numbers_app.views.reports import Row
from tests.factories import CampaignFactory, LocationFactory, OrderFactory

from .page import Element, Page

pytestmark = pytest.mark.django_db

NOVEMBER = {"date_from": "2026-11-01", "date_to": "2026-11-30"}
ROUTING = {"destination": ["3164447896", "3165550100"]}
STOP_DATE = {"stop_date": [None, "2027-01-31"]}
NOTES = {"notes": ["", "Busy"]}
ENTRIES_HEADING = {"aria_labelledby": "entries-heading"}


def write(
    at: datetime | str, verb: Verb, changes: dict[str, Any], account: Account | None, name: str = "Riley Reed"
) -> None:
    with time_machine.travel(at, tick=False), transaction.atomic():
        history_append(
            actor=Actor.portal(name, source=Source.WORKER),
            verb=verb,
            number="3167342253",
            account_key=account.key if account else "",
            order_id=1,
            changes=changes,
        )


@pytest.fixture
def november(location: Account, elsewhere: Account) -> None:
    """Eight changes at L-3, one elsewhere, three decisions; two changes outside the month."""
    bought = {"destination": [None, "3164447896"]}
    for at, verb, changes in (
        ("2026-10-31T12:00Z", Verb.NUMBER_BOUGHT, bought),
        ("2026-11-02T12:00Z", Verb.NUMBER_BOUGHT, bought),
        ("2026-11-12T12:00Z", Verb.NUMBER_CHANGED, ROUTING),
        ("2026-11-12T13:00Z", Verb.NUMBER_CHANGED, ROUTING),
        ("2026-11-12T14:00Z", Verb.NUMBER_CHANGED, ROUTING | STOP_DATE),
        ("2026-11-12T15:00Z", Verb.NUMBER_CHANGED, STOP_DATE),
        ("2026-11-13T12:00Z", Verb.NUMBER_CHANGED, NOTES),
        ("2026-11-13T13:00Z", Verb.NUMBER_ENDED, {"ended_at": [None, "2026-11-13T13:00:00+00:00"]}),
        ("2026-11-14T12:00Z", Verb.ORDER_APPROVED, {}),
        ("2026-11-14T13:00Z", Verb.ORDER_APPROVED, {}),
        ("2026-11-15T12:00Z", Verb.ORDER_REJECTED, {}),
        ("2026-12-01T12:00Z", Verb.NUMBER_BOUGHT, bought),
    ):
        write(at, verb, changes, location)
    write("2026-11-20T12:00Z", Verb.NUMBER_BOUGHT, bought, location, "Morgan Moss")
    write("2026-11-21T12:00Z", Verb.NUMBER_BOUGHT, bought, elsewhere, "Sam Stone")


def report(client: Client, **period: str) -> Page:
    response = client.get("/history/reports/", period or NOVEMBER)
    assert response.status_code == 200
    return Page(response)


def listed(client: Client, url: str) -> int:
    """How many entries the list behind a link shows."""
    lists = Page(client.get(url)).all("ol", **ENTRIES_HEADING)
    return len(lists[0].all("li")) if lists else 0


def table(page: Page, heading: str) -> dict[str, list[str]]:
    """The rows of a table by their headings."""
    body = page.one("div", aria_labelledby=heading).one("tbody")
    return {row.one("th").text: [cell.text for cell in row.all("td")] for row in body.all("tr")}


def counts(page: Page) -> list[Element]:
    """Every link with nothing but a number in it."""
    main = page.one("main")
    return [link for link in main.all("a") if re.fullmatch("[0-9]+", link.text)]


@pytest.mark.usefixtures("november")
class TestNumbers:
    @pytest.mark.parametrize("person", ["rep", "auditor"])
    def test_every_number_is_that_of_the_list_it_leads_to(self, person: str, request: Any, signed_in: Any) -> None:
        client = signed_in(request.getfixturevalue(person))
        links = counts(report(client))
        assert len(links) == {"rep": 20, "auditor": 23}[person]
        for link in links:
            assert listed(client, link.attributes["href"]) == int(link.text), link.attributes["href"]

    def test_the_line_of_totals(self, as_rep: Client) -> None:
        totals = report(as_rep).one("ul", aria_label="In the period").text
        assert totals == (
            "2 bought 0 imported 3 re-routed 2 stop dates moved 1 stopped 2 orders approved 1 order rejected"
        )

    def test_each_day_by_what_was_changed(self, as_rep: Client) -> None:
        days = table(report(as_rep), "by-day")
        assert days["Mon, Nov 2, 2026"] == ["1", "0", "0", "0", "0", "0", "1"]
        assert days["Thu, Nov 12, 2026"] == ["0", "0", "4", "3", "2", "0", "4"]
        assert days["Fri, Nov 13, 2026"] == ["0", "0", "1", "0", "0", "1", "2"]

    def test_days_without_anything_are_there_with_zeros(self, as_rep: Client) -> None:
        days = table(report(as_rep), "by-day")
        first, *_, last = days
        assert (first, last, len(days)) == ("Sun, Nov 1, 2026", "Mon, Nov 30, 2026", 30)
        assert days["Wed, Nov 25, 2026"] == ["0"] * 7

    def test_people_and_locations_most_changes_first(self, as_rep: Client) -> None:
        page = report(as_rep)
        people = table(page, "by-person")
        assert list(people.items()) == [
            ("Riley Reed", ["1", "0", "5", "1", "7"]),
            ("Morgan Moss", ["1", "0", "0", "0", "1"]),
        ]
        assert list(table(page, "by-location")) == [str(Account.objects.get(key="L-3"))]

    def test_a_rep_sees_nothing_of_other_accounts(self, as_rep: Client, signed_in: Any, auditor: User) -> None:
        assert "Sam Stone" not in report(as_rep).html
        assert "Elsewhere" not in report(as_rep).html
        everything = report(signed_in(auditor))
        assert table(everything, "by-person")["Sam Stone"] == ["1", "0", "0", "0", "1"]
        assert "Elsewhere (L-30)" in table(everything, "by-location")

    def test_charts_say_their_gist(self, as_rep: Client) -> None:
        names = [svg.attributes["aria-label"] for svg in report(as_rep).all("svg", role="img")]
        assert names == [
            "8 changes, most on Nov 12 (4)",
            "8 changes, most by Riley Reed (7)",
            f"8 changes, most at {Account.objects.get(key='L-3')} (8)",
        ]

    def test_the_chart_draws_each_change_once(self, as_rep: Client) -> None:
        page = report(as_rep)
        titles = [title.text for title in page.all("svg", role="img")[0].all("title")]
        assert "Nov 12: re-routed 3, stop date 1" in titles
        assert "Nov 13: other 2" in titles
        assert "Nov 14: 0" in titles
        assert "1 change of both routing and stop date" in page.text

    def test_imported_numbers_arrive_beside_bought_ones(self, as_rep: Client, location: Account) -> None:
        for hour in (12, 13):
            write(f"2026-11-02T{hour}:30Z", Verb.NUMBER_IMPORTED, {"destination": [None, "3165550100"]}, location)
        page = report(as_rep)
        assert table(page, "by-day")["Mon, Nov 2, 2026"] == ["1", "2", "0", "0", "0", "0", "3"]
        assert table(page, "by-person")["Riley Reed"] == ["1", "2", "5", "1", "9"]
        titles = [title.text for title in page.all("svg", role="img")[0].all("title")]
        assert "Nov 2: bought or imported 3" in titles
        (link,) = [link for link in counts(page) if link.text == "2" and "imported" in link.attributes["href"]][:1]
        assert listed(as_rep, link.attributes["href"]) == 2

    def test_a_period_without_changes_says_so(self, as_rep: Client) -> None:
        page = report(as_rep, date_from="2026-01-01", date_to="2026-01-31")
        assert "Nothing changed" in page.text
        assert page.all("svg", role="img") == []

    def test_reading_takes_few_queries_however_much_there_is(self, as_rep: Client, location: Account) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                report(as_rep)
            return len(captured)

        few = queries()
        for day in range(1, 29):
            write(f"2026-11-{day:02d}T12:00Z", Verb.NUMBER_CHANGED, ROUTING, location, f"Person {day}")
        assert queries() == few < 20


def test_what_is_not_known_of_imported_numbers_is_said(as_rep: Client, location: Account, elsewhere: Account) -> None:
    unknown = "bought elsewhere and imported"
    CampaignFactory(account=location)
    CampaignFactory(account=elsewhere, imported_at=timezone.now())
    assert unknown not in report(as_rep).text
    CampaignFactory(account=location, imported_at=timezone.now())
    assert f"1 of the numbers that you may see was {unknown}: what happened to it before" in report(as_rep).text
    CampaignFactory(account=location, imported_at=timezone.now())
    assert f"2 of the numbers that you may see were {unknown}: what happened to them before" in report(as_rep).text


def test_the_first_fifteen_are_named_and_the_others_counted(as_rep: Client, location: Account) -> None:
    for person in range(18):
        for _ in range(2 if person < 16 else 1):
            write("2026-11-12T12:00Z", Verb.NUMBER_CHANGED, ROUTING, location, f"Person {person:02d}")
    page = report(as_rep)
    assert list(table(page, "by-person")) == [f"Person {person:02d}" for person in range(15)]
    assert "and 3 other people with 4 changes" in page.text
    assert "34 changes, most by Person 00 (2)" in page.html


def test_days_are_those_of_the_readers_zone(as_rep: Client, rep: User, location: Account) -> None:
    rep.time_zone = "Pacific/Honolulu"
    rep.save()
    # 23:59 on the 1st, 00:00 and 23:59 on the 2nd, 00:00 on the 3rd, by the clocks of Honolulu.
    for at in ("2026-03-02T09:59Z", "2026-03-02T10:00Z", "2026-03-03T09:59Z", "2026-03-03T10:00Z"):
        write(at, Verb.NUMBER_CHANGED, ROUTING, location)
    days = table(report(as_rep, date_from="2026-03-01", date_to="2026-03-03"), "by-day")
    assert [row[-1] for row in days.values()] == ["1", "2", "1"]
    page = report(as_rep, date_from="2026-03-02", date_to="2026-03-02")
    assert [row[-1] for row in table(page, "by-day").values()] == ["2"]
    assert table(page, "by-person")["Riley Reed"][-1] == "2"


def test_a_day_of_25_hours_is_one_day(as_rep: Client, location: Account) -> None:
    # In Chicago, November 1 of 2026 lasts from 5:00 to 6:00 UTC of the next day.
    for at in ("2026-11-01T04:59Z", "2026-11-01T05:00Z", "2026-11-01T07:30Z", "2026-11-02T05:59Z", "2026-11-02T06:00Z"):
        write(at, Verb.NUMBER_CHANGED, ROUTING, location)
    days = table(report(as_rep, date_from="2026-10-31", date_to="2026-11-02"), "by-day")
    assert [row[-1] for row in days.values()] == ["1", "3", "1"]


def test_without_a_period_the_last_30_days_are_shown(as_rep: Client) -> None:
    page = Page(as_rep.get("/history/reports/"))
    today = timezone.localdate()
    assert (page.value("date_from"), page.value("date_to")) == (str(today - timedelta(days=29)), str(today))
    quick = page.one("ul", aria_label="Usual periods")
    assert [link.text for link in quick.all("a", aria_current="true")] == ["Last 30 days"]
    assert quick.all("a")[0].attributes["href"] == f"?date_from={today - timedelta(days=6)}&date_to={today}"


@pytest.mark.parametrize(
    ("period", "field", "sentence"),
    [
        ({"date_from": "2026-11-01"}, "date_to", "Give the last day."),
        ({"date_to": "2026-11-01"}, "date_from", "Give the first day."),
        ({"date_from": "yesterday", "date_to": "2026-11-01"}, "date_from", "Give a date"),
        ({"date_from": "2026-11-02", "date_to": "2026-11-01"}, "date_to", "before the first"),
        ({"date_from": "2025-11-01", "date_to": "2026-11-06"}, "date_to", "at most 370 days"),
        ({"date_from": "0001-01-01", "date_to": "9999-12-31"}, "date_to", "at most 370 days"),
    ],
)
def test_a_period_that_is_none_is_refused_at_its_field(
    as_rep: Client, period: dict[str, str], field: str, sentence: str
) -> None:
    response = as_rep.get("/history/reports/", period)
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.error_at(field)
    assert page.value("date_from") == period.get("date_from", "")
    assert page.all("svg", role="img") == []


@pytest.mark.parametrize(
    ("first", "last"), [("2025-11-01", "2026-11-05"), ("0001-01-01", "0001-01-02"), ("9999-12-30", "9999-12-31")]
)
def test_370_days_and_the_ends_of_the_calendar_are_periods(as_rep: Client, first: str, last: str) -> None:
    assert as_rep.get("/history/reports/", {"date_from": first, "date_to": last}).status_code == 200


def decide(location: Account, minutes: int, **fields: Any) -> None:
    """An order decided so many minutes after it was asked for, with its entry."""
    at = datetime(2026, 11, 10, 12, tzinfo=UTC)
    fields = {"status": OrderStatus.REJECTED, "decider_id": 99, "decided_at": at} | fields
    order: Order = OrderFactory(account=location, submitted_at=at - timedelta(minutes=minutes), **fields)
    with time_machine.travel(at, tick=False), transaction.atomic():
        history_append(
            actor=Actor.portal("Morgan Moss", source=Source.WORKER),
            verb=Verb.ORDER_REJECTED,
            account_key=order.account.key,
            order_id=order.pk,
        )


@pytest.mark.parametrize(
    ("waits", "words"),
    [([10, 20, 400], "20 minutes"), ([60, 90], "1 hour, 15 minutes"), ([0], "less than a minute")],
)
def test_half_of_the_decisions_took_at_most_the_median(
    as_rep: Client, location: Account, elsewhere: Account, waits: list[int], words: str
) -> None:
    for minutes in waits:
        decide(location, minutes)
    decide(elsewhere, 5000)
    decide(location, 6000, decided_at=datetime(2026, 12, 24, tzinfo=UTC))
    text = report(as_rep).text.replace("\xa0", " ")
    assert f"Half of the orders were decided within {words} of being asked for." in text


def test_what_needed_nobodys_approval_waited_for_nobody(as_rep: Client, location: Account) -> None:
    decide(location, 30, self_approved=True)
    assert "Half of the orders" not in report(as_rep).text


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\"><img src=x onerror='alert(1)'>", "{{ 7 }}&amp;"])
def test_names_are_text_in_charts_and_tables(as_rep: Client, location: Account, text: str) -> None:
    location.name = text
    location.save()
    write("2026-11-12T12:00Z", Verb.NUMBER_CHANGED, ROUTING, location, text)
    page = report(as_rep)
    assert text not in page.html or text == "{{ 7 }}&amp;"
    assert list(table(page, "by-person")) == [text]
    assert list(table(page, "by-location")) == [f"{text} (L-3)"]
    assert page.all("svg", role="img")[1].all("title")[0].text == f"{text}: 1"
    for link in counts(page):
        assert listed(as_rep, link.attributes["href"]) == int(link.text)


def test_a_location_that_was_removed_from_the_tree_keeps_its_key(signed_in: Any, auditor: User) -> None:
    gone = LocationFactory.build(key="L-99")
    write("2026-11-12T12:00Z", Verb.NUMBER_CHANGED, ROUTING, gone)
    assert list(table(report(signed_in(auditor)), "by-location")) == ["L-99"]


def test_a_column_chart_is_as_high_as_its_highest_column() -> None:
    days = [Row(str(date(2026, 11, day)), "", [], values) for day, values in ((1, (3, 1)), (2, (0, 0)), (3, (1, 0)))]
    chart = column_chart(days, ("Bought", "Other"), name="days", unit="change", most="on")
    assert [part["height"] for part in chart["columns"][0]["parts"]] == ["120.0", "40.0"]
    assert chart["columns"][0]["parts"][1]["y"] == "0.0"
    assert chart["columns"][1]["parts"] == []
    assert chart["top"] == 4
    empty = column_chart([], ("Bought",), name="days", unit="stop date", most="in the week of")
    assert (empty["gist"], empty["columns"]) == ("No stop dates", [])
