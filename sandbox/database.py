"""Where the sandbox's database is, and whether it holds a complete inventory. Needs no models."""

from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection


def database_path() -> Path:
    """The SQLite file that this process works on."""
    return Path(str(settings.DATABASES["default"]["NAME"]))


def is_prepared() -> bool:
    """Whether the file holds a complete inventory in today's schema; one whose generation was killed does not."""
    if not database_path().exists():
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM sandbox_held")  # the youngest table
            return bool(cursor.execute("SELECT numbers FROM sandbox_state").fetchone())
    except DatabaseError:
        return False
