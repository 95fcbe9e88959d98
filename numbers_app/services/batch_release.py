"""Turning the approved rows of batches into orders, a bounded number at a time, and ending batches.

Whoever changes the rows of a batch holds the lock of the batch's own row, so two workers at one batch take turns, and
what is paused or cancelled stays so. A row becomes an order in one transaction with the history of both: a worker that
dies has ordered it or has not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache

import structlog
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.criteria import criteria_from_json, criteria_in_words
from numbers_app.errors import InvalidInput
from numbers_app.models import (
    ORDER_KINDS,
    Account,
    Batch,
    BatchKind,
    BatchRow,
    BatchStatus,
    Campaign,
    Choice,
    NotificationKind,
    Order,
    OrderStatus,
    RowState,
    Verb,
)
from numbers_app.text import phone_text

from .batch_outcomes import Outcome, is_batch_over, orders_under_way, outcome_counts, outcomes_in_words
from .history import Changes, history_append
from .mirror import campaign_import
from .notifications import batch_author, batch_tell

logger = structlog.get_logger(__name__)

# So few orders of a batch are open at once: people's orders and other batches get their turn in between.
MOST_OPEN = 200
# So many are made in one transaction, while everybody else who writes history waits.
ORDERS_AT_ONCE = 10
# Imports ask nobody, so they are made many in one transaction; the worker looks at other tasks after a few of these.
IMPORTS_AT_ONCE = 50
IMPORTS_A_TURN = 4
UNFORESEEN = "The portal failed to make this, and its log says why. Tell an administrator, then try again."

type Ring = Callable[[int], object]
# The process that acts, under the name of a person: by id and name.
type People = Callable[[int | None, str], Actor]


def batch_lock(batch_id: int) -> Batch:
    """The batch, its row locked until the transaction ends; who holds it may change the batch's rows."""
    return Batch.objects.select_for_update(of=("self",)).get(pk=batch_id)


def batch_release(*, actor: Actor, batch_id: int, ring: Ring) -> bool:
    """Order what is approved, as far as there is room, and ``ring`` for each order in the transaction that makes it.

    Imports are carried out at once, since nobody is asked. Returns whether there is more to do right now. Harmless to
    repeat and to run twice at once.
    """
    # Who rings from now on is heard: what is approved meanwhile may come too late for this turn.
    Batch.objects.filter(pk=batch_id).update(rung_at=None)
    batch = Batch.objects.get(pk=batch_id)
    # The history finds everything that is done for a batch by this.
    person = cache(replace(actor, request_id=batch_request_id(batch_id)).on_behalf)
    if batch.kind == BatchKind.IMPORT:
        return all(_import_next(batch_id, person) for _ in range(IMPORTS_A_TURN))
    while _has_room(batch) and _order_next(batch_id, person, ring):
        pass
    return False


def batch_has_more(batch: Batch) -> bool:
    """Whether there is something to release now, and room for it."""
    return _may_release(batch) and _approved(batch).exists() and _has_room(batch)


def batch_finish(*, actor: Actor, batch_id: int) -> bool:
    """End a batch of which nothing waits or is open any more, and tell its author. Returns whether it ended now."""
    with transaction.atomic():
        batch = batch_lock(batch_id)
        if batch.status not in (BatchStatus.RUNNING, BatchStatus.PAUSED) or not is_batch_over(batch):
            return False
        counts = outcome_counts(batch.rows.all())
        result = f"{outcomes_in_words(counts)}.".capitalize()
        history_append(
            actor=actor,
            verb=Verb.BATCH_DONE,
            account_key=batch_account_key(batch),
            changes={"batch": [None, batch.pk], "rows": [None, counts.get(Outcome.DONE, 0)]},
            reason=result,
        )
        now = timezone.now()
        Batch.objects.filter(pk=batch.pk).update(status=BatchStatus.DONE, result=result, finished_at=now)
        people = batch_author(batch)
        batch_tell(actor=actor, batch=batch, kind=NotificationKind.BATCH_DONE, people=people, detail=result)
    return True


