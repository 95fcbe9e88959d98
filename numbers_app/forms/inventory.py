"""Filters over the numbers we have, saying whether they are all, and names for media types."""

from __future__ import annotations

from datetime import date
from functools import cache, cached_property
from typing import Any

import django_filters
from django import forms
from django.db.models import Count, Q, QuerySet

from numbers_app.form_rendering import DateInput
from numbers_app.models import RUN_ON, Campaign, Evaluation, MediaType, NumberType, User
from numbers_app.places import state_name
from numbers_app.selectors.accounts import accounts_visible
from numbers_app.selectors.campaigns import campaign_list, campaign_search, campaigns_ringing, number_spelling
from numbers_app.selectors.media_types import media_type_names, media_type_text

from .fields import PlainTextField
from .filters import ListFilter, TextFilter, account_choices
from .search import state_choices

UNSET = ("unset", "Not known")
STATUSES = {
    "active": ("Active", Q(ended_at=None) & (Q(stop_date=None) | Q(stop_date=RUN_ON))),
    "stopping": ("Stop date set", Q(ended_at=None, stop_date__isnull=False) & ~Q(stop_date=RUN_ON)),
    "ended": ("Stopped", Q(ended_at__isnull=False)),
}
# What a narrow window shows only when asked to.
MORE = ("state", "number_type", "destination", "recording", "evaluation", "media_type", "brand")
RECORDING = {"on": True, "off": False, "unset": None}
CONFIRMATIONS = {
    "confirmed": ("Confirmed", Q(confirmed_at__isnull=False, disputed_at=None)),
    "never": ("Never", Q(confirmed_at=None, disputed_at=None)),
    "disputed": ("Disputed", Q(disputed_at__isnull=False)),
}


class _WindowForm(forms.Form):
    """The form behind the filter: the days between which numbers stop are in their order."""

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        first, last = values.get("stop_from"), values.get("stop_to")
        if first and last and last < first:
            self.add_error("stop_to", "This day is before the first one.")
        return values


