"""Deciding on an order."""

from django import forms

from .fields import PlainTextField


class ApproveForm(forms.Form):
    """An approval names the revision that was seen."""

    revision = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class RejectForm(ApproveForm):
    reason = PlainTextField(
        max_length=1000,
        widget=forms.Textarea({"rows": 2}),
        label="Reason for rejecting",
        error_messages={"required": "Say why, so that the person who asked knows what to do."},
    )