def batch_account_key(batch: Batch) -> str:
    """The account that the history names for a batch: the one of all its rows, or none when they lie in several."""
    keys = batch.rows.order_by().exclude(account=None).values_list("account__key", flat=True).distinct()[:2]
    return keys[0] if len(keys) == 1 else ""


def batch_request_id(batch_id: int) -> str:
    """What joins everything that is done for a batch in the history, as a request's id joins page and worker."""
    return f"batch-{batch_id}"


def _import_next(batch_id: int, person: People) -> bool:
    """Import some of the approved rows. Whether there were any that may be."""
    with transaction.atomic(durable=True):
        batch = batch_lock(batch_id)
        rows = list(_approved(batch)[:IMPORTS_AT_ONCE]) if _may_release(batch) else []
        author = person(batch.author_id, batch.author_name)
        _each_alone(rows, lambda row: _import(author, batch, row))
    return bool(rows)


def _order_next(batch_id: int, person: People, ring: Ring) -> bool:
    """Order the first approved rows. Whether there were any that may be."""
    with transaction.atomic(durable=True):
        batch = batch_lock(batch_id)
        rows = list(_approved(batch)[:ORDERS_AT_ONCE]) if _may_release(batch) else []
        carried_out = _lock_what_they_name(rows)

        def order(row: BatchRow) -> None:
            if row.order_id in carried_out:
                _end(row, RowState.ORDERED)
            else:
                ring(_order(batch, row, person).pk)

        _each_alone(rows, order)
    return bool(rows)


def _lock_what_they_name(rows: list[BatchRow]) -> set[int]:
    """Lock the orders that are tried again, and the numbers, in this order and before the history.

    The database looks at both when the new orders are committed, and would wait there for whoever has locked them and
    waits for the history. Returns the orders that were carried out after all: Callcap's answer came late.
    """
    locked = Order.objects.select_for_update().order_by("pk")
    tried = list(locked.filter(pk__in=[row.order_id for row in rows if row.order_id]).values_list("pk", "status"))
    numbers = Campaign.objects.select_for_update().order_by("pk").values_list("pk")
    list(numbers.filter(pk__in=[row.campaign_id for row in rows if row.campaign_id]))
    return {pk for pk, status in tried if status == OrderStatus.DONE}


def _each_alone(rows: list[BatchRow], make: Callable[[BatchRow], None]) -> None:
    """Make what each row asks for. A row that cannot be made fails alone, with a sentence, and the batch goes on.

    That holds for errors that nobody foresaw as well, unless they are no row's own: trouble of the database, and what
    several rows fail of without exception. Those are raised, and every row stays approved.
    """
    unforeseen = []
    for row in rows:
        try:
            with transaction.atomic():
                make(row)
        except InvalidInput as error:
            _end(row, RowState.FAILED, problem=error.message)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            logger.exception("batch_row_failed", batch=row.batch_id, line=row.line)
            _end(row, RowState.FAILED, problem=UNFORESEEN)
            unforeseen.append(error)
    if len(unforeseen) == len(rows) > 1:
        raise unforeseen[0]


def _has_room(batch: Batch) -> bool:
    """Whether so many orders more may be open. Counted without a lock: two workers at once may exceed it by a few."""
    return orders_under_way(batch).count() + ORDERS_AT_ONCE <= MOST_OPEN


def _may_release(batch: Batch) -> bool:
    return batch.status == BatchStatus.RUNNING and not (batch.execute_after and batch.execute_after > timezone.now())


def _approved(batch: Batch) -> QuerySet[BatchRow]:
    return batch.rows.filter(state=RowState.APPROVED).select_related("account", "campaign").order_by("line")


def _import(author: Actor, batch: Batch, row: BatchRow) -> None:
    """Raises InvalidInput when what was fine as it was asked for is not any more, as orders are checked again too."""
    account, wished = _account(row), row.parameters.get("stop_date")
    if not account.active:
        raise InvalidInput(f"{account} is no longer in Callcap's account tree.")
    if wished and date.fromisoformat(wished) < account.today():
        raise InvalidInput(f"The stop date {wished} had passed before the number was imported.")
    campaign = campaign_import(
        actor=author,
        account=account,
        number=row.number,
        values=row.parameters,
        reason=batch.reason,
        approved_by=row.decider_name,
    )
    _end(row, RowState.DONE, campaign=campaign)


