"""Text in the cells of CSV files: safe to open in a spreadsheet, and readable back.

A spreadsheet may take a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, also after white space and
what is not seen, and in full width. Such a cell gets an apostrophe in front, and so does one that begins with an
apostrophe. That makes the way back one rule: take one apostrophe off the front of every cell that has one.
"""

import re
import string

# Spreadsheets read a file as UTF-8 when it begins with this.
BYTE_ORDER_MARK = "\ufeff"

_unsafe = re.compile(r"[\t\r']|[\s\x00-\x1f\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]").match
# Most cells begin like this, or are empty: looking the first character up is faster than searching the cell.
_PLAIN_STARTS = frozenset(["", "{", *string.ascii_letters, *string.digits])


def cell_out(text: str) -> str:
    """The text as it is written to a file, with an apostrophe in front where it needs one."""
    return f"'{text}" if text[:1] not in _PLAIN_STARTS and _unsafe(text) else text


def cell_in(text: str) -> str:
    """The text of a cell that ``cell_out`` wrote. A cell typed by hand stays as it is, but for one apostrophe."""
    return text.removeprefix("'")
