"""Drawing samples of the history that anybody can draw again, and signing them off."""

from __future__ import annotations

import hashlib
import heapq
from datetime import UTC

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import AuditSample, HistoryEntry, SampledEntry, SampleScope, Verb, Verdict
from numbers_app.periods import Period
from numbers_app.permissions import Capability, require
from numbers_app.selectors.samples import sample_own, sample_population

from .history import history_append


def sample_rank(seed: str, sequence: int) -> str:
    """Where an entry stands in the order of drawing. Plain SHA-256, so that any language comes to the same."""
    return hashlib.sha256(f"{seed}:{sequence}".encode()).hexdigest()


def sample_draw(
    *, actor: Actor, period: Period, scope: SampleScope, size: int, seed: str, up_to: int | None = None
) -> AuditSample:
    """Draw ``size`` entries of the period, or all when there are fewer; ``up_to`` is the newest entry that counts.

    Without ``up_to`` that is the newest there is. Raises InvalidInput when the history does not reach that far, and
    when there is nothing to draw from.
    """
    user = actor.person_or_refuse
    require(user, Capability.AUDIT)
    newest = HistoryEntry.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
    if up_to is not None and up_to > newest:
        raise InvalidInput(f"The history's newest entry is {newest}.", "up_to")
    up_to = newest if up_to is None else up_to
    found = sample_population(starts_at=period.starts_at, ends_at=period.ends_at, scope=scope, up_to=up_to)
    sequences = found.values_list("sequence", flat=True).iterator()
    drawn = heapq.nsmallest(size, sequences, key=lambda sequence: sample_rank(seed, sequence))
    if not drawn:
        raise InvalidInput("There is no such entry in this period, so there is nothing to draw from.")
    with transaction.atomic():
        sample = AuditSample.objects.create(
            starts_at=period.starts_at,
            ends_at=period.ends_at,
            scope=scope,
            seed=seed,
            up_to=up_to,
            population=found.count(),
            drawn_by=user,
            drawn_by_name=actor.name,
            drawn_at=timezone.now(),
        )
        history_append(
            actor=actor,
            verb=Verb.SAMPLE_DRAWN,
            changes={
                "sample": [None, sample.pk],
                # Days alone say nothing without a zone: others read the same days by other clocks.
                "period": [None, f"{period}, {timezone.get_current_timezone_name()}"],
                "starts_at": [None, period.starts_at.astimezone(UTC).isoformat()],
                "ends_at": [None, period.ends_at.astimezone(UTC).isoformat()],
                "scope": [None, scope.value],
                "seed": [None, seed],
                "up_to": [None, up_to],
                "size": [None, len(drawn)],
            },
        )
        SampledEntry.objects.bulk_create(SampledEntry(sample=sample, entry_id=sequence) for sequence in sorted(drawn))
    return sample


def sample_sign(
    *, actor: Actor, sample_id: int, sequence: int, verdict: Verdict, note: str, revision: int
) -> SampledEntry:
    """Sign off one entry of a sample, or sign it off anew; ``revision`` is what the auditor has in front of them.

    Raises PermissionDenied for one's own doing, such as an order that one approved, InvalidInput for a finding without
    a note, and Conflict, saying what the other wrote, when somebody signed meanwhile.
    """
    user = actor.person_or_refuse
    require(user, Capability.AUDIT)
    if verdict == Verdict.FINDING and not note:
        raise InvalidInput("Say what you found.", "note")
    with transaction.atomic():
        sampled = SampledEntry.objects.select_for_update(of=("self",)).select_related("sample")
        row = sampled.get(sample=sample_id, entry=sequence)
        if sequence in sample_own(row.sample, user):
            raise PermissionDenied(f"Entry {sequence} is your own doing: another auditor signs it off.")
        if row.revision != revision:
            raise _signed_meanwhile(row)
        history_append(
            actor=actor,
            verb=Verb.SAMPLE_SIGNED,
            changes={
                "sample": [sample_id, sample_id],
                "entry": [sequence, sequence],
                "verdict": [row.verdict or None, verdict.value],
                "note": [row.note or None, note or None],
            },
            reason=note,
        )
        seen = SampledEntry.objects.filter(pk=row.pk, revision=revision)
        signed = {
            "verdict": verdict,
            "note": note,
            "signed_by_name": actor.name,
            "signed_at": timezone.now(),
            "revision": revision + 1,
        }
        if seen.update(**signed) != 1:
            raise Conflict("Somebody has just signed off this entry. Open the sample again to see how it stands.")
    for name, value in signed.items():
        setattr(row, name, value)
    return row


def _signed_meanwhile(row: SampledEntry) -> Conflict:
    at = f"{row.signed_at:%Y-%m-%d at %H:%M} UTC" if row.signed_at else ""
    said = f"{row.get_verdict_display().lower()}{f', “{row.note}”' if row.note else ''}"
    return Conflict(f"{row.signed_by_name} signed off this entry on {at}, after you opened it: {said}")
