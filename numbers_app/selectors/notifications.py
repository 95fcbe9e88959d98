"""Reading what a person was told."""

from __future__ import annotations

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet

from numbers_app.models import Notification, User

from .accounts import accounts_visible
from .batches import batch_list

# The bell says "99+" beyond; so many rows are enough to know.
MOST_COUNTED = 100


def unread_count(user: User) -> int:
    """How much the person has not read yet, counted up to MOST_COUNTED."""
    return user.notifications.filter(read_at=None).order_by()[:MOST_COUNTED].count()


def notification_list(user: User, *, unread_only: bool = False) -> QuerySet[Notification]:
    """What the person was told, newest first. ``visible`` says whether they may see what it is about now."""
    told = user.notifications.filter(read_at=None) if unread_only else user.notifications.all()
    of_visible_order = Exists(accounts_visible(user).filter(pk=OuterRef("order__account_id")))
    of_visible_number = Exists(accounts_visible(user).filter(pk=OuterRef("campaign__account_id")))
    of_visible_batch = Exists(batch_list(user).filter(pk=OuterRef("batch_id")))
    of_own_search = Q(watch__isnull=False)
    visible = of_own_search | of_visible_order | of_visible_number | of_visible_batch
    return (
        told.annotate(visible=ExpressionWrapper(visible, BooleanField()))
        .select_related("order__account", "watch__view", "campaign__account", "batch")
        .defer("watch__seen")
        .prefetch_related("order__choices")
    )
