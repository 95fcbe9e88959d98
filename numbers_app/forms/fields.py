"""Form fields of this field: numbers as people type them, text that every system can keep, choices with "not set"."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.forms.models import ModelChoiceIterator
from django.utils import timezone

from numbers_app.form_rendering import MomentInput, PhoneInput
from numbers_app.models import Account
from numbers_app.selectors.media_types import media_type_names, media_type_text

FURTHEST = timedelta(days=731)

REFUSE_NUL = ProhibitNullCharactersValidator("Remove the null character: neither Callcap nor the portal can keep it.")


def read_phone_number(text: str) -> str:
    """Ten digits of a US or Canadian number typed in any usual way. Raises ValidationError with a sentence.

    Letters are refused: in a number that calls are sent to, a misread word sends them to strangers.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if plain.startswith("001"):
        plain = "+1" + plain[3:]
    if any(character.isalpha() for character in plain):
        raise ValidationError(
            f"{text} has letters in it. Give the ten digits, as in (316) 555-0100, without an extension."
        )
    try:
        parsed = phonenumbers.parse(plain, "US")
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or phonenumbers.region_code_for_number(parsed) not in ("US", "CA"):
        raise ValidationError(f"{text} is not a US or Canadian number. Give ten digits, as in (316) 555-0100.")
    if phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.PREMIUM_RATE:
        raise ValidationError(f"{text} is a premium number, which calls are not sent to. Give an ordinary number.")
    if parsed.extension:
        raise ValidationError(f"{text} has an extension, which Callcap cannot dial. Give the ten digits alone.")
    return str(parsed.national_number)


class PlainTextField(forms.CharField):
    """Text without NUL. Line breaks become plain newlines."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Django's own check says the same in a less helpful sentence.
        self.validators = [v for v in self.validators if not isinstance(v, ProhibitNullCharactersValidator)]
        self.validators.append(REFUSE_NUL)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if isinstance(text, str) else text


class PhoneNumberField(PlainTextField):
    """A US or Canadian number; cleans to ten digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"max_length": 40, "widget": PhoneInput({"class": "w-phone"})} | kwargs))

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        return read_phone_number(text) if text else ""


class LocationMomentField(forms.DateTimeField):
    """Date and time at a Location, as typed: cleans to a time without a zone, which ``at_location`` gives it."""

    widget = MomentInput
    default_error_messages: ClassVar = {"invalid": "Give date and time, as in 2027-03-31 08:00."}

    def to_python(self, value: Any) -> datetime | None:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            typed = datetime.fromisoformat(text)
        except ValueError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None
        if typed.tzinfo:
            raise ValidationError("Leave the zone out: the time is read by the Location's clocks.")
        return typed

    def prepare_value(self, value: Any) -> Any:
        return value


def at_location(typed: datetime, account: Account) -> datetime:
    """The moment at which the Location's clocks show what was typed.

    Raises ValidationError when they never do, for the past, and for what is more than two years ahead.
    """
    here = timezone.now().astimezone(account.zone).replace(tzinfo=None)
    if typed < here:
        raise ValidationError(f"This has passed at {account.name}, where it is {here:%Y-%m-%d %H:%M}.")
    if typed > here + FURTHEST:
        raise ValidationError("Orders can wait for at most two years.")
    moment = typed.replace(tzinfo=account.zone)
    if moment.astimezone(UTC).astimezone(account.zone).replace(tzinfo=None) != typed:
        raise ValidationError(
            f"The clocks at {account.name} never show {typed:%Y-%m-%d %H:%M}: they are put forward then."
        )
    return moment


class _ReadAtOnce(ModelChoiceIterator):  # type: ignore[type-arg]
    """The choices read in one query. Django's own reads by a server-side cursor on PostgreSQL, in several."""

    def __iter__(self) -> Iterator[Any]:
        if self.field.empty_label is not None:
            yield "", self.field.empty_label
        yield from map(self.choice, self.queryset.all())


class LocationField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of the Locations that the form is given, by its key."""

    iterator = _ReadAtOnce
    default_error_messages: ClassVar = {"invalid_choice": "Choose one of your Locations."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Account.objects.none(), to_field_name="key", label="Location account", **kwargs)


class RankedNumbersInput(forms.Widget):
    """One text input a choice, best first, all under one name: the numbers asked for and one more to fill in."""

    template_name = "widgets/ranked_numbers.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, None, attrs)
        first_id = context["widget"]["attrs"].get("id", f"id_{name}")
        # A template cannot name an attribute with a dash in it.
        context["widget"]["invalid"] = bool(context["widget"]["attrs"].get("aria-invalid"))
        shown = [*[number for number in value or [] if number], ""][: RankedNumbersField.MOST]
        context["widget"]["inputs"] = [
            {"rank": rank, "value": number, "id": first_id if rank == 1 else f"{first_id}_{rank}"}
            for rank, number in enumerate(shown, start=1)
        ]
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return list(data.getlist(name))


class RankedNumbersField(forms.Field):
    """Up to five different numbers, best first; cleans to a list of ten-digit texts."""

    MOST = 5
    widget = RankedNumbersInput

    def clean(self, value: Any) -> list[str]:
        typed = [str(number).strip() for number in value or [] if str(number).strip()]
        if not typed and self.required:
            raise ValidationError("Give the number to be bought.")
        for text in typed:
            REFUSE_NUL(text)
        numbers = list(dict.fromkeys(read_phone_number(text) for text in typed))
        if len(numbers) > self.MOST:
            raise ValidationError(f"An order takes at most {self.MOST} numbers, best first.")
        return numbers


class OptionalSwitchField(forms.TypedChoiceField):
    """On, off, or not said; cleans to True, False or None."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [("", "Not set"), ("true", "On"), ("false", "Off")]
        super().__init__(
            choices=choices, coerce=lambda word: word == "true", empty_value=None, required=False, **kwargs
        )

    def prepare_value(self, value: Any) -> Any:
        return {True: "true", False: "false", None: ""}.get(value, value)

    def to_python(self, value: Any) -> str:
        word = str(value or "").lower()
        return {"on": "true", "1": "true", "yes": "true", "off": "false", "0": "false", "no": "false"}.get(word, word)


class MediaTypeInput(forms.TextInput):
    """A text input that offers the names of media types; any other number can be typed."""

    template_name = "widgets/media_type.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        widget = context["widget"]
        widget["names"] = [media_type_text(number) for number in media_type_names()]
        if widget["names"]:
            widget["attrs"] |= {"list": f"{widget['attrs'].get('id', name)}_names", "autocomplete": "off"}
        return context


class MediaTypeField(forms.IntegerField):
    """The vendor's number of a media type: as digits, by its name, or as the portal shows both, ``Radio (7)``."""

    widget = MediaTypeInput
    default_error_messages: ClassVar = {"invalid": "Give one of the names, or a whole number, as in 7."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**({"min_value": 1, "max_value": 2_147_483_647} | kwargs))

    def to_python(self, value: Any) -> int | None:
        text = str(value or "").strip()
        if not text or text.isdigit():
            return super().to_python(text)
        by_name = {name.lower(): number for number, name in media_type_names().items()}
        shown = re.fullmatch(r".+ \(([0-9]+)\)", text)
        return super().to_python(by_name.get(text.lower()) or (shown[1] if shown else text))

    def prepare_value(self, value: Any) -> Any:
        return media_type_text(value) if isinstance(value, int) else value
