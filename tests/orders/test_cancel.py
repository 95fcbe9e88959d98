"""Taking an order back."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from numbers_app.actors import Actor
from numbers_app.errors import Conflict
from numbers_app.models import Account, Order, OrderStatus, User
from numbers_app.permissions import Role
from numbers_app.services.decisions import order_cancel
from tests.factories import GrantFactory, UserFactory
from tests.orders.steps import CAKE, approve, ask, carry_out, verbs
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.django_db


def cancel(person: User, order: Order) -> Order:
    return order_cancel(actor=Actor.person(person), order_id=order.pk)


def test_author_takes_back_what_waits(rep: User, location: Account) -> None:
    order = cancel(rep, ask(rep, location, CAKE))
    order.refresh_from_db()
    assert (order.status, order.result) == (OrderStatus.CANCELLED, "Cancelled by Rep Test. Nothing was sent.")
    assert verbs(order) == ["order.requested", "order.cancelled"]
    assert ask(rep, location, CAKE).status == OrderStatus.PENDING


def test_approved_order_that_is_cancelled_is_never_sent(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = approve(manager, ask(rep, location))
    cancel(rep, order)
    carry_out(order)
    assert order.status == OrderStatus.CANCELLED
    assert sandbox.purchases() == []


def test_manager_takes_back_anybody_s(rep: User, manager: User, location: Account) -> None:
    assert cancel(manager, ask(rep, location)).status == OrderStatus.CANCELLED


def test_other_rep_may_not(rep: User, location: Account) -> None:
    other: User = UserFactory(role=Role.SALES_REP)
    GrantFactory(user=other, account=location)
    with pytest.raises(PermissionDenied, match="Your role does not allow you"):
        cancel(other, ask(rep, location))


def test_auditor_may_not(rep: User, auditor: User, location: Account) -> None:
    with pytest.raises(PermissionDenied):
        cancel(auditor, ask(rep, location))


def test_order_of_an_account_without_grant_is_as_good_as_absent(
    rep: User, strange_manager: User, location: Account
) -> None:
    with pytest.raises(Order.DoesNotExist):
        cancel(strange_manager, ask(rep, location))


def test_author_who_lost_the_grant_may_not(rep: User, location: Account) -> None:
    order = ask(rep, location)
    rep.grants.all().delete()
    with pytest.raises(Order.DoesNotExist):
        cancel(rep, order)


def test_repeated_cancelling_is_a_conflict_and_changes_nothing(rep: User, location: Account) -> None:
    order = cancel(rep, ask(rep, location))
    with pytest.raises(Conflict, match="cannot be cancelled any more: Cancelled by Rep Test"):
        cancel(rep, order)
    assert verbs(order) == ["order.requested", "order.cancelled"]


def test_bought_number_cannot_be_taken_back(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = carry_out(approve(manager, ask(rep, location)))
    with pytest.raises(Conflict, match="it is done, decided by Manager Test"):
        cancel(rep, order)


@pytest.mark.parametrize("status", [OrderStatus.SENDING, OrderStatus.UNKNOWN])
def test_order_that_callcap_may_have_carried_out_cannot_be_taken_back(
    rep: User, manager: User, location: Account, status: OrderStatus
) -> None:
    order = approve(manager, ask(rep, location))
    Order.objects.filter(pk=order.pk).update(status=status)
    with pytest.raises(Conflict, match="cannot be cancelled any more"):
        cancel(rep, order)


@pytest.mark.parametrize("step", ["picked up", "looked"])
def test_order_cancelled_while_the_worker_is_about_to_send_is_not_sent(
    approved: Order,
    rep: User,
    sandbox: SandboxServer,
    on_step: Callable[[str, Callable[[], Any]], None],
    step: str,
) -> None:
    def cancel_once() -> None:
        if Order.objects.get(pk=approved.pk).status == OrderStatus.APPROVED:
            cancel(rep, approved)

    on_step(step, cancel_once)
    assert (carry_out(approved).status, approved.attempts.count()) == (OrderStatus.CANCELLED, 0)
    assert sandbox.purchases() == []
