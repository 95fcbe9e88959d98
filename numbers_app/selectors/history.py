"""Reading the history, within what the reader may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from numbers_app.models import (
    GENESIS_HASH,
    Account,
    Campaign,
    Checkpoint,
    Choice,
    HistoryEntry,
    User,
    Verb,
    VerificationResult,
)
from numbers_app.permissions import Capability, can
from numbers_app.services.history import history_canonical, history_hash

from .accounts import accounts_visible
from .keyset import keyset_page

MOST_NUMBERS = 1000
# So many parts of a list are still merged for less than a page costs otherwise.
FEW_ACCOUNTS = 20
VERIFIED_WITHIN = timedelta(days=2)


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


def history_parts(
    found: QuerySet[HistoryEntry], user: User, below: Account | None = None
) -> list[QuerySet[HistoryEntry]]:
    """Those of the entries that the user may see, an account at a time where these are few, for ``keyset_page``.

    Only those about ``below`` and the accounts below it, if given. Each part is then the end of one index. Asked about
    several accounts at once, a database goes through the newest entries of all and hopes to meet theirs soon: for
    accounts that little happens to, it reads the whole history.
    """
    if below is None and can(user, Capability.SEE_ALL):
        return [found]
    accounts = accounts_visible(user)
    keys = (accounts.filter(path__startswith=below.path) if below else accounts).values_list("key", flat=True)
    few = list(keys[: FEW_ACCOUNTS + 1])
    if len(few) > FEW_ACCOUNTS:
        return [found.filter(account_key__in=keys)]
    return [found.filter(account_key=key) for key in few] or [found.none()]


def history_latest(user: User, count: int) -> list[HistoryEntry]:
    """The newest entries that the user may see."""
    return keyset_page(*history_parts(HistoryEntry.objects.all(), user), per_page=count).rows


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


def verification_is_old(verification: VerificationResult) -> bool:
    """Whether it says nothing of today any more: the worker verifies daily, so it may have stopped."""
    return timezone.now() - verification.at > VERIFIED_WITHIN


def checkpoint_latest() -> Checkpoint | None:
    """The newest signed checkpoint."""
    return Checkpoint.objects.first()


def sending_history() -> QuerySet[HistoryEntry]:
    """Who paused and resumed sending, newest first. It concerns everybody."""
    return HistoryEntry.objects.filter(verb__in=(Verb.SENDING_PAUSED, Verb.SENDING_RESUMED))
