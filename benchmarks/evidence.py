"""What leaves the portal, and how fast the history is checked: exports, the archive of evidence, both verifications.

``python -m benchmarks.evidence STEP [FILE]`` is one measurement, in a process of its own so that its peak memory is
that of the work; ``bench_evidence`` runs them all.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.conf import settings

from numbers_app.actors import Actor
from numbers_app.models import HistoryEntry, Source
from numbers_app.services.checkpoints import checkpoint_make
from numbers_app.services.evidence import evidence_export
from numbers_app.services.exports import ExportFormat, history_export
from numbers_app.services.verification import history_verify
from tests.browser.conftest import database_url
from tests.sandbox_server import ROOT

PORTAL = Actor.portal("Benchmark", source=Source.COMMAND)
VERIFY = ROOT / "numbers_app" / "evidence" / "verify.py"
# As an auditor starts it, and what it took.
VERIFY_MEASURED = """
import contextlib, io, json, resource, runpy, sys, time
started, sys.argv = time.perf_counter(), sys.argv[1:]
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())) as said:
    runpy.run_path(sys.argv[0], run_name="__main__")
said.seek(0)
if "In order." not in said.read():
    sys.exit("The archive is not in order, so nothing is measured.")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": time.perf_counter() - started, "peak_mb": peak / 1024}))
"""


def bench_evidence() -> list[tuple[str, str, str]]:
    """Rows of (what, value, peak memory) for the history that the database has; ``fill_history`` makes a long one."""
    count = HistoryEntry.objects.count()
    with tempfile.TemporaryDirectory() as directory:
        archive = str(Path(directory) / "evidence.zip")
        steps = {
            "verification of the chain alone": ["-m", "benchmarks.evidence", "chain"],
            "verification with every column": ["-m", "benchmarks.evidence", "columns"],
            "export as CSV": ["-m", "benchmarks.evidence", "csv"],
            "export as JSON lines": ["-m", "benchmarks.evidence", "jsonl"],
            "archive made": ["-m", "benchmarks.evidence", "archive", archive],
            "archive checked by verify.py": ["-c", VERIFY_MEASURED, str(VERIFY), archive],
        }
        rows = [_row(what, count, arguments) for what, arguments in steps.items()]
        megabytes = Path(archive).stat().st_size / 1e6
    return [*rows, (f"evidence: archive of {count:,} entries", f"{megabytes:.0f} MB", "")]


def _row(what: str, count: int, arguments: list[str]) -> tuple[str, str, str]:
    environment = os.environ | {"DATABASE_URL": database_url()}
    # Through a shell: Linux counts the memory of the process that starts another as the other's own.
    command = ["sh", "-c", '"$@"; exit $?', "sh", sys.executable, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    said = json.loads(done.stdout.splitlines()[-1])  # after what was logged
    return f"evidence: {what}, {count:,} entries", f"{count / said['seconds']:,.0f} /s", f"{said['peak_mb']:.0f} MB"


def _verify(columns: bool) -> None:
    problems = history_verify(columns=columns).problems
    if problems:
        raise SystemExit(f"The history is not in order, so nothing is measured: {problems[0]}")


def _export(file_format: ExportFormat) -> Iterator[bytes]:
    entries = HistoryEntry.objects.all()
    return history_export(actor=PORTAL, entries=entries, filters="", file_format=file_format).stream


def _take(stream: Iterator[bytes], path: str = os.devnull) -> None:
    with Path(path).open("wb") as file:
        for part in stream:
            file.write(part)


def main() -> None:
    settings.HISTORY_SIGNING_KEY = bytes(range(32))
    steps: dict[str, Callable[[], None]] = {
        "chain": lambda: _verify(columns=False),
        "columns": lambda: _verify(columns=True),
        "csv": lambda: _take(_export(ExportFormat.CSV)),
        "jsonl": lambda: _take(_export(ExportFormat.JSON_LINES)),
        "archive": lambda: _take(evidence_export(actor=PORTAL).stream, sys.argv[2]),
    }
    with tempfile.TemporaryDirectory() as directory:
        settings.CHECKPOINT_FILE = Path(directory) / "checkpoints.jsonl"
        checkpoint_make(actor=PORTAL)
        started = time.perf_counter()
        steps[sys.argv[1]]()
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "peak_mb": peak / 1024}))


if __name__ == "__main__":
    main()
