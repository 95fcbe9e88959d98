"""Signing off a sampled entry: one after the other, nobody their own doing, all of it in the history."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from numbers_app.actors import Actor
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import AuditSample, HistoryEntry, SampledEntry, User, Verb, Verdict
from numbers_app.selectors.samples import sample_list, sample_next_unsigned
from numbers_app.services.history import history_append
from numbers_app.services.samples import sample_sign
from tests.orders.steps import at_once
from tests.samples.conftest import EVER, draw, drawn

pytestmark = pytest.mark.django_db


def sign(
    person: User,
    sample: AuditSample,
    *,
    verdict: Verdict = Verdict.IN_ORDER,
    note: str = "",
    revision: int = 0,
    sequence: int | None = None,
) -> SampledEntry:
    """Sign off the first entry of the sample, or the one named."""
    return sample_sign(
        actor=Actor.person(person),
        sample_id=sample.pk,
        sequence=sequence or drawn(sample)[0],
        verdict=verdict,
        note=note,
        revision=revision,
    )


def signed_entries() -> list[HistoryEntry]:
    return list(HistoryEntry.objects.filter(verb=Verb.SAMPLE_SIGNED).order_by("sequence"))


def test_a_verdict_stands_in_the_sample_and_in_the_history(auditor: User, sample: AuditSample) -> None:
    row = sign(auditor, sample, verdict=Verdict.FINDING, note="Nobody approved it.")
    row.refresh_from_db()
    assert (row.verdict, row.note, row.signed_by_name, row.revision) == (
        "finding",
        "Nobody approved it.",
        "Auditor Test",
        1,
    )
    assert row.signed_at
    [entry] = signed_entries()
    assert (entry.actor_id, entry.reason) == (auditor.pk, "Nobody approved it.")
    assert entry.changes == {
        "sample": [sample.pk, sample.pk],
        "entry": [row.entry_id, row.entry_id],
        "verdict": [None, "finding"],
        "note": [None, "Nobody approved it."],
    }


def test_signing_again_keeps_what_was_before_in_the_history(auditor: User, auditor2: User, sample: AuditSample) -> None:
    sign(auditor, sample, verdict=Verdict.FINDING, note="Nobody approved it.")
    row = sign(auditor2, sample, note="It was: order 3.", revision=1)
    assert (row.verdict, row.signed_by_name, row.revision) == ("in_order", "Auditor2 Test", 2)
    again = signed_entries()[1].changes
    assert again["verdict"] == ["finding", "in_order"]
    assert again["note"] == ["Nobody approved it.", "It was: order 3."]


def test_a_finding_needs_a_note(auditor: User, sample: AuditSample) -> None:
    with pytest.raises(InvalidInput, match="Say what you found") as refusal:
        sign(auditor, sample, verdict=Verdict.FINDING)
    assert refusal.value.field == "note"
    assert signed_entries() == []


def test_who_signs_meanwhile_is_named_with_what_they_wrote(auditor: User, auditor2: User, sample: AuditSample) -> None:
    sign(auditor2, sample, verdict=Verdict.FINDING, note="Too late at night.")
    with pytest.raises(Conflict, match=r"Auditor2 Test signed off .* finding, “Too late at night\.”"):
        sign(auditor, sample)
    assert len(signed_entries()) == 1
    assert sample.entries.get(entry=drawn(sample)[0]).verdict == "finding"


def test_nobody_signs_off_their_own_doing(auditor: User, auditor2: User, sample: AuditSample) -> None:
    own = HistoryEntry.objects.get(verb=Verb.SAMPLE_DRAWN)
    second = draw(auditor2, EVER, size=200)
    assert own.sequence in drawn(second)
    with pytest.raises(PermissionDenied, match="your own doing"):
        sign(auditor, second, sequence=own.sequence)
    assert sign(auditor2, second, sequence=own.sequence).verdict == "in_order"


def test_nobody_signs_off_an_order_in_which_they_had_a_part(auditor: User, sample: AuditSample) -> None:
    """Somebody may be a manager as well: whoever approved a change does not audit it."""
    entry = HistoryEntry.objects.get(pk=drawn(sample)[0])
    with transaction.atomic():
        history_append(actor=Actor.person(auditor), verb=Verb.ORDER_APPROVED, order_id=entry.order_id)
    with pytest.raises(PermissionDenied, match="your own doing"):
        sign(auditor, sample)


def test_only_auditors_sign(rep: User, manager: User, sample: AuditSample) -> None:
    for person in (rep, manager):
        with pytest.raises(PermissionDenied, match="draw and sign off samples"):
            sign(person, sample)


def test_what_waits_next_comes_after_the_one_just_signed_then_from_the_start(
    auditor: User, sample: AuditSample
) -> None:
    first, second, *_, last = drawn(sample)

    def following(sequence: int) -> int | None:
        found = sample_next_unsigned(sample, auditor, after=sequence)
        return found.entry_id if found else None

    assert (following(first), following(last)) == (second, first)
    for sequence in drawn(sample):
        sign(auditor, sample, sequence=sequence)
    assert following(first) is None


def test_the_progress_counts_what_is_signed_and_what_was_found(auditor: User, sample: AuditSample) -> None:
    sign(auditor, sample)
    sign(auditor, sample, sequence=drawn(sample)[1], verdict=Verdict.FINDING, note="No.")
    found = sample_list().get()
    assert (found.size, found.signed, found.findings) == (10, 2, 1)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_sign_at_once_one_is_told_of_the_other(auditor: User, auditor2: User, sample: AuditSample) -> None:
    results = at_once(
        lambda: sign(auditor, sample, note="Mine."),
        lambda: sign(auditor2, sample, verdict=Verdict.FINDING, note="Theirs."),
    )
    [row] = [result for result in results if isinstance(result, SampledEntry)]
    [conflict] = [result for result in results if isinstance(result, Conflict)]
    assert f"{row.signed_by_name} signed off this entry" in conflict.message
    assert row.note in conflict.message
    assert len(signed_entries()) == 1
