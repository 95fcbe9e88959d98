"""Reading orders, within what the reader may see."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from numbers_app.models import OPEN, Choice, HistoryEntry, Order, OrderStatus, User

from .accounts import accounts_granted, accounts_visible


def order_list(user: User) -> QuerySet[Order]:
    """Orders of the accounts that the user may see, newest first."""
    return (
        Order.objects.filter(account__in=accounts_visible(user))
        .select_related("account", "campaign")
        .prefetch_related("choices")
    )


def order_queue(user: User) -> QuerySet[Order]:
    """What waits for a decision where the user may act and did not ask themselves, oldest first."""
    waiting = order_list(user).filter(status=OrderStatus.PENDING, account__in=accounts_granted(user))
    return waiting.exclude(author_id=user.pk).order_by("pk")


def order_made_by_form(user: User, form_token: UUID) -> Order | None:
    """The order that this person has already made with the form, if any."""
    return order_list(user).filter(author_id=user.pk, form_token=form_token).first()


def order_timeline(order: Order) -> QuerySet[HistoryEntry]:
    """Everything the history says of the order, oldest first."""
    return HistoryEntry.objects.filter(order_id=order.pk).order_by("sequence")


def orders_open_for_number(user: User, number: str) -> QuerySet[Order]:
    """The visible orders that may still change this number, newest first."""
    return order_list(user).filter(phone_number=number, status__in=OPEN)


def live_choices(numbers: list[str]) -> dict[str, int]:
    """{number: order id} of the given numbers that somebody has already asked for."""
    return dict(Choice.objects.filter(number__in=numbers, live=True).values_list("number", "order_id"))
