"""Callcap's account tree and who may act where in it."""

from datetime import date
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Account(models.Model):
    """A node of the vendor's tree, Corporate > Division > Location. Only Locations hold numbers.

    ``key`` is the vendor's account key, such as ``L-3``; ``path`` is the keys from the root down, as in
    ``/C-1/D-15/L-3/``, so that everything below a node is one prefix.
    """

    class Kind(models.TextChoices):
        CORPORATE = "corporate", "Corporate"
        DIVISION = "division", "Division"
        LOCATION = "location", "Location"

    key = models.CharField(max_length=20, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    callcap_id = models.PositiveBigIntegerField()
    name = models.CharField(max_length=200)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=200, unique=True)
    time_zone = models.CharField(max_length=60, blank=True, help_text="IANA name; empty when the vendor did not say.")
    active = models.BooleanField(default=True, help_text="Whether the vendor still lists it.")
    synced_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["path"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "callcap_id"], name="account_callcap_id_unique"),
            models.CheckConstraint(condition=Q(path__endswith="/"), name="account_path_closed"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"

    @property
    def zone(self) -> ZoneInfo:
        """The Location's time zone where the vendor told it, else the vendor's own."""
        return ZoneInfo(self.time_zone or settings.CALLCAP_TIME_ZONE)

    def today(self) -> date:
        """The date at the Location right now: the first day that the vendor accepts as a stop date."""
        return timezone.now().astimezone(self.zone).date()


class Grant(models.Model):
    """A user may act on an account and everything below it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="grants")
    account = models.ForeignKey(Account, models.PROTECT, related_name="grants")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["user", "account"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "account"], name="grant_once")]

    def __str__(self) -> str:
        return f"{self.user} on {self.account}"
