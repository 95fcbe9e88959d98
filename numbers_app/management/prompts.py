"""How commands ask the person at the terminal."""

import sys
from getpass import getpass

from django.core.management.base import CommandError


def somebody_or_refuse(otherwise: str) -> None:
    """Raise CommandError with what to do ``otherwise`` when nobody sits at the terminal."""
    if not sys.stdin.isatty():
        raise CommandError(f"There is nobody to ask. {otherwise}")


def password_twice() -> tuple[str, str]:
    """What was typed, unseen, both times."""
    return getpass("Password: "), getpass("Password (again): ")
