"""What may happen next: to the workers, at the vendor, and to everything else."""

from __future__ import annotations

from collections.abc import Iterator

from numbers_app import protocol
from numbers_app.protocol import Next

from .explorer import Step
from .model import (
    ANSWERED,
    APPLIED,
    APPROVED,
    BUY,
    BUY_AGAIN,
    FIND,
    FREE,
    HELD,
    IDLE,
    INTENDED,
    LOOK_AGAIN,
    LOOKED,
    MISSING,
    NAMES_ANOTHER,
    NO_ANSWER,
    NOBODY,
    NOT_OURS,
    NOT_SENT,
    NUMBERS,
    OFFERED,
    OTHERS,
    OURS,
    PERSON,
    POSTED,
    PROBE,
    REFUSED,
    RIVAL,
    SETTLED_FOR_GOOD,
    TURNED_AWAY,
    UNCLEAR,
    UNKNOWN,
    State,
    Vendor,
    Worker,
    World,
    in_flight,
)
from .order_rules import (
    check_recorded,
    chosen,
    intended,
    lapsed,
    next_choice,
    purchase_recorded,
    settled_by_a_person,
    task_due,
)

NAMES = ("worker 1", "worker 2")
Steps = Iterator[Step[State]]


def steps(state: State, world: World) -> Steps:
    """Every step that is possible in a state."""
    first, second = state.workers
    for who, worker in enumerate(state.workers):
        if who == 1 and first == second:
            break
        yield from _work(state, who, worker, world)
        if worker.stage == POSTED:
            yield from _vendor_answers(state, who, worker, world)
        if worker.stage in {INTENDED, POSTED, LOOK_AGAIN, ANSWERED} and not worker.late and state.mishaps_left:
            late = state._replace(order=lapsed(state.order, worker), mishaps_left=state.mishaps_left - 1)
            yield _step(late, who, "is silent until its lease is over", worker._replace(late=True), bound=False)
    yield from _vendor_goes_on(state, world)
    yield from _time_and_people(state)
    if state.other != NOBODY:
        yield from _other_order(state)


def _work(state: State, who: int, worker: Worker, world: World) -> Steps:
    """The next step of a worker. One whose lease is over may wake and take it, or has crashed and never will."""
    if worker.stage == IDLE:
        task = task_due(state.order)
        if task == FIND:
            yield _search(state, who, world)
        elif task:
            number = state.order.number
            seen = OFFERED if state.vendor.of(number) == FREE else MISSING
            yield _step(state, who, f"picks up to {task} {number}, looks: {seen}", Worker(LOOKED, task, number, seen))
    elif worker.stage == LOOKED:
        yield _intend_or_drop(state, who, worker, world)
    elif worker.stage == INTENDED:
        if not worker.late or not world.send_window:
            yield _step(state, who, f"sends: {worker.task} {worker.number}", worker._replace(stage=POSTED))
        yield _record(state, who, worker._replace(answer=NOT_SENT), world)
    elif worker.stage == LOOK_AGAIN:
        seen = OFFERED if state.vendor.of(worker.number) == FREE else MISSING
        answered = worker._replace(stage=ANSWERED, seen=seen)
        yield _step(state, who, f"looks at {worker.number} once more: {seen}", answered)
        if state.oddities_left:
            yield _step(_odd(state), who, "looks once more: no answer", answered._replace(seen=""))
    elif worker.stage == ANSWERED:
        yield _record(state, who, worker, world)


def _search(state: State, who: int, world: World) -> Step[State]:
    """The best number that the search brings and the other order does not want, or none, held in memory."""
    offered = [n for n in state.order.search if state.vendor.of(n) == FREE and n != state.other]
    number = offered[0] if offered else ""
    task = FIND if world.found_numbers_are_committed or not number else BUY
    return _step(state, who, f"searches: {number or 'nothing'}", Worker(LOOKED, task, number, OFFERED))


def _choose(state: State, who: int, worker: Worker) -> Step[State]:
    """After the search: write the choice down, in a transaction that looks at the order and all choices once more."""
    order, number = state.order, worker.number
    if task_due(order) != FIND:
        return _step(state, who, "finds that the order moved on", Worker())
    if number and number == state.other:
        return _step(state, who, f"finds that another order wants {number}", Worker())
    order = chosen(order, number)
    return _step(state._replace(order=order), who, f"chooses {number or 'nothing'}", Worker())


def _intend_or_drop(state: State, who: int, worker: Worker, world: World) -> Step[State]:
    """After the look: write the intent, or drop the choice, in a transaction that looks at the order once more."""
    if worker.task == FIND:
        return _choose(state, who, worker)
    may_buy = protocol.after_look(offered=worker.seen == OFFERED) == Next.BUY
    order = state.order
    if worker.task == BUY and not may_buy:
        if task_due(order) == BUY and order.number == worker.number:
            return _step(state._replace(order=next_choice(order)), who, f"drops {worker.number}", Worker())
        return _step(state, who, "finds that the order moved on", Worker())
    if worker.task == BUY_AGAIN and not may_buy:
        worker = worker._replace(task=PROBE)
    changed = intended(order, worker, world)
    if changed is None:
        return _step(state, who, "finds that the order moved on", Worker())
    ready = worker._replace(stage=INTENDED, attempt=len(order.purchases))
    ready = ready._replace(settled=order.checks.time_is_over) if worker.task == PROBE else ready._replace(seen="")
    return _step(state._replace(order=changed), who, f"intends to {worker.task} {worker.number}", ready)


def _record(state: State, who: int, worker: Worker, world: World) -> Step[State]:
    if worker.task == PROBE:
        order = check_recorded(state.order, worker)
    else:
        order = purchase_recorded(state.order, worker, world)
    return _step(state._replace(order=order), who, f"records {worker.answer}: the order is {order.status}", Worker())


