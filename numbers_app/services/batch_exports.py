"""A batch's result file. That somebody took it is in the history, as of every list of numbers that leaves here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import transaction

from numbers_app.actors import Actor
from numbers_app.batch_csv import RESULT_COLUMNS, write_file
from numbers_app.models import Batch, BatchRow, RowState, Verb
from numbers_app.selectors.batch_drafts import given_columns
from numbers_app.selectors.batches import batch_rows, rows_with_words

from .batch_outcomes import Outcome
from .history import Changes, history_append


def batch_results_export(*, actor: Actor, batch: Batch) -> Iterator[bytes]:
    """Every row that the person may see, as it was given and with what became of it, as CSV."""
    rows = batch_rows(actor.person_or_refuse, batch)
    told: Changes = {"batch": [None, batch.pk], "format": [None, "CSV"], "numbers": [None, rows.count()]}
    with transaction.atomic():
        history_append(actor=actor, verb=Verb.INVENTORY_EXPORTED, changes=told)
    columns = given_columns(batch, rows) or ["phone_number"]
    lines = (_result(row) for row in rows_with_words(rows).iterator(chunk_size=500))
    return write_file([*columns, *RESULT_COLUMNS], lines)


def _result(row: Any) -> dict[str, object]:
    given = row.given or {"phone_number": row.number}
    return given | {
        "file_line": row.line,
        "outcome": Outcome(row.outcome).label,
        "order": row.order_id or "",
        "result": _what_became(row),
        "callcap": row.words or "",
    }


def _what_became(row: BatchRow) -> str:
    if row.problem or row.order is None:
        return row.problem or row.decision_reason
    return row.order.result if row.state == RowState.ORDERED else ""
