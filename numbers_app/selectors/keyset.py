"""Pages of lists that grow for ever: found by where the last one ended, so that no page costs more than the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

PER_PAGE = 50


@dataclass(frozen=True)
class KeysetPage[Row]:
    """Rows, newest first, and the keys from which newer and older ones go on; None where there are none."""

    rows: list[Row]
    newer: int | None
    older: int | None


def keyset_page(
    *parts: QuerySet[Any], before: int | None = None, after: int | None = None, per_page: int = PER_PAGE
) -> KeysetPage[Any]:
    """The newest rows, those older than the row with the key ``before``, or those newer than ``after``.

    Rows have a time ``at`` and go by it, then by their key: the order in which the indexes hold them. Nothing is
    counted. A key that there is no row for leads to the newest. Of several parts, which have no row in common, the
    page is that of all together.
    """
    if before is not None and (time := _time_of(parts[0], before)):
        # Said this way, and not as "earlier or", so that an index finds where to start.
        older_ones = [part.filter(at__lte=time).exclude(at=time, pk__gte=before) for part in parts]
        rows = _first(older_ones, "-at", "-pk", count=per_page + 1)
        return KeysetPage(rows[:per_page], rows[0].pk if rows else None, _last_of(rows, per_page))
    if after is not None and (time := _time_of(parts[0], after)):
        newer_ones = [part.filter(at__gte=time).exclude(at=time, pk__lte=after) for part in parts]
        rows = _first(newer_ones, "at", "pk", count=per_page + 1)
        if len(rows) > per_page:
            page = rows[per_page - 1 :: -1]
            return KeysetPage(page, page[0].pk, page[-1].pk)
    rows = _first(parts, "-at", "-pk", count=per_page + 1)
    return KeysetPage(rows[:per_page], None, _last_of(rows, per_page))


def _first(parts: Sequence[QuerySet[Any]], *order: str, count: int) -> list[Any]:
    """The first rows of the parts together, each read from the end of its own index."""
    if len(parts) == 1:
        return list(parts[0].order_by(*order)[:count])
    # SQLite merges ordered parts by itself and may not be told where each ends; PostgreSQL must be.
    each_ends = connection.features.supports_slicing_ordering_in_compound
    first, *others = (part.order_by(*order)[:count] if each_ends else part.order_by() for part in parts)
    return list(first.union(*others, all=True).order_by(*order)[:count])


def _time_of(found: QuerySet[Any], key: int) -> Any:
    return found.model.objects.filter(pk=key).values_list("at", flat=True).first()


def _last_of(rows: list[Any], per_page: int) -> int | None:
    return rows[per_page - 1].pk if len(rows) > per_page else None
