"""Altering the database behind the portal's back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from numbers_app.triggers import triggers_drop, triggers_install


def run_sql(statement: str, *values: Any) -> None:
    """One statement, in a savepoint so that the test goes on when it is refused."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@contextmanager
def guards_lifted() -> Iterator[None]:
    """As somebody with all rights on the database would do it: lift the guards, alter, put them back."""
    connection.check_constraints()
    triggers_drop(connection)
    yield
    connection.check_constraints()
    triggers_install(connection)
