"""Filters over lists."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import Any

import django_filters
from django import forms
from django.core.validators import RegexValidator
from django.db.models import Q, QuerySet

from numbers_app.form_rendering import DateInput
from numbers_app.models import NUMBER_VERBS, Account, HistoryEntry, Order, OrderStatus, User, Verb
from numbers_app.periods import end_of, start_of
from numbers_app.selectors.accounts import accounts_visible
from numbers_app.selectors.actors import actor_condition
from numbers_app.selectors.history import history_list, history_parts, numbers_with
from numbers_app.services.settings_record import RECORDED
from numbers_app.services.users import FIELDS as PERSON_FIELDS
from numbers_app.text import field_label

from .campaigns import CampaignForm
from .fields import REFUSE_NUL
from .reports import DaysInOrder

HAS_DIGITS = RegexValidator("[0-9]", "Give a number or some of its digits, as in (316) 734-2253 or 2253.")
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
# Every field whose values entries carry, in the order in which people look for them.
FIELDS = {
    "Numbers": (*CampaignForm.CAMPAIGN_FIELDS, "ended_at", "dispute", "complete_since"),
    "Orders": ("status", "number", "choice", "criteria", "execute_after", "urgent"),
    "Batches": ("batch", "rows"),
    "Accounts": ("name", "path", "active", "time_zone"),
    "People": ("user", "role", "account", "password", *(name for name in PERSON_FIELDS if name != "time_zone")),
    "Sending": ("paused",),
    "Files": ("format", "filters", "entries", "numbers"),
    "Samples": (
        "sample",
        "period",
        "starts_at",
        "ends_at",
        "scope",
        "seed",
        "up_to",
        "size",
        "entry",
        "verdict",
        "note",
    ),
    "Settings": (*RECORDED, "HISTORY_PUBLIC_KEY"),
}


def _verb_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for verb in Verb:
        groups.setdefault(GROUPS[verb.value.split(".")[0]], []).append((verb.value, str(verb.label).capitalize()))
    return list(groups.items())


VERB_CHOICES = _verb_choices()
FIELD_CHOICES = [(group, [(name, field_label(name)) for name in names]) for group, names in FIELDS.items()]


class TextFilter(django_filters.CharFilter):
    """A short text; NUL is refused with a sentence."""

    def __init__(self, max_length: int = 100, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **({"validators": [REFUSE_NUL]} | kwargs))


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

    number = TextFilter(method="by_number", label="Number", validators=[REFUSE_NUL, HAS_DIGITS])
    actor = TextFilter(
        method="by_actor", label="Person", max_length=300, widget=forms.TextInput({"list": "actor-names"})
    )
    account = django_filters.ChoiceFilter(method="read_apart", label="Account and below", empty_label="All")
    verb = django_filters.ChoiceFilter(choices=VERB_CHOICES, label="What happened", empty_label="Anything")
    field = django_filters.ChoiceFilter(
        method="by_field", choices=FIELD_CHOICES, label="Changed field", empty_label="Any"
    )
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
    routing = TickFilter(method="read_apart", label="Routing only")
    stop = TickFilter(method="read_apart", label="Stop date only")

    class Meta:
        model = HistoryEntry
        fields: tuple[str, ...] = ()
        form = DaysInOrder

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data, queryset=history_list(user))
        self._user, self._accounts = user, accounts_visible(user)
        self.filters["account"].extra["choices"] = cache(lambda: account_choices(self._accounts))

    @property
    def qs(self) -> QuerySet[HistoryEntry]:
        found: QuerySet[HistoryEntry] = super().qs
        below = self._below
        if below is None:
            return found
        return found.filter(account_key__in=self._accounts.filter(path__startswith=below.path).values("key"))

    @property
    def parts(self) -> list[QuerySet[HistoryEntry]]:
        """The same in parts, for a page of it: see ``history_parts``."""
        if not self.is_valid():
            return [self.qs]
        return history_parts(self.filter_queryset(HistoryEntry.objects.all()), self._user, self._below)

    @property
    def _below(self) -> Account | None:
        key = self.form.cleaned_data.get("account") if self.is_valid() else None
        return self._accounts.get(key=key) if key else None

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

    def read_apart(self, queryset: QuerySet[HistoryEntry], name: str, value: Any) -> QuerySet[HistoryEntry]:
        """The account is read by ``qs`` and ``parts``; the boxes, together meaning either, by ``filter_queryset``."""
        return queryset

    def by_number(self, queryset: QuerySet[HistoryEntry], name: str, value: str) -> QuerySet[HistoryEntry]:
        digits = read_digits(value)
        return queryset.filter(number__in=[digits] if len(digits) == 10 else numbers_with(digits))

    def by_actor(self, queryset: QuerySet[HistoryEntry], name: str, value: str) -> QuerySet[HistoryEntry]:
        return queryset.filter(actor_condition(value))

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
