"""Taking back one's own approval before it takes effect."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Campaign, HistoryEntry, Order, OrderStatus, User, Verb
from numbers_app.services.decisions import order_approve
from tests.sandbox_server import SandboxServer

from .conftest import HTMX, Purchase
from .page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ten_seconds(settings: Any) -> None:
    settings.APPROVAL_UNDO_SECONDS = 10


@pytest.fixture
def approved(purchase: Purchase, manager: User) -> Order:
    """Approved by the manager a moment ago."""
    order = purchase()
    return order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)


def undo(client: Client, order: Order, **data: Any) -> Any:
    return client.post(f"/orders/{order.pk}/undo/", data)


def status_of(order: Order) -> str:
    order.refresh_from_db()
    return order.status


def time_is_over(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(decided_at=timezone.now() - timedelta(seconds=10))


def undo_forms(client: Client, address: str) -> list[str]:
    page = Page(client.get(address))
    actions = [form.attributes.get("action", "") for form in page.one("main").all("form")]
    return [action for action in actions if action.endswith("/undo/")]


@pytest.mark.parametrize("address", ["/", "/orders/"])
def test_the_queue_offers_to_undo_what_was_just_approved(as_manager: Client, approved: Order, address: str) -> None:
    page = Page(as_manager.get(address))
    notice = page.one("div", id="just-approved")
    assert "Purchase of (316) 734-2253 is approved. It takes effect at" in notice.text
    response = as_manager.post(f"/orders/{approved.pk}/undo/", page.filled(f"/orders/{approved.pk}/undo/"))
    assert response["Location"] == address
    after = Page(as_manager.get(address))
    assert after.alerts == [f"The approval of order {approved.pk} is taken back. It waits again."]
    assert after.all("article", aria_labelledby=f"order-{approved.pk}")
    assert status_of(approved) == OrderStatus.PENDING
    assert approved.decider_id is None


def test_the_page_of_the_order_offers_it_too(as_manager: Client, approved: Order) -> None:
    page = Page(as_manager.get(f"/orders/{approved.pk}/"))
    assert "Until then the approval can be undone." in page.text
    address = f"/orders/{approved.pk}/undo/"
    assert as_manager.post(address, page.filled(address))["Location"] == f"/orders/{approved.pk}/"
    assert status_of(approved) == OrderStatus.PENDING


def test_an_approval_says_that_it_can_be_undone(as_manager: Client, sandbox: SandboxServer, purchase: Purchase) -> None:
    order = purchase()
    response = as_manager.post(f"/orders/{order.pk}/approve/", {"revision": 1}, follow=True)
    assert Page(response).alerts == [
        f"Order {order.pk} is approved. This takes effect in a few seconds; until then you can undo it."
    ]


def test_nothing_is_bought_before_the_time_is_over_nor_after_an_undo(
    as_manager: Client, sandbox: SandboxServer, approved: Order, carry_out: Callable[[Order], Order]
) -> None:
    assert carry_out(approved).status == OrderStatus.APPROVED
    undo(as_manager, approved)
    assert carry_out(approved).status == OrderStatus.PENDING
    assert sandbox.journal() == []


def test_it_is_written_down(as_manager: Client, approved: Order, manager: User) -> None:
    undo(as_manager, approved)
    entry = HistoryEntry.objects.get(verb=Verb.ORDER_APPROVAL_UNDONE)
    assert (entry.actor_id, entry.order_id) == (manager.pk, approved.pk)
    assert "Manager Test took back the approval of order" in Page(as_manager.get(f"/orders/{approved.pk}/")).text


def test_afterwards_it_can_be_approved_again(as_manager: Client, approved: Order) -> None:
    undo(as_manager, approved)
    as_manager.post(f"/orders/{approved.pk}/approve/", {"revision": 1})
    assert status_of(approved) == OrderStatus.APPROVED


def test_once_the_time_is_over_it_is_a_conflict(as_manager: Client, approved: Order) -> None:
    time_is_over(approved)
    response = undo(as_manager, approved)
    assert response.status_code == 409
    assert "The time to undo is over. You can still cancel the order until it is sent." in Page(response).text
    assert status_of(approved) == OrderStatus.APPROVED


def test_once_the_time_is_over_it_is_not_offered(as_manager: Client, approved: Order) -> None:
    time_is_over(approved)
    assert undo_forms(as_manager, "/orders/") == undo_forms(as_manager, f"/orders/{approved.pk}/") == []


def test_without_a_time_to_undo_nothing_is_offered(as_manager: Client, approved: Order, settings: Any) -> None:
    settings.APPROVAL_UNDO_SECONDS = 0
    assert undo_forms(as_manager, "/orders/") == []
    assert undo(as_manager, approved).status_code == 409


def test_the_second_of_two_clicks_is_a_conflict(as_manager: Client, approved: Order) -> None:
    undo(as_manager, approved)
    response = undo(as_manager, approved)
    assert response.status_code == 409
    assert "There is no approval to take back: it is waiting for approval." in Page(response).text
    assert HistoryEntry.objects.filter(verb=Verb.ORDER_APPROVAL_UNDONE).count() == 1


def test_nobody_takes_back_the_approval_of_another(signed_in: Any, approved: Order, manager2: User) -> None:
    client = signed_in(manager2)
    assert undo_forms(client, "/orders/") == undo_forms(client, f"/orders/{approved.pk}/") == []
    response = undo(client, approved)
    assert response.status_code == 403
    assert "Only Manager Test can take back this approval." in Page(response).text
    assert status_of(approved) == OrderStatus.APPROVED


@pytest.mark.parametrize(
    ("person", "status"), [("rep", 403), ("auditor", 403), ("admin", 403), ("stranger", 404), ("strange_manager", 404)]
)
def test_who_decides_nothing_here_undoes_nothing(
    request: pytest.FixtureRequest, signed_in: Any, approved: Order, person: str, status: int
) -> None:
    assert undo(signed_in(request.getfixturevalue(person)), approved).status_code == status
    assert status_of(approved) == OrderStatus.APPROVED


def test_a_role_taken_away_counts_at_once(as_manager: Client, approved: Order, manager: User) -> None:
    from django.contrib.auth.models import Group

    manager.groups.set([Group.objects.get(name="Sales rep")])
    assert undo(as_manager, approved).status_code == 403
    assert status_of(approved) == OrderStatus.APPROVED


def test_a_manager_s_own_change_has_no_approval_to_take_back(
    as_manager: Client, change: Purchase, campaign: Campaign, manager: User
) -> None:
    order = change(campaign, by=manager, destination="3165550100")
    assert undo_forms(as_manager, "/orders/") == undo_forms(as_manager, f"/orders/{order.pk}/") == []
    assert undo(as_manager, order).status_code == 409


def test_the_time_that_was_wished_for_comes_back_with_the_order(
    as_manager: Client, purchase: Purchase, manager: User
) -> None:
    later = timezone.now() + timedelta(days=3)
    order = purchase(execute_after=later)
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    notice = Page(as_manager.get("/orders/")).one("div", id="just-approved").text
    assert "It is sent" in notice
    assert "and can be undone until" in notice
    assert "It is sent by itself:" in Page(as_manager.get(f"/orders/{order.pk}/")).text
    undo(as_manager, order)
    order.refresh_from_db()
    assert order.execute_after == later
    assert "Not before" in Page(as_manager.get("/orders/")).text


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example/"])
def test_nobody_is_sent_to_another_site(as_manager: Client, approved: Order, target: str) -> None:
    assert undo(as_manager, approved, next=target)["Location"] == f"/orders/{approved.pk}/"


# --- as the queue's own answers --------------------------------------------------------------------------------------


def test_htmx_gets_the_queue_with_the_order_in_it_again(
    as_manager: Client, approved: Order, purchase: Purchase
) -> None:
    following = purchase("3167342254")
    response = as_manager.post(f"/orders/{approved.pk}/undo/", {"next": "/"}, headers=HTMX)
    page = Page(response)
    assert response.status_code == 200
    assert "<html" not in page.html
    assert [row.attributes["aria-labelledby"] for row in page.all("article")] == [
        f"order-{approved.pk}",
        f"order-{following.pk}",
    ]
    assert len([element for element in page if "data-focus" in element.attributes]) == 1
    assert page.one("div", id="messages").attributes["hx-swap-oob"] == "true"
    assert page.alerts == [f"The approval of order {approved.pk} is taken back. It waits again."]
    assert page.filled(f"/orders/{following.pk}/approve/")["next"] == ["/"]


def test_htmx_gets_the_conflict_in_the_queue(as_manager: Client, approved: Order) -> None:
    time_is_over(approved)
    response = as_manager.post(f"/orders/{approved.pk}/undo/", headers=HTMX)
    page = Page(response)
    assert response.status_code == 409
    assert page.alerts[0].startswith(f"Order {approved.pk}: The time to undo is over.")
    assert page.all("section", id="queue")


def test_the_notice_refreshes_itself_until_the_time_is_over(as_manager: Client, approved: Order) -> None:
    notice = Page(as_manager.get("/orders/")).one("div", id="just-approved")
    assert notice.attributes["hx-get"] == "/orders/approved/"
    fragment = Page(as_manager.get("/orders/approved/", headers=HTMX))
    assert fragment.all("form", action=f"/orders/{approved.pk}/undo/")
    assert "<html" not in fragment.html
    time_is_over(approved)
    over = Page(as_manager.get("/orders/approved/", headers=HTMX)).one("div", id="just-approved")
    assert over.text == ""
    assert "hx-get" not in over.attributes


def test_the_notice_alone_is_no_page(as_manager: Client) -> None:
    assert as_manager.get("/orders/approved/")["Location"] == "/orders/"
