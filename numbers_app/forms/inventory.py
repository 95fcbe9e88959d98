"""Filters over the numbers we have."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet

from numbers_app.models import Campaign
from numbers_app.selectors.campaigns import campaign_search

from .filters import ListFilter, TextFilter


class InventoryFilter(ListFilter):
    """The inventory by text and by whether the number still takes calls."""

    q = TextFilter(method="by_text", label="Number, name, notes or memo")
    status = django_filters.ChoiceFilter(
        method="by_status",
        label="Status",
        empty_label="All",
        choices=[("active", "Active"), ("stopping", "Stop date set"), ("ended", "Stopped")],
    )

    class Meta:
        model = Campaign
        fields: tuple[str, ...] = ()

    def by_text(self, queryset: QuerySet[Campaign], name: str, value: str) -> QuerySet[Campaign]:
        return campaign_search(queryset, value)

    def by_status(self, queryset: QuerySet[Campaign], name: str, value: str) -> QuerySet[Campaign]:
        return {
            "active": queryset.filter(ended_at=None, stop_date=None),
            "stopping": queryset.filter(ended_at=None, stop_date__isnull=False),
            "ended": queryset.filter(ended_at__isnull=False),
        }[value]
