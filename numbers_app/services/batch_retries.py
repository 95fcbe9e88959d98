"""Which failed rows of a batch may be tried again: still what was approved, approved by who still may, and never a
purchase that might have been carried out."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from numbers_app.models import (
    Account,
    Attempt,
    AttemptKind,
    Batch,
    BatchKind,
    BatchRow,
    OrderStatus,
    RowState,
    User,
)
from numbers_app.permissions import Capability, can
from numbers_app.selectors.accounts import accounts_granted
from numbers_app.text import field_label

from .validity import plain_value

type Standing = tuple[RowState, str, dict[str, Any]]


def rows_failed(batch: Batch, granted: QuerySet[Account]) -> QuerySet[Any]:
    """The failed rows in these accounts, with whether the purchase of one was ever ``doubted``."""
    failed = Q(state=RowState.FAILED) | Q(state=RowState.ORDERED, order__status=OrderStatus.FAILED)
    doubted = Attempt.objects.filter(order=OuterRef("order"), ever_unknown=True).exclude(kind=AttemptKind.PROBE)
    rows = batch.rows.filter(failed, account__in=granted, decider_id__isnull=False)
    return rows.select_related("campaign").annotate(doubted=Exists(doubted)).order_by("line")


def rows_judge_again(failed: list[Any]) -> int:
    """Say of each failed row how it stands now: approved again, done already, or still failed and why.

    Returns how many are approved again. With the batch locked, before the history, whose writers must not wait for it.
    """
    as_approved: list[BatchRow] = []
    others: list[BatchRow] = []
    decides_in = cache(_accounts_decided_on)
    for row in failed:
        before = row.before
        row.state, row.problem, row.before = _standing_now(row, decides_in)
        same = row.state == RowState.APPROVED and row.before == before
        (as_approved if same else others).append(row)
    again = BatchRow.objects.filter(pk__in=[row.pk for row in as_approved])
    again.update(state=RowState.APPROVED, problem="")
    BatchRow.objects.bulk_update(others, ["state", "problem", "before"], batch_size=500)
    return sum(row.state == RowState.APPROVED for row in failed)


def _accounts_decided_on(decider_id: int, self_approved: bool) -> set[int]:
    """The accounts in which a person may still give such an approval."""
    person = User.objects.filter(pk=decider_id).first()
    if person is None or not can(person, Capability.CHANGE_ROUTING if self_approved else Capability.DECIDE):
        return set()
    return set(accounts_granted(person).values_list("pk", flat=True))


def _standing_now(row: Any, decides_in: Callable[[int, bool], set[int]]) -> Standing:
    """State, problem and the values before of a failed row, as its purchase, approval and number are now."""
    if row.batch.kind == BatchKind.PURCHASE and row.doubted:
        # A late commit of what was sent, and a new purchase, would be two charges. Only a single order, which a
        # person looks at by itself, may ask for it again.
        why = "it was not known for a while whether Callcap had sold a number. Ask for it in an order of its own."
        return RowState.FAILED, f"Not tried again: {why}", row.before
    if row.account_id not in decides_in(row.decider_id, row.self_approved):
        why = f"{row.decider_name}, who approved it, may not decide on it any more. Make a new batch."
        return RowState.FAILED, f"Not tried again: {why}", row.before
    if row.batch.kind != BatchKind.CHANGE or row.campaign is None:
        return RowState.APPROVED, "", row.before
    now = {name: plain_value(getattr(row.campaign, name)) for name in row.parameters}
    moved = [name for name, wished in row.parameters.items() if now[name] not in (row.before.get(name), wished)]
    if moved:
        names = ", ".join(field_label(name).lower() for name in moved)
        problem = f"Not tried again: {names} was changed by somebody else meanwhile, which would be overwritten."
        return RowState.FAILED, problem, row.before
    if now == row.parameters:
        return RowState.UNCHANGED, "It has these values by now.", row.before
    return RowState.APPROVED, "", now