def _odd(state: State) -> State:
    return state._replace(oddities_left=state.oddities_left - 1)


def _vendor_answers(state: State, who: int, worker: Worker, world: World) -> Steps:
    """The vendor works on a POST whose sender still listens, or the line breaks."""
    if worker.task == PROBE:
        yield from _vendor_answers_check(state, who, worker)
        return
    number = _sellable(state.vendor, worker.number, world)
    if number:
        vendor = state.vendor.turn(number, OURS)
        named = worker._replace(number=number)
        yield _vendor_step(state._replace(vendor=vendor), who, f"sells {number}", named, APPLIED)
        if state.oddities_left:
            odd = _odd(state)._replace(vendor=vendor)
            yield _vendor_step(odd, who, f"sells {number}, and names another in its answer", worker, NAMES_ANOTHER)
    yield _vendor_step(state, who, f"refuses {worker.number}", worker, REFUSED)
    yield _vendor_step(state, who, "turns the call away (429)", worker, TURNED_AWAY)
    vendor = state.vendor._replace(on_the_way=tuple(sorted((*state.vendor.on_the_way, worker.number))))
    yield _vendor_step(
        state._replace(vendor=vendor), who, "brings no answer (time-out or broken line)", worker, UNKNOWN
    )


def _vendor_answers_check(state: State, who: int, worker: Worker) -> Steps:
    # The vendor knows the account, not which of our orders bought the number.
    verdict = OURS if state.vendor.of(worker.number) in {OURS, OTHERS} else NOT_OURS
    yield _vendor_step(state, who, f"says that {worker.number} is {verdict}", worker, verdict)
    if state.oddities_left:
        odd = _odd(state)
        yield _vendor_step(odd, who, "brings no answer to the check", worker, NO_ANSWER)
        yield _vendor_step(odd, who, "refuses the check for another reason", worker, UNCLEAR)


def _sellable(vendor: Vendor, wanted: str, world: World) -> str:
    """The number that a purchase would take: the one it names, if free; any free one where the vendor picks."""
    choice = (wanted,) if world.numbers_are_named else NUMBERS
    return next((number for number in choice if vendor.of(number) == FREE), "")


def _vendor_goes_on(state: State, world: World) -> Steps:
    """The vendor works on purchases that nobody listens for any more: late commits, and losses."""
    vendor = state.vendor
    for place, sent in enumerate(vendor.on_the_way):
        left = vendor._replace(on_the_way=vendor.on_the_way[:place] + vendor.on_the_way[place + 1 :])
        number = _sellable(vendor, sent, world)
        if number:
            yield Step("vendor", f"sells {number} late", state._replace(vendor=left.turn(number, OURS)))
            yield Step("vendor", f"holds {number}", state._replace(vendor=left.turn(number, HELD)))
        yield Step("vendor", "loses a purchase", state._replace(vendor=left))
    for number in NUMBERS:
        if vendor.of(number) == HELD:
            yield Step("vendor", f"sells {number} after holding it", state._replace(vendor=vendor.turn(number, OURS)))
            yield Step("vendor", f"gives {number} back", state._replace(vendor=vendor.turn(number, FREE)))


def _time_and_people(state: State) -> Steps:
    order, vendor = state.order, state.vendor
    # Only the number wanted now, or what a search may bring, is looked at: a rival may as well wait until then.
    if RIVAL not in vendor.numbers and order.status not in SETTLED_FOR_GOOD:
        for number in order.number or order.search:
            if vendor.of(number) == FREE:
                taken = state._replace(vendor=vendor.turn(number, RIVAL))
                yield Step("rival", f"buys {number}", taken, bound=False)
    if order.status in {UNKNOWN, PERSON} and not in_flight(order) and vendor_is_quiet(state):
        if order.status == PERSON:
            order = settled_by_a_person(order, vendor.ours)
            yield Step("person", f"settles: the order is {order.status}", state._replace(order=order), bound=False)
        elif not order.checks.time_is_over:
            order = order._replace(checks=order.checks._replace(time_is_over=True))
            yield Step("clock", "ends the settling time", state._replace(order=order))


def _other_order(state: State) -> Steps:
    """Our other order chooses a number that this one does not want, and is sold it."""
    order, vendor = state.order, state.vendor
    if order.status in SETTLED_FOR_GOOD:
        return
    # What it wants matters to this order only while that may still choose: later it may as well have chosen before.
    if not state.other and order.status == APPROVED:
        for number in NUMBERS:
            if vendor.of(number) == FREE and number not in order.wanted:
                yield Step("other order", f"chooses {number}", state._replace(other=number), bound=False)
    elif state.other and vendor.of(state.other) == FREE:
        sold = state._replace(vendor=vendor.turn(state.other, OTHERS))
        yield Step("other order", f"buys {state.other}", sold, bound=False)


def vendor_is_quiet(state: State) -> bool:
    """Whether no purchase is on its way or being worked on."""
    listening = any(worker.stage == POSTED and worker.task != PROBE for worker in state.workers)
    return not listening and not state.vendor.on_the_way and HELD not in state.vendor.numbers


def _step(state: State, who: int, deed: str, worker: Worker, *, bound: bool = True) -> Step[State]:
    late = state.workers[who].late
    actor = f"{NAMES[who]}, late" if late else NAMES[who]
    return Step(actor, deed, state.with_worker(who, worker), bound and not late)


def _vendor_step(state: State, who: int, deed: str, worker: Worker, answer: str) -> Step[State]:
    stage = LOOK_AGAIN if answer == REFUSED else ANSWERED
    answered = state.with_worker(who, worker._replace(stage=stage, answer=answer))
    return Step("vendor", f"{deed} (to {NAMES[who]})", answered)
