"""``python -m benchmarks.worker FILE``: the ordinary worker, which also writes down when it reached each step.

It works until nothing is left to do. FILE gets one line a step: its name and the seconds since the step before.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

import django

django.setup()

from django.core.management import call_command

from numbers_app import steps


def main() -> None:
    lines: list[str] = []
    here = threading.local()

    def note(step: str) -> None:
        now = time.perf_counter()
        if hasattr(here, "last"):
            lines.append(f"{step}\t{now - here.last:.6f}")
        here.last = now

    steps.listener = note
    call_command("worker", interval=0.05, batch=True)
    Path(sys.argv[1]).write_text("\n".join(lines))


if __name__ == "__main__":
    main()
