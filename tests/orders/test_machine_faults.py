"""What machines do to an order: databases that restart, full disks, too little memory, another release."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.utils import timezone
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from numbers_app.models import Account, Attempt, Campaign, Order, OrderStatus, SendingScope, User
from numbers_app.services import sending
from numbers_app.services.execution import attempts_expire, order_execute
from numbers_app.services.sweep import orders_sweep
from numbers_app.services.switch import sending_switch
from numbers_app.services.verification import history_verify
from numbers_app.tasks import execute_order
from numbers_app.triggers import triggers_drop, triggers_install
from numbers_app.vendor import callcap_client
from tests.orders.steps import (
    CAKE,
    WORKER,
    approve,
    ask,
    carry_out,
    database_obeys_again,
    database_refuses,
    keep_trying,
    pause_is_over,
    rings,
)
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def approved(rep: User, manager: User, location: Account, sandbox: SandboxServer) -> Order:
    """An approved purchase of CAKE."""
    return approve(manager, ask(rep, location, CAKE))


def lease_is_over() -> None:
    """The time has passed after which a silent worker counts as dead."""
    Attempt.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def settled(order: Order, settings: Any) -> Order:
    """All checks that the settling time allows, at once."""
    settings.CALLCAP_SETTLE_SECONDS = 0
    for _ in range(4):
        keep_trying(order)
    return order


def test_database_that_restarts_between_intent_and_record_loses_no_purchase(
    approved: Order, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(**_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as broken:
        broken.setattr(sending, "attempt_store", gone)
        with pytest.raises(OperationalError):
            carry_out(approved)
    approved.refresh_from_db()
    assert (approved.status, len(sandbox.purchases(CAKE))) == (OrderStatus.SENDING, 1)
    lease_is_over()
    assert keep_trying(approved).status == OrderStatus.DONE
    assert Campaign.objects.get().phone_number == CAKE
    assert len(sandbox.purchases()) == 1
    assert history_verify().problems == []


@pytest.mark.parametrize("committed", [True, False], ids=["committed all the same", "not committed"])
def test_nothing_is_sent_when_the_outcome_of_the_intent_s_commit_is_not_known(
    approved: Order, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, committed: bool, settings: Any
) -> None:
    commit: Callable[[], None] = connection._commit

    def lost() -> None:
        if committed:
            commit()
        raise OperationalError("connection lost during commit")

    with monkeypatch.context() as broken:
        broken.setattr(connection, "_commit", lost)
        with pytest.raises(OperationalError):
            order_execute(actor=WORKER, order_id=approved.pk)
    connection.close()
    assert sandbox.purchases() == []
    lease_is_over()
    assert settled(approved, settings).status == OrderStatus.DONE
    assert len(sandbox.purchases()) == 1


def test_worker_that_runs_out_of_memory_before_the_intent_sends_nothing_however_often(
    approved: Order, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as small:
        small.setattr(callcap_client(), "find_number", _out_of_memory)
        for _ in range(5):
            with pytest.raises(MemoryError):
                order_execute(actor=WORKER, order_id=approved.pk)
    approved.refresh_from_db()
    assert (approved.status, approved.attempts.count(), sandbox.purchases()) == (OrderStatus.APPROVED, 0, [])
    assert carry_out(approved).status == OrderStatus.DONE


def test_worker_that_runs_out_of_memory_at_every_purchase_ends_before_a_person(
    approved: Order, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.CALLCAP_SETTLE_SECONDS = 0
    monkeypatch.setattr(callcap_client(), "provision", _out_of_memory)
    for _ in range(12):
        pause_is_over_if_any(approved)
        lease_is_over()
        attempts_expire(actor=WORKER)
        try:
            order_execute(actor=WORKER, order_id=approved.pk)
        except MemoryError:
            continue
    approved.refresh_from_db()
    assert (approved.status, approved.execute_after) == (OrderStatus.UNKNOWN, None)
    assert approved.attempts.filter(kind="buy").count() == 2
    assert sandbox.purchases() == []


def pause_is_over_if_any(order: Order) -> None:
    """Time passes; an order that waits for a person goes on waiting."""
    if Order.objects.filter(pk=order.pk, execute_after__isnull=False).exists():
        pause_is_over(order)


def _out_of_memory(*_: Any, **__: Any) -> None:
    raise MemoryError


@pytest.mark.parametrize("table", ["numbers_app_attempt", "numbers_app_historyentry"])
def test_nothing_is_sent_while_the_disk_is_full(approved: Order, sandbox: SandboxServer, table: str) -> None:
    database_refuses("INSERT", table)
    try:
        # An intent that the database refuses puts the order off or is an error of the task; it never sends.
        with contextlib.suppress(DatabaseError):
            carry_out(approved)
    finally:
        database_obeys_again()
    approved.refresh_from_db()
    assert (approved.status, sandbox.purchases()) == (OrderStatus.APPROVED, [])
    pause_is_over(approved)
    assert carry_out(approved).status == OrderStatus.DONE


def test_task_of_another_release_fails_visibly_and_its_order_is_rung_again(
    approved: Order, sandbox: SandboxServer
) -> None:
    DBTaskResult.objects.all().delete()
    execute_order.enqueue(approved.pk)
    told = DBTaskResult.objects.get()
    told.args_kwargs = {"args": [approved.pk], "kwargs": {"hurry": True}}
    told.save()
    _worker().run_task(told)
    told.refresh_from_db()
    assert told.status == "FAILED"
    assert "hurry" in told.traceback
    Order.objects.update(rung_at=timezone.now() - timedelta(seconds=61))
    DBTaskResult.objects.all().delete()
    assert orders_sweep(actor=WORKER) == 1
    assert rings() == [approved.pk]


def _worker() -> Worker:
    return Worker(
        queue_names=["default"],
        interval=0,
        batch=True,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id="test",
        excluded_queue_names=[],
    )


def test_everything_is_paused_while_the_database_lacks_its_guards(approved: Order, sandbox: SandboxServer) -> None:
    triggers_drop(connection)
    try:
        Order.objects.update(rung_at=None)
        assert orders_sweep(actor=WORKER) == 0
    finally:
        triggers_install(connection)
    assert sending_switch().paused == SendingScope.EVERYTHING
    assert "campaign_" in sending_switch().reason
    assert carry_out(approved).status == OrderStatus.APPROVED
    assert sandbox.purchases() == []
