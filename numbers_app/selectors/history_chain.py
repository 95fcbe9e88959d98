"""What an entry of the history belongs to: an order from request to answer, a batch from submission to its end."""

from __future__ import annotations

from dataclasses import dataclass

from numbers_app.models import Batch, BatchKind, BatchRow, HistoryEntry, Order, User, Verb
from numbers_app.services.batch_release import batch_request_id

from .batches import BATCH_VERBS, batch_list, batch_timeline, sees_every_row
from .history import history_list, sending_history


@dataclass(frozen=True)
class Chain:
    """``entries``, oldest first: those of the order, of the orders that it follows from, and of the batch as a whole.

    ``batch`` is None where there is none that the reader may see.
    """

    order: Order | None
    batch: Batch | None
    entries: list[HistoryEntry]


def history_entry(user: User, sequence: int) -> HistoryEntry | None:
    """The entry, if the user may read it. Everybody reads who paused what is sent, and who may see a batch what was
    written about it as a whole.

    If its rows lie in accounts that they may not see too, what others wrote may be about those.
    """
    found = (history_list(user) | sending_history()).filter(sequence=sequence).first()
    if found:
        return found
    entry = HistoryEntry.objects.filter(sequence=sequence, verb__in=BATCH_VERBS).first()
    batch = _batch(user, entry.changes["batch"][1]) if entry else None
    if entry is None or batch is None:
        return None
    is_theirs = entry.actor_id in (user.pk, batch.author_id)
    return entry if is_theirs or sees_every_row(user, batch) else None


def history_chain(user: User, entry: HistoryEntry) -> Chain:
    """Everything that an entry which the user may read belongs to."""
    orders = _with_parents(entry.order_id)
    about = list(HistoryEntry.objects.filter(order_id__in=[order.pk for order in orders]).order_by("sequence"))
    batch = _batch(user, _batch_named(about or [entry]))
    if batch:
        together = {found.sequence: found for found in (entry, *about, *batch_timeline(user, batch))}
        about = [together[sequence] for sequence in sorted(together)]
    return Chain(orders[0] if orders else None, batch, about)


def _with_parents(order_id: int | None) -> list[Order]:
    """The order and those that it follows from, one after the other."""
    orders = []
    while order_id and (order := Order.objects.filter(pk=order_id).first()):
        orders.append(order)
        order_id = order.parent_id
    return orders


def _batch_named(entries: list[HistoryEntry]) -> int | None:
    """The batch that entries about one matter name, or that an import was a row of."""
    for entry in entries:
        if "batch" in entry.changes:
            return int(entry.changes["batch"][1])
        if entry.verb == Verb.NUMBER_IMPORTED:
            rows = BatchRow.objects.filter(batch__kind=BatchKind.IMPORT, campaign__phone_number=entry.number)
            keys = rows.values_list("batch", flat=True)
            return next((key for key in keys if batch_request_id(key) == entry.request_id), None)
    return None


def _batch(user: User, batch_id: int | None) -> Batch | None:
    return batch_list(user).filter(pk=batch_id).first() if batch_id else None
