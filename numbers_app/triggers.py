"""The database's own guard over the history and the mirror, on PostgreSQL and on SQLite.

- History entries, checkpoints and security events are never changed, deleted, truncated or replaced.
- A campaign is never deleted, truncated or replaced, and its number, destination, stop date and ``ended_at`` change
  only together with ``last_change``, which must be a newer entry about this number with exactly the row's values.

Django rebuilds SQLite tables when a column is altered, which drops their triggers and fails on triggers that name the
table: ``apps.py`` drops them before migrations run and installs them again afterwards, and ``checks.py`` asserts them.
"""

from django.db.backends.base.base import BaseDatabaseWrapper

HISTORY = "numbers_app_historyentry"
CHECKPOINT = "numbers_app_checkpoint"
SECURITY = "numbers_app_securityevent"
CAMPAIGN = "numbers_app_campaign"
NUMBER_VERBS = "('number.bought', 'number.imported', 'number.changed', 'number.ended')"

_SQLITE_ENTRY_MATCHES = f"""EXISTS (
    SELECT 1 FROM {HISTORY} entry
    WHERE entry.sequence = NEW.last_change_id AND entry.verb IN {NUMBER_VERBS}
      AND entry.number = NEW.phone_number AND entry.destination = NEW.destination
      AND entry.stop_date IS NEW.stop_date AND entry.ended_at IS NEW.ended_at)"""

_SQLITE_OTHER_ROW_IN_THE_WAY = f"""EXISTS (
    SELECT 1 FROM {CAMPAIGN} other
    WHERE other.last_change_id = NEW.last_change_id
       OR (NEW.ended_at IS NULL AND other.ended_at IS NULL AND other.phone_number = NEW.phone_number))"""

_SQLITE_ANOTHER_ROW_IN_THE_WAY = f"""EXISTS (
    SELECT 1 FROM {CAMPAIGN} other
    WHERE other.id <> OLD.id
      AND (other.id = NEW.id OR other.last_change_id = NEW.last_change_id
           OR (NEW.ended_at IS NULL AND other.ended_at IS NULL AND other.phone_number = NEW.phone_number)))"""


def _sqlite_trigger(name: str, event: str, table: str, sentence: str, when: str = "") -> str:
    condition = f"WHEN {when} " if when else ""
    return f"CREATE TRIGGER {name} BEFORE {event} ON {table} {condition}BEGIN SELECT RAISE(ABORT, '{sentence}'); END"


