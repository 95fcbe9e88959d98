"""Lists as people want to see them again."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q


class SavedView(models.Model):
    """A list's filters under a name: the query string of its address. A default opens with the bare list."""

    class Page(models.TextChoices):
        """Which list; the value is the name of its address."""

        HISTORY = "history_list", "History"
        SEARCH = "search", "Search"
        NUMBERS = "campaign_list", "Numbers"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=30, choices=Page)
    name = models.CharField(max_length=100)
    query = models.CharField(max_length=2000)
    shared = models.BooleanField(default=False, help_text="Whether everybody finds it.")
    is_default = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "page", "name"], name="saved_view_name_once"),
            models.UniqueConstraint(
                fields=["owner", "page"], condition=Q(is_default=True), name="saved_view_default_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name
