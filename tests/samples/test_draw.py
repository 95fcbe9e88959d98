"""Drawing a sample: anybody comes to the same, and the history says who drew what."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from numbers_app.errors import InvalidInput
from numbers_app.models import AuditSample, HistoryEntry, SampledEntry, SampleScope, User, Verb
from numbers_app.periods import Period
from numbers_app.services import samples
from numbers_app.services.samples import sample_rank
from numbers_app.templatetags.history import what
from tests.samples.conftest import EVER, draw, drawn, write_days

pytestmark = pytest.mark.django_db

# By `printf audit-2026:1 | sha256sum` and so on, sorted: what a shell comes to.
SHELL_ORDER = [2, 12, 7, 5, 1, 9, 6, 8, 4, 10, 11, 3]


def test_the_order_of_drawing_is_that_of_sha256_in_any_language() -> None:
    assert sorted(range(1, 13), key=lambda sequence: sample_rank("audit-2026", sequence)) == SHELL_ORDER


def test_a_sample_can_be_recomputed_from_the_table_alone(auditor: User, november: Period) -> None:
    sample = draw(auditor, november, size=7, seed="s.1")
    with connection.cursor() as cursor:
        # The portal's zone is Chicago's, where November begins at 5:00 and ends at 6:00 UTC.
        bounds = [datetime(2026, 11, 1, 5, tzinfo=UTC), datetime(2026, 12, 1, 6, tzinfo=UTC), sample.up_to]
        cursor.execute(
            "SELECT sequence FROM numbers_app_historyentry WHERE at >= %s AND at < %s AND sequence <= %s", bounds
        )
        there = [sequence for (sequence,) in cursor.fetchall()]
    ranked = sorted((hashlib.new("sha256", b"s.1:%d" % sequence).digest(), sequence) for sequence in there)
    assert drawn(sample) == sorted(sequence for _, sequence in ranked[:7])
    assert sample.population == len(there) == 30


def test_the_same_seed_period_kind_and_end_give_the_same_sample(auditor: User, november: Period) -> None:
    first = draw(auditor, november)
    assert drawn(draw(auditor, november, up_to=first.up_to)) == drawn(first)
    assert drawn(draw(auditor, november, seed="another", up_to=first.up_to)) != drawn(first)


def test_a_smaller_sample_is_the_start_of_a_larger_one(auditor: User, november: Period) -> None:
    assert set(drawn(draw(auditor, november, size=4))) < set(drawn(draw(auditor, november, size=9)))


def test_what_was_written_since_does_not_change_a_repeated_sample(auditor: User, november: Period) -> None:
    first = draw(auditor, EVER)
    write_days(date(2026, 12, 6), 60)
    assert drawn(draw(auditor, EVER, up_to=first.up_to)) == drawn(first)
    assert draw(auditor, EVER).population > first.population + 60


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (SampleScope.EVERYTHING, {Verb.NUMBER_CHANGED, Verb.ORDER_APPROVED, Verb.ORDER_REQUESTED}),
        (SampleScope.ROUTING, {Verb.NUMBER_CHANGED}),
        (SampleScope.DECISIONS, {Verb.ORDER_APPROVED}),
    ],
)
def test_the_kind_says_what_is_drawn_from(
    auditor: User, november: Period, scope: SampleScope, expected: set[Verb]
) -> None:
    sample = draw(auditor, november, scope=scope, size=200)
    entries = HistoryEntry.objects.filter(pk__in=drawn(sample))
    assert {entry.verb for entry in entries} == expected
    if scope == SampleScope.ROUTING:
        assert all(entry.changes.keys() & {"destination", "stop_date"} for entry in entries)
        assert sample.population == 12


def test_a_period_with_less_than_was_asked_for_gives_all_there_is(auditor: User, november: Period) -> None:
    sample = draw(auditor, november, size=200)
    assert len(drawn(sample)) == sample.population == 30
    entry = HistoryEntry.objects.latest("sequence")
    assert entry.changes["size"] == [None, 30]


def test_days_are_those_of_the_readers_zone(auditor: User, november: Period) -> None:
    assert draw(auditor, Period(date(2026, 11, 3), date(2026, 11, 3)), size=5).population == 1
    assert draw(auditor, Period(date(2026, 11, 3), date(2026, 11, 4)), size=5).population == 2


def test_the_history_says_who_drew_what(auditor: User, november: Period) -> None:
    sample = draw(auditor, november, scope=SampleScope.ROUTING, size=5)
    entry = HistoryEntry.objects.latest("sequence")
    assert (entry.verb, entry.actor_id, entry.account_key) == (Verb.SAMPLE_DRAWN, auditor.pk, "")
    assert entry.changes == {
        "sample": [None, sample.pk],
        "period": [None, "2026-11-01 to 2026-11-30, America/Chicago"],
        "starts_at": [None, "2026-11-01T05:00:00+00:00"],
        "ends_at": [None, "2026-12-01T06:00:00+00:00"],
        "scope": [None, "routing"],
        "seed": [None, "audit-2026"],
        "up_to": [None, sample.up_to],
        "size": [None, 5],
    }
    assert (sample.drawn_by, sample.drawn_by_name, sample.up_to) == (auditor, "Auditor Test", entry.sequence - 1)


def test_the_history_tells_the_same_days_of_two_zones_apart(auditor: User, november: Period) -> None:
    draw(auditor, november)
    with timezone.override("Pacific/Honolulu"):
        draw(auditor, november)
    here, there = HistoryEntry.objects.filter(verb=Verb.SAMPLE_DRAWN).order_by("sequence")
    assert what(here).endswith("of 2026-11-01 to 2026-11-30, America/Chicago")
    assert what(there).endswith("of 2026-11-01 to 2026-11-30, Pacific/Honolulu")
    assert there.changes["starts_at"] == [None, "2026-11-01T10:00:00+00:00"]


def test_an_empty_period_is_refused_and_nothing_is_written(auditor: User, november: Period) -> None:
    with pytest.raises(InvalidInput, match="nothing to draw from"):
        draw(auditor, Period(date(2020, 1, 1), date(2020, 1, 31)))
    assert not AuditSample.objects.exists()
    assert not HistoryEntry.objects.filter(verb=Verb.SAMPLE_DRAWN).exists()


def test_an_end_that_the_history_does_not_reach_is_refused(auditor: User, november: Period) -> None:
    with pytest.raises(InvalidInput, match="newest entry is 39") as refusal:
        draw(auditor, november, up_to=40)
    assert refusal.value.field == "up_to"


def test_only_auditors_draw(rep: User, manager: User, november: Period) -> None:
    for person in (rep, manager):
        with pytest.raises(PermissionDenied, match="draw and sign off samples"):
            draw(person, november)


def test_without_its_history_entry_there_is_no_sample(
    auditor: User, november: Period, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**fields: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(samples, "history_append", fail)
    with pytest.raises(RuntimeError):
        draw(auditor, november)
    assert not AuditSample.objects.exists()
    assert not SampledEntry.objects.exists()
