"""Approving an order."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from numbers_app.actors import Actor
from numbers_app.errors import Conflict
from numbers_app.models import Account, Campaign, HistoryEntry, Order, OrderKind, OrderStatus, User
from numbers_app.services.decisions import order_approve, order_cancel
from tests.factories import GrantFactory
from tests.orders.steps import WORKER, approve, ask, ask_change, carry_out, rings, verbs
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.django_db


def test_approved_order_names_who_decided_and_rings_the_worker(rep: User, manager: User, location: Account) -> None:
    order = ask(rep, location)
    order_approve(actor=Actor.person(manager, request_id="request-7"), order_id=order.pk, revision=1)
    order.refresh_from_db()
    assert (order.status, order.decider_id, order.decider_name) == (OrderStatus.APPROVED, manager.pk, "Manager Test")
    assert (order.self_approved, order.request_id) == (False, "request-7")
    assert rings() == [order.pk]


def test_approval_is_in_the_history(rep: User, manager: User, location: Account) -> None:
    order = approve(manager, ask(rep, location))
    entry = HistoryEntry.objects.get(order_id=order.pk, verb="order.approved")
    assert (entry.actor_id, entry.role) == (manager.pk, "Manager")
    assert entry.changes == {"status": ["pending", "approved"]}


def test_rep_may_not_approve(rep: User, location: Account) -> None:
    other = ask(rep, location)
    with pytest.raises(PermissionDenied, match="Your role does not allow you to approve"):
        approve(rep, other)


def test_auditor_may_not_approve(rep: User, auditor: User, location: Account) -> None:
    with pytest.raises(PermissionDenied, match="Your role does not allow you"):
        approve(auditor, ask(rep, location))


def test_the_portal_itself_may_not_approve(rep: User, location: Account) -> None:
    with pytest.raises(PermissionDenied, match="Only a person"):
        order_approve(actor=WORKER, order_id=ask(rep, location).pk, revision=1)


def test_order_of_an_account_without_grant_is_as_good_as_absent(
    rep: User, strange_manager: User, location: Account
) -> None:
    order = ask(rep, location)
    with pytest.raises(Order.DoesNotExist):
        approve(strange_manager, order)
    assert verbs(order) == ["order.requested"]


def test_author_may_not_approve_their_own_purchase(manager: User, location: Account) -> None:
    order = ask(manager, location)
    with pytest.raises(PermissionDenied, match="You asked for this yourself"):
        approve(manager, order)
    order.refresh_from_db()
    assert order.status == OrderStatus.PENDING
    assert rings() == []


def test_the_database_takes_no_purchase_approved_by_its_author(manager: User, location: Account) -> None:
    order = ask(manager, location)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE numbers_app_order SET status = 'approved', decider_id = author_id, decider_name = 'x' "
            "WHERE id = %s",
            [order.pk],
        )
    assert Order.objects.get(pk=order.pk).status == OrderStatus.PENDING


def test_marking_a_purchase_as_self_approved_does_not_help(manager: User, location: Account) -> None:
    order = ask(manager, location)
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(status="approved", decider_id=manager.pk, self_approved=True)


def test_the_database_takes_no_unmarked_change_approved_by_its_author(manager: User, mirrored: Campaign) -> None:
    order = ask_change(manager, mirrored, notes="mine")
    assert order.kind == OrderKind.CHANGE
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(self_approved=False)


@pytest.mark.parametrize("status", ["approved", "sending", "done", "failed", "unknown", "rejected"])
def test_the_database_takes_no_decision_by_nobody(rep: User, location: Account, status: str) -> None:
    order = ask(rep, location)
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(status=status)


def test_second_approval_is_told_who_was_first(rep: User, manager: User, manager2: User, location: Account) -> None:
    order = ask(rep, location)
    approve(manager, order)
    with pytest.raises(Conflict, match=r"decided before you: it is approved, decided by Manager Test on \d{4}-"):
        order_approve(actor=Actor.person(manager2), order_id=order.pk, revision=1)
    assert rings() == [order.pk]


def test_rewritten_order_must_be_read_again(rep: User, manager: User, location: Account) -> None:
    order = ask(rep, location)
    Order.objects.filter(pk=order.pk).update(revision=2)
    with pytest.raises(Conflict, match=r"Rep Test rewrote this order on .*, after you opened it"):
        order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    assert verbs(order) == ["order.requested"]


def test_cancelled_order_says_so(rep: User, manager: User, location: Account) -> None:
    order = ask(rep, location)
    order_cancel(actor=Actor.person(rep), order_id=order.pk)
    with pytest.raises(Conflict, match="decided before you: Cancelled by Rep Test"):
        approve(manager, order)


def test_manager_of_a_node_above_may_approve(
    rep: User, strange_manager: User, location: Account, sandbox: SandboxServer
) -> None:
    assert location.parent
    assert location.parent.parent
    GrantFactory(user=strange_manager, account=location.parent.parent)
    order = approve(strange_manager, ask(rep, location))
    assert carry_out(order).status == OrderStatus.DONE


def test_inactive_manager_may_not_approve(rep: User, manager: User, location: Account) -> None:
    order = ask(rep, location)
    manager.is_active = False
    manager.save()
    with pytest.raises(PermissionDenied):
        approve(manager, order)
