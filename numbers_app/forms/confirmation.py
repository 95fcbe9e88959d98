"""What is asked about a number as a whole: confirming it, sending everything once more, settling a dispute."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms

from .fields import PlainTextField


class ConfirmForm(forms.Form):
    """One button. The token makes one order of a form that is sent twice."""

    form_token = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"form_token": uuid.uuid4()})

    @property
    def token(self) -> uuid.UUID:
        """The form's own token; a new one for a form that came without."""
        given = self.cleaned_data.get("form_token") if self.is_valid() else None
        return given or uuid.uuid4()


class ReapplyForm(forms.Form):
    """Everything that is set, sent once more. ``version`` says which values were read."""

    version = forms.IntegerField(
        min_value=1,
        widget=forms.HiddenInput,
        error_messages={"required": "Read the values below, then send them."},
    )
    form_token = forms.UUIDField(required=False, widget=forms.HiddenInput)
    reason = PlainTextField(
        max_length=1000,
        widget=forms.Textarea({"rows": 2}),
        help_text="Why. It goes to the manager and into the history.",
        error_messages={"required": "Say why, since this overwrites what somebody may have set on purpose."},
    )

    def __init__(self, data: Any = None, *, version: int) -> None:
        super().__init__(data, initial={"version": version, "form_token": uuid.uuid4()})

    def clean_form_token(self) -> uuid.UUID:
        return self.cleaned_data["form_token"] or uuid.uuid4()


class DisputeForm(forms.Form):
    """What somebody found out about a number that Callcap said is not ours."""

    STILL_OURS, NOT_OURS = "still_ours", "not_ours"

    finding = forms.ChoiceField(
        label="What you found out",
        widget=forms.RadioSelect,
        choices=[
            (STILL_OURS, "It is still ours. The portal goes on as before."),
            (NOT_OURS, "It is not ours any more. The portal marks it as stopped and sends nothing for it."),
        ],
        error_messages={"required": "Choose what you found out."},
    )
    reason = PlainTextField(
        max_length=1000,
        widget=forms.Textarea({"rows": 3}),
        help_text="How you know. It goes into the history.",
        error_messages={"required": "Say how you know."},
    )
