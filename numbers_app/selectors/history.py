"""Reading the history, within what the reader may see."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet

from numbers_app.models import GENESIS_HASH, Campaign, Checkpoint, Choice, HistoryEntry, User, Verb, VerificationResult
from numbers_app.permissions import Capability, can
from numbers_app.services.history import history_canonical, history_hash

from .accounts import accounts_visible

# Goes from name to name through the index, instead of reading every entry.
_NAMES = """
WITH RECURSIVE names(name) AS (
    SELECT min(actor_name) FROM numbers_app_historyentry
    UNION ALL
    SELECT (SELECT min(actor_name) FROM numbers_app_historyentry WHERE actor_name > names.name)
    FROM names WHERE names.name IS NOT NULL
)
SELECT name FROM names WHERE name IS NOT NULL
"""
MOST_NUMBERS = 1000


@dataclass(frozen=True)
class Neighbours:
    """The entries about the same number just before and just after one."""

    previous: HistoryEntry | None
    following: HistoryEntry | None


def history_list(user: User) -> QuerySet[HistoryEntry]:
    """Entries about the accounts that the user may see, newest first; those about no account only for who sees all."""
    if can(user, Capability.SEE_ALL):
        return HistoryEntry.objects.all()
    return HistoryEntry.objects.filter(account_key__in=accounts_visible(user).values("key"))


def actor_names() -> list[str]:
    """Everybody who ever did something, by name."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMES)
        return [name for (name,) in cursor.fetchall()]


def actors_named(text: str) -> list[str]:
    """The names that the text means: the one it is, or else all it is part of, in upper or lower case."""
    names = actor_names()
    return [text] if text in names else [name for name in names if text.casefold() in name.casefold()]


def numbers_with(digits: str) -> set[str]:
    """The numbers, bought or wanted, that the digits are part of: at most 1,000 of each."""
    bought = Campaign.objects.filter(phone_number__contains=digits).values_list("phone_number", flat=True)
    wanted = Choice.objects.filter(number__contains=digits).values_list("number", flat=True)
    return {*bought[:MOST_NUMBERS], *wanted[:MOST_NUMBERS]}


def history_neighbours(user: User, entry: HistoryEntry) -> Neighbours:
    """What happened to the entry's number just before and just after."""
    if not entry.number:
        return Neighbours(None, None)
    about = history_list(user).filter(number=entry.number)
    return Neighbours(
        about.filter(sequence__lt=entry.sequence).order_by("-sequence").first(),
        about.filter(sequence__gt=entry.sequence).order_by("sequence").first(),
    )


def entry_is_whole(entry: HistoryEntry) -> bool:
    """Whether the entry's columns, text and hash fit each other and the entry before it."""
    before = HistoryEntry.objects.filter(sequence=entry.sequence - 1).values_list("hash", flat=True).first()
    follows = entry.previous_hash == (before or GENESIS_HASH)
    fits = entry.hash == history_hash(entry.canonical, entry.previous_hash)
    return follows and fits and entry.canonical == history_canonical(entry)


def verification_latest() -> VerificationResult | None:
    """What the last verification of the whole history came to."""
    return VerificationResult.objects.first()


def checkpoint_latest() -> Checkpoint | None:
    """The newest signed checkpoint."""
    return Checkpoint.objects.first()


def sending_history() -> QuerySet[HistoryEntry]:
    """Who paused and resumed sending, newest first. It concerns everybody."""
    return HistoryEntry.objects.filter(verb__in=(Verb.SENDING_PAUSED, Verb.SENDING_RESUMED))
