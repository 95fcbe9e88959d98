"""An archive of evidence: what is in it, where it ends, that it is recorded first and comes out in parts."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from numbers_app.errors import InvalidInput
from numbers_app.models import Checkpoint, HistoryEntry, User, Verb
from numbers_app.selectors import history_texts as reading
from numbers_app.services import evidence
from numbers_app.services.checkpoints import checkpoint_as_json, checkpoint_make
from numbers_app.services.evidence import evidence_export
from numbers_app.services.history import history_append
from tests.evidence.archives import lines_of, make_archive, unpack
from tests.evidence.conftest import PUBLIC_KEY
from tests.history.conftest import PORTAL
from tests.web.page import Page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("signing_key")]

EVIDENCE = "/history/evidence/"


@pytest.fixture
def archive(history: list[HistoryEntry], tmp_path: Path) -> dict[str, bytes]:
    return unpack(make_archive(tmp_path / "evidence.zip"))


def test_it_holds_every_entry_oldest_first(archive: dict[str, bytes], history: list[HistoryEntry]) -> None:
    lines = lines_of(archive, "entries.jsonl")
    assert lines == [
        {"canonical": entry.canonical, "previous_hash": entry.previous_hash, "hash": entry.hash} for entry in history
    ]


def test_the_last_entry_was_signed_for_it(archive: dict[str, bytes]) -> None:
    checkpoint = Checkpoint.objects.get()
    assert checkpoint.sequence == 4
    assert lines_of(archive, "checkpoints.jsonl") == [checkpoint_as_json(checkpoint)]


def test_it_names_present_and_former_keys(history: list[HistoryEntry], settings: Any, tmp_path: Path) -> None:
    settings.HISTORY_FORMER_PUBLIC_KEYS = ["former"]
    files = unpack(make_archive(tmp_path / "evidence.zip"))
    assert json.loads(files["public-keys.json"]) == {"present": PUBLIC_KEY, "former": ["former"]}


def test_the_manifest_describes_it(archive: dict[str, bytes], history: list[HistoryEntry], settings: Any) -> None:
    manifest = json.loads(archive["manifest.json"])
    assert manifest["files"] == {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for name, content in archive.items()
        if name != "manifest.json"
    }
    assert (manifest["first"], manifest["last"], manifest["count"]) == (1, 4, 4)
    assert (manifest["previous_hash"], manifest["head_hash"]) == ("0" * 64, history[-1].hash)
    assert (manifest["made_by"], manifest["portal"]) == ("Test", settings.SITE_URL)
    assert manifest["version"] == "numbers-portal/evidence/1"


def test_program_and_instructions_are_those_of_the_repository(archive: dict[str, bytes]) -> None:
    for name in ("verify.py", "README.txt"):
        assert archive[name] == (evidence.INSTRUCTIONS / name).read_bytes()


def test_it_is_in_the_history_before_the_first_byte_and_not_in_itself(history: list[HistoryEntry]) -> None:
    made = evidence_export(actor=PORTAL)
    entry = HistoryEntry.objects.latest("sequence")
    assert (entry.verb, entry.changes) == (Verb.EVIDENCE_EXPORTED, {"entries": [None, "1 to 4"]})
    assert (made.first, made.last) == (1, 4)
    with zipfile.ZipFile(io.BytesIO(b"".join(made.stream))) as archive:
        assert archive.read("entries.jsonl").count(b"\n") == 4


def test_a_part_ends_at_the_next_signed_entry(history: list[HistoryEntry]) -> None:
    checkpoint_make(actor=PORTAL)  # of entry 4
    for _ in range(3):
        history_append(actor=PORTAL, verb=Verb.ORDER_COMMENTED)
    made = evidence_export(actor=PORTAL, first=2, last=3)
    assert (made.first, made.last) == (2, 4)
    assert evidence_export(actor=PORTAL, first=5, last=7).last == 7


@pytest.mark.parametrize(
    ("first", "last", "field", "sentence"),
    [
        (None, 5, "last", "The newest entry is 4."),
        (4, 2, "first", "There is no entry from 4 to 2."),
        (5, None, "first", "There is no entry from 5 to 4."),
    ],
)
def test_entries_that_are_not_there_are_refused(
    history: list[HistoryEntry], first: int | None, last: int | None, field: str, sentence: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        evidence_export(actor=PORTAL, first=first, last=last)
    assert (refused.value.field, refused.value.message) == (field, sentence)
    assert not HistoryEntry.objects.filter(verb=Verb.EVIDENCE_EXPORTED).exists()


def test_an_empty_history_is_no_evidence() -> None:
    with pytest.raises(InvalidInput, match="no entries yet"):
        evidence_export(actor=PORTAL)


def test_it_comes_out_in_parts_and_an_error_breaks_it_off(
    history: list[HistoryEntry], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(evidence, "PART", 1)
    monkeypatch.setattr(reading, "SPAN", 1)
    made = evidence_export(actor=PORTAL)
    parts = [next(made.stream) for _ in range(2)]
    monkeypatch.setattr(evidence, "history_texts", None)
    with pytest.raises(TypeError):
        parts += list(made.stream)
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(b"".join(parts)))
    assert "evidence_export_cut" in caplog.text


class TestPage:
    def test_it_says_what_there_is_and_shows_the_key(
        self, history: list[HistoryEntry], auditor: User, signed_in: Any
    ) -> None:
        page = Page(signed_in(auditor).get(EVIDENCE))
        assert page.heading == "Evidence"
        assert PUBLIC_KEY in page.text

    def test_it_says_that_nothing_is_signed(self, auditor: User, signed_in: Any, settings: Any) -> None:
        settings.HISTORY_SIGNING_KEY = b""
        assert "no key to sign with" in Page(signed_in(auditor).get(EVIDENCE)).text

    def test_the_archive_is_downloaded(self, history: list[HistoryEntry], auditor: User, signed_in: Any) -> None:
        response = signed_in(auditor).post(EVIDENCE, {"first": "", "last": "3"})
        assert response["Content-Type"] == "application/zip"
        assert response["Content-Disposition"].startswith('attachment; filename="evidence-')
        with zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content))) as archive:
            assert archive.testzip() is None
        assert HistoryEntry.objects.latest("sequence").actor_name == "Auditor Test"

    @pytest.mark.parametrize(
        ("sent", "field", "sentence"),
        [
            ({"last": "9"}, "last", "The newest entry is 4."),
            ({"first": "9"}, "first", "There is no entry from 9 to 4."),
            ({"first": "0"}, "first", "greater than or equal to 1"),
            ({"last": "99999999999999999999"}, "last", "less than or equal to"),
            ({"first": "one"}, "first", "Enter a whole number."),
        ],
    )
    def test_bad_input_gets_a_sentence_at_its_field_and_is_kept(
        self,
        history: list[HistoryEntry],
        auditor: User,
        signed_in: Any,
        sent: dict[str, str],
        field: str,
        sentence: str,
    ) -> None:
        response = signed_in(auditor).post(EVIDENCE, sent)
        page = Page(response)
        assert response.status_code == 422
        assert sentence in page.error_at(field)
        assert page.value(field) == sent[field]

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_who_does_not_see_everything_is_refused(self, rep: User, signed_in: Any, method: str) -> None:
        client: Client = signed_in(rep)
        assert getattr(client, method)(EVIDENCE).status_code == 403
        assert not HistoryEntry.objects.filter(verb=Verb.EVIDENCE_EXPORTED).exists()
