"""Wishes to change something at the vendor, and every call made for them."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from .accounts import Account
from .campaigns import TEN_DIGITS, Campaign


class OrderKind(models.TextChoices):
    """A re-application sends what the mirror says: over a late commit of an older change, or over what somebody set in
    Callcap's own interface. A confirmation sends the campaign name alone, to see whether the number is still ours."""

    PROVISION = "provision", "Purchase"
    CHANGE = "change", "Change"
    REAPPLY = "reapply", "Re-application"
    CONFIRM = "confirm", "Confirmation"


class OrderStatus(models.TextChoices):
    """``pending > approved > sending > done | failed | unknown``, and ``rejected``, ``cancelled``."""

    PENDING = "pending", "Waiting for approval"
    APPROVED = "approved", "Approved"
    SENDING = "sending", "Being sent"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    UNKNOWN = "unknown", "Outcome unknown"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Cancelled"


# Nothing in the mirror changes by these.
SENDS_WHAT_IS_SET = (OrderKind.REAPPLY, OrderKind.CONFIRM)
CHANGES_A_NUMBER = (OrderKind.CHANGE, *SENDS_WHAT_IS_SET)
DECIDED = (
    OrderStatus.APPROVED,
    OrderStatus.SENDING,
    OrderStatus.DONE,
    OrderStatus.FAILED,
    OrderStatus.UNKNOWN,
    OrderStatus.REJECTED,
)
# The vendor may be acting on the number right now, or may have acted without our knowing.
UNSETTLED = (OrderStatus.SENDING, OrderStatus.UNKNOWN)
OPEN = (OrderStatus.PENDING, OrderStatus.APPROVED, *UNSETTLED)


class Order(models.Model):
    """One purchase or one change: what is to be sent, who asked and why, who decided and why, and what became of it.

    ``parameters`` are the exact values wished, by their snake_case names; a purchase's ``stop_date`` is among them and
    is sent by a child order of kind change, since the vendor takes it only on an update. ``before`` holds the values
    that a change found. ``requester`` asked first, ``author`` wrote the current ``revision``; neither may decide.
    People are kept by id and name, without a link: deleting a user changes nothing here.

    ``execute_after`` is the moment before which nothing is done: of a pending order the date it is wished for, of an
    approved one when it is sent, of an unknown one when it is checked next. An unknown order without one waits for a
    person.
    """

    kind = models.CharField(max_length=10, choices=OrderKind)
    status = models.CharField(max_length=10, choices=OrderStatus, default=OrderStatus.PENDING)
    account = models.ForeignKey(Account, models.PROTECT, related_name="orders")
    campaign = models.ForeignKey(Campaign, models.PROTECT, null=True, blank=True, related_name="orders")
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    phone_number = models.CharField(
        max_length=10, blank=True, help_text="The number changed, or being bought; empty until one is chosen."
    )
    parameters = models.JSONField()
    criteria = models.JSONField(
        default=dict,
        blank=True,
        help_text="Of a purchase: what to search for when none of the choices can be had, or there are none.",
    )
    before = models.JSONField(default=dict, blank=True)
    reason = models.TextField(blank=True)
    urgent = models.BooleanField(default=False)
    revision = models.PositiveIntegerField(default=1)
    submitted_at = models.DateTimeField(default=timezone.now, help_text="When the current revision was asked for.")
    reminded_at = models.DateTimeField(null=True, blank=True, help_text="When people were told that it will expire.")
    requester_id = models.BigIntegerField()
    requester_name = models.CharField(max_length=300)
    author_id = models.BigIntegerField()
    author_name = models.CharField(max_length=300)
    decider_id = models.BigIntegerField(null=True, blank=True)
    decider_name = models.CharField(max_length=300, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.TextField(blank=True)
    self_approved = models.BooleanField(
        default=False, help_text="A manager's own change to routing, which needs nobody else."
    )
    execute_after = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(
        default=0, help_text="How often it was put off; sets the pause before the next try."
    )
    rung_at = models.DateTimeField(null=True, blank=True, help_text="When a worker was last told of it.")
    result = models.TextField(blank=True, help_text="What became of it, in a sentence.")
    request_id = models.CharField(
        max_length=64, blank=True, help_text="The request that decided it; the worker carries it on."
    )
    form_token = models.UUIDField(default=uuid.uuid4, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=OrderKind.values), name="order_kind_known"),
            models.CheckConstraint(condition=Q(status__in=OrderStatus.values), name="order_status_known"),
            models.CheckConstraint(
                condition=~Q(status__in=DECIDED) | Q(decider_id__isnull=False),
                name="order_decided_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(decider_id=None)
                | ~Q(decider_id=F("author_id"))
                | Q(self_approved=True, kind__in=CHANGES_A_NUMBER),
                name="order_not_decided_by_author",
            ),
            models.CheckConstraint(
                condition=Q(decider_id=None)
                | ~Q(decider_id=F("requester_id"))
                | Q(self_approved=True, kind__in=CHANGES_A_NUMBER),
                name="order_not_decided_by_requester",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=CHANGES_A_NUMBER) | Q(campaign__isnull=False),
                name="order_change_has_campaign",
            ),
            models.UniqueConstraint(
                fields=["phone_number"],
                condition=Q(status__in=UNSETTLED),
                name="order_one_unsettled_per_number",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["execute_after"],
                condition=Q(status__in=(OrderStatus.APPROVED, OrderStatus.UNKNOWN)),
                name="order_due",
            ),
            models.Index(fields=["submitted_at"], condition=Q(status=OrderStatus.PENDING), name="order_waiting"),
            models.Index(fields=["account", "created_at"], name="order_by_account"),
            models.Index(fields=["requester_id", "created_at"], name="order_by_requester"),
            models.Index(fields=["status", "-id"], name="order_by_status"),
        ]

    def __str__(self) -> str:
        return f"Order {self.pk}"

    @property
    def is_carried_on(self) -> bool:
        """Whether the worker goes on with it by itself, when its time has come."""
        return self.status in (OrderStatus.APPROVED, OrderStatus.UNKNOWN) and self.execute_after is not None

    def get_absolute_url(self) -> str:
        return reverse("order_detail", args=[self.pk])


