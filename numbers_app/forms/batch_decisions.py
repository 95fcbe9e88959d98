"""Deciding on the rows of a batch."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from .fields import PlainTextField

LONGEST_LINE = 9


class RowsForm(forms.Form):
    """The rows that were ticked, by their ``line``, or ``whole``: all that wait for whoever sends it."""

    line = forms.TypedMultipleChoiceField(coerce=str, required=False)
    whole = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["line"].valid_value = lambda value: True  # type: ignore[attr-defined]

    def clean_line(self) -> list[int]:
        lines: list[str] = self.cleaned_data["line"]
        if not all(line.isascii() and line.isdigit() and len(line) <= LONGEST_LINE for line in lines):
            raise ValidationError("This form was changed on its way here.")
        return [int(line) for line in lines]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not cleaned["whole"] and not cleaned["line"]:
            raise ValidationError("Tick the rows that you want to decide on first, or decide on all of them.")
        return cleaned

    @property
    def lines(self) -> list[int] | None:
        """The lines of a valid form; None for all."""
        return None if self.cleaned_data["whole"] else self.cleaned_data["line"]


class RejectRowsForm(RowsForm):
    reason = PlainTextField(
        max_length=1000,
        widget=forms.Textarea({"rows": 2}),
        label="Reason for rejecting",
        error_messages={"required": "Say why, so that the person who asked knows what to do."},
    )
