"""The tray of ticked numbers: a convenience kept in the person's session, so no part of the history."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.models import Session
from django.db import transaction

from numbers_app.actors import Actor
from numbers_app.errors import InvalidInput

MOST = 5
FULL = "An order takes at most five numbers. Take one out first."


def tray_change(*, actor: Actor, session_key: str | None, wish: Callable[[list[str]], list[str]]) -> list[str]:
    """Make the tray of the person's session what ``wish`` makes of it, and return that.

    Raises InvalidInput for more than an order takes, SessionInterrupted when the person was signed out meanwhile.
    Several clicks come at once, so the session's row is locked and read again. The request's own copy stays as it
    was, and is not saved over it.
    """
    _ = actor.person_or_refuse
    with transaction.atomic():
        row = Session.objects.select_for_update().filter(pk=session_key).first()
        if row is None:
            raise SessionInterrupted("Signed out meanwhile.")
        session = SessionStore(row.session_key)
        numbers = wish(session.get("tray", []))
        if len(numbers) > MOST:
            raise InvalidInput(FULL)
        session["tray"] = numbers
        session.save()
    return numbers
