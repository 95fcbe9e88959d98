"""The inventory as CSV: what the list shows, in its order, recorded, safe in a spreadsheet."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, HistoryEntry, User, Verb
from numbers_app.selectors.campaigns import campaign_list
from numbers_app.services import inventory as inventory_service
from numbers_app.services.inventory import COLUMNS, inventory_export
from tests.factories import CampaignFactory

from .page import Page

pytestmark = pytest.mark.django_db

EXPORT = "/numbers/export/"


@pytest.fixture
def inventory(location: Account, elsewhere: Account) -> None:
    CampaignFactory(
        phone_number="3167342202",
        account=location,
        stop_date=date(2027, 5, 1),
        recording=False,
        evaluation="realtime",
        campaign_name="=Spring",
        media_type_id=7,
        notes="Größe\nzwei",
        memo1="'quoted'",
        number_type="local",
        state="KS",
        city="Wichita",
        rate_center="WICHITA",
        confirmed_at=datetime(2026, 11, 2, 12, tzinfo=UTC),
    )
    CampaignFactory(
        phone_number="3167342201",
        account=location,
        confirmed_at=None,
        imported_at=datetime(2026, 11, 3, 12, tzinfo=UTC),
        recording=True,
    )
    CampaignFactory(phone_number="3167342203", account=location, ended_at=timezone.now())
    CampaignFactory(phone_number="3167342204", account=elsewhere)


def body(response: Any) -> bytes:
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def rows_of(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline="")))


@pytest.mark.usefixtures("inventory")
class TestFile:
    def test_a_row_has_every_field_as_an_import_takes_it(self, as_rep: Client) -> None:
        [row] = rows_of(body(as_rep.post(EXPORT, {"q": "2202"})))
        assert tuple(row) == COLUMNS
        assert row == dict.fromkeys(COLUMNS, "") | {
            "phone_number": "3167342202",
            "account": "L-3",
            "destination": "3164447896",
            "stop_date": "2027-05-01",
            "recording": "false",
            "evaluation": "realtime",
            "campaign_name": "'=Spring",
            "media_type_id": "7",
            "notes": "Größe\nzwei",
            "memo1": "''quoted'",
            "status": "stopping",
            "number_type": "local",
            "state": "KS",
            "city": "Wichita",
            "rate_center": "WICHITA",
            "confirmed_at": "2026-11-02T12:00:00+00:00",
        }

    def test_what_is_not_known_is_empty_and_stopped_numbers_say_so(self, as_rep: Client) -> None:
        imported, _, stopped = rows_of(body(as_rep.post(EXPORT, {"sort": "number"})))
        assert (imported["recording"], imported["confirmed_at"]) == ("true", "")
        assert imported["imported_at"] == "2026-11-03T12:00:00+00:00"
        assert (stopped["status"], stopped["recording"], stopped["stop_date"]) == ("stopped", "", "")

    def test_spreadsheets_read_it(self, as_rep: Client) -> None:
        response = as_rep.post(EXPORT)
        assert body(response).startswith(b"\xef\xbb\xbfphone_number,account,")
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        assert response["Content-Disposition"] == f'attachment; filename="numbers-{timezone.localdate()}-3.csv"'

    @pytest.mark.parametrize(
        ("sent", "numbers"),
        [
            ({}, "03 01 02"),
            ({"sort": "number"}, "01 02 03"),
            ({"sort": "stop_date", "page": "2", "per_page": "25"}, "02 01 03"),
            ({"confirmation": "never"}, "01"),
            ({"status": "ended"}, "03"),
            ({"q": "2204"}, ""),
        ],
    )
    def test_it_holds_what_the_filter_finds_in_the_order_of_the_list(
        self, as_rep: Client, sent: dict[str, str], numbers: str
    ) -> None:
        rows = rows_of(body(as_rep.post(EXPORT, sent)))
        assert " ".join(row["phone_number"][-2:] for row in rows) == numbers

    def test_the_lists_own_form_asks_for_what_the_list_shows(self, as_rep: Client) -> None:
        page = Page(as_rep.get("/numbers/", {"confirmation": "confirmed", "sort": "number", "page": "1"}))
        rows = rows_of(body(as_rep.post(EXPORT, page.filled(EXPORT))))
        assert [row["phone_number"][-2:] for row in rows] == ["02", "03"]


@pytest.mark.usefixtures("inventory")
def test_the_export_is_in_the_history_before_it_is_read(as_rep: Client, rep: User) -> None:
    as_rep.post(EXPORT, {"status": "ended", "q": "734"})
    entry = HistoryEntry.objects.get(verb=Verb.INVENTORY_EXPORTED)
    assert entry.actor_id == rep.pk
    assert entry.changes == {
        "format": [None, "CSV"],
        "filters": [None, "number, name, notes or memo: 734; status: ended"],
        "numbers": [None, 1],
    }


@pytest.mark.usefixtures("inventory")
def test_a_filter_that_is_not_understood_leads_back_to_the_list(as_rep: Client) -> None:
    response = as_rep.post(EXPORT, {"status": "lost", "csrfmiddlewaretoken": "x"})
    assert response["Location"] == "/numbers/?status=lost"
    assert not HistoryEntry.objects.filter(verb=Verb.INVENTORY_EXPORTED).exists()


@pytest.mark.usefixtures("inventory")
def test_numbers_that_come_or_change_meanwhile_leave_the_file_whole(
    rep: User, location: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory_service, "ROWS_AT_ONCE", 2)
    made = inventory_export(actor=Actor.person(rep), campaigns=campaign_list(rep), filters="")
    CampaignFactory(phone_number="3167342299", account=location)
    Campaign.objects.filter(phone_number="3167342202").update(notes="Changed")
    with CaptureQueriesContext(connection) as captured:
        rows = rows_of(b"".join(made.stream))
    assert made.count == len(rows) == 3
    assert "3167342299" not in [row["phone_number"] for row in rows]
    assert len(captured) == 2
