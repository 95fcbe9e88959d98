"""What was in force at a moment."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from numbers_app.actors import Actor
from numbers_app.models import Account, Source, User, Verb
from numbers_app.services.history import NumberState, history_append
from tests.factories import CampaignFactory

from .conftest import CAKE
from .page import Page

pytestmark = pytest.mark.django_db

FIRST, MOVED = "3164447896", "3165550100"
OTHER = "3167342299"


def write(day: int, who: str, location: Account, state: NumberState, **changes: Any) -> None:
    with time_machine.travel(datetime(2026, 3, day, 18, 0, tzinfo=UTC), tick=False):
        write_now(who, location, state, **changes)


def write_now(who: str, location: Account, state: NumberState, **changes: Any) -> None:
    with transaction.atomic():
        history_append(
            actor=Actor.portal(who, source=Source.WEB),
            verb=Verb.NUMBER_CHANGED,
            number=CAKE,
            account_key=location.key,
            changes=changes,
            state=state,
        )


@pytest.fixture
def lived(location: Account, elsewhere: Account) -> None:
    """Bought on the 1st, a stop date on the 2nd, re-routed on the 3rd, the stop date moved on the 4th.

    Another number was bought on the 5th, a third one elsewhere on the 1st.
    """
    with time_machine.travel(datetime(2026, 3, 1, 18, 0, tzinfo=UTC), tick=False):
        CampaignFactory(phone_number=CAKE, account=location, destination=FIRST)
        CampaignFactory(phone_number="3167342200", account=elsewhere)
    january, june = date(2027, 1, 31), date(2027, 6, 30)
    write(2, "Ann", location, NumberState(FIRST, january), stop_date=[None, "2027-01-31"])
    write(3, "Bob", location, NumberState(MOVED, january), destination=[FIRST, MOVED])
    write(4, "Cid", location, NumberState(MOVED, june), stop_date=["2027-01-31", "2027-06-30"])
    with time_machine.travel(datetime(2026, 3, 5, 18, 0, tzinfo=UTC), tick=False):
        CampaignFactory(phone_number=OTHER, account=location, destination=FIRST)


def row(client: Client, number: str = CAKE, **asked: str) -> list[str]:
    """The cells of the number's row."""
    page = Page(client.get("/history/as-of/", {"number": number} | asked))
    assert page.status == 200
    (found,) = page.one("table").all("tr")[1:]
    return [cell.text.split(" , entry")[0] for cell in found if cell.tag in ("th", "td")]


@pytest.mark.parametrize(
    ("at", "destination", "routed", "stop", "stopped"),
    [
        ("2026-03-01T12:00", "(316) 444-7896", "Factory, Mar 1, 2026", "none", "never set"),
        ("2026-03-02T11:59", "(316) 444-7896", "Factory, Mar 1, 2026", "none", "never set"),
        ("2026-03-02T12:00", "(316) 444-7896", "Factory, Mar 1, 2026", "Jan 31, 2027", "Ann, Mar 2, 2026"),
        ("2026-03-03T12:00", "(316) 555-0100", "Bob, Mar 3, 2026", "Jan 31, 2027", "Ann, Mar 2, 2026"),
        ("", "(316) 555-0100", "Bob, Mar 3, 2026", "Jun 30, 2027", "Cid, Mar 4, 2026"),
    ],
)
@pytest.mark.usefixtures("lived")
def test_it_shows_what_was_in_force_and_who_had_set_it(
    as_rep: Client, at: str, destination: str, routed: str, stop: str, stopped: str
) -> None:
    # Times are those of the portal's zone, in which noon is 18:00 UTC.
    assert row(as_rep, at=at) == ["(316) 734-2253", "L-3", destination, routed, stop, stopped]


@pytest.mark.usefixtures("lived")
def test_before_it_was_bought_it_was_nobodys(as_rep: Client) -> None:
    assert row(as_rep, at="2026-03-01T11:59")[1:] == ["Not known here yet, or of another account"]


@pytest.mark.usefixtures("lived")
def test_the_readers_own_zone_counts(as_rep: Client, rep: User) -> None:
    rep.time_zone = "Pacific/Honolulu"
    rep.save()
    assert row(as_rep, at="2026-03-03T07:59")[2] == "(316) 444-7896"
    assert row(as_rep, at="2026-03-03T08:00")[2] == "(316) 555-0100"


@pytest.mark.usefixtures("lived")
def test_an_account_shows_all_its_numbers(signed_in: Any, auditor: User, location: Account) -> None:
    assert location.parent is not None
    asked = {"account": location.parent.key, "at": "2026-03-04T12:00"}
    page = Page(signed_in(auditor).get("/history/as-of/", asked))
    rows = [found.text for found in page.one("table").all("tr")[1:]]
    assert [text[:14] for text in rows] == ["(316) 734-2253", "(316) 734-2299"]
    assert "Not known here yet" in rows[1]
    assert "2 numbers as of" in page.text


@pytest.mark.usefixtures("lived")
def test_many_numbers_cost_no_more_queries_than_two(
    as_rep: Client, location: Account, django_assert_num_queries: Any
) -> None:
    with CaptureQueriesContext(connection) as few:
        assert len(as_rep.get("/history/as-of/", {"account": "L-3"}).context["found"]) == 2
    for place in range(20):
        CampaignFactory(phone_number=f"31673423{place:02d}", account=location)
    with django_assert_num_queries(len(few)):
        assert len(as_rep.get("/history/as-of/", {"account": "L-3"}).context["found"]) == 22


@pytest.mark.usefixtures("lived")
def test_numbers_of_other_accounts_are_not_there(as_rep: Client) -> None:
    assert "No numbers here" in Page(as_rep.get("/history/as-of/", {"number": "3167342200"})).text


