"""Checkpoints are kept in the database, in a file, and perhaps elsewhere: what is removed from one place is missed."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from numbers_app.management.commands import verify_history
from numbers_app.models import Campaign
from numbers_app.services.checkpoints import CHECKPOINT_EVERY, checkpoint_make, checkpoint_sign
from numbers_app.services.verification import history_verify
from tests.history.conftest import PORTAL, write_change
from tests.history.tampering import guards_lifted, run_sql
from tests.history.test_checkpoints import CHECKPOINT, KEY, rewrite_everything

pytestmark = pytest.mark.django_db

NONE = "There is no checkpoint, neither in the database nor in the file (CHECKPOINT_FILE)"
NO_FILE = "The file of checkpoints (CHECKPOINT_FILE) is missing or empty."


@pytest.fixture(autouse=True)
def signing_key(settings: Any) -> None:
    settings.HISTORY_SIGNING_KEY = KEY


@pytest.fixture
def file(settings: Any) -> Path:
    path: Path = settings.CHECKPOINT_FILE
    return path


def later() -> Any:
    """An hour and some later: what should have been signed, has been."""
    return time_machine.travel(timezone.now() + timedelta(minutes=61))


def problems_later() -> list[str]:
    with later():
        return history_verify().problems


def delete_checkpoints() -> None:
    with guards_lifted():
        run_sql(f"DELETE FROM {CHECKPOINT}")


def test_a_history_rewritten_as_a_whole_is_noticed_without_any_checkpoint(campaign: Campaign, file: Path) -> None:
    checkpoint_make(actor=PORTAL)
    rewrite_everything()
    delete_checkpoints()
    file.unlink()
    [problem] = problems_later()
    assert problem.startswith(NONE)


def test_a_new_history_has_an_hour_for_its_first_checkpoint(campaign: Campaign) -> None:
    assert history_verify().problems == []
    assert timedelta(hours=1) > CHECKPOINT_EVERY


def test_without_a_key_none_are_missed(campaign: Campaign, settings: Any) -> None:
    settings.HISTORY_SIGNING_KEY = b""
    assert problems_later() == []


@pytest.mark.parametrize("key", [KEY, b""])
def test_a_removed_file_is_missed(campaign: Campaign, file: Path, settings: Any, key: bytes) -> None:
    checkpoint_make(actor=PORTAL)
    file.unlink()
    settings.HISTORY_SIGNING_KEY = key
    assert [problem for problem in problems_later() if problem.startswith(NO_FILE)]


def test_a_file_that_a_machine_never_had_is_missed_however_new_the_checkpoint(campaign: Campaign) -> None:
    with later():
        checkpoint_sign(actor=PORTAL)
        [problem] = history_verify().problems
    assert problem.startswith(NO_FILE)
    assert "Run verify_history on the machine where the clock runs" in problem


def test_what_was_signed_a_moment_ago_need_not_be_in_the_file_yet(campaign: Campaign) -> None:
    checkpoint_sign(actor=PORTAL)
    assert history_verify().problems == []


def test_a_line_removed_from_the_file_is_missed(campaign: Campaign, file: Path) -> None:
    checkpoint_make(actor=PORTAL)
    for _ in range(2):
        entry = write_change(campaign, campaign.destination)
        Campaign.objects.update(last_change=entry)
        checkpoint_make(actor=PORTAL)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([lines[0], lines[2]]))
    [problem] = problems_later()
    assert problem.startswith("The checkpoint of entry 2 in the database is not in the file (CHECKPOINT_FILE)")


def test_a_checkpoint_removed_from_the_database_is_missed(campaign: Campaign) -> None:
    checkpoint_make(actor=PORTAL)
    delete_checkpoints()
    [problem] = history_verify().problems
    assert problem.startswith("The checkpoint of entry 1 in the file is not in the database")


def test_a_file_begun_anew_beside_an_old_history_is_an_alarm(
    campaign: Campaign, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoint_make(actor=PORTAL)
    assert "checkpoint_file_begun_anew" not in caplog.text
    file.unlink()
    with later():
        checkpoint_make(actor=PORTAL)
    assert "checkpoint_file_begun_anew" in caplog.text


class TestCopy:
    """``verify_history --checkpoints FILE``."""

    def test_a_copy_finds_what_was_rewritten_and_signed_anew(
        self, campaign: Campaign, file: Path, tmp_path: Path
    ) -> None:
        checkpoint_make(actor=PORTAL)
        copy = file.rename(tmp_path / "copy.jsonl")
        call_command("verify_history", checkpoints=[copy], quiet=True)
        rewrite_everything()
        delete_checkpoints()
        checkpoint_make(actor=PORTAL)
        call_command("verify_history", quiet=True)
        err = StringIO()
        with pytest.raises(CommandError) as failure:
            call_command("verify_history", checkpoints=[copy], stderr=err)
        assert failure.value.returncode == 1
        assert "The checkpoint of entry 1 in copy.jsonl has another hash" in err.getvalue()

    @pytest.mark.parametrize("text", [None, "{"])
    def test_one_that_cannot_be_read_is_said_also_for_machines(self, tmp_path: Path, text: str | None) -> None:
        copy = tmp_path / "copy.jsonl"
        if text:
            copy.write_text(text)
        assert "copy.jsonl" in unchecked(checkpoints=[copy])


def test_a_database_that_fails_is_said_also_for_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_history, "history_verify_and_keep", Mock(side_effect=OperationalError("gone")))
    assert unchecked() == "The history could not be checked: gone"


def unchecked(**options: Any) -> str:
    """The sentence that the command prints as JSON when it ends with 2."""
    out = StringIO()
    with pytest.raises(CommandError) as failure:
        call_command("verify_history", json=True, stdout=out, **options)
    assert failure.value.returncode == 2
    [sentence] = json.loads(out.getvalue())["unchecked"]
    assert sentence == str(failure.value)
    return str(sentence)
