"""System checks: configuration and database faults that must be seen before they cost something."""

from collections.abc import Iterable
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from .triggers import triggers_missing


@register(Tags.database)
def triggers_are_in_place(databases: Iterable[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """The database itself refuses routing changes without history; a database without these guards is not ready."""
    return [
        Error(
            f"The database guards {', '.join(missing)} are missing or altered on '{alias}'.",
            hint="Run `manage.py migrate --skip-checks`, which installs them, and find out who removed them.",
            id="numbers_app.E001",
        )
        for alias in databases or []
        if (missing := triggers_missing(connections[alias]))
    ]
