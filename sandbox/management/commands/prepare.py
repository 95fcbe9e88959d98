"""`python -m sandbox prepare [--numbers 200000]`: make the sandbox's database, once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sandbox.database import database_path
from sandbox.preparation import prepare

DEFAULT_NUMBERS = 200_000
SMALLEST, LARGEST = 1_000, 1_000_000


class Command(BaseCommand):
    """Make the database and its inventory; harmless to repeat."""

    help = "Make the sandbox's database and its inventory, once."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the size of the inventory."""
        parser.add_argument("--numbers", type=int, default=DEFAULT_NUMBERS, help="how many (default 200000)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare the database that SANDBOX_DATABASE names and say what it holds."""
        wanted: int = options["numbers"]
        if not SMALLEST <= wanted <= LARGEST:
            raise CommandError(f"--numbers must be between {SMALLEST:,} and {LARGEST:,}.")
        count = prepare(wanted)
        self.stdout.write(f"The sandbox holds {count:,} numbers in {database_path()}")
