"""Lists and searches as people want to see them again."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from numbers_app.models import SavedView, User


def saved_views(user: User, page: SavedView.Page) -> QuerySet[SavedView]:
    """The user's own views of the list and those that others share, by name; with what becomes of their watches."""
    views = SavedView.objects.filter(Q(owner=user) | Q(shared=True), page=page)
    return views.select_related("owner", "watch").defer("watch__seen")


def default_query(user: User, page: SavedView.Page) -> str:
    """What the bare list opens with for this user; empty for everything."""
    default = SavedView.objects.filter(owner=user, page=page, is_default=True).first()
    return default.query if default else ""
