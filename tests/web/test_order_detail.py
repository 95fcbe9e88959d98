"""An order's page: what was asked for, how it stands, what was sent, and what this reader may do about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, Order, OrderStatus, User
from numbers_app.services.decisions import order_approve, order_cancel, order_reject
from tests.factories import GrantFactory
from tests.sandbox_server import SandboxServer

from .conftest import CAKE, Purchase
from .page import Page

pytestmark = pytest.mark.django_db

# What everybody who sees a waiting purchase may ask.
LOOKS = {"availability"}
ACTIONS = ("approve", "undo", "reject", "cancel", "comment", "urgent", "amend", "settle")


def detail(client: Client, order: Order) -> Page:
    response = client.get(f"/orders/{order.pk}/")
    assert response.status_code == 200
    return Page(response)


def verbs(page: Page) -> set[str]:
    """What the page offers to do: the last part of its forms' and links' addresses."""
    offered = [form.attributes["action"] for form in page.one("main").all("form")]
    offered += [link.attributes["href"] for link in page.one("main").all("a")]
    return {address.split("/")[3] for address in offered if address.startswith("/orders/") and address.count("/") == 4}


def test_a_waiting_order_shows_what_was_asked_for_and_why(as_manager: Client, purchase: Purchase) -> None:
    order = purchase(CAKE, "3167342254", campaign_name="Cakes", recording=True)
    page = detail(as_manager, order)
    assert page.heading == "Purchase of (316) 734-2253 or another choice"
    assert "Waiting for approval" in page.text
    wish = page.one("section", aria_labelledby="wish-heading").text
    for words in (
        "Choice 1 (316) 734-2253",
        "Destination (316) 444-7896",
        "Campaign name Cakes",
        "Call recording on",
        "For the spring campaign",
    ):
        assert words in wish
    assert "Rep Test requested order" in page.one("ol", aria_label="Timeline").text


def test_who_may_do_what_with_a_waiting_order(
    as_rep: Client, as_manager: Client, signed_in: Any, auditor: User, purchase: Purchase
) -> None:
    order = purchase()
    of_one_s_own = {"cancel", "amend", "comment", "urgent"}
    assert verbs(detail(as_rep, order)) == of_one_s_own | LOOKS
    assert verbs(detail(as_manager, order)) == {"approve", "reject", "seen"} | of_one_s_own | LOOKS
    assert verbs(detail(signed_in(auditor), order)) == LOOKS


def test_a_manager_is_not_offered_to_decide_on_their_own_order(
    as_manager: Client, purchase: Purchase, manager: User
) -> None:
    page = detail(as_manager, purchase(by=manager))
    assert verbs(page) == {"cancel", "amend", "comment", "urgent"} | LOOKS
    assert "a manager other than you decides" in page.text


def test_another_rep_of_the_location_may_only_look_and_speak(as_rep: Client, purchase: Purchase, manager: User) -> None:
    assert verbs(detail(as_rep, purchase(by=manager))) == {"comment", "urgent"} | LOOKS


def test_a_moving_order_refreshes_itself_and_a_settled_one_does_not(
    as_manager: Client, purchase: Purchase, manager: User
) -> None:
    order = purchase()
    assert "hx-get" not in detail(as_manager, order).one("div", id="progress").attributes
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    moving = detail(as_manager, order).one("div", id="progress").attributes
    assert moving["hx-get"] == f"/orders/{order.pk}/"
    fragment = as_manager.get(f"/orders/{order.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert fragment.strip().startswith('<div id="progress"')
    assert "<html" not in fragment
    order_cancel(actor=Actor.person(manager), order_id=order.pk)
    page = detail(as_manager, order)
    assert "hx-get" not in page.one("div", id="progress").attributes
    assert "Cancelled by Manager Test. Nothing was sent." in page.text


def test_a_bought_number_shows_the_call_and_leads_to_its_page(
    as_rep: Client,
    sandbox: SandboxServer,
    purchase: Purchase,
    manager: User,
    carry_out: Callable[[Order], Order],
) -> None:
    order = purchase(stop_date="2099-01-01")
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    carry_out(order)
    page = detail(as_rep, order)
    assert page.links("(316) 734-2253") == [f"/numbers/{CAKE}/"]
    calls = page.one("section", aria_labelledby="attempts-heading").text
    assert "Purchase 1 Applied" in calls
    assert "HTTP status 200" in calls
    assert "Approved by Manager Test" in page.text
    child = order.children.get()
    assert page.links(f"order {child.pk}") == [f"/orders/{child.pk}/"]
    assert detail(as_rep, child).links(f"order {order.pk}") == [f"/orders/{order.pk}/"]
    assert sandbox.api_key not in page.html


def test_callcaps_refusal_is_shown_in_its_own_words(
    as_rep: Client, sandbox: SandboxServer, change: Purchase, campaign: Campaign, manager: User, carry_out: Any
) -> None:
    order = change(campaign, destination="3165550100")
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    assert carry_out(order).status == OrderStatus.FAILED
    page = detail(as_rep, order)
    words = order.attempts.get().message
    assert words
    assert f"Callcap's words {words}" in page.one("section", aria_labelledby="attempts-heading").text
    assert f"Callcap refused: {words}" in page.one("section", aria_labelledby="state-heading").text


def test_an_unknown_outcome_says_plainly_that_nobody_knows(
    as_rep: Client, sandbox: SandboxServer, purchase: Purchase, manager: User, carry_out: Any
) -> None:
    order = purchase()
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    sandbox.arm_fault("drop_before_commit", "provision")
    assert carry_out(order).status == OrderStatus.UNKNOWN
    page = detail(as_rep, order)
    assert "Nobody knows whether Callcap carried this out." in page.text
    assert "The portal finds out by itself, within about 15 minutes. Next check:" in page.text
    assert verbs(page) == {"comment", "seen"}


def test_an_unknown_outcome_that_only_a_person_can_tell_says_so(
    as_rep: Client, as_manager: Client, sandbox: SandboxServer, purchase: Purchase, manager: User, carry_out: Any
) -> None:
    order = purchase()
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    sandbox.arm_fault("other_number", "provision")
    assert carry_out(order).status == OrderStatus.UNKNOWN
    page = detail(as_rep, order)
    assert "Only a person can tell: look for (316) 734-2253 in Callcap's own interface. A manager settles it." in (
        page.text
    )
    assert verbs(page) == {"comment", "seen"}
    assert verbs(detail(as_manager, order)) == {"comment", "seen", "settle"}


def test_a_postponed_order_says_when_it_goes_on(as_rep: Client, purchase: Purchase, manager: User) -> None:
    order = purchase()
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    Order.objects.update(result="Callcap asks for a pause.", execute_after=timezone.now() + timedelta(minutes=1))
    assert "Callcap asks for a pause. It is tried again by itself after" in detail(as_rep, order).text


def test_a_rejected_order_shows_who_and_why(as_rep: Client, purchase: Purchase, manager: User) -> None:
    order = purchase()
    order_reject(actor=Actor.person(manager), order_id=order.pk, revision=1, reason="We have one.")
    page = detail(as_rep, order)
    assert "Rejected by Manager Test: We have one." in page.text
    assert verbs(page) == {"comment", "seen"}


def test_a_second_choice_is_bought_when_the_first_is_gone_and_the_timeline_tells(
    as_rep: Client, sandbox: SandboxServer, purchase: Purchase, manager: User, carry_out: Any
) -> None:
    second = next(o["phoneNumber"] for o in sandbox.search(areaCode="316") if o["phoneNumber"] != CAKE)
    third = sandbox.search(areaCode="212")[0]["phoneNumber"]
    order = purchase(CAKE, second, third)
    assert detail(as_rep, order).heading == "Purchase of (316) 734-2253 or 2 other choices"
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    sandbox.take(CAKE)
    while order.status not in ("done", "failed"):
        carry_out(order)
    page = detail(as_rep, order)
    assert [entry["number"] for entry in sandbox.purchases()] == [second]
    assert f"found (316) 734-2253 of order {order.pk} no longer available" in page.one("ol", aria_label="Timeline").text
    assert page.links(f"({second[:3]}) {second[3:6]}-{second[6:]}")[-1] == f"/numbers/{second}/"


@pytest.mark.parametrize("order_id", ["999999", "9" * 30])
def test_an_order_that_is_not_there_is_a_404(as_rep: Client, order_id: str) -> None:
    assert as_rep.get(f"/orders/{order_id}/").status_code == 404


def test_an_order_of_another_account_is_a_404_for_every_verb(
    signed_in: Any, strange_manager: User, purchase: Purchase
) -> None:
    order, client = purchase(), signed_in(strange_manager)
    assert client.get(f"/orders/{order.pk}/").status_code == 404
    assert client.get(f"/orders/{order.pk}/reject/").status_code == 404
    assert client.get(f"/orders/{order.pk}/availability/").status_code == 404
    for verb in (*ACTIONS, "seen"):
        sent = {"revision": 1, "reason": "Mine now", "text": "Mine now"}
        response = client.post(f"/orders/{order.pk}/{verb}/", sent)
        assert response.status_code == 404, verb
    order.refresh_from_db()
    assert order.status == OrderStatus.PENDING


def test_who_sees_everything_but_acts_elsewhere_is_refused_not_broken(
    signed_in: Any, strange_manager: User, purchase: Purchase, elsewhere: Account
) -> None:
    """A manager of one Location who is an auditor too sees this order, but was not granted its account."""
    from django.contrib.auth.models import Group

    strange_manager.groups.add(Group.objects.get(name="Auditor"))
    order, client = purchase(), signed_in(strange_manager)
    client.raise_request_exception = False
    assert verbs(detail(client, order)) == LOOKS
    for verb in ACTIONS:
        sent = {"revision": 1, "reason": "Mine now", "text": "Mine now"}
        response = client.post(f"/orders/{order.pk}/{verb}/", sent)
        assert response.status_code == 404, verb
    order.refresh_from_db()
    assert order.status == OrderStatus.PENDING


def test_a_grant_that_was_taken_away_is_gone_at_the_next_request(
    as_rep: Client, rep: User, purchase: Purchase, elsewhere: Account
) -> None:
    order = purchase()
    rep.grants.all().delete()
    GrantFactory(user=rep, account=elsewhere)
    assert as_rep.get(f"/orders/{order.pk}/").status_code == 404
