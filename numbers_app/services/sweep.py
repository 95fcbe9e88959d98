"""What is done again and again: ringing due orders and mails, giving up on silent workers, letting things end."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Exists, OuterRef, Q, When
from django.tasks import TaskResultStatus
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from numbers_app.actors import Actor
from numbers_app.models import (
    Attempt,
    AttemptOutcome,
    Batch,
    BatchRow,
    BatchStatus,
    Campaign,
    MailState,
    Notification,
    NotificationKind,
    Order,
    OrderKind,
    OrderStatus,
    RowState,
    Verb,
    VerificationResult,
)
from numbers_app.tasks import execute_order, execute_order_behind, release_batch, send_mail, verify_history

from .batch_release import batch_finish, batch_has_more
from .batches import SUBMITTED, batch_expire
from .execution import attempts_expire
from .mirror import campaign_end
from .notifications import order_tell_of
from .switch import sending_guard, sending_pause_without_guards
from .transition import order_lock, order_transition
from .validity import campaign_lock

# A worker that was told of something and has not got to it within this time is told again.
RING_AGAIN_AFTER = timedelta(seconds=60)
MOST_RINGS = 1000
VERIFY_EVERY = timedelta(days=1)


def orders_sweep(*, actor: Actor) -> int:
    """Ring the worker for every order that is due or left half-way; harmless to run twice. Returns the rings."""
    sending_pause_without_guards(actor=actor)
    attempts_expire(actor=actor)
    now = timezone.now()
    half_way = Attempt.objects.filter(recorded=False).exclude(outcome=AttemptOutcome.SENDING).values("order_id")
    due = (_not_held(actor) & Q(execute_after__lte=now)) | Q(pk__in=half_way)
    quiet = _quiet(now)
    rings = 0
    # Confirmations and orders of batches come by the thousand and can wait.
    can_wait = Case(When(Q(kind=OrderKind.CONFIRM) | Q(batch_row__isnull=False), then=True), default=False)
    in_turn = Order.objects.filter(due & quiet).annotate(can_wait=can_wait).order_by("can_wait", "pk")
    for order_id, waits in in_turn.values_list("pk", "can_wait")[:MOST_RINGS]:
        with transaction.atomic():
            if Order.objects.filter(quiet, pk=order_id).update(rung_at=now):
                (execute_order_behind if waits else execute_order).enqueue(order_id)
                rings += 1
    return rings


def batches_sweep(*, actor: Actor) -> int:
    """Ring the worker for every batch with approved rows and room for them; end those that are over. Returns rings."""
    now = timezone.now()
    quiet = _quiet(now)
    rings = 0
    for batch in Batch.objects.filter(status__in=(BatchStatus.RUNNING, BatchStatus.PAUSED)).order_by("pk"):
        if batch_finish(actor=actor, batch_id=batch.pk) or not batch_has_more(batch):
            continue
        with transaction.atomic():
            if Batch.objects.filter(quiet, pk=batch.pk).update(rung_at=now):
                release_batch.enqueue(batch.pk)
                rings += 1
    return rings


def mails_sweep(*, actor: Actor) -> int:
    """Ring the worker for every mail that is due. Returns the rings."""
    now = timezone.now()
    quiet = _quiet(now)
    due = Notification.objects.filter(quiet, mail=MailState.DUE, mail_after__lte=now)
    rings = 0
    for notification_id in due.order_by("pk").values_list("pk", flat=True)[:MOST_RINGS]:
        with transaction.atomic():
            if Notification.objects.filter(quiet, pk=notification_id).update(rung_at=now):
                send_mail.enqueue(notification_id)
                rings += 1
    return rings


def orders_expire(*, actor: Actor) -> int:
    """End waiting orders that nobody decided on in time, and remind people of those that will. Returns the ended."""
    now = timezone.now()
    expiry, reminder = timedelta(days=settings.ORDER_EXPIRY_DAYS), timedelta(days=settings.ORDER_REMINDER_DAYS)
    waiting = Order.objects.filter(status=OrderStatus.PENDING)
    ended = 0
    for order_id in waiting.filter(submitted_at__lt=now - expiry).values_list("pk", flat=True):
        with transaction.atomic():
            ended += _expire(actor, order_id, now - expiry)
    if reminder:
        soon = waiting.filter(submitted_at__lt=now - expiry + reminder, reminded_at=None)
        for order_id in soon.values_list("pk", flat=True):
            with transaction.atomic():
                _remind(actor, order_id)
    return ended


def batches_expire(*, actor: Actor) -> int:
    """End the rows of batches that nobody decided on in time. Returns how many."""
    asked_before = timezone.now() - timedelta(days=settings.ORDER_EXPIRY_DAYS)
    undecided = Exists(BatchRow.objects.filter(batch=OuterRef("pk"), state=RowState.READY))
    overdue = Batch.objects.filter(undecided, status__in=SUBMITTED, submitted_at__lt=asked_before).order_by("pk")
    batch_ids = list(overdue.values_list("pk", flat=True))
    return sum(batch_expire(actor=actor, batch_id=batch_id, asked_before=asked_before) for batch_id in batch_ids)


def campaigns_end_stopped(*, actor: Actor) -> int:
    """Mark numbers as ended once their stop date has passed in their Location's zone. Returns how many."""
    ended = 0
    tomorrow = timezone.now().date() + timedelta(days=1)
    for campaign_id in Campaign.objects.filter(ended_at=None, stop_date__lt=tomorrow).values_list("pk", flat=True):
        with transaction.atomic():
            ended += _end_if_stopped(actor, campaign_id)
    return ended


