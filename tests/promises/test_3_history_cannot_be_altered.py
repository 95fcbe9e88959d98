"""Promise 3: the history is append-only, and what is altered by somebody who owns the database is found."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError

from numbers_app.actors import Actor
from numbers_app.checks import triggers_are_in_place
from numbers_app.models import GENESIS_HASH, Campaign, HistoryEntry, Source, Verb
from numbers_app.services.checkpoints import checkpoint_make
from numbers_app.services.evidence import INSTRUCTIONS, evidence_export
from numbers_app.services.history import history_append, history_canonical, history_hash
from numbers_app.services.verification import history_verify
from numbers_app.triggers import triggers_drop, triggers_install
from tests.factories import CampaignFactory

pytestmark = pytest.mark.django_db
TABLE = "numbers_app_historyentry"
PORTAL = Actor.portal("Test", source=Source.COMMAND)


@pytest.fixture
def three_entries(db: None) -> list[HistoryEntry]:
    for number in ("3167342251", "3167342252", "3167342253"):
        CampaignFactory(phone_number=number)
    return list(HistoryEntry.objects.order_by("sequence"))


@pytest.fixture
def owner(three_entries: list[HistoryEntry]) -> None:
    """Somebody who owns the database and has switched the guards off, until the test's transaction is rolled back."""
    # PostgreSQL alters no table with checks still to be made.
    connection.check_constraints()
    triggers_drop(connection)


def execute(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE {TABLE} SET reason = 'nicer' WHERE sequence = 2",
        f"UPDATE {TABLE} SET hash = hash",
        f"DELETE FROM {TABLE} WHERE sequence = 3",
        f"INSERT INTO {TABLE} SELECT * FROM {TABLE} WHERE sequence = 2"
        " ON CONFLICT (sequence) DO UPDATE SET reason = 'nicer'",
    ],
)
def test_an_entry_is_neither_changed_nor_deleted(three_entries: list[HistoryEntry], statement: str) -> None:
    with pytest.raises(IntegrityError):
        execute(statement)
    assert history_verify().problems == []


def test_the_history_is_neither_emptied_nor_replaced(three_entries: list[HistoryEntry]) -> None:
    connection.check_constraints()
    emptied = f"TRUNCATE {TABLE} CASCADE"
    replaced = f"INSERT OR REPLACE INTO {TABLE} SELECT * FROM {TABLE} WHERE sequence = 3"
    with pytest.raises(IntegrityError):
        execute(emptied if connection.vendor == "postgresql" else replaced)


def test_a_fork_is_refused(three_entries: list[HistoryEntry]) -> None:
    fork = HistoryEntry.objects.get(sequence=3)
    fork.sequence, fork.hash = 4, "f" * 64
    with pytest.raises(IntegrityError), transaction.atomic():
        fork.save(force_insert=True)


def test_entries_are_chained_from_the_first_one(three_entries: list[HistoryEntry]) -> None:
    assert three_entries[0].previous_hash == GENESIS_HASH
    for before, after in pairwise(three_entries):
        assert (after.sequence, after.previous_hash) == (before.sequence + 1, before.hash)
    assert json.loads(three_entries[1].canonical)["number"] == "3167342252"


def test_each_hash_covers_the_text_and_the_hash_before(three_entries: list[HistoryEntry]) -> None:
    for entry in three_entries:
        text = f"numbers-portal/history/1\n{entry.canonical}\n{entry.previous_hash}"
        assert entry.hash == hashlib.sha256(text.encode()).hexdigest()


def test_what_a_database_cannot_store_is_written_out(db: None) -> None:
    with transaction.atomic():
        entry = history_append(
            actor=Actor.portal("Test", source=Source.COMMAND), verb=Verb.ORDER_FAILED, reason="NUL \x00 half \ud800"
        )
    entry.refresh_from_db()
    assert entry.reason == "NUL \\x00 half \\ud800"
    assert history_verify().problems == []


def test_an_unknown_verb_is_refused(db: None) -> None:
    with pytest.raises(ValueError, match=r"order\.forgotten"), transaction.atomic():
        history_append(actor=Actor.portal("Test", source=Source.COMMAND), verb="order.forgotten")  # type: ignore[arg-type]


