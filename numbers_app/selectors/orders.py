"""Reading orders, within what the reader may see."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from numbers_app.models import OPEN, Attempt, HistoryEntry, Order, OrderKind, OrderStatus, User, Verb
from numbers_app.permissions import Capability, can
from numbers_app.services.doubt import doubtful_purchase

from .accounts import accounts_granted, accounts_visible

WRITING = (Verb.ORDER_REQUESTED, Verb.ORDER_AMENDED)


def order_list(user: User) -> QuerySet[Order]:
    """Orders of the accounts that the user may see, newest first."""
    return (
        Order.objects.filter(account__in=accounts_visible(user))
        .select_related("account", "campaign")
        .prefetch_related("choices")
    )


def order_queue(user: User) -> QuerySet[Order]:
    """What waits for a decision where the user may act and wrote nothing of it, urgent first, then oldest first."""
    waiting = order_list(user).filter(status=OrderStatus.PENDING, account__in=accounts_granted(user))
    written = HistoryEntry.objects.filter(order_id=OuterRef("pk"), verb=Verb.ORDER_AMENDED, actor_id=user.pk)
    waiting = waiting.exclude(Q(author_id=user.pk) | Q(requester_id=user.pk) | Exists(written))
    return waiting.order_by("-urgent", "pk")


def orders_undoable(user: User) -> QuerySet[Order]:
    """The orders whose approval this person can still take back, the last one first; those of batches cannot be."""
    since = timezone.now() - timedelta(seconds=settings.APPROVAL_UNDO_SECONDS)
    approved = order_list(user).filter(status=OrderStatus.APPROVED, self_approved=False, parent=None, batch_row=None)
    return approved.filter(decider_id=user.pk, decided_at__gt=since).order_by("-decided_at")


def orders_unknown(user: User) -> QuerySet[Order]:
    """The orders of unknown outcome, those that wait for a person first."""
    unknown = order_list(user).filter(status=OrderStatus.UNKNOWN).prefetch_related("attempts")
    return unknown.order_by(F("execute_after").asc(nulls_first=True), "pk")


def orders_to_settle(user: User) -> QuerySet[Order]:
    """The unknown orders that this person may settle by hand: where they decide, and wrote nothing of it."""
    if not can(user, Capability.DECIDE):
        return Order.objects.none()
    unknown = orders_unknown(user).filter(account__in=accounts_granted(user))
    written = HistoryEntry.objects.filter(order_id=OuterRef("pk"), verb__in=WRITING, actor_id=user.pk)
    return unknown.filter(Q(self_approved=True) | ~Exists(written))


def purchase_in_doubt(order: Order) -> Attempt | None:
    """Of an unknown purchase, the call that nobody knows the outcome of; None for a change."""
    return doubtful_purchase(order) if order.kind == OrderKind.PROVISION else None


def orders_upcoming(user: User) -> QuerySet[Order]:
    """What the worker will do by itself and when: approved orders and checks of unknown ones, the next one first."""
    waiting = order_list(user).filter(
        status__in=(OrderStatus.APPROVED, OrderStatus.UNKNOWN), execute_after__isnull=False
    )
    return waiting.order_by("execute_after", "pk")


def orders_expiring(user: User) -> QuerySet[Order]:
    """Waiting orders, the one that expires first at the top."""
    return order_list(user).filter(status=OrderStatus.PENDING).order_by("submitted_at", "pk")


def order_made_by_form(user: User, form_token: UUID) -> Order | None:
    """The order that this person has already made with the form, if any."""
    return order_list(user).filter(author_id=user.pk, form_token=form_token).first()


def order_timeline(order: Order) -> QuerySet[HistoryEntry]:
    """Everything the history says of the order, oldest first."""
    return HistoryEntry.objects.filter(order_id=order.pk).order_by("sequence")


def order_amendments(order: Order) -> QuerySet[HistoryEntry]:
    """How the order was rewritten, the last time first."""
    return HistoryEntry.objects.filter(order_id=order.pk, verb=Verb.ORDER_AMENDED).order_by("-sequence")


def orders_open_for_number(user: User, number: str) -> QuerySet[Order]:
    """The visible orders that may still change this number, newest first."""
    return order_list(user).filter(phone_number=number, status__in=OPEN)
