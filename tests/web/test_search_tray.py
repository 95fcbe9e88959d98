"""The tray: up to five ticked numbers, kept across pages and searches, ranked, and asked for together."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.models import Session
from django.test import Client

from numbers_app.models import Account, Campaign, User
from numbers_app.views.tray import change
from tests.orders.steps import DESTINATION, at_once
from tests.sandbox_server import SandboxServer

from .conftest import CAKE, HTMX, Purchase
from .page import Page

pytestmark = pytest.mark.django_db

NUMBERS = [f"316734220{place}" for place in range(7)]


def tray(client: Client) -> list[str]:
    numbers: list[str] = client.session.get("tray", [])
    return numbers


def tick(client: Client, number: str, *, ticked: bool = True, **others: Any) -> Any:
    """What a box sends when it is clicked: its page's form, and which box it is."""
    sent = {"tick": number, "number": [number] if ticked else []} | others
    return client.post("/search/tray/", sent, headers=HTMX)


def test_a_tick_puts_a_number_in_and_no_tick_takes_it_out(as_rep: Client) -> None:
    page = Page(tick(as_rep, NUMBERS[0]))
    assert "1 of 5, best first" in page.text
    assert "(316) 734-2200" in page.one("section", aria_label="Your choices").text
    assert "<html" not in page.html
    tick(as_rep, NUMBERS[0], ticked=False)
    assert tray(as_rep) == []


def test_a_tick_of_an_older_page_leaves_the_number_in_and_the_other_boxes_of_that_page_say_nothing(
    as_rep: Client,
) -> None:
    for number in NUMBERS[:2]:
        tick(as_rep, number)
    tick(as_rep, NUMBERS[0], shown=NUMBERS)
    assert tray(as_rep) == NUMBERS[:2]
    tick(as_rep, NUMBERS[2], ticked=False, shown=NUMBERS)
    assert tray(as_rep) == NUMBERS[:2]


def test_the_box_of_a_number_that_is_taken_out_follows(as_rep: Client) -> None:
    for number in NUMBERS[:2]:
        tick(as_rep, number)
    page = Page(as_rep.post("/search/tray/", {"remove": NUMBERS[0]}, headers=HTMX))
    box = page.one("input", id=f"tick-{NUMBERS[0]}")
    assert "checked" not in box.attributes
    assert box.attributes["hx-swap-oob"] == "true"
    # A click on a box replaces none: its own is right, and those of clicks on the way would be turned back.
    assert not Page(tick(as_rep, NUMBERS[0])).all("input", class_="form-check-input")


@pytest.mark.parametrize(
    ("sent", "focused"),
    [
        ({"remove": NUMBERS[0]}, ["(316) 734-2201"]),
        ({"remove": NUMBERS[2]}, []),
        ({"up": NUMBERS[2]}, ["(316) 734-2202"]),
        ({"tick": NUMBERS[3], "number": NUMBERS[3]}, []),
    ],
    ids=["the next one", "none after the last", "the one that moved", "a box keeps it"],
)
def test_the_focus_goes_on_in_the_tray(as_rep: Client, sent: dict[str, str], focused: list[str]) -> None:
    for number in NUMBERS[:3]:
        tick(as_rep, number)
    page = Page(as_rep.post("/search/tray/", sent, headers=HTMX))
    assert [element.text for element in page.all("span", data_focus="")] == focused


def test_the_tray_is_there_on_every_later_search(as_rep: Client) -> None:
    tick(as_rep, NUMBERS[0])
    tick(as_rep, NUMBERS[1])
    page = Page(as_rep.get("/search/"))
    assert page.links("Request one of them") == [f"/orders/new/?number={NUMBERS[0]}&number={NUMBERS[1]}"]


def test_a_ticked_number_is_ticked_in_every_later_answer(as_rep: Client, sandbox: SandboxServer) -> None:
    tick(as_rep, CAKE)
    for headers in ({}, HTMX):
        page = Page(as_rep.get("/search/", {"full_number": CAKE}, headers=headers))
        assert "checked" in page.one("input", id=f"tick-{CAKE}").attributes


def test_the_first_is_the_best_and_can_be_changed(as_rep: Client) -> None:
    for number in NUMBERS[:3]:
        tick(as_rep, number)
    as_rep.post("/search/tray/", {"up": NUMBERS[2]})
    assert tray(as_rep) == [NUMBERS[0], NUMBERS[2], NUMBERS[1]]
    as_rep.post("/search/tray/", {"up": NUMBERS[0]})
    assert tray(as_rep)[0] == NUMBERS[0]
    as_rep.post("/search/tray/", {"remove": NUMBERS[0]})
    assert tray(as_rep) == [NUMBERS[2], NUMBERS[1]]


