"""Asking what was in force at a moment."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from numbers_app.form_rendering import MomentInput, PhoneInput
from numbers_app.models import Account

from .fields import PlainTextField
from .filters import account_choices, read_digits


class AsOfForm(forms.Form):
    """A number, or an account with everything below it, and a moment by the reader's clocks; empty: now."""

    number = PlainTextField(required=False, max_length=40, widget=PhoneInput({"class": "w-phone"}))
    account = forms.ChoiceField(required=False, label="Account and below")
    at = forms.DateTimeField(
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

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.errors and not values["number"] and not values["account"]:
            self.add_error("number", "Give a number, or choose an account.")
        return values
