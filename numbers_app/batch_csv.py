"""The files of a batch: the columns of each kind, reading what people upload, writing what they take back.

Knows the shape of a file and nothing of what stands in its cells.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .callcap import snake_name, wire_name
from .csv_cells import BYTE_ORDER_MARK, cell_in, cell_out
from .errors import InvalidInput

MOST_ROWS = 10_000
MOST_BYTES = 10_000_000
SEPARATORS = ",;\t"
# What a null character is handed back as: no database keeps it, and a file that shows it is refused in the same way.
NUL, SHOWN_NUL = "\x00", "\u2400"
PROBLEM = "problem"
# What the portal's own files add to the rows that were given. An upload does not keep these columns.
RESULT_COLUMNS = ("file_line", "outcome", "order", "result", "callcap")
ADDED = frozenset((PROBLEM, *RESULT_COLUMNS))
# Excel says so itself which separator it used, in a line before the heading.
SEPARATOR_LINE = re.compile(r"\A\"?sep=.\"?[,;\t]*(?=\r|\n)", re.IGNORECASE)
# Under this name stand the cells of a row that its heading has no column for.
SURPLUS = ""
# A cell may be as long as a file: one that is too long for its column is a matter of its row, not of the file.
csv.field_size_limit(MOST_BYTES)

# How the files of spreadsheets begin: zip archives, also empty ones, and Microsoft's old format.
WORKBOOKS = (b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0")
# So many names are told in a sentence.
MOST_NAMED = 5

SAVE_AS = (
    "Save it as CSV in UTF-8: in Excel, Save As and the type CSV UTF-8 (comma delimited); "
    "in LibreOffice, the character set Unicode (UTF-8)."
)


@dataclass(frozen=True)
class Column:
    """One column of a file: its name, what it means and an example."""

    name: str
    meaning: str
    example: str
    required: bool = False

    @property
    def vendor_name(self) -> str:
        """What Callcap calls it; empty where it has no other name."""
        return wire_name(self.name)


@dataclass(frozen=True)
class FileRow:
    """A row as it was written: the line on which it starts, its cells by column, and what is wrong with its shape.

    ``outcome`` is what a result file says of it.
    """

    line: int
    cells: dict[str, str]
    surplus: list[str] = field(default_factory=list)
    problem: str = ""
    outcome: str = ""

    @property
    def given(self) -> dict[str, str | list[str]]:
        """The row as it can be stored and handed back."""
        kept: dict[str, str | list[str]] = {name: _storable(cell) for name, cell in self.cells.items()}
        return kept | {SURPLUS: [_storable(cell) for cell in self.surplus]} if self.surplus else kept


PHONE_NUMBER = Column("phone_number", "The number.", "(316) 734-2253", required=True)
ACCOUNT = Column("account", "The Location: its account key, its number, or its exact name.", "L-3", required=True)
DESTINATION = Column("destination", "The phone that rings. US or Canada.", "(316) 444-7896")
INFORMATION = (
    Column(
        "stop_date",
        "Last day for calls at the Location, best with the year first; or run on, for no end.",
        "2027-03-31",
    ),
    Column("recording", "Call recording: true or false (also yes, no, on, off).", "true"),
    Column("evaluation", "When calls are evaluated: off, realtime or delayed.", "off"),
    Column("campaign_name", "At most 100 characters.", "Spring campaign"),
    Column("media_type_id", "Callcap's number for the medium, or the name that it has here.", "7"),
    Column("brand", "At most 100 characters.", "Prairie Comfort"),
    Column("service", "Service line, at most 100 characters.", "Heating"),
    Column("target", "At most 100 characters.", "Home owners"),
    Column("offer", "At most 100 characters.", "Free inspection"),
    Column("memo1", "At most 255 characters.", "Customer 4711"),
    Column("memo2", "At most 255 characters.", "Invoice to Salina"),
    Column("notes", "At most 10,000 characters, with line breaks if you like.", "Billboard on Main Street"),
)
SEARCH = (
    Column("area_code", "Three digits.", "316"),
    Column("exchange", "Three digits.", "734"),
    Column("line", "The last four digits.", "2253"),
    Column("vanity_text", "A word or digits in it; * and # stand for any digit.", "###cake"),
    Column("country", "US or CA.", "US"),
    Column("state", "Two letters.", "KS"),
    Column("city", "At most 100 characters.", "Wichita"),
    Column("rate_center", "At most 100 characters.", "WICHITA DOWNTOWN"),
    Column("zipcode", "ZIP or postal code.", "67202"),
    Column("show_local", "true: local numbers.", "true"),
    Column("show_tollfree", "true: toll-free numbers.", "true"),
    Column("show_public_pool", "true: numbers available to everybody.", "true"),
    Column("show_reserved_pool", "true: the Location's own reserved numbers.", "true"),
)


def _required(column: Column) -> Column:
    return Column(column.name, column.meaning, column.example, required=True)


def _optional(column: Column, meaning: str) -> Column:
    return Column(column.name, meaning, column.example)


COLUMNS: dict[str, tuple[Column, ...]] = {
    "change": (
        PHONE_NUMBER,
        _optional(ACCOUNT, "The Location that has the number, to be sure. A number cannot move to another one."),
        DESTINATION,
        *INFORMATION,
    ),
    "purchase": (
        _optional(PHONE_NUMBER, "The number to be bought. Empty: any number that the search columns describe."),
        ACCOUNT,
        _required(DESTINATION),
        *INFORMATION,
        *SEARCH,
    ),
    "import": (PHONE_NUMBER, ACCOUNT, _required(DESTINATION), *INFORMATION),
}
# Columns of the inventory's export that say what is so, and set nothing.
OF_THE_EXPORT = frozenset(("status", "number_type", "state", "city", "rate_center", "confirmed_at", "imported_at"))


def read_file(data: bytes, kind: str) -> list[FileRow]:
    """The rows of a file, blank ones left out. Lines are those of the file, so that the heading is line 1.

    Separated by comma, semicolon or tab, whichever fits the heading. Raises InvalidInput at ``file`` with a sentence
    for a file that cannot be read as a whole: its encoding, its columns, its quotation marks, its size.
    """
    text = _decoded(data)
    records = _records(text, _separator(text, kind))
    heading = next(records, None)
    if heading is None:
        raise _wrong("The file is empty.")
    names = _names(heading[1], kind)
    rows: list[FileRow] = []
    for line, cells in records:
        if len(rows) == MOST_ROWS:
            raise _wrong(f"The file has more than {MOST_ROWS:,} rows. Divide it into several files.")
        rows.append(_row(line, cells, names))
    if not rows:
        raise _wrong("The file has a heading and no rows.")
    return rows


def write_file(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    """A file of these columns, as its parts. Cells that a spreadsheet could take for formulas are made harmless."""
    yield _lines([list(columns)], BYTE_ORDER_MARK)
    for row in rows:
        cells = [str(row.get(name, "")) for name in columns]
        surplus = row.get(SURPLUS, [])
        yield _lines([[*cells, *(surplus if isinstance(surplus, list) else [])]])


def template(kind: str) -> bytes:
    """An empty file with every column of the kind in its heading."""
    return b"".join(write_file([column.name for column in COLUMNS[kind]], []))


def _lines(rows: Iterable[Iterable[str]], before: str = "") -> bytes:
    text = io.StringIO(before, newline="")
    text.seek(0, io.SEEK_END)
    csv.writer(text).writerows([cell_out(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _wrong(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, "file")


def _storable(cell: str) -> str:
    return cell.replace(NUL, SHOWN_NUL)


def _decoded(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise _wrong(f"The file has more than {MOST_BYTES // 1_000_000} MB. Divide it into several files.")
    if data.startswith(WORKBOOKS):
        raise _wrong(f"This is a workbook, not a CSV file. {SAVE_AS}")
    try:
        # Programs that add a mark to a file that has one leave two.
        text = data.decode().lstrip(BYTE_ORDER_MARK)
    except UnicodeDecodeError:
        raise _wrong(f"The file is not in UTF-8. {SAVE_AS}") from None
    if NUL in text.lstrip().split("\n", 1)[0]:
        # UTF-16 without a mark in front: every other byte is zero.
        raise _wrong(f"The file is not in UTF-8. {SAVE_AS}")
    # Blank, it still counts as a line.
    return SEPARATOR_LINE.sub("", text)


def _separator(text: str, kind: str) -> str:
    """The one that makes the most known columns of the heading."""

    def known(separator: str) -> int:
        try:
            _, cells = next(_records(text, separator), (0, []))
        except InvalidInput:
            # A quoted name ends where another separator stands.
            return 0
        return len({snake_name(cell_in(cell)) for cell in cells} & _known(kind))

    return max(SEPARATORS, key=known)


def _known(kind: str) -> set[str]:
    return {column.name for column in COLUMNS[kind]} | OF_THE_EXPORT | ADDED


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """(line on which it starts, cells) of each record that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error:
            raise _wrong(
                f"The row that starts on line {line} cannot be read: a quotation mark in it is not closed, or stands "
                "in the middle of a cell. Write a quotation mark within a quoted cell twice."
            ) from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield line, cells
        line = reader.line_num + 1


