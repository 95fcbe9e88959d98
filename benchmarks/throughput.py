"""Two worker processes against a vendor that takes 50 ms to answer: purchases a second, and where the time goes."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from django.db import connection
from django_tasks_db.models import DBTaskResult

from benchmarks.world import World
from numbers_app.models import Order, OrderStatus
from tests.browser.conftest import database_url
from tests.sandbox_server import ROOT, SandboxServer

WORKERS = 2
PURCHASES = 200
VENDOR_SECONDS = 0.05
# What each step says was done since the one before.
STEP_NAMES = {
    "picked up": "task queue, and reading the order",
    "looked": "look (one GET)",
    "intent written": "intent, durable",
    "answered": "purchase (one POST)",
    "recording": "outcome, mirror, history, notifications",
    "recorded": "commit of that",
}


def bench_throughput(world: World) -> list[tuple[str, str, str]]:
    """Rows of (what, value, ratio). Uses a sandbox of its own, which is slow on purpose."""
    with tempfile.TemporaryDirectory() as directory:
        server = SandboxServer(Path(directory), environment={"SANDBOX_LATENCY": str(VENDOR_SECONDS)})
        server.start()
        try:
            return _measure(world.beside(server), Path(directory))
        finally:
            server.stop()


def _measure(world: World, directory: Path) -> list[tuple[str, str, str]]:
    numbers = iter(world.numbers(2 * PURCHASES))
    bare = _bare_rate(world, numbers)
    DBTaskResult.objects.all().delete()
    orders = [world.approved_order(next(numbers)).pk for _ in range(PURCHASES)]
    logs = [directory / f"steps-{index}" for index in range(WORKERS)]
    started = time.perf_counter()
    workers = [_start_worker(world.server, log, directory) for log in logs]
    while Order.objects.filter(pk__in=orders).exclude(status=OrderStatus.DONE).exists():
        if all(worker.poll() is not None for worker in workers):
            raise SystemExit("The workers ended before every number was bought, so nothing is measured.")
        time.sleep(0.2)
    whole = time.perf_counter() - started
    for worker in workers:
        worker.wait(30)
    first, last = _span(orders)
    rate = (PURCHASES - 1) / (last - first)
    rows = [
        (f"throughput: {WORKERS} bare clients, look-up and purchase", f"{bare:.1f} /s", ""),
        (f"throughput: {WORKERS} workers, purchases", f"{rate:.1f} /s", f"{rate / bare:.2f} x bare"),
        ("throughput: the same with starting the workers", f"{PURCHASES / whole:.1f} /s", ""),
    ]
    return rows + [(f"  of it: {STEP_NAMES[step]}", f"{ms:.1f} ms", "") for step, ms in _step_medians(logs)]


def _bare_rate(world: World, numbers: Iterator[str]) -> float:
    """Purchases a second of as many plain clients as there are workers."""
    shares = [[next(numbers) for _ in range(PURCHASES // WORKERS)] for _ in range(WORKERS)]

    def buy(share: list[str]) -> None:
        for number in share:
            world.bare_search(fullNumber=number)
            world.bare_purchase(number)

    threads = [threading.Thread(target=buy, args=[share]) for share in shares]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return PURCHASES / (time.perf_counter() - started)


def _start_worker(server: SandboxServer, log: Path, directory: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": database_url(),
        "CALLCAP_API_URL": server.url,
        "HISTORY_HEAD_FILE": str(directory / "history-head.json"),
        "LOG_FORMAT": "json",
    }
    with (directory / "worker.log").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", str(log)],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
        )


def _span(orders: list[int]) -> tuple[float, float]:
    """From the first order's end to the last one's, in seconds: starting the processes does not count."""
    ends = Order.objects.filter(pk__in=orders).values_list("finished_at", flat=True)
    moments = sorted(end.timestamp() for end in ends if end)
    connection.close()
    return moments[0], moments[-1]


def _step_medians(logs: list[Path]) -> list[tuple[str, float]]:
    times: dict[str, list[float]] = defaultdict(list)
    for log in logs:
        for line in log.read_text().splitlines():
            step, seconds = line.split("\t")
            times[step].append(float(seconds) * 1000)
    return [(step, statistics.median(times[step])) for step in STEP_NAMES if step in times]
