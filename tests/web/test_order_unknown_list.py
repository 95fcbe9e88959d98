"""The page of the orders whose outcome nobody knows."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Account, Order, OrderStatus, User
from numbers_app.services.decisions import order_approve
from tests.sandbox_server import SandboxServer

from .conftest import Purchase
from .page import Page

pytestmark = pytest.mark.django_db

URL = "/orders/unknown/"


def opened(client: Client, address: str = URL) -> Page:
    response = client.get(address)
    assert response.status_code == 200
    return Page(response)


def listed(page: Page) -> list[int]:
    return [int(found.attributes["aria-labelledby"].removeprefix("order-")) for found in page.all("article")]


def made_unknown(order: Order, **fields: Any) -> Order:
    """As if it had been sent and nobody knew what became of it; without ``execute_after`` it waits for a person."""
    Order.objects.filter(pk=order.pk).update(
        status=OrderStatus.UNKNOWN, decider_id=999, decider_name="Somebody", **fields
    )
    order.refresh_from_db()
    return order


def test_each_stands_with_every_call_and_what_callcap_said(
    as_manager: Client, misnamed: Order, sandbox: SandboxServer
) -> None:
    page = opened(as_manager)
    article = page.one("article")
    assert article.one("h2").one("a").attributes["href"] == f"/orders/{misnamed.pk}/"
    for words in (
        "asked for by Rep Test, approved by Manager Test.",
        "Nothing more can be found out from here. A manager settles it.",
        misnamed.result,
        f"Callcap's words {misnamed.attempts.get().message}",
        "Seen just before",
    ):
        assert words in article.text, words
    assert sandbox.api_key not in page.html
    assert "for 15 minutes" in page.text


def test_those_that_wait_for_a_person_come_first(as_manager: Client, purchase: Purchase) -> None:
    checked = made_unknown(purchase(), execute_after=timezone.now(), phone_number="3167342253")
    stuck = made_unknown(purchase("3167342254"), phone_number="3167342254")
    page = opened(as_manager)
    assert listed(page) == [stuck.pk, checked.pk]
    assert "Checked again by itself:" in page.all("article")[1].text
    assert page.links("Settle by hand") == [f"/orders/{stuck.pk}/settle/"]


@pytest.mark.parametrize("person", ["rep", "auditor", "admin"])
def test_who_decides_nothing_sees_them_and_settles_nothing(
    request: pytest.FixtureRequest, signed_in: Any, misnamed: Order, person: str
) -> None:
    page = opened(signed_in(request.getfixturevalue(person)))
    assert listed(page) == [misnamed.pk]
    assert not page.links("Settle by hand")


def test_those_of_other_accounts_are_not_there(
    as_manager: Client, purchase: Purchase, stranger: User, elsewhere: Account
) -> None:
    made_unknown(purchase(by=stranger, account=elsewhere), phone_number="3167342253")
    page = opened(as_manager)
    assert listed(page) == []
    assert "734-2253" not in page.html
    assert "No outcome is unknown" in page.text


def test_whatever_has_another_outcome_is_not_there(as_manager: Client, purchase: Purchase, manager: User) -> None:
    order = purchase()
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    assert listed(opened(as_manager)) == []


def test_the_pages_of_orders_lead_to_it_with_their_number(as_manager: Client, misnamed: Order) -> None:
    sections = opened(as_manager, "/orders/").one("nav", class_="sections")
    [link] = [link for link in sections.all("a") if link.attributes["href"] == URL]
    assert link.text == "Outcome unknown 1"
    assert opened(as_manager, "/").links("Everything that is known of them") == [URL]
    current = opened(as_manager).one("nav", class_="sections").one("a", aria_current="page")
    assert current.attributes["href"] == URL


def test_pages_of_twenty_follow_each_other(as_manager: Client, purchase: Purchase) -> None:
    for line in range(10, 31):
        made_unknown(purchase(f"31673422{line}"), phone_number=f"31673422{line}")
    assert len(listed(opened(as_manager))) == 20
    assert len(listed(opened(as_manager, f"{URL}?page=2"))) == 1
