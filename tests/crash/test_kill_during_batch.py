"""Workers killed while they turn a batch into orders and carry it out: every row is done, each exactly once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from numbers_app.models import OPEN, Account, Attempt, Batch, BatchStatus, Campaign, Order, User
from numbers_app.services.sweep import batches_sweep, orders_sweep
from tests.batches.making import CLOCK, NEW, change_draft, outcomes, running
from tests.crash.books import disagreements, report
from tests.crash.passing_time import time_passes
from tests.crash.workers import Crew
from tests.factories import CampaignFactory
from tests.orders.steps import wait_until
from tests.sandbox_server import SandboxServer

ROWS = 6
PATIENCE = 90

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def batch(rep: User, manager: User, location: Account, sandbox: SandboxServer) -> Batch:
    """An approved batch that re-routes numbers which Callcap really sold us."""
    numbers = [offer["phoneNumber"] for offer in sandbox.search(areaCode="316")[:ROWS]]
    for number in numbers:
        buy(sandbox, number)
    campaigns = [CampaignFactory(phone_number=number, account=location) for number in numbers]
    return running(rep, manager, change_draft(rep, campaigns))


def buy(sandbox: SandboxServer, number: str) -> None:
    """A purchase that was made before the portal was there."""
    values: dict[str, Any] = {"phoneNumber": number, "account": "L-3", "destination": "3164447896"}
    headers = {"Authorization": f"Bearer {sandbox.api_key}"}
    sandbox._session.post(f"{sandbox.url}/v3/numbers/", data=values, headers=headers, timeout=10).raise_for_status()


def test_every_row_is_done_once_though_workers_are_killed_one_after_another(
    batch: Batch, sandbox: SandboxServer, crew: Crew
) -> None:
    # While it makes orders, or a little later: nothing in the books may depend on where.
    first = crew.start_worker()
    wait_until(Order.objects.exists, seconds=PATIENCE)
    first.process.kill()
    first.process.wait()
    second = crew.start_worker("--kill-at", "answered", "--after", "2")

    def is_dead() -> bool:
        clock_ticks(second.name)
        return not second.is_alive

    wait_until(is_dead, seconds=PATIENCE)
    assert second.was_killed, crew.log.read_text()
    last = crew.start_worker()

    def is_done() -> bool:
        clock_ticks(last.name)
        batch.refresh_from_db()
        return batch.status == BatchStatus.DONE and not Order.objects.filter(status__in=OPEN).exists()

    wait_until(is_done, seconds=PATIENCE)
    crew.dismiss_workers()
    assert outcomes(batch) == {"done": ROWS}
    assert Order.objects.filter(batch_row__batch=batch).count() == Order.objects.filter(parent=None).count() == ROWS
    assert set(Campaign.objects.values_list("destination", flat=True)) == {NEW}
    # A number is changed once; only what a dead worker left unknown is sent again.
    sent = Counter(entry["number"] for entry in sandbox.journal(kind="update"))
    doubted = set(Attempt.objects.filter(ever_unknown=True).values_list("number", flat=True))
    assert sent.keys() == set(Campaign.objects.values_list("phone_number", flat=True))
    assert [number for number, times in sent.items() if times > 1 and number not in doubted] == []
    problems = disagreements(sandbox)
    assert not problems, report(problems, sandbox)


def clock_ticks(*living: str) -> None:
    """What the clock does, with the pauses and leases of the dead over."""
    time_passes(living)
    Batch.objects.update(rung_at=None)
    orders_sweep(actor=CLOCK)
    batches_sweep(actor=CLOCK)
