"""Archives of evidence in the hands of tests: made, taken apart, altered, put together again, checked."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numbers_app.services.checkpoints import CHECKPOINT_VERSION
from numbers_app.services.evidence import INSTRUCTIONS, evidence_export
from numbers_app.services.history import history_hash
from numbers_app.signing import public_key_of, sign
from tests.history.conftest import PORTAL

WITH_SIGNATURES, WITHOUT_CRYPTOGRAPHY = ("-I",), ("-I", "-S")

type Files = dict[str, bytes]


def make_archive(path: Path, first: int | None = None, last: int | None = None) -> Path:
    path.write_bytes(b"".join(evidence_export(actor=PORTAL, first=first, last=last).stream))
    return path


def unpack(path: Path) -> Files:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def lines_of(files: Files, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files[name].splitlines()]


def put_lines(files: Files, name: str, lines: list[dict[str, Any]]) -> None:
    files[name] = "".join(json.dumps(line) + "\n" for line in lines).encode()


def fit_manifest(files: Files) -> None:
    """As a forger would: nothing signs the manifest."""
    manifest = json.loads(files["manifest.json"])
    entries = lines_of(files, "entries.jsonl")
    manifest |= {
        "count": len(entries),
        "last": json.loads(entries[-1]["canonical"])["sequence"],
        "previous_hash": entries[0]["previous_hash"],
        "head_hash": entries[-1]["hash"],
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for name, content in files.items()
            if name != "manifest.json"
        },
    }
    files["manifest.json"] = json.dumps(manifest).encode()


def alter_entry(files: Files, sequence: int, changes: dict[str, Any], *, new_hash: bool) -> None:
    """Change fields of one entry, with a hash that fits or with the old one."""
    entries = lines_of(files, "entries.jsonl")
    entry = entries[sequence - 1]
    entry["canonical"] = respelled(json.loads(entry["canonical"]) | changes)
    if new_hash:
        entry["hash"] = history_hash(entry["canonical"], entry["previous_hash"])
    put_lines(files, "entries.jsonl", entries)


def rewrite(files: Files, change: Callable[[dict[str, Any]], dict[str, Any]], previous: str = "0" * 64) -> None:
    """Change every entry, with hashes that all fit again."""
    entries = lines_of(files, "entries.jsonl")
    for entry in entries:
        entry["canonical"] = respelled(change(json.loads(entry["canonical"])))
        entry["previous_hash"] = previous
        entry["hash"] = previous = history_hash(entry["canonical"], previous)
    put_lines(files, "entries.jsonl", entries)


def respelled(fields: dict[str, Any]) -> str:
    return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def sign_again(files: Files, key: bytes) -> None:
    """A checkpoint of the last entry, signed with a key of one's own."""
    entry = lines_of(files, "entries.jsonl")[-1]
    one = {
        "sequence": json.loads(entry["canonical"])["sequence"],
        "hash": entry["hash"],
        "at": "2026-11-05T12:00:00.000000+00:00",
        "public_key": public_key_of(key),
    }
    text = f"{CHECKPOINT_VERSION}\n{one['sequence']}\n{one['hash']}\n{one['at']}"
    put_lines(files, "checkpoints.jsonl", [one | {"signature": sign(key, text)}])


@dataclass(frozen=True)
class Said:
    """What verify.py said."""

    code: int
    text: str

    @property
    def problems(self) -> list[str]:
        return [line.removeprefix("PROBLEM: ") for line in self.text.splitlines() if line.startswith("PROBLEM: ")]

    @property
    def not_checked(self) -> list[str]:
        return [line[13:] for line in self.text.splitlines() if line.startswith("NOT CHECKED: ")]


def run_verify(*arguments: str | Path, flags: tuple[str, ...] = WITH_SIGNATURES, script: Path | None = None) -> Said:
    """In a process of its own, which finds nothing of the project."""
    command = [sys.executable, *flags, str(script or INSTRUCTIONS / "verify.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert "Traceback" not in done.stderr, done.stderr
    return Said(done.returncode, done.stdout + done.stderr)
