"""What became of the rows of a batch: of an ordered row, what became of its order."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, CharField, Count, F, Q, QuerySet, TextChoices, Value, When

from numbers_app.models import Batch, BatchRow, Order, OrderStatus, RowState


class Outcome(TextChoices):
    """How a row stands, in one word. The first four are still open."""

    WAITING = "waiting", "Waiting for approval"
    APPROVED = "approved", "Approved, not sent yet"
    SENDING = "sending", "Being sent"
    UNKNOWN = "unknown", "Outcome unknown"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Cancelled"
    UNCHANGED = "unchanged", "Nothing to change"
    REFUSED = "refused", "Cannot be done"


OPEN_OUTCOMES = (Outcome.WAITING, Outcome.APPROVED, Outcome.SENDING, Outcome.UNKNOWN)
# Never asked for, so neither done nor missing.
LEFT_OUT = (Outcome.UNCHANGED, Outcome.REFUSED)
# What the worker goes on with by itself. An unknown order that waits for a person keeps no other row waiting.
UNDER_WAY = Q(status__in=(OrderStatus.APPROVED, OrderStatus.SENDING)) | Q(
    status=OrderStatus.UNKNOWN, execute_after__isnull=False
)


def rows_with_outcome(rows: QuerySet[BatchRow]) -> QuerySet[Any]:
    """The rows with their ``outcome``, a value of Outcome."""
    return rows.annotate(
        outcome=Case(
            When(state=RowState.ORDERED, then=F("order__status")),
            When(state=RowState.READY, then=Value(Outcome.WAITING.value)),
            default=F("state"),
            output_field=CharField(),
        )
    )


def outcome_counts(rows: QuerySet[BatchRow]) -> dict[Outcome, int]:
    """How many of the rows there are of each outcome, in the order of Outcome; those without any are left out."""
    counted = rows_with_outcome(rows).order_by().values_list("outcome").annotate(Count("pk"))
    counts = dict(counted)
    return {outcome: counts[outcome.value] for outcome in Outcome if outcome.value in counts}


def outcomes_in_words(counts: dict[Outcome, int]) -> str:
    """As in "1,180 done, 20 failed"; what was left out is not mentioned."""
    named = [f"{count:,} {outcome.label.lower()}" for outcome, count in counts.items() if outcome not in LEFT_OUT]
    return ", ".join(named)


def orders_under_way(batch: Batch) -> QuerySet[Order]:
    """The batch's orders that still go on by themselves."""
    return Order.objects.filter(UNDER_WAY, batch_row__batch=batch)


def is_batch_over(batch: Batch) -> bool:
    """Whether nothing of the batch waits, is to be sent, or is of an outcome that is not known yet."""
    return not rows_with_outcome(batch.rows.all()).filter(outcome__in=OPEN_OUTCOMES).exists()
