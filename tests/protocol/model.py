"""One approved purchase, two workers, and a vendor that may be slow, deaf or busy: the state.

The purchase wants two ranked numbers, or one and then any that matches its search, or only such. Beside the last there
is another order of ours with the same search: what the vendor sells to that one is the same account's.

``steps.py`` says what may happen, ``order_rules.py`` what the portal makes of it, ``invariants.py`` what must be true.
States are plain tuples, since there are many.

Left out, because it adds no state of order and vendor that is not met anyway: a worker that stops before its intent (it
is one that never takes its next step), and the moments between a worker's stopping and the end of its lease.

Assumed: a number is sold once; a purchase that the vendor has not acted on by the end of the settling time is lost;
lease and window run as documented; people tell the truth, and look when nothing is on its way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

NUMBERS = ("A", "B")

# Statuses of the order. PERSON is ``unknown`` with the flag that only a person acts.
APPROVED, SENDING, UNKNOWN, PERSON, DONE, FAILED = "approved", "sending", "unknown", "person", "done", "failed"
DOUBTFUL = (UNKNOWN, PERSON)
SETTLED_FOR_GOOD = (DONE, FAILED)

# Outcomes of a purchase; SENDING and UNKNOWN are outcomes too. NOT_WORKED_ON: not sent, or turned away (429).
APPLIED, REFUSED, NOT_WORKED_ON = "applied", "refused", "not worked on"
# Answers that a worker may hold besides those. NAMES_ANOTHER: a success that names another number.
NOT_SENT, TURNED_AWAY, NAMES_ANOTHER = "not sent", "turned away", "names another"
# Answers to a probe. OURS is a status of a number too.
OURS, NOT_OURS, UNCLEAR, NO_ANSWER = "ours", "not ours", "unclear", "no answer"

# What a worker is up to: FIND a number for an approved order, BUY it, BUY_AGAIN one in doubt, or PROBE it.
FIND, BUY, BUY_AGAIN, PROBE = "find", "buy", "buy again", "probe"

# How far it is. LOOKED: at the number, or at what the search brings. INTENDED: the attempt is written down, and nothing
# is sent. LOOK_AGAIN: it was refused, and has to.
IDLE, LOOKED, INTENDED, POSTED, LOOK_AGAIN, ANSWERED = "idle", "looked", "intended", "posted", "look again", "answered"

# What a look saw; the empty string when it brought no answer.
OFFERED, MISSING = "offered", "missing"

# A number at the vendor. HELD is a purchase that the vendor is still working on; OTHERS was sold to our other order.
FREE, HELD, RIVAL, OTHERS = "free", "held", "a rival's", "another order's"

# There is no other order.
NOBODY = "nobody"


class World(NamedTuple):
    """What workers and vendor keep to beyond the rules of ``numbers_app.protocol``; naive variants drop some of it."""

    numbers_are_named: bool = True
    send_window: bool = True
    late_success_counts: bool = True
    flight_is_doubt: bool = True
    intent_decides_again: bool = True
    found_numbers_are_committed: bool = True


class Purchase(NamedTuple):
    """The attempt to buy a number. ``doubted``: its outcome was unknown at any time."""

    number: str
    outcome: str = SENDING
    doubted: bool = False


class Checks(NamedTuple):
    """The checks since the last purchase that the vendor may have worked on, counted; the order does not matter.

    ``time_is_over``: the settling time is; ``settled``: the last check was asked after that.
    """

    not_ours_offered: int = 0
    not_ours_missing: int = 0
    unclear: int = 0
    silent: int = 0
    settled: bool = False
    time_is_over: bool = False


class Order(NamedTuple):
    """The order with its attempts, as the database has it.

    ``wanted`` are its live choices, best first; ``search`` are the numbers that its search may still bring.
    """

    status: str = APPROVED
    wanted: str = "AB"
    search: str = ""
    mirrored: str = ""
    purchases: tuple[Purchase, ...] = ()
    probing: bool = False
    checks: Checks = Checks()

    @property
    def number(self) -> str:
        """The number that the order is about now: the one sent, or the first live choice, if there is one."""
        return self.wanted[:1] if self.status == APPROVED else self.purchases[-1].number

    def moved(self, status: str) -> Order:
        """In another status. Checks mean something only while the order is unknown."""
        return self._replace(status=status, checks=self.checks if status == UNKNOWN else Checks())


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
    """Everything. ``other`` is the choice of the other order, if it has made one. What is left bounds what goes wrong.

    A mishap is a worker that is silent past its lease, for ever or not. An oddity is an answer that names another
    number, a check without an answer or refused for another reason, or a look after a refusal that fails.
    """

    order: Order = Order()
    vendor: Vendor = Vendor()
    workers: tuple[Worker, Worker] = (Worker(), Worker())
    other: str = NOBODY
    mishaps_left: int = 1
    oddities_left: int = 1

    def with_worker(self, who: int, worker: Worker) -> State:
        first, second = self.workers
        workers = (worker, second) if who == 0 else (first, worker)
        return State(self.order, self.vendor, workers, self.other, self.mishaps_left, self.oddities_left)


# Where it starts. To keep the search short, not everything goes wrong in each.
RANKED = State()
RANKED_THEN_ANY = State(order=Order(wanted="A", search="B"), oddities_left=0)
ANY = State(order=Order(wanted="", search="AB"), other="", mishaps_left=0, oddities_left=0)


def alike(state: State) -> State:
    """The two workers run the same program, so which is which makes no difference."""
    first, second = state.workers
    return state._replace(workers=(second, first)) if second < first else state


def in_flight(order: Order) -> int:
    """How many attempts are in flight. The database allows one per order."""
    return order.probing + [purchase.outcome for purchase in order.purchases].count(SENDING)


def doubt_is_open(purchases: Sequence[Purchase]) -> bool:
    """Whether one of these may yet turn out to have bought its number."""
    return any(purchase.outcome in {SENDING, UNKNOWN} for purchase in purchases)