class Choice(models.Model):
    """One wanted number of a purchase, asked for or ``found`` by its criteria; live in at most one order."""

    order = models.ForeignKey(Order, models.PROTECT, related_name="choices")
    number = models.CharField(max_length=10)
    rank = models.PositiveSmallIntegerField()
    live = models.BooleanField(default=True)
    found = models.BooleanField(default=False, help_text="Whether the worker chose it by the order's criteria.")
    place = models.CharField(
        max_length=200, blank=True, help_text="As the vendor gave it when the number was asked for."
    )
    spelling = models.CharField(max_length=12, blank=True, help_text="The number in letters, as in 316-734-CAKE.")
    dropped_because = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["rank"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["number"], condition=Q(live=True), name="choice_live_once"),
            models.UniqueConstraint(fields=["order", "rank"], name="choice_rank_once"),
            models.UniqueConstraint(fields=["order", "number"], name="choice_number_once"),
            models.CheckConstraint(condition=Q(number__regex=TEN_DIGITS), name="choice_number_ten_digits"),
            models.CheckConstraint(
                condition=Q(rank__gte=1, rank__lte=5) | Q(found=True, rank__gte=1, rank__lte=15),
                name="choice_rank_in_bounds",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class AttemptKind(models.TextChoices):
    """A check is an update with the approved values: that it succeeds proves that the number is ours."""

    BUY = "buy", "Purchase"
    PROBE = "probe", "Check"
    UPDATE = "update", "Update"


class AttemptOutcome(models.TextChoices):
    """What is known of one POST to the vendor."""

    SENDING = "sending", "Being sent"
    APPLIED = "applied", "Applied"
    REFUSED = "refused", "Refused"
    NOT_SENT = "not_sent", "Not sent"
    UNKNOWN = "unknown", "Unknown"


class Attempt(models.Model):
    """One POST to the vendor: written before the call, completed after it.

    ``recorded`` says that the order and the mirror already show the outcome; one that is concluded but not recorded is
    finished by the sweep, so that a bought number is never known only to the vendor.
    """

    order = models.ForeignKey(Order, models.PROTECT, related_name="attempts")
    kind = models.CharField(max_length=10, choices=AttemptKind)
    number = models.CharField(max_length=10)
    parameters = models.JSONField()
    preflight = models.JSONField(
        default=dict, blank=True, help_text="The vendor's own words on the number, just before."
    )
    started_at = models.DateTimeField()
    lease_until = models.DateTimeField(help_text="Database time after which a silent worker counts as dead.")
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=AttemptOutcome, default=AttemptOutcome.SENDING)
    ever_unknown = models.BooleanField(default=False, help_text="Whether its outcome was unknown at any time.")
    recorded = models.BooleanField(default=False)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    message = models.TextField(blank=True)
    excerpt = models.TextField(blank=True)
    retry_after = models.FloatField(null=True, blank=True, help_text="Seconds, when the vendor asked to wait.")
    named_number = models.CharField(max_length=10, blank=True, help_text="The number that the answer named.")
    callcap_campaign_id = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(outcome__in=AttemptOutcome.values), name="attempt_outcome_known"),
            models.UniqueConstraint(
                fields=["order"], condition=Q(outcome=AttemptOutcome.SENDING), name="attempt_one_in_flight"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["lease_until"], condition=Q(recorded=False), name="attempt_unrecorded"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.number}"