class InventoryFilter(ListFilter):
    """The numbers that the user may see, by everything known of them. A stop date of 2099-01-01 is none."""

    q = TextFilter(method="by_text", label="Number, name, notes or memo")
    account = django_filters.ChoiceFilter(method="by_account", label="Account and below", empty_label="All")
    status = django_filters.ChoiceFilter(
        method="by_status",
        label="Status",
        empty_label="All",
        choices=[(value, label) for value, (label, _) in STATUSES.items()],
    )
    state = django_filters.ChoiceFilter(
        method="by_state", label="State or province", empty_label="All", choices=state_choices()
    )
    number_type = django_filters.ChoiceFilter(
        method="by_type", label="Type", empty_label="All", choices=[*NumberType.choices, UNSET]
    )
    stop_from = django_filters.DateFilter(method="stops_from", label="Stops from", widget=DateInput())
    stop_to = django_filters.DateFilter(method="stops_until", label="Stops until", widget=DateInput())
    destination = TextFilter(method="by_destination", label="Rings")
    recording = django_filters.ChoiceFilter(
        method="by_recording",
        label="Call recording",
        empty_label="All",
        choices=[("on", "On"), ("off", "Off"), UNSET],
    )
    evaluation = django_filters.ChoiceFilter(
        method="by_evaluation", label="Evaluation", empty_label="All", choices=[*Evaluation.choices, UNSET]
    )
    media_type = django_filters.ChoiceFilter(field_name="media_type_id", label="Media type", empty_label="All")
    brand = TextFilter(field_name="brand", lookup_expr="icontains", label="Brand")
    confirmation = django_filters.ChoiceFilter(
        method="by_confirmation",
        label="Confirmation",
        empty_label="All",
        choices=[(value, label) for value, (label, _) in CONFIRMATIONS.items()],
    )

    class Meta:
        model = Campaign
        form = _WindowForm
        fields: tuple[str, ...] = ()

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data, queryset=campaign_list(user))
        self._accounts = accounts_visible(user)
        self.filters["account"].extra["choices"] = cache(lambda: account_choices(self._accounts))
        self.filters["media_type"].extra["choices"] = cache(lambda: _media_type_choices(self.queryset))

    def filter_queryset(self, queryset: QuerySet[Campaign]) -> QuerySet[Campaign]:
        found = super().filter_queryset(queryset)
        status = self.form.cleaned_data.get("status")
        return found.filter(STATUSES[status][1]) if status else found

    @cached_property
    def any_status(self) -> QuerySet[Campaign]:
        """What the other filters find, whatever the status."""
        return super().filter_queryset(self.queryset.all())

    @cached_property
    def status_counts(self) -> list[tuple[str, str, int]]:
        """(value, label, how many) of each status, among what the other filters find; all of them come first."""
        conditions = {value: Count("pk", filter=condition) for value, (_, condition) in STATUSES.items()}
        counts = self.any_status.order_by().aggregate(**conditions)
        each = [(value, label, counts[value]) for value, (label, _) in STATUSES.items()]
        return [("", "All", sum(counts.values())), *each]

    @property
    def more_fields(self) -> list[forms.BoundField]:
        """Those that are seldom asked for."""
        return [self.form[name] for name in MORE]

    @property
    def spelling(self) -> str:
        """The text as far as it can be shown in a number's letters or digits; else empty."""
        return number_spelling(str(self.form.cleaned_data.get("q") or ""))

    def by_text(self, queryset: QuerySet[Campaign], name: str, value: str) -> QuerySet[Campaign]:
        return campaign_search(queryset, value)

    def by_account(self, queryset: QuerySet[Campaign], name: str, value: str) -> QuerySet[Campaign]:
        top = self._accounts.get(key=value)
        return queryset.filter(account__path__startswith=top.path)

    def by_status(self, queryset: QuerySet[Campaign], name: str, value: str) -> QuerySet[Campaign]:
        """Read in ``filter_queryset``, after the others."""
        return queryset

    def by_state(self, queryset: QuerySet[Campaign], name: str, value: str) -> QuerySet[Campaign]:
        """Callcap writes two letters; another source may have the name."""
        return queryset.filter(Q(state__iexact=value) | Q(state__iexact=state_name(value)))

    def by_type(self, queryset: QuerySet[Campaign], name: str, value: str) -> QuerySet[Campaign]:
        return queryset.filter(number_type="" if value == UNSET[0] else value)

    def stops_from(self, queryset: QuerySet[Campaign], name: str, value: date) -> QuerySet[Campaign]:
        return queryset.filter(~Q(stop_date=RUN_ON), stop_date__gte=value)

    def stops_until(self, queryset: QuerySet[Campaign], name: str, value: date) -> QuerySet[Campaign]:
        return queryset.filter(~Q(stop_date=RUN_ON), stop_date__lte=value)

    def by_destination(self, queryset: QuerySet[Campaign], name: str, value: str) -> QuerySet[Campaign]:
        return campaigns_ringing(queryset, value)

    def by_recording(self, queryset: QuerySet[Campaign], name: str, value: str) -> QuerySet[Campaign]:
        return queryset.filter(recording=RECORDING[value])

    def by_evaluation(self, queryset: QuerySet[Campaign], name: str, value: str) -> QuerySet[Campaign]:
        return queryset.filter(evaluation="" if value == UNSET[0] else value)

    def by_confirmation(self, queryset: QuerySet[Campaign], name: str, value: str) -> QuerySet[Campaign]:
        return queryset.filter(CONFIRMATIONS[value][1])


def _media_type_choices(campaigns: QuerySet[Campaign]) -> list[tuple[str, str]]:
    """By name, then those in use that have none."""
    used = campaigns.order_by().values_list("media_type_id", flat=True).distinct()
    named = sorted(media_type_names(), key=lambda number: media_type_names()[number].lower())
    unnamed = sorted(number for number in used if number is not None and number not in named)
    return [(str(number), media_type_text(number)) for number in (*named, *unnamed)]


class DeclarationForm(forms.Form):
    """Why the inventory is believed to be complete, or no longer."""

    reason = PlainTextField(
        max_length=1000,
        widget=forms.Textarea({"rows": 2}),
        label="How do you know?",
        error_messages={"required": "Say how you know: others rely on it."},
    )


class MediaTypeForm(forms.Form):
    """A name for a media type; one that has a name already gets this one instead."""

    number = forms.IntegerField(
        min_value=1,
        max_value=2_147_483_647,
        label="Media type ID",
        help_text="Callcap's number for it.",
        error_messages={"required": "Give Callcap's number for it.", "invalid": "Give a whole number, as in 7."},
    )
    name = PlainTextField(
        max_length=MediaType._meta.get_field("name").max_length,
        error_messages={"required": "Give it a name, as in Radio."},
    )
