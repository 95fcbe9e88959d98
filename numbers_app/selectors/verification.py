"""Checking the history against itself and against the mirror."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import connection

from numbers_app.models import GENESIS_HASH, NUMBER_VERBS, Campaign, HistoryEntry
from numbers_app.services.history import history_canonical, history_hash
from numbers_app.triggers import triggers_missing

type State = tuple[str, date | None, datetime | None]

MOST_PROBLEMS = 100


@dataclass
class Verification:
    """How many entries and numbers were checked, what was wrong (at most 100 sentences), and the last hash."""

    entries: int = 0
    numbers: int = 0
    head: str = GENESIS_HASH
    problems: list[str] = field(default_factory=list)

    def complain(self, sentence: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(sentence)


def history_verify() -> Verification:
    """Recompute the chain, compare columns with the hashed text, replay against the mirror, check the guards."""
    verification = Verification()
    latest: dict[str, int] = {}
    states: dict[int, tuple[str, State]] = {}
    for entry in HistoryEntry.objects.order_by("sequence").iterator(chunk_size=2000):
        _verify_entry(verification, entry)
        if entry.verb in NUMBER_VERBS:
            latest[entry.number] = entry.sequence
            states[entry.sequence] = (entry.number, (entry.destination, entry.stop_date, entry.ended_at))
    _verify_mirror(verification, latest, states)
    for name in triggers_missing(connection):
        verification.complain(f"The database guard {name} is missing or altered.")
    return verification


def _verify_entry(verification: Verification, entry: HistoryEntry) -> None:
    expected = verification.entries + 1
    if entry.sequence != expected:
        verification.complain(f"Entry {expected} is missing: the next one is {entry.sequence}.")
    if entry.previous_hash != verification.head:
        verification.complain(f"Entry {entry.sequence} does not follow the one before it.")
    if history_hash(entry.canonical, entry.previous_hash) != entry.hash:
        verification.complain(f"Entry {entry.sequence} was altered: its hash does not fit its text.")
    if history_canonical(entry) != entry.canonical:
        verification.complain(f"Entry {entry.sequence} was altered: its columns differ from the text that was hashed.")
    verification.entries = entry.sequence
    verification.head = entry.hash


def _verify_mirror(verification: Verification, latest: dict[str, int], states: dict[int, tuple[str, State]]) -> None:
    seen = set()
    newest: dict[str, int] = {}
    for campaign in Campaign.objects.order_by("pk").iterator(chunk_size=2000):
        verification.numbers += 1
        seen.add(campaign.phone_number)
        newest[campaign.phone_number] = max(newest.get(campaign.phone_number, 0), campaign.last_change_id)
        row = (campaign.phone_number, (campaign.destination, campaign.stop_date, campaign.ended_at))
        if states.get(campaign.last_change_id) != row:
            verification.complain(
                f"{campaign.phone_number} differs from what its history entry {campaign.last_change_id} says."
            )
    for number, sequence in latest.items():
        if number not in seen:
            verification.complain(f"{number} is in the history (entry {sequence}) but not in the mirror.")
        elif newest[number] != sequence:
            verification.complain(
                f"{number} has a newer history entry ({sequence}) than the mirror shows ({newest[number]})."
            )
