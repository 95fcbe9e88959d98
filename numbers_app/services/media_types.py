"""Names for the vendor's media types, kept by administrators."""

from __future__ import annotations

from django.db import transaction

from numbers_app.actors import Actor
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import MediaType, Verb
from numbers_app.permissions import Capability, require

from .history import history_append, history_lock


def media_type_name(*, actor: Actor, number: int, name: str) -> MediaType:
    """Give a media type its name, or another one.

    Raises PermissionDenied for all but administrators, InvalidInput for a name that another media type has.
    """
    require(actor.person_or_refuse, Capability.NAME_MEDIA_TYPES)
    with transaction.atomic():
        before = _locked(number)
        taken = MediaType.objects.filter(name__iexact=name).exclude(number=number).first()
        if taken:
            raise InvalidInput(f"Media type {taken.number} is called {taken.name}. Give this one another name.", "name")
        if before and before.name == name:
            return before
        _append(actor, number, before.name if before else None, name)
        return MediaType.objects.update_or_create(number=number, defaults={"name": name})[0]


def media_type_unname(*, actor: Actor, number: int) -> None:
    """Take the name of a media type away; its number stays where it is used.

    Raises PermissionDenied for all but administrators, Conflict when it has no name.
    """
    require(actor.person_or_refuse, Capability.NAME_MEDIA_TYPES)
    with transaction.atomic():
        named = _locked(number)
        if named is None:
            raise Conflict(f"Media type {number} has no name any more.")
        _append(actor, number, named.name, None)
        named.delete()


def _locked(number: int) -> MediaType | None:
    """The row, which may not be there to lock: who appends to the history is alone."""
    history_lock()
    return MediaType.objects.filter(number=number).first()


def _append(actor: Actor, number: int, before: str | None, after: str | None) -> None:
    history_append(
        actor=actor,
        verb=Verb.MEDIA_TYPE_NAMED,
        changes={"media_type_id": [None, number], "name": [before, after]},
    )
