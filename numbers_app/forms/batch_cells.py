"""What stands in the cells of a batch's file, cleaned by the fields of the forms for one number.

The fields are made once a file: a form a row would take ten times as long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import fields, replace
from datetime import date
from functools import lru_cache
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from numbers_app.callcap import SearchCriteria, vanity
from numbers_app.models import RUN_ON, Account, BatchKind, Evaluation

from .campaigns import CampaignForm
from .fields import OptionalSwitchField, PhoneNumberField
from .search import PLACE_FIELDS, SearchForm

# In a change this clears a piece of information; an empty cell leaves it as it is.
CLEAR = "(empty)"
RUN_ON_WORDS = ("run on", "runs on")
CANNOT_BE_CLEARED = {
    "destination": "A destination cannot be cleared. Give the number that calls should ring to.",
    "stop_date": "Write run on to let the number run on.",
    "recording": "There is no way back to never set. Give true or false.",
    "evaluation": "There is no way back to never set. Give off, realtime or delayed.",
}
SEARCH_COLUMNS = tuple(field.name for field in fields(SearchCriteria) if field.name not in ("account", "full_number"))
MOST_SHOWN = 60
# How spreadsheets write a number whose column is too narrow, and what other programs make of a whole number.
SHORTENED = re.compile(r"[0-9]([.,][0-9]+)?E\+?[0-9]+", re.ASCII | re.IGNORECASE)
WITH_DECIMALS = re.compile(r"([0-9]{10,11})\.0+", re.ASCII)
# A time of midnight is what other programs add to a date.
YEAR_FIRST = re.compile(r"([0-9]{4})[-./]([0-9]{1,2})[-./]([0-9]{1,2})([T ]00:00(:00(\.0+)?)?)?", re.ASCII)
YEAR_LAST = re.compile(r"([0-9]{1,2})[-./]([0-9]{1,2})[-./]([0-9]{4})", re.ASCII)
MONTHS = 12
WITH_YEAR = re.compile(r".*[0-9]{4}", re.ASCII)


def at_column(column: str, text: str, sentence: str) -> str:
    """A sentence about a cell, with the column and what stands in it."""
    shown = text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
    return f"{column} “{shown}”: {sentence}"


class CellReader:
    """Cleans the cells of one file. What is wrong with a cell comes back as a sentence, so that all of a row are told.

    ``values`` and ``search`` append to the given list of problems and leave the cell out.
    """

    def __init__(self, kind: BatchKind) -> None:
        self._may_clear = kind == BatchKind.CHANGE
        self._fields = {name: _campaign_field(name, kind) for name in CampaignForm.CAMPAIGN_FIELDS}
        self._search = {name: _search_field(name) for name in SEARCH_COLUMNS}
        self._phone_field = PhoneNumberField()
        self._number = lru_cache(maxsize=4096)(self._phone)

    def number(self, column: str, text: str) -> str:
        """Ten digits. Raises ValidationError with a sentence that names the column and the text."""
        try:
            return self._number(text.strip())
        except ValidationError as error:
            raise ValidationError(at_column(column, text, " ".join(error.messages))) from None

    def _phone(self, text: str) -> str:
        if SHORTENED.fullmatch(text):
            raise ValidationError(
                "A spreadsheet has shortened this number, so that digits are lost. "
                "Format its column as a number without decimals, or as text, and save the file again."
            )
        return self._phone_field.clean(WITH_DECIMALS.sub(r"\1", text) if WITH_DECIMALS.fullmatch(text) else text)

    def values(self, cells: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
        """The campaign's values that the cells set, as Python values; empty cells set nothing."""
        values: dict[str, Any] = {}
        for name in self._fields:
            if not (text := cells.get(name, "")) or text.isspace():
                continue
            try:
                values[name] = self._value(name, text)
            except ValidationError as error:
                problems.append(at_column(name, text, " ".join(error.messages)))
        return values

    def _value(self, name: str, text: str) -> Any:
        text = text.strip()
        word = text.lower()
        if word == CLEAR and self._may_clear:
            if name in CANNOT_BE_CLEARED:
                raise ValidationError(CANNOT_BE_CLEARED[name])
            return None if name == "media_type_id" else ""
        if name == "destination":
            return self._number(text)
        if name == "stop_date":
            if word in RUN_ON_WORDS:
                # A new number runs on by itself.
                return RUN_ON if self._may_clear else None
            return self._date(text)
        if name == "evaluation":
            return self._fields[name].clean(word.replace(" ", "").replace("-", ""))
        return self._fields[name].clean(text)

    def _date(self, text: str) -> date:
        """The date, where it can be read in one way only: day and month are not guessed, nor is the century."""
        if first := YEAR_FIRST.fullmatch(text):
            year, month, day = first.group(1, 2, 3)
        elif last := YEAR_LAST.fullmatch(text):
            one, other, year = last.groups()
            month, day = (other, one) if int(one) > MONTHS else (one, other)
            if int(day) <= MONTHS and int(day) != int(month):
                ways = [f"{year}-{int(month):02}-{int(day):02}", f"{year}-{int(day):02}-{int(month):02}"]
                raise ValidationError(f"Day and month could be either way round. Write {ways[0]} or {ways[1]}.")
        elif WITH_YEAR.fullmatch(text):
            # Months in words, also as spreadsheets write them: 31-Mar-2027.
            written: date = self._fields["stop_date"].clean(text.replace("-", " "))
            return written
        else:
            raise ValidationError(self._fields["stop_date"].error_messages["invalid"])
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            raise ValidationError("There is no such day.") from None

    def search(self, cells: Mapping[str, str], account: Account | None, problems: list[str]) -> SearchCriteria | None:
        """The search that the cells describe; None when they describe none."""
        given: dict[str, Any] = {}
        for name, field in self._search.items():
            if not (text := cells.get(name, "").strip()):
                continue
            try:
                value = field.clean(text.upper() if name in ("state", "country") else text)
                if name == "vanity_text":
                    _check_vanity(value)
            except ValidationError as error:
                problems.append(at_column(name, text, " ".join(error.messages)))
                continue
            # As on the search page: a box that is not ticked says nothing.
            if value not in (None, "", False):
                given[name] = value
        return self._criteria(given, account, problems)

    def _criteria(self, given: dict[str, Any], account: Account | None, problems: list[str]) -> SearchCriteria | None:
        if given.get("show_tollfree") and not given.get("show_local"):
            for name in PLACE_FIELDS:
                if name in given:
                    problems.append(at_column(name, given[name], "Toll-free numbers have no place. Leave it empty."))
        if not given:
            return None
        criteria = SearchCriteria(**given)
        return replace(criteria, account=account.key) if account and criteria.show_reserved_pool else criteria


