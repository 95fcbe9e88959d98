"""Checking the history against itself, its checkpoints and the mirror."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, cast

import structlog
from django.conf import settings
from django.db import connection
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import (
    GENESIS_HASH,
    NUMBER_VERBS,
    Campaign,
    Checkpoint,
    HistoryEntry,
    VerificationResult,
)
from numbers_app.signing import public_key_of, signature_fits
from numbers_app.triggers import triggers_missing

from .checkpoints import CHECKPOINT_OVERDUE, checkpoint_text, checkpoints_read, history_is_due
from .history import history_canonical, history_hash

logger = structlog.get_logger(__name__)

MOST_PROBLEMS = 100
PROGRESS_EVERY = 10_000
CHUNK = 5_000
CHAIN = ("sequence", "verb", "number", "previous_hash", "hash", "canonical")
COLUMNS = tuple(field.attname for field in HistoryEntry._meta.concrete_fields)


class EntryRow(Protocol):
    """What every row that is read of an entry has; with ``COLUMNS`` it has all that ``HistoryEntry`` has."""

    sequence: int
    verb: str
    number: str
    previous_hash: str
    hash: str
    canonical: str


@dataclass
class Verification:
    """How much was checked, what was wrong (sentences, at most 100 of them kept), and the last hash."""

    entries: int = 0
    numbers: int = 0
    checkpoints: int = 0
    head: str = GENESIS_HASH
    problem_count: int = 0
    problems: list[str] = field(default_factory=list)

    def complain(self, sentence: str) -> None:
        self.problem_count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(sentence)


@dataclass(frozen=True)
class KnownHead:
    """A sequence and its hash as a checkpoint says them, and where it was found."""

    sequence: int
    hash: str
    at: datetime
    public_key: str
    signature: str
    where: str

    @property
    def text(self) -> str:
        """What its signature covers."""
        return checkpoint_text(self.sequence, self.hash, self.at)


def known_heads_read(path: Path, where: str) -> list[KnownHead]:
    """The checkpoints in a file. Raises OSError or ValueError for one that cannot be read."""
    try:
        return [
            KnownHead(
                int(one["sequence"]),
                str(one["hash"]),
                # In UTC already here: one at the end of time has none.
                datetime.fromisoformat(str(one["at"])).astimezone(UTC),
                str(one["public_key"]),
                str(one["signature"]),
                where,
            )
            for one in checkpoints_read(path)
        ]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{path} has a line that is no checkpoint") from error


def history_verify(
    *,
    columns: bool = True,
    copies: Sequence[KnownHead] = (),
    progress: Callable[[int], None] = lambda entries: None,
) -> Verification:
    """Recompute the chain, match every checkpoint, replay against the mirror, check the guards.

    ``columns`` also compares every column with the text that was hashed, which takes four times as long. ``copies`` are
    checkpoints that were kept elsewhere: they find what somebody rewrote who also removed those of the database and of
    the file. ``progress`` is told now and then how many entries have been checked. Memory stays bounded by the count of
    numbers and checkpoints. Entries and changes that are written meanwhile do no harm.
    """
    verification = Verification()
    heads = _known_heads(verification, copies)
    wanted = {head.sequence for head in heads}
    hashes: dict[int, str] = {}
    latest: dict[str, int] = {}
    for entry in _entries(columns):
        _verify_entry(verification, entry, columns)
        if entry.verb in NUMBER_VERBS:
            latest[entry.number] = entry.sequence
        if entry.sequence in wanted:
            hashes[entry.sequence] = entry.hash
        if verification.entries % PROGRESS_EVERY == 0:
            progress(verification.entries)
    _verify_heads(verification, heads, hashes)
    _verify_mirror(verification, latest)
    for name in triggers_missing(connection):
        verification.complain(f"The database guard {name} is missing or altered.")
    return verification


def history_verify_and_keep(
    *,
    actor: Actor,
    columns: bool = True,
    copies: Sequence[KnownHead] = (),
    progress: Callable[[int], None] = lambda entries: None,
) -> Verification:
    """Verify, and keep what it came to for the history's page and the probes. Problems are an alarm."""
    started = time.monotonic()
    verification = history_verify(columns=columns, copies=copies, progress=progress)
    first = next(iter(verification.problems), "")
    if first:
        logger.critical("history_not_in_order", problems=verification.problem_count, first=first, actor=actor.name)
    VerificationResult.objects.create(
        at=timezone.now(),
        seconds=time.monotonic() - started,
        entries=verification.entries,
        numbers=verification.numbers,
        checkpoints=verification.checkpoints,
        head=verification.head,
        problems=verification.problem_count,
        first_problem=first,
    )
    return verification


def _entries(columns: bool) -> Iterator[EntryRow]:
    """Every entry, oldest first, read by the thousand: no transaction stays open, and nothing is held on the server."""
    entries = HistoryEntry.objects.order_by("sequence").values_list(*(COLUMNS if columns else CHAIN), named=True)
    chunk = list(entries[:CHUNK])
    while chunk:
        yield from cast("list[EntryRow]", chunk)
        chunk = list(entries.filter(sequence__gt=chunk[-1].sequence)[:CHUNK])


