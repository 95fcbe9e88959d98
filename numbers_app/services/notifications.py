"""Telling people about orders and watches: rows for the portal's bell, mails sent by the worker later.

A notification is written in the transaction of what it tells of. Mails are sent outside of it, by
``notification_mail``: whatever happens to a mail never touches an order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format

from numbers_app.actors import Actor
from numbers_app.models import (
    Batch,
    BatchRow,
    Campaign,
    HistoryEntry,
    MailState,
    Notification,
    NotificationKind,
    Order,
    OrderKind,
    SavedView,
    User,
    Verb,
    Watch,
)
from numbers_app.permissions import deciders_for, nearest_deciders_for

logger = structlog.get_logger(__name__)

MOST_MAIL_TRIES = 5
FIRST_MAIL_PAUSE = timedelta(minutes=2)
# A worker that dies while it sends leaves the mail to another one after this time.
MAIL_CLAIM = timedelta(minutes=5)


def order_tell(*, actor: Actor, order: Order, verb: Verb, detail: str = "", repeated: bool = False) -> None:
    """Tell the people concerned that ``verb`` happened to the order; whoever did it is not told.

    ``repeated`` says that the order was in the same state before: an outcome that stays unknown is told once.
    """
    if verb == Verb.ORDER_UNKNOWN and repeated:
        return
    kind = _kind(order, verb)
    if kind and not (kind in _TOLD_BY_BATCH and BatchRow.objects.filter(order_id=order.pk).exists()):
        order_tell_of(actor=actor, order=order, kind=kind, detail=detail)


def order_tell_of(*, actor: Actor, order: Order, kind: NotificationKind, detail: str = "") -> None:
    """Tell those whom this kind of news concerns."""
    concerned = {person.pk: person for person in _CONCERNED[kind](order) if person.pk != actor.user_id}
    by = f"{actor.name}: " if actor.user_id and detail else actor.name if actor.user_id else ""
    Notification.objects.bulk_create(
        _notification(person, kind, f"{by}{detail}", order=order) for person in concerned.values()
    )


def watch_tell(*, watch: Watch, owner: User, detail: str) -> None:
    """Tell the owner of a watch which numbers are new."""
    _notification(owner, NotificationKind.APPEARED, detail, watch=watch).save()


def batch_tell(*, actor: Actor, batch: Batch, kind: NotificationKind, people: Iterable[User], detail: str = "") -> None:
    """Tell these people of a batch; whoever did it is not told."""
    concerned = {person.pk: person for person in people if person.pk != actor.user_id}
    said = f"{actor.name}: {detail}" if actor.user_id else detail
    Notification.objects.bulk_create(_notification(person, kind, said, batch=batch) for person in concerned.values())


def stops_tell(*, stops: Iterable[tuple[User, Campaign, date]]) -> None:
    """Tell people that a number stops, and on which day."""
    Notification.objects.bulk_create(
        _notification(
            person,
            NotificationKind.STOPPING,
            f"stops on {date_format(day, 'M j, Y')}",
            campaign=campaign,
        )
        for person, campaign, day in stops
    )


def batch_author(batch: Batch) -> Iterable[User]:
    """Who made the batch, unless they have left."""
    return User.objects.filter(pk=batch.author_id, is_active=True)


def order_seen(*, actor: Actor, order: Order) -> None:
    """The person has seen the order: everything told of it counts as read."""
    user = actor.person_or_refuse
    user.notifications.filter(order=order, read_at=None).update(read_at=timezone.now())


def watch_seen(*, actor: Actor, view: SavedView) -> None:
    """The person has seen the search: everything that its watch told counts as read."""
    user = actor.person_or_refuse
    user.notifications.filter(watch__view=view, read_at=None).update(read_at=timezone.now())


def batch_seen(*, actor: Actor, batch: Batch) -> None:
    """The person has seen the batch: everything told of it counts as read."""
    user = actor.person_or_refuse
    user.notifications.filter(batch=batch, read_at=None).update(read_at=timezone.now())


def campaign_seen(*, actor: Actor, number: str) -> None:
    """The person has seen the number: everything told of it counts as read."""
    user = actor.person_or_refuse
    user.notifications.filter(campaign__phone_number=number, read_at=None).update(read_at=timezone.now())


def notifications_read_all(*, actor: Actor, up_to: int) -> int:
    """Everything the person was told up to that notification counts as read. Returns how much it was."""
    told = actor.person_or_refuse.notifications.filter(read_at=None, pk__lte=up_to)
    return told.update(read_at=timezone.now())


def user_set_mail(*, actor: Actor, wanted: bool) -> None:
    """Whether the person wants mails as well. What still waits to be mailed is not mailed once they do not."""
    user = actor.person_or_refuse
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(mail_wanted=wanted)
        if not wanted:
            user.notifications.filter(mail=MailState.DUE).update(mail=MailState.NONE)


def notification_mail(*, actor: Actor, notification_id: int) -> None:
    """Send the mail of a notification if it is due; failures are tried again, five times in all. Harmless to repeat."""
    now = timezone.now()
    due = Notification.objects.filter(pk=notification_id, mail=MailState.DUE, mail_after__lte=now)
    # Workers that died over it have used up its tries.
    due.filter(mail_tries__gte=MOST_MAIL_TRIES).update(mail=MailState.FAILED)
    # Who has left reads no mails.
    due.filter(user__is_active=False).update(mail=MailState.NONE)
    if not due.update(mail_after=now + MAIL_CLAIM, mail_tries=F("mail_tries") + 1):
        return
    notification = Notification.objects.select_related(
        "user", "order__account", "watch__view", "campaign__account", "batch"
    ).get(pk=notification_id)
    try:
        _message(notification).send()
    except Exception:
        # Whatever a mail server does, only the mail suffers.
        logger.exception("mail_not_sent", notification=notification.pk, tries=notification.mail_tries)
        _put_off(notification)
        return
    Notification.objects.filter(pk=notification.pk).update(mail=MailState.SENT)


def _notification(
    person: User, kind: NotificationKind, detail: str, **about: Order | Watch | Batch | Campaign
) -> Notification:
    return Notification(
        user=person,
        kind=kind,
        detail=detail,
        mail=MailState.DUE if person.mail_wanted and person.email else MailState.NONE,
        mail_after=timezone.now(),
        **about,
    )


def _put_off(notification: Notification) -> None:
    given_up = notification.mail_tries >= MOST_MAIL_TRIES
    Notification.objects.filter(pk=notification.pk, mail=MailState.DUE).update(
        mail=MailState.FAILED if given_up else MailState.DUE,
        mail_after=timezone.now() + FIRST_MAIL_PAUSE * 2 ** (notification.mail_tries - 1),
    )


def _message(notification: Notification) -> EmailMessage:
    context = {"notification": notification, "order": notification.order, "site_url": settings.SITE_URL}
    # A subject is one line, whatever people typed.
    subject = " ".join(render_to_string("mail/subject.txt", context).split())
    body = render_to_string("mail/body.txt", context)
    return EmailMessage(subject, body, to=[notification.user.email])


def _kind(order: Order, verb: Verb) -> NotificationKind | None:
    if verb == Verb.ORDER_REQUESTED:
        return NotificationKind.URGENT if order.urgent else NotificationKind.REQUESTED
    if verb == Verb.ORDER_DONE and order.kind != OrderKind.PROVISION:
        # Who changed a number sees it on the number; only what went wrong is news.
        return None
    if verb in (Verb.ORDER_APPROVED, Verb.ORDER_APPROVAL_UNDONE) and order.self_approved:
        return None
    if verb == Verb.ORDER_CHOICE_GONE and order.criteria and order.choices.filter(live=True).count() == 1:
        # It was the last one. What its search brings instead is news.
        return None
    if verb == Verb.ORDER_CHOICE_FOUND and not order.choices.exists():
        # Nobody asked for another one; that it is bought is news.
        return None
    return _KINDS.get(verb)


def _requester(order: Order) -> Iterable[User]:
    return User.objects.filter(pk__in=[order.requester_id, order.author_id], is_active=True)


def _deciders(order: Order) -> Iterable[User]:
    return [person for person in deciders_for(order.account) if person.pk != order.requester_id]


def _nearest_deciders(order: Order) -> Iterable[User]:
    return nearest_deciders_for(order.account, apart_from={order.requester_id, order.author_id})


def _requester_and_decider(order: Order) -> Iterable[User]:
    return User.objects.filter(pk__in=[order.requester_id, order.author_id, order.decider_id], is_active=True)


def _requester_and_deciders(order: Order) -> Iterable[User]:
    return [*_requester_and_decider(order), *_nearest_deciders(order)]


def _everybody_in_the_talk(order: Order) -> Iterable[User]:
    """Who asked, who spoke or acted; while only the requester has spoken, the managers that they speak to."""
    spoken = HistoryEntry.objects.filter(order_id=order.pk).exclude(actor_id=None).values("actor_id")
    others = User.objects.filter(pk__in=spoken, is_active=True).exclude(pk=order.requester_id)
    return [*_requester(order), *(others or _nearest_deciders(order))]


_KINDS = {
    Verb.ORDER_URGED: NotificationKind.URGENT,
    Verb.ORDER_AMENDED: NotificationKind.AMENDED,
    Verb.ORDER_COMMENTED: NotificationKind.COMMENTED,
    Verb.ORDER_APPROVED: NotificationKind.APPROVED,
    Verb.ORDER_APPROVAL_UNDONE: NotificationKind.APPROVAL_UNDONE,
    Verb.ORDER_REJECTED: NotificationKind.REJECTED,
    Verb.ORDER_CANCELLED: NotificationKind.CANCELLED,
    Verb.ORDER_EXPIRED: NotificationKind.EXPIRED,
    Verb.ORDER_CHOICE_GONE: NotificationKind.NEXT_CHOICE,
    Verb.ORDER_CHOICE_FOUND: NotificationKind.NEXT_CHOICE,
    Verb.ORDER_DONE: NotificationKind.BOUGHT,
    Verb.ORDER_FAILED: NotificationKind.FAILED,
    Verb.ORDER_UNKNOWN: NotificationKind.UNKNOWN,
    Verb.ORDER_SETTLED: NotificationKind.SETTLED,
}

# Of the orders of a batch, only what asks for a person is told one by one.
_TOLD_BY_BATCH = frozenset(
    {
        NotificationKind.CANCELLED,
        NotificationKind.NEXT_CHOICE,
        NotificationKind.BOUGHT,
        NotificationKind.FAILED,
        NotificationKind.UNKNOWN,
    }
)

_CONCERNED: dict[NotificationKind, Callable[[Order], Iterable[User]]] = {
    NotificationKind.REQUESTED: _nearest_deciders,
    NotificationKind.URGENT: _deciders,
    NotificationKind.AMENDED: _requester_and_deciders,
    NotificationKind.COMMENTED: _everybody_in_the_talk,
    NotificationKind.APPROVED: _requester,
    NotificationKind.APPROVAL_UNDONE: _requester,
    NotificationKind.REJECTED: _requester,
    NotificationKind.CANCELLED: _requester_and_decider,
    NotificationKind.EXPIRING: _requester_and_deciders,
    NotificationKind.EXPIRED: _requester,
    NotificationKind.NEXT_CHOICE: _requester,
    NotificationKind.BOUGHT: _requester,
    NotificationKind.FAILED: _requester_and_decider,
    NotificationKind.UNKNOWN: _requester_and_decider,
    NotificationKind.NEEDS_PERSON: _requester_and_deciders,
    NotificationKind.SETTLED: _requester_and_decider,
}