SQLITE_TRIGGERS = {
    "history_refuse_update": _sqlite_trigger(
        "history_refuse_update", "UPDATE", HISTORY, "history entries are never changed"
    ),
    "history_refuse_delete": _sqlite_trigger(
        "history_refuse_delete", "DELETE", HISTORY, "history entries are never deleted"
    ),
    # INSERT OR REPLACE deletes the row in its way without firing any delete trigger.
    "history_refuse_replace": _sqlite_trigger(
        "history_refuse_replace",
        "INSERT",
        HISTORY,
        "history entries are never replaced",
        f"EXISTS (SELECT 1 FROM {HISTORY} other WHERE other.sequence = NEW.sequence"
        " OR other.previous_hash = NEW.previous_hash OR other.hash = NEW.hash)",
    ),
    "checkpoint_refuse_update": _sqlite_trigger(
        "checkpoint_refuse_update", "UPDATE", CHECKPOINT, "checkpoints are never changed"
    ),
    "checkpoint_refuse_delete": _sqlite_trigger(
        "checkpoint_refuse_delete", "DELETE", CHECKPOINT, "checkpoints are never deleted"
    ),
    "checkpoint_refuse_replace": _sqlite_trigger(
        "checkpoint_refuse_replace",
        "INSERT",
        CHECKPOINT,
        "checkpoints are never replaced",
        f"EXISTS (SELECT 1 FROM {CHECKPOINT} other WHERE other.sequence = NEW.sequence)",
    ),
    "security_refuse_update": _sqlite_trigger(
        "security_refuse_update", "UPDATE", SECURITY, "security events are never changed"
    ),
    "security_refuse_delete": _sqlite_trigger(
        "security_refuse_delete", "DELETE", SECURITY, "security events are never deleted"
    ),
    "security_refuse_replace": _sqlite_trigger(
        "security_refuse_replace",
        "INSERT",
        SECURITY,
        "security events are never replaced",
        f"EXISTS (SELECT 1 FROM {SECURITY} other WHERE other.id = NEW.id)",
    ),
    "campaign_refuse_delete": _sqlite_trigger(
        "campaign_refuse_delete", "DELETE", CAMPAIGN, "campaigns are never deleted"
    ),
    "campaign_refuse_replace": _sqlite_trigger(
        "campaign_refuse_replace",
        "INSERT",
        CAMPAIGN,
        "campaigns are never replaced",
        f"EXISTS (SELECT 1 FROM {CAMPAIGN} other WHERE other.id = NEW.id) OR {_SQLITE_OTHER_ROW_IN_THE_WAY}",
    ),
    "campaign_refuse_replacing_update": _sqlite_trigger(
        "campaign_refuse_replacing_update",
        "UPDATE",
        CAMPAIGN,
        "campaigns are never replaced",
        f"OLD.id IS NOT NEW.id OR {_SQLITE_ANOTHER_ROW_IN_THE_WAY}",
    ),
    "campaign_insert_needs_history": _sqlite_trigger(
        "campaign_insert_needs_history",
        "INSERT",
        CAMPAIGN,
        "a campaign needs its history entry",
        f"NOT {_SQLITE_ENTRY_MATCHES}",
    ),
    "campaign_change_needs_history": _sqlite_trigger(
        "campaign_change_needs_history",
        "UPDATE",
        CAMPAIGN,
        "a change of routing or stop date needs its history entry",
        "(OLD.phone_number IS NOT NEW.phone_number OR OLD.destination IS NOT NEW.destination"
        " OR OLD.stop_date IS NOT NEW.stop_date OR OLD.ended_at IS NOT NEW.ended_at"
        " OR OLD.last_change_id IS NOT NEW.last_change_id)"
        f" AND NOT (NEW.last_change_id > OLD.last_change_id AND {_SQLITE_ENTRY_MATCHES})",
    ),
}

POSTGRESQL_FUNCTIONS = {
    "portal_refuse": """
BEGIN
    RAISE EXCEPTION '% on % is refused: its rows are never changed, deleted or truncated', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END
""",
    "portal_campaign_guard": f"""
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.id <> OLD.id THEN
            RAISE EXCEPTION 'campaigns are never replaced' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NEW.phone_number = OLD.phone_number AND NEW.destination = OLD.destination
           AND NEW.stop_date IS NOT DISTINCT FROM OLD.stop_date AND NEW.ended_at IS NOT DISTINCT FROM OLD.ended_at
           AND NEW.last_change_id = OLD.last_change_id THEN
            RETURN NEW;
        END IF;
        IF NEW.last_change_id <= OLD.last_change_id THEN
            RAISE EXCEPTION 'a change of routing or stop date needs its history entry'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    -- Of public: a temporary table of that name, which any role may make, would be found first.
    IF NOT EXISTS (
        SELECT 1 FROM public.{HISTORY} entry
        WHERE entry.sequence = NEW.last_change_id AND entry.verb IN {NUMBER_VERBS}
          AND entry.number = NEW.phone_number AND entry.destination = NEW.destination
          AND entry.stop_date IS NOT DISTINCT FROM NEW.stop_date
          AND entry.ended_at IS NOT DISTINCT FROM NEW.ended_at
    ) THEN
        RAISE EXCEPTION 'a change of routing or stop date needs its history entry'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
""",
}

