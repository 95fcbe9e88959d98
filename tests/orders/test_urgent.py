"""Marking an order as urgent."""

import pytest
from django.core.exceptions import PermissionDenied

from numbers_app.actors import Actor
from numbers_app.errors import Conflict
from numbers_app.models import Account, HistoryEntry, Order, OrderStatus, User
from numbers_app.permissions import Role
from numbers_app.services.decisions import order_cancel, order_mark_urgent
from tests.factories import GrantFactory, UserFactory
from tests.orders.steps import WORKER, approve, ask, told, verbs

pytestmark = pytest.mark.django_db


def urge(person: User, order: Order) -> Order:
    order_mark_urgent(actor=Actor.person(person), order_id=order.pk)
    order.refresh_from_db()
    return order


@pytest.fixture
def chief(location: Account) -> User:
    """A manager of the whole Corporate."""
    assert location.parent
    assert location.parent.parent
    user: User = UserFactory(role=Role.MANAGER, username="chief")
    GrantFactory(user=user, account=location.parent.parent)
    return user


def test_waiting_order_becomes_urgent_and_says_so_in_the_history(rep: User, location: Account) -> None:
    order = urge(rep, ask(rep, location))
    assert (order.urgent, order.status, order.revision) == (True, OrderStatus.PENDING, 1)
    entry = HistoryEntry.objects.get(verb="order.urged")
    assert (entry.actor_id, entry.order_id) == (rep.pk, order.pk)


def test_every_manager_of_the_account_is_told_near_and_far(
    rep: User, manager: User, chief: User, location: Account
) -> None:
    order = ask(rep, location)
    assert told(order, "requested") == ["manager"]
    urge(rep, order)
    assert told(order, "urgent") == ["chief", "manager"]


def test_order_that_is_urgent_from_the_start_tells_every_manager(
    rep: User, manager: User, chief: User, location: Account
) -> None:
    order = ask(rep, location, urgent=True)
    assert (told(order, "urgent"), told(order, "requested")) == (["chief", "manager"], [])
    assert HistoryEntry.objects.get(order_id=order.pk).changes["urgent"] == [None, True]


def test_urgent_order_is_not_marked_twice(rep: User, location: Account) -> None:
    order = urge(rep, ask(rep, location))
    with pytest.raises(Conflict, match="urgent already"):
        urge(rep, order)
    assert verbs(order).count("order.urged") == 1


def test_decided_order_is_not_marked(rep: User, manager: User, location: Account) -> None:
    with pytest.raises(Conflict, match="no longer waits: it is approved, decided by Manager Test"):
        urge(rep, approve(manager, ask(rep, location)))


def test_cancelled_order_is_not_marked(rep: User, location: Account) -> None:
    order = ask(rep, location)
    order_cancel(actor=Actor.person(rep), order_id=order.pk)
    with pytest.raises(Conflict, match="no longer waits: Cancelled by Rep Test"):
        urge(rep, order)


def test_urgent_order_needs_an_approval_all_the_same(manager: User, location: Account) -> None:
    order = urge(manager, ask(manager, location))
    with pytest.raises(PermissionDenied):
        approve(manager, order)


def test_auditor_may_not(rep: User, auditor: User, location: Account) -> None:
    with pytest.raises(PermissionDenied):
        urge(auditor, ask(rep, location))


def test_the_portal_itself_may_not(rep: User, location: Account) -> None:
    with pytest.raises(PermissionDenied, match="Only a person"):
        order_mark_urgent(actor=WORKER, order_id=ask(rep, location).pk)


def test_order_of_an_account_without_grant_is_as_good_as_absent(
    rep: User, strange_rep: User, location: Account
) -> None:
    with pytest.raises(Order.DoesNotExist):
        urge(strange_rep, ask(rep, location))
