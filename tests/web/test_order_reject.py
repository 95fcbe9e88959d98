"""Rejecting an order, with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import HistoryEntry, Order, OrderStatus, User, Verb
from numbers_app.permissions import Role
from numbers_app.services.decisions import order_approve
from numbers_app.services.orders import WantedNumber, order_amend

from .conftest import CAKE, HTMX, Purchase
from .page import Page

pytestmark = pytest.mark.django_db


def reject(client: Client, order: Order, headers: dict[str, str] | None = None, **data: Any) -> Any:
    sent = {"revision": 1, "reason": "We have one."} | data
    return client.post(f"/orders/{order.pk}/reject/", sent, headers=headers)


def test_the_form_asks_why_and_decides_nothing_yet(as_manager: Client, purchase: Purchase) -> None:
    order = purchase()
    page = Page(as_manager.get(f"/orders/{order.pk}/reject/"))
    assert page.heading == "Reject: Purchase of (316) 734-2253"
    assert page.value("revision") == "1"
    order.refresh_from_db()
    assert order.status == OrderStatus.PENDING


def test_a_rejection_is_kept_with_its_reason_and_frees_the_number(
    as_manager: Client, purchase: Purchase, manager: User
) -> None:
    order = purchase()
    response = reject(as_manager, order)
    assert response["Location"] == f"/orders/{order.pk}/"
    order.refresh_from_db()
    assert (order.status, order.decider_id, order.decision_reason) == ("rejected", manager.pk, "We have one.")
    assert HistoryEntry.objects.get(verb=Verb.ORDER_REJECTED).reason == "We have one."
    assert Page(as_manager.get(response["Location"])).alerts == [
        f"Order {order.pk} is rejected. Rep Test sees your reason."
    ]
    assert purchase(CAKE).pk != order.pk


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("", "Say why, so that the person who asked knows what to do."),
        ("   ", "Say why"),
        ("x" * 1001, "at most 1000 characters"),
        ("no\x00pe", "Remove the null character"),
    ],
)
def test_a_rejection_without_a_usable_reason_is_refused_and_keeps_the_text(
    as_manager: Client, purchase: Purchase, reason: str, sentence: str
) -> None:
    order = purchase()
    response = reject(as_manager, order, reason=reason)
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.error_at("reason")
    assert page.value("reason") == reason
    order.refresh_from_db()
    assert order.status == OrderStatus.PENDING


def test_a_rejection_that_names_no_revision_is_refused(as_manager: Client, purchase: Purchase) -> None:
    assert reject(as_manager, purchase(), revision="").status_code == 422


def test_only_managers_reject(as_rep: Client, signed_in: Any, auditor: User, purchase: Purchase) -> None:
    order = purchase()
    for client in (as_rep, signed_in(auditor)):
        assert client.get(f"/orders/{order.pk}/reject/").status_code == 403
        assert reject(client, order).status_code == 403


def test_nobody_rejects_what_they_asked_for_themselves(as_manager: Client, purchase: Purchase, manager: User) -> None:
    order = purchase(by=manager)
    assert reject(as_manager, order).status_code == 403
    order.refresh_from_db()
    assert order.status == OrderStatus.PENDING


def test_the_second_of_two_managers_learns_who_was_first(
    as_manager: Client, purchase: Purchase, manager2: User
) -> None:
    order = purchase()
    order_approve(actor=Actor.person(manager2), order_id=order.pk, revision=1)
    response = reject(as_manager, order)
    assert response.status_code == 409
    assert "decided by Manager2 Test" in Page(response).summary
    assert Page(response).value("reason") == "We have one."
    order.refresh_from_db()
    assert order.status == OrderStatus.APPROVED


def test_nobody_is_sent_to_another_site(as_manager: Client, purchase: Purchase) -> None:
    order = purchase()
    assert reject(as_manager, order, next="//evil.example/")["Location"] == f"/orders/{order.pk}/"


def focused(page: Page) -> list[str]:
    """What gets the focus when the answer is put into the page."""
    return [element.tag for element in page if "data-focus" in element.attributes]


def test_the_queue_has_the_form_in_each_row(as_manager: Client, purchase: Purchase) -> None:
    order = purchase()
    address = f"/orders/{order.pk}/reject/"
    page = Page(as_manager.get("/orders/"))
    details = page.one("article").one("details", class_="reject")
    assert "open" not in details.attributes
    filled = page.filled(address)
    assert (filled["revision"], filled["next"]) == (["1"], ["/orders/"])
    assert as_manager.post(address, filled | {"reason": "We have one."})["Location"] == "/orders/"
    order.refresh_from_db()
    assert order.status == OrderStatus.REJECTED


def test_htmx_gets_the_queue_with_the_focus_on_what_follows(as_manager: Client, purchase: Purchase) -> None:
    order, following = purchase(), purchase("3167342254")
    response = reject(as_manager, order, headers=HTMX)
    page = Page(response)
    assert response.status_code == 200
    assert "<html" not in page.html
    assert [row.attributes["aria-labelledby"] for row in page.all("article")] == [f"order-{following.pk}"]
    assert "data-focus" in page.one("h3").attributes
    assert page.alerts == [f"Order {order.pk} is rejected. Rep Test sees your reason."]


@pytest.mark.parametrize(("reason", "sentence"), [(" ", "Say why"), ("x" * 1001, "at most 1000 characters")])
def test_htmx_gets_a_mistake_at_the_reason_which_is_kept_and_has_the_focus(
    as_manager: Client, purchase: Purchase, reason: str, sentence: str
) -> None:
    order, other = purchase(), purchase("3167342254")
    response = reject(as_manager, order, reason=reason, headers=HTMX)
    page = Page(response)
    assert response.status_code == 422
    row = page.one("article", aria_labelledby=f"order-{order.pk}")
    assert "open" in row.one("details", class_="reject").attributes
    box = row.one("textarea", name="reason")
    assert box.attributes["aria-invalid"] == "true"
    assert sentence in row.one("div", id=box.attributes["aria-describedby"]).text
    assert page.filled(f"/orders/{order.pk}/reject/")["reason"] == [reason]
    assert page.filled(f"/orders/{other.pk}/reject/")["reason"] == [""]
    assert focused(page) == ["textarea"]
    order.refresh_from_db()
    assert order.status == OrderStatus.PENDING


def test_htmx_gets_a_rewritten_order_with_the_reason_kept(as_manager: Client, purchase: Purchase, rep: User) -> None:
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
    response = reject(as_manager, order, headers=HTMX)
    page = Page(response)
    assert response.status_code == 409
    filled = page.filled(f"/orders/{order.pk}/reject/")
    assert (filled["reason"], filled["revision"]) == (["We have one."], ["2"])
    assert "Rep Test rewrote this order" in page.one("article").one("div", class_="field-error").text
    assert "(316) 555-0100" in page.one("article").text
    assert focused(page) == ["textarea"]


def test_htmx_says_who_was_first_and_keeps_the_reason(as_manager: Client, purchase: Purchase, manager2: User) -> None:
    order, following = purchase(), purchase("3167342254")
    order_approve(actor=Actor.person(manager2), order_id=order.pk, revision=1)
    response = reject(as_manager, order, headers=HTMX)
    page = Page(response)
    assert response.status_code == 409
    notice = page.one("div", class_="notice notice-error")
    assert "decided by Manager2 Test" in notice.text
    assert "Your reason is kept below" in notice.text
    assert "We have one." in notice.one("p", class_="comment").text
    assert "data-focus" in notice.attributes
    assert len(focused(page)) == 1
    assert page.all("article", aria_labelledby=f"order-{following.pk}")


def test_who_sees_the_order_but_was_not_granted_its_account_finds_no_form(
    signed_in: Any, purchase: Purchase, strange_manager: User
) -> None:
    strange_manager.groups.add(Group.objects.get(name=Role.AUDITOR))
    assert signed_in(strange_manager).get(f"/orders/{purchase().pk}/reject/").status_code == 404
