"""Who is told what of an order: those concerned, and nobody of their own doing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import Conflict
from numbers_app.models import (
    Account,
    Campaign,
    MailState,
    Notification,
    NotificationKind,
    Order,
    OrderStatus,
    User,
    Verb,
)
from numbers_app.permissions import Role
from numbers_app.services.decisions import order_cancel, order_comment, order_reject, order_undo_approval
from numbers_app.services.notifications import notifications_read_all, order_seen
from numbers_app.services.orders import WantedNumber, order_amend
from numbers_app.services.settlement import Finding, order_settle
from numbers_app.services.sweep import orders_expire
from numbers_app.services.transition import order_lock, order_transition
from tests.factories import GrantFactory, LocationFactory, UserFactory
from tests.orders.steps import (
    CAKE,
    WORKER,
    approve,
    ask,
    ask_change,
    carry_out,
    keep_trying,
    pause_is_over,
    settling_is_over,
    told,
)
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.django_db


def news(order: Order) -> dict[str, list[str]]:
    """{what: whom} of everything told of the order since the request itself."""
    kinds = [kind for kind in NotificationKind if kind != NotificationKind.REQUESTED]
    return {kind.value: told(order, kind) for kind in kinds if told(order, kind)}


def detail(order: Order, kind: str) -> str:
    [one] = set(order.notifications.filter(kind=kind).values_list("detail", flat=True))
    return one


# --- a request -----------------------------------------------------------------------------------------------------


def test_request_is_told_to_the_nearest_managers_only(
    order: Order, manager: User, division_manager: User, corporate_manager: User, rep: User, location: Account
) -> None:
    assert told(ask(rep, location, "3164440002"), "requested") == ["manager"]


def test_request_is_told_further_up_where_nobody_is_nearer(
    rep: User, division_manager: User, corporate_manager: User, location: Account
) -> None:
    assert told(ask(rep, location), "requested") == ["division"]


def test_every_manager_of_the_nearest_account_is_told(
    rep: User, manager: User, manager2: User, location: Account
) -> None:
    assert told(ask(rep, location), "requested") == ["manager", "manager2"]


def test_urgent_request_is_told_to_all_managers_once(
    rep: User, manager: User, division_manager: User, corporate_manager: User, location: Account
) -> None:
    GrantFactory(user=manager, account=location.parent)
    order = ask(rep, location, urgent=True)
    assert told(order, "urgent") == ["corporate", "division", "manager"]
    assert told(order, "requested") == []


def test_managers_elsewhere_and_people_of_other_roles_are_not_told(
    order: Order, location: Account, auditor: User
) -> None:
    stranger: User = UserFactory(role=Role.MANAGER)
    GrantFactory(user=stranger, account=LocationFactory())
    colleague: User = UserFactory(role=Role.SALES_REP)
    GrantFactory(user=colleague, account=location)
    assert set(order.notifications.values_list("user__username", flat=True)) == {"manager"}


def test_inactive_manager_is_not_told(rep: User, manager: User, manager2: User, location: Account) -> None:
    User.objects.filter(pk=manager.pk).update(is_active=False)
    assert told(ask(rep, location), "requested") == ["manager2"]


def test_manager_who_asks_is_not_told_but_the_other_is(manager: User, manager2: User, location: Account) -> None:
    assert told(ask(manager, location), "requested") == ["manager2"]


def test_request_says_who_asks_and_why(order: Order) -> None:
    assert detail(order, "requested") == "Rep Test: For the spring campaign"


def test_rep_s_change_is_told_and_a_manager_s_own_is_not(rep: User, manager: User, mirrored: Campaign) -> None:
    assert told(ask_change(rep, mirrored, notes="x"), "requested") == ["manager"]
    assert not ask_change(manager, mirrored, memo1="y").notifications.exists()


# --- decisions -----------------------------------------------------------------------------------------------------


def test_approval_is_told_to_the_requester(order: Order, manager: User) -> None:
    approve(manager, order)
    assert news(order) == {"approved": ["rep"]}
    assert detail(order, "approved") == "Manager Test"


def test_rejection_is_told_to_the_requester_with_its_reason(order: Order, manager: User) -> None:
    order_reject(actor=Actor.person(manager), order_id=order.pk, revision=1, reason="Too dear")
    assert news(order) == {"rejected": ["rep"]}
    assert detail(order, "rejected") == "Manager Test: Too dear"


def test_taken_back_approval_is_told_to_the_requester(order: Order, manager: User, settings: Any) -> None:
    settings.APPROVAL_UNDO_SECONDS = 10
    approve(manager, order)
    order_undo_approval(actor=Actor.person(manager), order_id=order.pk)
    assert news(order) == {"approved": ["rep"], "approval_undone": ["rep"]}


def test_cancelling_is_told_to_who_had_approved(order: Order, rep: User, manager: User) -> None:
    approve(manager, order)
    order_cancel(actor=Actor.person(rep), order_id=order.pk)
    assert told(order, "cancelled") == ["manager"]


def test_cancelling_by_a_manager_is_told_to_the_requester_and_the_decider(
    order: Order, manager: User, manager2: User
) -> None:
    approve(manager, order)
    order_cancel(actor=Actor.person(manager2), order_id=order.pk)
    assert told(order, "cancelled") == ["manager", "rep"]


def test_cancelling_one_s_own_waiting_order_is_told_to_nobody(order: Order, rep: User) -> None:
    order_cancel(actor=Actor.person(rep), order_id=order.pk)
    assert news(order) == {}


def test_amendment_is_told_to_requester_and_nearest_managers_but_not_to_its_author(
    order: Order, manager: User, manager2: User, corporate_manager: User
) -> None:
    amend(manager, order)
    assert news(order) == {"amended": ["manager2", "rep"]}


def test_comment_of_a_third_person_reaches_who_takes_part(
    order: Order, rep: User, manager: User, manager2: User, location: Account
) -> None:
    approve(manager, order)
    order_comment(actor=Actor.person(manager2), order_id=order.pk, text="Why this one?")
    assert told(order, "commented") == ["manager", "rep"]
    assert detail(order, "commented") == "Manager2 Test: Why this one?"


def amend(person: User, order: Order) -> None:
    order_amend(
        actor=Actor.person(person),
        order_id=order.pk,
        revision=order.revision,
        wanted=[WantedNumber(CAKE)],
        parameters=order.parameters | {"notes": "amended"},
        reason=order.reason,
        urgent=False,
        execute_after=None,
    )


# --- what becomes of it --------------------------------------------------------------------------------------------


def test_purchase_is_told_to_the_requester(order: Order, manager: User, sandbox: SandboxServer) -> None:
    carry_out(approve(manager, order))
    assert news(order) == {"approved": ["rep"], "bought": ["rep"]}


def test_number_that_is_gone_is_told_to_the_requester(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    sandbox.take(CAKE)
    order = carry_out(approve(manager, ask(rep, location, CAKE, "3164440002")))
    assert (told(order, "next_choice")[:1], detail(order, "next_choice")) == (["rep"], "Callcap no longer offers it.")


def test_failure_is_told_to_requester_and_decider(order: Order, manager: User, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("404", "provision")
    carry_out(approve(manager, order))
    assert told(order, "failed") == ["manager", "rep"]
    assert detail(order, "failed").startswith("Callcap refused: ")


def test_change_that_is_made_is_no_news_but_one_that_failed_is(
    rep: User, manager: User, mirrored: Campaign, sandbox: SandboxServer
) -> None:
    order = carry_out(approve(manager, ask_change(rep, mirrored, notes="x")))  # the vendor knows nothing of it
    assert news(order) == {"approved": ["rep"], "failed": ["manager", "rep"]}


def test_unknown_outcome_is_told_once_and_then_what_came_of_it(
    order: Order, manager: User, sandbox: SandboxServer
) -> None:
    sandbox.arm_fault("drop_before_commit", "provision")
    carry_out(approve(manager, order))
    for _ in range(3):
        pause_is_over(order)
        carry_out(order)
    assert news(order) == {"approved": ["rep"], "unknown": ["manager", "rep"]}
    settling_is_over(order)
    assert news(order) == {"approved": ["rep"], "unknown": ["manager", "rep"], "bought": ["rep"]}


def test_order_that_only_a_person_can_settle_is_told_to_the_managers_too(
    order: Order, manager: User, manager2: User, sandbox: SandboxServer
) -> None:
    sandbox.arm_fault("hold_and_release", "provision", seconds=30)
    carry_out(approve(manager, order))
    keep_trying(order)
    keep_trying(order)
    assert told(order, "needs_person") == ["manager", "manager2", "rep"]
    assert told(order, "unknown") == ["manager", "rep"]
    order_settle(actor=Actor.person(manager2), order_id=order.pk, finding=Finding.NOT_CARRIED_OUT, reason="Seen")
    assert told(order, "settled") == ["manager", "rep"]
    assert detail(order, "settled").startswith("Manager2 Test: ")


def test_change_sent_again_and_again_is_told_once(order: Order, manager: User, sandbox: SandboxServer) -> None:
    carry_out(approve(manager, order))
    sandbox.arm_fault("500", "update", times=4)
    change = carry_out(ask_change(manager, Campaign.objects.get(), notes="x"))
    for _ in range(3):
        pause_is_over(change)
        carry_out(change)
    assert news(change) == {"unknown": ["manager"]}


def test_expiry_is_told_to_the_requester_and_its_reminder_to_the_managers_as_well(order: Order, settings: Any) -> None:
    settings.ORDER_EXPIRY_DAYS, settings.ORDER_REMINDER_DAYS = 14, 3
    for days in (12, 15):
        Order.objects.update(submitted_at=timezone.now() - timedelta(days=days))
        orders_expire(actor=WORKER)
    assert news(order) == {"expiring": ["manager", "rep"], "expired": ["rep"]}


def test_people_who_are_gone_are_not_told_and_stop_nothing(
    order: Order, rep: User, manager: User, sandbox: SandboxServer
) -> None:
    approve(manager, order)
    rep.grants.all().delete()
    rep.delete()
    User.objects.filter(pk=manager.pk).update(is_active=False)
    sandbox.arm_fault("404", "provision")
    assert carry_out(order).status == OrderStatus.FAILED
    assert told(order, "failed") == []


# --- in the portal -------------------------------------------------------------------------------------------------


def test_what_did_not_happen_is_not_told(order: Order, manager: User) -> None:
    before = Notification.objects.count()
    stale = order_lock(order.pk)
    order_reject(actor=Actor.person(manager), order_id=order.pk, revision=1, reason="No")
    told_of_rejection = Notification.objects.count()
    with pytest.raises(Conflict), transaction.atomic():
        order_transition(actor=Actor.person(manager), order=stale, to=OrderStatus.CANCELLED, verb=Verb.ORDER_CANCELLED)
    assert (Notification.objects.count() - told_of_rejection, told_of_rejection - before) == (0, 1)


def test_seen_order_counts_as_read_for_who_saw_it_only(
    rep: User, manager: User, manager2: User, location: Account
) -> None:
    order = ask(rep, location)
    order_seen(actor=Actor.person(manager), order=order)
    read = order.notifications.exclude(read_at=None).values_list("user__username", flat=True)
    assert list(read) == ["manager"]
    at = order.notifications.get(user=manager).read_at
    order_seen(actor=Actor.person(manager), order=order)
    assert order.notifications.get(user=manager).read_at == at


def test_everything_up_to_what_was_shown_counts_as_read(rep: User, manager: User, location: Account) -> None:
    for number in (CAKE, "3164440002", "3164440003"):
        ask(rep, location, number)
    shown = manager.notifications.order_by("pk")[1]
    assert notifications_read_all(actor=Actor.person(manager), up_to=shown.pk) == 2
    assert manager.notifications.filter(read_at=None).count() == 1


def test_what_is_told_is_mailed_to_those_who_want_it(order: Order, manager: User) -> None:
    one = manager.notifications.get()
    assert (one.mail, one.mail_tries) == (MailState.DUE, 0)
    assert one.mail_after
    assert one.mail_after <= timezone.now()


def test_request_of_the_only_near_manager_is_told_further_up(
    manager: User, division_manager: User, location: Account
) -> None:
    assert told(ask(manager, location), "requested") == ["division"]


def test_amendment_by_the_only_near_manager_is_told_further_up(
    order: Order, manager: User, division_manager: User
) -> None:
    amend(manager, order)
    assert "division" in told(order, "amended")
