"""The page of the security log: for who sees all, by kind, name, address and day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from numbers_app.models import SecurityEvent, SecurityEventKind, User
from tests.web.page import Page

from .conftest import HERE

pytestmark = pytest.mark.django_db

URL = "/security/"
ELSEWHERE = "2001:db8::7"


def note(kind: str = "signed_in", person: str = "rep", address: str = HERE, at: datetime | None = None) -> None:
    SecurityEvent.objects.create(
        kind=SecurityEventKind(kind), person=person, address=address, at=at or timezone.now(), path="/accounts/login/"
    )


@pytest.fixture
def as_auditor(auditor: User, signed_in: Any) -> Client:
    auditor.time_zone = "America/Chicago"
    auditor.save()
    client: Client = signed_in(auditor)
    return client


def names(client: Client, **query: str) -> list[str]:
    """The names of the rows, top to bottom."""
    page = Page(client.get(URL, query))
    assert page.status == 200
    return [cell.text for cell in page.all("td", data_label="Who")]


def test_only_who_sees_all_may_read_it(rep: User, manager: User, auditor: User, admin: User, signed_in: Any) -> None:
    answers = {user.username: signed_in(user).get(URL).status_code for user in (rep, manager, auditor, admin)}
    assert answers == {"rep": 403, "manager": 403, "auditor": 200, "admin": 200}


def test_the_navigation_leads_there_whom_it_lets_in(rep: User, as_auditor: Client, signed_in: Any) -> None:
    assert Page(as_auditor.get("/")).links("Security") == [URL]
    assert Page(signed_in(rep).get("/")).links("Security") == []


def test_a_row_says_what_who_where_why_and_when(as_auditor: Client) -> None:
    SecurityEvent.objects.create(
        kind=SecurityEventKind.REFUSED,
        person="<b>rep</b>",
        address=HERE,
        path="/search/",
        detail="Not your role",
        at=datetime(2026, 11, 23, 18, 0, 5, tzinfo=UTC),
    )
    page = Page(as_auditor.get(URL))
    [row] = page.one("tbody").all("tr")
    for word in ("Refused", "<b>rep</b>", HERE, "/search/", "Not your role", "12:00", "CST", "2026-11-23 18:00:05 UTC"):
        assert word in row.text
    assert not page.all("b")


def test_newest_come_first(as_auditor: Client) -> None:
    now = timezone.now()
    for hours, person in ((3, "oldest"), (1, "newest"), (2, "middle")):
        note(person=person, at=now - timedelta(hours=hours))
    assert names(as_auditor) == ["newest", "middle", "oldest"]


def test_kind_name_and_address_narrow_the_list(as_auditor: Client) -> None:
    note("sign_in_failed", "rep")
    note("signed_in", "rep", ELSEWHERE)
    note("signed_in", "manager")
    note("sign_in_failed", "rep\\nroot")
    assert names(as_auditor, kind="signed_in") == ["manager", "rep"]
    assert names(as_auditor, person="rep") == ["rep", "rep"]
    assert names(as_auditor, person="re") == []
    assert names(as_auditor, person="rep\nroot") == ["rep\\nroot"]
    assert names(as_auditor, address=ELSEWHERE, kind="signed_in") == ["rep"]


def test_days_are_those_of_the_reader(as_auditor: Client) -> None:
    # Chicago is six hours behind: the 23rd there goes from 06:00 to 06:00 UTC.
    for person, moment in {
        "before": datetime(2026, 11, 23, 5, 59, 59, tzinfo=UTC),
        "first": datetime(2026, 11, 23, 6, 0, tzinfo=UTC),
        "last": datetime(2026, 11, 24, 5, 59, 59, tzinfo=UTC),
        "after": datetime(2026, 11, 24, 6, 0, tzinfo=UTC),
    }.items():
        note(person=person, at=moment)
    assert names(as_auditor, date_from="2026-11-23", date_to="2026-11-23") == ["last", "first"]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_days_at_the_end_of_time_are_understood(as_auditor: Client, day: str) -> None:
    assert as_auditor.get(URL, {"date_from": day, "date_to": day}).status_code == 200


@pytest.mark.parametrize(
    ("field", "typed"),
    [("kind", "nonsense"), ("date_from", "31/31/2026"), ("person", "a\x00b"), ("address", "1" * 46)],
)
def test_a_filter_that_makes_no_sense_is_a_422_and_lists_nothing(as_auditor: Client, field: str, typed: str) -> None:
    note()
    page = Page(as_auditor.get(URL, {field: typed}))
    assert page.status == 422
    assert page.error_at(field)
    assert not page.all("tbody")


def test_pages_lead_on_by_key_and_keep_the_filter(as_auditor: Client) -> None:
    moment = timezone.now()
    for number in range(53):
        note(person="rep", at=moment - timedelta(minutes=number))
        note(person="other", at=moment)
    page = Page(as_auditor.get(URL, {"person": "rep"}))
    assert len(page.all("td", data_label="Who")) == 50
    [older] = page.links("Older")
    rest = Page(as_auditor.get(URL + older))
    assert [cell.text for cell in rest.all("td", data_label="Who")] == ["rep"] * 3
    assert "Older" not in rest.one("nav", aria_label="Security log: pages").text


def test_htmx_gets_the_events_alone(as_auditor: Client) -> None:
    note()
    page = Page(as_auditor.get(URL, headers={"HX-Request": "true"}))
    assert page.all("div", id="events")
    assert not page.all("nav", aria_label="Main")


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({}, "security_by_time"),
        ({"kind": "refused"}, "security_by_kind"),
        ({"person": "rep"}, "security_by_person"),
        ({"address": HERE}, "security_by_address"),
        ({"date_from": "2026-11-23", "date_to": "2026-11-24"}, "security_by_time"),
    ],
)
def test_an_index_answers_each_filter(as_auditor: Client, query: dict[str, str], index: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        as_auditor.get(URL, query)
    [sql] = [q["sql"] for q in queries if 'FROM "numbers_app_securityevent"' in q["sql"]]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A table as small as this one would be read whole.
            for way in ("seqscan", "bitmapscan", "sort"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(f"EXPLAIN {'QUERY PLAN' if connection.vendor == 'sqlite' else ''} {sql}")
        plan = " ".join(str(row[-1]) for row in cursor.fetchall())
    assert index in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan
