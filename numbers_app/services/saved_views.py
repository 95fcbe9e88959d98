"""Keeping the filters of a list under a name. A convenience of its owner's, so no part of the history."""

from __future__ import annotations

from django.db import transaction

from numbers_app.actors import Actor
from numbers_app.models import SavedView


def view_save(
    *, actor: Actor, page: SavedView.Page, name: str, query: str, shared: bool, is_default: bool
) -> SavedView:
    """Keep the query under the name; a view of the actor's that has this name already is replaced."""
    owner = actor.person_or_refuse
    with transaction.atomic():
        if is_default:
            SavedView.objects.filter(owner=owner, page=page, is_default=True).update(is_default=False)
        view, _ = SavedView.objects.update_or_create(
            owner=owner,
            page=page,
            name=name,
            defaults={"query": query, "shared": shared, "is_default": is_default},
        )
    return view


def view_delete(*, actor: Actor, view: SavedView) -> None:
    """Forget one of the actor's own views. Raises SavedView.DoesNotExist for somebody else's."""
    SavedView.objects.get(pk=view.pk, owner=actor.person_or_refuse).delete()


def view_set_shared(*, actor: Actor, view: SavedView, shared: bool) -> None:
    """Let everybody find one of the actor's own views, or nobody else."""
    SavedView.objects.filter(pk=view.pk, owner=actor.person_or_refuse).update(shared=shared)


def view_set_default(*, actor: Actor, view: SavedView, is_default: bool) -> None:
    """Let the bare list open with one of the actor's own views, instead of another one, or with everything again."""
    own = SavedView.objects.filter(owner=actor.person_or_refuse, page=view.page)
    with transaction.atomic():
        own.filter(is_default=True).update(is_default=False)
        own.filter(pk=view.pk).update(is_default=is_default)
