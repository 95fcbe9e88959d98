"""The switch that pauses purchases: who turns it, why, and that everybody knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import HistoryEntry, Order, OrderStatus, SendingSwitch, User, Verb
from numbers_app.services.decisions import order_approve
from numbers_app.services.switch import purchases_pause, sending_resume, sending_switch
from tests.sandbox_server import SandboxServer

from .conftest import CAKE, Purchase
from .page import Page

pytestmark = pytest.mark.django_db

PAUSE, RESUME = "/sending/pause/", "/sending/resume/"
WHY = "Callcap charges twice since noon"


def turn(client: Client, address: str, reason: str = WHY, **options: Any) -> Any:
    return client.post(address, {"reason": reason}, **options)


def banner(client: Client, address: str = "/") -> str:
    return " ".join(found.text for found in Page(client.get(address)).all("p", class_="pause-banner"))


@pytest.fixture
def paused(manager2: User) -> SendingSwitch:
    return purchases_pause(actor=Actor.person(manager2), reason=WHY)


@pytest.mark.parametrize("person", ["manager", "admin"])
def test_managers_and_administrators_pause_and_resume(
    request: pytest.FixtureRequest, signed_in: Any, person: str
) -> None:
    user: User = request.getfixturevalue(person)
    client = signed_in(user)
    page = Page(client.get("/sending/"))
    assert page.heading == "Nothing is paused"
    after = Page(client.post(PAUSE, page.filled(PAUSE) | {"reason": WHY}, follow=True))
    assert after.alerts == ["Purchases are paused. Orders can still be asked for and approved."]
    assert after.heading == "Purchases are paused"
    assert f"{user.display_name} paused, " in after.text
    assert not after.all("form", action=PAUSE)
    resumed = Page(client.post(RESUME, after.filled(RESUME) | {"reason": "It is over"}, follow=True))
    assert resumed.alerts == ["Nothing is paused any more. What is due is sent now."]
    assert resumed.heading == "Nothing is paused"
    entries = HistoryEntry.objects.filter(verb__in=(Verb.SENDING_PAUSED, Verb.SENDING_RESUMED)).order_by("sequence")
    assert [(entry.actor_id, entry.reason) for entry in entries] == [(user.pk, WHY), (user.pk, "It is over")]
    timeline = resumed.one("ol", aria_label="Until now").text
    assert f"{user.display_name} paused all purchases {WHY}" in timeline
    assert f"{user.display_name} resumed what is sent to Callcap It is over" in timeline


@pytest.mark.parametrize("person", ["rep", "manager", "auditor", "admin"])
def test_everybody_reads_on_every_page_that_purchases_are_paused(
    request: pytest.FixtureRequest, signed_in: Any, paused: SendingSwitch, person: str
) -> None:
    client = signed_in(request.getfixturevalue(person))
    for address in ("/", "/orders/", "/numbers/", "/history/", "/notifications/", "/sending/", "/orders/upcoming/"):
        text = banner(client, address)
        assert text.startswith("Purchases are paused since "), address
        assert WHY in text, address
    assert Page(client.get("/")).links("Details") == ["/sending/"]


def test_the_banner_is_gone_once_it_is_resumed(as_rep: Client, paused: SendingSwitch, manager2: User) -> None:
    assert banner(as_rep)
    sending_resume(actor=Actor.person(manager2), reason="It is over")
    assert banner(as_rep) == ""


def test_who_is_not_signed_in_reads_nothing_of_it(client: Client, paused: SendingSwitch) -> None:
    page = Page(client.get("/accounts/login/"))
    assert not page.all("p", class_="pause-banner")
    assert WHY not in page.html


def test_what_is_paused_by_the_portal_itself_is_said_as_well(as_rep: Client, paused: SendingSwitch) -> None:
    SendingSwitch.objects.update(paused="everything", reason="The clock is wrong.", actor_name="Worker")
    assert banner(as_rep).startswith("Purchases and changes are paused since ")
    assert "Worker paused," in Page(as_rep.get("/sending/")).text


@pytest.mark.parametrize("person", ["rep", "auditor", "stranger"])
def test_reps_and_auditors_see_it_and_turn_nothing(
    request: pytest.FixtureRequest, signed_in: Any, person: str, manager2: User
) -> None:
    client = signed_in(request.getfixturevalue(person))
    page = Page(client.get("/sending/"))
    assert "Managers and administrators can change this." in page.text
    assert not page.all("form", action=PAUSE)
    assert turn(client, PAUSE).status_code == 403
    assert sending_switch().paused == "nothing"
    purchases_pause(actor=Actor.person(manager2), reason=WHY)
    assert turn(client, RESUME).status_code == 403
    assert sending_switch().paused == "purchases"


@pytest.mark.parametrize("address", [PAUSE, RESUME])
@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("", "Say why: everybody who wants to buy reads it."),
        ("  ", "Say why"),
        ("x" * 1001, "at most 1000 characters"),
        ("a\x00b", "Remove the null character"),
    ],
)
def test_without_a_usable_reason_nothing_is_turned_and_the_text_is_kept(
    as_manager: Client, manager2: User, address: str, reason: str, sentence: str
) -> None:
    if address == RESUME:
        purchases_pause(actor=Actor.person(manager2), reason=WHY)
    before = sending_switch().paused
    response = turn(as_manager, address, reason)
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.error_at("reason")
    assert page.value("reason") == reason
    assert page.one("form", action=address)
    assert sending_switch().paused == before


def test_the_second_of_two_who_pause_keeps_the_reason(as_manager: Client, paused: SendingSwitch) -> None:
    response = turn(as_manager, PAUSE, "Mine")
    page = Page(response)
    assert response.status_code == 409
    assert "Purchases are paused already. Somebody was faster, and nothing of yours was carried out." in page.text
    assert page.one("q").text == "Mine"
    # The button now resumes: a hasty second click must not carry the reason for pausing with it.
    assert page.value("reason") == ""
    assert sending_switch().reason == WHY


def test_the_second_of_two_who_resume_keeps_the_reason(as_manager: Client) -> None:
    response = turn(as_manager, RESUME, "Mine")
    page = Page(response)
    assert response.status_code == 409
    assert "Nothing is paused. Somebody was faster, and nothing of yours was carried out." in page.text
    assert page.one("q").text == "Mine"


def test_a_link_turns_nothing(as_manager: Client) -> None:
    assert as_manager.get(PAUSE).status_code == as_manager.get(RESUME).status_code == 405


def test_while_paused_an_order_is_approved_and_waits(
    as_manager: Client,
    sandbox: SandboxServer,
    paused: SendingSwitch,
    purchase: Purchase,
    manager: User,
    carry_out: Callable[[Order], Order],
) -> None:
    order = purchase()
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    assert carry_out(order).status == OrderStatus.APPROVED
    assert "Purchases are paused, so it waits." in Page(as_manager.get(f"/orders/{order.pk}/")).text
    assert sandbox.purchases() == []
    turn(as_manager, RESUME, "It is over")
    assert carry_out(order).status == OrderStatus.DONE
    assert [entry["number"] for entry in sandbox.purchases()] == [CAKE]
