"""Cells of CSV files: no formula gets out, and every text comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numbers_app.csv_cells import cell_in, cell_out

FORMULAS = "=+-@\uff1d\uff0b\uff0d\uff20"


@pytest.mark.parametrize("text", ["=1+1", "+1 316", "-1", "@SUM(A1)", "\t=1", "  =1", "\u200b@x", "\uff1d1", "'x"])
def test_what_a_spreadsheet_might_run_gets_an_apostrophe(text: str) -> None:
    assert cell_out(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["", "3167342253", "L-3", "(316) 734-2253", "Spring = new", "It's fine", "{}", "Ünder"]
)
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert cell_out(text) == cell_in(text) == text


def test_one_apostrophe_is_taken_off_and_no_more() -> None:
    assert cell_in("''twice") == "'twice"


@given(st.text(alphabet=st.one_of(st.sampled_from(FORMULAS + "' \t\r\n\ufeff\u200b"), st.characters()), max_size=6))
def test_every_text_comes_back(text: str) -> None:
    written = cell_out(text)
    assert cell_in(written) == text
    assert written[:1] not in FORMULAS or not written
