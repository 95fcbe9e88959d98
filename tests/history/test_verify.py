"""Noticing what was altered by somebody who could lift the guards."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from numbers_app.models import GENESIS_HASH, Campaign, HistoryEntry
from numbers_app.services import verification
from numbers_app.services.history import history_canonical, history_hash
from numbers_app.services.verification import history_verify
from tests.factories import CampaignFactory
from tests.history.conftest import CAKE, DESTINATION, MOVED, write_change
from tests.history.tampering import guards_lifted, run_sql

pytestmark = pytest.mark.django_db

HISTORY, CAMPAIGN = "numbers_app_historyentry", "numbers_app_campaign"


@pytest.fixture
def three_entries(campaign: Campaign) -> Campaign:
    """Bought, moved, moved back."""
    for destination in (MOVED, DESTINATION):
        entry = write_change(campaign, destination)
        Campaign.objects.filter(pk=campaign.pk).update(destination=destination, last_change=entry)
        campaign.refresh_from_db()
    return campaign


def problems_after(statement: str, *values: object) -> list[str]:
    with guards_lifted():
        run_sql(statement, *values)
    return history_verify().problems


def test_untouched_history_is_in_order(three_entries: Campaign) -> None:
    result = history_verify()
    assert (result.entries, result.numbers, result.problems) == (3, 1, [])
    assert result.head == HistoryEntry.objects.get(sequence=3).hash


def test_empty_history_is_in_order() -> None:
    result = history_verify()
    assert (result.entries, result.numbers, result.head, result.problems) == (0, 0, GENESIS_HASH, [])


def test_altered_text_is_noticed(three_entries: Campaign) -> None:
    problems = problems_after(f"UPDATE {HISTORY} SET canonical = replace(canonical, 'Test', 'Tess') WHERE sequence = 2")
    assert problems == [
        "Entry 2 was altered: its hash does not fit its text.",
        "Entry 2 was altered: its columns differ from the text that was hashed.",
    ]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor_name", "Somebody Else"),
        ("actor_id", 99),
        ("role", "Manager"),
        ("source", "web"),
        ("verb", "order.done"),
        ("at", "2020-01-01 00:00:00+00:00"),
        ("number", "3164440000"),
        ("account_key", "L-99"),
        ("order_id", 99),
        ("changes", '{"destination": ["1", "2"]}'),
        ("destination", "3165550199"),
        ("stop_date", "2099-01-31"),
        ("ended_at", "2020-01-01 00:00:00+00:00"),
        ("reason", "another"),
        ("approved_by", "Somebody Else"),
        ("request_id", "another"),
        ("vendor_status", 500),
        ("vendor_message", "another"),
    ],
)
def test_altered_column_is_noticed(three_entries: Campaign, column: str, value: object) -> None:
    problems = problems_after(f'UPDATE {HISTORY} SET "{column}" = %s WHERE sequence = 2', value)
    assert problems[0] == "Entry 2 was altered: its columns differ from the text that was hashed."


def test_entry_rewritten_with_a_hash_that_fits_breaks_the_chain(three_entries: Campaign) -> None:
    entry = HistoryEntry.objects.get(sequence=2)
    entry.reason = "another"
    entry.canonical = history_canonical(entry)
    problems = problems_after(
        f"UPDATE {HISTORY} SET reason = %s, canonical = %s, hash = %s WHERE sequence = 2",
        entry.reason,
        entry.canonical,
        history_hash(entry.canonical, entry.previous_hash),
    )
    assert problems == ["Entry 3 does not follow the one before it."]


def test_missing_entry_is_noticed(three_entries: Campaign) -> None:
    problems = problems_after(f"DELETE FROM {HISTORY} WHERE sequence = 2")
    assert problems == ["Entry 2 is missing: the next one is 3.", "Entry 3 does not follow the one before it."]


def test_missing_first_entry_is_noticed(three_entries: Campaign) -> None:
    problems = problems_after(f"DELETE FROM {HISTORY} WHERE sequence = 1")
    assert problems == ["Entry 1 is missing: the next one is 2.", "Entry 2 does not follow the one before it."]


def test_mirror_row_that_differs_is_noticed(three_entries: Campaign) -> None:
    for column, value in (("destination", MOVED), ("stop_date", "2099-01-31"), ("ended_at", "2026-01-01 00:00:00")):
        problems = problems_after(f"UPDATE {CAMPAIGN} SET {column} = %s", value)
        assert problems == [f"{CAKE} differs from what its history entry 3 says."]


def test_row_that_was_set_back_to_an_older_entry_is_noticed(three_entries: Campaign) -> None:
    problems = problems_after(f"UPDATE {CAMPAIGN} SET destination = '{MOVED}', last_change_id = 2")
    assert problems == [f"{CAKE} has a newer history entry (3) than the mirror shows (2)."]


def test_number_that_left_the_mirror_is_noticed(three_entries: Campaign) -> None:
    assert problems_after(f"DELETE FROM {CAMPAIGN}") == [f"{CAKE} is in the history (entry 3) but not in the mirror."]


def test_entry_that_the_mirror_never_followed_is_noticed(campaign: Campaign) -> None:
    write_change(campaign, MOVED)
    assert history_verify().problems == [f"{CAKE} has a newer history entry (2) than the mirror shows (1)."]


def test_what_is_written_while_it_runs_is_no_problem(three_entries: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    compare = verification._verify_mirror

    def change_then_compare(*arguments: object) -> None:
        entry = write_change(three_entries, MOVED)
        Campaign.objects.update(destination=MOVED, last_change=entry)
        compare(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(verification, "_verify_mirror", change_then_compare)
    result = history_verify()
    assert (result.entries, result.problems) == (3, [])


def test_entries_are_read_in_chunks_without_losing_any(
    three_entries: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in (1, 2, 3):
        monkeypatch.setattr(verification, "CHUNK", size)
        result = history_verify()
        assert (result.entries, result.problems) == (3, [])


def test_value_of_another_type_is_an_altered_column(campaign: Campaign) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps to the column's type")
    problems = problems_after(f"UPDATE {HISTORY} SET reason = x'ff'")
    assert problems == ["Entry 1 was altered: its columns differ from the text that was hashed."]


def test_number_that_came_back_after_stopping_is_in_order(campaign: Campaign) -> None:
    at = timezone.now()
    CampaignFactory(phone_number="3164440000", account=campaign.account, stop_date=at.date(), ended_at=at)
    CampaignFactory(phone_number="3164440000", account=campaign.account)
    assert history_verify().problems == []


def test_missing_guard_is_noticed(campaign: Campaign) -> None:
    connection.check_constraints()
    name, table = "campaign_refuse_delete", CAMPAIGN
    run_sql(f"DROP TRIGGER {name}" + ("" if connection.vendor == "sqlite" else f" ON {table}"))
    assert history_verify().problems == [f"The database guard {name} is missing or altered."]


def test_altered_guard_is_noticed(campaign: Campaign) -> None:
    connection.check_constraints()
    if connection.vendor == "sqlite":
        run_sql("DROP TRIGGER history_refuse_delete")
        run_sql(f"CREATE TRIGGER history_refuse_delete BEFORE DELETE ON {HISTORY} BEGIN SELECT 1; END")
        altered = ["history_refuse_delete"]
    else:
        run_sql(
            "CREATE OR REPLACE FUNCTION portal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$"
        )
        run_sql(f"ALTER TABLE {CAMPAIGN} ENABLE REPLICA TRIGGER campaign_refuse_delete")
        altered = ["campaign_refuse_delete", "portal_refuse"]
    assert history_verify().problems == [f"The database guard {name} is missing or altered." for name in altered]


def test_complaints_stop_at_a_hundred(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "MOST_PROBLEMS", 1)
    assert len(problems_after(f"UPDATE {HISTORY} SET canonical = 'x'")) == 1


def test_command_says_what_was_checked(three_entries: Campaign) -> None:
    out = StringIO()
    call_command("verify_history", stdout=out)
    assert out.getvalue() == f"In order: 3 entries, 1 numbers, 0 checkpoints. Head {history_verify().head}\n"


def test_quiet_command_says_nothing_when_all_is_well(three_entries: Campaign) -> None:
    out, err = StringIO(), StringIO()
    call_command("verify_history", quiet=True, stdout=out, stderr=err)
    assert (out.getvalue(), err.getvalue()) == ("", "")


def test_command_fails_with_every_problem(three_entries: Campaign) -> None:
    with guards_lifted():
        run_sql(f"UPDATE {HISTORY} SET reason = 'another' WHERE sequence = 2")
    err = StringIO()
    with pytest.raises(CommandError, match=r"The history is not in order\.") as failure:
        call_command("verify_history", stderr=err)
    assert failure.value.returncode == 1
    assert err.getvalue() == "Entry 2 was altered: its columns differ from the text that was hashed.\n"
