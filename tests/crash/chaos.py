"""Every fault that the sandbox knows, a changing few at a time, and what else goes wrong in a bad hour."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from django.db import connection

from tests.sandbox_server import SandboxServer

# Whatever the vendor does late, it does within this time: well below the settling time of the test.
LATEST = 1.2
AT_ONCE = 6
RATE = 0.22
RATE_OF_MISSING = 0.5
# What costs a person's attention or a lot of work is rare.
RARE = {"401": 0.04, "403": 0.04, "huge": 0.05, "gzip_bomb": 0.05}
SHORTEST_LATENESS = 0.2
LATE_KINDS = ("late_commit", "hold", "hold_and_release", "slow", "drip", "drip_body")
PAUSES_ASKED_FOR = ("", "0", "1", "2", "90", "soon", "Wed, 21 Oct 2015 07:28:00 GMT")


class Storm:
    """Faults at random. ``fired`` counts by kind how often each has struck."""

    def __init__(self, sandbox: SandboxServer, dice: random.Random) -> None:
        self._sandbox = sandbox
        self._dice = dice
        self._kinds = sandbox.kinds()
        self._deck: list[str] = []
        self.fired: Counter[str] = Counter()

    def turn(self) -> None:
        """Other faults than until now: half of them such as have not struck yet, the others drawn like cards."""
        self.calm()
        missing = self.missing()
        fresh = self._dice.sample(missing, min(AT_ONCE // 2, len(missing)))
        for kind in [*fresh, *(self._draw() for _ in range(AT_ONCE - len(fresh)))]:
            # Orders make no calls about accounts.
            on = self._dice.choice([endpoint for endpoint in self._kinds[kind]["on"] if endpoint != "accounts"])
            self._arm(kind, on, rate=RARE.get(kind, RATE))

    def strike_with_what_is_missing(self) -> None:
        """Only the kinds that have never struck, wherever they make sense."""
        self.calm()
        for kind in self.missing():
            self._arm(kind, "any", rate=RATE_OF_MISSING)

    def calm(self) -> None:
        """Clear weather, after counting."""
        for fault in self._sandbox.armed_faults():
            self.fired[fault["kind"]] += fault["fired"]
        self._sandbox.clear_faults()

    def missing(self) -> list[str]:
        return [kind for kind in self._kinds if not self.fired[kind]]

    def _draw(self) -> str:
        if not self._deck:
            self._deck = self._dice.sample(list(self._kinds), len(self._kinds))
        return self._deck.pop()

    def _arm(self, kind: str, on: str, rate: float) -> None:
        options: dict[str, Any] = {"rate": rate}
        if kind in LATE_KINDS:
            options["seconds"] = self._dice.uniform(SHORTEST_LATENESS, LATEST)
        if kind == "429":
            options["retry_after"] = self._dice.choice(PAUSES_ASKED_FOR)
        self._sandbox.arm_fault(kind, on, **options)


def cut_off_everybody() -> int:
    """End every connection to the database but this one, as its restart would. Returns how many; PostgreSQL only."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])
