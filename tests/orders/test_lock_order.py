"""The number is locked before anything is appended to the history: else two transactions wait for each other."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from numbers_app.actors import Actor
from numbers_app.models import Campaign, Order, OrderStatus, User
from numbers_app.services import mirror, settlement, transition
from numbers_app.services.confirmation import order_request_confirm
from numbers_app.services.settlement import Finding, order_settle
from tests.orders.steps import carry_out, pause_is_over
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def doubted(manager: User, bought: Campaign, sandbox: SandboxServer) -> Order:
    """A confirmation that never reached Callcap, which nobody knows."""
    sandbox.arm_fault("drop_before_commit", "update")
    order = order_request_confirm(actor=Actor.person(manager), campaign=bought, form_token=uuid.uuid4())
    assert carry_out(order).status == OrderStatus.UNKNOWN
    pause_is_over(order)
    return order


@pytest.fixture
def taken(doubted: Order, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is locked from now on, in turn: the number, or the head of the history."""
    locks: list[str] = []

    def note(module: Any, name: str, what: str) -> None:
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda **given: (locks.append(what), real(**given))[1])

    for module in (settlement, transition):
        note(module, "campaign_lock", "number")
    for module in (mirror, transition):
        note(module, "history_append", "history")
    return locks


@pytest.mark.parametrize("fault", ["", "not_success"])
def test_when_something_is_sent_again_and_when_its_answer_is_recorded(
    doubted: Order,
    taken: list[str],
    on_step: Callable[[str, Callable[[], Any]], None],
    sandbox: SandboxServer,
    fault: str,
) -> None:
    if fault:
        sandbox.arm_fault(fault, "update")
    on_step("answered", lambda: taken.append("answered"))
    assert carry_out(doubted).status == (OrderStatus.FAILED if fault else OrderStatus.DONE)
    answered = taken.index("answered")
    assert (taken[0], taken[answered + 1]) == ("number", "number")
    assert {"number", "history"} <= set(taken[:answered])


def test_when_a_person_settles_it(doubted: Order, taken: list[str], manager: User) -> None:
    order_settle(
        actor=Actor.person(manager), order_id=doubted.pk, finding=Finding.NOT_CARRIED_OUT, reason="Seen in Callcap"
    )
    assert (taken[0], doubted.children.count()) == ("number", 1)
