"""The history as CSV or JSON lines: what the person's filter shows, recorded first, and never cut short unnoticed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import GENESIS_HASH, Account, HistoryEntry, User, Verb
from numbers_app.selectors import history_texts as reading
from numbers_app.selectors.history import history_list
from numbers_app.services import exports
from numbers_app.services.exports import ExportBroken, ExportFormat, HistoryExport, history_export
from numbers_app.services.history import history_append
from tests.factories import LocationFactory
from tests.history.conftest import CAKE, MOVED, PORTAL

pytestmark = pytest.mark.django_db

EXPORT = "/history/export/"


@pytest.fixture
def auditing(auditor: User, signed_in: Any) -> Client:
    client: Client = signed_in(auditor)
    return client


def body(response: Any) -> bytes:
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def rows_of(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline="")))


def export(user: User, file_format: ExportFormat = ExportFormat.CSV) -> HistoryExport:
    return history_export(actor=Actor.person(user), entries=history_list(user), filters="", file_format=file_format)


@pytest.mark.usefixtures("history")
class TestCsv:
    def test_a_row_for_each_entry_oldest_first_with_every_field(self, auditing: Client) -> None:
        rows = rows_of(body(auditing.post(EXPORT, {"format": "csv"})))
        assert [row["sequence"] for row in rows] == ["1", "2", "3", "4"]
        moved, commented = rows[1], rows[2]
        assert (moved["number"], moved["destination"], moved["verb"]) == (CAKE, MOVED, "number.changed")
        assert moved["at"] == "2026-11-02T12:00:00.000000+00:00"
        assert json.loads(moved["changes"]) == {"destination": ["3164447896", MOVED]}
        assert (moved["order_id"], moved["stop_date"]) == ("", "")
        assert commented["reason"] == "Größe\nzwei, “drei”"
        fields = {field.name for field in HistoryEntry._meta.concrete_fields} - {"canonical"}
        assert set(rows[0]) == fields

    def test_spreadsheets_read_it(self, auditing: Client) -> None:
        response = auditing.post(EXPORT, {"format": "csv"})
        text = body(response)
        assert text.startswith(b"\xef\xbb\xbfsequence,at,actor_name,")
        assert text.count(b"\r\n") == 5
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert response["Content-Disposition"].startswith('attachment; filename="history-')
        assert response["Content-Disposition"].endswith('-4-entries.csv"')


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\rx",
        "  =1+1",
        "\n=1+1",
        "\ufeff=1+1",
        "\u200b=1+1",
        "\u00a0@x",
        "＝1+1",
        "＋1",
        "－1",
        "＠x",
        "'=1+1",
        "'quoted'",
    ],
)
def test_no_cell_is_a_formula_and_the_text_can_be_had_back(text: str, auditor: User) -> None:
    history_append(actor=PORTAL, verb=Verb.ORDER_COMMENTED, reason=text)
    [row] = rows_of(b"".join(export(auditor).stream))
    assert row["reason"] == f"'{text}"
    assert row["reason"].removeprefix("'") == text


@pytest.mark.parametrize("text", ["a=1", "(316) 734-2253", "1-2", "", "It's fine", "Ünder", "“x”"])
def test_harmless_text_is_left_as_it_is(text: str, auditor: User) -> None:
    history_append(actor=PORTAL, verb=Verb.ORDER_COMMENTED, reason=text)
    [row] = rows_of(b"".join(export(auditor).stream))
    assert row["reason"] == text


def test_what_is_no_text_of_any_encoding_is_written_as_its_escape(auditor: User) -> None:
    entry = history_append(actor=PORTAL, verb=Verb.ORDER_COMMENTED, reason="x")
    broken = entry.canonical.replace('"reason":"x"', '"reason":"\\ud800"')
    parts = exports._to_the_end(exports._csv(iter([[(broken, entry.previous_hash, entry.hash)]])), 1)
    assert rows_of(b"".join(parts))[0]["reason"] == "\\ud800"


@pytest.mark.usefixtures("history")
class TestJsonLines:
    def test_each_line_has_the_hashed_text_and_its_hashes(self, auditing: Client) -> None:
        response = auditing.post(EXPORT, {"format": "jsonl"})
        previous = GENESIS_HASH
        lines = body(response).decode("ascii").splitlines()
        assert len(lines) == 4
        for line, entry in zip(lines, HistoryEntry.objects.order_by("sequence"), strict=False):
            said = json.loads(line)
            assert said.pop("previous_hash") == previous
            own = said.pop("hash")
            canonical = json.dumps(said, sort_keys=True, separators=(",", ":"))
            assert canonical == entry.canonical
            text = f"numbers-portal/history/1\n{canonical}\n{previous}"
            assert hashlib.sha256(text.encode()).hexdigest() == own
            previous = own
        assert response["Content-Type"] == "application/x-ndjson"
        assert response["Content-Disposition"].endswith('-4-entries.jsonl"')


@pytest.mark.usefixtures("history")
class TestFilter:
    @pytest.mark.parametrize("file_format", ["csv", "jsonl"])
    @pytest.mark.parametrize(
        "filters",
        [
            {"number": CAKE},
            {"number": CAKE, "date_from": "2026-11-02"},
            {"verb": "number.changed"},
            {"order": "7"},
            {"actor": "factory"},
            {"date_to": "2026-11-01"},
            {"number": "3160000000"},
        ],
    )
    def test_the_file_has_what_the_list_shows(
        self, auditing: Client, filters: dict[str, str], file_format: str
    ) -> None:
        listed = [entry.sequence for entry in auditing.get("/history/", filters).context["page"].rows]
        text = body(auditing.post(EXPORT, filters | {"format": file_format}))
        found = rows_of(text) if file_format == "csv" else [json.loads(line) for line in text.splitlines()]
        assert [int(row["sequence"]) for row in found] == listed[::-1]

    def test_days_are_those_of_the_readers_zone(self, auditing: Client, auditor: User) -> None:
        auditor.time_zone = "Pacific/Kiritimati"  # 14 hours ahead: noon in UTC is the next day there
        auditor.save()
        rows = rows_of(body(auditing.post(EXPORT, {"format": "csv", "date_from": "2026-11-05"})))
        assert [row["sequence"] for row in rows] == ["4"]

    def test_a_person_gets_granted_accounts_only(self, rep: User, signed_in: Any) -> None:
        LocationFactory(key="L-30", callcap_id=30)
        with transaction.atomic():
            for key in ("L-30", ""):
                history_append(actor=PORTAL, verb=Verb.ACCOUNT_CHANGED, account_key=key)
        rows = rows_of(body(signed_in(rep).post(EXPORT, {"format": "csv"})))
        assert {row["account_key"] for row in rows} == {"L-3"}
        assert len(rows) == 4

    def test_a_filter_that_is_not_understood_leads_to_the_sentence_at_its_field(self, auditing: Client) -> None:
        response = auditing.post(EXPORT, {"format": "csv", "date_from": "yesterday", "number": CAKE}, follow=True)
        assert response.redirect_chain == [(f"/history/?date_from=yesterday&number={CAKE}", 302)]
        assert response.status_code == 422
        assert "Enter a valid date" in response.content.decode()
        assert not HistoryEntry.objects.filter(verb=Verb.HISTORY_EXPORTED).exists()

    @pytest.mark.parametrize("file_format", ["", "xlsx", "\x00"])
    def test_an_unknown_format_leads_back_with_a_sentence(self, auditing: Client, file_format: str) -> None:
        response = auditing.post(EXPORT, {"format": file_format, "number": CAKE}, follow=True)
        assert response.redirect_chain[0][0] == f"/history/?number={CAKE}"
        assert "Choose CSV or JSON lines." in response.content.decode()

    def test_the_lists_page_offers_its_filter_without_its_place(self, auditing: Client, rf: Any) -> None:
        request = rf.get("/history/", {"number": CAKE, "before": "7", "after": "3"})
        html = exports_form(request)
        assert f'name="number" value="{CAKE}"' in html
        assert "before" not in html
        assert 'name="format" value="csv"' in html
        assert 'name="format" value="jsonl"' in html


def exports_form(request: Any) -> str:
    from django.contrib.auth.models import AnonymousUser
    from django.template.loader import render_to_string

    request.user = AnonymousUser()
    return render_to_string("history/export.html", {"request": request, "sees_all": True})


@pytest.mark.usefixtures("history")
class TestRecord:
    def test_the_export_is_in_the_history_with_filter_and_count(self, auditing: Client, auditor: User) -> None:
        auditing.post(EXPORT, {"format": "jsonl", "number": CAKE, "date_from": "2026-11-02"})
        entry = HistoryEntry.objects.latest("sequence")
        assert (entry.verb, entry.actor_id, entry.account_key) == (Verb.HISTORY_EXPORTED, auditor.pk, "")
        assert entry.changes == {
            "format": [None, "JSON lines"],
            "filters": [None, f"number: {CAKE}; from: 2026-11-02"],
            "entries": [None, 2],
        }
        assert entry.request_id

    def test_it_is_there_before_the_first_byte(self, auditor: User) -> None:
        made = export(auditor)
        assert HistoryEntry.objects.latest("sequence").verb == Verb.HISTORY_EXPORTED
        assert (made.count, HistoryEntry.objects.latest("sequence").changes["filters"]) == (4, [None, "none"])

    def test_what_is_appended_meanwhile_is_not_in_the_file(self, auditor: User) -> None:
        made = export(auditor)
        with time_machine.travel(datetime(2026, 10, 1, tzinfo=UTC), tick=False):
            history_append(actor=PORTAL, verb=Verb.ORDER_COMMENTED)
        assert len(rows_of(b"".join(made.stream))) == made.count == 4

    def test_a_rep_does_not_read_of_exports(self, rep: User, auditor: User) -> None:
        export(auditor)
        assert not history_list(rep).filter(verb=Verb.HISTORY_EXPORTED).exists()


@pytest.mark.usefixtures("history")
class TestBreakingOff:
    def test_a_database_that_fails_midway_ends_the_stream_with_its_error(
        self, auditor: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(reading, "SPAN", 1)
        made = export(auditor)
        next(made.stream)
        monkeypatch.setattr(exports.json, "loads", _fail)
        with pytest.raises(DatabaseError):
            list(made.stream)
        assert "history_export_cut" in caplog.text

    def test_an_account_that_leaves_the_persons_reach_meanwhile_breaks_it_off(
        self, rep: User, caplog: pytest.LogCaptureFixture
    ) -> None:
        made = export(rep)
        Account.objects.filter(key="L-3").update(path="/C-9/D-9/L-3/")
        with pytest.raises(ExportBroken, match="0 of 4 entries"):
            list(made.stream)
        assert "history_export_cut" in caplog.text

    def test_a_reader_who_goes_away_is_logged(self, auditor: User, caplog: pytest.LogCaptureFixture) -> None:
        made = export(auditor)
        next(made.stream)
        made.stream.close()  # type: ignore[attr-defined]
        assert "history_export_cut" in caplog.text

    def test_memory_holds_one_span_at_a_time(self, auditor: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reading, "SPAN", 3)
        parts = list(export(auditor, ExportFormat.JSON_LINES).stream)
        assert [part.count(b"\n") for part in parts] == [3, 1]


def _fail(*arguments: Any) -> None:
    raise DatabaseError("gone")
