"""On PostgreSQL the portal runs as a role that owns nothing: it can lift no guard, nor go around one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from numbers_app.models import Campaign, HistoryEntry
from numbers_app.triggers import triggers_missing
from tests.history.conftest import DESTINATION, MOVED, write_change
from tests.history.tampering import run_sql

HISTORY, CAMPAIGN, CHECKPOINT = "numbers_app_historyentry", "numbers_app_campaign", "numbers_app_checkpoint"
SCRIPT = Path(__file__).parent.parent.parent / "scripts" / "postgres-roles"
NAME = "portal_of_the_tests"


@pytest.fixture
def portals_role(campaign: Campaign) -> Iterator[None]:
    """The rest of the test runs as the role that the deployment's own script makes, until all is rolled back."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no roles")
    connection.check_constraints()
    [statements] = re.findall(r"<<'SQL'\n(.*?)\nSQL\n", SCRIPT.read_text(), re.DOTALL)
    statements = statements.replace(':"role"', NAME).replace(":'password'", "'x'")
    statements = statements.replace(':"DBNAME"', connection.ops.quote_name(connection.settings_dict["NAME"]))
    # The script grants on tables to come; those of the tests are there already.
    statements = re.sub(
        r"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT (.+?) ON (TABLES|SEQUENCES)",
        r"GRANT \1 ON ALL \2 IN SCHEMA public",
        statements,
    )
    with transaction.atomic():
        run_sql(statements)
        run_sql(f"SET LOCAL ROLE {NAME}")
        yield
        transaction.set_rollback(True)


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("portals_role")]

FUNCTION = "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"


@pytest.mark.parametrize(
    "statement",
    [
        f"ALTER TABLE {HISTORY} DISABLE TRIGGER ALL",
        f"ALTER TABLE {HISTORY} DISABLE TRIGGER history_refuse_change",
        f"ALTER TABLE {HISTORY} ENABLE REPLICA TRIGGER history_refuse_change",
        f"ALTER TABLE {CAMPAIGN} DISABLE TRIGGER campaign_needs_history",
        f"DROP TRIGGER history_refuse_change ON {HISTORY}",
        f"DROP TRIGGER campaign_needs_history ON {CAMPAIGN}",
        f"CREATE TRIGGER aaa BEFORE UPDATE ON {HISTORY} FOR EACH ROW EXECUTE FUNCTION portal_refuse()",
        f"CREATE RULE aaa AS ON INSERT TO {HISTORY} DO INSTEAD NOTHING",
        f"TRUNCATE {HISTORY} CASCADE",
        f"TRUNCATE {CAMPAIGN} CASCADE",
        f"TRUNCATE {CHECKPOINT}",
        f"DROP TABLE {HISTORY} CASCADE",
        f"ALTER TABLE {HISTORY} DROP COLUMN reason",
        f"ALTER TABLE {HISTORY} DROP CONSTRAINT history_verb_known",
        f"ALTER TABLE {HISTORY} RENAME TO elsewhere",
        f"ALTER TABLE {HISTORY} SET SCHEMA pg_temp",
        f"ALTER TABLE {HISTORY} OWNER TO {NAME}",
        f"ALTER TABLE {CAMPAIGN} ADD COLUMN extra int",
        "SET session_replication_role = replica",
        f"CREATE OR REPLACE FUNCTION portal_refuse() {FUNCTION}",
        f"CREATE OR REPLACE FUNCTION portal_campaign_guard() {FUNCTION}",
        "ALTER FUNCTION portal_refuse() RENAME TO elsewhere",
        "ALTER FUNCTION portal_campaign_guard() SET search_path = pg_temp",
        "DROP FUNCTION portal_refuse() CASCADE",
        "CREATE TABLE public.mine (id int)",
        f"CREATE FUNCTION public.mine() {FUNCTION}",
        "UPDATE pg_trigger SET tgenabled = 'D'",
        f"ALTER ROLE {NAME} SUPERUSER",
    ],
)
def test_no_guard_can_be_lifted(statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"must be|permission denied|owner"):
        run_sql(statement)
    assert triggers_missing(connection) == []


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE {HISTORY} SET reason = 'another'",
        f"DELETE FROM {HISTORY}",
        f"DELETE FROM {CAMPAIGN}",
        f"UPDATE {CAMPAIGN} SET destination = '{MOVED}'",
    ],
)
def test_the_guards_hold_for_it_too(statement: str) -> None:
    with pytest.raises(IntegrityError):
        run_sql(statement)


def test_a_table_of_its_own_does_not_stand_in_for_the_history(campaign: Campaign) -> None:
    """A temporary table of the same name is found first, unless the guard says which one it means."""
    entry = write_change(campaign, "3165550199")
    run_sql(f"CREATE TEMPORARY TABLE {HISTORY} (LIKE public.{HISTORY})")
    run_sql(f"INSERT INTO pg_temp.{HISTORY} SELECT * FROM public.{HISTORY}")
    run_sql(f"UPDATE pg_temp.{HISTORY} SET destination = '{MOVED}'")
    with pytest.raises(IntegrityError):
        run_sql(f"UPDATE {CAMPAIGN} SET destination = %s, last_change_id = %s", MOVED, entry.sequence)
    campaign.refresh_from_db()
    assert campaign.destination == DESTINATION


def test_the_portal_can_work_as_that_role(campaign: Campaign) -> None:
    entry = write_change(campaign, MOVED)
    assert Campaign.objects.filter(pk=campaign.pk).update(destination=MOVED, last_change=entry) == 1
    assert HistoryEntry.objects.count() == 2
