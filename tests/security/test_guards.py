"""The database itself refuses what would falsify the security log."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from numbers_app.models import SecurityEvent, SecurityEventKind
from tests.history.tampering import run_sql

pytestmark = pytest.mark.django_db

TABLE = "numbers_app_securityevent"

everywhere = [
    f"UPDATE {TABLE} SET person = 'another'",
    f"UPDATE {TABLE} SET kind = kind",
    f"DELETE FROM {TABLE}",
    f"INSERT INTO {TABLE} SELECT * FROM {TABLE} WHERE true ON CONFLICT (id) DO UPDATE SET person = 'another'",
]
of_sqlite = [
    f"INSERT OR REPLACE INTO {TABLE} SELECT * FROM {TABLE}",
    f"REPLACE INTO {TABLE} SELECT * FROM {TABLE}",
    f"UPDATE OR REPLACE {TABLE} SET id = id + 1",
]
of_postgresql = [f"TRUNCATE {TABLE}", f"TRUNCATE {TABLE} CASCADE"]


@pytest.fixture
def event() -> SecurityEvent:
    return SecurityEvent.objects.create(at=timezone.now(), kind=SecurityEventKind.SIGN_IN_FAILED, person="ghost")


def refused(statement: str) -> None:
    before = list(SecurityEvent.objects.values())
    with pytest.raises(IntegrityError):
        run_sql(statement)
    assert list(SecurityEvent.objects.values()) == before


@pytest.mark.parametrize("statement", everywhere)
def test_a_falsifying_statement_is_refused(event: SecurityEvent, statement: str) -> None:
    refused(statement)


def test_statements_that_only_this_database_knows_are_refused(event: SecurityEvent) -> None:
    for statement in of_sqlite if connection.vendor == "sqlite" else of_postgresql:
        refused(statement)


def test_save_and_delete_of_an_event_are_refused(event: SecurityEvent) -> None:
    event.person = "another"
    with pytest.raises(IntegrityError), transaction.atomic():
        event.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        event.delete()
    assert SecurityEvent.objects.get().person == "ghost"


def test_a_kind_that_is_not_on_the_list_is_refused() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        SecurityEvent.objects.create(at=timezone.now(), kind="all_is_well")


def test_another_event_is_added_freely(event: SecurityEvent) -> None:
    SecurityEvent.objects.create(at=timezone.now(), kind=SecurityEventKind.REFUSED)
    assert SecurityEvent.objects.count() == 2
