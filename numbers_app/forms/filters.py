"""Filters over lists."""

from __future__ import annotations

import re
from typing import Any

import django_filters
from django.db.models import QuerySet

from numbers_app.form_rendering import DateInput
from numbers_app.models import Campaign, HistoryEntry, Order, OrderStatus
from numbers_app.selectors.campaigns import campaign_search

from .fields import REFUSE_NUL


class TextFilter(django_filters.CharFilter):
    """A short text; NUL is refused with a sentence."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=100, validators=[REFUSE_NUL], **kwargs)


class ListFilter(django_filters.FilterSet):
    """A filter that finds nothing while it is not understood: a list of everything would look like its answer."""

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return super().filter_queryset(queryset) if self.is_valid() else queryset.none()


def date_filter(lookup: str, label: str) -> django_filters.DateFilter:
    return django_filters.DateFilter(
        field_name="at",
        lookup_expr=lookup,
        label=label,
        widget=DateInput(),
    )


class HistoryFilter(ListFilter):
    """The history by number, actor and day (in the reader's zone)."""

    number = TextFilter(method="by_number", label="Number")
    actor = TextFilter(field_name="actor_name", lookup_expr="icontains", label="Person")
    date_from = date_filter("date__gte", "From")
    date_to = date_filter("date__lte", "To")

    class Meta:
        model = HistoryEntry
        fields: tuple[str, ...] = ()

    def by_number(self, queryset: QuerySet[HistoryEntry], name: str, value: str) -> QuerySet[HistoryEntry]:
        digits = re.sub(r"[^0-9]", "", value)
        if len(digits) == 11 and digits.startswith("1"):
            digits = digits[1:]
        if not digits:
            return queryset.none()
        return queryset.filter(number=digits) if len(digits) == 10 else queryset.filter(number__contains=digits)


class OrderFilter(ListFilter):
    status = django_filters.ChoiceFilter(choices=OrderStatus.choices, empty_label="All", label="Status")

    class Meta:
        model = Order
        fields: tuple[str, ...] = ()


class CampaignFilter(ListFilter):
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
