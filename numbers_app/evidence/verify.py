"""Check an archive of evidence of the numbers portal, away from the portal.

    python verify.py evidence.zip       or, inside the unpacked archive: python verify.py

Needs Python 3.9 or newer and nothing else; with the package "cryptography" it checks the signatures too. README.txt
says what each check means. Exit codes: 0 in order, 1 not in order, 2 could not be checked, or not all of it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import sys
import time
import zipfile
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    CAN_CHECK_SIGNATURES = True
except ImportError:
    CAN_CHECK_SIGNATURES = False

ARCHIVE, ENTRY, CHECKPOINT = "numbers-portal/evidence/1", "numbers-portal/history/1", "numbers-portal/checkpoint/1"
IN_ORDER, NOT_IN_ORDER, NOT_CHECKED = 0, 1, 2
VERDICTS = {IN_ORDER: "In order.", NOT_IN_ORDER: "NOT IN ORDER.", NOT_CHECKED: "Not all of it could be checked."}
FILES = ("README.txt", "verify.py", "entries.jsonl", "checkpoints.jsonl", "public-keys.json", "manifest.json")
LINE_KEYS = {"canonical", "previous_hash", "hash"}
ENTRY_KEYS = {
    *("sequence", "at", "actor_id", "actor_name", "role", "source", "verb", "number", "account_key", "order_id"),
    *("changes", "destination", "stop_date", "ended_at", "reason", "approved_by", "vendor_status", "vendor_message"),
    "request_id",
}
CHECKPOINT_TYPES = {"sequence": int, "hash": str, "at": str, "public_key": str, "signature": str}
MOST_PROBLEMS = 100
MOST_BYTES = 16 * 1024 * 1024  # of a line, and of a file that is no list of lines
# What nonsense in a file leads to, once it is taken for JSON with certain fields.
NONSENSE = (KeyError, TypeError, ValueError, AttributeError, RecursionError)
canonical_text = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False).encode


class CannotCheck(Exception):
    """There is nothing to check, or this program does not know how."""


class Findings:
    """What is not in order, and what could not be checked, as sentences."""

    problem_count = 0

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.unchecked: list[str] = []

    def complain(self, sentence: str) -> None:
        self.problem_count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(sentence)

    @property
    def exit_code(self) -> int:
        return NOT_IN_ORDER if self.problem_count else NOT_CHECKED if self.unchecked else IN_ORDER


class Archive:
    """The files of a ZIP archive or of a directory, with the SHA-256 and size of each that was read."""

    def __init__(self, path: Path) -> None:
        self.zip = None if path.is_dir() else zipfile.ZipFile(path)
        self.path = path
        self.names = self.zip.namelist() if self.zip else [name for name in FILES if (path / name).is_file()]
        self.read: dict[str, tuple[str, int]] = {}

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines, each at most MOST_BYTES long: a longer one comes in pieces, which are no entries."""
        digest, size = hashlib.sha256(), 0
        opened = self.zip.open(name) if self.zip else (self.path / name).open("rb")
        with io.BufferedReader(opened, 1024 * 1024) as file:  # type: ignore[type-var]
            line = file.readline(MOST_BYTES)
            while line:
                digest.update(line)
                size += len(line)
                yield line
                line = file.readline(MOST_BYTES)
        self.read[name] = (digest.hexdigest(), size)

    def json(self, name: str) -> Any:
        """What the file says. Raises one of NONSENSE when it is no JSON, or too long to be what it should be."""
        size = self.zip.getinfo(name).file_size if self.zip else (self.path / name).stat().st_size
        if size > MOST_BYTES:
            raise ValueError(f"{size} bytes")
        return json.loads(b"".join(self.lines(name)))


class Manifest:
    """What the archive says of itself. Raises CannotCheck for an archive of another kind or release."""

    def __init__(self, archive: Archive) -> None:
        try:
            said = archive.json("manifest.json")
            versions = (said["version"], said["formats"]["entry"], said["formats"]["checkpoint"])
            numbers = [said[name] for name in ("first", "last", "count")]
            self.previous_hash, self.head_hash = str(said["previous_hash"]), str(said["head_hash"])
            self.origin = f"Made at {said['made_at']} by {said['made_by']} from {said['portal']}"
            self.files = {name: (file["sha256"], file["size"]) for name, file in said["files"].items()}
        except NONSENSE:
            raise CannotCheck("This is no archive of evidence: its manifest.json is not to be understood.") from None
        if versions != (ARCHIVE, ENTRY, CHECKPOINT) or any(type(number) is not int for number in numbers):
            raise CannotCheck(f"This program does not know archives of the kind {versions}.")
        self.first, self.last, self.count = numbers


