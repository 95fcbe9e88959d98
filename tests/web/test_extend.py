"""Moving a stop date to a later day: one number at a press, a typed date after a second look, several as a batch."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from numbers_app.models import Account, Batch, BatchRow, Campaign, Order, OrderStatus, User
from tests.factories import CampaignFactory

from .conftest import CAKE
from .page import Page

pytestmark = pytest.mark.django_db

LIST = "/numbers/stopping/"
URL = f"/numbers/{CAKE}/extend/"
SEVERAL = "/numbers/stopping/extend/"
# Noon in Chicago.
NOON = datetime(2026, 11, 26, 18, tzinfo=UTC)
STOPS = date(2026, 12, 31)
# What the buttons by 30 and 90 days send: the date that stands on them.
BY_30, BY_90 = "2027-01-30", "2027-03-31"


@pytest.fixture(autouse=True)
def _noon_with_time_to_undo(settings: Any) -> Any:
    settings.APPROVAL_UNDO_SECONDS = 10
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def stopping(location: Account) -> Campaign:
    campaign: Campaign = CampaignFactory(phone_number=CAKE, account=location, stop_date=STOPS)
    return campaign


def row_of(client: Client) -> dict[str, Any]:
    """What the row's form sends, without the button."""
    return {name: values[0] for name, values in Page(client.get(LIST)).filled(URL).items() if name != "by"}


def buttons(client: Client) -> list[Any]:
    """The buttons of the row."""
    return Page(client.get(LIST)).one("tr", id=f"number-{CAKE}").all("button", name="by")


def press(client: Client, by: str, **typed: Any) -> Any:
    return client.post(URL, row_of(client) | {"by": by} | typed)


def wished() -> str:
    return str(Order.objects.get().parameters["stop_date"])


# --- at a press ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "until"), [(30, BY_30), (90, BY_90)])
def test_a_managers_press_sends_the_change_after_the_time_to_undo(
    as_manager: Client, manager: User, stopping: Campaign, days: int, until: str
) -> None:
    [button] = [found for found in buttons(as_manager) if f"by {days} days" in found.text]
    response = press(as_manager, button.attributes["value"] or "")
    order = Order.objects.get()
    assert (order.kind, order.status, order.self_approved) == ("change", OrderStatus.APPROVED, True)
    assert (order.parameters, order.before) == ({"stop_date": until}, {"stop_date": "2026-12-31"})
    assert order.execute_after == NOON + timedelta(seconds=10)
    assert response["Location"] == f"{LIST}#number-{CAKE}"
    page = Page(as_manager.get(LIST))
    assert page.alerts == [
        f"Order {order.pk} for (316) 734-2253 is on its way to Callcap. You can take it back for 10 seconds."
    ]
    assert page.one("tr", id=f"number-{CAKE}").all("form", action=f"/orders/{order.pk}/cancel/")
    take_back = page.filled(f"/orders/{order.pk}/cancel/")
    assert as_manager.post(f"/orders/{order.pk}/cancel/", take_back)["Location"] == f"{LIST}#number-{CAKE}"
    order.refresh_from_db()
    assert order.status == OrderStatus.CANCELLED


def test_a_reps_press_waits_for_a_manager_and_says_so(as_rep: Client, stopping: Campaign) -> None:
    press(as_rep, BY_30)
    order = Order.objects.get()
    assert (order.status, wished()) == (OrderStatus.PENDING, "2027-01-30")
    assert Page(as_rep.get(LIST)).alerts == [
        f"Order {order.pk} waits for a manager. Until then (316) 734-2253 stops when it did."
    ]


def test_days_are_counted_from_today_once_the_stop_date_has_passed(as_rep: Client, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, stop_date=date(2026, 11, 20))
    assert [button.attributes["value"] for button in buttons(as_rep)] == ["2026-12-26", "2027-02-24"]
    press(as_rep, "2026-12-26")
    assert wished() == "2026-12-26"


def test_a_button_whose_date_is_no_longer_that_many_days_ahead_asks_for_nothing(
    as_rep: Client, rep: User, location: Account
) -> None:
    """What is counted from today is another date past midnight; no other is asked for than the one on the button."""
    CampaignFactory(phone_number=CAKE, account=location, stop_date=date(2026, 11, 20))
    sent = row_of(as_rep) | {"by": "2026-12-26"}
    with time_machine.travel(NOON + timedelta(hours=13), tick=False):
        as_rep.force_login(rep)
        response = as_rep.post(URL, sent)
        assert (response.status_code, "Say until when." in Page(response).error_at("by")) == (422, True)
    assert not Order.objects.exists()