def test_a_sixth_number_is_refused_with_a_sentence_and_its_tick_is_taken_back(as_rep: Client) -> None:
    for number in NUMBERS[:5]:
        tick(as_rep, number)
    response = tick(as_rep, NUMBERS[5])
    page = Page(response)
    assert response.status_code == 422
    assert "An order takes at most five numbers. Take one out first." in page.text
    box = page.one("input", id=f"tick-{NUMBERS[5]}")
    assert "checked" not in box.attributes
    assert box.attributes["hx-swap-oob"] == "true"
    assert tray(as_rep) == NUMBERS[:5]


def test_without_javascript_the_ticks_of_a_page_are_sent_together(as_rep: Client) -> None:
    tick(as_rep, NUMBERS[0])
    tick(as_rep, NUMBERS[6])
    sent = {"shown": NUMBERS[:3], "number": [NUMBERS[2], NUMBERS[1]], "next": "/search/?area_code=316"}
    response = as_rep.post("/search/tray/", sent)
    assert response["Location"] == "/search/?area_code=316"
    # The one shown without its tick is out; the one of another page stays.
    assert tray(as_rep) == [NUMBERS[6], NUMBERS[2], NUMBERS[1]]


def test_too_many_ticks_change_nothing_and_are_said(as_rep: Client) -> None:
    response = as_rep.post("/search/tray/", {"shown": NUMBERS, "number": NUMBERS, "next": "/search/"}, follow=True)
    assert Page(response).alerts == ["An order takes at most five numbers. Take one out first."]
    assert tray(as_rep) == []


@pytest.mark.parametrize("there", ["//evil.example/search/", "https://evil.example/", "/orders/", "javascript:x", ""])
def test_it_leads_back_to_a_search_only(as_rep: Client, there: str) -> None:
    response = as_rep.post("/search/tray/", {"tick": NUMBERS[0], "number": NUMBERS[0], "next": there})
    assert response["Location"] == "/search/"


@pytest.mark.parametrize("number", ["911", "31673422000", "٣١٦٧٣٤٢٢٠٠", "<script>", "1167342253"])
def test_what_is_no_number_stays_out(as_rep: Client, number: str) -> None:
    assert tick(as_rep, number).status_code == 200
    assert tray(as_rep) == []


def test_what_was_taken_meanwhile_is_said_and_not_asked_for(
    as_rep: Client, campaign: Campaign, purchase: Purchase, manager: User
) -> None:
    order = purchase(NUMBERS[1], by=manager)
    for number in (NUMBERS[0], NUMBERS[1], CAKE):
        tick(as_rep, number)
    page = Page(as_rep.get("/search/"))
    text = page.one("section", aria_label="Your choices").text
    assert f"(316) 734-2201 wanted in order {order.pk} meanwhile" in text
    assert "(316) 734-2253 ours meanwhile" in text
    assert page.links("Request one of them") == [f"/orders/new/?number={NUMBERS[0]}"]


def test_only_who_searches_has_a_tray(signed_in: Any, auditor: User) -> None:
    assert signed_in(auditor).post("/search/tray/", {"tick": NUMBERS[0]}).status_code == 403


def test_the_tray_belongs_to_the_session(as_rep: Client, as_manager: Client) -> None:
    tick(as_rep, NUMBERS[0])
    assert tray(as_manager) == []


@pytest.mark.django_db(transaction=True)
def test_clicks_that_come_at_once_are_all_kept(as_rep: Client) -> None:
    key = as_rep.session.session_key

    def click(number: str) -> int:
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = key
        return int(tick(client, number).status_code)

    codes = at_once(*[functools.partial(click, number) for number in NUMBERS[:4]])
    assert codes == [200] * 4
    assert sorted(tray(as_rep)) == NUMBERS[:4]


def test_who_is_signed_out_in_between_starts_no_session_again(as_rep: Client, rf: Any, rep: User) -> None:
    request = rf.post("/search/tray/", {"tick": NUMBERS[0], "number": NUMBERS[0]}, headers={"X-Request-Id": "1"})
    request.user, request.htmx, request.session = rep, None, as_rep.session
    Session.objects.all().delete()
    with pytest.raises(SessionInterrupted):
        change(request)
    assert not Session.objects.exists()


def test_what_is_ordered_leaves_the_tray(as_rep: Client, sandbox: SandboxServer, location: Account) -> None:
    for number in (NUMBERS[0], CAKE):
        tick(as_rep, number)
    page = Page(as_rep.get(f"/orders/new/?number={CAKE}&account={location.key}"))
    sent = {"form_token": page.value("form_token"), "number": CAKE, "account": location.key}
    response = as_rep.post("/orders/new/", sent | {"destination": DESTINATION, "reason": "A van."})
    assert response.status_code == 302
    assert tray(as_rep) == [NUMBERS[0]]
