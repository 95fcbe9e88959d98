"""Signed checkpoints, in the database and outside it: what somebody who owns the database rewrites is noticed."""

from __future__ import annotations

import base64
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from numbers_app.models import GENESIS_HASH, Campaign, Checkpoint, HistoryEntry, VerificationResult
from numbers_app.services.checkpoints import (
    checkpoint_make,
    checkpoint_sign,
    checkpoint_text,
    checkpoints_export,
)
from numbers_app.services.history import history_canonical, history_hash
from numbers_app.services.verification import history_verify
from numbers_app.signing import public_key_of, sign, signature_fits
from tests.history.conftest import MOVED, PORTAL, write_change
from tests.history.tampering import guards_lifted, run_sql

pytestmark = pytest.mark.django_db

HISTORY, CHECKPOINT = "numbers_app_historyentry", "numbers_app_checkpoint"
KEY = bytes(range(32))
# What JSON and ISO 8601 can say, and no number or moment can be.
NO_NUMBER = '{"sequence": Infinity, "hash": "", "at": "2026-03-01T12:00:00Z", "public_key": "", "signature": ""}'
BEFORE_TIME = '{"sequence": 3, "hash": "", "at": "0001-01-01T00:00:00+14:00", "public_key": "", "signature": ""}'
NO_MOMENT = '{"sequence": 3, "hash": "", "at": "x", "public_key": "", "signature": ""}'
REMOVED = (
    "The checkpoint of entry 3 in the file is not in the database: it was removed there, or the database is a restored"
    " backup."
)


@pytest.fixture(autouse=True)
def signing_key(settings: Any) -> None:
    settings.HISTORY_SIGNING_KEY = KEY


@pytest.fixture
def signed(campaign: Campaign) -> Checkpoint:
    """Three entries, the last one signed."""
    for destination in (MOVED, "3165550101"):
        entry = write_change(campaign, destination)
        Campaign.objects.filter(pk=campaign.pk).update(destination=destination, last_change=entry)
    made = checkpoint_make(actor=PORTAL)
    assert made
    return made


def exported(settings: Any) -> list[dict[str, Any]]:
    path: Path = settings.CHECKPOINT_FILE
    return [json.loads(line) for line in path.read_text().splitlines()]


def rewrite_everything() -> None:
    """As somebody with all rights on the database would do it: another reason, and every hash to fit."""
    with guards_lifted():
        previous = GENESIS_HASH
        for entry in HistoryEntry.objects.order_by("sequence"):
            entry.reason = "Another"
            canonical = history_canonical(entry)
            own = history_hash(canonical, previous)
            run_sql(
                f"UPDATE {HISTORY} SET reason = %s, canonical = %s, previous_hash = %s, hash = %s WHERE sequence = %s",
                *("Another", canonical, previous, own, entry.sequence),
            )
            previous = own


def test_newest_entry_is_signed(signed: Checkpoint) -> None:
    head = HistoryEntry.objects.first()
    assert head
    assert (signed.sequence, signed.hash, signed.public_key) == (3, head.hash, public_key_of(KEY))
    assert signature_fits(signed.public_key, signed.signature, checkpoint_text(3, head.hash, signed.at))


def test_nothing_new_is_not_signed_again(signed: Checkpoint) -> None:
    assert checkpoint_make(actor=PORTAL) is None
    assert Checkpoint.objects.count() == 1


def test_empty_history_is_not_signed(settings: Any) -> None:
    assert checkpoint_make(actor=PORTAL) is None
    assert not settings.CHECKPOINT_FILE.exists()


def test_without_a_key_nothing_is_signed(campaign: Campaign, settings: Any) -> None:
    settings.HISTORY_SIGNING_KEY = b""
    assert checkpoint_make(actor=PORTAL) is None
    assert not Checkpoint.objects.exists()


def test_checkpoint_is_kept_outside_the_database(signed: Checkpoint, campaign: Campaign, settings: Any) -> None:
    write_change(campaign, MOVED)
    checkpoint_make(actor=PORTAL)
    first, second = exported(settings)
    assert (first["sequence"], first["hash"], first["signature"]) == (3, signed.hash, signed.signature)
    assert second["sequence"] == 4


def test_signing_alone_leaves_the_file_to_the_clock(campaign: Campaign, settings: Any) -> None:
    assert checkpoint_sign(actor=PORTAL)
    assert not settings.CHECKPOINT_FILE.exists()
    assert checkpoint_make(actor=PORTAL) is None
    assert [line["sequence"] for line in exported(settings)] == [1]


