"""What the database transactions do to the order: every decision is asked of ``numbers_app.protocol``, as shipped."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from numbers_app import protocol
from numbers_app.protocol import Check, Next, Verdict

from .model import (
    APPLIED,
    APPROVED,
    BUY,
    BUY_AGAIN,
    DONE,
    FAILED,
    FIND,
    MISSING,
    NAMES_ANOTHER,
    NO_ANSWER,
    NOT_OURS,
    NOT_SENT,
    NOT_WORKED_ON,
    NUMBERS,
    OFFERED,
    OURS,
    PERSON,
    PROBE,
    REFUSED,
    SENDING,
    SETTLED_FOR_GOOD,
    TURNED_AWAY,
    UNCLEAR,
    UNKNOWN,
    Checks,
    Order,
    Purchase,
    Worker,
    World,
    doubt_is_open,
    in_flight,
)


def task_due(order: Order) -> str:
    """What a worker that picks the order up now would set out to do; nothing when it is not due."""
    if in_flight(order):
        return ""
    if order.status == APPROVED:
        return BUY if order.wanted else FIND
    if order.status != UNKNOWN:
        return ""
    if after_checks(order) == Next.BUY:
        return BUY_AGAIN
    early = sum(order.checks[:4]) < protocol.LEAST_CHECKS
    return PROBE if order.checks.time_is_over or early else ""


def after_checks(order: Order) -> Next:
    """Ask the protocol what the checks so far mean."""
    number = order.number
    worked_on = [p for p in order.purchases if p.number == number and p.outcome in {APPLIED, REFUSED, UNKNOWN}]
    return _asked(protocol.after_checks, order.checks, len(worked_on))


@cache
def _asked(rule: Callable[..., Next], checks: Checks, buys: int) -> Next:
    made = [Check(Verdict.NOT_OURS, offered=True)] * checks.not_ours_offered
    made += [Check(Verdict.NOT_OURS, offered=False)] * checks.not_ours_missing
    made += [Check(Verdict.UNCLEAR, offered=True)] * checks.unclear
    made += [Check(Verdict.NO_ANSWER, offered=True)] * checks.silent
    return rule(made, settled=checks.settled, buys=buys)


def intended(order: Order, worker: Worker, world: World) -> Order | None:
    """The order with the worker's attempt written down, or nothing when it has moved on since the worker saw it."""
    wanted = BUY_AGAIN if worker.task == PROBE and task_due(order) == BUY_AGAIN else worker.task
    if not world.found_numbers_are_committed and task_due(order) == FIND:
        order, stands = order._replace(search=order.search.replace(worker.number, "")), worker.task == BUY
    elif world.intent_decides_again:
        stands = task_due(order) == wanted and order.number == worker.number
    else:
        stands = not in_flight(order) and order.status == (APPROVED if worker.task == BUY else UNKNOWN)
    if not stands:
        return None
    if worker.task == PROBE:
        return order._replace(probing=True)
    status = SENDING if worker.task == BUY else UNKNOWN
    return order._replace(status=status, purchases=(*order.purchases, Purchase(worker.number)))


def carried_out(order: Order, decision: Next) -> Order:
    """The order after a decision. One in open doubt is never approved again, and a person's flag stays."""
    if order.status in SETTLED_FOR_GOOD:
        return order
    if decision == Next.NEXT_CHOICE:
        return next_choice(order)
    if decision == Next.AGAIN and not doubt_is_open(order.purchases):
        return order.moved(APPROVED)
    undecided = PERSON if order.status == PERSON else UNKNOWN
    # Only naive rules decide BUY here: to send again at once.
    return order.moved({Next.FAIL: FAILED, Next.PERSON: PERSON, Next.BUY: APPROVED}.get(decision, undecided))


def chosen(order: Order, number: str) -> Order:
    """What the search brought is the order's choice; the order fails when it brought nothing, or may not bring more."""
    if not number or after_choices(order) != Next.FIND:
        return order.moved(FAILED)
    return order._replace(wanted=number, search=order.search.replace(number, ""))


def after_choices(order: Order) -> Next:
    """Ask the protocol whether the search may bring another number."""
    found = len(NUMBERS) - len(order.search)
    doubted = any(purchase.doubted for purchase in order.purchases)
    return protocol.after_choices(searches=bool(order.search), found=found, doubted=doubted)


def has_others(order: Order) -> bool:
    """Whether another number may follow the first live choice."""
    return len(order.wanted) > 1 or after_choices(order) == Next.FIND


