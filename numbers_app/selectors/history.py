"""Reading the history, within what the reader may see."""

from __future__ import annotations

from django.db.models import QuerySet

from numbers_app.models import Checkpoint, HistoryEntry, User, Verb, VerificationResult
from numbers_app.permissions import Capability, can

from .accounts import accounts_visible


def history_list(user: User) -> QuerySet[HistoryEntry]:
    """Entries about the accounts that the user may see, newest first; those about no account only for who sees all."""
    if can(user, Capability.SEE_ALL):
        return HistoryEntry.objects.all()
    return HistoryEntry.objects.filter(account_key__in=accounts_visible(user).values("key"))


def verification_latest() -> VerificationResult | None:
    """What the last verification of the whole history came to."""
    return VerificationResult.objects.first()


def checkpoint_latest() -> Checkpoint | None:
    """The newest signed checkpoint."""
    return Checkpoint.objects.first()


def sending_history() -> QuerySet[HistoryEntry]:
    """Who paused and resumed sending, newest first. It concerns everybody."""
    return HistoryEntry.objects.filter(verb__in=(Verb.SENDING_PAUSED, Verb.SENDING_RESUMED))
