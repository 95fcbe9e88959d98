"""Changing a number: the form, what will change shown once more, then the order."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.utils import timezone

from numbers_app.errors import Conflict
from numbers_app.models import Account, Campaign, Order, OrderStatus, User
from numbers_app.services.mirror import campaign_end
from numbers_app.views import campaigns
from tests.factories import CampaignFactory, GrantFactory, LocationFactory
from tests.orders.steps import WORKER

from .conftest import CAKE, HTMX
from .page import Page

pytestmark = pytest.mark.django_db

URL = f"/numbers/{CAKE}/change/"
DAYS_LEFT = re.compile(r" \d+ days left")


def form_of(client: Client) -> dict[str, Any]:
    """What the form sends when nothing is touched."""
    response = client.get(URL)
    assert response.status_code == 200
    return Page(response).filled(URL)


def confirmed(client: Client, **typed: Any) -> Any:
    """Fill in the form, then press the button of the page that shows what will change."""
    shown = client.post(URL, form_of(client) | typed)
    assert shown.status_code == 200, Page(shown).summary
    return client.post(URL, Page(shown).filled(URL) | {"confirmed": "1"})


def changes_on(page: Page) -> list[tuple[str, str, str]]:
    """(field, before, after); how many days are left is left out, since it depends on the day."""
    rows = page.one("table", class_="diff").all("tr")[1:]
    cells = [(row.one("th").text, row.one("del").text, row.one("ins").text) for row in rows]
    return [(name, DAYS_LEFT.sub("", before), DAYS_LEFT.sub("", after)) for name, before, after in cells]


def test_the_form_holds_the_values_as_they_are(as_rep: Client, campaign: Campaign) -> None:
    filled = form_of(as_rep)
    assert filled["destination"] == ["3164447896"]
    assert filled["campaign_name"] == ["Spring cakes"]
    assert filled["version"] == ["1"]


def test_what_will_change_is_shown_before_anything_happens(as_rep: Client, campaign: Campaign) -> None:
    typed = {"destination": "(316) 555-0100", "stop_date": "2099-05-01", "notes": "one\r\ntwo <b>", "reason": "Moved"}
    response = as_rep.post(URL, form_of(as_rep) | typed)
    page = Page(response)
    assert response.status_code == 200
    assert changes_on(page) == [
        ("Destination", "(316) 444-7896", "(316) 555-0100"),
        ("Stop date", "empty", "May 1, 2099 (America/Chicago time)"),
        ("Notes", "empty", "one two <b>"),
    ]
    assert "Every call to this number will ring the new destination." in page.text
    kept = page.filled(URL)
    assert {name: kept[name] for name in typed} == {name: [value] for name, value in typed.items()}
    assert kept["version"] == ["1"]
    assert "Ask a manager" in page.text
    assert not Order.objects.exists()


def test_without_a_new_destination_there_is_no_warning_about_calls(as_rep: Client, campaign: Campaign) -> None:
    page = Page(as_rep.post(URL, form_of(as_rep) | {"memo1": "new"}))
    assert changes_on(page) == [("Memo 1", "empty", "new")]
    assert "Every call" not in page.text


def test_edit_again_returns_to_the_form_with_everything_typed(as_rep: Client, campaign: Campaign) -> None:
    typed = {"destination": "(316) 555-0100", "notes": "one\ntwo", "reason": "Moved"}
    shown = Page(as_rep.post(URL, form_of(as_rep) | typed))
    response = as_rep.post(URL, shown.filled(URL) | {"back": "1"})
    page = Page(response)
    assert response.status_code == 200
    assert {name: page.value(name) for name in typed} == typed
    assert not Order.objects.exists()


def test_a_reps_change_waits_for_a_manager(as_rep: Client, campaign: Campaign) -> None:
    response = confirmed(as_rep, destination="316 555 0100", reason="Moved")
    order = Order.objects.get()
    assert response["Location"] == f"/orders/{order.pk}/"
    assert (order.kind, order.status, order.phone_number) == ("change", "pending", CAKE)
    assert (order.parameters, order.before) == ({"destination": "3165550100"}, {"destination": "3164447896"})
    assert order.reason == "Moved"
    assert Page(as_rep.get(response["Location"])).alerts == [f"Order {order.pk} waits for a manager."]


def test_a_managers_own_change_is_on_its_way_at_once_and_marked_as_such(
    as_manager: Client, campaign: Campaign, manager: User
) -> None:
    assert "Send to Callcap" in Page(as_manager.post(URL, form_of(as_manager) | {"memo1": "x"})).text
    response = confirmed(as_manager, destination="3165550100")
    order = Order.objects.get()
    assert (order.status, order.decider_id, order.self_approved) == (OrderStatus.APPROVED, manager.pk, True)
    page = Page(as_manager.get(response["Location"]))
    assert page.alerts == [f"Order {order.pk} is on its way to Callcap."]
    assert "whose own change it is" in page.text


def test_fields_that_the_request_does_not_carry_are_not_touched(as_rep: Client, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, brand="Blue", notes="keep", recording=True)
    as_rep.post(URL, {"version": "1", "memo1": "only this", "confirmed": "1"})
    assert Order.objects.get().parameters == {"memo1": "only this"}


def test_a_destination_that_is_carried_must_not_be_empty(as_rep: Client, campaign: Campaign) -> None:
    response = as_rep.post(URL, form_of(as_rep) | {"destination": ""})
    assert response.status_code == 422
    assert "Give the number that calls should ring to." in Page(response).error_at("destination")


def test_values_can_be_taken_away_where_callcap_knows_an_empty_value(as_rep: Client, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, brand="Blue", media_type_id=7, campaign_name="Cakes")
    confirmed(as_rep, brand="", media_type_id="", campaign_name="")
    assert Order.objects.get().parameters == {"brand": "", "media_type_id": None, "campaign_name": CAKE}


def test_nothing_changed_is_said_and_makes_no_order(as_rep: Client, location: Account) -> None:
    CampaignFactory(
        phone_number=CAKE,
        account=location,
        notes="one\ntwo",
        stop_date=date(2020, 1, 1),
        recording=False,
        evaluation="delayed",
    )
    filled = form_of(as_rep) | {"destination": "(316) 444-7896", "notes": "one\r\ntwo"}
    response = as_rep.post(URL, filled | {"confirmed": "1"})
    assert response.status_code == 422
    assert "Nothing would change" in Page(response).summary
    assert not Order.objects.exists()


def test_a_stop_date_made_empty_runs_on(as_rep: Client, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, stop_date=date(2098, 5, 1))
    page = Page(as_rep.post(URL, form_of(as_rep) | {"stop_date": ""}))
    assert changes_on(page) == [("Stop date", "May 1, 2098 (America/Chicago time)", "runs on (2099-01-01)")]
    as_rep.post(URL, page.filled(URL) | {"confirmed": "1"})
    assert Order.objects.get().parameters == {"stop_date": "2099-01-01"}


def test_what_runs_on_is_not_changed_by_an_empty_stop_date(as_rep: Client, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, stop_date=date(2099, 1, 1))
    assert "Nothing would change" in Page(as_rep.post(URL, form_of(as_rep) | {"stop_date": ""})).summary


def test_evaluation_can_be_delayed_once_a_number_is_bought(as_rep: Client, campaign: Campaign) -> None:
    confirmed(as_rep, evaluation="delayed")
    assert Order.objects.get().parameters == {"evaluation": "delayed"}


def test_a_feature_that_is_set_cannot_go_back_to_never_set(as_rep: Client, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, recording=True, evaluation="off")
    page = Page(as_rep.get(URL))
    assert "" not in page.choices("recording")
    assert "" not in page.choices("evaluation")
    response = as_rep.post(URL, form_of(as_rep) | {"recording": "", "evaluation": ""})
    assert "Nothing would change" in Page(response).summary


BAD_VALUES = [
    ("destination", "876 555 0100", "not a US or Canadian number"),
    ("destination", "1-800-FLOWERS", "has letters in it"),
    ("stop_date", "2020-01-01", "has passed at Location 3"),
    ("stop_date", "soon", "year-month-day"),
    ("evaluation", "sometimes", "not one of the available choices"),
    ("campaign_name", "x" * 101, "at most 100 characters"),
    ("memo2", "x" * 256, "at most 255 characters"),
    ("notes", "no\x00tes", "Remove the null character"),
    ("reason", "x" * 1001, "at most 1000 characters"),
    ("media_type_id", "-1", "greater than or equal to 1"),
]


@pytest.mark.parametrize(("field", "value", "sentence"), BAD_VALUES)
def test_a_bad_value_is_refused_at_its_field_and_everything_typed_is_kept(
    as_rep: Client, campaign: Campaign, field: str, value: str, sentence: str
) -> None:
    typed = {"memo1": "typed", "brand": "too"} | {field: value}
    response = as_rep.post(URL, form_of(as_rep) | typed | {"confirmed": "1"})
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.error_at(field)
    if field == "evaluation":
        typed.pop(field)
    assert {name: page.value(name) for name in typed} == typed
    assert not Order.objects.exists()


@pytest.mark.parametrize(("stop_date", "status"), [("2027-02-28", 422), ("2027-03-01", 200)])
def test_a_stop_date_is_past_by_the_locations_own_date(rep: User, stop_date: str, status: int) -> None:
    honolulu = LocationFactory(key="L-28", callcap_id=28, time_zone="Pacific/Honolulu")
    GrantFactory(user=rep, account=honolulu)
    CampaignFactory(phone_number=CAKE, account=honolulu)
    with time_machine.travel(datetime(2027, 3, 2, 9, 30, tzinfo=UTC), tick=False):
        client = Client()
        client.force_login(rep)
        assert client.post(URL, form_of(client) | {"stop_date": stop_date}).status_code == status


def test_a_stop_date_that_has_passed_does_not_stand_in_the_way_of_other_changes(
    as_rep: Client, location: Account
) -> None:
    CampaignFactory(phone_number=CAKE, account=location, stop_date=date(2020, 1, 1))
    confirmed(as_rep, memo1="late")
    assert Order.objects.get().parameters == {"memo1": "late"}


def test_the_same_confirmation_sent_twice_makes_one_order(as_rep: Client, campaign: Campaign) -> None:
    shown = Page(as_rep.post(URL, form_of(as_rep) | {"destination": "3165550100"}))
    sent = shown.filled(URL) | {"confirmed": "1"}
    first, second = as_rep.post(URL, sent), as_rep.post(URL, sent)
    assert first["Location"] == second["Location"] == f"/orders/{Order.objects.get().pk}/"


def test_a_second_wish_under_a_used_token_is_not_dropped_silently(as_rep: Client, campaign: Campaign) -> None:
    sent = form_of(as_rep) | {"confirmed": "1"}
    as_rep.post(URL, sent | {"destination": "3165550100"})
    response = as_rep.post(URL, sent | {"destination": "3165550101"})
    assert response.status_code in (409, 422)
    assert Page(response).value("destination") == "3165550101"


def test_a_stopped_number_cannot_be_changed(as_rep: Client, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, ended_at=timezone.now())
    for response in (as_rep.get(URL), as_rep.post(URL, {"destination": "3165550100", "confirmed": "1"})):
        assert response["Location"] == f"/numbers/{CAKE}/"
    assert "This number has stopped. It can no longer be changed." in Page(as_rep.get(f"/numbers/{CAKE}/")).text
    assert not Order.objects.exists()


def test_a_section_of_a_stopped_number_is_not_edited_in_place(as_rep: Client, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, ended_at=timezone.now())
    response = as_rep.get(URL, {"section": "routing"}, headers=HTMX)
    assert response["HX-Redirect"] == f"/numbers/{CAKE}/"


def test_a_form_of_an_earlier_campaign_of_the_number_changes_nothing(as_rep: Client, campaign: Campaign) -> None:
    opened = form_of(as_rep)
    with transaction.atomic():
        campaign_end(actor=WORKER, campaign=campaign, reason="It was released.")
    CampaignFactory(phone_number=CAKE, account=campaign.account, destination="3165550100")
    response = as_rep.post(URL, opened | {"memo1": "x", "confirmed": "1"})
    assert response.status_code == 422
    assert "bought again after you opened the form" in Page(response).summary
    assert not Order.objects.exists()


def test_a_form_without_a_version_that_is_overtaken_at_the_last_moment_is_a_conflict(
    as_rep: Client, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(**_: Any) -> Order:
        raise Conflict("Somebody changed this number after you opened the form.")

    monkeypatch.setattr(campaigns, "order_request_change", overtaken)
    response = as_rep.post(URL, {"memo1": "mine", "confirmed": "1"})
    assert response.status_code == 409
    assert Page(response).values("memo1") == ["mine"]


def test_auditors_change_nothing(signed_in: Any, auditor: User, campaign: Campaign) -> None:
    client = signed_in(auditor)
    assert client.get(URL).status_code == 403
    assert client.post(URL, {"destination": "3165550100", "confirmed": "1"}).status_code == 403
    assert not Order.objects.exists()


def test_who_sees_everything_but_was_not_granted_the_account_changes_nothing(
    signed_in: Any, stranger: User, campaign: Campaign
) -> None:
    from django.contrib.auth.models import Group

    stranger.groups.add(Group.objects.get(name="Auditor"))
    client = signed_in(stranger)
    assert client.get(f"/numbers/{CAKE}/").status_code == 200
    assert client.get(URL).status_code == 404
    assert client.post(URL, {"destination": "3165550100", "confirmed": "1"}).status_code == 404
    assert not Order.objects.exists()
