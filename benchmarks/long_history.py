"""A history of any length that is in order, with the numbers that it is about, for measuring long lists and reports.

Real entries are written one transaction each, which would take hours for a million: these go in by the thousand.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import batched, islice

from django.db import connection, transaction
from django.utils import timezone

from numbers_app.models import GENESIS_HASH, NUMBER_VERBS, Account, Campaign, HistoryEntry, Source, Verb
from numbers_app.services.history import Changes, NumberState, VendorWords, history_canonical, history_hash
from tests.factories import DivisionFactory, LocationFactory

ACCOUNTS, DIVISIONS, NUMBERS = 30, 3, 1000
REPS = [f"Rep {place}" for place in range(1, 16)]
MANAGERS = [f"Manager {place}" for place in range(1, 6)]
YEARS = timedelta(days=730)
# A million entries in two years.
PACE = YEARS / 1_000_000
BATCH = 10_000
REASONS = (
    "The shop has moved to Douglas Avenue",
    "For the spring campaign",
    "Calls are answered by the new team from Monday on",
    "The client has cancelled; calls go to the office until the stop date",
    "Back to what it was before the trade fair",
)
SUCCESS = VendorWords(200, "success")
COLUMNS = [field.column for field in HistoryEntry._meta.concrete_fields]


@dataclass(frozen=True)
class Event:
    """What happens, before its time and its place in the chain are known."""

    verb: Verb
    actor: str
    number: str = ""
    account_key: str = ""
    order_id: int | None = None
    changes: Changes = field(default_factory=dict)
    state: NumberState | None = None
    reason: str = ""
    approved_by: str = ""
    vendor: VendorWords | None = None


def fill_history(count: int) -> None:
    """Let the history grow to ``count`` entries, with the mirror to match. Nothing happens when it is that long.

    It begins two years ago and keeps a pace of a million entries in two years, but never runs ahead of the clock: fill
    before real entries are written, or the rest is crowded into the time since the newest of them.
    """
    head = HistoryEntry.objects.order_by("-sequence").first()
    missing = count - (head.sequence if head else 0)
    if missing <= 0:
        return
    with transaction.atomic():
        life = _Life(random.Random(count))  # noqa: S311 -- the same each time, and no secret
        for entries in batched(_chained(islice(life.events(), missing), head, missing), BATCH):
            _write(entries)
            life.remember(entries)
        life.write_mirror()
    with connection.cursor() as cursor:
        # As it would be some time later: what the planner knows of the tables decides how pages are found.
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else f"VACUUM ANALYZE {HistoryEntry._meta.db_table}")


class _Life:
    """What people do with numbers: orders that are asked for, decided and carried out, and what goes with that."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.accounts = {account.key: account for account in _accounts()}
        live = Campaign.objects.filter(ended_at=None).select_related("account")
        self.account_of = {campaign.phone_number: campaign.account.key for campaign in live}
        self.states = {
            campaign.phone_number: NumberState(campaign.destination, campaign.stop_date) for campaign in live
        }
        self.numbers = list(self.states)
        self.mirrored = set(self.numbers)
        self.latest: dict[str, int] = {}
        self.serial = Campaign.objects.count()
        last = HistoryEntry.objects.exclude(order_id=None).order_by("-order_id").first()
        self.order_id = last.order_id or 0 if last else 0

    def events(self) -> Iterator[Event]:
        """Events without an end."""
        while True:
            kind = self.chance.random()
            self.order_id += 1
            if not self.numbers or (len(self.numbers) < NUMBERS and kind < 0.5):
                yield from self._purchase()
            elif kind < 0.96:
                yield from self._change()
            elif kind < 0.999:
                yield from self._administration()
            else:
                yield self._end()

    def remember(self, entries: tuple[HistoryEntry, ...]) -> None:
        """Which entry says how each number stands."""
        self.latest |= {entry.number: entry.sequence for entry in entries if entry.verb in NUMBER_VERBS}

    def write_mirror(self) -> None:
        """Bring the campaigns to what their newest entries say."""
        new = []
        for number, sequence in self.latest.items():
            state = self.states[number]
            row = {
                "destination": state.destination,
                "stop_date": state.stop_date,
                "ended_at": state.ended_at,
                "last_change_id": sequence,
            }
            if number in self.mirrored:
                Campaign.objects.filter(phone_number=number, ended_at=None).update(**row)
            else:
                account = self.accounts[self.account_of[number]]
                name, now = f"Campaign {number}", timezone.now()
                new.append(Campaign(phone_number=number, account=account, campaign_name=name, confirmed_at=now, **row))
        Campaign.objects.bulk_create(new)

    def _purchase(self) -> Iterator[Event]:
        self.serial += 1
        number, key = f"913{2_000_000 + self.serial}", self.chance.choice(list(self.accounts))
        about = {"number": number, "account_key": key, "order_id": self.order_id}
        rep, manager, reason = self._people()
        destination = self._destination()
        wish: Changes = {"destination": [None, destination], "campaign_name": [None, f"Campaign {number}"]}
        yield Event(Verb.ORDER_REQUESTED, rep, changes=wish, reason=reason, **about)
        yield Event(Verb.ORDER_APPROVED, manager, changes={"status": ["pending", "approved"]}, **about)
        yield Event(Verb.ORDER_SENDING, "Worker", changes={"status": ["approved", "sending"]}, **about)
        state = NumberState(destination, None)
        self.numbers.append(number)
        self.states[number], self.account_of[number] = state, key
        yield Event(
            Verb.NUMBER_BOUGHT,
            rep,
            changes=wish,
            state=state,
            reason=reason,
            approved_by=manager,
            vendor=SUCCESS,
            **about,
        )
        yield Event(Verb.ORDER_DONE, "Worker", changes={"status": ["sending", "done"]}, vendor=SUCCESS, **about)

    def _change(self) -> Iterator[Event]:
        number = self.chance.choice(self.numbers)
        about = {"number": number, "account_key": self.account_of[number], "order_id": self.order_id}
        rep, manager, reason = self._people()
        before, after = self.states[number], self._wish(self.states[number])
        wish = _difference(before, after)
        yield Event(Verb.ORDER_REQUESTED, rep, changes=wish, reason=reason, **about)
        if self.chance.random() < 0.1:
            yield Event(Verb.ORDER_COMMENTED, manager, reason="Please check the destination once more.", **about)
        if self.chance.random() < 0.1:
            yield Event(
                Verb.ORDER_REJECTED, manager, changes={"status": ["pending", "rejected"]}, reason="Not now.", **about
            )
            return
        yield Event(Verb.ORDER_APPROVED, manager, changes={"status": ["pending", "approved"]}, **about)
        yield Event(Verb.ORDER_SENDING, "Worker", changes={"status": ["approved", "sending"]}, **about)
        self.states[number] = after
        yield Event(
            Verb.NUMBER_CHANGED,
            rep,
            changes=wish,
            state=after,
            reason=reason,
            approved_by=manager,
            vendor=SUCCESS,
            **about,
        )
        yield Event(Verb.ORDER_DONE, "Worker", changes={"status": ["sending", "done"]}, vendor=SUCCESS, **about)

    def _administration(self) -> Iterator[Event]:
        rep, manager, reason = self._people()
        key = self.chance.choice(list(self.accounts))
        username = rep.replace(" ", "").lower()
        yield Event(
            Verb.GRANT_ADDED, manager, account_key=key, changes={"user": [None, username], "account": [None, key]}
        )
        yield Event(Verb.ROLE_GIVEN, manager, changes={"user": [None, username], "role": [None, "Sales rep"]})
        yield Event(Verb.SENDING_PAUSED, manager, changes={"paused": ["nothing", "purchases"]}, reason=reason)
        yield Event(Verb.SENDING_RESUMED, manager, changes={"paused": ["purchases", "nothing"]}, reason=reason)

    def _end(self) -> Event:
        number = self.numbers.pop(self.chance.randrange(len(self.numbers)))
        before = self.states[number]
        ended_at = timezone.now()
        after = NumberState(before.destination, before.stop_date, ended_at)
        self.states[number] = after
        changes: Changes = {"ended_at": [None, ended_at.isoformat()]}
        return Event(
            Verb.NUMBER_ENDED,
            "Clock",
            number=number,
            account_key=self.account_of[number],
            changes=changes,
            state=after,
        )

    def _people(self) -> tuple[str, str, str]:
        return self.chance.choice(REPS), self.chance.choice(MANAGERS), self.chance.choice(REASONS)

    def _destination(self) -> str:
        return f"316444{self.chance.randrange(10_000):04d}"

    def _wish(self, before: NumberState) -> NumberState:
        if self.chance.random() < 0.7:
            return NumberState(self._destination(), before.stop_date)
        stop_date = date(2030, 1, 1) + timedelta(days=self.chance.randrange(1000))
        return NumberState(before.destination, None if before.stop_date else stop_date)


