"""Asking for a period of the history."""

from __future__ import annotations

from typing import Any

from django import forms

from numbers_app.form_rendering import DateInput
from numbers_app.periods import Period

MOST_DAYS = 370


class DaysInOrder(forms.Form):
    """A form with the days ``date_from`` and ``date_to``: of two that are given, the last is not before the first."""

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        first, last = values.get("date_from"), values.get("date_to")
        if first and last and last < first:
            self.add_error("date_to", "The last day is before the first.")
        return values


class PeriodForm(DaysInOrder):
    """Two days, both of them included."""

    date_from = forms.DateField(
        label="From",
        widget=DateInput(),
        error_messages={"required": "Give the first day.", "invalid": "Give a date, as in 2026-11-01."},
    )
    date_to = forms.DateField(
        label="To",
        widget=DateInput(),
        error_messages={"required": "Give the last day.", "invalid": "Give a date, as in 2026-11-30."},
    )

    @property
    def period(self) -> Period:
        """The days of a valid form."""
        return Period(self.cleaned_data["date_from"], self.cleaned_data["date_to"])


class ReportForm(PeriodForm):
    """A period of at most about a year: a report has a line for each of its days."""

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if not self.errors and (self.period.last - self.period.first).days >= MOST_DAYS:
            self.add_error("date_to", f"A report covers at most {MOST_DAYS} days. Choose days that are nearer.")
        return values