@pytest.mark.django_db(transaction=True)
def test_history_is_never_written_without_a_transaction() -> None:
    with pytest.raises(TransactionManagementError):
        history_append(actor=Actor.portal("Test", source=Source.COMMAND), verb=Verb.ORDER_DONE)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (
            f"UPDATE {TABLE} SET canonical = replace(canonical, '3164447896', '3165550100') WHERE sequence = 2",
            "Entry 2",
        ),
        (f"UPDATE {TABLE} SET actor_name = 'Nobody' WHERE sequence = 2", "Entry 2 was altered: its columns"),
        (f"UPDATE {TABLE} SET hash = previous_hash || '' WHERE sequence = 1", "Entry 1 was altered: its hash"),
        ("UPDATE numbers_app_campaign SET destination = '3165550100' WHERE phone_number = '3167342252'", "3167342252"),
    ],
)
@pytest.mark.usefixtures("owner")
def test_what_the_owner_of_the_database_alters_is_found(statement: str, found: str) -> None:
    execute(statement)
    assert any(found in problem for problem in history_verify().problems)


@pytest.mark.usefixtures("owner")
def test_a_missing_entry_is_found() -> None:
    for _ in range(2):
        with transaction.atomic():
            history_append(actor=Actor.portal("Test", source=Source.COMMAND), verb=Verb.ORDER_DONE)
    execute(f"DELETE FROM {TABLE} WHERE sequence = 4")
    assert any("Entry 4 is missing" in problem for problem in history_verify().problems)


@pytest.mark.usefixtures("owner")
def test_missing_guards_are_found() -> None:
    assert any("guard" in problem for problem in history_verify().problems)
    assert [error.id for error in triggers_are_in_place(databases=["default"])] == ["numbers_app.E001"]


def test_what_the_owner_rewrites_whole_is_found_away_from_the_portal(
    three_entries: list[HistoryEntry], settings: Any, tmp_path: Path
) -> None:
    """Every hash made to fit, the database's checkpoints removed, the new head signed by the portal itself."""
    settings.HISTORY_SIGNING_KEY = bytes(range(32))
    checkpoint_make(actor=PORTAL)
    assert verified_away(tmp_path, settings.CHECKPOINT_FILE) == (0, "")
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes(settings.CHECKPOINT_FILE.read_bytes())
    connection.check_constraints()
    triggers_drop(connection)
    execute("DELETE FROM numbers_app_checkpoint")
    previous = GENESIS_HASH
    for entry in HistoryEntry.objects.order_by("sequence"):
        entry.actor_name = "Nobody"
        entry.canonical, entry.previous_hash = history_canonical(entry), previous
        entry.hash = previous = history_hash(entry.canonical, previous)
        entry.save()
    triggers_install(connection)
    code, problems = verified_away(tmp_path, kept)
    assert (code, "The checkpoint of entry 3 has another hash" in problems) == (1, True)


def verified_away(directory: Path, checkpoints: Path) -> tuple[int, str]:
    """What the auditor's own computer says of an archive made now: exit code and problems."""
    archive = directory / "evidence.zip"
    archive.write_bytes(b"".join(evidence_export(actor=PORTAL).stream))
    command = [sys.executable, "-I", str(INSTRUCTIONS / "verify.py"), str(archive), "--checkpoints", str(checkpoints)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return said.returncode, "".join(line for line in said.stdout.splitlines() if line.startswith("PROBLEM"))


def test_the_command_says_that_all_is_well(
    three_entries: list[HistoryEntry], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("verify_history")
    assert f"3 entries, 3 numbers, 0 checkpoints. Head {three_entries[-1].hash}" in capsys.readouterr().out


@pytest.mark.usefixtures("owner")
def test_the_command_fails_and_names_each_problem(capsys: pytest.CaptureFixture[str]) -> None:
    execute(f"UPDATE {TABLE} SET reason = 'nicer' WHERE sequence = 2")
    with pytest.raises(CommandError):
        call_command("verify_history")
    assert "Entry 2 was altered" in capsys.readouterr().err
    assert Campaign.objects.count() == 3
