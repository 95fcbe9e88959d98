"""The history as a file: what a person's filter shows, streamed. The export itself is in the history first."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.csv_cells import BYTE_ORDER_MARK, cell_out
from numbers_app.models import HistoryEntry, Verb
from numbers_app.selectors.history_texts import Texts, history_texts

from .history import history_append

logger = structlog.get_logger(__name__)

# Every field of the hashed text, in the order in which people read them; then the two hashes.
FIELDS = (
    "sequence",
    "at",
    "actor_name",
    "role",
    "verb",
    "number",
    "account_key",
    "order_id",
    "changes",
    "destination",
    "stop_date",
    "ended_at",
    "reason",
    "approved_by",
    "vendor_status",
    "vendor_message",
    "source",
    "actor_id",
    "request_id",
)
HEADER = (*FIELDS, "previous_hash", "hash")
_in_order = itemgetter(*FIELDS)
_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


class ExportFormat(StrEnum):
    CSV = "csv"
    JSON_LINES = "jsonl"

    @property
    def label(self) -> str:
        return {"csv": "CSV", "jsonl": "JSON lines"}[self.value]

    @property
    def content_type(self) -> str:
        return {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}[self.value]


class ExportBroken(Exception):
    """The file cannot be completed; its download must break off, so that nobody takes it for whole."""


@dataclass(frozen=True)
class HistoryExport:
    """How many entries the file has, its name, and its bytes, which are read from the database as they are taken."""

    count: int
    filename: str
    stream: Iterator[bytes]


def history_export(
    *, actor: Actor, entries: QuerySet[HistoryEntry], filters: str, file_format: ExportFormat
) -> HistoryExport:
    """Export those of the entries that are there now, oldest first, as they follow each other in the chain.

    ``filters`` says in words which ones. The export is in the history, committed, when this returns.
    """
    with transaction.atomic(durable=True):
        up_to = HistoryEntry.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
        count = entries.filter(sequence__lte=up_to).count()
        history_append(
            actor=actor,
            verb=Verb.HISTORY_EXPORTED,
            changes={
                "format": [None, file_format.label],
                "filters": [None, filters or "none"],
                "entries": [None, count],
            },
        )
    filename = f"history-{timezone.localdate()}-{count}-entries.{file_format}"
    batches = history_texts(entries, 1, up_to)
    parts = _csv(batches) if file_format == ExportFormat.CSV else _json_lines(batches)
    return HistoryExport(count, filename, _to_the_end(parts, count))


def _csv(batches: Iterator[Texts]) -> Iterator[tuple[int, str]]:
    """(rows, text) of each part of the file."""
    yield 0, BYTE_ORDER_MARK + ",".join(HEADER) + "\r\n"
    for batch in batches:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(_csv_row(*entry) for entry in batch)
        yield len(batch), text.getvalue()


def _csv_row(canonical: str, previous_hash: str, entry_hash: str) -> list[object]:
    fields = json.loads(canonical)
    fields["changes"] = _compact(fields["changes"])
    safe = [cell_out(cell) if type(cell) is str else cell for cell in _in_order(fields)]
    return [*safe, previous_hash, entry_hash]


def _json_lines(batches: Iterator[Texts]) -> Iterator[tuple[int, str]]:
    """(rows, text) of each part of the file: the hashed texts as they are, with the hashes spliced in."""
    for batch in batches:
        lines = [
            f'{canonical[:-1]},"previous_hash":"{previous_hash}","hash":"{entry_hash}"}}\n'
            for canonical, previous_hash, entry_hash in batch
        ]
        yield len(batch), "".join(lines)


def _to_the_end(parts: Iterator[tuple[int, str]], count: int) -> Iterator[bytes]:
    """The parts as bytes. Raises ExportBroken when they are not all that was to be exported.

    That is so when an account moves out of the person's reach meanwhile. The web server then breaks the connection off,
    as it does after any other exception here: the browser sees a download that failed.
    """
    rows = 0
    try:
        for more, text in parts:
            yield text.encode("utf-8", "backslashreplace")
            rows += more
        if rows != count:
            raise ExportBroken(f"{rows} of {count} entries could be read.")
    except (Exception, GeneratorExit) as error:
        logger.warning("history_export_cut", rows=rows, count=count, error=type(error).__name__)
        raise
