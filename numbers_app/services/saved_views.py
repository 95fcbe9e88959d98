"""Keeping the filters of a list, or a search, under a name. A convenience of its owner's, so no part of the history."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import InvalidInput
from numbers_app.models import SavedView, User, Watch
from numbers_app.permissions import Capability, require


def view_save(
    *, actor: Actor, page: SavedView.Page, name: str, query: str, shared: bool, is_default: bool
) -> SavedView:
    """Keep the query under the name; a view of the actor's that has this name already is replaced.

    Raises PermissionDenied when somebody who may not search keeps a search, InvalidInput for one that is to be a
    default. What a watch over the replaced search has seen is forgotten, since it looks for something else now.
    """
    owner = actor.person_or_refuse
    if page == SavedView.Page.SEARCH:
        require(owner, Capability.SEARCH)
    if is_default:
        _refuse_default(page)
    with transaction.atomic():
        if is_default:
            SavedView.objects.filter(owner=owner, page=page, is_default=True).update(is_default=False)
        replaced = Watch.objects.filter(view__owner=owner, view__page=page, view__name=name)
        replaced.exclude(view__query=query).update(seen=None, trouble="", due_at=timezone.now())
        view, _ = SavedView.objects.update_or_create(
            owner=owner,
            page=page,
            name=name,
            defaults={"query": query, "shared": shared, "is_default": is_default},
        )
    return view


def view_delete(*, actor: Actor, view: SavedView) -> None:
    """Forget one of the actor's own views, and its watch. Raises SavedView.DoesNotExist for somebody else's."""
    view_own(actor.person_or_refuse, view).delete()


def view_set_shared(*, actor: Actor, view: SavedView, shared: bool) -> None:
    """Let everybody find one of the actor's own views, or nobody else."""
    SavedView.objects.filter(pk=view.pk, owner=actor.person_or_refuse).update(shared=shared)


def view_set_default(*, actor: Actor, view: SavedView, is_default: bool) -> None:
    """Let the bare list open with one of the actor's own views, instead of another one, or with everything again.

    Raises InvalidInput for a search.
    """
    _refuse_default(view.page)
    own = SavedView.objects.filter(owner=actor.person_or_refuse, page=view.page)
    with transaction.atomic():
        own.filter(is_default=True).update(is_default=False)
        own.filter(pk=view.pk).update(is_default=is_default)


def view_own(person: User, view: SavedView) -> SavedView:
    """The view as the database has it. Raises SavedView.DoesNotExist for somebody else's."""
    return SavedView.objects.get(pk=view.pk, owner=person)


def _refuse_default(page: str) -> None:
    if page == SavedView.Page.SEARCH:
        raise InvalidInput("The search page never opens with a search by itself.", field="is_default")
