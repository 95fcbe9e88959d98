"""Approving several orders at once: each one as if alone, and what cannot be approved is named."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import Account, HistoryEntry, Order, OrderStatus, User, Verb
from numbers_app.services.decisions import order_reject
from numbers_app.services.orders import WantedNumber, order_amend
from tests.sandbox_server import SandboxServer

from .conftest import CAKE, HTMX, Purchase
from .page import Page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox")]

URL = "/orders/approve/"


@pytest.fixture
def offered(sandbox: SandboxServer) -> list[str]:
    """Three numbers that Callcap offers."""
    return [offer["phoneNumber"] for offer in sandbox.search(areaCode="316")[:3]]


@pytest.fixture
def orders(purchase: Purchase, offered: list[str]) -> list[Order]:
    return [purchase(number) for number in offered]


def tick(*orders: Order) -> list[str]:
    return [f"{order.pk}:{order.revision}" for order in orders]


def statuses(*orders: Order) -> list[str]:
    return [Order.objects.get(pk=order.pk).status for order in orders]


def approve(client: Client, *ticked: str, **options: Any) -> Page:
    return Page(client.post(URL, {"order": list(ticked), "next": "/orders/"}, **options))


def test_the_boxes_of_the_queue_name_order_and_revision(as_manager: Client, orders: list[Order]) -> None:
    page = Page(as_manager.get("/orders/"))
    boxes = page.all("input", name="order", type="checkbox")
    assert [box.attributes["value"] for box in boxes] == tick(*orders)
    assert {box.attributes["form"] for box in boxes} == {page.one("form", action=URL).attributes["id"]}
    assert not [box for box in boxes if "checked" in box.attributes]


def test_a_single_order_needs_no_boxes(as_manager: Client, purchase: Purchase) -> None:
    purchase()
    page = Page(as_manager.get("/orders/"))
    assert page.all("input", name="order") == page.all("form", action=URL) == []


def test_the_ticked_ones_are_approved_and_the_others_wait(
    as_manager: Client, orders: list[Order], manager: User
) -> None:
    page = approve(as_manager, *tick(*orders[:2]), follow=True)
    assert page.alerts == ["2 orders approved. This is on its way to Callcap."]
    assert statuses(*orders) == [OrderStatus.APPROVED, OrderStatus.APPROVED, OrderStatus.PENDING]
    entries = HistoryEntry.objects.filter(verb=Verb.ORDER_APPROVED)
    assert [entry.actor_id for entry in entries] == [manager.pk] * 2


def test_a_single_one_is_told_in_the_singular(as_manager: Client, orders: list[Order]) -> None:
    assert approve(as_manager, *tick(orders[0]), follow=True).alerts[0].startswith("1 order approved.")


def test_all_can_be_undone_for_a_while(as_manager: Client, orders: list[Order], settings: Any) -> None:
    settings.APPROVAL_UNDO_SECONDS = 10
    page = approve(as_manager, *tick(*orders), follow=True)
    assert page.alerts == ["3 orders approved. This takes effect in a few seconds; until then you can undo it."]
    undo = [form.attributes["action"] for form in page.one("div", id="just-approved").all("form")]
    assert undo == [f"/orders/{order.pk}/undo/" for order in reversed(orders)]


@pytest.mark.parametrize("sent", [{}, {"order": []}, {"order": ""}])
def test_without_a_tick_nothing_is_approved(as_manager: Client, orders: list[Order], sent: dict[str, Any]) -> None:
    said = ["Nothing is approved: tick the orders that you want to approve first."]
    response = as_manager.post(URL, sent, headers=HTMX)
    assert response.status_code == 422
    assert Page(response).alerts == said
    assert Page(as_manager.post(URL, sent, follow=True)).alerts == said
    assert statuses(*orders) == [OrderStatus.PENDING] * 3


@pytest.mark.parametrize(
    "value", ["all", ":", "1", "1:", ":1", "1:x", "1:1:1", "-1:1", "1.5:1", "9" * 30 + ":1", "<b>:1", "1\x00:1"]
)
def test_what_names_no_order_and_revision_is_refused(as_manager: Client, orders: list[Order], value: str) -> None:
    response = as_manager.post(URL, {"order": [*tick(orders[0]), value]}, headers=HTMX)
    assert response.status_code == 422
    assert statuses(orders[0]) == [OrderStatus.PENDING]


def test_one_that_was_rewritten_meanwhile_is_named_and_waits(
    as_manager: Client, orders: list[Order], rep: User
) -> None:
    ticked = tick(*orders)
    order_amend(
        actor=Actor.person(rep),
        order_id=orders[1].pk,
        revision=1,
        wanted=[WantedNumber(str(orders[1].choices.get()))],
        parameters={"destination": "3165550100"},
        reason="It rings elsewhere",
        urgent=False,
        execute_after=None,
    )
    page = approve(as_manager, *ticked, follow=True)
    refused, approved = page.alerts
    assert refused.startswith(f"Order {orders[1].pk} is not approved. Rep Test rewrote this order on")
    assert approved.startswith("2 orders approved.")
    assert statuses(*orders) == [OrderStatus.APPROVED, OrderStatus.PENDING, OrderStatus.APPROVED]


def test_one_that_was_decided_meanwhile_is_named(as_manager: Client, orders: list[Order], manager2: User) -> None:
    order_reject(actor=Actor.person(manager2), order_id=orders[0].pk, revision=1, reason="We have one.")
    page = approve(as_manager, *tick(*orders[:2]), follow=True)
    assert page.alerts[0].startswith(f"Order {orders[0].pk} is not approved. This order was decided before you")
    assert "Manager2 Test" in page.alerts[0]
    assert statuses(*orders[:2]) == [OrderStatus.REJECTED, OrderStatus.APPROVED]


def test_one_that_one_asked_for_oneself_is_named(
    as_manager: Client, orders: list[Order], purchase: Purchase, manager: User
) -> None:
    own = purchase(CAKE, by=manager)
    page = approve(as_manager, *tick(own, orders[0]), follow=True)
    assert page.alerts[0].startswith(f"Order {own.pk} is not approved. You asked for this yourself")
    assert statuses(own, orders[0]) == [OrderStatus.PENDING, OrderStatus.APPROVED]


def test_one_whose_numbers_are_gone_is_named(
    as_manager: Client, orders: list[Order], offered: list[str], sandbox: SandboxServer
) -> None:
    sandbox.take(offered[0])
    page = approve(as_manager, *tick(*orders[:2]), follow=True)
    assert page.alerts[0].startswith(f"Order {orders[0].pk} is not approved. Callcap no longer offers any")
    assert statuses(*orders[:2]) == [OrderStatus.PENDING, OrderStatus.APPROVED]


def test_when_none_can_be_approved_nothing_is_said_to_be(
    as_manager: Client, orders: list[Order], manager2: User
) -> None:
    order_reject(actor=Actor.person(manager2), order_id=orders[0].pk, revision=1, reason="We have one.")
    page = approve(as_manager, *tick(orders[0]), follow=True)
    assert len(page.alerts) == 1
    assert "is not approved." in page.alerts[0]


def test_an_order_of_another_account_is_a_404_and_nothing_is_approved(
    as_manager: Client, orders: list[Order], purchase: Purchase, elsewhere: Account, stranger: User
) -> None:
    theirs = purchase(CAKE, by=stranger, account=elsewhere)
    response = as_manager.post(URL, {"order": tick(orders[0], theirs, orders[1])})
    assert response.status_code == 404
    assert statuses(*orders, theirs) == [OrderStatus.PENDING] * 4


@pytest.mark.parametrize("order_id", ["0", "999999", "9" * 18])
def test_an_order_that_is_not_there_is_a_404_and_nothing_is_approved(
    as_manager: Client, orders: list[Order], order_id: str
) -> None:
    response = as_manager.post(URL, {"order": [*tick(orders[0]), f"{order_id}:1"]})
    assert response.status_code == 404
    assert statuses(orders[0]) == [OrderStatus.PENDING]


def test_the_same_form_sent_twice_approves_once(as_manager: Client, orders: list[Order]) -> None:
    approve(as_manager, *tick(*orders[:2]))
    page = approve(as_manager, *tick(*orders[:2]), follow=True)
    assert all("decided before you" in alert for alert in page.alerts[-2:])
    assert HistoryEntry.objects.filter(verb=Verb.ORDER_APPROVED).count() == 2


@pytest.mark.parametrize("person", ["rep", "auditor", "admin", "stranger"])
def test_who_decides_nothing_approves_nothing(
    request: pytest.FixtureRequest, signed_in: Any, orders: list[Order], person: str
) -> None:
    response = signed_in(request.getfixturevalue(person)).post(URL, {"order": tick(*orders)})
    assert response.status_code == 403
    assert statuses(*orders) == [OrderStatus.PENDING] * 3


def test_htmx_gets_the_queue_as_it_is_now(as_manager: Client, orders: list[Order]) -> None:
    response = as_manager.post(URL, {"order": tick(*orders[:2]), "next": "/"}, headers=HTMX)
    page = Page(response)
    assert response.status_code == 200
    assert "<html" not in page.html
    assert [row.attributes["aria-labelledby"] for row in page.all("article")] == [f"order-{orders[2].pk}"]
    [marked] = [element for element in page if "data-focus" in element.attributes]
    assert marked.attributes["id"] == f"order-{orders[2].pk}"
    assert page.alerts == ["2 orders approved. This is on its way to Callcap."]


@pytest.mark.parametrize(("target", "leads_to"), [("/", "/"), ("//evil.example/", "/orders/"), ("", "/orders/")])
def test_the_reader_returns_to_the_page_of_the_decision(
    as_manager: Client, orders: list[Order], target: str, leads_to: str
) -> None:
    assert as_manager.post(URL, {"order": tick(orders[0]), "next": target})["Location"] == leads_to