def _campaign_field(name: str, kind: BatchKind) -> Any:
    field: Any = deepcopy(CampaignForm.base_fields[name])
    if name == "recording":
        field.error_messages["invalid_choice"] = "Give true or false (also yes, no, on, off)."
    if name == "evaluation":
        bought = [choice for choice in Evaluation.choices if choice[0] != Evaluation.DELAYED]
        field.choices = bought if kind == BatchKind.PURCHASE else Evaluation.choices
        field.error_messages["invalid_choice"] = (
            "Callcap takes only off or realtime for a new number. Delayed can be set once it is bought."
            if kind == BatchKind.PURCHASE
            else "Give off, realtime or delayed."
        )
    if name == "media_type_id":
        field.error_messages["invalid"] = "Give a whole number, or one of the names that the portal has for them."
    if name == "stop_date":
        field.error_messages["invalid"] = (
            "Give the date as year-month-day, the year with four digits, as in 2027-03-31, or write run on."
        )
    return field


def _search_field(name: str) -> Any:
    field: Any = deepcopy(SearchForm.base_fields[name])
    if isinstance(field, forms.BooleanField):
        field = OptionalSwitchField()
        field.error_messages["invalid_choice"] = "Give true or false (also yes, no, on, off)."
    elif name == "country":
        field.error_messages["invalid_choice"] = "Give US or CA."
    elif name == "state":
        field.error_messages["invalid_choice"] = "Give the two letters of a state or province, as in KS."
    return field


def _check_vanity(text: str) -> None:
    try:
        vanity.clean(text)
    except ValueError as error:
        raise ValidationError(str(error)) from None
