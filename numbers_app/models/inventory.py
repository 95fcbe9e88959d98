"""What the portal knows about how complete its mirror is, and names for the vendor's bare numbers."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from .campaigns import Campaign


class Inventory(models.Model):
    """One row for the whole portal: that somebody said the mirror is complete.

    None means that numbers bought before the portal may still be missing: Callcap offers no way to list them.
    """

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    complete_since = models.DateTimeField()
    actor_name = models.CharField(max_length=300)
    reason = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "inventory"
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="inventory_is_one")]

    def __str__(self) -> str:
        return f"Complete since {self.complete_since:%Y-%m-%d}"


class MediaType(models.Model):
    """A name for one of the vendor's media type numbers, which it lists nowhere."""

    number = models.PositiveIntegerField(primary_key=True)
    name = models.CharField(max_length=100, unique=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"


class StopReminder(models.Model):
    """That people were told so many days before a number stops. A stop date that moves is a new one to remind of."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="stop_reminders")
    stop_date = models.DateField()
    days = models.PositiveSmallIntegerField(help_text="30, 7 or 1.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "stop_date", "days"], name="stop_reminder_once")
        ]

    def __str__(self) -> str:
        return f"{self.campaign} stops on {self.stop_date}: {self.days} days before"
