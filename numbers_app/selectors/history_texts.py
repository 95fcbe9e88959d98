"""Reading very many entries in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet

from numbers_app.models import HistoryEntry

SPAN = 2_000

type Texts = list[tuple[str, str, str]]


def history_texts(entries: QuerySet[HistoryEntry], first: int, last: int) -> Iterator[Texts]:
    """(hashed text, previous hash, hash) of those of the entries that go from ``first`` to ``last``, oldest first.

    Read by spans of the sequence, which has no gaps: all spans together are one pass over the table, whatever the
    filter. A server-side cursor would keep a transaction open for as long as a reader takes to download, or have the
    server put everything aside before the first row.
    """
    rows = entries.order_by("sequence").values_list("canonical", "previous_hash", "hash")
    for start in range(first, last + 1, SPAN):
        found = list(rows.filter(sequence__gte=start, sequence__lt=min(start + SPAN, last + 1)))
        if found:
            yield found
