"""The first page tells each role what to do next."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, Order, OrderStatus, User
from numbers_app.permissions import Role
from numbers_app.services.decisions import order_reject
from tests.factories import CampaignFactory, UserFactory

from .conftest import Purchase
from .page import Page

pytestmark = pytest.mark.django_db


def home(client: Client) -> Page:
    response = client.get("/")
    assert response.status_code == 200
    return Page(response)


def test_a_rep_finds_a_number_and_sees_own_orders_only(as_rep: Client, purchase: Purchase, manager: User) -> None:
    mine = purchase("3167342253")
    theirs = purchase("3167342254", by=manager)
    page = home(as_rep)
    assert page.one("form", action="/search/").all("input", name="q")
    assert page.links("(316) 734-2253") == [f"/orders/{mine.pk}/"]
    assert f"/orders/{theirs.pk}/" not in page.html
    assert "Waiting for your decision" not in page.text
    assert "What happened last" not in page.text


def test_a_manager_sees_what_waits_for_them_but_not_their_own_request(
    as_manager: Client, purchase: Purchase, manager: User
) -> None:
    waiting = purchase("3167342253")
    own = purchase("3167342254", by=manager)
    page = home(as_manager)
    approve = [form.attributes["action"] for form in page.all("form") if "approve" in form.attributes["action"]]
    assert approve == [f"/orders/{waiting.pk}/approve/"]
    # Theirs stands beside the other one, which has the same destination, and among their own.
    warnings = [warning.text for warning in page.one("article").all("p", class_="warning")]
    assert f"Same destination: Purchase of (316) 734-2254 #{own.pk}" in warnings
    assert set(page.links("(316) 734-2254")) == {f"/orders/{own.pk}/"}
    assert "What happened last" in page.text


def test_a_manager_is_told_of_numbers_in_dispute(as_rep: Client, as_manager: Client, campaign: Campaign) -> None:
    assert "not ours" not in home(as_manager).text
    Campaign.objects.update(disputed_at=timezone.now(), dispute="No such number.")
    page = home(as_manager)
    assert "Callcap says that one of our numbers is not ours." in page.text
    assert page.links("Find out and settle it") == ["/numbers/disputes/"]
    assert "not ours" not in home(as_rep).text


def test_a_number_in_dispute_that_a_manager_sees_but_cannot_settle_is_not_counted(
    as_manager: Client, manager: User, elsewhere: Account
) -> None:
    manager.groups.add(Group.objects.get(name=Role.AUDITOR))
    CampaignFactory(account=elsewhere, disputed_at=timezone.now(), dispute="No such number.")
    assert "not ours" not in home(as_manager).text


def test_a_manager_of_another_location_sees_nothing_of_it(
    signed_in: Any, purchase: Purchase, strange_manager: User
) -> None:
    purchase("3167342253")
    page = home(signed_in(strange_manager))
    assert "Nothing waits for you." in page.text
    assert "734-2253" not in page.text


def test_an_auditor_sees_what_happened_everywhere_and_nothing_to_decide(
    signed_in: Any, auditor: User, campaign: Campaign, purchase: Purchase
) -> None:
    purchase("3167342254")
    page = home(signed_in(auditor))
    assert "bought (316) 734-2253" in page.text
    assert "requested order" in page.text
    assert not page.all("form", action="/search/")
    assert "Approve" not in page.text


def test_orders_with_an_unknown_outcome_come_first(as_manager: Client, purchase: Purchase) -> None:
    order = purchase()
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.UNKNOWN, decider_id=1, phone_number="3167342253")
    page = home(as_manager)
    assert page.all("h2")[0].text == "Outcome unknown"
    assert page.links(f"Order {order.pk}: Purchase of (316) 734-2253") == [f"/orders/{order.pk}/"]


def test_finished_orders_move_below_the_open_ones(as_rep: Client, purchase: Purchase, manager: User) -> None:
    rejected, waiting = purchase("3167342253"), purchase("3167342254")
    order_reject(actor=Actor.person(manager), order_id=rejected.pk, revision=1, reason="No")
    page = home(as_rep)
    assert [heading.text for heading in page.all("h2")][1:3] == ["Your open orders", "Your last orders"]
    assert page.html.index(f"/orders/{waiting.pk}/") < page.html.index(f"/orders/{rejected.pk}/")


def test_a_person_without_a_role_gets_a_page_without_anything_to_do(signed_in: Any) -> None:
    page = home(signed_in(UserFactory(role=None, username="nobody")))
    assert "No role" in page.text
    assert not page.one("main").all("form")
    assert not page.links("Search")
