"""Filters over lists."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet

from numbers_app.form_rendering import DateInput
from numbers_app.models import NUMBER_VERBS, Account, HistoryEntry, Order, OrderStatus, User, Verb
from numbers_app.periods import end_of, start_of
from numbers_app.selectors.accounts import accounts_visible
from numbers_app.selectors.history import actors_named, history_list, numbers_with
from numbers_app.text import field_label

from .campaigns import CampaignForm
from .fields import REFUSE_NUL

MOST_ORDER_ID = 9_223_372_036_854_775_807
DEPTH: dict[str, str] = {Account.Kind.CORPORATE: "", Account.Kind.DIVISION: "- ", Account.Kind.LOCATION: "- - "}
GROUPS = {
    "order": "Orders",
    "number": "Numbers",
    "batch": "Batches",
    "inventory": "Numbers",
    "media_type": "Numbers",
    "account": "Accounts",
    "grant": "Grants",
    "user": "People",
    "role": "Roles",
    "sending": "Sending",
    "settings": "Settings",
    "history": "History",
    "evidence": "History",
    "sample": "Samples",
}
# Fields of the campaigns first, then what else entries speak of.
FIELDS = [
    (name, field_label(name))
    for name in (
        *CampaignForm.CAMPAIGN_FIELDS,
        "ended_at",
        "status",
        "execute_after",
        "choice",
        "criteria",
        "name",
        "path",
        "active",
        "time_zone",
        "user",
        "role",
        "paused",
    )
]


def _verb_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for verb in Verb:
        groups.setdefault(GROUPS[verb.value.split(".")[0]], []).append((verb.value, str(verb.label).capitalize()))
    return list(groups.items())


VERB_CHOICES = _verb_choices()


class TextFilter(django_filters.CharFilter):
    """A short text; NUL is refused with a sentence."""

    def __init__(self, max_length: int = 100, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, validators=[REFUSE_NUL], **kwargs)


class ListFilter(django_filters.FilterSet):
    """A filter that finds nothing while it is not understood: a list of everything would look like its answer."""

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return super().filter_queryset(queryset) if self.is_valid() else queryset.none()


class TickFilter(django_filters.Filter):
    """A box that narrows the list when it is ticked."""

    field_class = forms.BooleanField


def read_digits(text: str) -> str:
    """The digits of a number, or of a part of one, as people type it; without the country code of a whole one."""
    digits = re.sub(r"[^0-9]", "", text)
    return digits[1:] if len(digits) == 11 and digits.startswith("1") else digits


def account_choices(accounts: QuerySet[Account]) -> list[tuple[str, str]]:
    """The accounts as choices of a select, indented as a tree.

    Give it as a function that remembers: a list alone needs no choices, and a widget reads them twice.
    """
    return [(account.key, f"{DEPTH[account.kind]}{account}") for account in accounts]


class HistoryFilter(ListFilter):
    """The history by everything an auditor asks for. Days are those of the reader's zone.

    Each condition is one that an index answers, however long the history is.
    """

    number = TextFilter(method="by_number", label="Number")
    actor = TextFilter(
        method="by_actor", label="Person", max_length=300, widget=forms.TextInput({"list": "actor-names"})
    )
    account = django_filters.ChoiceFilter(method="by_account", label="Account and below", empty_label="All")
    verb = django_filters.ChoiceFilter(choices=VERB_CHOICES, label="What happened", empty_label="Anything")
    field = django_filters.ChoiceFilter(method="by_field", label="Changed field", empty_label="Any", choices=FIELDS)
    date_from = django_filters.DateFilter(method="since", label="From", widget=DateInput())
    date_to = django_filters.DateFilter(method="until", label="To", widget=DateInput())
    order = django_filters.NumberFilter(
        field_name="order_id",
        label="Order",
        min_value=1,
        max_value=MOST_ORDER_ID,
        decimal_places=0,
        # A number's own input drops what is none, with what was typed.
        widget=forms.TextInput({"inputmode": "numeric"}),
    )
    request = TextFilter(field_name="request_id", label="Request")
    routing = TickFilter(method="ticked", label="Routing only")
    stop = TickFilter(method="ticked", label="Stop date only")

    class Meta:
        model = HistoryEntry
        fields: tuple[str, ...] = ()

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data, queryset=history_list(user))
        self._accounts = accounts_visible(user)
        self.filters["account"].extra["choices"] = cache(lambda: account_choices(self._accounts))

    def filter_queryset(self, queryset: QuerySet[HistoryEntry]) -> QuerySet[HistoryEntry]:
        found = super().filter_queryset(queryset)
        values = self.form.cleaned_data
        routing, stop = values.get("routing"), values.get("stop")
        if not (routing or stop):
            return found
        wanted = Q(changes__has_key="destination") if routing else Q(pk__in=())
        if stop:
            wanted |= Q(changes__has_key="stop_date")
        return found.filter(wanted, verb__in=NUMBER_VERBS)

    def ticked(self, queryset: QuerySet[HistoryEntry], name: str, value: bool) -> QuerySet[HistoryEntry]:
        """Both boxes together mean either: they are read in ``filter_queryset``."""
        return queryset

    def by_number(self, queryset: QuerySet[HistoryEntry], name: str, value: str) -> QuerySet[HistoryEntry]:
        digits = read_digits(value)
        if not digits:
            return queryset.none()
        return queryset.filter(number__in=[digits] if len(digits) == 10 else numbers_with(digits))

    def by_actor(self, queryset: QuerySet[HistoryEntry], name: str, value: str) -> QuerySet[HistoryEntry]:
        return queryset.filter(actor_name__in=actors_named(value))

    def by_account(self, queryset: QuerySet[HistoryEntry], name: str, value: str) -> QuerySet[HistoryEntry]:
        top = self._accounts.get(key=value)
        return queryset.filter(account_key__in=self._accounts.filter(path__startswith=top.path).values("key"))

    def by_field(self, queryset: QuerySet[HistoryEntry], name: str, value: str) -> QuerySet[HistoryEntry]:
        return queryset.filter(changes__has_key=value)

    def since(self, queryset: QuerySet[HistoryEntry], name: str, value: date) -> QuerySet[HistoryEntry]:
        return queryset.filter(at__gte=start_of(value))

    def until(self, queryset: QuerySet[HistoryEntry], name: str, value: date) -> QuerySet[HistoryEntry]:
        return queryset.filter(at__lt=end_of(value))


class OrderFilter(ListFilter):
    status = django_filters.ChoiceFilter(choices=OrderStatus.choices, empty_label="All", label="Status")

    class Meta:
        model = Order
        fields: tuple[str, ...] = ()
