"""Asking for a number: every field's bad input, Callcap's answer, and one order for one form."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from numbers_app.models import Account, Campaign, Choice, Grant, HistoryEntry, Order, User
from numbers_app.vendor import callcap_client
from tests.factories import GrantFactory, LocationFactory
from tests.sandbox_server import SandboxServer

from .conftest import CAKE, Purchase
from .page import Page

pytestmark = pytest.mark.django_db


def wish(**values: Any) -> dict[str, Any]:
    """A complete request; ``values`` replace fields of it."""
    return {"number": [CAKE], "account": "L-3", "destination": "(316) 444-7896"} | values


def post(client: Client, **values: Any) -> Any:
    return client.post("/orders/new/", wish(**values))


@pytest.fixture
def others(sandbox: SandboxServer) -> list[str]:
    """Public numbers that Callcap offers besides CAKE."""
    return [offer["phoneNumber"] for offer in sandbox.search(areaCode="316") if offer["phoneNumber"] != CAKE]


def test_the_form_starts_with_what_the_search_found(as_rep: Client) -> None:
    page = Page(as_rep.get("/orders/new/", {"number": [CAKE, "3167342254"], "account": "L-3"}))
    assert page.values("number") == [CAKE, "3167342254", ""]
    assert page.value("account") == "L-3"
    assert Page(as_rep.get("/orders/new/", {"location_id": "3"})).value("account") == "L-3"


def test_a_complete_form_becomes_an_order_that_waits(as_rep: Client, sandbox: SandboxServer, rep: User) -> None:
    response = post(
        as_rep,
        campaign_name="Cakes",
        recording="true",
        evaluation="realtime",
        media_type_id="7",
        stop_date="2099-05-01",
        memo1="left",
        notes="one\r\ntwo",
        reason="Spring",
    )
    order = Order.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"/orders/{order.pk}/"
    assert order.status == "pending"
    assert (order.author_id, order.account.key, order.reason) == (rep.pk, "L-3", "Spring")
    assert order.parameters == {
        "destination": "3164447896",
        "campaign_name": "Cakes",
        "recording": True,
        "evaluation": "realtime",
        "media_type_id": 7,
        "stop_date": "2099-05-01",
        "memo1": "left",
        "notes": "one\ntwo",
    }
    assert order.choices.get().place == "Wichita, KS"
    assert sandbox.purchases() == []
    assert Page(as_rep.get(response["Location"])).alerts == [f"Order {order.pk} waits for a manager."]


def test_what_was_left_empty_is_not_sent(as_rep: Client, sandbox: SandboxServer) -> None:
    post(as_rep, campaign_name="", recording="", evaluation="", notes="  ", brand="")
    assert Order.objects.get().parameters == {"destination": "3164447896"}


def test_recording_switched_off_is_not_the_same_as_not_said(as_rep: Client, sandbox: SandboxServer) -> None:
    post(as_rep, recording="false")
    assert Order.objects.get().parameters["recording"] is False


def test_location_id_is_taken_for_the_account(as_rep: Client, sandbox: SandboxServer) -> None:
    values = wish(location_id="3")
    del values["account"]
    assert as_rep.post("/orders/new/", values).status_code == 302
    assert Order.objects.get().account.key == "L-3"


def test_numbers_are_ranked_as_typed_and_named_once(as_rep: Client, sandbox: SandboxServer, others: list[str]) -> None:
    typed = [f"({others[1][:3]}) {others[1][3:6]}-{others[1][6:]}", CAKE, f"+1{others[1]}", "", others[0]]
    assert post(as_rep, number=typed).status_code == 302
    assert [str(choice) for choice in Order.objects.get().choices.all()] == [others[1], CAKE, others[0]]


BAD_DESTINATIONS = [
    ("", "Give the number that calls should ring to."),
    ("+44 20 7946 0958", "not a US or Canadian number"),
    ("876 555 0100", "not a US or Canadian number"),
    ("316 555", "not a US or Canadian number"),
    ("911", "not a US or Canadian number"),
    ("1-800-FLOWERS", "has letters in it"),
    ("(316) 555-0100 ext. 5", "has letters in it"),
    ("316\x00555 0100", "Remove the null character"),
    ("3" * 41, "at most 40 characters"),
    ("<b>bold</b>", "has letters in it"),
]


@pytest.mark.parametrize(("destination", "sentence"), BAD_DESTINATIONS)
def test_a_destination_that_callcap_would_refuse_is_refused(as_rep: Client, destination: str, sentence: str) -> None:
    response = post(as_rep, destination=destination)
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.error_at("destination")
    assert page.value("destination") == destination
    assert not Order.objects.exists()


BAD_VALUES = [
    ("stop_date", "2020-01-01", "has passed at Location 3"),
    ("stop_date", "tomorrow", "year-month-day"),
    ("stop_date", "2027-02-30", "year-month-day"),
    ("evaluation", "delayed", "only off or real time for a new number"),
    ("evaluation", "always", "only off or real time for a new number"),
    ("recording", "perhaps", "not one of the available choices"),
    ("media_type_id", "radio", "whole number"),
    ("media_type_id", "0", "greater than or equal to 1"),
    ("media_type_id", "2147483648", "less than or equal to 2147483647"),
    ("campaign_name", "x" * 101, "at most 100 characters"),
    ("brand", "x" * 101, "at most 100 characters"),
    ("service", "x" * 101, "at most 100 characters"),
    ("target", "x" * 101, "at most 100 characters"),
    ("offer", "x" * 101, "at most 100 characters"),
    ("memo1", "x" * 256, "at most 255 characters"),
    ("memo2", "x" * 256, "at most 255 characters"),
    ("notes", "x" * 10_001, "at most 10000 characters"),
    ("reason", "x" * 1001, "at most 1000 characters"),
    *(
        (name, "before\x00after", "Remove the null character")
        for name in ("campaign_name", "brand", "service", "target", "offer", "memo1", "memo2", "notes", "reason")
    ),
]


@pytest.mark.parametrize(("field", "value", "sentence"), BAD_VALUES)
def test_a_bad_value_is_refused_at_its_field_and_everything_typed_is_kept(
    as_rep: Client, field: str, value: str, sentence: str
) -> None:
    typed = {"campaign_name": "Cakes", "memo1": "a memo", "notes": "some\nnotes", "brand": "B", "reason": "why"}
    response = post(as_rep, **(typed | {field: value}))
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.error_at(field)
    assert sentence in page.summary
    kept = {name: page.value(name) for name in typed}
    assert kept == typed | ({field: value} if field in typed else {})
    if field not in ("evaluation", "recording"):
        assert page.value(field) == value
    assert page.values("number") == [CAKE, ""]
    assert page.value("account") == "L-3"
    assert page.value("destination") == "(316) 444-7896"
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ([], "Give the number to be bought."),
        (["  ", ""], "Give the number to be bought."),
        (["316734"], "not a US or Canadian number"),
        ([CAKE, "316-734-CAKE"], "has letters in it"),
        ([CAKE + "\x00"], "Remove the null character"),
        ([f"316734225{digit}" for digit in range(6)], "at most 5 numbers"),
    ],
)
def test_numbers_that_cannot_be_bought_are_refused(as_rep: Client, numbers: list[str], sentence: str) -> None:
    response = post(as_rep, number=numbers)
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.error_at("number")
    assert not Order.objects.exists()


def test_all_numbers_typed_are_kept_when_something_else_is_wrong(as_rep: Client) -> None:
    typed = ["316 734 2253", "(316) 734-2254", "3167342255", "3167342256", "3167342257"]
    assert Page(post(as_rep, number=typed, destination="")).values("number") == typed


@pytest.mark.parametrize("account", ["", "L-30", "L-999", "D-1", "3"])
def test_only_ones_own_active_locations_can_get_a_number(as_rep: Client, elsewhere: Account, account: str) -> None:
    response = post(as_rep, account=account)
    assert response.status_code == 422
    assert "Choose" in Page(response).error_at("account")
    assert not Order.objects.exists()


def test_a_location_that_callcap_no_longer_lists_cannot_be_chosen(as_rep: Client, location: Account) -> None:
    Account.objects.filter(pk=location.pk).update(active=False)
    assert "Choose one of your Locations." in Page(post(as_rep)).error_at("account")


def test_a_grant_on_a_division_is_a_grant_on_its_locations(
    as_rep: Client, rep: User, sandbox: SandboxServer, location: Account
) -> None:
    Grant.objects.all().delete()
    GrantFactory(user=rep, account=location.parent)
    assert post(as_rep).status_code == 302


@pytest.fixture
def honolulu(rep: User) -> Account:
    account: Account = LocationFactory(key="L-28", callcap_id=28, time_zone="Pacific/Honolulu", name="Honolulu")
    GrantFactory(user=rep, account=account)
    return account


# 09:30 UTC on the 2nd is 23:30 on the 1st in Honolulu, which keeps the same offset all year.
LATE_EVENING = datetime(2027, 3, 2, 9, 30, tzinfo=UTC)


def post_at(moment: datetime, user: User, **values: Any) -> Any:
    """The answer to a request made at that moment."""
    with time_machine.travel(moment, tick=False):
        client = Client()
        client.force_login(user)
        return post(client, **values)


def test_a_stop_date_is_past_by_the_locations_own_date(rep: User, honolulu: Account) -> None:
    response = post_at(LATE_EVENING, rep, account="L-28", stop_date="2027-02-28")
    assert response.status_code == 422
    assert "has passed at Honolulu, where it is 2027-03-01" in Page(response).error_at("stop_date")


def test_today_there_is_accepted_though_it_is_tomorrow_elsewhere(rep: User, honolulu: Account) -> None:
    assert post_at(LATE_EVENING, rep, account="L-28", stop_date="2027-03-01").status_code == 302


def test_half_an_hour_later_that_day_is_over_there(rep: User, honolulu: Account) -> None:
    midnight = LATE_EVENING.replace(hour=10, minute=0)
    page = Page(post_at(midnight, rep, account="L-28", stop_date="2027-03-01"))
    assert "where it is 2027-03-02" in page.error_at("stop_date")


def test_a_number_that_is_gone_at_callcap_is_said_before_anything_waits(as_rep: Client, sandbox: SandboxServer) -> None:
    sandbox.take(CAKE)
    response = post(as_rep, campaign_name="Cakes")
    page = Page(response)
    assert response.status_code == 422
    assert "(316) 734-2253 is not available to Location 3 (L-3) any more" in page.error_at("number")
    assert page.value("campaign_name") == "Cakes"
    assert not Order.objects.exists()


def test_a_number_of_anothers_reserved_pool_cannot_be_asked_for(as_rep: Client, sandbox: SandboxServer) -> None:
    theirs, ours = (sandbox.search(showReservedPool="true", account=key)[0]["phoneNumber"] for key in ("L-30", "L-3"))
    assert "not available to Location 3" in Page(post(as_rep, number=[theirs])).error_at("number")
    assert post(as_rep, number=[ours]).status_code == 302


def test_a_number_of_ours_cannot_be_asked_for(as_rep: Client, sandbox: SandboxServer, campaign: Campaign) -> None:
    assert "already one of our numbers" in Page(post(as_rep)).error_at("number")


def test_a_number_that_another_order_wants_cannot_be_asked_for(
    as_rep: Client, sandbox: SandboxServer, purchase: Purchase, manager: User
) -> None:
    order = purchase(CAKE, by=manager)
    response = post(as_rep, notes="kept")
    assert f"already asked for in order {order.pk}" in Page(response).error_at("number")
    assert Page(response).value("notes") == "kept"
    assert Choice.objects.count() == 1


def test_who_comes_too_late_is_offered_three_others_that_keep_what_was_typed(
    as_rep: Client, sandbox: SandboxServer, purchase: Purchase, manager: User
) -> None:
    purchase(CAKE, by=manager)
    page = Page(post(as_rep, notes="kept", recording="true", vanity_text="cake"))
    others = [button.attributes["value"] for button in page.all("button", name="instead")]
    assert len(others) == 3
    assert CAKE not in others
    assert {other[:3] for other in others} == {"316"}
    response = post(as_rep, notes="kept", recording="true", vanity_text="cake", instead=others[0])
    again = Page(response)
    assert response.status_code == 200
    assert again.values("number") == [others[0], ""]
    assert (again.value("notes"), again.value("recording"), again.value("account")) == ("kept", "true", "L-3")
    assert again.summary == ""
    assert Choice.objects.count() == 1


def test_no_others_are_offered_while_callcap_is_away(
    as_rep: Client, sandbox: SandboxServer, purchase: Purchase, manager: User
) -> None:
    purchase(CAKE, by=manager)
    sandbox.arm_fault("500", "search", times=20)
    page = Page(post(as_rep))
    assert "already asked for" in page.error_at("number")
    assert page.all("button", name="instead") == []


@pytest.mark.parametrize("fault", ["500", "html", "drop_before_commit", "429"])
def test_a_callcap_in_trouble_delays_no_order_and_is_mentioned(
    as_rep: Client, sandbox: SandboxServer, fault: str
) -> None:
    sandbox.arm_fault(fault, "search", times=20)
    response = post(as_rep)
    order = Order.objects.get()
    assert response.status_code == 302
    warning, kept = Page(as_rep.get(response["Location"])).alerts
    assert "Your order is kept" in warning
    assert kept == f"Order {order.pk} waits for a manager."


def test_a_callcap_that_is_away_delays_no_order(as_rep: Client, settings: Any) -> None:
    settings.CALLCAP_API_URL = "http://127.0.0.1:9"
    callcap_client.cache_clear()
    response = post(as_rep)
    callcap_client.cache_clear()
    assert response.status_code == 302
    assert Order.objects.get().choices.get().number == CAKE


def test_the_same_form_sent_twice_makes_one_order(as_rep: Client, sandbox: SandboxServer) -> None:
    page = Page(as_rep.get("/orders/new/", {"number": CAKE, "account": "L-3"}))
    filled = page.filled("/orders/new/") | {"destination": "3164447896"}
    first, second = as_rep.post("/orders/new/", filled), as_rep.post("/orders/new/", filled)
    assert first["Location"] == second["Location"] == f"/orders/{Order.objects.get().pk}/"
    assert HistoryEntry.objects.count() == 1


def test_the_token_of_a_refused_form_is_kept_for_the_next_try(as_rep: Client) -> None:
    token = str(uuid.uuid4())
    assert Page(post(as_rep, destination="", form_token=token)).value("form_token") == token


def test_a_second_wish_under_a_used_token_is_not_dropped_silently(
    as_rep: Client, sandbox: SandboxServer, others: list[str]
) -> None:
    token = str(uuid.uuid4())
    first = post(as_rep, form_token=token)
    second = post(as_rep, form_token=token, number=[others[0]])
    assert first.status_code == 302
    if second.status_code == 302:
        assert Order.objects.filter(choices__number=others[0]).exists()
    else:
        assert second.status_code in (409, 422)


def test_somebody_elses_token_is_no_way_to_break_the_portal(
    as_rep: Client, as_manager: Client, sandbox: SandboxServer, others: list[str]
) -> None:
    token = str(uuid.uuid4())
    post(as_manager, form_token=token)
    as_rep.raise_request_exception = False
    assert post(as_rep, form_token=token, number=[others[0]]).status_code < 500


def test_a_token_that_is_none_is_refused_with_a_sentence(as_rep: Client, sandbox: SandboxServer) -> None:
    response = post(as_rep, form_token="not-a-token")
    assert response.status_code == 422
    assert "valid UUID" in Page(response).summary


def test_who_may_not_order_is_told_so(signed_in: Any, auditor: User) -> None:
    client = signed_in(auditor)
    for response in (client.get("/orders/new/"), post(client)):
        assert response.status_code == 403
        assert "request purchases and changes" in Page(response).text
