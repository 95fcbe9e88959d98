"""The history's pages at 100,000 entries and at 1,000,000, as ratios to an empty signed-in page in the same minute."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator

from django.db import connection, connections, transaction
from django.test import Client, override_settings

from benchmarks.long_history import fill_history
from numbers_app.actors import Actor
from numbers_app.models import Account, HistoryEntry, Source, Verb
from numbers_app.permissions import Role
from numbers_app.services.history import history_append
from tests.factories import UserFactory

ROUNDS = 25
WRITERS = 4
APPENDS = 500
HTMX = {"HX-Request": "true"}
type Row = tuple[str, str, str]


def bench_history_pages(lengths: tuple[int, ...]) -> Iterator[Row]:
    """Rows of (what, time, ratio to the floor), at each length in turn, and how much each grew."""
    client = Client()
    client.force_login(UserFactory(username="bench-auditor", role=Role.AUDITOR))
    first: dict[str, float] = {}
    for length in lengths:
        fill_history(length)
        for what, path, fragment in _pages(length):
            page, floor = _side_by_side(client, path, HTMX if fragment else {})
            ratio = page / floor
            grown = f", {ratio / first[what]:.2f} x what it was" if what in first else ""
            first.setdefault(what, ratio)
            yield f"history of {length:,}: {what}", f"{page:.1f} ms", f"{ratio:.1f} x floor{grown}"


def bench_appending() -> Iterator[Row]:
    """Entries a second through the service, one transaction each, from several writers at once."""
    writers = 1 if connection.vendor == "sqlite" else WRITERS

    def append() -> None:
        actor = Actor.portal("Bench", source=Source.WORKER)
        for _ in range(APPENDS):
            with transaction.atomic():
                history_append(actor=actor, verb=Verb.ORDER_POSTPONED, order_id=1, reason="Measuring.")
        connections.close_all()

    threads = [threading.Thread(target=append) for _ in range(writers)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = writers * APPENDS / (time.perf_counter() - started)
    yield f"history: entries appended by {writers} writer{'s' if writers > 1 else ''}", f"{rate:.0f} /s", ""


def _pages(length: int) -> Iterator[tuple[str, str, bool]]:
    """What is measured: its name, its address, and whether as a fragment."""
    middle = HistoryEntry.objects.get(sequence=length // 2)
    number = HistoryEntry.objects.filter(verb=Verb.NUMBER_CHANGED).latest("sequence").number
    actor = middle.actor_name.replace(" ", "+")
    day = middle.at.date().isoformat()
    top = Account.objects.filter(kind=Account.Kind.CORPORATE).earliest("pk").key
    location = Account.objects.filter(kind=Account.Kind.LOCATION).earliest("pk").key
    yield "list, first page", "/history/?all=1", True
    yield "list, next page", f"/history/?before={middle.sequence}", True
    yield "list, page before", f"/history/?after={middle.sequence}", True
    yield "list by actor", f"/history/?actor={actor}", True
    yield "list by number", f"/history/?number={number}", True
    yield "list by part of a number", f"/history/?number={number[3:7]}", True
    yield "list by day", f"/history/?date_from={day}&date_to={day}", True
    yield "list by Location", f"/history/?account={location}", True
    yield "list of re-routing", "/history/?routing=on", True
    yield "list by changed field", "/history/?field=stop_date", True
    yield "list, whole page", "/history/?all=1", False
    yield "one entry", f"/history/{middle.sequence}/", False
    yield "as of, one number", f"/history/as-of/?number={number}&at={day}T12:00", True
    yield "as of, one number, whole page", f"/history/as-of/?number={number}&at={day}T12:00", False
    yield "as of, an account of 1,000 numbers", f"/history/as-of/?account={top}&at={day}T12:00", False


@override_settings(ROOT_URLCONF="benchmarks.urls")
def _side_by_side(client: Client, path: str, headers: dict[str, str]) -> tuple[float, float]:
    """Median milliseconds of the page and of the floor, taken in turn: whatever else the machine does, both feel."""
    pages, floors = [], []
    for _ in range(ROUNDS):
        pages.append(_milliseconds(client, path, headers))
        floors.append(_milliseconds(client, "/floor/", {}))
    return statistics.median(pages), statistics.median(floors)


def _milliseconds(client: Client, path: str, headers: dict[str, str]) -> float:
    started = time.perf_counter()
    response = client.get(path, headers=headers)
    elapsed = (time.perf_counter() - started) * 1000
    if response.status_code != 200:
        raise SystemExit(f"{path} answered {response.status_code}, so nothing is measured.")
    return elapsed
