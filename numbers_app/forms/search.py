"""The search form: the vendor's own parameters, checked before the vendor is asked, and one box that sets them."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from numbers_app.callcap import SearchCriteria
from numbers_app.callcap.vanity import clean as clean_vanity
from numbers_app.places import STATES, TOLLFREE_CODES

from .fields import LocationField, PhoneNumberField, PlainTextField

COUNTRIES = {"US": "United States", "CA": "Canada"}
# What toll-free numbers do not have.
PLACE_FIELDS = ("country", "state", "city", "rate_center", "zipcode")


def _digits(count: int, sentence: str, first: str = "0-9") -> PlainTextField:
    widget = forms.TextInput({"inputmode": "numeric", "autocomplete": "off"})
    rest = "[0-9]" * (count - 1)
    return PlainTextField(
        required=False,
        max_length=20,
        widget=widget,
        validators=[RegexValidator(rf"^[{first}]{rest}$", sentence)],
    )


def state_choices() -> list[Any]:
    """States and provinces as choices, by country."""
    by_country = groupby(STATES, key=attrgetter("country"))
    return [(COUNTRIES[key], [(state.code, state.name) for state in states]) for key, states in by_country]


class StateField(forms.ChoiceField):
    """A state or province by its two letters, in any case: addresses are typed too."""

    def bound_data(self, data: Any, initial: Any) -> Any:
        return self.to_python(super().bound_data(data, initial))

    def to_python(self, value: Any) -> str:
        code: str = super().to_python(value)
        return code.upper()


class SearchForm(forms.Form):
    """Every parameter that Callcap documents for a search, under its name in snake_case, and the box ``q``."""

    q = PlainTextField(
        required=False,
        max_length=100,
        label="What should it look like?",
        widget=forms.TextInput(
            {"data-search-box": True, "autofocus": True, "autocomplete": "off", "spellcheck": "false"}
        ),
        help_text="A word, digits or a place, as in cake, ###cake, 316-555, Wichita KS or 67202.",
    )
    vanity_text = PlainTextField(
        required=False,
        max_length=40,
        label="Spells",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", "data-keypad": "keypad-digits"}),
        help_text="A word or digits. * and # stand for any one digit.",
    )
    area_code = _digits(3, "An area code has three digits and starts with 2 to 9, as in 316.", "2-9")
    exchange = _digits(3, "An exchange has three digits and starts with 2 to 9, as in 555.", "2-9")
    line = _digits(4, "A line has four digits, as in 1234.")
    full_number = PhoneNumberField(required=False, label="Whole number")
    show_local = forms.BooleanField(required=False, label="Local")
    show_tollfree = forms.BooleanField(required=False, label="Toll-free")
    show_public_pool = forms.BooleanField(required=False, label="Public pool")
    show_reserved_pool = forms.BooleanField(required=False, label="Reserved pool")
    account = LocationField(required=False, empty_label="Any", help_text="Whose reserved pool to search.")
    country = forms.ChoiceField(required=False, choices=[("", "Any"), *COUNTRIES.items()])
    state = StateField(required=False, choices=[("", "Any"), *state_choices()], label="State or province")
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

    @property
    def is_tollfree_only(self) -> bool:
        """Whether only toll-free numbers are wanted, which have no place."""
        tollfree = self["show_tollfree"].value() and not self["show_local"].value()
        return bool(tollfree) or self["area_code"].value() in TOLLFREE_CODES

    @property
    def left_out(self) -> list[str]:
        """The labels of places that were given but mean nothing for toll-free numbers."""
        given = [name for name in PLACE_FIELDS if self.cleaned_data.get(name)]
        return [str(self[name].label) for name in given] if self.is_tollfree_only else []

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
        values.pop("q", None)
        if self.is_tollfree_only:
            values = {name: value for name, value in values.items() if name not in PLACE_FIELDS}
        if "account" in values:
            values["account"] = values["account"].key
        return SearchCriteria(**values)
