"""Drawing a sample of the history, and signing off what is in it."""

from __future__ import annotations

import secrets
from typing import Any

from django import forms
from django.core.validators import RegexValidator

from numbers_app.errors import InvalidInput
from numbers_app.models import SampledEntry, SampleScope, Verdict

from .fields import PlainTextField
from .reports import PeriodForm

MOST_ENTRIES = 200
USUAL_ENTRIES = 25
MOST_SEQUENCE = 9_223_372_036_854_775_807
MOST_REVISION = 2_147_483_647


def fresh_seed() -> str:
    """A seed that nobody could foresee."""
    return secrets.token_hex(8)


class DrawForm(PeriodForm):
    """What to draw from, how much, and the seed; ``up_to`` repeats a sample of a period that was not over."""

    scope = forms.ChoiceField(choices=SampleScope, label="Kind of entries")
    size = forms.IntegerField(
        min_value=1,
        max_value=MOST_ENTRIES,
        initial=USUAL_ENTRIES,
        label="Entries",
        error_messages={
            "required": f"Say how many entries to draw, up to {MOST_ENTRIES}.",
            "invalid": f"Give a whole number from 1 to {MOST_ENTRIES}.",
        },
    )
    seed = forms.CharField(
        max_length=40,
        initial=fresh_seed,
        help_text="The same seed draws the same sample again.",
        validators=[
            RegexValidator("^[A-Za-z0-9._-]+$", "Use letters A to Z, digits, dots, dashes and underscores only.")
        ],
        error_messages={"required": "Give a seed: any word or number."},
    )
    up_to = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_SEQUENCE,
        label="Newest entry that counts",
        help_text="Empty: the newest there is. To repeat a sample, give the one it was drawn up to.",
        error_messages={"invalid": "Give the number of an entry, such as 1200, or leave this empty."},
    )

    def refuse(self, error: InvalidInput) -> None:
        """Show why nothing was drawn, at the field that it concerns."""
        self.add_error(error.field or None, error.message)


class SignForm(forms.Form):
    """What an auditor came to about an entry, and the sign-off that they had in front of them."""

    verdict = forms.TypedChoiceField(
        choices=Verdict,
        coerce=Verdict,
        widget=forms.RadioSelect,
        error_messages={"required": "Say whether it is in order or a finding."},
    )
    note = PlainTextField(
        max_length=2000,
        required=False,
        widget=forms.Textarea({"rows": 2}),
        help_text="A finding needs one.",
    )
    revision = forms.IntegerField(min_value=0, max_value=MOST_REVISION, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, row: SampledEntry) -> None:
        super().__init__(data, auto_id=f"id_{row.entry_id}_%s", initial={"verdict": row.verdict, "note": row.note})
        # A page has many of these forms, and every control a name of its own.
        self.fields["verdict"].label = f"Verdict on entry {row.entry_id}"
        self.fields["note"].label = f"Note on entry {row.entry_id}"
