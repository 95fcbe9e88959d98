"""What the portal tells people about orders: in the portal, and by mail to those who want it."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from .batches import Batch
from .campaigns import Campaign
from .orders import Order
from .watches import Watch


class NotificationKind(models.TextChoices):
    """What a person is told of an order."""

    REQUESTED = "requested", "waits for your decision"
    URGENT = "urgent", "is urgent and waits for your decision"
    AMENDED = "amended", "was amended"
    COMMENTED = "commented", "has a new comment"
    APPROVED = "approved", "was approved"
    APPROVAL_UNDONE = "approval_undone", "waits again: its approval was taken back"
    REJECTED = "rejected", "was rejected"
    CANCELLED = "cancelled", "was cancelled"
    EXPIRING = "expiring", "will expire soon"
    EXPIRED = "expired", "has expired"
    NEXT_CHOICE = "next_choice", "goes on to the next choice"
    BOUGHT = "bought", "is bought"
    FAILED = "failed", "has failed"
    UNKNOWN = "unknown", "has an unknown outcome"
    NEEDS_PERSON = "needs_person", "can only be settled by a person"
    SETTLED = "settled", "was settled by hand"
    APPEARED = "appeared", "found new numbers"
    STOPPING = "stopping", "will stop soon"
    BATCH_WAITING = "batch_waiting", "waits for your decision"
    BATCH_DECIDED = "batch_decided", "was decided on"
    BATCH_DONE = "batch_done", "is done"


class MailState(models.TextChoices):
    """What became of the mail about a notification."""

    NONE = "none", "Not wanted"
    DUE = "due", "To be sent"
    SENT = "sent", "Sent"
    FAILED = "failed", "Could not be sent"


class Notification(models.Model):
    """One person told one thing about one order, one of their watches, one number or one batch.

    Reading it is also how others see who has seen an urgent order.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications")
    order = models.ForeignKey(Order, models.PROTECT, null=True, blank=True, related_name="notifications")
    watch = models.ForeignKey(Watch, models.CASCADE, null=True, blank=True, related_name="notifications")
    campaign = models.ForeignKey(Campaign, models.PROTECT, null=True, blank=True, related_name="notifications")
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, blank=True, related_name="notifications")
    kind = models.CharField(max_length=20, choices=NotificationKind)
    detail = models.TextField(blank=True, help_text="Whose doing it is and what they said.")
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)
    mail = models.CharField(max_length=10, choices=MailState, default=MailState.NONE)
    mail_tries = models.PositiveSmallIntegerField(default=0)
    mail_after = models.DateTimeField(null=True, blank=True, help_text="When the mail is tried (again).")
    rung_at = models.DateTimeField(null=True, blank=True, help_text="When a worker was last told to send the mail.")

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=NotificationKind.values), name="notification_kind_known"),
            models.CheckConstraint(
                condition=Q(order__isnull=False, watch=None, campaign=None, batch=None)
                | Q(order=None, watch__isnull=False, campaign=None, batch=None)
                | Q(order=None, watch=None, campaign__isnull=False, batch=None)
                | Q(order=None, watch=None, campaign=None, batch__isnull=False),
                name="notification_about_one_thing",
            ),
            models.CheckConstraint(condition=Q(mail__in=MailState.values), name="notification_mail_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="notification_by_user"),
            models.Index(fields=["user"], condition=Q(read_at=None), name="notification_unread"),
            models.Index(fields=["mail_after"], condition=Q(mail="due"), name="notification_mail_due"),
        ]

    def __str__(self) -> str:
        return f"{self.watch or self.campaign or self.batch or f'Order {self.order_id}'} {self.get_kind_display()}"
