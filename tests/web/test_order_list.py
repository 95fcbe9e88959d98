"""The queue of what waits for a decision, and the list of all orders."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, Order, OrderStatus, User
from numbers_app.services.decisions import order_reject
from tests.factories import OrderFactory

from .conftest import Purchase
from .page import Page

pytestmark = pytest.mark.django_db


def listed(page: Page) -> list[str]:
    """The ids of the orders in the table, in its order."""
    tables = page.all("table", class_="table table-cards")
    return [row.one("a").attributes["href"].split("/")[2] for row in tables[0].all("tr")[1:]] if tables else []


def test_a_rep_sees_the_orders_of_their_locations_newest_first_and_no_queue(
    as_rep: Client, purchase: Purchase, stranger: User, elsewhere: Account, manager: User
) -> None:
    first, second = purchase("3167342253"), purchase("3167342254", by=manager)
    purchase("3167342255", by=stranger, account=elsewhere)
    page = Page(as_rep.get("/orders/"))
    assert listed(page) == [str(second.pk), str(first.pk)]
    assert "Waiting for your decision" not in page.text
    assert "734-2255" not in page.text


def test_the_queue_holds_what_others_asked_for_oldest_first(
    as_manager: Client, purchase: Purchase, manager: User
) -> None:
    first, second = purchase("3167342253"), purchase("3167342254")
    purchase("3167342255", by=manager)
    page = Page(as_manager.get("/orders/"))
    queue = page.one("section", aria_labelledby="queue-heading")
    assert [article.attributes["aria-labelledby"] for article in queue.all("article")] == [
        f"order-{first.pk}",
        f"order-{second.pk}",
    ]
    assert page.filled(f"/orders/{first.pk}/approve/")["next"] == ["/orders/"]


def test_the_queue_shows_what_would_be_bought_and_what_would_change(
    as_manager: Client, purchase: Purchase, change: Purchase, campaign: Campaign
) -> None:
    purchase("3167342254", "3167342255", campaign_name="Cakes", stop_date="2099-01-01")
    change(campaign, destination="3165550100")
    page = Page(as_manager.get("/orders/"))
    queue = page.one("section", aria_labelledby="queue-heading").text
    assert "Purchase of (316) 734-2254 or another choice" in queue
    assert "Choice 2 (316) 734-2255" in queue
    assert "Campaign name Cakes" in queue
    assert "Stop date runs on (2099-01-01)" in queue
    assert "Destination (316) 444-7896 (316) 555-0100" in queue
    assert "For the spring campaign" in queue


@pytest.mark.parametrize("status", OrderStatus.values)
def test_the_list_is_filtered_by_status(as_rep: Client, location: Account, status: str) -> None:
    orders = {
        value: OrderFactory(account=location, status=value, decider_id=2, author_id=1, phone_number=f"316734220{place}")
        for place, value in enumerate(OrderStatus.values)
    }
    page = Page(as_rep.get("/orders/", {"status": status}))
    assert listed(page) == [str(orders[status].pk)]
    assert page.value("status") == status


def test_a_filter_that_finds_nothing_says_so(as_rep: Client, purchase: Purchase) -> None:
    purchase()
    assert "No orders here" in Page(as_rep.get("/orders/", {"status": "failed"})).text


def test_an_unknown_status_is_refused_at_the_filter(as_rep: Client, purchase: Purchase) -> None:
    response = as_rep.get("/orders/", {"status": "lost"})
    assert response.status_code == 422
    assert "lost is not one of the available choices" in Page(response).error_at("status")


def test_a_long_list_has_pages_that_keep_the_filter(as_rep: Client, location: Account) -> None:
    for _ in range(51):
        OrderFactory(account=location)
    page = Page(as_rep.get("/orders/", {"status": "pending"}))
    assert len(listed(page)) == 50
    following = page.links("Next")[0]
    assert "status=pending" in following
    assert len(listed(Page(as_rep.get(f"/orders/{following}")))) == 1


def test_a_decided_order_leaves_the_queue(as_manager: Client, purchase: Purchase, manager: User) -> None:
    order = purchase()
    order_reject(actor=Actor.person(manager), order_id=order.pk, revision=1, reason="No")
    page = Page(as_manager.get("/orders/"))
    assert "Nothing waits for you." in page.text
    assert listed(page) == [str(order.pk)]
    assert Order.objects.get().status == OrderStatus.REJECTED


def test_an_auditor_sees_all_orders_and_no_queue(
    signed_in: Any, auditor: User, purchase: Purchase, stranger: User, elsewhere: Account
) -> None:
    ours, theirs = purchase("3167342253"), purchase("3167342255", by=stranger, account=elsewhere)
    page = Page(signed_in(auditor).get("/orders/"))
    assert listed(page) == [str(theirs.pk), str(ours.pk)]
    assert not page.all("section", aria_labelledby="queue-heading")