@pytest.mark.parametrize(
    ("asked", "field", "sentence"),
    [
        ({"number": ""}, "number", "Give a number, or choose an account."),
        ({"number": "316-734"}, "number", "Give all ten digits"),
        ({"number": CAKE, "at": "yesterday"}, "at", "Give date and time"),
        ({"number": CAKE, "at": "9999-12-31T23:59"}, "at", "Give a year from 1900 to 8999."),
        ({"number": CAKE, "at": "0001-01-01T00:00"}, "at", "Give a year from 1900 to 8999."),
        ({"number": CAKE, "at": "0001-01-01T00:00+14:00"}, "at", "Give a year from 1900 to 8999."),
        ({"number": CAKE, "at": "2026-02-30T12:00"}, "at", "Give date and time"),
        # In Chicago the clocks went from 1:59:59 to 3:00.
        ({"number": CAKE, "at": "2026-03-08T02:30"}, "at", "That time never was"),
        ({"account": "L-30"}, "account", "Select a valid choice"),
    ],
)
@pytest.mark.usefixtures("lived")
def test_a_question_that_makes_no_sense_is_refused_at_its_field(
    as_rep: Client, asked: dict[str, str], field: str, sentence: str
) -> None:
    page = Page(as_rep.get("/history/as-of/", asked))
    assert page.status == 422
    assert sentence in page.error_at(field)


def test_an_earlier_life_of_a_number_sets_nothing_in_the_next(as_rep: Client, location: Account) -> None:
    ended = datetime(2026, 2, 1, 6, 0, tzinfo=UTC)
    with time_machine.travel(datetime(2026, 2, 1, 18, 0, tzinfo=UTC), tick=False):
        CampaignFactory(
            phone_number=CAKE, account=location, destination=FIRST, stop_date=date(2026, 1, 31), ended_at=ended
        )
    with time_machine.travel(datetime(2026, 3, 1, 18, 0, tzinfo=UTC), tick=False):
        CampaignFactory(phone_number=CAKE, account=location, destination=MOVED)
    assert row(as_rep, at="2026-02-02T12:00")[2] == "stopped, before: (316) 444-7896"
    assert row(as_rep)[2:] == ["(316) 555-0100", "Factory, Mar 1, 2026", "none", "never set"]


def test_a_clock_that_was_set_back_does_not_bring_the_older_entry_back(as_rep: Client, location: Account) -> None:
    with time_machine.travel(datetime(2026, 3, 1, 18, 0, tzinfo=UTC), tick=False):
        CampaignFactory(phone_number=CAKE, account=location, destination=FIRST)
    january, june = date(2027, 1, 31), date(2027, 6, 30)
    write(3, "Ann", location, NumberState(OTHER, january), destination=[FIRST, OTHER], stop_date=[None, "2027-01-31"])
    changes = {"destination": [OTHER, MOVED], "stop_date": ["2027-01-31", "2027-06-30"]}
    write(2, "Bob", location, NumberState(MOVED, june), **changes)
    assert row(as_rep)[2:] == ["(316) 555-0100", "Bob, Mar 2, 2026", "Jun 30, 2027", "Bob, Mar 2, 2026"]


def test_of_a_time_that_was_twice_the_later_is_shown_with_a_link_to_the_earlier(
    as_rep: Client, location: Account
) -> None:
    # In Chicago the clocks went from 1:59:59 back to 1:00, at 7:00 UTC.
    with time_machine.travel(datetime(2026, 11, 1, 6, 0, tzinfo=UTC), tick=False):
        CampaignFactory(phone_number=CAKE, account=location, destination=FIRST)
    with time_machine.travel(datetime(2026, 11, 1, 7, 0, tzinfo=UTC), tick=False):
        write_now("Bob", location, NumberState(MOVED, None), destination=[FIRST, MOVED])
    page = Page(as_rep.get("/history/as-of/", {"number": CAKE, "at": "2026-11-01T01:30"}))
    assert "as of Nov 1, 2026, 1:30:00 AM CST 2026-11-01 07:30:00 UTC" in page.text
    assert "(316) 555-0100" in page.text
    [there] = page.links("What was in force the first time")
    earlier = Page(as_rep.get(f"/history/as-of/{there}"))
    assert "as of Nov 1, 2026, 1:30:00 AM CDT 2026-11-01 06:30:00 UTC" in earlier.text
    assert "(316) 444-7896" in earlier.text
    assert not earlier.links("What was in force the first time")


def test_an_entry_leads_to_what_it_set(as_rep: Client, location: Account) -> None:
    """However shortly before it the number was changed; and again when the form it leads to is sent once more."""
    with time_machine.travel(datetime(2026, 3, 2, 18, 0, 0, 100, tzinfo=UTC), tick=False):
        CampaignFactory(phone_number=CAKE, account=location, destination=FIRST)
    with time_machine.travel(datetime(2026, 3, 2, 18, 0, 0, 123_456, tzinfo=UTC), tick=False):
        write_now("Bob", location, NumberState(MOVED, None), destination=[FIRST, MOVED])
    [there] = Page(as_rep.get("/history/2/")).links("What was in force then")
    page = Page(as_rep.get(there))
    assert "as of Mar 2, 2026, 12:00:00 PM CST 2026-03-02 18:00:00.123456 UTC" in page.text
    assert "(316) 555-0100" in page.text
    assert page.value("at") == "2026-03-02T12:00:00.124"
    # Else the browser refuses every other moment in this field.
    assert page.one("input", name="at").attributes["step"] == "0.001"
    assert row(as_rep, at=page.value("at"))[2] == "(316) 555-0100"