def test_an_order_that_may_move_the_date_already_is_named_before_another_is_made(
    as_rep: Client, stopping: Campaign
) -> None:
    press(as_rep, BY_30)
    order = Order.objects.get()
    page = Page(as_rep.get(URL))
    assert f"Order {order.pk} by Rep Test may move it already, to Jan 30, 2027" in page.text
    assert f"/orders/{order.pk}/" in page.links(f"Order {order.pk}")


def confirm_beside_another(client: Client, response: Any) -> Any:
    """Confirm on the page that names the order made first."""
    page = Page(response)
    assert (response.status_code, page.heading) == (200, "Confirm the new stop date of (316) 734-2253")
    order = Order.objects.get()
    assert f"/orders/{order.pk}/" in page.links(f"Order {order.pk}")
    return client.post(URL, page.filled(URL) | {"confirmed": "1"})


def test_a_press_while_another_order_waits_names_that_one_and_asks_once_more(
    as_rep: Client, stopping: Campaign
) -> None:
    first, second = row_of(as_rep), row_of(as_rep)
    as_rep.post(URL, first | {"by": BY_30})
    response = as_rep.post(URL, second | {"by": BY_90})
    assert Order.objects.count() == 1
    assert "Of two orders that move it, only the first is carried out." in Page(response).text
    confirm_beside_another(as_rep, response)
    assert [order.parameters["stop_date"] for order in Order.objects.order_by("pk")] == [BY_30, BY_90]


def test_without_time_to_undo_a_manager_looks_at_the_change_once_more(
    as_manager: Client, stopping: Campaign, settings: Any
) -> None:
    settings.APPROVAL_UNDO_SECONDS = 0
    page = Page(press(as_manager, BY_30))
    assert page.heading == "Confirm the new stop date of (316) 734-2253"
    assert not Order.objects.exists()
    as_manager.post(URL, page.filled(URL) | {"confirmed": "1"})
    assert wished() == "2027-01-30"


def test_without_time_to_undo_a_reps_press_still_waits_for_a_manager(
    as_rep: Client, stopping: Campaign, settings: Any
) -> None:
    settings.APPROVAL_UNDO_SECONDS = 0
    assert press(as_rep, BY_30).status_code == 302
    assert Order.objects.get().status == OrderStatus.PENDING


def test_the_same_press_twice_makes_one_order(as_rep: Client, stopping: Campaign) -> None:
    sent = row_of(as_rep) | {"by": BY_30}
    assert as_rep.post(URL, sent)["Location"] == as_rep.post(URL, sent)["Location"]
    assert Order.objects.count() == 1


def test_the_same_press_after_the_number_was_changed_leads_to_its_order(as_rep: Client, stopping: Campaign) -> None:
    sent = row_of(as_rep) | {"by": BY_30}
    as_rep.post(URL, sent)
    order = Order.objects.get()
    Campaign.objects.update(version=2)
    assert as_rep.post(URL, sent)["Location"] == f"/orders/{order.pk}/"
    assert Page(as_rep.get(f"/orders/{order.pk}/")).alerts[-1] == f"This form has made order {order.pk} already."


def test_a_used_form_sent_with_another_step_is_refused_and_can_be_sent_anew(as_rep: Client, stopping: Campaign) -> None:
    sent = row_of(as_rep)
    as_rep.post(URL, sent | {"by": BY_30})
    response = as_rep.post(URL, sent | {"by": BY_90})
    page = Page(response)
    assert response.status_code == 422
    assert "This form was already sent, with other values." in page.summary
    assert confirm_beside_another(as_rep, as_rep.post(URL, page.filled(URL))).status_code == 302
    assert [order.parameters["stop_date"] for order in Order.objects.order_by("pk")] == ["2027-01-30", "2027-03-31"]


# --- moved meanwhile -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [{"by": BY_30}, {"by": "date", "until": "2020-01-01"}, {}])
def test_a_number_that_was_changed_meanwhile_is_a_conflict(
    as_manager: Client, stopping: Campaign, typed: dict[str, str]
) -> None:
    sent = row_of(as_manager) | typed
    Campaign.objects.update(version=2)
    response = as_manager.post(URL, sent)
    page = Page(response)
    assert response.status_code == 409
    assert "Factory changed (316) 734-2253 after you opened the page. It stops on Dec 31, 2026." in page.text
    assert page.links("See how it is now") == [LIST]
    assert not Order.objects.exists()


