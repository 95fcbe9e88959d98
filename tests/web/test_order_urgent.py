"""Marking an order as urgent: every manager is told at once, and everybody sees who has seen it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Account, HistoryEntry, Notification, NotificationKind, Order, User, Verb
from numbers_app.permissions import Role
from numbers_app.services.decisions import order_reject
from tests.factories import GrantFactory, UserFactory
from tests.sandbox_server import SandboxServer

from .conftest import CAKE, HTMX, Purchase
from .page import Page

pytestmark = pytest.mark.django_db


def urge(client: Client, order: Order) -> Any:
    return client.post(f"/orders/{order.pk}/urgent/")


def told_urgent(order: Order) -> list[str]:
    told = Notification.objects.filter(order=order, kind=NotificationKind.URGENT)
    return sorted(told.values_list("user__username", flat=True))


def sightings(client: Client, order: Order) -> str:
    page = Page(client.get(f"/orders/{order.pk}/"))
    [line] = [line.text for line in page.all("p", class_="muted") if line.text.startswith("Urgent.")]
    return line


def test_every_manager_of_the_account_is_told_also_those_above(
    as_rep: Client, purchase: Purchase, manager: User, manager2: User, strange_manager: User, location: Account
) -> None:
    above: User = UserFactory(role=Role.MANAGER, username="above")
    GrantFactory(user=above, account=location.parent.parent)
    order = purchase()
    response = urge(as_rep, order)
    assert response["Location"] == f"/orders/{order.pk}/"
    page = Page(as_rep.get(response["Location"]))
    assert page.alerts == [f"Order {order.pk} is urgent now: every manager of Location 3 (L-3) is told."]
    assert "Urgent" in page.one("div", class_="page-header").text
    assert told_urgent(order) == ["above", "manager", "manager2"]
    assert HistoryEntry.objects.get(verb=Verb.ORDER_URGED).actor_name == "Rep Test"


def test_the_button_of_the_page_urges_once(as_rep: Client, purchase: Purchase) -> None:
    order = purchase()
    address = f"/orders/{order.pk}/urgent/"
    as_rep.post(address, Page(as_rep.get(f"/orders/{order.pk}/")).filled(address))
    order.refresh_from_db()
    assert order.urgent
    assert not Page(as_rep.get(f"/orders/{order.pk}/")).all("form", action=address)


def test_an_order_can_be_asked_for_as_urgent(
    as_rep: Client, sandbox: SandboxServer, manager: User, manager2: User
) -> None:
    sent = {"number": [CAKE], "account": "L-3", "destination": "3164447896", "urgent": "on"}
    as_rep.post("/orders/new/", sent)
    order = Order.objects.get()
    assert order.urgent
    assert told_urgent(order) == ["manager", "manager2"]
    assert not Notification.objects.filter(kind=NotificationKind.REQUESTED).exists()


def test_the_tick_is_kept_when_the_form_comes_back(as_rep: Client) -> None:
    sent = {"number": [CAKE], "account": "L-3", "destination": "", "urgent": "on"}
    assert Page(as_rep.post("/orders/new/", sent)).values("urgent") == ["on"]


def test_the_second_of_two_people_learns_that_it_is_urgent_already(
    as_rep: Client, as_manager: Client, purchase: Purchase
) -> None:
    order = purchase()
    urge(as_rep, order)
    response = urge(as_manager, order)
    assert response.status_code == 409
    assert "marked as urgent already" in Page(response).text
    assert HistoryEntry.objects.filter(verb=Verb.ORDER_URGED).count() == 1


def test_what_was_decided_is_not_urgent_any_more(as_rep: Client, purchase: Purchase, manager: User) -> None:
    order = purchase()
    order_reject(actor=Actor.person(manager), order_id=order.pk, revision=1, reason="No")
    response = urge(as_rep, order)
    assert response.status_code == 409
    assert "no longer waits" in Page(response).text


def test_seeing_it_in_the_queue_is_told_to_who_asked(
    as_rep: Client, as_manager: Client, purchase: Purchase, manager: User, manager2: User
) -> None:
    order = purchase(urgent=True)
    assert "Manager Test has not seen it yet" in sightings(as_rep, order)
    address = f"/orders/{order.pk}/seen/"
    form = Page(as_manager.get("/orders/")).one("article").one("form", action=address)
    # With a script it sends itself; without one it is a button.
    assert (form.attributes["hx-post"], form.attributes["hx-trigger"]) == (address, "load")
    response = as_manager.post(address, Page(as_manager.get("/orders/")).filled(address), headers=HTMX)
    assert response.status_code == 204
    line = sightings(as_rep, order)
    assert "Manager Test has seen it 0 minutes ago" in line
    assert "Manager2 Test has not seen it yet" in line
    assert not Page(as_manager.get("/orders/")).one("article").all("form", action=address)


def test_who_saw_it_once_has_seen_it(as_rep: Client, purchase: Purchase, manager: User) -> None:
    order = purchase(urgent=True)
    manager.notifications.update(read_at=timezone.now())
    Notification.objects.create(user=manager, order=order, kind=NotificationKind.COMMENTED)
    assert "Manager Test has seen it" in sightings(as_rep, order)


def test_only_opening_the_queue_is_not_seeing(as_rep: Client, as_manager: Client, purchase: Purchase) -> None:
    order = purchase(urgent=True)
    as_manager.get("/orders/")
    as_manager.get(f"/orders/{order.pk}/")
    assert "Manager Test has not seen it yet" in sightings(as_rep, order)


@pytest.mark.parametrize(
    ("person", "status"), [("auditor", 403), ("admin", 403), ("stranger", 404), ("strange_manager", 404)]
)
def test_who_does_not_act_here_urges_nobody(
    request: pytest.FixtureRequest, signed_in: Any, purchase: Purchase, person: str, status: int
) -> None:
    order = purchase()
    assert urge(signed_in(request.getfixturevalue(person)), order).status_code == status
    order.refresh_from_db()
    assert not order.urgent
