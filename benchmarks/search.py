"""What a search costs over the vendor's own answer, with real clients before a served portal.

Every search is a new one, so that none but those that are meant to be comes from the cache: patterns that a thousand
numbers match, the most that the vendor lists, and for reps who type the beginnings of words. One user and eight, a
vendor that answers at once and one that takes 50 ms.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from string import ascii_lowercase

import requests
from django.conf import settings
from django.db import connection
from django.test import Client

from benchmarks.portal_server import PortalServer
from benchmarks.world import World
from tests.sandbox_server import SandboxServer

LATENCIES_MS = (0, 50)
USERS = (1, 8)
# Of each user, by how many there are, in each of the passes: everything is measured in turn, since a machine that is
# slower for a while is then slower for all of it.
ROUNDS = {1: 12, 8: 3}
PASSES = 4
TYPISTS = 8
KEYS_A_SECOND = 3
TYPING_SECONDS = 8
FRAGMENT = {"HX-Request": "true"}

type Row = tuple[str, str, str]
type Send = Callable[[requests.Session, str], None]


def bench_search(world: World) -> Iterator[Row]:
    """Rows of (what, value, ratio). Starts a portal of its own before each vendor."""
    for latency in LATENCIES_MS:
        with tempfile.TemporaryDirectory() as directory:
            sandbox = SandboxServer(Path(directory), environment={"SANDBOX_LATENCY": str(latency / 1000)})
            sandbox.start()
            portal = PortalServer(sandbox, Path(directory) / "portal.log")
            try:
                crowd = Crowd(world, sandbox, portal)
                for users in USERS:
                    yield from _cost(crowd, users, f"search, vendor of {latency} ms, {users} user{'s'[: users > 1]}")
                if latency:
                    yield from _typing(crowd)
            finally:
                portal.stop()
                sandbox.stop()


class Crowd:
    """Users with connections of their own, who ask the vendor directly or the portal."""

    def __init__(self, world: World, sandbox: SandboxServer, portal: PortalServer) -> None:
        browser = Client()
        browser.force_login(world.rep)
        connection.close()
        self._cookie = browser.cookies[settings.SESSION_COOKIE_NAME].value
        self._key, self._sandbox, self._portal = sandbox.api_key, sandbox.url, portal.url
        self._patterns = (
            digit + "".join(wildcards)
            for length in range(2, 9)
            for wildcards in itertools.product("*#", repeat=length)
            for digit in "23456789"
        )
        self._beginnings = ("".join(letters) for letters in itertools.product(ascii_lowercase, repeat=3))

    def bare(self, session: requests.Session, pattern: str) -> None:
        self._get(session, f"{self._sandbox}/v3/numbers/", {"vanityText": pattern}, {})

    def fragment(self, session: requests.Session, pattern: str) -> None:
        self._get(session, f"{self._portal}/search/", {"vanity_text": pattern}, FRAGMENT)

    def page(self, session: requests.Session, pattern: str) -> None:
        self._get(session, f"{self._portal}/search/", {"vanity_text": pattern}, {})

    def new_patterns(self, count: int) -> list[str]:
        """Patterns that nobody has searched for yet, each of which more than a thousand numbers match."""
        return list(itertools.islice(self._patterns, count))

    def new_beginnings(self, count: int) -> list[str]:
        """Three letters each, as they stand in the box before the fourth."""
        return list(itertools.islice(self._beginnings, count))

    def times(self, send: Send, patterns: list[list[str]], *, every: float = 0) -> list[float]:
        """How long each request took, in milliseconds, of one user for each list; one starts every so many seconds."""
        taken: list[float] = []
        together = threading.Barrier(len(patterns))

        def use(place: int, own: list[str]) -> None:
            with requests.Session() as session:
                session.trust_env = False
                session.headers["Authorization"] = f"Bearer {self._key}"
                session.cookies.set(settings.SESSION_COOKIE_NAME, self._cookie)
                together.wait()
                begun = time.perf_counter() + every * place / len(patterns)
                for key, pattern in enumerate(own):
                    time.sleep(max(begun + key * every - time.perf_counter(), 0))
                    started = time.perf_counter()
                    send(session, pattern)
                    taken.append((time.perf_counter() - started) * 1000)

        threads = [threading.Thread(target=use, args=pair) for pair in enumerate(patterns)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return taken

    def _get(self, session: requests.Session, address: str, params: dict[str, str], headers: dict[str, str]) -> None:
        answer = session.get(address, params=params, headers=headers, timeout=30, allow_redirects=False)
        if answer.status_code != 200:
            raise SystemExit(f"{answer.url} answered {answer.status_code}, so nothing is measured.")


def _cost(crowd: Crowd, users: int, what: str) -> Iterator[Row]:
    rounds = ROUNDS[users]
    [kept] = crowd.new_patterns(1)
    measured: dict[str, tuple[Send, Callable[[], list[str]]]] = {
        "bare call": (crowd.bare, lambda: crowd.new_patterns(rounds)),
        "results fragment": (crowd.fragment, lambda: crowd.new_patterns(rounds)),
        "whole page": (crowd.page, lambda: crowd.new_patterns(rounds)),
        "results fragment, cached": (crowd.fragment, lambda: [kept] * rounds),
        "whole page, cached": (crowd.page, lambda: [kept] * rounds),
    }
    taken: dict[str, list[float]] = defaultdict(list)
    for _ in range(PASSES):
        # Kept again: it is forgotten after a minute.
        crowd.times(crowd.fragment, [[kept]])
        for name, (send, own) in measured.items():
            taken[name] += crowd.times(send, [own() for _ in range(users)])
    medians = {name: statistics.median(times) for name, times in taken.items()}
    for name, median in medians.items():
        yield f"{what}: {name}", f"{median:.1f} ms", f"{median / medians['bare call']:.2f} x bare"


def _typing(crowd: Crowd) -> Iterator[Row]:
    """Each key is a search that nobody has made yet."""
    keys = KEYS_A_SECOND * TYPING_SECONDS

    def slowest(send: Send, count: int) -> float:
        typed = [crowd.new_beginnings(count) for _ in range(TYPISTS)]
        return statistics.quantiles(crowd.times(send, typed, every=1 / KEYS_A_SECOND), n=20)[-1]

    bare, ours = slowest(crowd.bare, keys // 2), slowest(crowd.fragment, keys)
    what = f"typing, vendor of {LATENCIES_MS[-1]} ms, {TYPISTS} reps, {KEYS_A_SECOND} keys a second, 95 of 100"
    yield f"{what}: bare", f"{bare:.1f} ms", ""
    yield f"{what}: results", f"{ours:.1f} ms", f"{ours - bare:.0f} ms beyond the vendor"