def test_file_that_was_not_to_be_written_is_caught_up_later(
    campaign: Campaign, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CHECKPOINT_FILE = tmp_path  # a folder
    assert checkpoint_make(actor=PORTAL)
    assert "checkpoints_not_exported" in caplog.text
    settings.CHECKPOINT_FILE = tmp_path / "elsewhere" / "checkpoints.jsonl"
    assert checkpoints_export(actor=PORTAL) == 1
    assert [line["sequence"] for line in exported(settings)] == [1]


@pytest.mark.parametrize("statement", [f"UPDATE {CHECKPOINT} SET hash = 'x'", f"DELETE FROM {CHECKPOINT}"])
def test_database_refuses_to_alter_a_checkpoint(signed: Checkpoint, statement: str) -> None:
    with pytest.raises(DatabaseError, match=r"never (changed|deleted)"):
        run_sql(statement)


def test_database_refuses_to_replace_or_empty_them(signed: Checkpoint) -> None:
    statement = f"TRUNCATE {CHECKPOINT}"
    if connection.vendor == "sqlite":
        statement = f"INSERT OR REPLACE INTO {CHECKPOINT} SELECT * FROM {CHECKPOINT}"
    with pytest.raises(DatabaseError, match="never"):
        run_sql(statement)


def test_untouched_history_fits_its_checkpoints(signed: Checkpoint) -> None:
    result = history_verify()
    assert (result.problems, result.checkpoints) == ([], 2)


def test_complete_recomputation_is_noticed(signed: Checkpoint) -> None:
    rewrite_everything()
    assert [problem for problem in history_verify().problems if "was rewritten since" in problem] == [
        "The checkpoint of entry 3 in the database has another hash: the history was rewritten since.",
        "The checkpoint of entry 3 in the file has another hash: the history was rewritten since.",
    ]


def test_complete_recomputation_without_the_database_s_checkpoints_is_noticed_by_the_file(signed: Checkpoint) -> None:
    rewrite_everything()
    with guards_lifted():
        run_sql(f"DELETE FROM {CHECKPOINT}")
    assert history_verify().problems == [
        REMOVED,
        "The checkpoint of entry 3 in the file has another hash: the history was rewritten since.",
    ]


def test_entries_cut_off_the_end_are_noticed(signed: Checkpoint) -> None:
    with guards_lifted():
        run_sql("UPDATE numbers_app_campaign SET destination = %s, last_change_id = 2", MOVED)
        run_sql(f"DELETE FROM {CHECKPOINT}")
        run_sql(f"DELETE FROM {HISTORY} WHERE sequence = 3")
    assert history_verify().problems == [
        REMOVED,
        "The checkpoint of entry 3 in the file is about an entry that the history no longer has: it was cut off.",
    ]


def test_checkpoint_signed_with_another_key_is_noticed(signed: Checkpoint) -> None:
    stranger = bytes(32)
    text = checkpoint_text(signed.sequence, signed.hash, signed.at)
    with guards_lifted():
        run_sql(
            f"UPDATE {CHECKPOINT} SET public_key = %s, signature = %s", public_key_of(stranger), sign(stranger, text)
        )
    assert history_verify().problems == ["The checkpoint of entry 3 in the database was signed with another key."]


def test_key_that_signed_before_is_known_by_its_public_half(signed: Checkpoint, settings: Any) -> None:
    settings.HISTORY_SIGNING_KEY = bytes(32)
    assert len(history_verify().problems) == 2
    settings.HISTORY_FORMER_PUBLIC_KEYS = [public_key_of(KEY)]
    assert history_verify().problems == []


@pytest.mark.parametrize("signature", ["", "nonsense", base64.b64encode(bytes(64)).decode()])
def test_signature_that_does_not_fit_is_noticed(signed: Checkpoint, signature: str) -> None:
    with guards_lifted():
        run_sql(f"UPDATE {CHECKPOINT} SET signature = %s", signature)
    assert history_verify().problems == ["The checkpoint of entry 3 in the database has a signature that does not fit."]


@pytest.mark.parametrize("text", ["{", "[]\n", '{"sequence": 3}\n', "null\n", NO_MOMENT, NO_NUMBER, BEFORE_TIME])
def test_unreadable_file_is_noticed(signed: Checkpoint, settings: Any, text: str) -> None:
    settings.CHECKPOINT_FILE.write_text(text)
    [problem] = history_verify().problems
    assert problem.startswith("The file of checkpoints cannot be read")


def test_result_of_a_verification_is_kept(signed: Checkpoint) -> None:
    call_command("verify_history", quiet=True)
    kept = VerificationResult.objects.get()
    assert (kept.entries, kept.numbers, kept.checkpoints, kept.problems, kept.first_problem) == (3, 1, 2, 0, "")


def test_json_for_machines(signed: Checkpoint) -> None:
    out = StringIO()
    call_command("verify_history", json=True, stdout=out)
    said = json.loads(out.getvalue())
    assert (said["entries"], said["checkpoints"], said["problems"]) == (3, 2, [])
    assert said["head"] == signed.hash


def test_json_of_a_history_that_is_not_in_order(signed: Checkpoint, settings: Any) -> None:
    settings.CHECKPOINT_FILE.write_text("{")
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError) as failure:
        call_command("verify_history", json=True, stdout=out, stderr=err)
    assert failure.value.returncode == 1
    assert json.loads(out.getvalue())["problem_count"] == 1
    assert VerificationResult.objects.get().first_problem.startswith("The file of checkpoints")


def test_chain_alone_overlooks_columns_and_nothing_else(signed: Checkpoint) -> None:
    with guards_lifted():
        run_sql(f"UPDATE {HISTORY} SET reason = 'another' WHERE sequence = 1")
    assert history_verify(columns=False).problems == []
    assert len(history_verify().problems) == 1
