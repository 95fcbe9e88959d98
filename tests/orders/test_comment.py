"""Talking about an order."""

import pytest
from django.core.exceptions import PermissionDenied

from numbers_app.actors import Actor
from numbers_app.models import Account, HistoryEntry, Order, OrderStatus, User
from numbers_app.permissions import Role
from numbers_app.services.decisions import order_cancel, order_comment
from numbers_app.services.verification import history_verify
from tests.factories import GrantFactory, UserFactory
from tests.orders.steps import WORKER, approve, ask, carry_out, told, verbs

WORDS = "Is <b>CAKE</b> really\nworth it?"

pytestmark = pytest.mark.django_db


def comment(person: User, order: Order, text: str = WORDS) -> None:
    order_comment(actor=Actor.person(person), order_id=order.pk, text=text)


def test_comment_stands_in_the_history_word_for_word(rep: User, location: Account) -> None:
    order = ask(rep, location)
    comment(rep, order)
    entry = HistoryEntry.objects.get(verb="order.commented")
    assert (entry.actor_id, entry.order_id, entry.reason, entry.changes) == (rep.pk, order.pk, WORDS, {})
    assert history_verify().problems == []


def test_comment_changes_nothing_about_the_order(rep: User, manager: User, location: Account) -> None:
    order = ask(rep, location)
    before = Order.objects.values().get(pk=order.pk)
    comment(manager, order)
    assert Order.objects.values().get(pk=order.pk) == before


def test_order_is_approved_and_bought_as_if_nobody_had_spoken(approved: Order, manager: User) -> None:
    comment(manager, approved)
    assert carry_out(approved).status == OrderStatus.DONE
    comment(manager, approved, "Well done")
    assert verbs(approved)[-1] == "order.commented"


def test_who_comments_may_still_approve(rep: User, manager: User, location: Account) -> None:
    order = ask(rep, location)
    comment(manager, order)
    assert approve(manager, order).status == OrderStatus.APPROVED


def test_ended_order_can_be_talked_about(rep: User, location: Account) -> None:
    order = ask(rep, location)
    order_cancel(actor=Actor.person(rep), order_id=order.pk)
    comment(rep, order)
    order.refresh_from_db()
    assert order.status == OrderStatus.CANCELLED


def test_colleague_of_the_same_account_may_comment(rep: User, location: Account) -> None:
    colleague: User = UserFactory(role=Role.SALES_REP)
    GrantFactory(user=colleague, account=location)
    order = ask(rep, location)
    comment(colleague, order)
    assert verbs(order) == ["order.requested", "order.commented"]


def test_auditor_may_not(rep: User, auditor: User, location: Account) -> None:
    with pytest.raises(PermissionDenied, match="Your role does not allow you"):
        comment(auditor, ask(rep, location))


def test_the_portal_itself_may_not(rep: User, location: Account) -> None:
    with pytest.raises(PermissionDenied, match="Only a person"):
        order_comment(actor=WORKER, order_id=ask(rep, location).pk, text="beep")


def test_order_of_an_account_without_grant_is_as_good_as_absent(
    rep: User, strange_rep: User, location: Account
) -> None:
    order = ask(rep, location)
    with pytest.raises(Order.DoesNotExist):
        comment(strange_rep, order)
    assert verbs(order) == ["order.requested"]


def test_first_comment_of_the_requester_reaches_the_managers(rep: User, manager: User, location: Account) -> None:
    order = ask(rep, location)
    comment(rep, order)
    assert told(order, "commented") == ["manager"]


def test_answer_reaches_the_requester_and_who_spoke_before(
    rep: User, manager: User, manager2: User, location: Account
) -> None:
    order = ask(rep, location)
    comment(manager, order)
    assert told(order, "commented") == ["rep"]
    comment(manager2, order)
    assert told(order, "commented") == ["manager", "rep", "rep"]
