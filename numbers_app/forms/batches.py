"""Uploading the file of a batch, and the values that a batch of chosen numbers sets."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from numbers_app.batch_csv import MOST_BYTES
from numbers_app.form_rendering import PortalBoundField
from numbers_app.models import BatchKind, Evaluation

from .campaigns import CampaignForm
from .confirmation import ReapplyForm
from .fields import FURTHEST, LocationMomentField, PlainTextField

KINDS_OF_FILES = (BatchKind.CHANGE, BatchKind.PURCHASE, BatchKind.IMPORT)


class UploadForm(forms.Form):
    """A file of changes, purchases or imports."""

    kind = forms.ChoiceField(
        choices=[(kind.value, kind.label) for kind in KINDS_OF_FILES],
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": "Choose change, purchase or import."},
    )
    title = PlainTextField(
        max_length=200, required=False, help_text="What it is about, in a few words. Empty: the name of the file."
    )
    file = forms.FileField(
        label="CSV file",
        widget=forms.FileInput({"accept": ".csv,text/csv"}),
        help_text="At most 10,000 rows below the heading, in UTF-8, separated by comma, semicolon or tab.",
        error_messages={
            "required": "Choose the file.",
            "missing": "Choose the file.",
            "empty": "The file is empty.",
            "invalid": "Choose the file once more.",
        },
    )
    form_token = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid.uuid4)

    def clean_file(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if file.size and file.size > MOST_BYTES:
            raise ValidationError(f"The file has more than {MOST_BYTES // 1_000_000} MB. Divide it into several files.")
        return file

    def clean_form_token(self) -> uuid.UUID:
        return self.cleaned_data["form_token"] or uuid.uuid4()


def _tick(name: str) -> str:
    return f"set_{name}"


class SelectionForm(forms.Form):
    """What is set for every chosen number. Only a field that is ticked is sent, so that an untouched one never is."""

    title = PlainTextField(max_length=200, required=False, help_text="What it is about, in a few words.")
    form_token = forms.UUIDField(required=False, widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in CampaignForm.CAMPAIGN_FIELDS:
            field: Any = deepcopy(CampaignForm.base_fields[name])
            field.required = False
            field.widget.attrs.pop("list", None)
            label = field.label or forms.utils.pretty_name(name)
            if name == "evaluation":
                field.choices = [("", "Not set"), *Evaluation.choices]
            if name == "campaign_name":
                field.help_text = "The same for all of them. Empty: each its own number."
            self.fields[name] = field
            self.fields[_tick(name)] = forms.BooleanField(required=False, label=f"Change {label[0].lower()}{label[1:]}")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        ticked = [name for name in CampaignForm.CAMPAIGN_FIELDS if cleaned.get(_tick(name))]
        for name in CampaignForm.CAMPAIGN_FIELDS:
            empty = cleaned.get(name) in ("", None)
            if name in ticked and empty and name in _NEED_A_VALUE and name not in self.errors:
                self.add_error(name, _NEED_A_VALUE[name])
            if name not in ticked and not empty:
                # What was typed must not be dropped without a word.
                self.add_error(_tick(name), "Tick it to set what you typed, or empty the field.")
        if not ticked and not self.errors:
            raise ValidationError("Tick what is to be changed.")
        return cleaned

    def clean_form_token(self) -> uuid.UUID:
        return self.cleaned_data["form_token"] or uuid.uuid4()

    def values(self) -> dict[str, Any]:
        """The ticked fields of a valid form, as Python values."""
        return {
            name: self.cleaned_data[name] for name in CampaignForm.CAMPAIGN_FIELDS if self.cleaned_data[_tick(name)]
        }

    def pairs(self) -> Iterator[tuple[PortalBoundField, PortalBoundField]]:
        """(tick, field) of everything that can be set, to be drawn."""
        for name in CampaignForm.CAMPAIGN_FIELDS:
            tick: Any = self[_tick(name)]
            field: Any = self[name]
            yield tick, field


class SubmitForm(forms.Form):
    """Why a batch is submitted, and before when nothing of it is done.

    ``execute_after`` cleans to a moment. Its rows may lie in many zones, so that it is read in the portal's own.
    ``warnings`` are read before; ``warnings_checked`` is there when nobody else would read them before it starts.
    """

    reason = PlainTextField(
        max_length=1000,
        required=False,
        widget=forms.Textarea({"rows": 2}),
        help_text="Why. It goes to those who decide, and into the history.",
    )
    execute_after = LocationMomentField(required=False, label="Not before")
    # The tick's value stands for the very warnings that were read.
    warnings_checked = forms.MultipleChoiceField(
        label="Warnings",
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "Read the warnings above, then tick this. Nobody else looks before it starts.",
            "invalid_choice": "There are other warnings by now. Read those above, then tick this.",
        },
    )

    def __init__(self, data: Any = None, *, kind: str, warnings: Sequence[str], needs_nobody: bool) -> None:
        super().__init__(data)
        self.warnings = warnings
        self.needs_nobody = needs_nobody
        if warnings and needs_nobody:
            these = hashlib.sha256("\n".join(sorted(warnings)).encode()).hexdigest()
            tick: Any = self.fields["warnings_checked"]
            tick.choices = [(these, "I have checked these warnings")]
        else:
            del self.fields["warnings_checked"]
        if kind == BatchKind.REAPPLY:
            # As for one number.
            self.fields["reason"] = deepcopy(ReapplyForm.base_fields["reason"])
        zone = settings.TIME_ZONE.replace("_", " ")
        self.fields["execute_after"].help_text = f"Date and time in {zone}, for every row. Empty: as soon as approved."

    def clean_execute_after(self) -> datetime | None:
        typed: datetime | None = self.cleaned_data["execute_after"]
        if typed is None:
            return None
        zone = timezone.get_default_timezone()
        moment = typed.replace(tzinfo=zone)
        if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != typed:
            raise ValidationError("The clocks never show this time: they are put forward then.")
        if moment < timezone.now():
            raise ValidationError("This has passed.")
        if moment > timezone.now() + FURTHEST:
            raise ValidationError("A batch can wait for at most two years.")
        return moment


_NEED_A_VALUE = {
    "destination": "Give the number that calls should ring to.",
    "recording": "Choose on or off: there is no way back to never set.",
    "evaluation": "Choose one: there is no way back to never set.",
}
