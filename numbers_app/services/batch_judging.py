"""Judging the rows of a batch before anybody decides on it: what each would do, or why it cannot be done.

Nothing is written here and the vendor is not asked: rows come back unsaved.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import batched
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from numbers_app.batch_csv import FileRow
from numbers_app.criteria import criteria_to_json
from numbers_app.forms.batch_cells import SEARCH_COLUMNS, CellReader, at_column
from numbers_app.forms.campaigns import check_stop_date
from numbers_app.models import RUN_ON, Account, BatchKind, BatchRow, Campaign, RowState, User
from numbers_app.selectors.accounts import accounts_granted, locations_once_granted
from numbers_app.selectors.taken import Taken, numbers_taken
from numbers_app.text import phone_text

from .batch_outcomes import OPEN_OUTCOMES, Outcome
from .validity import confirm_parameters, plain_value, reapply_parameters

# So many rows are looked up at once.
CHUNK = 1000

type Values = dict[str, Any]


class _Refused(Exception):
    """A row cannot be done; the message says why."""


@dataclass
class _Read:
    """A row of a file as far as it can be understood alone."""

    row: FileRow
    number: str = ""
    values: Values = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def text(self, column: str) -> str:
        return self.row.cells.get(column, "").strip()

    @property
    def has_stopped(self) -> bool:
        """Whether it comes from an export of the inventory that says so."""
        return self.text("status").lower() == "stopped"

    def refuse(self, column: str, sentence: str) -> None:
        """Note a problem of a cell, with what stands in it."""
        typed = self.text(column)
        self.problems.append(at_column(column, typed, sentence) if typed else f"{column}: {sentence}")


def rows_of_file(*, user: User, kind: BatchKind, rows: Sequence[FileRow]) -> Iterator[BatchRow]:
    """Judge the rows of a file, in their order."""
    judge = _JUDGES[kind](user, kind)
    # All of them first: a row may ring the number of a later one.
    read = [judge.read(row) for row in rows]
    for chunk in batched(read, CHUNK):
        judge.look_up(chunk)
        yield from (judge.judge(one) for one in chunk)


def rows_of_selection(
    *, user: User, kind: BatchKind, campaigns: QuerySet[Campaign], values: Mapping[str, Any]
) -> Iterator[BatchRow]:
    """Judge numbers that were chosen, all of accounts granted to the user.

    ``values`` are what a change sets, as Python values or as an order's parameters; an empty stop date means run on.
    """
    wished = dict(values)
    if isinstance(wished.get("stop_date"), str):
        wished["stop_date"] = date.fromisoformat(wished["stop_date"]) if wished["stop_date"] else None
    # What calls would ring is one number for all.
    taken = numbers_taken({values["destination"]} if values.get("destination") else set())
    chosen = campaigns.select_related("account").iterator(chunk_size=CHUNK)
    for place, campaign in enumerate(chosen, start=1):
        made = BatchRow(
            line=place,
            given={"phone_number": campaign.phone_number},
            number=campaign.phone_number,
            account=campaign.account,
            campaign=campaign,
            author_id=user.pk,
        )
        try:
            _refuse_beyond_reach(campaign)
            made.parameters = _selected_parameters(kind, campaign, wished, taken)
        except _Refused as refused:
            made.state, made.problem = RowState.REFUSED, str(refused)
        else:
            made.before = _before(campaign, made.parameters)
            made.state = RowState.READY if made.parameters else RowState.UNCHANGED
        yield made


def _selected_parameters(kind: BatchKind, campaign: Campaign, values: Values, taken: Taken) -> Values:
    if kind == BatchKind.CONFIRM:
        return confirm_parameters(campaign)
    if kind == BatchKind.REAPPLY:
        return reapply_parameters(campaign)
    return _change_parameters(campaign, values, taken)


def _loop(taken: Taken, destination: str, number: str = "") -> str:
    """Why calls must not be sent there; empty when nothing stands against it."""
    if destination == number:
        return "This is the number itself: calls would go round in a circle."
    if destination in taken.held:
        return "This is itself one of our tracking numbers: calls could go round in a circle."
    if destination in taken.wanted:
        return "This is itself about to become one of our tracking numbers."
    return ""


def _refuse_beyond_reach(campaign: Campaign) -> None:
    shown = phone_text(campaign.phone_number)
    if campaign.ended_at:
        raise _Refused(f"{shown} has stopped. It can no longer be changed.")
    if not campaign.account.active:
        raise _Refused(_vanished(campaign.account))


def _vanished(account: Account) -> str:
    return f"{account} is no longer in Callcap's account tree."


# What an empty value stands for at the vendor.
_EMPTY_MEANS: dict[str, Callable[[Campaign], Any]] = {
    "campaign_name": lambda campaign: campaign.phone_number,
    "stop_date": lambda campaign: RUN_ON,
}


def _differing(campaign: Campaign, values: Values) -> Values:
    """What of the wished values differs from the campaign's, as Python values."""
    differing = {}
    for name, value in values.items():
        current = getattr(campaign, name)
        wished = value if value or name not in _EMPTY_MEANS else _EMPTY_MEANS[name](campaign)
        if wished != current and not (wished == RUN_ON and current is None):
            differing[name] = wished
    return differing


