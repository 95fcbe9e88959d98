"""Turning an order down."""

import pytest
from django.core.exceptions import PermissionDenied

from numbers_app.actors import Actor
from numbers_app.errors import Conflict
from numbers_app.models import Account, HistoryEntry, Order, OrderStatus, User
from numbers_app.services.decisions import order_reject
from tests.orders.steps import CAKE, approve, ask, carry_out, rings, verbs

WHY = "We have a number for this already."

pytestmark = pytest.mark.django_db


def reject(person: User, order: Order) -> Order:
    return order_reject(actor=Actor.person(person), order_id=order.pk, revision=order.revision, reason=WHY)


def test_rejected_order_keeps_who_and_why_and_frees_its_numbers(rep: User, manager: User, location: Account) -> None:
    order = reject(manager, ask(rep, location, CAKE))
    order.refresh_from_db()
    assert (order.status, order.decider_name, order.decision_reason) == (OrderStatus.REJECTED, "Manager Test", WHY)
    assert order.result == WHY
    assert order.finished_at
    assert ask(rep, location, CAKE).status == OrderStatus.PENDING


def test_rejection_is_in_the_history_with_its_reason(rep: User, manager: User, location: Account) -> None:
    order = reject(manager, ask(rep, location))
    entry = HistoryEntry.objects.get(order_id=order.pk, verb="order.rejected")
    assert (entry.actor_id, entry.reason) == (manager.pk, WHY)


def test_rejected_order_is_never_sent(rep: User, manager: User, location: Account) -> None:
    order = reject(manager, ask(rep, location))
    carry_out(order)
    assert (order.status, order.attempts.count(), rings()) == (OrderStatus.REJECTED, 0, [])


def test_rep_may_not_reject(rep: User, location: Account) -> None:
    with pytest.raises(PermissionDenied, match="Your role does not allow you"):
        reject(rep, ask(rep, location))


def test_author_may_not_reject_their_own(manager: User, location: Account) -> None:
    with pytest.raises(PermissionDenied, match="You asked for this yourself"):
        reject(manager, ask(manager, location))


def test_order_of_an_account_without_grant_is_as_good_as_absent(
    rep: User, strange_manager: User, location: Account
) -> None:
    with pytest.raises(Order.DoesNotExist):
        reject(strange_manager, ask(rep, location))


def test_repeated_rejection_is_told_who_was_first_and_changes_nothing(
    rep: User, manager: User, manager2: User, location: Account
) -> None:
    order = reject(manager, ask(rep, location))
    with pytest.raises(Conflict, match="it is rejected, decided by Manager Test"):
        reject(manager2, order)
    assert verbs(order) == ["order.requested", "order.rejected"]


def test_approved_order_can_no_longer_be_rejected(rep: User, manager: User, manager2: User, location: Account) -> None:
    order = approve(manager, ask(rep, location))
    with pytest.raises(Conflict, match="it is approved, decided by Manager Test"):
        reject(manager2, order)


def test_rewritten_order_must_be_read_again(rep: User, manager: User, location: Account) -> None:
    order = ask(rep, location)
    Order.objects.filter(pk=order.pk).update(revision=2)
    with pytest.raises(Conflict, match=r"Rep Test rewrote this order on .*, after you opened it"):
        reject(manager, order)
