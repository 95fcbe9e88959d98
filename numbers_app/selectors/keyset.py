"""Pages of lists that grow for ever: found by where the last one ended, so that no page costs more than the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

PER_PAGE = 50


@dataclass(frozen=True)
class KeysetPage[Row]:
    """Rows, newest first, and the keys from which newer and older ones go on; None where there are none."""

    rows: list[Row]
    newer: int | None
    older: int | None


def keyset_page(
    found: QuerySet[Any], *, before: int | None = None, after: int | None = None, per_page: int = PER_PAGE
) -> KeysetPage[Any]:
    """The newest rows, those older than the row with the key ``before``, or those newer than ``after``.

    Rows have a time ``at`` and go by it, then by their key: the order in which the indexes hold them. Nothing is
    counted. A key that there is no row for leads to the newest.
    """
    if before is not None and (time := _time_of(found, before)):
        # Said this way, and not as "earlier or", so that an index finds where to start.
        older_ones = found.filter(at__lte=time).exclude(at=time, pk__gte=before)
        rows = list(older_ones.order_by("-at", "-pk")[: per_page + 1])
        return KeysetPage(rows[:per_page], rows[0].pk if rows else None, _last_of(rows, per_page))
    if after is not None and (time := _time_of(found, after)):
        newer_ones = found.filter(at__gte=time).exclude(at=time, pk__lte=after)
        rows = list(newer_ones.order_by("at", "pk")[: per_page + 1])
        if len(rows) > per_page:
            page = rows[per_page - 1 :: -1]
            return KeysetPage(page, page[0].pk, page[-1].pk)
    rows = list(found.order_by("-at", "-pk")[: per_page + 1])
    return KeysetPage(rows[:per_page], None, _last_of(rows, per_page))


def _time_of(found: QuerySet[Any], key: int) -> Any:
    return found.model.objects.filter(pk=key).values_list("at", flat=True).first()


def _last_of(rows: list[Any], per_page: int) -> int | None:
    return rows[per_page - 1].pk if len(rows) > per_page else None