# name -> (table, timing and events in the order in which PostgreSQL tells them, level, function)
POSTGRESQL_TRIGGERS = {
    "history_refuse_change": (HISTORY, "BEFORE DELETE OR UPDATE", "ROW", "portal_refuse"),
    "history_refuse_truncate": (HISTORY, "BEFORE TRUNCATE", "STATEMENT", "portal_refuse"),
    "checkpoint_refuse_change": (CHECKPOINT, "BEFORE DELETE OR UPDATE", "ROW", "portal_refuse"),
    "checkpoint_refuse_truncate": (CHECKPOINT, "BEFORE TRUNCATE", "STATEMENT", "portal_refuse"),
    "security_refuse_change": (SECURITY, "BEFORE DELETE OR UPDATE", "ROW", "portal_refuse"),
    "security_refuse_truncate": (SECURITY, "BEFORE TRUNCATE", "STATEMENT", "portal_refuse"),
    "campaign_refuse_delete": (CAMPAIGN, "BEFORE DELETE", "ROW", "portal_refuse"),
    "campaign_refuse_truncate": (CAMPAIGN, "BEFORE TRUNCATE", "STATEMENT", "portal_refuse"),
    "campaign_needs_history": (CAMPAIGN, "BEFORE INSERT OR UPDATE", "ROW", "portal_campaign_guard"),
}


def _postgresql_function(name: str) -> str:
    """The statement that makes it, spelled as pg_get_functiondef tells it."""
    body = POSTGRESQL_FUNCTIONS[name]
    heading = f"CREATE OR REPLACE FUNCTION public.{name}()\n RETURNS trigger\n LANGUAGE plpgsql"
    return f"{heading}\nAS $function${body}$function$\n"


def _postgresql_trigger(name: str) -> str:
    """The statement that makes it, spelled as pg_get_triggerdef tells it."""
    table, events, level, function = POSTGRESQL_TRIGGERS[name]
    return f"CREATE TRIGGER {name} {events} ON public.{table} FOR EACH {level} EXECUTE FUNCTION {function}()"


def _tables_exist(connection: BaseDatabaseWrapper) -> bool:
    return {HISTORY, CHECKPOINT, SECURITY, CAMPAIGN} <= set(connection.introspection.table_names())


def triggers_drop(connection: BaseDatabaseWrapper) -> None:
    """Remove the triggers, where there are any: also those of a release that had fewer tables."""
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in SQLITE_TRIGGERS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        else:
            for name, (table, *_) in POSTGRESQL_TRIGGERS.items():
                if table in tables:
                    cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")


def triggers_install(connection: BaseDatabaseWrapper) -> None:
    """Put the triggers in place, replacing what bears their names. Harmless to repeat."""
    if not _tables_exist(connection):
        return
    triggers_drop(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for statement in SQLITE_TRIGGERS.values():
                cursor.execute(statement)
            return
        for name in POSTGRESQL_FUNCTIONS:
            cursor.execute(_postgresql_function(name))
        for name, (table, *_) in POSTGRESQL_TRIGGERS.items():
            cursor.execute(_postgresql_trigger(name))
            # ALWAYS: session_replication_role = replica does not switch them off.
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def triggers_missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Names of guards that are absent, disabled or not what this release installs; none before the first migration."""
    if not _tables_exist(connection):
        return []
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            found = dict(cursor.fetchall())
            return [name for name, sql in SQLITE_TRIGGERS.items() if found.get(name) != sql]
        # By schema: a function of another one may bear the name too, and come first on the search path.
        ours = [f"public.{name}()" for name in POSTGRESQL_FUNCTIONS]
        cursor.execute(
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger"
            " WHERE tgenabled = 'A' AND tgfoid = ANY(SELECT to_regprocedure(name) FROM unnest(%s::text[]) name)",
            [ours],
        )
        triggers = {definition for (definition,) in cursor.fetchall()}
        cursor.execute("SELECT pg_get_functiondef(to_regprocedure(name)) FROM unnest(%s::text[]) name", [ours])
        functions = {definition for (definition,) in cursor.fetchall()}
    missing = [name for name in POSTGRESQL_TRIGGERS if _postgresql_trigger(name) not in triggers]
    return missing + [name for name in POSTGRESQL_FUNCTIONS if _postgresql_function(name) not in functions]
