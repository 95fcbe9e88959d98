"""The worker as a process of its own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone
from django_tasks_db.management.commands.db_worker import Worker

from numbers_app.management.commands import worker
from numbers_app.models import Account, Attempt, AttemptOutcome, Campaign, OrderStatus, User
from numbers_app.services.verification import history_verify
from tests.commands.processes import manage
from tests.orders.steps import CAKE, approve, ask, keep_trying, outcomes, wait_until
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.django_db(transaction=True)

BATCH = ("worker", "--batch", "--interval", "0")


def test_worker_carries_an_approved_order_out(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = approve(manager, ask(rep, location, CAKE))
    with manage(*BATCH, callcap_url=sandbox.url) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    order.refresh_from_db()
    assert (order.status, order.campaign) == (OrderStatus.DONE, Campaign.objects.get(phone_number=CAKE))
    assert len(sandbox.purchases()) == 1
    assert history_verify().problems == []


def test_purchase_of_a_worker_that_is_killed_while_callcap_answers_is_found_by_a_check(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = approve(manager, ask(rep, location, CAKE))
    sandbox.arm_fault("slow", "provision", seconds=2)
    with manage(*BATCH, callcap_url=sandbox.url) as process:
        wait_until(Attempt.objects.exists, seconds=30)
        wait_until(lambda: not sandbox.armed_faults())
        process.kill()
        process.wait()
    wait_until(sandbox.purchases)
    Attempt.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    keep_trying(order)
    assert (order.status, outcomes(order)) == (
        OrderStatus.DONE,
        [(CAKE, AttemptOutcome.UNKNOWN), (CAKE, AttemptOutcome.APPLIED)],
    )
    assert len(sandbox.purchases()) == 1
    assert Campaign.objects.get().phone_number == CAKE


def test_worker_that_is_told_to_stop_finishes_the_purchase_under_way(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = approve(manager, ask(rep, location, CAKE))
    sandbox.arm_fault("slow", "provision", seconds=2)
    with manage("worker", "--interval", "0.1", callcap_url=sandbox.url) as process:
        wait_until(Attempt.objects.exists, seconds=30)
        wait_until(lambda: not sandbox.armed_faults())
        process.terminate()
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    order.refresh_from_db()
    assert (order.status, outcomes(order)) == (OrderStatus.DONE, [(CAKE, AttemptOutcome.APPLIED)])
    assert len(sandbox.purchases()) == 1


def test_trouble_with_the_database_does_not_end_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[str] = []

    def run(self: Worker) -> None:
        runs.append(self.worker_id)
        if len(runs) == 1:
            raise OperationalError("database is locked")

    monkeypatch.setattr(Worker, "run", run)
    monkeypatch.setattr(worker, "PAUSE_AFTER_TROUBLE_SECONDS", 0)
    call_command("worker", threads=1, batch=True)
    assert len(runs) == 2
