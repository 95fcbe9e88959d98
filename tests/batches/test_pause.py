"""Pausing and resuming: nothing more is sent, not even what was ordered already."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied

from numbers_app.actors import Actor
from numbers_app.errors import Conflict
from numbers_app.models import Batch, BatchStatus, Campaign, Order, OrderStatus, User
from numbers_app.services import sending
from numbers_app.services.batches import batch_pause, batch_resume
from numbers_app.services.sweep import batches_sweep, orders_sweep
from tests.batches.making import (
    CLOCK,
    carry_out,
    change_draft,
    orders_of,
    outcomes,
    release,
    running,
    submit,
    written,
)
from tests.orders.steps import carry_out as carry_out_order
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch(rep: User, manager: User, numbers: list[Campaign]) -> Batch:
    return running(rep, manager, change_draft(rep, numbers))


def pause(person: User, batch: Batch) -> None:
    batch_pause(actor=Actor.person(person), batch_id=batch.pk)
    batch.refresh_from_db()


def resume(person: User, batch: Batch) -> None:
    batch_resume(actor=Actor.person(person), batch_id=batch.pk)
    batch.refresh_from_db()


def test_a_paused_batch_orders_nothing_until_it_is_resumed(batch: Batch, rep: User) -> None:
    pause(rep, batch)
    assert (batch.status, release(batch), batches_sweep(actor=CLOCK)) == (BatchStatus.PAUSED, [], 0)
    resume(rep, batch)
    assert (batch.status, len(release(batch))) == (BatchStatus.RUNNING, 3)
    assert written(batch)[2:] == [("batch.paused", "Rep Test", 3), ("batch.resumed", "Rep Test", 3)]


def test_what_was_ordered_before_is_held_back_too(
    batch: Batch, rep: User, manager: User, sandbox: SandboxServer
) -> None:
    release(batch)
    Order.objects.update(rung_at=None)
    pause(manager, batch)
    carry_out(batch)
    assert (outcomes(batch), orders_sweep(actor=CLOCK)) == ({"approved": 3}, 0)
    assert not any(order.attempts.exists() for order in orders_of(batch))
    resume(rep, batch)
    assert orders_sweep(actor=CLOCK) == 3


def test_a_pause_reaches_a_worker_that_already_waits_for_its_turn(
    batch: Batch, rep: User, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(batch)
    monkeypatch.setattr(sending, "vendor_turn", lambda batch_too=None, **_: pause(rep, batch))
    order = carry_out_order(orders_of(batch)[0])
    assert (order.status, order.attempts.count()) == (OrderStatus.APPROVED, 0)


def test_only_a_running_batch_is_paused_and_only_a_paused_one_resumed(
    rep: User, batch: Batch, numbers: list[Campaign]
) -> None:
    with pytest.raises(Conflict, match="Only a paused batch can be resumed: it is running"):
        resume(rep, batch)
    pause(rep, batch)
    with pytest.raises(Conflict, match="Only a running batch can be paused: it is paused"):
        pause(rep, batch)
    with pytest.raises(Conflict, match="Only a running batch"):
        pause(rep, submit(rep, change_draft(rep, numbers)))


def test_others_neither_pause_nor_resume(batch: Batch, strange_manager: User, auditor: User) -> None:
    for steer in (pause, resume):
        with pytest.raises(Batch.DoesNotExist):
            steer(strange_manager, batch)
        with pytest.raises(PermissionDenied):
            steer(auditor, batch)


def test_a_paused_batch_whose_orders_are_all_done_is_done(batch: Batch, rep: User) -> None:
    release(batch)
    pause(rep, batch)
    Order.objects.update(status=OrderStatus.DONE)
    batches_sweep(actor=CLOCK)
    batch.refresh_from_db()
    assert batch.status == BatchStatus.DONE
