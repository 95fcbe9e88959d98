"""Running the portal's commands as operations do: in a process of their own, under an environment of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

# The least that a portal needs to start.
LEAST = {"SECRET_KEY": "a-secret-key-of-more-than-fifty-characters-for-the-tests-alone", "CALLCAP_API_KEY": "key-1234"}


def portal(*arguments: str, environment: dict[str, str | None] | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments from the project's root; None as a value takes a variable away."""
    wished: dict[str, str | None] = {**LEAST, **(environment or {})}
    # COVERAGE lets child processes be counted; nothing of the portal reads the others.
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG") or "COV" in name}
    kept |= {name: value for name, value in wished.items() if value is not None}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=kept, capture_output=True, text=True, timeout=60, check=False
    )


def settings_say(expression: str, **environment: str) -> str:
    """What an expression over the settings comes to under this environment."""
    code = f"from portal import settings; print({expression})"
    finished = portal("-c", code, environment=dict(environment))
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()
