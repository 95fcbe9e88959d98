"""What was in force follows the order of the entries, also when a clock was set back between them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from django.db import transaction

from numbers_app.models import HistoryEntry, Verb
from numbers_app.services.history import NumberState, history_append
from tests.evidence.archives import make_archive, run_verify
from tests.evidence.conftest import STOPS
from tests.history.conftest import CAKE, DESTINATION, MOVED, PORTAL


@pytest.mark.usefixtures("signing_key")
def test_the_later_entry_counts_although_its_time_is_earlier(history: list[HistoryEntry], tmp_path: Path) -> None:
    with time_machine.travel(datetime(2026, 11, 3, 12, tzinfo=UTC), tick=False), transaction.atomic():
        history_append(
            actor=PORTAL,
            verb=Verb.NUMBER_CHANGED,
            number=CAKE,
            account_key="L-3",
            changes={"destination": [MOVED, DESTINATION]},
            state=NumberState(DESTINATION, STOPS),
        )
    said = run_verify(make_archive(tmp_path / "evidence.zip"), "--number", CAKE, "--at", "2026-11-10")
    assert f"rings {DESTINATION}, stop date 2026-12-31. Set by entry 5 (number.changed)" in said.text
