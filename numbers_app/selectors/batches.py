"""Reading batches and their rows, within what the reader may see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from numbers_app.models import (
    RUN_ON,
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
from .destinations import destinations_warnings

# The rate is that of so long a time, or of the time since the batch began.
RATE_WINDOW = timedelta(minutes=2)
SHORTEST_WINDOW = timedelta(seconds=10)
MOST_DESTINATIONS = 5
# Of entries about a batch as a whole.
BATCH_VERBS = [verb for verb in Verb if verb.startswith("batch.")]
MOST_WARNINGS = 50
# A stop date further ahead is worth a second look.
FAR_YEARS = 10


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
    seen = rows_with_outcome(batch.rows.filter(_visible_rows(user)))
    rows = seen.select_related("account", "campaign", "order").order_by("line")
    return rows.filter(outcome=outcome) if outcome else rows


def _visible_rows(user: User) -> Q:
    of_no_account = Q(account=None) if can(user, Capability.SEE_ALL) else Q(account=None, batch__author_id=user.pk)
    return Q(account__in=accounts_visible(user)) | of_no_account


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
class BatchCounts:
    """How many of the rows that somebody sees have ended, by outcome.

    ``total`` leaves out what was never asked for; ``percent`` is of it.
    """

    counts: dict[Outcome, int]

    def count(self, *outcomes: Outcome) -> int:
        return sum(self.counts.get(outcome, 0) for outcome in outcomes)

    @property
    def total(self) -> int:
        return sum(self.counts.values()) - self.count(*LEFT_OUT)

    @property
    def ended(self) -> int:
        return self.total - self.count(*OPEN_OUTCOMES)

    @property
    def percent(self) -> int:
        return 100 * self.ended // self.total if self.total else 100


@dataclass(frozen=True)
class BatchProgress(BatchCounts):
    """How far they have come, and how fast.

    ``a_minute`` is how many rows ended in each of the last minutes, ``minutes_left`` what the rest takes at that rate,
    None when nothing moves. ``for_a_person`` are unknown outcomes that only a person can settle. ``is_moving``: the
    page is worth looking at again in a moment.
    """

    a_minute: float
    minutes_left: int | None
    for_a_person: int
    is_moving: bool


def batches_counted(user: User, batches: Iterable[Batch]) -> list[tuple[Batch, BatchCounts]]:
    """Each batch with the counts of the rows that the user may see, by one question for them all."""
    listed = list(batches)
    counts: dict[int, dict[Outcome, int]] = {batch.pk: {} for batch in listed}
    rows = rows_with_outcome(BatchRow.objects.filter(_visible_rows(user), batch__in=listed)).order_by()
    for batch_id, outcome, count in rows.values_list("batch_id", "outcome").annotate(Count("pk")):
        counts[batch_id][Outcome(outcome)] = count
    return [(batch, BatchCounts(counts[batch.pk])) for batch in listed]


def batch_progress(batch: Batch, rows: QuerySet[BatchRow]) -> BatchProgress:
    """The progress of the batch as far as these rows of it go."""
    counts = outcome_counts(rows)
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
        unchanged = batch.kind == BatchKind.CONFIRM and not rows_losing_names(rows).exists()
        return [f"{_numbers(total)} {did}{'; nothing is changed' if unchanged else ''}"] if total else []
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
    BatchKind.CONFIRM: "asked for at Callcap, to see whether they are still ours",
    BatchKind.REAPPLY: "sent once more as they stand here, over whatever was set in Callcap's own interface",
}


def _numbers(count: int) -> str:
    return f"{count:,} number{'' if count == 1 else 's'}"


def rows_losing_names(rows: QuerySet[BatchRow]) -> QuerySet[BatchRow]:
    """Those that were imported without a name: a confirmation sends their digits over the name that Callcap has."""
    return rows.filter(campaign__imported_at__isnull=False, campaign__campaign_name=F("number"))


def batch_warnings(batch: Batch, rows: QuerySet[BatchRow]) -> list[str]:
    """What looks wrong about what these rows ask for, in sentences.

    Every destination is looked at, the commonest first. Of those that are only new to their Location the commonest
    are named, since each number's first one is.
    """
    if batch.kind == BatchKind.CONFIRM:
        return _warn_of_names(rows_losing_names(rows).count())
    if batch.kind == BatchKind.REAPPLY:
        return []
    wished: dict[tuple[str, int], list[str]] = {}
    stops: list[str] = []
    # Not the one value of the parameters: SQLite would give its ten digits as a number.
    for parameters, account_id, number in rows.values_list("parameters", "account_id", "number"):
        destination = parameters.get("destination")
        if destination and account_id:
            wished.setdefault((destination, account_id), []).append(number)
        if stop_date := parameters.get("stop_date"):
            stops.append(stop_date)
    commonest_first = sorted(wished.items(), key=lambda pair: -len(pair[1]))
    # A purchase by search has no number yet.
    found = list(destinations_warnings({pair: [*filter(None, numbers)] for pair, numbers in commonest_first}))
    plain = list(dict.fromkeys(warning.text for warning in found if not warning.is_new))
    new = list(dict.fromkeys(warning.text for warning in found if warning.is_new))
    return [
        *_first(plain, MOST_WARNINGS, "like these"),
        *_first(new, MOST_DESTINATIONS, "of destinations that are new to a Location"),
        *_warn_of_far_stops(stops),
    ]


def _first(sentences: list[str], most: int, others: str) -> list[str]:
    more = len(sentences) - most
    return sentences[:most] + ([f"{more:,} more warning{'' if more == 1 else 's'} {others}."] if more > 0 else [])


def _warn_of_names(count: int) -> list[str]:
    if not count:
        return []
    return [
        f"{_numbers(count)} {'was' if count == 1 else 'were'} imported without a name. Asking sends the digits as the "
        "name, which replaces the one at Callcap."
    ]


def _warn_of_far_stops(stops: list[str]) -> list[str]:
    """Of last days so far ahead that the year may be a slip; the one that stands for running on is none."""
    today = timezone.localdate()
    far = [stop for stop in stops if stop != str(RUN_ON) and date.fromisoformat(stop).year > today.year + FAR_YEARS]
    if not far:
        return []
    return [f"{_numbers(len(far))} would stop more than {FAR_YEARS} years from now, the last on {max(far)}."]


def sees_every_row(user: User, batch: Batch) -> bool:
    """Whether all the rows that were asked for lie in accounts that the user may see."""
    return not batch.rows.exclude(account=None).exclude(account__in=accounts_visible(user)).exists()


def batch_timeline(user: User, batch: Batch) -> list[HistoryEntry]:
    """Everything the history says of the batch as a whole, oldest first.

    Who does not see all of its rows is not told the reasons of others, which may be about rows elsewhere: such entries
    are ``withheld``.
    """
    about = HistoryEntry.objects.filter(verb__in=BATCH_VERBS, changes__batch__1=batch.pk)
    entries = list(about.order_by("sequence"))
    if not sees_every_row(user, batch):
        for entry in entries:
            if entry.actor_id not in (user.pk, batch.author_id):
                entry.reason, entry.withheld = "", True
    return entries


def batch_of_order(user: User, order: Order) -> Batch | None:
    """The batch that an order belongs to, if the person may see it."""
    return batch_list(user).filter(Exists(BatchRow.objects.filter(batch=OuterRef("pk"), order=order))).first()


def rows_with_words(rows: QuerySet[BatchRow]) -> QuerySet[BatchRow]:
    """The rows with Callcap's last ``words`` on each."""
    last = Attempt.objects.filter(order=OuterRef("order")).order_by("-pk").values("message")[:1]
    return rows.annotate(words=Subquery(last))
