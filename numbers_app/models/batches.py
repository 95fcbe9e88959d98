"""Many wishes at once, from a file or a selection: each row is judged, decided on and carried out by itself."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from .accounts import Account
from .campaigns import Campaign
from .orders import Order, OrderKind


class BatchKind(models.TextChoices):
    """What is done with every row. All but an import become ordinary orders."""

    CHANGE = "change", "Change"
    PURCHASE = "purchase", "Purchase"
    IMPORT = "import", "Import"
    CONFIRM = "confirm", "Confirmation"
    REAPPLY = "reapply", "Re-application"


ORDER_KINDS = {
    BatchKind.CHANGE: OrderKind.CHANGE,
    BatchKind.PURCHASE: OrderKind.PROVISION,
    BatchKind.CONFIRM: OrderKind.CONFIRM,
    BatchKind.REAPPLY: OrderKind.REAPPLY,
}


class BatchStatus(models.TextChoices):
    """``draft > waiting > running > done``; ``running <> paused``; and ``rejected``, ``cancelled``.

    A draft is being looked at by its author. ``running`` holds from the first approved row on, while others may still
    wait for somebody who may decide on them.
    """

    DRAFT = "draft", "Preview"
    WAITING = "waiting", "Waiting for approval"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    DONE = "done", "Done"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Cancelled"


class RowState(models.TextChoices):
    """How a row stands. What became of an ``ordered`` one is what became of its order."""

    REFUSED = "refused", "Cannot be done"
    UNCHANGED = "unchanged", "Nothing to change"
    READY = "ready", "Waiting"
    APPROVED = "approved", "Approved"
    ORDERED = "ordered", "Ordered"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Cancelled"


class Batch(models.Model):
    """Many orders from a file or a selection, asked for by one person.

    People are kept by id and name, without a link, as orders keep them. Rows carry who decided on them, since each may
    be decided by somebody else.
    """

    kind = models.CharField(max_length=10, choices=BatchKind)
    status = models.CharField(max_length=10, choices=BatchStatus, default=BatchStatus.DRAFT)
    title = models.CharField(max_length=200, help_text="What it is about, in a few words.")
    filename = models.CharField(max_length=200, blank=True, help_text="Empty for a selection.")
    reason = models.TextField(blank=True)
    author_id = models.BigIntegerField()
    author_name = models.CharField(max_length=300)
    execute_after = models.DateTimeField(null=True, blank=True)
    result = models.TextField(blank=True, help_text="How it ended, in a sentence.")
    form_token = models.UUIDField(default=uuid.uuid4, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True, help_text="When the first row was approved.")
    finished_at = models.DateTimeField(null=True, blank=True)
    rung_at = models.DateTimeField(null=True, blank=True, help_text="When a worker was last told of it.")

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name_plural = "batches"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=BatchKind.values), name="batch_kind_known"),
            models.CheckConstraint(condition=Q(status__in=BatchStatus.values), name="batch_status_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["author_id", "-id"], name="batch_by_author"),
            models.Index(fields=["status", "-id"], name="batch_by_status"),
        ]

    def __str__(self) -> str:
        return f"Batch {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("batch_detail", args=[self.pk])


class BatchRow(models.Model):
    """One line of a batch: what was given, how it was judged, who decided, and what it became.

    ``given`` is the row as it was uploaded, by column, so that a refused one can be handed back unchanged.
    ``parameters``, ``criteria`` and ``before`` are those of the order that it becomes.
    """

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="rows")
    line = models.PositiveIntegerField(help_text="The line of the file, its heading being 1; of a selection the place.")
    state = models.CharField(max_length=10, choices=RowState)
    problem = models.TextField(blank=True, help_text="Why it cannot be done, in a sentence.")
    given = models.JSONField(default=dict, blank=True)
    number = models.CharField(max_length=10, blank=True)
    account = models.ForeignKey(Account, models.PROTECT, null=True, blank=True, related_name="+")
    campaign = models.ForeignKey(Campaign, models.PROTECT, null=True, blank=True, related_name="+")
    parameters = models.JSONField(default=dict, blank=True)
    criteria = models.JSONField(default=dict, blank=True)
    before = models.JSONField(default=dict, blank=True)
    author_id = models.BigIntegerField(help_text="The batch's author, for the constraint below.")
    decider_id = models.BigIntegerField(null=True, blank=True)
    decider_name = models.CharField(max_length=300, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.TextField(blank=True)
    self_approved = models.BooleanField(default=False)
    order = models.OneToOneField(Order, models.PROTECT, null=True, blank=True, related_name="batch_row")

    class Meta:
        ordering: ClassVar = ["line"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "line"], name="batch_row_line_once"),
            models.CheckConstraint(condition=Q(state__in=RowState.values), name="batch_row_state_known"),
            models.CheckConstraint(
                condition=~Q(state__in=(RowState.APPROVED, RowState.ORDERED, RowState.DONE))
                | Q(decider_id__isnull=False),
                name="batch_row_decided_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(decider_id=None) | ~Q(decider_id=F("author_id")) | Q(self_approved=True),
                name="batch_row_not_decided_by_author",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["batch", "state", "line"], name="batch_row_by_state")]

    def __str__(self) -> str:
        return f"Line {self.line} of batch {self.batch_id}"
