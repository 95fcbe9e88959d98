"""One approved purchase with two ranked numbers, two workers, and a vendor that may be slow, deaf or busy: the state.

``steps.py`` says what may happen, ``invariants.py`` what must be true. States are plain tuples, since there are many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

NUMBERS = ("A", "B")

# Statuses of the order. PERSON is ``unknown`` with the flag that only a person acts.
APPROVED, SENDING, UNKNOWN, PERSON, DONE, FAILED = "approved", "sending", "unknown", "person", "done", "failed"
DOUBTFUL = (UNKNOWN, PERSON)
SETTLED_FOR_GOOD = (DONE, FAILED)

# Outcomes of a purchase; SENDING and UNKNOWN are outcomes too. TURNED_AWAY is a refusal that says nothing (429).
APPLIED, REFUSED, TURNED_AWAY, NOT_SENT = "applied", "refused", "turned away", "not sent"
# Answers that a worker may hold besides those: an answer that names another number, and what probes bring.
NAMES_ANOTHER, OURS, NOT_OURS, UNCLEAR, NO_ANSWER = "names another", "ours", "not ours", "unclear", "no answer"

# What a worker is up to: BUY a number of an approved order, BUY_AGAIN one in doubt, or PROBE it.
BUY, BUY_AGAIN, PROBE = "buy", "buy again", "probe"

# How far it is: IDLE, it has LOOKED, written its INTENT, POSTED, has to LOOK_AGAIN after a refusal, or is ANSWERED.
IDLE, LOOKED, INTENDED, POSTED, LOOK_AGAIN, ANSWERED = "idle", "looked", "intended", "posted", "look again", "answered"

# What a look saw; the empty string when it brought no answer.
OFFERED, MISSING = "offered", "missing"

# A number at the vendor. HELD is a purchase that the vendor is still working on.
FREE, HELD, RIVAL = "free", "held", "a rival's"


class World(NamedTuple):
    """What workers and vendor keep to beyond the rules of ``numbers_app.protocol``; naive variants drop some of it."""

    numbers_are_named: bool = True
    send_window: bool = True
    late_success_counts: bool = True
    flight_is_doubt: bool = True
    intent_decides_again: bool = True


class Purchase(NamedTuple):
    """The attempt to buy a number. ``doubted``: its outcome was unknown at any time."""

    number: str
    outcome: str = SENDING
    doubted: bool = False


class Checks(NamedTuple):
    """The checks since the last purchase that the vendor may have worked on, counted; the order does not matter."""

    not_ours_offered: int = 0
    not_ours_missing: int = 0
    unclear: int = 0
    silent: int = 0
    settled: bool = False
    time_is_over: bool = False


class Order(NamedTuple):
    """The order with its attempts, as the database has it."""

    status: str = APPROVED
    choice: int = 0
    mirrored: str = ""
    purchases: tuple[Purchase, ...] = ()
    probing: bool = False
    checks: Checks = Checks()

    @property
    def number(self) -> str:
        return NUMBERS[self.choice]

    def moved(self, status: str) -> Order:
        """In another status. Checks mean something only while the order is unknown."""
        return self._replace(status=status, checks=self.checks if status == UNKNOWN else Checks())

    @property
    def others(self) -> bool:
        return self.choice + 1 < len(NUMBERS)


class Worker(NamedTuple):
    """A worker's memory. ``attempt`` is the place of its purchase, or for a probe how many purchases it came after."""

    stage: str = IDLE
    task: str = ""
    number: str = ""
    seen: str = ""
    answer: str = ""
    attempt: int = 0
    settled: bool = False
    late: bool = False


class Vendor(NamedTuple):
    """The numbers, and the purchases on their way whose sender hung up."""

    numbers: tuple[str, ...] = (FREE, FREE)
    on_the_way: tuple[str, ...] = ()

    def of(self, number: str) -> str:
        return self.numbers[NUMBERS.index(number)]

    def turn(self, number: str, into: str) -> Vendor:
        return self._replace(
            numbers=tuple(into if n == number else s for n, s in zip(NUMBERS, self.numbers, strict=True))
        )

    @property
    def ours(self) -> list[str]:
        return [n for n, s in zip(NUMBERS, self.numbers, strict=True) if s == OURS]


class State(NamedTuple):
    """Everything. ``settled``: the settling time since the last purchase is over. The rest bounds what goes wrong."""

    order: Order = Order()
    vendor: Vendor = Vendor()
    workers: tuple[Worker, Worker] = (Worker(), Worker())
    mishaps_left: int = 1
    oddities_left: int = 1

    def with_worker(self, who: int, worker: Worker) -> State:
        return self._replace(workers=(worker, self.workers[1]) if who == 0 else (self.workers[0], worker))


def alike(state: State) -> State:
    """The two workers run the same program, so which is which makes no difference."""
    first, second = state.workers
    return state._replace(workers=(second, first)) if second < first else state


def in_flight(order: Order) -> int:
    """How many attempts are in flight. The database allows one per order."""
    return order.probing + sum(purchase.outcome == SENDING for purchase in order.purchases)


def doubt_is_open(purchases: Sequence[Purchase]) -> bool:
    """Whether one of these may yet turn out to have bought its number."""
    return any(purchase.outcome in {SENDING, UNKNOWN} for purchase in purchases)
