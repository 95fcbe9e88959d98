"""Documents speak of tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
NAMED = re.findall(r"`(tests/[a-z_0-9/]+\.py)::(test_[a-z_0-9]+)`", (ROOT / "docs" / "faults.md").read_text())


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)))
def test_test_that_the_table_of_faults_names_exists(path: str, name: str) -> None:
    assert f"def {name}(" in (ROOT / path).read_text()


def test_every_fault_has_a_row() -> None:
    rows = re.findall(r"^\| ([0-9]+)(?:–([0-9]+))? \|", (ROOT / "docs" / "faults.md").read_text(), re.M)
    covered = {number for first, last in rows for number in range(int(first), int(last or first) + 1)}
    assert covered == {*range(1, 24), *range(44, 58)}
