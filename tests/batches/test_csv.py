"""The files of batches: what can be read, what is refused and in which words, and what is written."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numbers_app.batch_csv import (
    COLUMNS,
    MOST_BYTES,
    MOST_ROWS,
    OF_THE_EXPORT,
    PROBLEM,
    RESULT_COLUMNS,
    read_file,
    template,
    write_file,
)
from numbers_app.errors import InvalidInput
from numbers_app.services.inventory import COLUMNS as EXPORTED


def lines(*rows: str) -> bytes:
    return "\r\n".join(rows).encode()


def refusal(data: bytes, kind: str = "change") -> str:
    with pytest.raises(InvalidInput) as refused:
        read_file(data, kind)
    assert refused.value.field == "file"
    return refused.value.message


def test_a_file_is_read_by_its_heading() -> None:
    rows = read_file(lines("destination,phone_number", "3164447896,3167342253"), "change")
    assert [(row.line, row.cells) for row in rows] == [(2, {"destination": "3164447896", "phone_number": "3167342253"})]


@pytest.mark.parametrize(
    "heading", ["phoneNumber,stopDate,mediaTypeID,campaignName", "PHONENUMBER,STOPDATE,MediaTypeId,CAMPAIGNNAME"]
)
def test_callcaps_names_are_understood(heading: str) -> None:
    (row,) = read_file(lines(heading, "3167342253,2027-03-31,7,Cakes"), "change")
    assert list(row.cells) == ["phone_number", "stop_date", "media_type_id", "campaign_name"]


def test_names_may_be_written_with_spaces() -> None:
    (row,) = read_file(lines("Phone number, Media type ID ", "3167342253,7"), "change")
    assert list(row.cells) == ["phone_number", "media_type_id"]


def test_callcaps_bare_number_of_a_location_is_its_account() -> None:
    (row,) = read_file(lines("phone_number,locationID,destination", "3167342253,3,3164447896"), "import")
    assert row.cells["account"] == "3"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_seen_in_the_heading(separator: str) -> None:
    heading, cells = separator.join(["phone_number", "notes"]), separator.join(["3167342253", '"a, b; c\td"'])
    (row,) = read_file(lines(heading, cells), "change")
    assert row.cells["notes"] == "a, b; c\td"


@pytest.mark.parametrize("marks", [0, 1, 2])
def test_utf_8_is_read_with_and_without_marks(marks: int) -> None:
    (row,) = read_file(b"\xef\xbb\xbf" * marks + lines("phone_number,notes", "3167342253,Café"), "change")
    assert row.cells == {"phone_number": "3167342253", "notes": "Café"}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a mark"])
def test_everything_may_stand_in_quotation_marks(separator: str, mark: bytes) -> None:
    heading, cells = separator.join(['"Phone number"', '"notes"']), separator.join(['"3167342253"', '"a, b; c\td"'])
    (row,) = read_file(mark + lines(heading, cells), "change")
    assert row.cells == {"phone_number": "3167342253", "notes": "a, b; c\td"}


def test_lines_may_end_in_any_way() -> None:
    rows = read_file(b"phone_number,notes\n3160000001,a\r\n3160000002,b\r3160000003,c", "change")
    assert [(row.line, row.cells["notes"]) for row in rows] == [(2, "a"), (3, "b"), (4, "c")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
def test_another_encoding_is_refused_with_the_way_to_save_it(encoding: str) -> None:
    data = "phone_number,notes\r\n3167342253,Café\r\n".encode(encoding)
    assert "CSV UTF-8" in refusal(data)


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0"])
def test_a_workbook_is_refused_as_such(start: bytes) -> None:
    assert "This is a workbook" in refusal(start + b" and so on")


def test_lines_are_those_of_the_file() -> None:
    rows = read_file(
        lines("phone_number,notes", "", '3160000001,"one', 'two"', ",", "3160000002,x", "", "3160000003,y"), "change"
    )
    assert [(row.line, row.cells["notes"]) for row in rows] == [(3, "one\r\ntwo"), (6, "x"), (8, "y")]


def test_cells_that_a_spreadsheet_left_out_are_empty() -> None:
    (row,) = read_file(lines("phone_number,notes,brand,,", "3167342253"), "change")
    assert row.cells == {"phone_number": "3167342253", "notes": "", "brand": ""}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The file is empty"),
        (b"\xef\xbb\xbf\r\n\r\n", "The file is empty"),
        (lines("phone_number,notes"), "a heading and no rows"),
        (b"phone_number" + b"," * 100_000, "a heading and no rows"),
        (lines("3167342253,3164447896", "3167342254,3164447896"), "names none of the columns"),
        (b"%PDF-1.7", "names none of the columns"),
        (b"x" * 100_000, "names none of the columns"),
        (b"phone_number" + b",x" * 100_000, "x, x, x, x, x and 99,995 more."),
        (b"\0" * 1000, "not in UTF-8"),
        (lines("phone_number,colour,size", "1,2,3"), "not known here: colour, size"),
        (lines("phone_number,phoneNumber", "1,2"), "has a column twice: phone_number"),
        (lines("destination", "3164447896"), "lacks phone_number"),
        (lines("phone_number,,notes", "1,2,3"), "Column 2 has no name"),
        (lines("phone_number,notes", '1,"never closed', "2,x"), "starts on line 2"),
        (lines("phone_number,notes", "1,x", '2,"a"b'), "starts on line 3"),
    ],
)
def test_a_file_that_cannot_be_read_as_a_whole_is_refused(data: bytes, words: str) -> None:
    assert words in refusal(data)


@pytest.mark.parametrize(
    ("kind", "missing"), [("import", "account, destination"), ("purchase", "account, destination")]
)
def test_a_new_number_needs_an_account_and_a_destination(kind: str, missing: str) -> None:
    assert f"lacks {missing}" in refusal(lines("phone_number", "3167342253"), kind)


def test_the_most_rows_are_read_and_one_more_is_refused() -> None:
    rows = [f"316{line:07d}" for line in range(MOST_ROWS)]
    assert len(read_file(lines("phone_number", *rows), "change")) == MOST_ROWS
    assert "more than 10,000 rows" in refusal(lines("phone_number", *rows, "3167342253"))


def test_a_file_that_is_too_large_is_refused() -> None:
    assert "more than 10 MB" in refusal(b"x" * (MOST_BYTES + 1))


def test_a_row_with_more_cells_than_the_heading_is_a_matter_of_its_own() -> None:
    rows = read_file(lines("phone_number,notes", "3160000001,Wichita, KS", "3160000002,x"), "change")
    assert "1 more cell than the heading" in rows[0].problem
    assert rows[0].given == {"phone_number": "3160000001", "notes": "Wichita", "": [" KS"]}
    assert rows[1].problem == ""


def test_a_null_character_refuses_its_row_and_can_be_stored_and_seen() -> None:
    first, second = read_file(lines("phone_number,notes", "3160000001,a\0b", "3160000002,x"), "change")
    assert "notes: remove the null character" in first.problem
    assert first.given["notes"] == "a\u2400b"
    assert second.problem == ""
    # Uploaded again as it was handed back, it is refused again.
    again = read_file(b"".join(write_file(["phone_number", "notes"], [first.given])), "change")
    assert "null character" in again[0].problem


def test_a_cell_as_long_as_a_file_is_read() -> None:
    (row,) = read_file(lines("phone_number,notes", "3167342253," + "x" * 1_000_000), "change")
    assert len(row.cells["notes"]) == 1_000_000


def test_every_column_of_the_inventorys_export_is_known_to_an_import() -> None:
    assert set(EXPORTED) <= {column.name for column in COLUMNS["import"]} | OF_THE_EXPORT


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_template_has_every_column_and_no_row(kind: str) -> None:
    heading = template(kind).decode("utf-8-sig").strip().split(",")
    assert heading == [column.name for column in COLUMNS[kind]]
    assert "a heading and no rows" in refusal(template(kind), kind)


def test_the_table_of_columns_has_callcaps_names() -> None:
    names = {column.name: column.vendor_name for column in COLUMNS["purchase"]}
    assert (names["phone_number"], names["media_type_id"], names["area_code"]) == (
        "phoneNumber",
        "mediaTypeID",
        "areaCode",
    )


def test_the_problem_of_a_row_comes_first_and_is_not_read_back() -> None:
    row = {"phone_number": "3160000001", "notes": "Wichita", "": [" KS"], PROBLEM: "One more cell"}
    data = b"".join(write_file([PROBLEM, "phone_number", "notes"], [row]))
    assert data.decode("utf-8-sig").splitlines()[1] == "One more cell,3160000001,Wichita, KS"
    (read,) = read_file(data, "change")
    assert read.given == {"phone_number": "3160000001", "notes": "Wichita", "": [" KS"]}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-", "@x", " =1", "\t=1", "'quoted", "''", "\uff1d1"])
def test_what_a_spreadsheet_takes_for_a_formula_is_made_harmless_and_comes_back(text: str) -> None:
    data = b"".join(write_file(["phone_number", "notes"], [{"phone_number": "1", "notes": text}]))
    (cell,) = [row[1] for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))][1:]
    assert cell == f"'{text}"
    assert read_file(data, "change")[0].cells["notes"] == text


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\u2400"), max_size=30)


@given(st.lists(st.fixed_dictionaries({"phone_number": st.just("3160000001"), "notes": CELLS, "brand": CELLS})))
def test_what_is_written_is_read_back_as_it_was(rows: list[dict[str, str]]) -> None:
    data = b"".join(write_file(["phone_number", "notes", "brand"], rows))
    read = read_file(data, "change") if rows else []
    assert [row.cells for row in read] == rows


@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a mark"])
def test_the_line_in_which_excel_names_the_separator_is_no_heading(separator: str, mark: bytes) -> None:
    heading, row = separator.join(["phone_number", "notes"]), separator.join(["3167342253", "Cakes"])
    (read,) = read_file(mark + lines(f"sep={separator}", heading, row), "change")
    assert (read.line, read.cells) == (3, {"phone_number": "3167342253", "notes": "Cakes"})


@pytest.mark.parametrize("kind", COLUMNS)
def test_the_columns_of_a_result_file_are_not_looked_at(kind: str) -> None:
    columns = [column.name for column in COLUMNS[kind]]
    row = f"3167342253{',' * len(columns)}2,Failed,7,No.,No."
    (read,) = read_file(lines(",".join([*columns, *RESULT_COLUMNS]), row), kind)
    assert list(read.cells) == columns