def test_a_number_of_a_location_that_is_gone_is_not_extended(as_manager: Client, stopping: Campaign) -> None:
    Account.objects.update(active=False)
    page = Page(as_manager.get(LIST))
    assert "Gone from Callcap" in page.one("tr", id=f"number-{CAKE}").text
    assert (page.all("button", name="by"), page.values("number")) == ([], [])
    response = as_manager.post(URL, {"by": BY_30, "version": 1})
    assert (response.status_code, "no change of it can be sent" in Page(response).text) == (409, True)
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"stop_date": None}, "runs on"),
        ({"stop_date": date(2099, 1, 1)}, "runs on"),
        ({"stop_date": date(2026, 11, 1), "ended_at": NOON}, "has stopped"),
    ],
)
def test_a_number_without_a_stop_date_ahead_has_nothing_to_extend(
    as_manager: Client, location: Account, fields: dict[str, Any], why: str
) -> None:
    CampaignFactory(phone_number=CAKE, account=location, **fields)
    said = f"(316) 734-2253 {why}: there is no stop date to move."
    response = as_manager.post(URL, {"by": BY_30, "version": 1})
    assert (response.status_code, said in Page(response).text) == (409, True)
    assert as_manager.get(URL)["Location"] == f"/numbers/{CAKE}/"
    assert Page(as_manager.get(f"/numbers/{CAKE}/")).alerts == [said]
    assert not Order.objects.exists()


# --- a typed date, and running on ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "shown", "said"),
    [
        ({"by": "date", "until": "2027-02-01"}, "Feb 1, 2027", "32 days later than now"),
        ({"by": "run_on"}, "runs on (2099-01-01)", "costs for ever"),
    ],
)
def test_a_typed_date_and_running_on_are_shown_once_more(
    as_manager: Client, stopping: Campaign, typed: dict[str, str], shown: str, said: str
) -> None:
    form = Page(as_manager.get(URL)).filled(URL)
    page = Page(as_manager.post(URL, form | typed | {"reason": "The fair goes on <b>"}))
    [row] = page.one("table", class_="diff").all("tr")[1:]
    assert row.one("del").text == "Dec 31, 2026 (America/Chicago time) 35 days left"
    assert row.one("ins").text.startswith(shown)
    assert said in page.text
    assert not Order.objects.exists()
    as_manager.post(URL, page.filled(URL) | {"confirmed": "1"})
    assert (wished(), Order.objects.get().reason) == (typed.get("until", "2099-01-01"), "The fair goes on <b>")


def test_edit_again_keeps_what_was_typed(as_rep: Client, stopping: Campaign) -> None:
    form = Page(as_rep.get(URL)).filled(URL)
    shown = Page(as_rep.post(URL, form | {"by": "date", "until": "2027-02-01", "reason": "Fair"}))
    page = Page(as_rep.post(URL, shown.filled(URL) | {"back": "1"}))
    assert (page.value("until"), page.value("reason"), page.values("by")) == ("2027-02-01", "Fair", ["date"])


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"by": "date", "until": "2026-12-31"}, "until", "Give a day after Dec 31, 2026. To let it stop earlier,"),
        ({"by": "date", "until": "2026-12-01"}, "until", "Give a day after Dec 31, 2026."),
        ({"by": "date"}, "until", "Give the new last day."),
        ({"by": "date", "until": "soon"}, "until", "Give the date as year-month-day"),
        ({"by": "2027-01-31"}, "by", "Say until when."),
        ({}, "by", "Say until when."),
        ({"by": BY_30, "reason": "a\x00b"}, "reason", "Remove the null character"),
    ],
)
def test_what_is_no_later_day_is_refused_at_its_field(
    as_rep: Client, stopping: Campaign, typed: dict[str, str], field: str, said: str
) -> None:
    form = {name: value for name, value in Page(as_rep.get(URL)).filled(URL).items() if name != "by"}
    response = as_rep.post(URL, form | {"reason": "Fair"} | typed)
    page = Page(response)
    assert response.status_code == 422
    assert said in page.error_at(field)
    if field != "reason":
        assert page.value("reason") == "Fair"
    assert not Order.objects.exists()


def test_a_form_that_does_not_say_what_was_seen_is_refused(as_rep: Client, stopping: Campaign) -> None:
    response = as_rep.post(URL, {"by": BY_30})
    assert (response.status_code, Order.objects.exists()) == (422, False)