def verification_ring(*, actor: Actor) -> bool:
    """Let the worker verify the history when that was not done for a day. Returns whether it was rung."""
    since = timezone.now() - VERIFY_EVERY
    waiting = DBTaskResult.objects.filter(task_path=verify_history.module_path, enqueued_at__gt=since)
    if waiting.exists() or VerificationResult.objects.filter(at__gt=since).exists():
        return False
    verify_history.enqueue()
    return True


def tasks_forget_dead(*, actor: Actor) -> int:
    """Forget tasks of a week ago whose worker was killed: they would stay RUNNING for ever. Returns how many."""
    week_ago = timezone.now() - timedelta(days=7)
    dead = DBTaskResult.objects.filter(status=TaskResultStatus.RUNNING, started_at__lt=week_ago)
    return dead.delete()[0]


def _quiet(now: datetime) -> Q:
    return Q(rung_at=None) | Q(rung_at__lt=now - RING_AGAIN_AFTER)


def _not_held(actor: Actor) -> Q:
    """The orders that the switch lets the worker carry on."""
    switch = sending_guard(actor=actor)
    if switch.everything_paused:
        return Q(pk__in=[])
    approved = Q(status=OrderStatus.APPROVED) & ~Q(batch_row__batch__status=BatchStatus.PAUSED)
    if switch.purchases_paused:
        approved &= ~Q(kind=OrderKind.PROVISION)
    return approved | Q(status=OrderStatus.UNKNOWN)


def _expire(actor: Actor, order_id: int, asked_before: datetime) -> bool:
    order = order_lock(order_id)
    if order.status != OrderStatus.PENDING or order.submitted_at >= asked_before:
        return False
    why = f"Nobody decided on it within {settings.ORDER_EXPIRY_DAYS} days. Nothing was sent; ask again if it is needed."
    order_transition(
        actor=actor,
        order=order,
        to=OrderStatus.CANCELLED,
        verb=Verb.ORDER_EXPIRED,
        reason=why,
        result=f"Expired. {why}",
        finished_at=timezone.now(),
    )
    order.choices.update(live=False)
    return True


def _remind(actor: Actor, order_id: int) -> None:
    order = order_lock(order_id)
    if order.status != OrderStatus.PENDING or order.reminded_at:
        return
    Order.objects.filter(pk=order.pk).update(reminded_at=timezone.now())
    expires_at = order.submitted_at + timedelta(days=settings.ORDER_EXPIRY_DAYS)
    detail = f"It expires on {expires_at:%Y-%m-%d} unless somebody decides before."
    order_tell_of(actor=actor, order=order, kind=NotificationKind.EXPIRING, detail=detail)


def _end_if_stopped(actor: Actor, campaign_id: int) -> bool:
    campaign = campaign_lock(pk=campaign_id)
    if campaign.ended_at or not campaign.stop_date or campaign.stop_date >= campaign.account.today():
        return False
    reason = f"Its stop date {campaign.stop_date} has passed at the Location."
    campaign_end(actor=actor, campaign=campaign, reason=reason)
    return True
