"""Promise 4: no one approves what they wrote, and no one touches accounts that they were not granted."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from numbers_app.actors import Actor
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import Account, Order, OrderStatus, User
from numbers_app.permissions import Role
from numbers_app.services.decisions import order_approve, order_cancel, order_reject
from tests.factories import CampaignFactory, GrantFactory, LocationFactory, UserFactory

from .wishes import CAKE, changed, requested

pytestmark = pytest.mark.django_db


def approve(user: User, order: Order, revision: int = 1) -> Order:
    return order_approve(actor=Actor.person(user), order_id=order.pk, revision=revision)


def test_a_manager_cannot_approve_their_own_purchase(location: Account, manager: User) -> None:
    order = requested(manager, location)
    with pytest.raises(PermissionDenied, match="asked for this yourself"):
        approve(manager, order)


def test_the_database_refuses_a_self_approved_purchase(location: Account, manager: User) -> None:
    order = requested(manager, location)
    for forged in ({"self_approved": False}, {"self_approved": True}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Order.objects.filter(pk=order.pk).update(status="approved", decider_id=manager.pk, **forged)


def test_the_database_refuses_an_approval_without_a_decider(location: Account, rep: User) -> None:
    order = requested(rep, location)
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(status="approved")


def test_another_manager_approves(location: Account, manager: User, manager2: User) -> None:
    order = approve(manager2, requested(manager, location))
    assert (order.status, order.decider_name, order.self_approved) == ("approved", manager2.display_name, False)


def test_a_managers_own_change_is_approved_at_once_and_marked(location: Account, manager: User) -> None:
    order = changed(manager, CampaignFactory(account=location), destination="3165550100")
    assert (order.status, order.self_approved) == (OrderStatus.APPROVED, True)


def test_a_reps_change_waits(location: Account, rep: User) -> None:
    assert changed(rep, CampaignFactory(account=location), destination="3165550100").status == OrderStatus.PENDING


def test_a_rep_or_auditor_cannot_decide(location: Account, rep: User, auditor: User) -> None:
    order = requested(rep, location)
    for user in (rep, auditor):
        with pytest.raises(PermissionDenied):
            approve(user, order)


def test_a_manager_of_another_account_does_not_even_see_it(location: Account, rep: User) -> None:
    stranger = UserFactory(role=Role.MANAGER)
    GrantFactory(user=stranger, account=LocationFactory())
    with pytest.raises(Order.DoesNotExist):
        approve(stranger, requested(rep, location))


def test_seeing_everything_is_not_acting_everywhere(location: Account, rep: User) -> None:
    both = UserFactory(role=Role.MANAGER)
    both.groups.add(Group.objects.get(name=Role.AUDITOR))
    with pytest.raises(Order.DoesNotExist):
        approve(both, requested(rep, location))


def test_a_role_taken_away_is_gone_at_once(location: Account, rep: User, manager: User) -> None:
    order = requested(rep, location)
    manager.groups.clear()
    with pytest.raises(PermissionDenied):
        approve(manager, order)


def test_an_order_outside_the_grants_cannot_be_asked_for(rep: User) -> None:
    with pytest.raises(PermissionDenied):
        requested(rep, LocationFactory())


def test_a_second_decision_is_told_who_decided(location: Account, rep: User, manager: User, manager2: User) -> None:
    order = requested(rep, location)
    approve(manager, order)
    with pytest.raises(Conflict, match=f"decided by {manager.display_name}"):
        approve(manager2, order)
    with pytest.raises(Conflict, match=f"decided by {manager.display_name}"):
        order_reject(actor=Actor.person(manager2), order_id=order.pk, revision=1, reason="No")


def test_a_stale_revision_is_told_so(location: Account, rep: User, manager: User) -> None:
    order = requested(rep, location)
    with pytest.raises(Conflict, match="rewritten"):
        approve(manager, order, revision=2)


def test_a_rejection_releases_the_number(location: Account, rep: User, manager: User) -> None:
    order = requested(rep, location)
    order_reject(actor=Actor.person(manager), order_id=order.pk, revision=1, reason="Too dear")
    order.refresh_from_db()
    assert (order.status, order.decision_reason) == (OrderStatus.REJECTED, "Too dear")
    assert requested(rep, location).pk != order.pk


def test_a_cancelled_order_releases_the_number_and_cannot_be_approved(
    location: Account, rep: User, manager: User
) -> None:
    order = requested(rep, location)
    order_cancel(actor=Actor.person(rep), order_id=order.pk)
    with pytest.raises(Conflict, match="cancelled"):
        approve(manager, order)
    assert requested(rep, location).pk != order.pk


def test_a_colleagues_order_cannot_be_cancelled(location: Account, rep: User) -> None:
    colleague = UserFactory(role=Role.SALES_REP)
    GrantFactory(user=colleague, account=location)
    with pytest.raises(PermissionDenied):
        order_cancel(actor=Actor.person(colleague), order_id=requested(rep, location).pk)


def test_a_number_that_somebody_wants_is_refused_and_names_the_order(location: Account, rep: User) -> None:
    order = requested(rep, location)
    with pytest.raises(InvalidInput, match=f"order {order.pk}") as refusal:
        requested(rep, location)
    assert refusal.value.field == "number"


def test_a_number_that_we_hold_is_refused(location: Account, rep: User) -> None:
    CampaignFactory(phone_number=CAKE, account=location)
    with pytest.raises(InvalidInput, match="already one of our numbers"):
        requested(rep, location)