def _order(batch: Batch, row: BatchRow, person: People) -> Order:
    """The order of a row. Raises InvalidInput when its number is taken and there is no search to bring another."""
    taken = _taken(row)
    if taken and not row.criteria:
        raise InvalidInput(taken)
    now = timezone.now()
    number = row.campaign.phone_number if row.campaign else row.number
    wants_one = bool(number) and not row.criteria
    order = Order.objects.create(
        kind=ORDER_KINDS[BatchKind(batch.kind)],
        status=OrderStatus.APPROVED,
        account=_account(row),
        campaign=row.campaign,
        # What failed before, when it is tried again.
        parent=row.order,
        phone_number=number if wants_one else "",
        parameters=row.parameters,
        criteria=row.criteria,
        before=row.before,
        reason=batch.reason,
        submitted_at=batch.submitted_at or now,
        requester_id=batch.author_id,
        requester_name=batch.author_name,
        author_id=batch.author_id,
        author_name=batch.author_name,
        decider_id=row.decider_id,
        decider_name=row.decider_name,
        decided_at=row.decided_at,
        decision_reason=row.decision_reason,
        self_approved=row.self_approved,
        execute_after=now,
        rung_at=now,
        request_id=batch_request_id(batch.pk),
    )
    _write_history(batch, row, order, person)
    # Behind the history's lock, as whoever asks for a number writes it: two of them would else wait for each other.
    if number and row.campaign is None:
        _choose(order, number, taken)
    _end(row, RowState.ORDERED, order=order)
    return order


def _choose(order: Order, number: str, taken: str) -> None:
    try:
        Choice.objects.create(order=order, number=number, rank=1, live=not taken, dropped_because=taken)
    except IntegrityError as error:
        raise InvalidInput(f"{phone_text(number)} has just been asked for by somebody else.") from error


def _write_history(batch: Batch, row: BatchRow, order: Order, person: People) -> None:
    asked: Changes = {"batch": [None, batch.pk]}
    if row.campaign is None:
        asked |= {"number": [None, [row.number]]} if row.number else {}
        asked |= {"criteria": [None, criteria_in_words(criteria_from_json(row.criteria))]} if row.criteria else {}
    asked |= {name: [row.before.get(name), value] for name, value in row.parameters.items()}
    history_append(
        actor=person(batch.author_id, batch.author_name),
        verb=Verb.ORDER_REQUESTED,
        number=order.phone_number,
        account_key=order.account.key,
        order_id=order.pk,
        changes=asked,
        reason=order.reason,
    )
    history_append(
        actor=person(row.decider_id, row.decider_name),
        verb=Verb.ORDER_APPROVED,
        number=order.phone_number,
        account_key=order.account.key,
        order_id=order.pk,
        changes={"status": [OrderStatus.PENDING.value, OrderStatus.APPROVED.value]},
        reason=order.decision_reason,
    )


def _taken(row: BatchRow) -> str:
    """Why the number of a purchase cannot be asked for, in a sentence; empty when it can."""
    if row.campaign or not row.number:
        return ""
    if Campaign.objects.filter(phone_number=row.number, ended_at=None).exists():
        return f"{phone_text(row.number)} is already one of our numbers."
    wanted = Choice.objects.filter(number=row.number, live=True).first()
    return f"{phone_text(row.number)} is already asked for in order {wanted.order_id}." if wanted else ""


def _end(row: BatchRow, state: RowState, **fields: object) -> None:
    BatchRow.objects.filter(pk=row.pk).update(state=state, **{"problem": "", **fields})


def _account(row: BatchRow) -> Account:
    """Where the row's number lies or will lie; every row that was submitted says so."""
    if row.account is None:
        raise LookupError(f"{row} names no account.")
    return row.account
