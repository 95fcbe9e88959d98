"""Drafts as their preview leaves them, and what people and the worker do to them, in a line each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from numbers_app.actors import Actor
from numbers_app.models import Account, Batch, BatchKind, BatchRow, Campaign, HistoryEntry, Order, Source, User
from numbers_app.services.batch_outcomes import outcome_counts
from numbers_app.services.batch_release import batch_release
from numbers_app.services.batches import batch_approve, batch_submit
from numbers_app.services.execution import order_execute
from numbers_app.services.sweep import batches_sweep
from tests.factories import BatchFactory, BatchRowFactory, CampaignFactory

WORKER = Actor.portal("Worker", source=Source.WORKER)
CLOCK = Actor.portal("Clock", source=Source.WORKER)
OLD, NEW = "3164447896", "3165550100"


def campaigns_at(account: Account, count: int, first: int = 2000) -> list[Campaign]:
    """So many numbers of the account in the mirror, ringing OLD."""
    return [CampaignFactory(phone_number=f"316734{first + n}", account=account) for n in range(count)]


def draft(author: User, kind: BatchKind = BatchKind.CHANGE, **fields: Any) -> Batch:
    made: Batch = BatchFactory(kind=kind, author_id=author.pk, author_name=author.display_name, **fields)
    return made


def change_draft(author: User, campaigns: Iterable[Campaign], **values: Any) -> Batch:
    """A draft that re-routes the numbers to NEW, or sets these values."""
    batch = draft(author)
    wished = values or {"destination": NEW}
    for line, campaign in enumerate(campaigns, start=2):
        before = {name: getattr(campaign, name) for name in wished}
        BatchRowFactory(
            batch=batch,
            line=line,
            number=campaign.phone_number,
            campaign=campaign,
            account=campaign.account,
            parameters=wished,
            before=before,
        )
    return batch


def purchase_draft(author: User, account: Account, *numbers: str) -> Batch:
    batch = draft(author, BatchKind.PURCHASE)
    for line, number in enumerate(numbers, start=2):
        BatchRowFactory(batch=batch, line=line, number=number, account=account, parameters={"destination": OLD})
    return batch


def import_draft(author: User, account: Account, *numbers: str) -> Batch:
    batch = draft(author, BatchKind.IMPORT)
    for line, number in enumerate(numbers, start=2):
        BatchRowFactory(batch=batch, line=line, number=number, account=account, parameters={"destination": OLD})
    return batch


def submit(author: User, batch: Batch, **fields: Any) -> Batch:
    """The author asks for what the draft says."""
    batch_submit(actor=Actor.person(author), batch_id=batch.pk, reason="The shop has moved", **fields)
    batch.refresh_from_db()
    return batch


def approve(person: User, batch: Batch, lines: list[int] | None = None) -> int:
    approved = batch_approve(actor=Actor.person(person), batch_id=batch.pk, lines=lines)
    batch.refresh_from_db()
    return approved


def running(author: User, manager: User, batch: Batch) -> Batch:
    """The draft, submitted and approved as a whole."""
    submit(author, batch)
    if batch.status == "waiting":
        approve(manager, batch)
    return batch


def release(batch: Batch) -> list[int]:
    """The worker gets to the batch once. The orders that it rang for."""
    rung: list[int] = []
    while batch_release(actor=WORKER, batch_id=batch.pk, ring=rung.append):
        pass
    return rung


def carry_out(batch: Batch) -> None:
    """The worker gets to every order of the batch, and the clock to the batch."""
    for order in orders_of(batch):
        order_execute(actor=WORKER, order_id=order.pk)
    batches_sweep(actor=CLOCK)
    batch.refresh_from_db()


def orders_of(batch: Batch) -> list[Order]:
    return list(Order.objects.filter(batch_row__batch=batch).order_by("batch_row__line"))


def outcomes(batch: Batch) -> dict[str, int]:
    return {outcome.value: count for outcome, count in outcome_counts(batch.rows.all()).items()}


def row(batch: Batch, line: int) -> BatchRow:
    found: BatchRow = batch.rows.get(line=line)
    return found


def written(batch: Batch) -> list[tuple[str, str, int]]:
    """(verb, who, rows) of everything that the history says of the batch, oldest first."""
    entries = HistoryEntry.objects.filter(verb__startswith="batch.").order_by("sequence")
    return [
        (entry.verb, entry.actor_name, entry.changes["rows"][1])
        for entry in entries
        if entry.changes["batch"] == [None, batch.pk]
    ]


def told(batch: Batch, kind: str) -> list[str]:
    """The user names of those who were told this of the batch."""
    return list(
        batch.notifications.filter(kind=kind).order_by("user__username").values_list("user__username", flat=True)
    )
