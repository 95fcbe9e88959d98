"""The domain's Django application."""

from typing import Any

from django.apps import AppConfig
from django.core.management import call_command
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate

from .triggers import triggers_drop, triggers_install


def _before_migrations(plan: list[Any], using: str, **kwargs: Any) -> None:
    # Without migrations to run the guards stay in force the whole time.
    if plan:
        triggers_drop(connections[using])


def _after_migrations(using: str, **kwargs: Any) -> None:
    triggers_install(connections[using])
    call_command("createcachetable", database=using, verbosity=0)


class NumbersConfig(AppConfig):
    name = "numbers_app"
    verbose_name = "Numbers"

    def ready(self) -> None:
        from . import checks, signals  # noqa: F401

        pre_migrate.connect(_before_migrations, sender=self)
        post_migrate.connect(_after_migrations, sender=self)
