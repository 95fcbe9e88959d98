"""Taking an order back before it is sent."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import HistoryEntry, Order, OrderStatus, User, Verb
from numbers_app.services.decisions import order_approve

from .conftest import CAKE, Purchase
from .page import Page

pytestmark = pytest.mark.django_db


def cancel(client: Client, order: Order) -> Any:
    return client.post(f"/orders/{order.pk}/cancel/")


def test_who_asked_takes_it_back_and_the_number_is_free_again(as_rep: Client, purchase: Purchase) -> None:
    order = purchase()
    response = cancel(as_rep, order)
    assert response["Location"] == f"/orders/{order.pk}/"
    order.refresh_from_db()
    assert order.status == OrderStatus.CANCELLED
    assert HistoryEntry.objects.filter(verb=Verb.ORDER_CANCELLED, order_id=order.pk).count() == 1
    assert purchase(CAKE).pk != order.pk


def test_an_approved_order_that_was_not_sent_can_still_be_taken_back(
    as_rep: Client, purchase: Purchase, manager: User
) -> None:
    order = purchase()
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    assert cancel(as_rep, order).status_code == 302
    order.refresh_from_db()
    assert order.status == OrderStatus.CANCELLED


def test_a_manager_takes_back_anybodys_order(as_manager: Client, purchase: Purchase) -> None:
    assert cancel(as_manager, purchase()).status_code == 302


def test_a_rep_takes_back_nobody_elses_order(as_rep: Client, purchase: Purchase, manager: User) -> None:
    order = purchase(by=manager)
    assert cancel(as_rep, order).status_code == 403
    order.refresh_from_db()
    assert order.status == OrderStatus.PENDING


def test_an_auditor_takes_back_nothing(signed_in: Any, auditor: User, purchase: Purchase) -> None:
    assert cancel(signed_in(auditor), purchase()).status_code == 403


def test_a_link_cancels_nothing(as_rep: Client, purchase: Purchase) -> None:
    order = purchase()
    assert as_rep.get(f"/orders/{order.pk}/cancel/").status_code == 405
    order.refresh_from_db()
    assert order.status == OrderStatus.PENDING


@pytest.mark.parametrize(
    "status",
    [OrderStatus.SENDING, OrderStatus.DONE, OrderStatus.UNKNOWN, OrderStatus.FAILED, OrderStatus.REJECTED],
)
def test_what_was_sent_or_settled_cannot_be_taken_back(as_rep: Client, purchase: Purchase, status: str) -> None:
    order = purchase()
    Order.objects.filter(pk=order.pk).update(status=status, decider_id=0, decider_name="Ann", phone_number=CAKE)
    response = cancel(as_rep, order)
    assert response.status_code == 409
    assert "cannot be cancelled any more" in Page(response).text
    assert "Ann" in Page(response).text
    order.refresh_from_db()
    assert order.status == status


def test_cancelling_twice_is_a_conflict_and_one_entry(as_rep: Client, purchase: Purchase) -> None:
    order = purchase()
    assert [cancel(as_rep, order).status_code, cancel(as_rep, order).status_code] == [302, 409]
    assert HistoryEntry.objects.filter(verb=Verb.ORDER_CANCELLED).count() == 1
