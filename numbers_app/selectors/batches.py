"""Reading batches and their rows, within what the reader may see."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from numbers_app.models import (
    Account,
    Attempt,
    Batch,
    BatchKind,
    BatchRow,
    BatchStatus,
    HistoryEntry,
    Order,
    OrderStatus,
    RowState,
    User,
    Verb,
)
from numbers_app.permissions import Capability, can
from numbers_app.services.batch_outcomes import LEFT_OUT, OPEN_OUTCOMES, Outcome, outcome_counts, rows_with_outcome
from numbers_app.services.batches import SUBMITTED
from numbers_app.text import field_label, phone_text

from .accounts import accounts_granted, accounts_visible
from .destinations import destination_warnings

# The rate is that of so long a time, or of the time since the batch began.
RATE_WINDOW = timedelta(minutes=2)
SHORTEST_WINDOW = timedelta(seconds=10)
MOST_DESTINATIONS = 5
# Enough numbers of a destination to see in which country they are.
MOST_LOOKED_AT = 200


def batch_list(user: User) -> QuerySet[Batch]:
    """A person's own batches and those on whose rows they may decide, newest first; all for who sees all.

    A draft is its author's alone.
    """
    if can(user, Capability.SEE_ALL):
        return Batch.objects.exclude(~Q(author_id=user.pk), status=BatchStatus.DRAFT)
    mine = Q(author_id=user.pk)
    if not can(user, Capability.DECIDE):
        return Batch.objects.filter(mine)
    granted = BatchRow.objects.filter(batch=OuterRef("pk"), account__in=accounts_granted(user))
    return Batch.objects.filter(mine | (Exists(granted) & ~Q(status=BatchStatus.DRAFT)))


def batches_to_decide(user: User) -> QuerySet[Batch]:
    """The batches with rows that wait for this person, the oldest first."""
    if not can(user, Capability.DECIDE):
        return Batch.objects.none()
    granted = BatchRow.objects.filter(batch=OuterRef("pk"), state=RowState.READY, account__in=accounts_granted(user))
    return Batch.objects.filter(Exists(granted), status__in=SUBMITTED).exclude(author_id=user.pk).order_by("pk")


def batch_rows(user: User, batch: Batch, outcome: str = "") -> QuerySet[BatchRow]:
    """The rows in accounts that the user may see, with their ``outcome``; the author sees those of no account too.

    Only those of one outcome, if it is named.
    """
    visible = Q(account__in=accounts_visible(user))
    if batch.author_id == user.pk or can(user, Capability.SEE_ALL):
        visible |= Q(account=None)
    rows = rows_with_outcome(batch.rows.filter(visible)).select_related("account", "order").order_by("line")
    return rows.filter(outcome=outcome) if outcome else rows


def rows_to_decide(user: User, batch: Batch) -> QuerySet[BatchRow]:
    """The rows that wait for this person's decision."""
    if batch.author_id == user.pk or batch.status not in SUBMITTED or not can(user, Capability.DECIDE):
        return BatchRow.objects.none()
    return batch.rows.filter(state=RowState.READY, account__in=accounts_granted(user)).order_by("line")


def may_steer(user: User, batch: Batch) -> bool:
    """Whether the person may pause, resume, cancel and try again: its author, and managers of an account in it."""
    if not can(user, Capability.ORDER):
        return False
    decides = can(user, Capability.DECIDE) and batch.rows.filter(account__in=accounts_granted(user)).exists()
    return batch.author_id == user.pk or decides


@dataclass(frozen=True)
class BatchProgress:
    """How far the rows that somebody sees have come.

    ``total`` leaves out what was never asked for; ``percent`` is of it. ``a_minute`` is how many rows ended in each of
    the last minutes, ``minutes_left`` what the rest takes at that rate, None when nothing moves.
    ``for_a_person`` are unknown outcomes that only a person can settle. ``is_moving``: the page is worth looking at
    again in a moment.
    """

    counts: dict[Outcome, int]
    total: int
    ended: int
    percent: int
    a_minute: float
    minutes_left: int | None
    for_a_person: int
    is_moving: bool

    def count(self, *outcomes: Outcome) -> int:
        return sum(self.counts.get(outcome, 0) for outcome in outcomes)


def batch_progress(batch: Batch, rows: QuerySet[BatchRow]) -> BatchProgress:
    """The progress of the batch as far as these rows of it go."""
    counts = outcome_counts(rows)
    total = sum(count for outcome, count in counts.items() if outcome not in LEFT_OUT)
    open_rows = sum(counts.get(outcome, 0) for outcome in OPEN_OUTCOMES)
    unknown = Order.objects.filter(batch_row__in=rows, status=OrderStatus.UNKNOWN, execute_after=None)
    for_a_person = unknown.count() if Outcome.UNKNOWN in counts else 0
    to_come = counts.get(Outcome.APPROVED, 0) + counts.get(Outcome.SENDING, 0)
    under_way = to_come + counts.get(Outcome.UNKNOWN, 0) - for_a_person
    running = batch.status == BatchStatus.RUNNING and not batch_sent_from(batch)
    a_minute = _rate(batch, rows) if running else 0.0
    ends_soon = running and not open_rows
    return BatchProgress(
        counts=counts,
        total=total,
        ended=total - open_rows,
        percent=100 * (total - open_rows) // total if total else 100,
        a_minute=a_minute,
        minutes_left=max(round(to_come / a_minute), 1) if a_minute and to_come else None,
        for_a_person=for_a_person,
        is_moving=ends_soon or (running and under_way > 0) or counts.get(Outcome.SENDING, 0) > 0,
    )


