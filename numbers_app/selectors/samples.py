"""Auditors' samples of the history: what they are drawn from, what is in them, how far they are signed off."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Q, QuerySet

from numbers_app.models import NUMBER_VERBS, AuditSample, HistoryEntry, SampledEntry, SampleScope, User, Verb, Verdict

from .reports import ROUTING, STOP_DATE

DECISIONS = (Verb.ORDER_APPROVED, Verb.ORDER_APPROVAL_UNDONE, Verb.ORDER_REJECTED, Verb.ORDER_SETTLED)


def sample_list() -> QuerySet[AuditSample]:
    """Samples, newest first, each with its ``size``, how many entries are ``signed`` and how many are ``findings``."""
    return AuditSample.objects.annotate(
        size=Count("entries"),
        signed=Count("entries", filter=~Q(entries__verdict="")),
        findings=Count("entries", filter=Q(entries__verdict=Verdict.FINDING)),
    ).order_by("-pk")


def sample_entries(sample: AuditSample) -> QuerySet[SampledEntry]:
    """The entries of a sample, oldest first."""
    return sample.entries.select_related("entry").order_by("entry_id")


def sample_own(sample: AuditSample, reader: User) -> set[int]:
    """Those entries of a sample that are the reader's own doing, or of an order in which they had a part."""
    mine = HistoryEntry.objects.filter(actor_id=reader.pk)
    orders = mine.filter(order_id__in=sample.entries.values("entry__order_id")).values("order_id")
    own = Q(entry__actor_id=reader.pk) | Q(entry__order_id__in=orders)
    return set(sample.entries.filter(own).values_list("entry_id", flat=True))


def sample_next_unsigned(sample: AuditSample, reader: User, after: int) -> SampledEntry | None:
    """The next entry that waits for this person's sign-off after the one with that sequence, or else the first."""
    waiting = sample_entries(sample).filter(verdict="").exclude(entry__in=sample_own(sample, reader))
    return waiting.filter(entry__gt=after).first() or waiting.first()


def sample_population(
    *, starts_at: datetime, ends_at: datetime, scope: SampleScope, up_to: int
) -> QuerySet[HistoryEntry]:
    """The entries that a sample is drawn from: of that kind, in that period, none newer than ``up_to``."""
    entries = HistoryEntry.objects.filter(at__gte=starts_at, at__lt=ends_at, sequence__lte=up_to)
    if scope == SampleScope.ROUTING:
        return entries.filter(ROUTING | STOP_DATE, verb__in=NUMBER_VERBS)
    if scope == SampleScope.DECISIONS:
        return entries.filter(verb__in=DECISIONS)
    return entries
