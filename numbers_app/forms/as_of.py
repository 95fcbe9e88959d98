"""Asking what was in force at a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from numbers_app.form_rendering import MomentInput, PhoneInput
from numbers_app.models import Account
from numbers_app.periods import FIRST, LAST

from .fields import PlainTextField
from .filters import account_choices, read_digits


class MomentField(forms.DateTimeField):
    """A moment by the reader's clocks, or one with an offset of its own, as links to an exact one have.

    Of a time that the clocks showed twice it cleans to the later one; ``fold=0`` makes it the earlier one.
    """

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        typed = _read(value)
        if typed is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        if not FIRST <= typed.date() <= LAST:
            raise forms.ValidationError(f"Give a year from {FIRST.year} to {LAST.year - 1}.")
        if timezone.is_aware(typed):
            return typed
        zone = timezone.get_current_timezone()
        moment = typed.replace(tzinfo=zone, fold=1)
        if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != typed:
            raise forms.ValidationError(
                "That time never was: the clocks were put forward past it. Give one before or after."
            )
        return moment

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was asked for as the browser's picker can show it: by the reader's clocks, and never too early."""
        asked = _read(data) if data else None
        if asked is None or not FIRST <= asked.date() <= LAST:
            return data
        local = timezone.localtime(asked).replace(tzinfo=None) if timezone.is_aware(asked) else asked
        if not local.microsecond:
            return local.isoformat()
        # Pickers know no microseconds. A little later is still after what happened at that moment.
        return (local + timedelta(microseconds=-local.microsecond % 1000)).isoformat(timespec="milliseconds")


def _read(text: str) -> datetime | None:
    try:
        return parse_datetime(text.strip())
    except ValueError:
        return None


class AsOfForm(forms.Form):
    """A number, or an account with everything below it, and a moment by the reader's clocks; empty: now."""

    number = PlainTextField(required=False, max_length=40, widget=PhoneInput({"class": "w-phone"}))
    account = forms.ChoiceField(required=False, label="Account and below")
    at = MomentField(
        required=False,
        label="Date and time",
        widget=MomentInput({"step": 1}),
        error_messages={"invalid": "Give date and time, as in 2026-03-31 08:00."},
    )

    def __init__(self, data: Any, *, accounts: QuerySet[Account]) -> None:
        super().__init__(data)
        self._accounts = accounts
        choices = self.fields["account"]
        if isinstance(choices, forms.ChoiceField):
            choices.choices = cache(lambda: [("", "None"), *account_choices(accounts)])
        if "." in str(self["at"].value()):
            # By whole seconds the browser would refuse every moment without just these milliseconds.
            self.fields["at"].widget.attrs["step"] = 0.001

    def clean_number(self) -> str:
        typed = self.cleaned_data["number"]
        digits = read_digits(typed)
        if typed and len(digits) != 10:
            raise forms.ValidationError("Give all ten digits of one number, as in (316) 734-2253.")
        return digits

    def clean_account(self) -> Account | None:
        key = self.cleaned_data["account"]
        return self._accounts.get(key=key) if key else None

    def clean_at(self) -> datetime:
        return self.cleaned_data["at"] or timezone.now()

    @property
    def earlier(self) -> datetime | None:
        """Of a valid form, the first time that the clocks showed what was typed, if they showed it twice."""
        at: datetime = self.cleaned_data["at"]
        first = at.replace(fold=0)
        return first if first.utcoffset() != at.utcoffset() else None

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors and not values["number"] and not values["account"]:
            self.add_error("number", "Give a number, or choose an account.")
        return values
