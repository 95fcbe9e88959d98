"""The database itself refuses what would falsify the history or the mirror."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from numbers_app.models import Campaign, HistoryEntry, User, Verb
from numbers_app.services.history import NumberState, history_append
from numbers_app.triggers import triggers_install, triggers_missing
from tests.factories import CampaignFactory
from tests.history.conftest import CAKE, DESTINATION, MOVED, PORTAL, write_change
from tests.history.tampering import run_sql

pytestmark = pytest.mark.django_db

HISTORY, CAMPAIGN = "numbers_app_historyentry", "numbers_app_campaign"

sqlite_only = [
    f"INSERT OR REPLACE INTO {HISTORY} SELECT * FROM {HISTORY}",
    f"REPLACE INTO {HISTORY} SELECT * FROM {HISTORY}",
    f"UPDATE OR REPLACE {HISTORY} SET hash = previous_hash",
    f"INSERT OR REPLACE INTO {CAMPAIGN} SELECT * FROM {CAMPAIGN}",
    f"UPDATE OR REPLACE {CAMPAIGN} SET id = id + 1",
]
postgresql_only = [
    f"TRUNCATE {HISTORY} CASCADE",
    f"TRUNCATE {CAMPAIGN} CASCADE",
    f"MERGE INTO {HISTORY} old USING {HISTORY} new ON old.sequence = new.sequence"
    " WHEN MATCHED THEN UPDATE SET reason = 'another'",
    f"MERGE INTO {CAMPAIGN} old USING {CAMPAIGN} new ON old.id = new.id"
    f" WHEN MATCHED THEN UPDATE SET destination = '{MOVED}'",
    f"WITH gone AS (DELETE FROM {HISTORY} RETURNING *) SELECT count(*) FROM gone",
    # Triggers that are not ENABLE ALWAYS are switched off like that.
    f"SET LOCAL session_replication_role = replica; UPDATE {HISTORY} SET reason = 'another'",
    f"SET LOCAL session_replication_role = replica; UPDATE {CAMPAIGN} SET destination = '{MOVED}'",
]
everywhere = [
    f"UPDATE {HISTORY} SET reason = 'another'",
    f"UPDATE {HISTORY} SET hash = hash",
    f"DELETE FROM {HISTORY}",
    *(
        f"INSERT INTO {HISTORY} SELECT * FROM {HISTORY} WHERE true ON CONFLICT ({key}) DO UPDATE SET reason = 'another'"
        for key in ("sequence", "hash", "previous_hash")
    ),
    f"DELETE FROM {CAMPAIGN}",
    f"UPDATE {CAMPAIGN} SET destination = '{MOVED}'",
    f"UPDATE {CAMPAIGN} SET phone_number = '3164440000'",
    f"UPDATE {CAMPAIGN} SET stop_date = '2099-01-31'",
    f"UPDATE {CAMPAIGN} SET ended_at = '2026-01-31 00:00:00'",
    f"UPDATE {CAMPAIGN} SET id = id + 1000",
    f"INSERT INTO {CAMPAIGN} SELECT * FROM {CAMPAIGN} WHERE true "
    f"ON CONFLICT (id) DO UPDATE SET destination = '{MOVED}'",
]


def snapshot() -> tuple[list[object], list[object]]:
    return list(HistoryEntry.objects.values()), list(Campaign.objects.values())


def refused(statement: str) -> None:
    before = snapshot()
    connection.check_constraints()  # nothing of the test's own may stand in the way
    with pytest.raises(IntegrityError):
        run_sql(statement)
    assert snapshot() == before


@pytest.mark.parametrize("statement", everywhere)
def test_falsifying_statement_is_refused(campaign: Campaign, statement: str) -> None:
    refused(statement)


def test_statements_that_only_this_database_knows_are_refused(campaign: Campaign) -> None:
    for statement in sqlite_only if connection.vendor == "sqlite" else postgresql_only:
        refused(statement)


def test_row_in_the_way_on_any_unique_column_is_not_replaced(campaign: Campaign) -> None:
    copied = [field.column for field in HistoryEntry._meta.concrete_fields]
    replace = "INSERT OR REPLACE INTO" if connection.vendor == "sqlite" else "INSERT INTO"
    for unique in ("sequence", "hash", "previous_hash"):
        others = {"sequence": "sequence + 5", "hash": "'a'", "previous_hash": "'b'"}
        values = ", ".join(column if column == unique else others.get(column, f'"{column}"') for column in copied)
        names = ", ".join(f'"{column}"' for column in copied)
        refused(f"{replace} {HISTORY} ({names}) SELECT {values} FROM {HISTORY}")


def test_live_campaign_in_the_way_is_not_replaced(campaign: Campaign) -> None:
    entry = write_change(campaign, MOVED)
    columns = [field.column for field in Campaign._meta.concrete_fields]
    others = {"id": "id + 5", "destination": f"'{MOVED}'", "last_change_id": str(entry.sequence)}
    values = ", ".join(others.get(column, f'"{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    replace = "INSERT OR REPLACE INTO" if connection.vendor == "sqlite" else "INSERT INTO"
    refused(f"{replace} {CAMPAIGN} ({names}) SELECT {values} FROM {CAMPAIGN}")


def test_update_that_would_replace_another_campaign_is_refused(campaign: Campaign) -> None:
    other = CampaignFactory(phone_number="3164440000", account=campaign.account, destination=DESTINATION)
    entry = write_change(campaign, DESTINATION)
    update = "UPDATE OR REPLACE" if connection.vendor == "sqlite" else "UPDATE"
    refused(f"{update} {CAMPAIGN} SET phone_number = '{CAKE}', last_change_id = {entry.sequence} WHERE id = {other.pk}")


@pytest.mark.parametrize(
    "fields",
    [
        {"destination": MOVED},
        {"stop_date": date(2099, 1, 31)},
        {"phone_number": "3164440000"},
        {"ended_at": timezone.now()},
        {"last_change": None},
    ],
)
def test_queryset_update_without_an_entry_is_refused(campaign: Campaign, fields: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.update(**fields)
    campaign.refresh_from_db()
    assert (campaign.destination, campaign.stop_date, campaign.ended_at) == (DESTINATION, None, None)


def test_bulk_update_and_save_without_an_entry_are_refused(campaign: Campaign) -> None:
    campaign.destination, campaign.stop_date = MOVED, date(2099, 1, 31)
    for fields in (["destination"], ["stop_date"], ["destination", "stop_date"]):
        with pytest.raises(IntegrityError), transaction.atomic():
            Campaign.objects.bulk_update([campaign], fields)
        with pytest.raises(IntegrityError), transaction.atomic():
            campaign.save(update_fields=fields)
    campaign.refresh_from_db()
    assert (campaign.destination, campaign.stop_date) == (DESTINATION, None)


def test_upsert_of_the_orm_is_refused(campaign: Campaign) -> None:
    campaign.destination = MOVED
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.bulk_create(
            [campaign], update_conflicts=True, unique_fields=["id"], update_fields=["destination"]
        )
    entry = HistoryEntry.objects.get()
    entry.reason = "another"
    with pytest.raises(IntegrityError), transaction.atomic():
        HistoryEntry.objects.bulk_create(
            [entry], update_conflicts=True, unique_fields=["sequence"], update_fields=["reason"]
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        HistoryEntry.objects.bulk_update([entry], ["reason"])
    assert HistoryEntry.objects.get().reason == ""


def test_save_and_delete_of_an_entry_are_refused(campaign: Campaign) -> None:
    entry = HistoryEntry.objects.get()
    entry.reason = "another"
    with pytest.raises(IntegrityError), transaction.atomic():
        entry.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        HistoryEntry.objects.all()._raw_delete("default")
    assert HistoryEntry.objects.get().reason == ""


def test_what_is_neither_routing_nor_stop_date_changes_freely(campaign: Campaign) -> None:
    assert Campaign.objects.update(notes="by the river", brand="Blue Faucet") == 1


def test_change_together_with_its_entry_is_let_through(campaign: Campaign) -> None:
    entry = write_change(campaign, MOVED)
    Campaign.objects.filter(pk=campaign.pk).update(destination=MOVED, last_change=entry)
    campaign.refresh_from_db()
    assert campaign.destination == MOVED


def test_change_that_points_at_its_old_entry_is_refused(campaign: Campaign) -> None:
    old = campaign.last_change
    Campaign.objects.filter(pk=campaign.pk).update(destination=MOVED, last_change=write_change(campaign, MOVED))
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(destination=DESTINATION, last_change=old)


def test_change_that_points_at_another_numbers_entry_is_refused(campaign: Campaign) -> None:
    other = CampaignFactory(phone_number="3164440000", account=campaign.account, destination=DESTINATION)
    entry = write_change(other, MOVED)
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(destination=MOVED, last_change=entry)


def test_change_to_something_else_than_its_entry_says_is_refused(campaign: Campaign) -> None:
    entry = write_change(campaign, MOVED)
    for fields in (
        {"destination": "3165550199"},
        {"destination": MOVED, "stop_date": date(2099, 1, 31)},
        {"destination": MOVED, "ended_at": timezone.now()},
        {},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Campaign.objects.filter(pk=campaign.pk).update(last_change=entry, **fields)


def test_entry_that_is_not_about_a_number_covers_no_change(campaign: Campaign) -> None:
    entry = history_append(
        actor=PORTAL, verb=Verb.ORDER_DONE, number=CAKE, state=NumberState(destination=MOVED, stop_date=None)
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(destination=MOVED, last_change=entry)


def test_number_without_its_entry_is_refused(campaign: Campaign) -> None:
    foreign = write_change(campaign, MOVED)
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.create(
            phone_number="3164440000",
            account=campaign.account,
            destination=MOVED,
            campaign_name="x",
            confirmed_at=timezone.now(),
            last_change=foreign,
        )


@pytest.mark.parametrize("number", ["316734225", "31673422534", "1167342253", "316-734-22"])
def test_number_that_is_not_ten_digits_is_refused(campaign: Campaign, number: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        CampaignFactory(phone_number=number[:10], account=campaign.account, destination=number[:10])


def test_history_cannot_fork(campaign: Campaign) -> None:
    first = HistoryEntry.objects.get()
    write_change(campaign, MOVED)
    fork = HistoryEntry.objects.get(sequence=2)
    fork.sequence, fork.hash = 3, "f" * 64
    assert fork.previous_hash == first.hash
    with pytest.raises(IntegrityError), transaction.atomic():
        fork.save(force_insert=True)


def test_deleting_a_person_changes_nothing_here(campaign: Campaign, rep: User) -> None:
    write_change(campaign, MOVED)
    before = snapshot()
    rep.grants.all().delete()
    rep.delete()
    assert snapshot() == before


def test_installing_twice_is_harmless(campaign: Campaign) -> None:
    connection.check_constraints()
    triggers_install(connection)
    triggers_install(connection)
    assert triggers_missing(connection) == []


DECOYS = {
    "a condition that is never true": (
        "DROP TRIGGER history_refuse_change ON {history}",
        "CREATE TRIGGER history_refuse_change BEFORE DELETE OR UPDATE ON {history}"
        " FOR EACH ROW WHEN (false) EXECUTE FUNCTION portal_refuse()",
        "ALTER TABLE {history} ENABLE ALWAYS TRIGGER history_refuse_change",
    ),
    "one event less": (
        "DROP TRIGGER history_refuse_change ON {history}",
        "CREATE TRIGGER history_refuse_change BEFORE UPDATE ON {history} FOR EACH ROW EXECUTE FUNCTION portal_refuse()",
        "ALTER TABLE {history} ENABLE ALWAYS TRIGGER history_refuse_change",
    ),
    "another table": (
        "DROP TRIGGER history_refuse_change ON {history}",
        "CREATE TABLE decoy (id int)",
        "CREATE TRIGGER history_refuse_change BEFORE DELETE OR UPDATE ON decoy"
        " FOR EACH ROW EXECUTE FUNCTION portal_refuse()",
        "ALTER TABLE decoy ENABLE ALWAYS TRIGGER history_refuse_change",
    ),
    "a function of another schema": (
        "DROP TRIGGER history_refuse_change ON {history}",
        "CREATE SCHEMA decoy",
        "CREATE FUNCTION decoy.portal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$",
        "SET LOCAL search_path = decoy, public",
        "CREATE TRIGGER history_refuse_change BEFORE DELETE OR UPDATE ON {history}"
        " FOR EACH ROW EXECUTE FUNCTION portal_refuse()",
        "ALTER TABLE {history} ENABLE ALWAYS TRIGGER history_refuse_change",
    ),
}


@pytest.mark.parametrize("what", DECOYS)
def test_a_decoy_that_bears_the_name_of_a_guard_is_noticed(campaign: Campaign, what: str) -> None:
    connection.check_constraints()
    if connection.vendor == "sqlite":
        pytest.skip("SQLite keeps the statement itself, which is compared; test_verify.py alters it")
    for statement in DECOYS[what]:
        run_sql(statement.format(history=HISTORY))
    assert "history_refuse_change" in triggers_missing(connection)


def test_a_function_that_looks_elsewhere_is_noticed(campaign: Campaign) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no functions of its own")
    run_sql("ALTER FUNCTION portal_campaign_guard() SET search_path = pg_temp")
    assert triggers_missing(connection) == ["portal_campaign_guard"]
