"""Promise 4: no one approves what they wrote, and no one touches accounts that they were not granted."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from numbers_app.actors import Actor
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import Account, Order, OrderStatus, User
from numbers_app.permissions import Role
from numbers_app.services.decisions import order_approve, order_cancel, order_reject, order_undo_approval
from numbers_app.services.orders import WantedNumber, order_amend
from numbers_app.services.settlement import Finding, order_settle
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
    with pytest.raises(Conflict, match="rewrote this order"):
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
    with pytest.raises(Conflict, match="Cancelled by"):
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


def amended(user: User, order: Order, **parameters: Any) -> Order:
    numbers = [WantedNumber(number) for number in order.choices.values_list("number", flat=True)]
    amended = order_amend(
        actor=Actor.person(user),
        order_id=order.pk,
        revision=order.revision,
        wanted=numbers,
        parameters={**order.parameters, **parameters},
        reason=order.reason,
        urgent=False,
        execute_after=None,
    )
    amended.refresh_from_db()
    return amended


def test_whoever_wrote_any_revision_does_not_decide(
    location: Account, rep: User, manager: User, manager2: User
) -> None:
    order = amended(manager, requested(rep, location), notes="Mine")
    order = amended(manager2, order, notes="Ours")
    assert (order.requester_id, order.author_id, order.revision) == (rep.pk, manager2.pk, 3)
    for writer in (manager, manager2):
        with pytest.raises(PermissionDenied, match="wrote a part of it"):
            approve(writer, order, order.revision)
        with pytest.raises(PermissionDenied, match="wrote a part of it"):
            order_reject(actor=Actor.person(writer), order_id=order.pk, revision=order.revision, reason="No")
    third = UserFactory(role=Role.MANAGER)
    GrantFactory(user=third, account=location)
    assert approve(third, order, order.revision).status == OrderStatus.APPROVED


def test_a_manager_who_asked_does_not_decide_on_what_somebody_else_wrote_anew(
    location: Account, manager: User, manager2: User
) -> None:
    order = amended(manager2, requested(manager, location), notes="Theirs")
    with pytest.raises(PermissionDenied, match="asked for this yourself"):
        approve(manager, order, order.revision)


@pytest.mark.parametrize("forged", [{"self_approved": False}, {"self_approved": True}])
def test_the_database_refuses_an_approval_by_whoever_asked_first(
    location: Account, manager: User, manager2: User, forged: dict[str, bool]
) -> None:
    order = amended(manager2, requested(manager, location), notes="Theirs")
    with pytest.raises(IntegrityError, match=r"order_not_decided_by_requester|CHECK"), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(status="approved", decider_id=manager.pk, **forged)
    assert Order.objects.get(pk=order.pk).status == OrderStatus.PENDING


def test_the_database_refuses_an_amended_change_approved_by_its_requester(
    location: Account, rep: User, manager: User
) -> None:
    order = amended(manager, changed(rep, CampaignFactory(account=location), notes="x"), notes="y")
    for writer in (rep, manager):
        with pytest.raises(IntegrityError), transaction.atomic():
            Order.objects.filter(pk=order.pk).update(status="approved", decider_id=writer.pk)


def test_an_approval_of_what_was_rewritten_meanwhile_is_refused(location: Account, rep: User, manager: User) -> None:
    order = requested(rep, location)
    amended(rep, order, destination="3165550199")
    with pytest.raises(Conflict, match="rewrote this order"):
        approve(manager, order, revision=1)
    assert Order.objects.get(pk=order.pk).status == OrderStatus.PENDING


def test_only_who_approved_takes_the_approval_back_and_then_anybody_else_decides(
    location: Account, rep: User, manager: User, manager2: User, settings: Any
) -> None:
    settings.APPROVAL_UNDO_SECONDS = 10
    order = approve(manager, requested(rep, location))
    with pytest.raises(PermissionDenied, match=f"Only {manager.display_name}"):
        order_undo_approval(actor=Actor.person(manager2), order_id=order.pk)
    order_undo_approval(actor=Actor.person(manager), order_id=order.pk)
    order.refresh_from_db()
    assert (order.status, order.decider_id, order.decided_at) == (OrderStatus.PENDING, None, None)
    assert approve(manager2, order).decider_id == manager2.pk


def test_whoever_wrote_an_order_does_not_settle_it_by_hand(location: Account, manager: User, manager2: User) -> None:
    order = approve(manager2, requested(manager, location))
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.UNKNOWN, phone_number=CAKE)
    with pytest.raises(PermissionDenied, match="asked for this yourself"):
        order_settle(actor=Actor.person(manager), order_id=order.pk, finding=Finding.NOT_CARRIED_OUT, reason="None")
