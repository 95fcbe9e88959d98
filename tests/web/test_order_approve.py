"""Approving an order: what was seen, by somebody else, once."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django_tasks_db.models import DBTaskResult

from numbers_app.actors import Actor
from numbers_app.models import HistoryEntry, Order, OrderStatus, User, Verb
from numbers_app.services.decisions import order_approve, order_reject
from numbers_app.services.orders import WantedNumber, order_amend
from tests.factories import UserFactory
from tests.sandbox_server import SandboxServer

from .conftest import CAKE, HTMX, Purchase
from .page import Page

pytestmark = pytest.mark.django_db


def approve(client: Client, order: Order, htmx: bool = False, **data: Any) -> Any:
    headers = HTMX if htmx else {}
    return client.post(f"/orders/{order.pk}/approve/", {"revision": 1} | data, headers=headers)


def focused(page: Page) -> list[str]:
    """What gets the focus when the answer is put into the page: one element."""
    return [element.attributes["id"] for element in page if "data-focus" in element.attributes]


def status_of(order: Order) -> str:
    order.refresh_from_db()
    return order.status


def test_an_approval_sends_the_order_on_its_way_and_is_written_down(
    as_manager: Client, sandbox: SandboxServer, purchase: Purchase, manager: User
) -> None:
    order = purchase()
    response = as_manager.post(
        f"/orders/{order.pk}/approve/", {"revision": 1}, headers={"X-Request-ID": "request-of-manager"}
    )
    assert response.status_code == 302
    assert response["Location"] == f"/orders/{order.pk}/"
    order.refresh_from_db()
    assert (order.status, order.decider_id) == (OrderStatus.APPROVED, manager.pk)
    entry = HistoryEntry.objects.get(verb=Verb.ORDER_APPROVED)
    assert (entry.actor_name, entry.role, entry.request_id) == ("Manager Test", "Manager", "request-of-manager")
    assert DBTaskResult.objects.count() == 1
    assert Page(as_manager.get(response["Location"])).alerts == [
        f"Order {order.pk} is approved. This is on its way to Callcap."
    ]


def test_the_button_of_the_page_approves(as_manager: Client, purchase: Purchase) -> None:
    order = purchase()
    page = Page(as_manager.get(f"/orders/{order.pk}/"))
    as_manager.post(f"/orders/{order.pk}/approve/", page.filled(f"/orders/{order.pk}/approve/"))
    assert status_of(order) == OrderStatus.APPROVED


def test_a_link_approves_nothing(as_manager: Client, purchase: Purchase) -> None:
    order = purchase()
    assert as_manager.get(f"/orders/{order.pk}/approve/", {"revision": 1}).status_code == 405
    assert as_manager.head(f"/orders/{order.pk}/approve/").status_code == 405
    assert status_of(order) == OrderStatus.PENDING


def test_reps_and_auditors_may_not_approve(
    as_rep: Client, signed_in: Any, auditor: User, purchase: Purchase, manager: User
) -> None:
    order = purchase(by=manager)
    for client in (as_rep, signed_in(auditor)):
        response = approve(client, order)
        assert response.status_code == 403
        assert "approve and reject orders" in Page(response).text
    assert status_of(order) == OrderStatus.PENDING


def test_nobody_approves_what_they_asked_for_themselves(as_manager: Client, purchase: Purchase, manager: User) -> None:
    order = purchase(by=manager)
    response = approve(as_manager, order)
    assert response.status_code == 403
    assert "somebody else decides" in Page(response).text
    assert status_of(order) == OrderStatus.PENDING


def test_a_role_taken_away_counts_at_the_next_request(as_manager: Client, purchase: Purchase, manager: User) -> None:
    order = purchase()
    manager.groups.clear()
    assert approve(as_manager, order).status_code == 403


def test_the_second_of_two_managers_learns_who_was_first(
    as_manager: Client, purchase: Purchase, manager2: User
) -> None:
    order = purchase()
    order_approve(actor=Actor.person(manager2), order_id=order.pk, revision=1)
    response = approve(as_manager, order)
    page = Page(response)
    assert response.status_code == 409
    assert "decided before you: it is approved, decided by Manager2 Test" in page.text
    assert page.links("See how it is now") == [f"/orders/{order.pk}/"]
    order.refresh_from_db()
    assert order.decider_id == manager2.pk
    assert DBTaskResult.objects.count() == 1


def test_a_rejected_order_cannot_be_approved_any_more(as_manager: Client, purchase: Purchase, manager2: User) -> None:
    order = purchase()
    order_reject(actor=Actor.person(manager2), order_id=order.pk, revision=1, reason="No")
    assert approve(as_manager, order).status_code == 409
    assert status_of(order) == OrderStatus.REJECTED


def test_a_rewritten_order_must_be_read_again(as_manager: Client, purchase: Purchase, rep: User) -> None:
    order = purchase()
    order_amend(
        actor=Actor.person(rep),
        order_id=order.pk,
        revision=1,
        wanted=[WantedNumber(CAKE)],
        parameters={"destination": "3165550100"},
        reason="It rings elsewhere",
        urgent=False,
        execute_after=None,
    )
    response = approve(as_manager, order)
    assert response.status_code == 409
    assert "Rep Test rewrote this order on" in Page(response).text
    assert "Read it again before you decide." in Page(response).text
    assert status_of(order) == OrderStatus.PENDING
    assert approve(as_manager, order, revision=2).status_code == 302
    assert status_of(order) == OrderStatus.APPROVED


@pytest.mark.parametrize("revision", ["", "0", "-1", "one", "1.5"])
def test_an_approval_that_names_no_revision_is_refused(as_manager: Client, purchase: Purchase, revision: str) -> None:
    order = purchase()
    assert approve(as_manager, order, revision=revision).status_code == 422
    assert status_of(order) == OrderStatus.PENDING


def test_a_revision_from_nowhere_is_a_conflict(as_manager: Client, purchase: Purchase) -> None:
    assert approve(as_manager, purchase(), revision="9" * 30).status_code == 409


@pytest.mark.parametrize("target", ["/", "/orders/", "/orders/?status=pending"])
def test_the_reader_returns_to_the_page_of_the_decision(as_manager: Client, purchase: Purchase, target: str) -> None:
    assert approve(as_manager, purchase(), next=target)["Location"] == target


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "http:///evil.example",
        "javascript:alert(1)",
        "https:evil.example",
        "\thttps://evil.example",
        "http://testserver@evil.example/",
    ],
)
def test_nobody_is_sent_to_another_site(as_manager: Client, purchase: Purchase, target: str) -> None:
    order = purchase()
    assert approve(as_manager, order, next=target)["Location"] == f"/orders/{order.pk}/"


@pytest.mark.parametrize("target", ["nonsense", "<b>"])
def test_a_page_that_is_no_address_leads_to_the_order(as_manager: Client, purchase: Purchase, target: str) -> None:
    order = purchase()
    assert approve(as_manager, order, next=target)["Location"] == f"/orders/{order.pk}/"


def test_htmx_gets_the_queue_with_the_focus_on_what_follows(
    as_manager: Client, sandbox: SandboxServer, purchase: Purchase
) -> None:
    first, order, following = purchase("3167342254"), purchase(), purchase("3167342255")
    response = as_manager.post(f"/orders/{order.pk}/approve/", {"revision": 1, "next": "/"}, headers=HTMX)
    page = Page(response)
    assert response.status_code == 200
    assert "<html" not in page.html
    assert [row.attributes["aria-labelledby"] for row in page.all("article")] == [
        f"order-{first.pk}",
        f"order-{following.pk}",
    ]
    assert focused(page) == [f"order-{following.pk}"]
    assert page.one("div", id="messages").attributes["hx-swap-oob"] == "true"
    assert page.alerts == [f"Order {order.pk} is approved. This is on its way to Callcap."]
    assert page.filled(f"/orders/{first.pk}/approve/")["next"] == ["/"]


def test_after_the_last_row_the_focus_starts_again_at_the_first(
    as_manager: Client, sandbox: SandboxServer, purchase: Purchase
) -> None:
    first, _, last = purchase("3167342254"), purchase("3167342255"), purchase()
    assert focused(Page(approve(as_manager, last, htmx=True))) == [f"order-{first.pk}"]


def test_after_the_last_order_the_focus_is_on_the_heading(
    as_manager: Client, sandbox: SandboxServer, purchase: Purchase
) -> None:
    page = Page(approve(as_manager, purchase(), htmx=True))
    assert focused(page) == ["queue-heading"]
    assert "Nothing waits for you." in page.text


def test_after_an_urgent_order_the_focus_goes_on_to_the_others(
    as_manager: Client, sandbox: SandboxServer, purchase: Purchase
) -> None:
    plain, urgent = purchase("3167342254"), purchase(urgent=True)
    assert focused(Page(approve(as_manager, urgent, htmx=True))) == [f"order-{plain.pk}"]


def test_htmx_gets_a_conflict_in_the_queue(as_manager: Client, purchase: Purchase, manager2: User) -> None:
    order, following = purchase(), purchase("3167342254")
    order_approve(actor=Actor.person(manager2), order_id=order.pk, revision=1)
    response = approve(as_manager, order, htmx=True)
    page = Page(response)
    assert response.status_code == 409
    assert "decided by Manager2 Test" in page.alerts[0]
    assert page.alerts[0].startswith(f"Order {order.pk}: ")
    assert focused(page) == [f"order-{following.pk}"]


def test_another_reps_manager_of_the_same_location_may_approve(
    signed_in: Any, purchase: Purchase, manager2: User
) -> None:
    assert approve(signed_in(manager2), purchase()).status_code == 302


def test_a_person_without_any_role_may_not(signed_in: Any, purchase: Purchase) -> None:
    assert approve(signed_in(UserFactory(role=None)), purchase()).status_code == 404