def batch_sent_from(batch: Batch) -> datetime | None:
    """The moment before which nothing of a batch that has not ended is sent, while that lies ahead."""
    is_ahead = batch.execute_after and batch.execute_after > timezone.now()
    return batch.execute_after if batch.status in SUBMITTED and is_ahead else None


def _rate(batch: Batch, rows: QuerySet[BatchRow]) -> float:
    """Rows a minute that ended lately."""
    now = timezone.now()
    window = min(RATE_WINDOW, max(now - (batch.started_at or now), SHORTEST_WINDOW))
    since = now - window
    if batch.kind == BatchKind.IMPORT:
        ended = rows.filter(state=RowState.DONE, campaign__imported_at__gte=since).count()
    else:
        ended = Order.objects.filter(batch_row__in=rows, finished_at__gte=since).count()
    return ended * 60 / window.total_seconds()


def batch_effects(batch: Batch, rows: QuerySet[BatchRow]) -> list[str]:
    """What approving these rows would do, in numbers: "1,204 numbers re-routed to (316) 555-0100", most of it first."""
    destinations: Counter[str] = Counter()
    fields: Counter[str] = Counter()
    total = 0
    for values in rows.values_list("parameters", flat=True).iterator():
        total += 1
        if destination := values.pop("destination", ""):
            destinations[destination] += 1
        fields.update(list(values))
    did = _DONE_WITH[BatchKind(batch.kind)]
    if batch.kind in (BatchKind.CONFIRM, BatchKind.REAPPLY):
        return [f"{_numbers(total)} {did}"] if total else []
    told = [
        f"{_numbers(count)} {did} {phone_text(number)}" for number, count in destinations.most_common(MOST_DESTINATIONS)
    ]
    others = destinations.total() - sum(count for _, count in destinations.most_common(MOST_DESTINATIONS))
    if others:
        told.append(f"{_numbers(others)} {did} {len(destinations) - MOST_DESTINATIONS:,} other destinations")
    of_most_first = sorted(fields.items(), key=lambda field: (-field[1], field[0] != "stop_date", field[0]))
    names = [field for field in of_most_first if batch.kind == BatchKind.CHANGE or field[0] == "stop_date"]
    return told + [f"{field_label(name)} set for {_numbers(count)}" for name, count in names]


_DONE_WITH = {
    BatchKind.CHANGE: "re-routed to",
    BatchKind.PURCHASE: "bought, ringing",
    BatchKind.IMPORT: "put among ours without asking Callcap, ringing",
    BatchKind.CONFIRM: "asked for at Callcap, to see whether they are still ours; nothing is changed",
    BatchKind.REAPPLY: "sent once more as they stand here, over whatever was set in Callcap's own interface",
}


def _numbers(count: int) -> str:
    return f"{count:,} number{'' if count == 1 else 's'}"


def batch_warnings(batch: Batch, rows: QuerySet[BatchRow]) -> list[str]:
    """What looks wrong about the destinations of these rows, those that most of them have first."""
    if batch.kind in (BatchKind.CONFIRM, BatchKind.REAPPLY):
        return []
    wished: dict[tuple[str, int], list[str]] = {}
    # Not the one value of the parameters: SQLite would give its ten digits as a number.
    for parameters, account_id, number in rows.values_list("parameters", "account_id", "number"):
        destination = parameters.get("destination")
        if destination and account_id:
            wished.setdefault((destination, account_id), []).append(number)
    pairs = sorted(wished.items(), key=lambda pair: -len(pair[1]))[:MOST_DESTINATIONS]
    accounts = Account.objects.in_bulk([account_id for (_, account_id), _ in pairs])
    texts: dict[str, None] = {}
    for (destination, account_id), numbers in pairs:
        looked_at = [number for number in numbers if number == destination] + numbers[:MOST_LOOKED_AT]
        found = destination_warnings(destination, account=accounts[account_id], numbers=filter(None, looked_at))
        texts.update(dict.fromkeys(warning.text for warning in found))
    return list(texts)


def sees_every_row(user: User, batch: Batch) -> bool:
    """Whether all the rows that were asked for lie in accounts that the user may see."""
    return not batch.rows.exclude(account=None).exclude(account__in=accounts_visible(user)).exists()


def batch_timeline(user: User, batch: Batch) -> list[HistoryEntry]:
    """Everything the history says of the batch as a whole, oldest first.

    Who does not see all of its rows is not told the reasons of others: they may be about rows elsewhere.
    """
    about = HistoryEntry.objects.filter(verb__in=_BATCH_VERBS, changes__batch__1=batch.pk)
    entries = list(about.order_by("sequence"))
    if not sees_every_row(user, batch):
        for entry in entries:
            if entry.actor_id not in (user.pk, batch.author_id):
                entry.reason = ""
    return entries


_BATCH_VERBS = [verb for verb in Verb if verb.startswith("batch.")]


def batch_of_order(user: User, order: Order) -> Batch | None:
    """The batch that an order belongs to, if the person may see it."""
    return batch_list(user).filter(Exists(BatchRow.objects.filter(batch=OuterRef("pk"), order=order))).first()


def rows_with_words(rows: QuerySet[BatchRow]) -> QuerySet[BatchRow]:
    """The rows with Callcap's last ``words`` on each."""
    last = Attempt.objects.filter(order=OuterRef("order")).order_by("-pk").values("message")[:1]
    return rows.annotate(words=Subquery(last))
