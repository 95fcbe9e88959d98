"""The history's newest entry, remembered outside the database, so that a restored backup gives itself away."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.conf import settings

from numbers_app.models import HistoryEntry

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Head:
    """Sequence and hash of an entry that the history had."""

    sequence: int
    hash: str


def head_read() -> Head | None:
    """What was remembered; None on a machine that has not seen the history yet."""
    path: Path = settings.HISTORY_HEAD_FILE
    try:
        kept = json.loads(path.read_text())
        return Head(int(kept["sequence"]), str(kept["hash"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        logger.exception("history_head_unreadable", path=str(path))
        return None


def head_is_lost(head: Head) -> bool:
    """Whether the database no longer has this entry."""
    return not HistoryEntry.objects.filter(sequence=head.sequence, hash=head.hash).exists()


def head_remember(sequence: int, entry_hash: str) -> None:
    """Keep the entry, replacing the file as a whole. A disk that cannot keep it is an alarm, not a reason to stop."""
    path: Path = settings.HISTORY_HEAD_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
        fresh.write_text(json.dumps({"sequence": sequence, "hash": entry_hash}))
        fresh.replace(path)
    except OSError:
        logger.exception("history_head_not_kept", path=str(path))