class Checkpoints:
    """The signed checkpoints: read before the entries, compared while they pass, judged afterwards.

    Signatures count with the keys that were given, or else with those that the archive lists. Of checkpoints that were
    kept elsewhere those about the archive's entries are compared too.
    """

    def __init__(self, archive: Archive, manifest: Manifest, given: argparse.Namespace, findings: Findings) -> None:
        self.given, self.listed = set(given.public_key), set[str]()
        self.signed: list[dict[str, Any]] = []
        self.covered = 0
        try:
            said = archive.json("public-keys.json")
            self.listed = {public_key(key) for key in [said["present"], *said["former"]] if key}
        except NONSENSE:
            findings.complain("public-keys.json does not say which keys there are.")
        self.trusted = self.given or self.listed
        self._read("checkpoints.jsonl", archive.lines("checkpoints.jsonl"), findings)
        for path in given.checkpoints:
            self._read(str(path), path.read_bytes().splitlines(), findings, range(manifest.first, manifest.last + 1))
        self.hashes: dict[int, str | None] = {one["sequence"]: None for one in self.signed}

    def _read(self, name: str, lines: Iterable[bytes], findings: Findings, about: range | None = None) -> None:
        for place, line in enumerate(lines, 1):
            try:
                one = json.loads(line)
                good = {name: type(value) for name, value in one.items()} == CHECKPOINT_TYPES
            except NONSENSE:
                good = False
            if not good:
                findings.complain(f"Line {place} of {name} is not a checkpoint.")
            elif about is None or one["sequence"] in about:
                self.signed.append(one)

    def judge(self, first: int, last: int, findings: Findings) -> None:
        """Compare each with its entry, and say how far signatures reach."""
        for one in self.signed:
            sequence, name = one["sequence"], f"The checkpoint of entry {one['sequence']}"
            if self.hashes[sequence] is None:
                findings.complain(f"{name} is about an entry that is not here: it was cut off.")
            elif self.hashes[sequence] != one["hash"]:
                findings.complain(f"{name} has another hash: the entries were rewritten since.")
            if one["public_key"] not in self.trusted | self.listed:
                findings.complain(f"{name} was signed with another key.")
            elif CAN_CHECK_SIGNATURES and not signature_fits(one):
                findings.complain(f"{name} has a signature that does not fit.")
            elif one["public_key"] in self.trusted:
                self.covered = max(self.covered, sequence)
        if self.signed and not CAN_CHECK_SIGNATURES:
            findings.unchecked.append('The signatures: install the package "cryptography" and run this again.')
        if self.given and self.signed and not self.covered:
            findings.complain("No checkpoint was signed with the key that you gave.")
        elif self.covered < last:
            findings.unchecked.append(
                f"Whether entries {max(first, self.covered + 1)} to {last} were rewritten: no signature covers them."
            )


