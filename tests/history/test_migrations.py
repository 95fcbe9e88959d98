"""The guards stay in force through migrations, and their absence is seen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.core.management.sql import emit_pre_migrate_signal
from django.db import IntegrityError, connection, migrations

from numbers_app import migrations as real_migrations
from numbers_app.models import Account, Campaign, HistoryEntry
from numbers_app.triggers import triggers_drop, triggers_install, triggers_missing
from tests.factories import CampaignFactory
from tests.history.tampering import run_sql

NEXT = "9999_longer"
ALTERING = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("numbers_app", "LATEST")]
    operations = [
        migrations.AlterField("historyentry", "role", models.CharField(max_length=101)),
        migrations.AlterField("campaign", "destination", models.CharField(max_length=11)),
    ]
"""


@pytest.fixture
def next_release(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The migrations of a release to come, which rebuilds both guarded tables. Returns the present's last one."""
    package = tmp_path / "migrations_to_come"
    shutil.copytree(Path(str(real_migrations.__file__)).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    latest = max(path.stem for path in package.glob("0*.py"))
    (package / f"{NEXT}.py").write_text(ALTERING.replace("LATEST", latest))
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"numbers_app": "migrations_to_come"}
    return latest


@pytest.mark.django_db(transaction=True)
def test_guards_survive_a_migration_that_rebuilds_their_tables(next_release: str, location: Account) -> None:
    CampaignFactory(phone_number="3167342253", account=location)
    call_command("migrate", "numbers_app", NEXT, verbosity=0)
    try:
        assert triggers_missing(connection) == []
        with pytest.raises(IntegrityError):
            run_sql("UPDATE numbers_app_campaign SET destination = '3165550100'")
        with pytest.raises(IntegrityError):
            run_sql("DELETE FROM numbers_app_historyentry")
    finally:
        call_command("migrate", "numbers_app", next_release, verbosity=0)
    assert triggers_missing(connection) == []
    assert (Campaign.objects.count(), HistoryEntry.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_guards_stay_in_force_when_there_is_nothing_to_migrate() -> None:
    emit_pre_migrate_signal(0, False, "default", plan=[])
    assert triggers_missing(connection) == []


@pytest.mark.django_db
def test_guards_step_aside_while_something_is_migrated() -> None:
    plan = [(migrations.Migration("next", "numbers_app"), False)]
    emit_pre_migrate_signal(0, False, "default", plan=plan)
    assert len(triggers_missing(connection)) > 1


@pytest.fixture
def empty_database() -> Iterator[None]:
    """A database before the first migration, as far as the guards can see."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE numbers_app_campaign RENAME TO hidden_campaign")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE hidden_campaign RENAME TO numbers_app_campaign")


@pytest.mark.django_db
def test_database_before_its_first_migration_has_nothing_to_guard(empty_database: None) -> None:
    triggers_install(connection)
    triggers_drop(connection)
    assert triggers_missing(connection) == []


@pytest.mark.django_db
def test_check_is_silent_while_the_guards_are_in_place() -> None:
    assert run_checks(tags=[Tags.database], databases=["default"]) == []


@pytest.mark.django_db
def test_check_names_the_missing_guards_and_what_to_do() -> None:
    triggers_drop(connection)
    [error] = run_checks(tags=[Tags.database], databases=["default"])
    assert error.id == "numbers_app.E001"
    assert error.is_serious()
    assert "campaign_refuse_delete" in error.msg
    assert "migrate --skip-checks" in str(error.hint)


@pytest.mark.django_db
def test_migrate_puts_missing_guards_back() -> None:
    triggers_drop(connection)
    call_command("migrate", skip_checks=True, verbosity=0)
    assert triggers_missing(connection) == []