def _change_parameters(campaign: Campaign, values: Values, taken: Taken) -> Values:
    """The parameters of a change. Raises _Refused with every sentence against it."""
    differing = _differing(campaign, values)
    problems = []
    destination = differing.get("destination", "")
    if destination and (loop := _loop(taken, destination, campaign.phone_number)):
        problems.append(at_column("destination", phone_text(destination), loop))
    if problem := _stop_date_problem(differing, campaign.account):
        problems.append(at_column("stop_date", str(differing["stop_date"]), problem))
    if problems:
        raise _Refused(" ".join(problems))
    return {name: plain_value(value) for name, value in differing.items()}


def _stop_date_problem(values: Values, account: Account) -> str:
    try:
        check_stop_date(values.get("stop_date"), account)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def _before(campaign: Campaign, parameters: Values) -> Values:
    return {name: plain_value(getattr(campaign, name)) for name in parameters}


class _FileJudge(ABC):
    """Judges the rows of one file, all of which were read before.

    Knows the line of each number, which rows it has not refused, and what the last chunk was looked up for.
    """

    def __init__(self, user: User, kind: BatchKind) -> None:
        self._user = user
        self._kind = kind
        self._cells = CellReader(kind)
        self._line_of: dict[str, int] = {}
        self._standing: dict[str, int] = {}
        self._locations: dict[str, list[Account]] = {}
        for location in locations_once_granted(user):
            for name in {location.key, str(location.callcap_id), location.name, str(location)}:
                self._locations.setdefault(name, []).append(location)
        self._taken = Taken()

    def read(self, row: FileRow) -> _Read:
        """What the row says, and what is wrong with its cells."""
        read = _Read(row)
        if row.problem:
            return read
        if typed := read.text("phone_number"):
            try:
                read.number = self._cells.number("phone_number", typed)
            except ValidationError as error:
                read.problems += error.messages
        if read.number:
            self._line_of.setdefault(read.number, row.line)
        read.values = self._cells.values(row.cells, read.problems)
        return read

    def look_up(self, rows: Sequence[_Read]) -> None:
        """Read from the database what is known of the rows."""
        destinations = {read.values["destination"] for read in rows if read.values.get("destination")}
        self._taken = numbers_taken(destinations | {read.number for read in rows if read.number})

    def judge(self, read: _Read) -> BatchRow:
        """The row as it stands; refused with every sentence against it."""
        made = BatchRow(line=read.row.line, given=read.row.given, number=read.number, author_id=self._user.pk)
        if read.row.problem:
            read.problems.append(read.row.problem)
        else:
            if first := self._standing.get(read.number):
                read.refuse("phone_number", f"The number stands on line {first} already.")
            self.decide(read, made)
        if read.problems:
            made.state, made.problem = RowState.REFUSED, " ".join(read.problems)
            made.parameters, made.before, made.criteria = {}, {}, {}
        else:
            made.state = RowState.READY if made.parameters else RowState.UNCHANGED
            if read.number:
                self._standing[read.number] = read.row.line
        return made

    @abstractmethod
    def decide(self, read: _Read, made: BatchRow) -> None:
        """Fill the row in, and note what stands against it."""

    def account(self, read: _Read) -> Account | None:
        """The granted Location that the row names, though it may have vanished; None with the reason noted."""
        typed = read.text("account")
        found = self._locations.get(typed) or self._locations.get(typed.upper()) or []
        found = [location for location in found if location.active] or found
        if len(found) == 1:
            return found[0]
        if not typed:
            read.refuse("account", "Give the Location that the number belongs to.")
        elif found:
            keys = ", ".join(location.key for location in found)
            read.refuse("account", f"Several Locations have this name. Give the key: {keys}.")
        else:
            read.refuse("account", "This is not one of your Locations.")
        return None

    def decide_new(self, read: _Read, made: BatchRow) -> None:
        """A number that is to become ours: not wanted by anybody, a destination that leads away, a date to come."""
        if read.number in self._taken.wanted:
            read.refuse("phone_number", f"This is already asked for in order {self._taken.wanted[read.number]}.")
        if not read.text("destination"):
            read.refuse("destination", "Give the number that calls should ring to.")
        destination = read.values.get("destination", "")
        loop = _loop(self._taken, destination, read.number) if destination else ""
        if destination in self._line_of and not loop:
            loop = f"This is itself a number of this file, on line {self._line_of[destination]}."
        if loop:
            read.refuse("destination", loop)
        if made.account and not made.account.active:
            read.refuse("account", _vanished(made.account))
        if made.account and (problem := _stop_date_problem(read.values, made.account)):
            read.refuse("stop_date", problem)
        said = {name: value for name, value in read.values.items() if value not in ("", None)}
        made.parameters = {name: plain_value(value) for name, value in said.items()}