def _verify_entry(verification: Verification, entry: EntryRow, columns: bool) -> None:
    expected = verification.entries + 1
    if entry.sequence != expected:
        verification.complain(f"Entry {expected} is missing: the next one is {entry.sequence}.")
    if entry.previous_hash != verification.head:
        verification.complain(f"Entry {entry.sequence} does not follow the one before it.")
    if history_hash(entry.canonical, entry.previous_hash) != entry.hash:
        verification.complain(f"Entry {entry.sequence} was altered: its hash does not fit its text.")
    if columns and not _columns_fit(cast("HistoryEntry", entry)):
        verification.complain(f"Entry {entry.sequence} was altered: its columns differ from the text that was hashed.")
    verification.entries = entry.sequence
    verification.head = entry.hash


def _columns_fit(entry: HistoryEntry) -> bool:
    try:
        return history_canonical(entry) == entry.canonical
    except (AttributeError, TypeError, ValueError):
        # SQLite keeps a value of any type in any column.
        return False


def _known_heads(verification: Verification, copies: Sequence[KnownHead]) -> list[KnownHead]:
    """The checkpoints of the file, of the database, and those kept elsewhere; each place must have the others'."""
    # The file first: what is signed meanwhile is in the database before it is in the file.
    outside = _heads_of_file(verification)
    here = [
        KnownHead(one.sequence, one.hash, one.at, one.public_key, one.signature, "in the database")
        for one in Checkpoint.objects.order_by("sequence")
    ]
    if outside is not None:
        _verify_file(verification, here, outside)
    kept = [*(outside or []), *copies]
    _verify_database(verification, here, kept)
    return here + kept


def _heads_of_file(verification: Verification) -> list[KnownHead] | None:
    """Its checkpoints; none when it is missing, None when it cannot be read, which is a problem by itself."""
    try:
        return known_heads_read(settings.CHECKPOINT_FILE, "in the file")
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        verification.complain(f"The file of checkpoints cannot be read ({type(error).__name__}).")
        return None


def _verify_file(verification: Verification, here: list[KnownHead], outside: list[KnownHead]) -> None:
    """Whether the file has what it should have by now. In the first hour, and without a key, that is nothing."""
    due, exported = timezone.now() - CHECKPOINT_OVERDUE, {head.sequence for head in outside}
    lacking = [head for head in here if head.at < due and head.sequence not in exported]
    expected = bool(settings.HISTORY_SIGNING_KEY) and history_is_due()
    if expected and not here and not outside:
        verification.complain(
            "There is no checkpoint, neither in the database nor in the file (CHECKPOINT_FILE), although the history "
            "is older than an hour: the clock has not run, or they were removed."
        )
    elif not outside and (expected or lacking):
        verification.complain(
            "The file of checkpoints (CHECKPOINT_FILE) is missing or empty. Run verify_history on the machine where "
            "the clock runs: if it is missing there too, its path is wrong or somebody removed it."
        )
    elif lacking:
        verification.complain(
            f"The checkpoint of entry {lacking[0].sequence} in the database is not in the file (CHECKPOINT_FILE): "
            "lines were removed, the clock has not run, or it is another machine's file."
        )


def _verify_database(verification: Verification, here: list[KnownHead], kept: list[KnownHead]) -> None:
    """Whether the database has every checkpoint that is kept outside it."""
    known = {head.sequence for head in here}
    removed = next((head for head in kept if head.sequence not in known), None)
    if removed:
        verification.complain(
            f"The checkpoint of entry {removed.sequence} {removed.where} is not in the database: it was removed there, "
            "or the database is a restored backup."
        )


def _verify_heads(verification: Verification, heads: list[KnownHead], hashes: dict[int, str]) -> None:
    keys = known_keys()
    fitting: set[tuple[str, str, str]] = set()
    for head in heads:
        verification.checkpoints += 1
        name = f"The checkpoint of entry {head.sequence} {head.where}"
        if head.sequence not in hashes:
            verification.complain(f"{name} is about an entry that the history no longer has: it was cut off.")
        elif hashes[head.sequence] != head.hash:
            verification.complain(f"{name} has another hash: the history was rewritten since.")
        if head.public_key not in keys:
            verification.complain(f"{name} was signed with another key.")
            continue
        # The file repeats what the database has: each signature is tried once.
        signed = (head.public_key, head.signature, head.text)
        if signed not in fitting and not signature_fits(*signed):
            verification.complain(f"{name} has a signature that does not fit.")
        else:
            fitting.add(signed)


def known_keys() -> set[str]:
    """The public keys that checkpoints may be signed with: the present one's and those of former ones."""
    present = {public_key_of(settings.HISTORY_SIGNING_KEY)} if settings.HISTORY_SIGNING_KEY else set()
    return present | set(settings.HISTORY_FORMER_PUBLIC_KEYS)


def _verify_mirror(verification: Verification, latest: dict[str, int]) -> None:
    newest: dict[str, int] = {}
    for campaign in Campaign.objects.select_related("last_change").order_by("pk").iterator(chunk_size=2000):
        verification.numbers += 1
        number, entry = campaign.phone_number, campaign.last_change
        newest[number] = max(newest.get(number, 0), entry.sequence)
        row = (number, campaign.destination, campaign.stop_date, campaign.ended_at)
        if entry.verb not in NUMBER_VERBS or row != (entry.number, entry.destination, entry.stop_date, entry.ended_at):
            verification.complain(f"{number} differs from what its history entry {entry.sequence} says.")
    for number, sequence in latest.items():
        if number not in newest:
            verification.complain(f"{number} is in the history (entry {sequence}) but not in the mirror.")
        elif newest[number] < sequence:
            verification.complain(
                f"{number} has a newer history entry ({sequence}) than the mirror shows ({newest[number]})."
            )
