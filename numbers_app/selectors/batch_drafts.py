"""Reading the drafts of batches, which are their authors' alone, and the numbers to make one of."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from numbers_app.batch_csv import COLUMNS, OF_THE_EXPORT
from numbers_app.models import Batch, BatchRow, Campaign, RowState, User

from .accounts import accounts_granted

DRAFT_STATES = (RowState.READY, RowState.UNCHANGED, RowState.REFUSED)


def batch_own(user: User, batch_id: int) -> Batch | None:
    """The batch, if this person made it."""
    return Batch.objects.filter(pk=batch_id, author_id=user.pk).first()


def draft_rows(user: User, batch: Batch) -> QuerySet[BatchRow]:
    """The rows of a person's batch, less those of accounts that were taken from them since."""
    rows = BatchRow.objects.filter(batch=batch).select_related("account", "campaign")
    return rows.filter(Q(account=None) | Q(account__in=accounts_granted(user)))


def draft_counts(rows: QuerySet[BatchRow]) -> dict[str, int]:
    """How many rows stand how, all states of a draft included."""
    found = dict(rows.order_by().values_list("state").annotate(count=Count("pk")))
    return {state: found.get(state, 0) for state in DRAFT_STATES}


def given_columns(batch: Batch, rows: QuerySet[BatchRow]) -> list[str]:
    """The columns that the file of these rows had, in the order of the documentation."""
    given = rows.values_list("given", flat=True).first() or {}
    documented = [column.name for column in COLUMNS.get(batch.kind, COLUMNS["change"])]
    ignored = sorted(OF_THE_EXPORT.difference(documented))
    return [name for name in (*documented, *ignored) if name in given]


def campaigns_chosen(campaigns: QuerySet[Campaign], numbers: Collection[str]) -> QuerySet[Campaign]:
    """The campaigns of the numbers: of each the one that has not stopped, or else all that have."""
    living = Campaign.objects.filter(phone_number=OuterRef("phone_number"), ended_at=None)
    return campaigns.filter(Q(ended_at=None) | ~Exists(living), phone_number__in=numbers)
