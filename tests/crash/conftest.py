"""A crew of real processes, and times that are short but real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.workers import CALL_SECONDS, Crew
from tests.sandbox_server import SandboxServer


@pytest.fixture
def short_times(settings: Any) -> None:
    """The same in this process as in the others."""
    settings.CALLCAP_TIMEOUT = CALL_SECONDS
    settings.CALLCAP_SETTLE_SECONDS = 1


@pytest.fixture
def crew(transactional_db: None, short_times: None, sandbox: SandboxServer, tmp_path: Path) -> Iterator[Crew]:
    """No processes yet; those that are started end with the test."""
    made = Crew(tmp_path, sandbox.url)
    yield made
    made.dismiss()
