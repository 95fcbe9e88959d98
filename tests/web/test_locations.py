"""The tree of Locations: what is where, what changed, reading it anew, and setting a time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, HistoryEntry, Source, User, Verb
from numbers_app.services.account_sync import CLAIM, STATE, accounts_sync_if_due, accounts_sync_run, accounts_sync_state
from numbers_app.tasks import sync_accounts
from tests.accounts.tree import callcap_lists, node, tree
from tests.factories import CampaignFactory, DivisionFactory, GrantFactory, LocationFactory

from .conftest import CAKE, HTMX, Purchase
from .page import Page

pytestmark = pytest.mark.django_db

URL, SYNC, ZONE = "/locations/", "/locations/sync/", "/locations/L-3/zone/"
CLOCK = Actor.portal("Clock", source=Source.WORKER)


@pytest.fixture(autouse=True)
def _nothing_remembered(db: None) -> Any:
    cache.delete_many([STATE, CLAIM])
    yield
    cache.delete_many([STATE, CLAIM])


@pytest.fixture
def salina(monkeypatch: pytest.MonkeyPatch) -> None:
    """Callcap lists one Location, L-3, in a place and by a name that the portal does not know yet."""
    callcap_lists(monkeypatch, *tree(name="Prairie Comfort Salina"))


def counts(client: Client) -> dict[str, list[str]]:
    """{account key: numbers, orders waiting, bought this month}, in the order of the page."""
    rows = Page(client.get(URL)).one("table").all("tr")[1:]
    return {
        row.one("th").all("span")[0].text.split()[-1]: [cell.text.split()[0] for cell in row.all("td")[:3]]
        for row in rows
    }


# --- the tree ------------------------------------------------------------------------------------------------------


def test_each_account_shows_the_sums_of_what_is_below_it(
    auditor: User, rep: User, location: Account, elsewhere: Account, purchase: Purchase, signed_in: Any
) -> None:
    assert location.parent
    sister = LocationFactory(key="L-5", callcap_id=5, parent=location.parent, name="Another")
    CampaignFactory(phone_number="3167340001", account=location)
    CampaignFactory(phone_number="3167340002", account=sister)
    CampaignFactory(phone_number="3167340003", account=sister, ended_at=timezone.now())
    CampaignFactory(phone_number="3167340004", account=elsewhere)
    purchase(CAKE)
    found = counts(signed_in(auditor))
    top, division = location.path.strip("/").split("/")[:2]
    assert found[top] == found[division] == ["2", "1", "3"]
    assert (found["L-3"], found["L-5"], found["L-30"]) == (["1", "1", "1"], ["1", "0", "2"], ["1", "0", "1"])
    keys = list(found)
    start = keys.index(top)
    assert keys[start : start + 4] == [top, division, "L-5", "L-3"]


def test_what_was_bought_before_this_month_is_not_counted(as_rep: Client, location: Account) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=40)):
        CampaignFactory(phone_number="3167340001", account=location)
    assert counts(as_rep) == {"L-3": ["1", "0", "0"]}


def test_the_month_is_that_of_the_reader_s_clocks_also_when_they_are_put_back_in_it(
    location: Account, rep: User, signed_in: Any
) -> None:
    """In Chicago the first of November 2026, on which the clocks are put back, begins at 05:00 UTC."""
    midnight = datetime(2026, 11, 1, 5, tzinfo=UTC)
    for number, moment in (("3167340001", midnight - timedelta(minutes=1)), ("3167340002", midnight)):
        with time_machine.travel(moment, tick=False):
            CampaignFactory(phone_number=number, account=location)
    with time_machine.travel(datetime(2026, 11, 20, 18, tzinfo=UTC), tick=False):
        client = signed_in(rep)
        assert counts(client) == {"L-3": ["2", "0", "1"]}
        [there] = Page(client.get(URL)).links("bought this month for L-3")
        found = Page(client.get(there)).text
        assert ("(316) 734-0001" in found, "(316) 734-0002" in found) == (False, True)


def test_nobody_sees_accounts_that_were_not_granted(as_rep: Client, elsewhere: Account) -> None:
    assert list(counts(as_rep)) == ["L-3"]


def test_the_page_costs_the_same_for_two_locations_as_for_forty(as_rep: Client, rep: User, location: Account) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            as_rep.get(URL)
        return len(caught)

    division = DivisionFactory()
    GrantFactory(user=rep, account=division)
    queries()
    few = queries()
    for place in range(40):
        CampaignFactory(phone_number=f"31673400{place:02d}", account=LocationFactory(parent=division))
    assert queries() == few


def test_a_vanished_location_stays_with_its_numbers_and_takes_no_orders(
    as_rep: Client, location: Account, campaign: Campaign, purchase: Purchase
) -> None:
    Account.objects.filter(pk=location.pk).update(active=False)
    assert "Gone from Callcap last listed" in Page(as_rep.get(URL)).one("table").text
    assert counts(as_rep)["L-3"][0] == "1"
    assert Page(as_rep.get("/numbers/")).links("(316) 734-2253") == [f"/numbers/{CAKE}/"]
    assert as_rep.get(f"/numbers/{CAKE}/").status_code == 200
    with pytest.raises(PermissionDenied):
        purchase("3167340001")
    assert "L-3" not in Page(as_rep.get("/orders/new/?number=3167340001")).choices("account")


def test_what_changed_within_thirty_days_is_named_with_its_entry(as_manager: Client, salina: None) -> None:
    accounts_sync_run(actor=CLOCK)
    page = Page(as_manager.get(URL))
    entry = HistoryEntry.objects.get(account_key="L-3", verb=Verb.ACCOUNT_CHANGED, changes__has_key="name")
    assert "renamed from Location 3 to Prairie Comfort Salina, moved to another place in the tree" in page.text
    assert page.links(f"entry {entry.sequence}") == [f"/history/{entry.sequence}/"]
    with time_machine.travel(timezone.now() + timedelta(days=31), tick=False):
        as_manager.force_login(User.objects.get(username="manager"))
        assert "renamed" not in Page(as_manager.get(URL)).text


# --- reading it anew -----------------------------------------------------------------------------------------------


def test_a_manager_lets_the_worker_read_the_tree_and_sees_how_it_stands(as_manager: Client, salina: None) -> None:
    assert as_manager.post(SYNC)["Location"] == URL
    page = Page(as_manager.get(URL))
    assert "Prairie Comfort Salina" not in page.text
    assert "Being read from Callcap" in page.text
    assert page.one("div", id="locations").attributes["hx-trigger"] == "every 3s"
    assert not page.all("form", action=SYNC)
    sync_accounts.call()
    part = Page(as_manager.get(URL, headers=HTMX))
    assert "hx-trigger" not in part.one("div", id="locations").attributes
    assert "Prairie Comfort Salina" in part.text
    assert not part.all("h1")


def test_asking_twice_rings_the_worker_once(as_manager: Client) -> None:
    for _ in range(2):
        as_manager.post(SYNC)
    assert DBTaskResult.objects.filter(task_path=sync_accounts.module_path).count() == 1
    assert Page(as_manager.get(URL)).alerts[-1] == "The Locations are being read already."


def test_what_nobody_has_read_after_a_quarter_of_an_hour_can_be_asked_for_again(as_manager: Client) -> None:
    as_manager.post(SYNC)
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        page = Page(as_manager.get(URL))
        assert "The reading that Manager Test began" in page.text
        assert "Perhaps the worker or the clock was stopped" in page.text
        assert page.all("form", action=SYNC)


def test_vendor_trouble_is_shown_until_a_reading_succeeds(
    as_manager: Client, rep: User, signed_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    callcap_lists(monkeypatch)
    assert accounts_sync_run(actor=CLOCK) is None
    said = Page(signed_in(rep).get(URL)).text
    assert "The last try failed" in said
    assert "Callcap listed no accounts at all. The accounts stay as they were." in said
    callcap_lists(monkeypatch, *tree())
    assert accounts_sync_run(actor=CLOCK)
    assert "The last try failed" not in Page(as_manager.get(URL)).text


def test_trouble_of_the_portal_s_own_is_shown_and_still_raised(
    as_manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numbers_app.services.account_sync._read_tree", lambda: iter([1 / 0]))
    with pytest.raises(ZeroDivisionError):
        accounts_sync_run(actor=CLOCK)
    assert "The portal itself failed" in Page(as_manager.get(URL)).text
    assert not accounts_sync_state().is_being_read


def test_many_that_are_gone_are_taken_over_once_a_manager_says_so(
    as_manager: Client, rep: User, signed_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    callcap_lists(monkeypatch, *tree(), node("L-5", above="D-1"))
    accounts_sync_run(actor=CLOCK)
    callcap_lists(monkeypatch, *tree()[:2])
    accounts_sync_run(actor=CLOCK)
    page = Page(as_manager.get(URL))
    assert "Callcap lists none of 2 accounts that lay side by side." in page.text
    assert "even_if_many_are_gone" not in Page(signed_in(rep).get(URL)).text
    as_manager.post(SYNC, {"even_if_many_are_gone": "1"})
    [asked] = DBTaskResult.objects.filter(task_path=sync_accounts.module_path)
    sync_accounts.call(**asked.args_kwargs["kwargs"])
    assert not Account.objects.filter(key__in=["L-3", "L-5"], active=True).exists()
    assert "The last try failed" not in Page(as_manager.get(URL)).text


def test_two_readings_do_not_run_at_once(salina: None) -> None:
    cache.add(CLAIM, "Clock", 60)
    assert accounts_sync_run(actor=CLOCK) is None
    assert not Account.objects.exists()
    cache.delete(CLAIM)
    assert accounts_sync_run(actor=CLOCK)
    assert accounts_sync_run(actor=CLOCK)


def test_the_clock_reads_what_was_not_read_for_a_while(salina: None, location: Account) -> None:
    assert accounts_sync_if_due(actor=CLOCK) is None
    Account.objects.update(synced_at=timezone.now() - timedelta(minutes=31))
    assert accounts_sync_if_due(actor=CLOCK)
    assert accounts_sync_if_due(actor=CLOCK) is None


# --- the time zone -------------------------------------------------------------------------------------------------


def test_a_zone_is_set_on_a_page_of_its_own(as_manager: Client, location: Account) -> None:
    page = Page(as_manager.get(ZONE))
    assert page.value("time_zone") == "America/Chicago"
    assert {"America/Denver", "Pacific/Honolulu", "America/Phoenix"} <= set(page.choices("time_zone"))
    response = as_manager.post(ZONE, {"time_zone": "America/Phoenix"})
    assert response["Location"] == URL
    page = Page(as_manager.get(URL))
    assert page.alerts == ["The time zone of Location 3 (L-3) is America/Phoenix."]
    assert "time zone America/Phoenix, before America/Chicago" in page.text
    location.refresh_from_db()
    assert location.time_zone == "America/Phoenix"


@pytest.mark.parametrize("zone", ["", "US/Nowhere", "a\x00b"])
def test_what_is_no_zone_is_refused_at_the_field(as_manager: Client, location: Account, zone: str) -> None:
    response = as_manager.post(ZONE, {"time_zone": zone})
    assert response.status_code == 422
    assert "Choose" in Page(response).error_at("time_zone")


def test_the_zone_is_offered_only_where_it_may_be_set(
    as_rep: Client, auditor: User, as_manager: Client, signed_in: Any, admin: User, elsewhere: Account
) -> None:
    def offered(client: Client) -> list[str]:
        return Page(client.get(URL)).links("Change the time zone")

    assert [offered(as_rep), offered(signed_in(auditor)), offered(as_manager)] == [[], [], [ZONE]]
    assert sorted(offered(signed_in(admin))) == [ZONE, "/locations/L-30/zone/"]
    assert as_manager.get("/locations/L-30/zone/").status_code == 404
    division = elsewhere.path.split("/")[-3]
    assert signed_in(admin).get(f"/locations/{division}/zone/").status_code == 404


def test_stop_dates_follow_the_zone(as_manager: Client, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, stop_date=date(2098, 1, 1))
    as_manager.post(ZONE, {"time_zone": "America/Phoenix"})
    assert "(America/Phoenix time)" in Page(as_manager.get("/numbers/stopping/")).text
