"""Asking and answering beside an order."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import HistoryEntry, Order, OrderStatus, User, Verb
from numbers_app.services.decisions import order_reject

from .conftest import Purchase
from .page import Page

pytestmark = pytest.mark.django_db


def comment(client: Client, order: Order, text: str = "Spring or summer?", **data: Any) -> Any:
    return client.post(f"/orders/{order.pk}/comment/", {"text": text} | data)


def test_a_question_stands_in_the_timeline_beside_the_order_and_is_told(
    as_rep: Client, as_manager: Client, purchase: Purchase
) -> None:
    order = purchase()
    response = comment(as_manager, order)
    assert response["Location"] == f"/orders/{order.pk}/"
    assert Page(as_manager.get(response["Location"])).alerts == [
        "Your comment stands in the timeline. Those who take part in this order are told."
    ]
    page = Page(as_rep.get(f"/orders/{order.pk}/"))
    timeline = page.one("ol", aria_label="Timeline").text
    assert "Manager Test commented on order" in timeline
    assert "Spring or summer?" in timeline
    assert "Spring or summer?" in page.one("p", class_="comment").text
    assert "Manager Test: Spring or summer?" in Page(as_rep.get("/notifications/")).text


def test_the_answer_reaches_the_manager_who_asked(as_rep: Client, as_manager: Client, purchase: Purchase) -> None:
    order = purchase()
    comment(as_manager, order)
    comment(as_rep, order, "Summer.")
    assert "Rep Test: Summer." in Page(as_manager.get("/notifications/")).text
    assert "Summer." in Page(as_manager.get("/orders/")).one("article").text


def test_the_form_of_the_page_is_sent_as_it_stands(as_rep: Client, purchase: Purchase) -> None:
    order = purchase()
    address = f"/orders/{order.pk}/comment/"
    filled = Page(as_rep.get(f"/orders/{order.pk}/")).filled(address)
    assert as_rep.post(address, filled | {"text": "one\r\ntwo"}).status_code == 302
    assert HistoryEntry.objects.get(verb=Verb.ORDER_COMMENTED).reason == "one\ntwo"


def test_the_queue_links_to_the_form(as_manager: Client, purchase: Purchase) -> None:
    order = purchase()
    assert Page(as_manager.get("/orders/")).links("Ask about order") == [f"/orders/{order.pk}/#comment"]
    assert Page(as_manager.get(f"/orders/{order.pk}/")).one("form", id="comment")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Write what you want to say."),
        ("  \n ", "Write what you want to say."),
        ("x" * 2001, "at most 2000 characters"),
        ("a\x00b", "Remove the null character"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_the_text(
    as_rep: Client, purchase: Purchase, text: str, sentence: str
) -> None:
    order = purchase()
    response = comment(as_rep, order, text)
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.error_at("text")
    assert sentence in page.summary
    assert len(page.all("div", class_="error-summary")) == 1
    assert page.value("text") == text
    assert not HistoryEntry.objects.filter(verb=Verb.ORDER_COMMENTED).exists()


def test_a_comment_changes_nothing_of_the_order(as_manager: Client, purchase: Purchase) -> None:
    order = purchase()
    comment(as_manager, order)
    order.refresh_from_db()
    assert (order.status, order.revision) == (OrderStatus.PENDING, 1)
    assert as_manager.post(f"/orders/{order.pk}/approve/", {"revision": 1}).status_code == 302


def test_an_order_that_has_ended_can_be_talked_about(as_rep: Client, purchase: Purchase, manager: User) -> None:
    order = purchase()
    order_reject(actor=Actor.person(manager), order_id=order.pk, revision=1, reason="We have one.")
    assert comment(as_rep, order, "Which one?").status_code == 302
    assert "Which one?" in Page(as_rep.get(f"/orders/{order.pk}/")).text


@pytest.mark.parametrize(
    ("person", "status"), [("auditor", 403), ("admin", 403), ("stranger", 404), ("strange_manager", 404)]
)
def test_who_does_not_act_here_has_no_say(
    request: pytest.FixtureRequest, signed_in: Any, purchase: Purchase, person: str, status: int
) -> None:
    order = purchase()
    assert comment(signed_in(request.getfixturevalue(person)), order).status_code == status
    assert not HistoryEntry.objects.filter(verb=Verb.ORDER_COMMENTED).exists()


def test_an_auditor_is_not_offered_the_form(signed_in: Any, auditor: User, purchase: Purchase) -> None:
    assert not Page(signed_in(auditor).get(f"/orders/{purchase().pk}/")).all("form", id="comment")


@pytest.mark.parametrize(("target", "stays"), [("/orders/", True), ("//evil.example/", False)])
def test_the_reader_returns_to_a_page_of_ours(as_manager: Client, purchase: Purchase, target: str, stays: bool) -> None:
    order = purchase()
    assert comment(as_manager, order, next=target)["Location"] == (target if stays else f"/orders/{order.pk}/")
