"""``manage.py verify_history``: is the change history whole, and does the mirror agree with it?"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from numbers_app.selectors.verification import history_verify


class Command(BaseCommand):
    help = "Recompute the history's chain, replay it against the mirror, and check the database guards."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="Say something only when there is a problem.")

    def handle(self, *args: Any, **options: Any) -> None:
        verification = history_verify()
        for problem in verification.problems:
            self.stderr.write(problem)
        if verification.problems:
            raise CommandError("The history is not in order. Keep the database as it is and find out what happened.")
        if not options["quiet"]:
            self.stdout.write(
                f"In order: {verification.entries} entries, {verification.numbers} numbers. Head {verification.head}"
            )
