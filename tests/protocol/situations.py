"""What a step is remarkable for: the search has to meet all of it, or the model would prove nothing."""

from __future__ import annotations

from enum import StrEnum

from .explorer import Step
from .model import APPROVED, DONE, DOUBTFUL, FAILED, FIND, FREE, LOOKED, PERSON, SENDING, UNKNOWN, Order, State


class Situation(StrEnum):
    """Turns that a purchase can take."""

    BOUGHT_AT_ONCE = "the first purchase succeeds"
    MOVED_ON_AFTER_A_LOOK = "the next choice follows, since the first is not offered"
    MOVED_ON_AFTER_A_REFUSAL = "the next choice follows, since the first was refused and is not offered"
    RACE_LOST = "a worker finds that the order moved on since it looked"
    STALE_EVIDENCE = "a purchase is intended of a number that was sold since the look"
    LATE_COMMIT_PROVED = "a check proves a purchase that an earlier check had missed"
    SENT_AGAIN = "the same number is sent again, since the checks agree"
    BOUGHT_AGAIN = "the second purchase of a number in doubt succeeds"
    REFUSED_IN_DOUBT = "the second purchase is refused while the first is in doubt"
    PERSON_ASKED = "a person is asked"
    PERSON_FOUND_IT_OURS = "a person finds the number ours"
    PERSON_FOUND_NOTHING = "a person finds that nothing was bought"
    LATE_SUCCESS = "a success is recorded after the lease"
    LATE_REFUSAL = "a refusal recorded after the lease ends the order"
    FOUND = "the search brings a number, which becomes the order's choice"
    FOUND_INSTEAD = "after a number that was gone the search brings another"
    FOUND_NOTHING = "the search brings nothing, and the order fails"
    FOUND_TOO_LATE = "a worker's search comes too late: the order has its choice"
    FOUND_BY_TWO = "another order took what the search brought"
    FOUND_PROVED = "a check proves the purchase of a number that was found, while another is offered"
    LATE_NOT_SENT = "a worker that slept past the window sends nothing, and the order is approved again"


def situation(before: State, step: Step[State]) -> Situation | None:
    """The name for a step, if it has one."""
    order, then = before.order, step.after.order
    if then is order:
        return _no_change(before, step)
    if then.status != order.status:
        return _change(order, then, step)
    if len(then.purchases) > len(order.purchases):
        return Situation.SENT_AGAIN
    if order.status == UNKNOWN and order.purchases[-1].outcome == SENDING and "refused" in step.deed:
        return Situation.REFUSED_IN_DOUBT
    if order.wanted == "" and then.wanted:
        return Situation.FOUND if order.search == "AB" else Situation.FOUND_INSTEAD
    return Situation.MOVED_ON_AFTER_A_LOOK if step.deed.startswith("drops") else None


def _no_change(before: State, step: Step[State]) -> Situation | None:
    """The name for a step that leaves the order as it is."""
    if "another order wants" in step.deed:
        return Situation.FOUND_BY_TWO
    if "moved on" not in step.deed:
        return None
    searched = any(worker.stage == LOOKED and worker.task == FIND for worker in before.workers)
    return Situation.FOUND_TOO_LATE if searched and before.order.wanted else Situation.RACE_LOST


def _change(order: Order, then: Order, step: Step[State]) -> Situation | None:
    """The name for a change of the order's status."""
    if step.actor == "person":
        return Situation.PERSON_FOUND_IT_OURS if then.status == DONE else Situation.PERSON_FOUND_NOTHING
    if step.actor.endswith("late"):
        late = {DONE: Situation.LATE_SUCCESS, FAILED: Situation.LATE_REFUSAL, APPROVED: Situation.LATE_NOT_SENT}
        return late.get(then.status)
    if then.status == SENDING:
        return None if step.after.vendor.of(then.number) == FREE else Situation.STALE_EVIDENCE
    if then.status in {PERSON, DONE}:
        return Situation.PERSON_ASKED if then.status == PERSON else _success(order)
    if len(then.wanted) < len(order.wanted):
        return Situation.MOVED_ON_AFTER_A_REFUSAL
    return Situation.FOUND_NOTHING if step.deed == "chooses nothing" else None


def _success(order: Order) -> Situation | None:
    """The name for a success that came in time."""
    if order.probing and order.search:
        return Situation.FOUND_PROVED
    if order.status == SENDING:
        return Situation.BOUGHT_AT_ONCE
    if not order.probing:
        return Situation.BOUGHT_AGAIN if order.status in DOUBTFUL else None
    missed = order.checks.not_ours_offered + order.checks.not_ours_missing
    return Situation.LATE_COMMIT_PROVED if missed else None
