"""Asking which numbers stop, and moving stop dates."""

from __future__ import annotations

import uuid
from datetime import date
from functools import cache
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.formats import date_format

from numbers_app.errors import InvalidInput
from numbers_app.form_rendering import DateInput
from numbers_app.models import RUN_ON, Campaign, User
from numbers_app.selectors.accounts import accounts_visible
from numbers_app.selectors.stopping import campaigns_stopping, later_stop, stops_within, today_by_zone
from numbers_app.text import phone_text

from .fields import PlainTextField
from .filters import ListFilter, account_choices

WINDOWS = (30, 60, 90)
STEPS = (30, 90)
TO_DATE, TO_RUN_ON = "date", "run_on"
MOST_NAMED = 5


class StoppingFilter(ListFilter):
    """The numbers that stop, by a part of the account tree and by how soon at their Locations."""

    account = django_filters.ChoiceFilter(method="by_account", label="Account and below", empty_label="All")
    within = django_filters.ChoiceFilter(
        method="by_window",
        label="Stops within",
        empty_label="Any time",
        choices=[(str(days), f"{days} days") for days in WINDOWS],
    )

    class Meta:
        model = Campaign
        fields: tuple[str, ...] = ()

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data, queryset=campaigns_stopping(user))
        self._accounts = accounts_visible(user)
        self.filters["account"].extra["choices"] = cache(lambda: account_choices(self._accounts))

    @property
    def at_any_time(self) -> QuerySet[Campaign]:
        """The numbers of the chosen part of the tree, however soon they stop."""
        account = self.form.cleaned_data.get("account")
        return self.by_account(self.queryset, "account", account) if account else self.queryset

    def by_account(self, queryset: QuerySet[Campaign], name: str, value: str) -> QuerySet[Campaign]:
        return queryset.filter(account__path__startswith=self._accounts.get(key=value).path)

    def by_window(self, queryset: QuerySet[Campaign], name: str, value: str) -> QuerySet[Campaign]:
        return queryset.filter(stops_within(int(value), today_by_zone()))


class LaterForm(forms.Form):
    """A later last day: a date, or none any more."""

    by = forms.ChoiceField(
        label="Until when",
        choices=[(TO_DATE, "To a date"), (TO_RUN_ON, "Let it run on")],
        widget=forms.RadioSelect,
        error_messages={"required": "Say until when.", "invalid_choice": "Say until when."},
    )
    until = forms.DateField(
        label="New last day",
        required=False,
        widget=DateInput({"class": "w-medium"}),
        error_messages={"invalid": "Give the date as year-month-day, as in 2027-03-31."},
    )

    @property
    def stop_date(self) -> date:
        """The last day that a valid form asks for."""
        return RUN_ON if self.cleaned_data["by"] == TO_RUN_ON else self.cleaned_data["until"]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("by") == TO_DATE and not values.get("until") and "until" not in self.errors:
            self.add_error("until", "Give the new last day.")
        return values


class ExtendForm(LaterForm):
    """A later last day of one number, counted from the one that it has. ``version`` is the number's, as it was seen.

    A step is chosen by the date that it leads to: what a button says is asked for, or nothing, also past midnight.
    """

    reason = PlainTextField(
        max_length=1000,
        required=False,
        widget=forms.Textarea({"rows": 2}),
        help_text="Why. It stands in the history, and a manager who decides reads it.",
    )
    version = forms.IntegerField(
        min_value=1, widget=forms.HiddenInput, error_messages={"required": "Open the page of the number and try again."}
    )
    form_token = forms.UUIDField(required=False, widget=forms.HiddenInput)
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, campaign: Campaign) -> None:
        self.campaign = campaign
        self._steps = {str(later): later for days in STEPS if (later := later_stop(campaign, days))}
        super().__init__(data, initial={"version": campaign.version, "form_token": uuid.uuid4()})
        by: Any = self.fields["by"]
        steps = zip(STEPS, self._steps.items(), strict=False)
        by.choices = [
            *((value, f"By {days} days, to {date_format(later, 'M j, Y')}") for days, (value, later) in steps),
            *by.choices,
        ]
        self.fields["until"].help_text = "Only for “To a date”."

    @property
    def stop_date(self) -> date:
        return self._steps.get(self.cleaned_data["by"]) or super().stop_date

    @property
    def is_typed(self) -> bool:
        """Whether the new date was not written on the button that was pressed, or is no date at all."""
        return self.cleaned_data["by"] not in self._steps

    def clean_form_token(self) -> uuid.UUID:
        return self.cleaned_data["form_token"] or uuid.uuid4()

    def clean_until(self) -> date | None:
        until: date | None = self.cleaned_data["until"]
        least = later_stop(self.campaign, 0)
        if self.data.get("by") == TO_DATE and until and least and until <= least:
            raise forms.ValidationError(
                f"Give a day after {date_format(least, 'M j, Y')}. To let it stop earlier, change the number."
            )
        return until

    def parameters(self) -> dict[str, Any]:
        """What changes, as JSON values."""
        return {"stop_date": self.stop_date.isoformat()}

    def refuse(self, error: InvalidInput) -> None:
        """Show what a service refused. A form that was used up gets a new token: sent again, it is a new wish."""
        self.add_error(None, error.message)
        if error.field == "form_token":
            sent: Any = self.data
            typed = sent.copy()
            typed["form_token"] = str(uuid.uuid4())
            self.data = typed


class ExtendSeveralForm(LaterForm):
    """One later last day of several numbers, none of which may already have a later one."""

    form_token = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, data: Any = None, *, chosen: QuerySet[Campaign]) -> None:
        super().__init__(data)
        self._chosen = chosen
        # Its buttons say it; whoever presses Enter in the date means the date.
        self.fields["by"].required = False

    def clean_by(self) -> str:
        return self.cleaned_data["by"] or TO_DATE

    def clean_form_token(self) -> uuid.UUID:
        return self.cleaned_data["form_token"] or uuid.uuid4()

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if not self._chosen.exists():
            raise forms.ValidationError("Tick the numbers that you mean.")
        if not self.errors:
            self._refuse_earlier()
        return values

    @property
    def wish_token(self) -> uuid.UUID:
        """The same for the same wish sent twice, another one for another day or other numbers."""
        numbers = sorted(self._chosen.values_list("phone_number", flat=True))
        return uuid.uuid5(self.cleaned_data["form_token"], f"{self.stop_date} {' '.join(numbers)}")

    def _refuse_earlier(self) -> None:
        later = self._chosen.filter(stop_date__gte=self.stop_date)
        named = [f"{phone_text(campaign.phone_number)} ({campaign.stop_date})" for campaign in later[: MOST_NAMED + 1]]
        if named:
            more = " and others" if len(named) > MOST_NAMED else ""
            self.add_error(
                "until",
                f"{', '.join(named[:MOST_NAMED])}{more} would not stop later than now."
                " Give a later day, or leave them out.",
            )