def _names(heading: list[str], kind: str) -> list[str]:
    names = [snake_name(cell_in(cell)) for cell in heading]
    while names and not names[-1]:
        # Spreadsheets leave separators behind where columns were cleared.
        names.pop()
    known = _known(kind)
    if known.isdisjoint(names):
        raise _wrong("The first line names none of the columns below. It has to name them, as in the empty file.")
    if unnamed := [str(place) for place, name in enumerate(names, start=1) if not name]:
        raise _wrong(f"Column {_listed(unnamed)} has no name in the heading.")
    unknown = [cell.strip()[:60] for cell, name in zip(heading, names, strict=False) if name not in known]
    if unknown:
        raise _wrong(
            f"The heading has columns that are not known here: {_listed(unknown)}. "
            "Take them out, or name them as in the table of columns."
        )
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise _wrong(f"The heading has a column twice: {', '.join(doubled)}.")
    missing = [column.name for column in COLUMNS[kind] if column.required and column.name not in names]
    if missing:
        raise _wrong(f"The heading lacks {', '.join(missing)}. Each row needs it.")
    return names


def _listed(words: Sequence[str]) -> str:
    """The words, or the first of them and how many more there are."""
    more = len(words) - MOST_NAMED
    return ", ".join(words[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _row(line: int, cells: list[str], names: list[str]) -> FileRow:
    cells = [cell_in(cell) for cell in cells]
    surplus = cells[len(names) :]
    while surplus and not surplus[-1].strip():
        surplus.pop()
    # Spreadsheets leave the separators of empty cells at the end of a row out.
    filled = [*cells[: len(names)], *[""] * (len(names) - len(cells))]
    every = dict(zip(names, filled, strict=True))
    by_name = {name: cell for name, cell in every.items() if name not in ADDED}
    return FileRow(line, by_name, surplus, _shape_problem(by_name, surplus), every.get("outcome", "").strip())


def _shape_problem(cells: dict[str, str], surplus: list[str]) -> str:
    if surplus:
        return (
            f"The row has {len(surplus):,} more cell{'s' if len(surplus) > 1 else ''} than the heading. "
            "Put text that has a separator in it in quotation marks."
        )
    nulls = [name for name, cell in cells.items() if NUL in cell or SHOWN_NUL in cell]
    if nulls:
        return f"{', '.join(nulls)}: remove the null character, shown as {SHOWN_NUL}."
    return ""
