"""The history as evidence: an archive that anybody can check away from the portal, with what is in it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import InvalidInput
from numbers_app.models import Checkpoint, HistoryEntry, Verb
from numbers_app.selectors.history_texts import history_texts
from numbers_app.signing import public_key_of

from .checkpoints import CHECKPOINT_VERSION, checkpoint_as_json, checkpoint_sign
from .history import CANONICAL_VERSION, history_append

logger = structlog.get_logger(__name__)

ARCHIVE_VERSION = "numbers-portal/evidence/1"
# Shipped as they are.
INSTRUCTIONS = Path(__file__).parent.parent / "evidence"
PART = 256 * 1024


@dataclass(frozen=True)
class Evidence:
    """The entries that the archive holds, its file name, and its bytes, which are made as they are taken."""

    first: int
    last: int
    filename: str
    stream: Iterator[bytes]


def evidence_export(*, actor: Actor, first: int | None = None, last: int | None = None) -> Evidence:
    """An archive of the entries from ``first`` to ``last``; without them, of all there are.

    The newest entry is signed first, and the archive goes on from ``last`` to the next signed entry: an end that no
    signature covers proves nothing. The export itself is in the history, committed, when this returns; that entry is
    not in the archive any more. Raises InvalidInput for entries that the history does not have.
    """
    checkpoint_sign(actor=actor)
    first, last = _bounds(first or 1, last)
    with transaction.atomic(durable=True):
        history_append(actor=actor, verb=Verb.EVIDENCE_EXPORTED, changes={"entries": [None, f"{first} to {last}"]})
    filename = f"evidence-{timezone.localdate()}.zip"
    return Evidence(first, last, filename, _to_the_end(_archive(actor, first, last), first, last))


def _bounds(first: int, asked: int | None) -> tuple[int, int]:
    head = HistoryEntry.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
    checkpoints = Checkpoint.objects.order_by("sequence")
    newest_signed = checkpoints.last() if settings.HISTORY_SIGNING_KEY else None
    newest = newest_signed.sequence if newest_signed else head
    if not newest:
        raise InvalidInput("The history has no entries yet.")
    if asked and asked > newest:
        raise InvalidInput(f"The newest entry is {newest}.", "last")
    if first > (asked or newest):
        raise InvalidInput(f"There is no entry from {first} to {asked or newest}.", "first")
    signed = checkpoints.filter(sequence__gte=asked).first() if asked else None
    return first, signed.sequence if signed else asked or newest


class _Outlet(io.RawIOBase):
    """A file that cannot be rewound, for zipfile to write to, until what it took is fetched."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.waiting = 0

    def write(self, data: Any, /) -> int:
        self._parts.append(bytes(data))
        self.waiting += len(data)
        return len(data)

    def take(self) -> bytes:
        taken, self._parts, self.waiting = b"".join(self._parts), [], 0
        return taken


class _ArchiveWriter:
    """A ZIP archive that comes out in parts while it is written; knows digest and size of every file in it."""

    def __init__(self, made_at: datetime) -> None:
        self._outlet = _Outlet()
        self._archive = zipfile.ZipFile(self._outlet, "w")
        self._date = made_at.timetuple()[:6]
        self.files: dict[str, dict[str, str | int]] = {}

    def add(self, name: str, parts: Iterable[bytes]) -> Iterator[bytes]:
        member = zipfile.ZipInfo(name, self._date)
        member.compress_type = zipfile.ZIP_DEFLATED
        digest, size = hashlib.sha256(), 0
        with self._archive.open(member, "w", force_zip64=True) as file:
            for part in parts:
                file.write(part)
                digest.update(part)
                size += len(part)
                if self._outlet.waiting >= PART:
                    yield self._outlet.take()
        self.files[name] = {"sha256": digest.hexdigest(), "size": size}

    def end(self) -> bytes:
        self._archive.close()
        return self._outlet.take()


class _Chain:
    """The entries as lines, how many there are, and the hashes that they begin after and end with."""

    def __init__(self, first: int, last: int) -> None:
        self.first, self.last, self.count = first, last, 0
        self.previous_hash = self.head_hash = ""

    def lines(self) -> Iterator[bytes]:
        for batch in history_texts(HistoryEntry.objects.all(), self.first, self.last):
            self.previous_hash = self.previous_hash or batch[0][1]
            self.head_hash = batch[-1][2]
            self.count += len(batch)
            lines = [
                json.dumps({"canonical": canonical, "previous_hash": previous_hash, "hash": entry_hash})
                for canonical, previous_hash, entry_hash in batch
            ]
            yield "".join(f"{line}\n" for line in lines).encode()


def _archive(actor: Actor, first: int, last: int) -> Iterator[bytes]:
    made_at = timezone.now()
    writer, chain = _ArchiveWriter(made_at), _Chain(first, last)
    for name in ("README.txt", "verify.py"):
        yield from writer.add(name, [(INSTRUCTIONS / name).read_bytes()])
    yield from writer.add("entries.jsonl", chain.lines())
    yield from writer.add("checkpoints.jsonl", _checkpoint_lines(first, last))
    yield from writer.add("public-keys.json", [_json(_public_keys())])
    manifest = {
        "version": ARCHIVE_VERSION,
        "made_at": made_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "made_by": actor.name,
        "portal": settings.SITE_URL,
        "first": first,
        "last": last,
        "count": chain.count,
        "previous_hash": chain.previous_hash,
        "head_hash": chain.head_hash,
        "formats": {"entry": CANONICAL_VERSION, "checkpoint": CHECKPOINT_VERSION},
        "files": dict(writer.files),
    }
    yield from writer.add("manifest.json", [_json(manifest)])
    yield writer.end()


def _checkpoint_lines(first: int, last: int) -> Iterator[bytes]:
    for checkpoint in Checkpoint.objects.filter(sequence__range=(first, last)).order_by("sequence").iterator():
        yield json.dumps(checkpoint_as_json(checkpoint), sort_keys=True).encode() + b"\n"


def _public_keys() -> dict[str, object]:
    present = public_key_of(settings.HISTORY_SIGNING_KEY) if settings.HISTORY_SIGNING_KEY else None
    return {"present": present, "former": list(settings.HISTORY_FORMER_PUBLIC_KEYS)}


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"


def _to_the_end(parts: Iterator[bytes], first: int, last: int) -> Iterator[bytes]:
    """The parts; an archive that breaks off lacks the directory at its end, and what broke it is in the log."""
    try:
        yield from parts
    except (Exception, GeneratorExit) as error:
        logger.warning("evidence_export_cut", first=first, last=last, error=type(error).__name__)
        raise