def signature_fits(checkpoint: dict[str, Any]) -> bool:
    text = f"{CHECKPOINT}\n{checkpoint['sequence']}\n{checkpoint['hash']}\n{checkpoint['at']}"
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(checkpoint["public_key"]))
        key.verify(base64.b64decode(checkpoint["signature"], validate=True), text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


class Replay:
    """How one number stood at a moment, or at the archive's end: the last of its entries until then, by sequence."""

    VERBS = ("number.bought", "number.imported", "number.changed", "number.ended")

    def __init__(self, number: str, moment: str | None) -> None:
        self.number, self.moment = "".join(filter(str.isdigit, number))[-10:], moment
        self.entry: dict[str, Any] | None = None

    def see(self, entry: dict[str, Any]) -> None:
        if entry["number"] != self.number or entry["verb"] not in self.VERBS:
            return
        if self.moment is None or str(entry["at"]) <= self.moment:
            self.entry = entry

    def sentence(self, first: int) -> str:
        asked = f"{self.number} at {self.moment or 'the end of the archive'}: "
        if self.entry is None:
            before = f" The archive starts at entry {first}; what was before is not in it." if first > 1 else ""
            return f"{asked}no entry says how it stood.{before}"
        entry = self.entry
        ended = f"stopped at {entry['ended_at']}; until then it rang " if entry["ended_at"] else "rings "
        return (
            f"{asked}{ended}{entry['destination']}, stop date {entry['stop_date'] or 'none'}. "
            f"Set by entry {entry['sequence']} ({entry['verb']}) of {entry['at']} by {entry['actor_name']}."
        )


class Chain:
    """The entries one after another: form, spelling, hash, and that each follows the one before."""

    def __init__(self, manifest: Manifest, findings: Findings) -> None:
        self.findings = findings
        self.count = 0
        self.last = manifest.first - 1
        self.head: str | None = None
        self.first_at = self.last_at = self.first_previous_hash = ""

    def take(self, line: bytes) -> dict[str, Any] | None:
        """The fields of the entry on the line; None when it is none."""
        self.count += 1
        complain = self.findings.complain
        try:
            said = json.loads(line.decode("ascii"))
            canonical, previous_hash, entry_hash = said["canonical"], said["previous_hash"], said["hash"]
            fields: dict[str, Any] = json.loads(canonical)
            sequence = fields["sequence"]
            spelled = canonical_text(fields) == canonical
            fits = hashlib.sha256(f"{ENTRY}\n{canonical}\n{previous_hash}".encode()).hexdigest() == entry_hash
            good = said.keys() == LINE_KEYS and fields.keys() == ENTRY_KEYS and type(sequence) is int
        except NONSENSE:
            good = False
        if not good:
            complain(f"Line {self.count} of entries.jsonl is not an entry.")
            self.last, self.head = self.last + 1, None
            return None
        if sequence != self.last + 1:
            complain(f"Entry {self.last + 1} is missing: the next one is {sequence}.")
        if self.head is not None and previous_hash != self.head:
            complain(f"Entry {sequence} does not follow the one before it.")
        if not fits:
            complain(f"Entry {sequence} was altered: its hash does not fit its text.")
        if not spelled:
            complain(f"Entry {sequence} was altered: its text is not in the one spelling that is hashed.")
        if self.count == 1:
            self.first_at, self.first_previous_hash = str(fields["at"]), str(previous_hash)
        self.last, self.head, self.last_at = sequence, entry_hash, str(fields["at"])
        return fields

    def conclude(self, manifest: Manifest) -> None:
        if manifest.first == 1 and self.count and self.first_previous_hash != "0" * 64:
            self.findings.complain("The first entry does not begin the history: something came before it.")
        said = (manifest.count, manifest.last, manifest.head_hash, manifest.previous_hash)
        if said != (self.count, self.last, self.head, self.first_previous_hash):
            self.findings.complain(
                f"The manifest says {manifest.count} entries up to entry {manifest.last}; "
                f"here are {self.count} up to entry {self.last}, or others than it says."
            )


def check_files(archive: Archive, manifest: Manifest, findings: Findings) -> None:
    """Compare every file with the manifest; those that were not read yet are read for that."""
    if sorted(archive.names) != sorted({*manifest.files, "manifest.json"}):
        findings.complain("The archive has other files than its manifest says, or one of them more than once.")
    for name, said in sorted(manifest.files.items()):
        if name in archive.names and name not in archive.read:
            deque(archive.lines(name), maxlen=0)
        if archive.read.get(name) != said:
            findings.complain(f"{name} is not the file that the manifest describes.")


class Check:
    """The check of one archive. Raises CannotCheck, and what zipfile raises for a damaged one."""

    def __init__(self, given: argparse.Namespace) -> None:
        started = time.monotonic()
        self.findings, archive = Findings(), Archive(given.archive)
        self.replay = Replay(given.number, given.at) if given.number else None
        if missing := [name for name in FILES if name not in archive.names]:
            raise CannotCheck(f"This is no archive of evidence: it lacks {', '.join(missing)}.")
        self.manifest = Manifest(archive)
        self.checkpoints = Checkpoints(archive, self.manifest, given, self.findings)
        self.chain = Chain(self.manifest, self.findings)
        self._read_entries(archive)
        self.chain.conclude(self.manifest)
        self.checkpoints.judge(self.manifest.first, self.chain.last, self.findings)
        check_files(archive, self.manifest, self.findings)
        self.seconds = time.monotonic() - started

    def _read_entries(self, archive: Archive) -> None:
        hashes = self.checkpoints.hashes
        for line in archive.lines("entries.jsonl"):
            entry = self.chain.take(line)
            if entry is None:
                continue
            if entry["sequence"] in hashes:
                hashes[entry["sequence"]] = str(self.chain.head)
            if self.replay:
                self.replay.see(entry)

    def sentences(self) -> Iterator[str]:
        """What was checked."""
        manifest, chain, checkpoints = self.manifest, self.chain, self.checkpoints
        yield f"{manifest.origin}."
        yield f"Files: {len(manifest.files)} compared with the manifest."
        begin = "the beginning" if manifest.first == 1 else f"the hash {chain.first_previous_hash}, which it relies on"
        yield (
            f"Entries: {chain.count} read, {manifest.first} to {chain.last}, of {chain.first_at} to {chain.last_at}. "
            f"Form, spelling, sequence and hashes checked, and the chain from {begin}. The last hash is {chain.head}."
        )
        signatures = "with their signatures" if CAN_CHECK_SIGNATURES else "without their signatures"
        yield f"Checkpoints: {len(checkpoints.signed)} compared with the entries, {signatures}."
        for key in sorted(checkpoints.trusted):
            yield f"Key: {key}, SHA-256 fingerprint {hashlib.sha256(base64.b64decode(key)).hexdigest()}."
        if checkpoints.signed and not checkpoints.given:
            yield (
                "The archive brought this key itself. Compare it with the one that you were given by another way, "
                "or give that one with --public-key: else somebody may have rewritten everything and signed it anew."
            )
        if self.replay:
            yield self.replay.sentence(manifest.first)

    def conclude(self) -> None:
        findings, more = self.findings, self.findings.problem_count - len(self.findings.problems)
        problems = [f"PROBLEM: {one}" for one in findings.problems] + ([f"PROBLEM: and {more} more."] if more else [])
        for sentence in [*self.sentences(), *problems, *(f"NOT CHECKED: {one}" for one in findings.unchecked)]:
            say(sentence)
        say(f"{VERDICTS[findings.exit_code]} {self.seconds:.1f} seconds.")

    def as_json(self) -> dict[str, Any]:
        said = {name: getattr(self.findings, name) for name in ("exit_code", "problem_count", "problems", "unchecked")}
        chain = {"first": self.manifest.first, "last": self.chain.last, "entries": self.chain.count}
        signed = {"checkpoints": len(self.checkpoints.signed), "signed_up_to": self.checkpoints.covered}
        number = {"number_set_by": self.replay.entry} if self.replay else {}
        return {**said, **chain, "head_hash": self.chain.head, **signed, **number}


def public_key(text: str) -> str:
    """The key in its one spelling. Raises ValueError for what is not 32 bytes in base64."""
    key = base64.b64decode(text.strip(), validate=True)
    if len(key) != 32:
        raise ValueError("not 32 bytes")
    return base64.b64encode(key).decode()


def utc_moment(text: str) -> str:
    """The moment as the entries write it; one without a zone is taken for UTC."""
    try:
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        return aware.astimezone(timezone.utc).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError("give the moment as in 2026-11-20T12:00:00Z") from None


def say(text: str) -> None:
    """A line, without what would move the cursor or colour the screen."""
    print("".join(letter if letter.isprintable() else "?" for letter in text))


def main() -> int:
    parser = argparse.ArgumentParser(description="Check an archive of evidence of the numbers portal.")
    parser.add_argument("archive", nargs="?", type=Path, default=Path(__file__).parent, help="a ZIP file or a folder")
    parser.add_argument("--public-key", action="append", default=[], type=public_key, help="only this key's count")
    parser.add_argument("--checkpoints", action="append", default=[], type=Path, help="a file of them, kept elsewhere")
    parser.add_argument("--number", help="also say how this number stood; ten digits")
    parser.add_argument("--at", type=utc_moment, help="when, as in 2026-11-20T12:00:00Z; else at the archive's end")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    if given.at and not given.number:
        parser.error("--at belongs to --number")
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        found = Check(given)
    except CannotCheck as error:
        reason = str(error)
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        reason = f"The archive cannot be read to its end ({type(error).__name__}: {error})."
    else:
        say(json.dumps(found.as_json())) if given.json else found.conclude()
        return found.findings.exit_code
    said = json.dumps({"exit_code": NOT_CHECKED, "unchecked": [reason]})
    say(said if given.json else f"Could not be checked: {reason}")
    return NOT_CHECKED


if __name__ == "__main__":
    sys.exit(main())
