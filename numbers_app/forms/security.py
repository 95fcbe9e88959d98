"""The filter over the security log."""

from __future__ import annotations

from datetime import date

import django_filters
from django.db.models import QuerySet

from numbers_app.form_rendering import DateInput
from numbers_app.models import SecurityEvent, SecurityEventKind
from numbers_app.periods import end_of, start_of
from numbers_app.services.security import LONGEST_ADDRESS, LONGEST_TEXT, as_kept

from .fields import REFUSE_NUL
from .filters import ListFilter


class SecurityFilter(ListFilter):
    """The log by what happened, who, from where and day (in the reader's zone). An index answers each condition."""

    kind = django_filters.ChoiceFilter(choices=SecurityEventKind.choices, label="What happened", empty_label="Anything")
    person = django_filters.CharFilter(
        method="by_person", label="Name as typed", max_length=LONGEST_TEXT, validators=[REFUSE_NUL]
    )
    address = django_filters.CharFilter(label="IP address", max_length=LONGEST_ADDRESS, validators=[REFUSE_NUL])
    date_from = django_filters.DateFilter(method="since", label="From", widget=DateInput())
    date_to = django_filters.DateFilter(method="until", label="To", widget=DateInput())

    class Meta:
        model = SecurityEvent
        fields: tuple[str, ...] = ()

    def by_person(self, queryset: QuerySet[SecurityEvent], name: str, value: str) -> QuerySet[SecurityEvent]:
        return queryset.filter(person=as_kept(value))

    def since(self, queryset: QuerySet[SecurityEvent], name: str, value: date) -> QuerySet[SecurityEvent]:
        return queryset.filter(at__gte=start_of(value))

    def until(self, queryset: QuerySet[SecurityEvent], name: str, value: date) -> QuerySet[SecurityEvent]:
        return queryset.filter(at__lt=end_of(value))