# --- who may -------------------------------------------------------------------------------------------------------


def test_other_accounts_numbers_are_not_there(
    stranger: User, strange_manager: User, auditor: User, stopping: Campaign, signed_in: Any
) -> None:
    answers = [
        signed_in(person).post(URL, {"by": BY_30, "version": 1}).status_code
        for person in (stranger, strange_manager, auditor)
    ]
    assert answers == [404, 404, 403]
    assert not Order.objects.exists()


def test_it_leads_back_only_to_pages_of_the_portal(as_rep: Client, stopping: Campaign) -> None:
    response = press(as_rep, BY_30, next="https://evil.example/")
    assert response["Location"] == f"/orders/{Order.objects.get().pk}/"


# --- several -------------------------------------------------------------------------------------------------------


@pytest.fixture
def three(location: Account, stopping: Campaign) -> list[str]:
    for place in (1, 2):
        CampaignFactory(phone_number=f"316734000{place}", account=location, stop_date=date(2027, 1, place))
    return [CAKE, "3167340001", "3167340002"]


def several(client: Client, **typed: Any) -> Any:
    return client.post(SEVERAL, Page(client.get(LIST)).filled(SEVERAL) | typed)


@pytest.mark.parametrize(
    ("typed", "until"),
    [({"by": "date", "until": "2027-02-01"}, "2027-02-01"), ({"by": "run_on", "until": ""}, "2099-01-01")],
)
def test_several_become_the_draft_of_a_batch(
    as_rep: Client, three: list[str], typed: dict[str, str], until: str
) -> None:
    response = several(as_rep, number=three[:2], **typed)
    batch = Batch.objects.get()
    assert response["Location"] == f"/batches/{batch.pk}/preview/"
    rows = BatchRow.objects.order_by("number").values_list("number", "parameters", "state")
    assert list(rows) == [(number, {"stop_date": until}, "ready") for number in sorted(three[:2])]
    assert not Order.objects.exists()


def test_several_are_not_made_to_stop_earlier(as_rep: Client, three: list[str]) -> None:
    response = several(as_rep, number=three, by="date", until="2027-01-01")
    page = Page(response)
    assert response.status_code == 422
    assert "(316) 734-0001 (2027-01-01), (316) 734-0002 (2027-01-02) would not stop later" in page.error_at("until")
    assert (page.values("number"), page.value("until")) == (three, "2027-01-01")
    assert not Batch.objects.exists()


def test_several_without_a_tick_or_a_day_are_refused(as_rep: Client, three: list[str]) -> None:
    nothing = Page(several(as_rep, by="date", until="2027-02-01"))
    assert (nothing.status, "Tick the numbers that you mean." in nothing.summary) == (422, True)
    no_day = Page(several(as_rep, number=three, by="date", until=""))
    assert (no_day.status, no_day.error_at("until")) == (422, "Error: Give the new last day.")
    assert not Batch.objects.exists()


def test_several_leave_out_what_was_not_granted(as_rep: Client, three: list[str], elsewhere: Account) -> None:
    CampaignFactory(phone_number="3167340009", account=elsewhere, stop_date=STOPS)
    several(as_rep, number=[*three, "3167340009"], by="date", until="2027-02-01")
    assert sorted(BatchRow.objects.values_list("number", flat=True)) == sorted(three)


@pytest.mark.parametrize("meanwhile", [{"stop_date": None}, {"stop_date": date(2099, 1, 1)}])
def test_several_say_how_many_have_nothing_to_move_any_more(
    as_rep: Client, three: list[str], location: Account, meanwhile: dict[str, Any]
) -> None:
    CampaignFactory(phone_number="3167340009", account=location, **meanwhile)
    sent = Page(as_rep.get(LIST)).filled(SEVERAL) | {"by": "date", "until": "2027-02-01"}
    response = as_rep.post(SEVERAL, sent | {"number": [*three, "3167340009"]}, follow=True)
    assert BatchRow.objects.count() == 3
    assert Page(response).alerts[0].startswith("1 of the ticked numbers has no stop date to move any more")


def test_several_sent_twice_make_one_batch_and_another_day_makes_another(as_rep: Client, three: list[str]) -> None:
    sent = Page(as_rep.get(LIST)).filled(SEVERAL) | {"number": three, "by": "date"}
    for until in ("2027-02-01", "2027-02-01", "2027-03-01"):
        as_rep.post(SEVERAL, sent | {"until": until})
    assert Batch.objects.count() == 2
