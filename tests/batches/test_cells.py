"""What the cells of a file say: everything that can be read in one way only, and a sentence for everything else."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from numbers_app.forms.batch_cells import CellReader
from numbers_app.models import BatchKind

CHANGE, PURCHASE, IMPORT = BatchKind.CHANGE, BatchKind.PURCHASE, BatchKind.IMPORT


def read(column: str, text: str, kind: BatchKind = CHANGE) -> Any:
    problems: list[str] = []
    values = CellReader(kind).values({column: text}, problems)
    assert problems == []
    return values[column]


def problem(column: str, text: str, kind: BatchKind = CHANGE) -> str:
    problems: list[str] = []
    assert CellReader(kind).values({column: text}, problems) == {}
    (said,) = problems
    assert re.match(rf"{column} “[^”]{{1,61}}”: ", said)
    return said


@pytest.mark.parametrize(
    "text",
    [
        "3165550100",
        "(316) 555-0100",
        "+1 316.555.0100",
        "13165550100",
        "3165550100.0",
        "\u00a0316-555-0100 ",
        "\u202a3165550100\u202c",
    ],
)
def test_a_number_is_read_as_people_and_programs_write_it(text: str) -> None:
    assert read("destination", text) == "3165550100"


@pytest.mark.parametrize("text", ["3.16555E+09", "3,16555E+09", "3E+09", "3.165550100e9"])
def test_a_number_that_a_spreadsheet_has_shortened_is_not_guessed(text: str) -> None:
    assert "Format its column as a number without decimals" in problem("destination", text)


@pytest.mark.parametrize(
    "text",
    [
        "2098-03-31",
        "2098-3-31",
        "2098/03/31",
        "2098.03.31",
        "2098-03-31 00:00:00",
        "2098-03-31T00:00:00.000",
        "3/31/2098",
        "03/31/2098",
        "31/3/2098",
        "31.03.2098",
        "03-31-2098",
        "31-Mar-2098",
        "March 31, 2098",
        "31 March 2098",
        " 2098-03-31\u00a0",
    ],
)
def test_a_date_is_read_where_it_can_mean_one_day_only(text: str) -> None:
    assert read("stop_date", text) == date(2098, 3, 31)


def test_day_and_month_that_are_the_same_can_be_read() -> None:
    assert read("stop_date", "5/5/2098") == date(2098, 5, 5)


@pytest.mark.parametrize("text", ["03/04/2098", "3.4.2098", "4-3-2098"])
def test_day_and_month_are_not_guessed(text: str) -> None:
    said = problem("stop_date", text)
    assert "2098-03-04" in said
    assert "2098-04-03" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("soon", "year-month-day"),
        ("3/31/27", "the year with four digits"),
        ("31-Mar-27", "the year with four digits"),
        ("2098-02-30", "There is no such day"),
        ("13/13/2098", "There is no such day"),
        ("0/0/2098", "There is no such day"),
        ("2098-03-31 08:00", "year-month-day"),
        ("44286", "year-month-day"),
        ("(empty)", "Write run on"),
    ],
)
def test_what_is_no_date_is_refused_with_the_way_to_write_it(text: str, words: str) -> None:
    assert words in problem("stop_date", text)


@pytest.mark.parametrize("words", ["run on", " Runs on "])
def test_words_let_a_number_run_on(words: str) -> None:
    assert read("stop_date", words) == date(2099, 1, 1)
    assert read("stop_date", words, IMPORT) is None


@pytest.mark.parametrize(
    ("word", "value"),
    [("true", True), ("TRUE", True), ("Yes ", True), ("on", True), ("false", False), ("No", False), ("off", False)],
)
def test_recording_is_read_in_any_usual_word(word: str, value: bool) -> None:
    assert read("recording", word) is value


@pytest.mark.parametrize("word", ["realtime", "Real time", "REAL-TIME"])
def test_evaluation_is_read_however_it_is_written(word: str) -> None:
    assert read("evaluation", word) == "realtime"


def test_callcap_takes_no_delayed_evaluation_for_a_new_number() -> None:
    assert "only off or realtime" in problem("evaluation", "delayed", PURCHASE)
    assert read("evaluation", "delayed", IMPORT) == "delayed"


@pytest.mark.parametrize("text", ["7", "7.0", " 7 "])
@pytest.mark.django_db
def test_a_media_type_is_read_as_programs_write_it(text: str) -> None:
    assert read("media_type_id", text) == 7


@pytest.mark.django_db
def test_a_media_type_that_has_no_such_name_is_refused() -> None:
    assert "whole number" in problem("media_type_id", "radio")


@pytest.mark.parametrize(
    ("column", "text", "words"),
    [
        ("destination", "12", "is not a US or Canadian number"),
        ("destination", "1-900-555-0100", "is a premium number"),
        ("destination", "316-555-CAKE", "has letters in it"),
        ("destination", "(empty)", "cannot be cleared"),
        ("recording", "perhaps", "Give true or false"),
        ("recording", "(empty)", "Give true or false"),
        ("evaluation", "sometimes", "Give off, realtime or delayed"),
        ("evaluation", "(empty)", "Give off, realtime or delayed"),
        ("media_type_id", "0", "greater than or equal to 1"),
        ("brand", "x" * 101, "at most 100 characters (it has 101)"),
        ("memo2", "x" * 256, "at most 255 characters"),
        ("notes", "x" * 10_001, "at most 10000 characters"),
    ],
)
def test_a_cell_that_cannot_be_is_named_with_its_column(column: str, text: str, words: str) -> None:
    assert words in problem(column, text)


def test_the_word_for_clearing_clears_in_a_change_only() -> None:
    assert read("brand", "(Empty)") == ""
    assert read("media_type_id", "(empty)") is None
    assert read("brand", "(empty)", IMPORT) == "(empty)"
