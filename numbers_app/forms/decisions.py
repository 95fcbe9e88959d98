"""Deciding on orders, and talking about them."""

from __future__ import annotations

import re

from django import forms
from django.core.exceptions import ValidationError

from numbers_app.models import Attempt, Order
from numbers_app.services.doubt import names_another
from numbers_app.services.settlement import Finding
from numbers_app.text import phone_text

from .fields import PlainTextField


class ApproveForm(forms.Form):
    """An approval names the revision that was seen."""

    revision = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class ApproveSeveralForm(forms.Form):
    """Several approvals; each value names an order and the revision that was seen, as in ``12:1``."""

    order = forms.TypedMultipleChoiceField(coerce=str)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["order"].valid_value = lambda value: True  # type: ignore[attr-defined]

    def clean_order(self) -> list[tuple[int, int]]:
        """(order id, revision) of each."""
        ticked = [re.fullmatch("([0-9]{1,18}):([0-9]{1,9})", value) for value in self.cleaned_data["order"]]
        if None in ticked:
            raise ValidationError("This form was changed on its way here.")
        return [(int(found[1]), int(found[2])) for found in ticked if found]


class RejectForm(ApproveForm):
    reason = PlainTextField(
        max_length=1000,
        widget=forms.Textarea({"rows": 2}),
        label="Reason for rejecting",
        error_messages={"required": "Say why, so that the person who asked knows what to do."},
    )


class CommentForm(forms.Form):
    text = PlainTextField(
        max_length=2000,
        widget=forms.Textarea({"rows": 2}),
        label="Comment or question",
        error_messages={"required": "Write what you want to say."},
    )


class ReasonForm(forms.Form):
    """Why purchases are paused or resumed."""

    reason = PlainTextField(
        max_length=1000,
        widget=forms.Textarea({"rows": 2}),
        error_messages={"required": "Say why: everybody who wants to buy reads it."},
    )


class SettleForm(forms.Form):
    """What somebody found out about an unknown order, and why it is to be believed."""

    finding = forms.ChoiceField(
        widget=forms.RadioSelect,
        label="What you found in Callcap's own interface",
        error_messages={"required": "Say what you found."},
    )
    reason = PlainTextField(
        max_length=1000,
        widget=forms.Textarea({"rows": 3}),
        label="How you know",
        help_text="It goes into the history.",
        error_messages={"required": "Say how you know, for whoever reads the history."},
    )

    def __init__(self, *args: object, order: Order, purchase: Attempt | None, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        number = phone_text(order.phone_number)
        if purchase is None:
            choices = [
                (Finding.CARRIED_OUT, f"{number} has the values of this order"),
                (Finding.NOT_CARRIED_OUT, f"{number} is as it was before"),
            ]
        else:
            choices = [
                (Finding.CARRIED_OUT, f"{number} is ours: it was bought"),
                (Finding.NOT_CARRIED_OUT, f"{number} is not ours: it was not bought"),
            ]
            if names_another(purchase):
                another = f"{phone_text(purchase.named_number)}, which Callcap named, is ours, and {number} is not"
                choices.insert(1, (Finding.ANOTHER_NUMBER, another))
        self.fields["finding"].choices = choices  # type: ignore[attr-defined]
