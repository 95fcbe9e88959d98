"""The worker as a process of its own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from numbers_app.models import Account, Attempt, AttemptOutcome, Campaign, OrderStatus, User
from numbers_app.selectors.verification import history_verify
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
