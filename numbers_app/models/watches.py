"""Saved searches that the portal repeats by itself."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from .saved_views import SavedView


class Watch(models.Model):
    """A saved search that is run again and again; its owner is told of numbers that were not there before.

    ``seen`` are the numbers of the last run that was answered, None before the first; ``trouble`` says why the last run
    was not answered.
    """

    LEAST_MINUTES, MOST_MINUTES, USUAL_MINUTES = 5, 24 * 60, 15

    view = models.OneToOneField(SavedView, models.CASCADE, related_name="watch")
    every_minutes = models.PositiveIntegerField(default=USUAL_MINUTES)
    due_at = models.DateTimeField()
    seen = models.JSONField(null=True)
    ran_at = models.DateTimeField(null=True)
    trouble = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(every_minutes__gte=5, every_minutes__lte=24 * 60), name="watch_minutes_in_bounds"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["due_at"], name="watch_due")]

    def __str__(self) -> str:
        return f"Watch over {self.view}"
