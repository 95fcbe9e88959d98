"""The search form: the vendor's own parameters, checked before the vendor is asked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from numbers_app.callcap import SearchCriteria
from numbers_app.callcap.vanity import clean as clean_vanity
from numbers_app.models import Account

from .fields import PhoneNumberField, PlainTextField


def _digits(count: int, sentence: str, first: str = "0-9") -> PlainTextField:
    widget = forms.TextInput({"inputmode": "numeric", "autocomplete": "off"})
    rest = "[0-9]" * (count - 1)
    return PlainTextField(
        required=False,
        max_length=20,
        widget=widget,
        validators=[RegexValidator(rf"^[{first}]{rest}$", sentence)],
    )


class SearchForm(forms.Form):
    """Every parameter that Callcap documents for a search, under its name in snake_case."""

    vanity_text = PlainTextField(
        required=False,
        max_length=40,
        label="Spells",
        widget=forms.TextInput(
            {"data-search-box": True, "autofocus": True, "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text="A word or digits, as in cake or ###cake. * and # stand for any one digit.",
    )
    area_code = _digits(3, "An area code has three digits and starts with 2 to 9, as in 316.", "2-9")
    exchange = _digits(3, "An exchange has three digits and starts with 2 to 9, as in 555.", "2-9")
    line = _digits(4, "A line has four digits, as in 1234.")
    full_number = PhoneNumberField(required=False, label="Whole number")
    show_local = forms.BooleanField(required=False, label="Local")
    show_tollfree = forms.BooleanField(required=False, label="Toll-free")
    show_public_pool = forms.BooleanField(required=False, label="Public pool")
    show_reserved_pool = forms.BooleanField(required=False, label="Reserved pool")
    account = forms.ModelChoiceField(
        queryset=Account.objects.none(),
        to_field_name="key",
        required=False,
        label="Location account",
        empty_label="Any",
        help_text="Whose reserved pool to search.",
        error_messages={"invalid_choice": "Choose one of your Locations."},
    )
    country = forms.ChoiceField(required=False, choices=[("", "Any"), ("US", "United States"), ("CA", "Canada")])
    state = PlainTextField(required=False, max_length=50, label="State or province", help_text="As in KS or ON.")
    city = PlainTextField(required=False, max_length=100)
    rate_center = PlainTextField(required=False, max_length=100)
    zipcode = PlainTextField(
        required=False,
        max_length=10,
        label="ZIP or postal code",
        validators=[
            RegexValidator(
                r"^([0-9]{5}|[A-Za-z][0-9][A-Za-z] ?[0-9][A-Za-z][0-9])$",
                "Give five digits, as in 67202, or a Canadian postal code, as in M5V 2T6.",
            )
        ],
    )

    def __init__(self, *args: Any, locations: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = locations  # type: ignore[attr-defined]

    @property
    def was_used(self) -> bool:
        """Whether the request carries any of the fields, so that there is something to search for."""
        return any(name in self.data for name in self.fields)

    def clean_vanity_text(self) -> str:
        text: str = self.cleaned_data["vanity_text"]
        if not text:
            return text
        try:
            clean_vanity(text)
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return text.strip()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("show_reserved_pool") and not cleaned.get("account") and "account" not in self.errors:
            self.add_error("account", "Choose the Location whose reserved pool to search.")
        return cleaned

    def criteria(self) -> SearchCriteria:
        """The cleaned search. A box that is not ticked says nothing, which Callcap reads as its default."""
        values = {name: value for name, value in self.cleaned_data.items() if value not in ("", None, False)}
        if "account" in values:
            values["account"] = values["account"].key
        return SearchCriteria(**values)
