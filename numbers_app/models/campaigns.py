"""The mirror of what was provisioned at the vendor: one row a number."""

from datetime import date
from typing import ClassVar

from django.db import models
from django.db.models import Q

from .accounts import Account
from .history import HistoryEntry

TEN_DIGITS = r"^[2-9][0-9]{9}$"
# The stop date of a number that runs on: Callcap documents no way to clear one, and this is its own example.
RUN_ON = date(2099, 1, 1)


class Evaluation(models.TextChoices):
    """When calls are evaluated in Callsurance."""

    OFF = "off", "Off"
    REALTIME = "realtime", "Real time"
    DELAYED = "delayed", "Delayed"


class NumberType(models.TextChoices):
    LOCAL = "local", "Local"
    TOLLFREE = "tollfree", "Toll-free"


class Campaign(models.Model):
    """A provisioned number with its routing and campaign information, as the vendor last confirmed them.

    Never deleted. Number, destination, stop date and ``ended_at`` change only together with ``last_change``, the
    history entry that says so: triggers refuse anything else. Changes made in Callcap's own interface are not
    visible here.
    """

    phone_number = models.CharField(max_length=10)
    account = models.ForeignKey(Account, models.PROTECT, related_name="campaigns")
    destination = models.CharField(max_length=10)
    stop_date = models.DateField(null=True, blank=True)
    recording = models.BooleanField(null=True)
    evaluation = models.CharField(max_length=10, choices=Evaluation, blank=True)
    campaign_name = models.CharField(max_length=100)
    notes = models.TextField(blank=True)
    memo1 = models.CharField(max_length=255, blank=True)
    memo2 = models.CharField(max_length=255, blank=True)
    media_type_id = models.PositiveIntegerField(null=True, blank=True)
    brand = models.CharField(max_length=100, blank=True)
    service = models.CharField(max_length=100, blank=True)
    target = models.CharField(max_length=100, blank=True)
    offer = models.CharField(max_length=100, blank=True)
    number_type = models.CharField(max_length=10, choices=NumberType, blank=True)
    country = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=50, blank=True)
    city = models.CharField(max_length=100, blank=True)
    rate_center = models.CharField(max_length=100, blank=True)
    zipcode = models.CharField(max_length=10, blank=True)
    callcap_campaign_id = models.CharField(max_length=40, blank=True)
    version = models.PositiveIntegerField(default=1)
    confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the vendor last confirmed these values; never, for an imported number."
    )
    imported_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was told to the portal, which did not buy it."
    )
    disputed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the vendor said that it is not ours; until somebody settles it."
    )
    dispute = models.TextField(blank=True, help_text="The vendor's words.")
    last_change = models.OneToOneField(HistoryEntry, models.PROTECT, related_name="campaign")
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["phone_number"], condition=Q(ended_at=None), name="campaign_number_live_once"
            ),
            models.CheckConstraint(condition=Q(phone_number__regex=TEN_DIGITS), name="campaign_number_ten_digits"),
            models.CheckConstraint(condition=Q(destination__regex=TEN_DIGITS), name="campaign_destination_ten_digits"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["phone_number", "-created_at"], name="campaign_by_number"),
            models.Index(fields=["destination"], condition=Q(ended_at=None), name="campaign_by_destination"),
            models.Index(fields=["stop_date"], condition=Q(ended_at=None), name="campaign_stopping"),
            models.Index(fields=["disputed_at"], condition=Q(disputed_at__isnull=False), name="campaign_disputed"),
        ]

    def __str__(self) -> str:
        return self.phone_number
