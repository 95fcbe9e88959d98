"""``make bench``: what people and the worker wait for, as ratios to the bare vendor call in the same run.

Machines are noisy, so a ratio says more than a time. Uses a database of its own (DATABASE_URL says of which kind) and a
sandbox of its own.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django

django.setup()

from django.conf import settings
from django.db import connection
from django.test.utils import setup_test_environment

from benchmarks.batch_preview import bench_batch_preview
from benchmarks.batches import bench_batches
from benchmarks.evidence import bench_evidence
from benchmarks.history import bench_appending, bench_history_pages
from benchmarks.search import bench_search
from benchmarks.throughput import bench_throughput
from benchmarks.world import World
from numbers_app.services.execution import order_execute
from tests.sandbox_server import SandboxServer

PURCHASES = 60
LENGTHS = (100_000, 1_000_000)


def row(what: str, value: str, ratio: str = "") -> None:
    print(f"{what:<80}{value:>12}  {ratio}", flush=True)


def rows(measured: Iterable[tuple[str, str, str]]) -> None:
    for what, value, ratio in measured:
        row(what, value, ratio)


def bench_purchases(world: World) -> None:
    numbers = iter(world.numbers(2 * PURCHASES))
    started = time.perf_counter()
    for _ in range(PURCHASES):
        number = next(numbers)
        world.bare_search(fullNumber=number)
        world.bare_purchase(number)
    bare = PURCHASES / (time.perf_counter() - started)
    orders = [world.approved_order(next(numbers)) for _ in range(PURCHASES)]
    started = time.perf_counter()
    for order in orders:
        order_execute(actor=world.worker, order_id=order.pk)
    ours = PURCHASES / (time.perf_counter() - started)
    row("purchase: bare look-up and purchase", f"{bare:.0f} /s")
    row("purchase: preflight, intent, send, record, history", f"{ours:.0f} /s", f"{bare / ours:.1f} x slower")


@contextlib.contextmanager
def database() -> Iterator[None]:
    """A database of its own for what is measured within."""
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(settings.DATABASES["default"]["NAME"], verbosity=0)


def bench_vendor(directory: Path) -> None:
    """Searches, purchases and batches, against the bare calls that they come down to."""
    server = SandboxServer(directory)
    server.start()
    try:
        settings.CALLCAP_API_URL = server.url
        world = World(server)
        rows(bench_search(world))
        bench_purchases(world)
        rows(bench_throughput(world))
        rows(bench_batches(world))
    finally:
        server.stop()


def bench_history() -> None:
    """The history, as long as it gets in two years and in twenty, and what leaves the portal of it."""
    rows(bench_history_pages(LENGTHS if connection.vendor == "postgresql" else LENGTHS[:1]))
    rows(bench_evidence())
    rows(bench_appending())


def main() -> None:
    setup_test_environment()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as directory:
        settings.HISTORY_HEAD_FILE = Path(directory) / "history-head.json"
        settings.CHECKPOINT_FILE = Path(directory) / "history-checkpoints.jsonl"
        print(f"On {connection.vendor}; sandbox without latency and one client unless said\n")
        with database():
            bench_vendor(Path(directory))
        with database():
            rows(bench_batch_preview())
        with database():
            bench_history()


if __name__ == "__main__":
    main()
