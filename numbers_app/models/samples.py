"""Auditors' samples of the history, and what they found."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from .history import HistoryEntry


class SampleScope(models.TextChoices):
    """Which entries a sample is drawn from."""

    EVERYTHING = "everything", "All entries"
    ROUTING = "routing", "Changes of routing or stop date"
    DECISIONS = "decisions", "Decisions on orders"


class AuditSample(models.Model):
    """A random sample of a period's entries. Seed, period, scope and ``up_to`` give the same sample again.

    ``up_to`` is the history's newest entry when it was drawn; ``population`` is how many entries could have been.
    """

    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="Not part of the period any more.")
    scope = models.CharField(max_length=20, choices=SampleScope)
    seed = models.CharField(max_length=40)
    up_to = models.BigIntegerField()
    population = models.PositiveIntegerField()
    drawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    drawn_by_name = models.CharField(max_length=300)
    drawn_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"Sample {self.pk}"


class Verdict(models.TextChoices):
    """What an auditor came to about an entry."""

    IN_ORDER = "in_order", "In order"
    FINDING = "finding", "Finding"


class SampledEntry(models.Model):
    """One entry of a sample, and how it was signed off."""

    sample = models.ForeignKey(AuditSample, models.PROTECT, related_name="entries")
    entry = models.ForeignKey(HistoryEntry, models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=20, choices=Verdict, blank=True)
    note = models.TextField(blank=True)
    signed_by_name = models.CharField(max_length=300, blank=True)
    signed_at = models.DateTimeField(null=True)
    revision = models.PositiveIntegerField(default=0, help_text="How often it was signed off.")

    class Meta:
        ordering: ClassVar = ["entry_id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sample", "entry"], name="sampled_entry_once"),
            models.CheckConstraint(
                condition=Q(verdict="", signed_at=None) | (~Q(verdict="") & Q(signed_at__isnull=False)),
                name="sampled_entry_signed_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"Entry {self.entry_id} of sample {self.sample_id}"