def next_choice(order: Order) -> Order:
    """The first live choice is dropped; without another one the order fails."""
    if not has_others(order):
        return order.moved(FAILED)
    purchases = order.purchases
    if purchases and purchases[-1].outcome == REFUSED and not purchases[-1].doubted:
        purchases = purchases[:-1]  # Refused for good and never in doubt: it has no bearing on the other number.
    return order.moved(APPROVED)._replace(wanted=order.wanted[1:], purchases=purchases)


def bought(order: Order, number: str) -> Order:
    """Done, with the number in the mirror: from any status except done."""
    return order if order.status == DONE else order.moved(DONE)._replace(mirrored=number)


def purchase_recorded(order: Order, worker: Worker, world: World) -> Order:
    """The order once the worker's answer to its purchase is recorded, in time or late."""
    if worker.answer == APPLIED:
        order = _with_outcome(order, worker.attempt, APPLIED)
        return order if worker.late and not world.late_success_counts else bought(order, worker.number)
    if worker.answer in {UNKNOWN, NAMES_ANOTHER}:
        return _unknown_recorded(order, worker)
    if worker.late or worker.answer == REFUSED:
        order = _with_outcome(order, worker.attempt, REFUSED if worker.answer == REFUSED else NOT_WORKED_ON)
    else:  # Nothing was worked on, and no doubt was ever there: the attempt has no bearing on anything.
        order = order._replace(purchases=order.purchases[:-1])
    if worker.answer == REFUSED and not worker.late:
        order = order._replace(checks=Checks())
    decision = Next.AGAIN if worker.answer == NOT_SENT else _after_refusal(order, worker, world)
    return carried_out(order, decision)


def _after_refusal(order: Order, worker: Worker, world: World) -> Next:
    doubtful = order.purchases if world.flight_is_doubt else [p for p in order.purchases if p.outcome != SENDING]
    return protocol.after_refusal(
        processed=worker.answer != TURNED_AWAY,
        offered={OFFERED: True, MISSING: False}.get(worker.seen),
        others=has_others(order),
        doubted=any(purchase.doubted for purchase in order.purchases),
        doubt_open=doubt_is_open(doubtful),
    )


def _unknown_recorded(order: Order, worker: Worker) -> Order:
    if not worker.late:
        order = _with_outcome(order, worker.attempt, UNKNOWN)._replace(checks=Checks())
    elif worker.answer == UNKNOWN:
        return order
    return carried_out(order, protocol.after_unknown(names_another=worker.answer == NAMES_ANOTHER))


def _with_outcome(order: Order, place: int, outcome: str) -> Order:
    before = order.purchases[place]
    purchase = Purchase(before.number, outcome, before.doubted or outcome == UNKNOWN)
    return order._replace(purchases=(*order.purchases[:place], purchase, *order.purchases[place + 1 :]))


def lapsed(order: Order, worker: Worker) -> Order:
    """The clock gives up on a silent worker: its attempt's outcome is unknown."""
    if worker.task == PROBE:
        return check_recorded(order, worker._replace(answer=NO_ANSWER))
    return _unknown_recorded(order, worker._replace(answer=UNKNOWN))


def check_recorded(order: Order, worker: Worker) -> Order:
    """The order once the worker's answer to its check is recorded. One that came late replaces the missing answer."""
    if not worker.late:
        order = order._replace(probing=False)
    if worker.answer == OURS:
        return bought(order, worker.number)
    no_check = worker.answer == NOT_SENT or (worker.late and worker.answer == NO_ANSWER)
    another_purchase_followed = worker.attempt != len(order.purchases) or worker.number != order.number
    if no_check or another_purchase_followed or order.status != UNKNOWN:
        return order
    checks = order.checks
    if worker.late and checks.silent:
        checks = checks._replace(silent=checks.silent - 1)
    order = order._replace(checks=_with_check(checks, worker))
    decision = after_checks(order)
    return order if decision in {Next.CHECK, Next.BUY} else carried_out(order, decision)


def _with_check(checks: Checks, worker: Worker) -> Checks:
    name = {
        NOT_OURS: "not_ours_offered" if worker.seen == OFFERED else "not_ours_missing",
        UNCLEAR: "unclear",
        NO_ANSWER: "silent",
    }[worker.answer]
    return checks._replace(**{name: getattr(checks, name) + 1, "settled": checks.settled or worker.settled})


def settled_by_a_person(order: Order, ours: list[str]) -> Order:
    """A person looks while the vendor is quiet, and says what is true."""
    return bought(order, ours[0]) if ours else order.moved(FAILED)
