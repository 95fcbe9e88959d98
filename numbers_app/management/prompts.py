"""How commands ask the person at the terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getpass

from django.core.management.base import CommandError


def somebody_or_refuse(otherwise: str) -> None:
    """Raise CommandError with what to do ``otherwise`` when nobody sits at the terminal."""
    if not sys.stdin.isatty():
        raise CommandError(f"There is nobody to ask. {otherwise}")


@contextmanager
def cancellable() -> Iterator[None]:
    """Ctrl-C and Ctrl-D within end the command with a sentence."""
    try:
        yield
    except (KeyboardInterrupt, EOFError) as error:
        raise CommandError("Cancelled. Nothing was changed.") from error


def password_twice() -> tuple[str, str]:
    """What was typed, unseen, both times."""
    return getpass("Password: "), getpass("Password (again): ")
