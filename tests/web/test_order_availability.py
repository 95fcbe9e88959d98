"""Whether the numbers of an order are still to be had: asked of Callcap on the page, and before an approval."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import Campaign, Order, OrderStatus, User
from numbers_app.services.decisions import order_reject
from numbers_app.vendor import callcap_client
from tests.sandbox_server import SandboxServer

from .conftest import CAKE, HTMX, Purchase
from .page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def second(sandbox: SandboxServer) -> str:
    """A public number that Callcap offers besides CAKE."""
    return next(offer["phoneNumber"] for offer in sandbox.search(areaCode="316") if offer["phoneNumber"] != CAKE)


@pytest.fixture
def _nobody_answers(settings: Any) -> Iterator[None]:
    settings.CALLCAP_API_URL = "http://127.0.0.1:9"
    callcap_client.cache_clear()
    yield
    callcap_client.cache_clear()


def look(client: Client, order: Order, **options: Any) -> Page:
    response = client.get(f"/orders/{order.pk}/availability/", **options)
    assert response.status_code == 200
    return Page(response)


def approve(client: Client, order: Order, **options: Any) -> Any:
    return client.post(f"/orders/{order.pk}/approve/", {"revision": 1}, **options)


def status_of(order: Order) -> str:
    order.refresh_from_db()
    return order.status


def shown(number: str) -> str:
    return f"({number[:3]}) {number[3:6]}-{number[6:]}"


# --- looking --------------------------------------------------------------------------------------------------------


def test_the_queue_asks_by_itself_and_has_a_link_for_who_has_no_script(as_manager: Client, purchase: Purchase) -> None:
    order = purchase()
    place = Page(as_manager.get("/orders/")).one("div", class_="availability")
    assert place.attributes["hx-get"] == f"/orders/{order.pk}/availability/"
    assert place.attributes["hx-trigger"] == "load"
    assert "data-quiet" in place.attributes
    assert place.one("a").attributes["href"] == f"/orders/{order.pk}/availability/"


def test_each_choice_is_told_of(as_manager: Client, sandbox: SandboxServer, purchase: Purchase, second: str) -> None:
    order = purchase(CAKE, second)
    assert [line.text for line in look(as_manager, order).all("p", class_="good")] == [
        "Available right now: (316) 734-2253",
        f"Available right now: {shown(second)}",
    ]
    sandbox.take(CAKE)
    page = look(as_manager, order)
    assert [line.text for line in page.all("p", class_="warning")] == ["No longer available: (316) 734-2253"]
    assert [line.text for line in page.all("p", class_="good")] == [f"Available right now: {shown(second)}"]


def test_htmx_gets_the_answer_alone(as_manager: Client, sandbox: SandboxServer, purchase: Purchase) -> None:
    page = look(as_manager, purchase(), headers=HTMX)
    assert page.text == "Available right now: (316) 734-2253"
    assert "<html" not in page.html


@pytest.mark.usefixtures("_nobody_answers")
def test_a_silent_callcap_is_told_of_and_no_error(as_manager: Client, purchase: Purchase) -> None:
    page = look(as_manager, purchase())
    assert "Whether it is still available is checked again before anything is bought." in page.text
    assert "No longer available" not in page.text


@pytest.mark.parametrize("fault", ["500", "html", "401", "429", "drop_before_commit"])
def test_a_callcap_in_trouble_proves_nothing(
    as_manager: Client, sandbox: SandboxServer, purchase: Purchase, fault: str
) -> None:
    sandbox.arm_fault(fault, "search", times=20)
    page = look(as_manager, purchase())
    assert "is checked again before anything is bought" in page.text
    assert "vailable right now" not in page.text
    assert "No longer" not in page.text


@pytest.mark.usefixtures("_nobody_answers")
def test_of_a_change_callcap_is_not_asked(as_manager: Client, change: Purchase, campaign: Campaign) -> None:
    order = change(campaign, destination="3165550100")
    assert not Page(as_manager.get("/orders/")).all("div", class_="availability")
    assert "vailable" not in look(as_manager, order, headers=HTMX).text


def test_an_auditor_may_look_and_a_stranger_may_not(
    signed_in: Any, sandbox: SandboxServer, purchase: Purchase, auditor: User, strange_manager: User
) -> None:
    order = purchase()
    assert "Available right now" in look(signed_in(auditor), order).text
    assert signed_in(strange_manager).get(f"/orders/{order.pk}/availability/").status_code == 404


def test_looking_buys_and_writes_nothing(as_manager: Client, sandbox: SandboxServer, purchase: Purchase) -> None:
    order = purchase()
    look(as_manager, order)
    assert sandbox.journal() == []
    assert status_of(order) == OrderStatus.PENDING


# --- approving ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"headers": HTMX}], ids=["page", "htmx"])
def test_an_order_with_nothing_left_to_buy_is_not_approved_and_still_waits(
    as_manager: Client, sandbox: SandboxServer, purchase: Purchase, second: str, options: dict[str, Any]
) -> None:
    order = purchase(CAKE, second)
    sandbox.take(CAKE)
    sandbox.take(second)
    response = approve(as_manager, order, **options)
    assert response.status_code == 409
    page = Page(response)
    assert "Callcap no longer offers any of its numbers, so there is nothing to approve. It still waits." in page.text
    assert status_of(order) == OrderStatus.PENDING
    if options:
        assert page.all("article", aria_labelledby=f"order-{order.pk}")


def test_an_order_with_a_choice_left_is_approved_and_says_what_is_gone(
    as_manager: Client, sandbox: SandboxServer, purchase: Purchase, second: str
) -> None:
    order = purchase(CAKE, second)
    sandbox.take(CAKE)
    page = Page(as_manager.post(f"/orders/{order.pk}/approve/", {"revision": 1}, follow=True))
    gone, approved = page.alerts
    assert gone == f"(316) 734-2253 of order {order.pk} is gone: its next choice will be bought."
    assert approved.startswith(f"Order {order.pk} is approved.")
    assert status_of(order) == OrderStatus.APPROVED


@pytest.mark.usefixtures("_nobody_answers")
def test_an_absent_callcap_keeps_nobody_from_approving(as_manager: Client, purchase: Purchase) -> None:
    order = purchase()
    page = Page(as_manager.post(f"/orders/{order.pk}/approve/", {"revision": 1}, follow=True))
    warning, approved = page.alerts
    assert f"Whether the numbers of order {order.pk} are still available is checked before anything is bought." in (
        warning
    )
    assert approved.startswith(f"Order {order.pk} is approved.")
    assert status_of(order) == OrderStatus.APPROVED


def test_who_was_late_learns_that_and_not_what_became_of_the_numbers(
    as_manager: Client, sandbox: SandboxServer, purchase: Purchase, manager2: User
) -> None:
    order = purchase()
    order_reject(actor=Actor.person(manager2), order_id=order.pk, revision=1, reason="We have one.")
    sandbox.take(CAKE)
    response = approve(as_manager, order)
    assert response.status_code == 409
    assert "decided before you" in Page(response).text


def test_who_may_not_approve_is_refused_whatever_callcap_says(
    as_rep: Client, sandbox: SandboxServer, purchase: Purchase, manager: User
) -> None:
    order = purchase(by=manager)
    sandbox.take(CAKE)
    assert approve(as_rep, order).status_code == 403
