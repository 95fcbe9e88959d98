"""Signing the history's newest entry now and then, and keeping that outside the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Checkpoint, HistoryEntry
from numbers_app.signing import public_key_of, sign

logger = structlog.get_logger(__name__)

CHECKPOINT_VERSION = "numbers-portal/checkpoint/1"
CHECKPOINT_EVERY = timedelta(minutes=10)
# A clock may be late or start again; what is not signed, or not in the file, after this time is amiss.
CHECKPOINT_OVERDUE = timedelta(hours=1)


def checkpoint_text(sequence: int, entry_hash: str, at: datetime) -> str:
    """The text that a checkpoint signs."""
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    return f"{CHECKPOINT_VERSION}\n{sequence}\n{entry_hash}\n{moment}"


def checkpoint_make(*, actor: Actor) -> Checkpoint | None:
    """Sign the newest entry, if there is one that no checkpoint has signed, and bring the file up to date.

    None when there is nothing new or no key to sign with. Harmless to repeat and to run twice at once.
    """
    made = checkpoint_sign(actor=actor)
    checkpoints_export(actor=actor)
    return made


def checkpoint_sign(*, actor: Actor) -> Checkpoint | None:
    """The same, but for the file, which only the clock's machine may have: the clock catches up later."""
    made = _sign_head() if settings.HISTORY_SIGNING_KEY else None
    if made:
        logger.info("checkpoint_signed", sequence=made.sequence, actor=actor.name)
    return made


def checkpoints_export(*, actor: Actor) -> int:
    """Append to the file what it lacks. Returns how many; a file that cannot be written is an alarm, nothing else.

    So is one that has to be begun anew beside a history that is no longer new: it may have been removed.
    """
    path: Path = settings.CHECKPOINT_FILE
    try:
        exported = checkpoints_read(path) if path.exists() else []
        known = {checkpoint["sequence"] for checkpoint in exported}
        made = Checkpoint.objects.order_by("sequence").iterator()
        missing = [checkpoint for checkpoint in made if checkpoint.sequence not in known]
        lines = [json.dumps(checkpoint_as_json(checkpoint), sort_keys=True) for checkpoint in missing]
        if lines:
            if not exported and history_is_due():
                logger.critical("checkpoint_file_begun_anew", path=str(path), actor=actor.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a") as file:
                file.write("".join(f"{line}\n" for line in lines))
    except (OSError, ValueError):
        logger.critical("checkpoints_not_exported", path=str(path), actor=actor.name, exc_info=True)
        return 0
    return len(lines)


def checkpoints_read(path: Path) -> list[dict[str, str | int]]:
    """The checkpoints in a file, oldest first. Raises OSError or ValueError for one that cannot be read."""
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def history_is_due() -> bool:
    """Whether the history is old enough to have been signed, and kept in the file."""
    return HistoryEntry.objects.filter(at__lt=timezone.now() - CHECKPOINT_OVERDUE).exists()


def checkpoint_as_json(checkpoint: Checkpoint) -> dict[str, str | int]:
    """A checkpoint as it stands in files."""
    return {
        "sequence": checkpoint.sequence,
        "hash": checkpoint.hash,
        "at": checkpoint.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "public_key": checkpoint.public_key,
        "signature": checkpoint.signature,
    }


def _sign_head() -> Checkpoint | None:
    head = HistoryEntry.objects.only("sequence", "hash").order_by("-sequence").first()
    if head is None or Checkpoint.objects.filter(sequence=head.sequence).exists():
        return None
    at = timezone.now()
    checkpoint = Checkpoint(
        sequence=head.sequence,
        hash=head.hash,
        at=at,
        public_key=public_key_of(settings.HISTORY_SIGNING_KEY),
        signature=sign(settings.HISTORY_SIGNING_KEY, checkpoint_text(head.sequence, head.hash, at)),
    )
    try:
        with transaction.atomic():
            checkpoint.save(force_insert=True)
    except IntegrityError:
        # Another clock was faster.
        return None
    return checkpoint
