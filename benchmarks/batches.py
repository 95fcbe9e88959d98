"""A batch of changes before two worker processes and the clock: how fast it goes through the rate gate, and without.

Callcap takes 50 ms to answer. The rate is taken between the first and the last end of an order, so that starting the
processes does not count.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.db import connection
from django_tasks_db.models import DBTaskResult

from benchmarks.world import World
from numbers_app.actors import Actor
from numbers_app.models import Batch, BatchRow, BatchStatus, Campaign, Order, OrderStatus, RowState
from numbers_app.services.batches import batch_approve, batch_submit
from numbers_app.vendor.rate_gate import BATCH_SHARE
from tests.browser.conftest import database_url
from tests.factories import BatchFactory, CampaignFactory
from tests.sandbox_server import ROOT, SandboxServer

WORKERS = 2
CHANGES = 2000
VENDOR_SECONDS = 0.05
MOST_PER_SECOND = 20
LONGEST_SECONDS = 600
BUYERS = 8
BEFORE, AFTER = "3164447896", "3165550100"


def bench_batches(world: World) -> list[tuple[str, str, str]]:
    """Rows of (what, value, ratio). Uses a sandbox of its own, which is slow on purpose."""
    with tempfile.TemporaryDirectory() as directory:
        server = SandboxServer(Path(directory), environment={"SANDBOX_LATENCY": str(VENDOR_SECONDS)})
        server.start()
        try:
            mirrored = _buy(world.beside(server))
            allowed = MOST_PER_SECOND * BATCH_SHARE
            limited = _rate(world, server, Path(directory), mirrored, AFTER, {"CALLCAP_MAX_PER_SECOND": "20"})
            free = _rate(world, server, Path(directory), mirrored, BEFORE, {"CALLCAP_MAX_PER_SECOND": "0"})
        finally:
            server.stop()
    what = f"batch: {CHANGES} changes, {WORKERS} workers, Callcap takes {VENDOR_SECONDS * 1000:.0f} ms"
    return [
        (f"{what}, {MOST_PER_SECOND}/s allowed", f"{limited:.1f} /s", f"{limited / allowed:.0%} of a batch's share"),
        (f"{what}, no limit", f"{free:.1f} /s", ""),
    ]


def _buy(world: World) -> list[Campaign]:
    """Numbers that the sandbox knows to be ours, in the mirror."""
    numbers: list[str] = []
    with ThreadPoolExecutor(BUYERS) as pool:
        while len(numbers) < CHANGES:
            # A search lists a thousand at most; those that are bought it lists no more.
            offered = world.numbers(CHANGES - len(numbers))
            list(pool.map(world.bare_purchase, offered))
            numbers += offered
    return [CampaignFactory(phone_number=number, account=world.location, destination=BEFORE) for number in numbers]


def _rate(
    world: World, server: SandboxServer, directory: Path, campaigns: list[Campaign], to: str, limits: dict[str, str]
) -> float:
    """Changes a second."""
    DBTaskResult.objects.all().delete()
    batch = _approved(world, campaigns, to)
    with _processes(server, directory, limits):
        deadline = time.monotonic() + LONGEST_SECONDS
        while Batch.objects.get(pk=batch.pk).status != BatchStatus.DONE:
            if time.monotonic() > deadline:
                raise SystemExit("The batch did not come to its end, so nothing is measured.")
            time.sleep(0.2)
    done = Order.objects.filter(batch_row__batch=batch, status=OrderStatus.DONE).values_list("finished_at", flat=True)
    moments = sorted(end.timestamp() for end in done if end)
    if len(moments) != CHANGES:
        raise SystemExit(f"{len(moments)} of {CHANGES} changes were made, so nothing is measured.")
    connection.close()
    return (CHANGES - 1) / (moments[-1] - moments[0])


def _approved(world: World, campaigns: list[Campaign], to: str) -> Batch:
    batch: Batch = BatchFactory(author_id=world.rep.pk, author_name=world.rep.display_name)
    BatchRow.objects.bulk_create(
        BatchRow(
            batch=batch,
            line=line,
            state=RowState.READY,
            campaign=campaign,
            account=world.location,
            parameters={"destination": to},
            before={"destination": BEFORE if to == AFTER else AFTER},
            author_id=world.rep.pk,
        )
        for line, campaign in enumerate(campaigns, start=2)
    )
    batch_submit(actor=Actor.person(world.rep), batch_id=batch.pk, reason="")
    batch_approve(actor=Actor.person(world.manager), batch_id=batch.pk, lines=None)
    return batch


@contextmanager
def _processes(server: SandboxServer, directory: Path, limits: dict[str, str]) -> Iterator[None]:
    environment = os.environ | limits
    environment |= {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": database_url(),
        "CALLCAP_API_URL": server.url,
        "HISTORY_HEAD_FILE": str(directory / "history-head.json"),
        "CHECKPOINT_FILE": str(directory / "history-checkpoints.jsonl"),
        "LOG_FORMAT": "json",
    }
    with ExitStack() as stack:
        log = stack.enter_context((directory / "processes.log").open("ab"))
        for arguments in [["worker", "--interval", "0.05"]] * WORKERS + [["clock"]]:
            command = [sys.executable, "manage.py", *arguments]
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)
        yield
