""" "Not before": typed by the Location's clocks, kept as a moment, shown by the Location's clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, Order, User
from numbers_app.services.decisions import order_approve
from tests.sandbox_server import SandboxServer

from .conftest import CAKE, Purchase
from .page import Page

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 18, 0, tzinfo=UTC)


def send(client: Client, moment: str, **typed: Any) -> Any:
    sent = {"number": [CAKE], "account": "L-3", "destination": "3164447896", "execute_after": moment}
    return client.post("/orders/new/", sent | typed)


@pytest.mark.parametrize(
    ("zone", "typed", "moment"),
    [
        ("America/Chicago", "2026-03-07T08:00", datetime(2026, 3, 7, 14, 0, tzinfo=UTC)),
        ("America/Chicago", "2026-07-01T08:00", datetime(2026, 7, 1, 13, 0, tzinfo=UTC)),
        ("America/Los_Angeles", "2026-03-07T08:00", datetime(2026, 3, 7, 16, 0, tzinfo=UTC)),
        ("America/St_Johns", "2026-03-07 08:00", datetime(2026, 3, 7, 11, 30, tzinfo=UTC)),
        # Clocks show this hour twice; it is the first time that counts.
        ("America/Chicago", "2026-11-01T01:30", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        ("", "2026-03-07T08:00", datetime(2026, 3, 7, 14, 0, tzinfo=UTC)),
        ("America/Chicago", "2028-02-29T12:00", datetime(2028, 2, 29, 18, 0, tzinfo=UTC)),
        ("America/Chicago", "2026-03-01T12:00", NOW),
    ],
)
def test_what_is_typed_is_the_time_at_the_location(
    as_rep: Client, sandbox: SandboxServer, location: Account, zone: str, typed: str, moment: datetime
) -> None:
    Account.objects.filter(pk=location.pk).update(time_zone=zone)
    with time_machine.travel(NOW, tick=False):
        assert send(as_rep, typed).status_code == 302
    assert Order.objects.get().execute_after == moment


def test_nothing_typed_is_no_wish(as_rep: Client, sandbox: SandboxServer) -> None:
    send(as_rep, " ")
    assert Order.objects.get().execute_after is None


BAD = [
    ("2026-03-08T02:30", "The clocks at Location 3 never show 2026-03-08 02:30: they are put forward then."),
    ("2026-03-01T11:59", "This has passed at Location 3, where it is 2026-03-01 12:00."),
    ("2020-01-01T08:00", "This has passed at Location 3"),
    ("0001-01-01T00:00", "This has passed at Location 3"),
    ("2028-03-03T08:00", "Orders can wait for at most two years."),
    ("2999-01-01T08:00", "Orders can wait for at most two years."),
    ("tomorrow", "Give date and time, as in 2027-03-31 08:00."),
    ("2026-02-30T08:00", "Give date and time"),
    ("2026-03-07T25:00", "Give date and time"),
    ("10000-01-01T08:00", "Give date and time"),
    ("９" * 5000, "Give date and time"),
]


@pytest.mark.parametrize(("typed", "sentence"), BAD, ids=[typed[:20] for typed, _ in BAD])
def test_a_time_that_cannot_be_is_refused_at_its_field_and_kept(
    as_rep: Client, location: Account, typed: str, sentence: str
) -> None:
    with time_machine.travel(NOW, tick=False):
        response = send(as_rep, typed, reason="Spring")
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.error_at("execute_after")
    assert sentence in page.summary
    assert (page.value("execute_after"), page.value("reason")) == (typed, "Spring")
    assert not Order.objects.exists()


@pytest.mark.parametrize("typed", ["9999-12-31T23:59", "9999-12-31T18:00"])
def test_the_last_year_of_all_is_refused_like_any_other(as_rep: Client, location: Account, typed: str) -> None:
    response = send(as_rep, typed)
    assert response.status_code == 422
    assert "Orders can wait for at most two years." in Page(response).error_at("execute_after")


def test_a_time_is_kept_when_something_else_is_wrong(as_rep: Client, location: Account) -> None:
    page = Page(send(as_rep, "2027-01-31T08:00", destination=""))
    assert page.value("execute_after") == "2027-01-31T08:00"
    assert page.error_at("execute_after") == ""
    assert "open" in page.one("details", class_="more").attributes


def test_without_a_location_a_time_is_kept_and_nothing_is_said_of_it(as_rep: Client, location: Account) -> None:
    page = Page(send(as_rep, "2027-01-31T08:00", account=""))
    assert page.value("execute_after") == "2027-01-31T08:00"
    assert page.error_at("execute_after") == ""


def test_the_wish_is_shown_in_the_location_s_zone_to_who_decides(
    as_manager: Client, purchase: Purchase, location: Account
) -> None:
    Account.objects.filter(pk=location.pk).update(time_zone="America/Los_Angeles")
    order = purchase(execute_after=datetime(2099, 1, 31, 16, 0, tzinfo=UTC))
    for address in ("/orders/", f"/orders/{order.pk}/"):
        words = "Not before Jan 31, 2099, 8:00 AM PST (time at Location 3; 2099-01-31 16:00:00 UTC)"
        assert words in Page(as_manager.get(address)).text, address


def test_an_approved_order_says_when_it_is_sent(as_manager: Client, purchase: Purchase, manager: User) -> None:
    order = purchase(execute_after=datetime(2099, 1, 31, 14, 0, tzinfo=UTC))
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    page = Page(as_manager.get(f"/orders/{order.pk}/"))
    assert "It is sent by itself: Jan 31, 2099, 8:00 AM CST (time at Location 3;" in page.text
    assert "hx-get" not in page.one("div", id="progress").attributes


def test_an_order_that_is_wished_for_later_is_not_bought_before(
    as_manager: Client, sandbox: SandboxServer, purchase: Purchase, manager: User, carry_out: Any
) -> None:
    order = purchase(execute_after=datetime(2099, 1, 31, 14, 0, tzinfo=UTC))
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    assert carry_out(order).status == "approved"
    assert sandbox.purchases() == []


# --- of a change ----------------------------------------------------------------------------------------------------


def test_the_time_of_a_change_is_shown_once_more_and_kept_on_the_way(as_rep: Client, campaign: Campaign) -> None:
    address = f"/numbers/{CAKE}/change/"
    typed = {"destination": "(316) 555-0100", "execute_after": "2027-01-31T08:00"}
    confirm = Page(as_rep.post(address, Page(as_rep.get(address)).filled(address) | typed))
    assert "Not before Jan 31, 2027, 8:00 AM CST (time at Location 3; 2027-01-31 14:00:00 UTC)" in confirm.text
    kept = confirm.filled(address)
    assert kept["execute_after"] == ["2027-01-31T08:00"]
    edited = Page(as_rep.post(address, kept | {"back": "1"}))
    assert edited.value("execute_after") == "2027-01-31T08:00"
    as_rep.post(address, kept | {"confirmed": "1"})
    assert Order.objects.get().execute_after == datetime(2027, 1, 31, 14, 0, tzinfo=UTC)


def test_a_change_for_a_time_that_cannot_be_is_refused(as_rep: Client, campaign: Campaign) -> None:
    address = f"/numbers/{CAKE}/change/"
    typed = {"destination": "(316) 555-0100", "execute_after": "2020-01-31T08:00"}
    response = as_rep.post(address, Page(as_rep.get(address)).filled(address) | typed)
    assert response.status_code == 422
    assert "This has passed at Location 3" in Page(response).error_at("execute_after")


def test_a_manager_s_own_change_waits_for_its_time(as_manager: Client, campaign: Campaign) -> None:
    address = f"/numbers/{CAKE}/change/"
    typed = {"destination": "(316) 555-0100", "execute_after": "2027-01-31T08:00", "confirmed": "1"}
    as_manager.post(address, Page(as_manager.get(address)).filled(address) | typed)
    order = Order.objects.get()
    assert (order.status, order.execute_after) == ("approved", datetime(2027, 1, 31, 14, 0, tzinfo=UTC))
    assert f"#{order.pk}" in Page(as_manager.get("/orders/upcoming/")).text