class _ChangeJudge(_FileJudge):
    """Changes of numbers that are ours. A number of somebody else's accounts is as unknown as any other."""

    def look_up(self, rows: Sequence[_Read]) -> None:
        super().look_up(rows)
        granted = Campaign.objects.filter(
            phone_number__in=[read.number for read in rows if read.number], account__in=accounts_granted(self._user)
        )
        # Of a number's campaigns, the one that has not stopped counts; else the newest.
        ordered = sorted(granted.select_related("account"), key=lambda one: (one.ended_at is None, one.pk))
        self._campaigns = {campaign.phone_number: campaign for campaign in ordered}

    def decide(self, read: _Read, made: BatchRow) -> None:
        if not read.text("phone_number"):
            read.refuse("phone_number", "Give the number to be changed.")
        campaign = self._campaigns.get(read.number)
        if campaign is None:
            if read.number:
                read.refuse("phone_number", "This is not among your numbers.")
            return
        made.campaign, made.account = campaign, campaign.account
        if read.has_stopped and not campaign.ended_at:
            read.refuse(
                "status", "This is about an earlier time of the number, which is in use again. Leave the row out."
            )
            return
        if read.text("account") and self.account(read) not in (campaign.account, None):
            read.refuse("account", f"The number belongs to {campaign.account}. It cannot move to another account.")
        # What is so already is no wish to clear it, even if it reads like one.
        already = {name for name in read.values if read.text(name) == getattr(campaign, name)}
        values = {name: value for name, value in read.values.items() if name not in already}
        try:
            _refuse_beyond_reach(campaign)
            made.parameters = _change_parameters(campaign, values, self._taken)
        except _Refused as refused:
            read.problems.append(str(refused))
        made.before = _before(campaign, made.parameters)


# A row of a result file that says so has bought something, or may still.
_ASKED_FOR = frozenset(str(outcome.label) for outcome in (*OPEN_OUTCOMES, Outcome.DONE))


class _PurchaseJudge(_FileJudge):
    """Purchases, by number or by search. Whether a number is free is looked up again before it is bought."""

    def decide(self, read: _Read, made: BatchRow) -> None:
        made.account = self.account(read)
        criteria = self._cells.search(read.row.cells, made.account, read.problems)
        made.criteria = criteria_to_json(criteria) if criteria else {}
        if not any(read.text(name) for name in ("phone_number", *SEARCH_COLUMNS)):
            read.refuse("phone_number", "Give the number, or something to search for, as in area_code 316.")
        elif not read.problems and not read.number and not criteria:
            read.refuse("phone_number", "The search columns say nothing to look for.")
        if read.number in self._taken.held:
            read.refuse("phone_number", "This is already one of our numbers.")
        if read.row.outcome in _ASKED_FOR:
            read.refuse(
                "outcome", f"The result file says of this row: {read.row.outcome}. Clear that to buy another number."
            )
        self.decide_new(read, made)


class _ImportJudge(_FileJudge):
    """Numbers that were bought outside the portal. One that is ours already is either as the row says, or refused."""

    def look_up(self, rows: Sequence[_Read]) -> None:
        super().look_up(rows)
        mine = Campaign.objects.filter(
            phone_number__in=self._taken.held, ended_at=None, account__in=accounts_granted(self._user)
        )
        self._campaigns = {campaign.phone_number: campaign for campaign in mine.select_related("account")}

    def decide(self, read: _Read, made: BatchRow) -> None:
        if not read.text("phone_number"):
            read.refuse("phone_number", "Give the number to be imported.")
        if read.has_stopped:
            read.refuse("status", "A number that has stopped is not imported: it would count as ours again.")
        made.account = self.account(read)
        if read.number in self._taken.held:
            self._compare(read, made)
        else:
            self.decide_new(read, made)

    def _compare(self, read: _Read, made: BatchRow) -> None:
        """A number that is ours already: nothing to do where the row says what is so."""
        campaign = self._campaigns.get(read.number)
        if campaign is None:
            read.refuse("phone_number", "This is already one of our numbers.")
            return
        different = list(_differing(campaign, read.values))
        if made.account and made.account != campaign.account:
            different.insert(0, "account")
        made.campaign, made.account = campaign, campaign.account
        if different:
            others = ", ".join(different)
            read.refuse("phone_number", f"This is one of our numbers already, with another {others}. Use a change.")


_JUDGES: dict[BatchKind, type[_FileJudge]] = {
    BatchKind.CHANGE: _ChangeJudge,
    BatchKind.PURCHASE: _PurchaseJudge,
    BatchKind.IMPORT: _ImportJudge,
}