def _accounts() -> list[Account]:
    divisions = [DivisionFactory(key=f"D-{900 + place}", callcap_id=900 + place) for place in range(DIVISIONS)]
    return [
        LocationFactory(key=f"L-{900 + place}", callcap_id=900 + place, parent=divisions[place % DIVISIONS])
        for place in range(ACCOUNTS)
    ]


def _difference(before: NumberState, after: NumberState) -> Changes:
    if before.destination != after.destination:
        return {"destination": [before.destination, after.destination]}
    return {"stop_date": [day.isoformat() if day else None for day in (before.stop_date, after.stop_date)]}


def _chained(events: Iterator[Event], head: HistoryEntry | None, count: int) -> Iterator[HistoryEntry]:
    """An entry for each event, following the head."""
    now = timezone.now()
    at: datetime = head.at if head else now - YEARS
    pace = min(PACE, (now - at) / count)
    sequence, previous_hash = (head.sequence, head.hash) if head else (0, GENESIS_HASH)
    for event in events:
        at, sequence = at + pace, sequence + 1
        entry = _entry(event, sequence, at, previous_hash)
        previous_hash = entry.hash
        yield entry


def _entry(event: Event, sequence: int, at: datetime, previous_hash: str) -> HistoryEntry:
    role = "Sales rep" if event.actor in REPS else "Manager" if event.actor in MANAGERS else "portal"
    portal = role == "portal"
    entry = HistoryEntry(
        sequence=sequence,
        at=at,
        actor_id=None if portal else 900 + (REPS + MANAGERS).index(event.actor),
        actor_name=event.actor,
        role=role,
        source=Source.WORKER if portal else Source.WEB,
        verb=event.verb,
        number=event.number,
        account_key=event.account_key,
        order_id=event.order_id,
        changes=event.changes,
        destination=event.state.destination if event.state else "",
        stop_date=event.state.stop_date if event.state else None,
        ended_at=event.state.ended_at if event.state else None,
        reason=event.reason,
        approved_by=event.approved_by,
        request_id=f"{sequence // 3:032x}",
        vendor_status=event.vendor.status if event.vendor else None,
        vendor_message=event.vendor.message if event.vendor else "",
        previous_hash=previous_hash,
    )
    entry.canonical = history_canonical(entry)
    entry.hash = history_hash(entry.canonical, previous_hash)
    return entry


def _write(entries: tuple[HistoryEntry, ...]) -> None:
    if connection.vendor == "sqlite":
        HistoryEntry.objects.bulk_create(entries)
        return
    into = f"COPY {HistoryEntry._meta.db_table} ({', '.join(COLUMNS)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        for entry in entries:
            values = {name: getattr(entry, name) for name in COLUMNS} | {"changes": json.dumps(entry.changes)}
            copy.write_row(list(values.values()))
