"""``manage.py verify_history``: is the change history whole, does the mirror agree with it, do the checkpoints fit?"""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from numbers_app.actors import Actor
from numbers_app.models import Source
from numbers_app.services.verification import KnownHead, Verification, history_verify_and_keep, known_heads_read

NOT_IN_ORDER, NOT_CHECKED = 1, 2


class Command(BaseCommand):
    help = (
        "Recompute the history's chain, match every checkpoint, replay it against the mirror, and check the database"
        f" guards. Exit codes: 0 in order, {NOT_IN_ORDER} not in order, {NOT_CHECKED} could not be checked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="Say something only when there is a problem.")
        parser.add_argument("--json", action="store_true", help="Print the result as one JSON object.")
        parser.add_argument(
            "--checkpoints",
            action="append",
            default=[],
            type=Path,
            metavar="FILE",
            help="Also match the checkpoints in a copy of CHECKPOINT_FILE that was kept elsewhere.",
        )
        parser.add_argument("--chain-only", action="store_true", help="Leave the columns out: four times as fast.")

    def handle(self, *args: Any, **options: Any) -> None:
        self._silent = options["quiet"] or options["json"]
        started = time.monotonic()
        try:
            verification = history_verify_and_keep(
                actor=Actor.portal("verify_history", source=Source.COMMAND),
                columns=not options["chain_only"],
                copies=_copies(options["checkpoints"]),
                progress=self._progress,
            )
            seconds = time.monotonic() - started
        except (DatabaseError, OSError, ValueError) as error:
            sentence = f"The history could not be checked: {error}"
            if options["json"]:
                self.stdout.write(json.dumps({"unchecked": [sentence]}))
            raise CommandError(sentence, returncode=NOT_CHECKED) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(verification) | {"seconds": round(seconds, 3)}, sort_keys=True))
        self._conclude(verification)

    def _conclude(self, verification: Verification) -> None:
        for problem in verification.problems:
            self.stderr.write(problem)
        hidden = verification.problem_count - len(verification.problems)
        if hidden:
            self.stderr.write(f"And {hidden} more.")
        if verification.problem_count:
            raise CommandError(
                "The history is not in order. Keep the database as it is and find out what happened.",
                returncode=NOT_IN_ORDER,
            )
        if not self._silent:
            self.stdout.write(
                f"In order: {verification.entries} entries, {verification.numbers} numbers, "
                f"{verification.checkpoints} checkpoints. Head {verification.head}"
            )

    def _progress(self, entries: int) -> None:
        if not self._silent:
            self.stderr.write(f"{entries:,} entries checked", ending="\r" if self.stderr.isatty() else "\n")


def _copies(paths: list[Path]) -> list[KnownHead]:
    """The checkpoints that were kept elsewhere. Raises OSError or ValueError for a file that cannot be read."""
    return [head for path in paths for head in known_heads_read(path, f"in {path.name}")]
