"""The values of a campaign, as a purchase and a change ask for them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField

from numbers_app.callcap import SearchCriteria, vanity
from numbers_app.errors import InvalidInput
from numbers_app.form_rendering import DateInput, PhoneInput
from numbers_app.models import RUN_ON, Account, Campaign, Evaluation, Order
from numbers_app.selectors.destinations import destination_loop

from . import first_match
from .fields import (
    LocationField,
    LocationMomentField,
    MediaTypeField,
    OptionalSwitchField,
    PhoneNumberField,
    PlainTextField,
    RankedNumbersField,
    at_location,
)

LOOP = "loop"


def check_stop_date(stop_date: date | None, account: Account | None) -> None:
    """Raise ValidationError when the date has passed at the Location, where the vendor would refuse it."""
    if stop_date and account and stop_date < account.today():
        raise ValidationError(
            f"{stop_date} has passed at {account.name}, where it is {account.today()}. Give today or a later date."
        )


def _plain(value: Any) -> Any:
    """A cleaned value as a JSON value."""
    return value.isoformat() if isinstance(value, date) else value


class CampaignForm(forms.Form):
    """What both forms have: routing, features and campaign information."""

    destination = PhoneNumberField(
        widget=PhoneInput({"class": "w-phone", "list": "known-destinations"}),
        help_text="The phone that rings when this number is called. US or Canada.",
        error_messages={"required": "Give the number that calls should ring to."},
    )
    stop_date = forms.DateField(
        required=False,
        widget=DateInput({"class": "w-medium"}),
        help_text="Last day for calls, by the Location's date. Empty: it runs on.",
        error_messages={"invalid": "Give the date as year-month-day, as in 2027-03-31."},
    )
    recording = OptionalSwitchField(label="Call recording")
    evaluation = forms.ChoiceField(required=False, help_text="When calls are evaluated in Callsurance.")
    campaign_name = PlainTextField(max_length=100, required=False, help_text="Empty: the number itself.")
    media_type_id = MediaTypeField(
        label="Media type", required=False, help_text="A name, or Callcap's number for the medium."
    )
    brand = PlainTextField(max_length=100, required=False)
    service = PlainTextField(max_length=100, required=False, label="Service line")
    target = PlainTextField(max_length=100, required=False)
    offer = PlainTextField(max_length=100, required=False)
    memo1 = PlainTextField(max_length=255, required=False, label="Memo 1")
    memo2 = PlainTextField(max_length=255, required=False, label="Memo 2")
    notes = PlainTextField(max_length=10_000, required=False, widget=forms.Textarea({"rows": 3}))
    reason = PlainTextField(
        max_length=1000,
        required=False,
        widget=forms.Textarea({"rows": 2}),
        help_text="Why. It goes to the manager and into the history.",
    )
    execute_after = LocationMomentField(
        required=False,
        label="Not before",
        help_text="Date and time by the Location's clocks. Empty: as soon as it is approved.",
    )
    urgent = forms.BooleanField(
        required=False, help_text="Every manager of the account is told at once, and you see who has seen it."
    )
    form_token = forms.UUIDField(required=False, widget=forms.HiddenInput)
    destination_checked = forms.BooleanField(required=False, label="Yes, calls should go on to this number of ours")

    CAMPAIGN_FIELDS = (
        "destination",
        "stop_date",
        "recording",
        "evaluation",
        "campaign_name",
        "media_type_id",
        "brand",
        "service",
        "target",
        "offer",
        "memo1",
        "memo2",
        "notes",
    )

    def clean_execute_after_at(self, account: Account | None) -> None:
        """Give the typed time the Location's zone, or say at the field why that cannot be."""
        typed = self.cleaned_data.get("execute_after")
        if typed and account:
            try:
                self.cleaned_data["execute_after"] = at_location(typed, account)
            except ValidationError as error:
                self.add_error("execute_after", error)

    def clean_loop(self, numbers: list[str], campaign: Campaign | None = None) -> None:
        """Refuse calls that would come back to the number itself, and to another of ours unless that is meant."""
        destination: str = self.cleaned_data.get("destination", "")
        loop = destination_loop(destination, numbers=numbers, campaign=campaign) if destination else ""
        if loop and destination in numbers:
            self.add_error("destination", f"{loop} Give another one.")
        elif loop and not self.cleaned_data["destination_checked"]:
            said = f"{loop} Give another one, or say below that this is meant."
            self.add_error("destination", ValidationError(said, code=LOOP))

    @property
    def asks_about_loop(self) -> bool:
        """Whether the form shows the tick that calls may go on to a number of ours."""
        return self.has_error("destination", LOOP) or bool(self["destination_checked"].value())

    def clean_form_token(self) -> uuid.UUID:
        return self.cleaned_data["form_token"] or uuid.uuid4()

    def refuse(self, error: InvalidInput) -> None:
        """Show what a service refused. A form that was used up gets a new token: sent again, it is a new wish."""
        self.add_error(error.field or None, error.message)
        if error.field == "form_token":
            typed: Any = self.data
            renewed = typed.copy()
            renewed["form_token"] = str(uuid.uuid4())
            self.data = renewed


class PurchaseForm(CampaignForm):
    """A purchase into one Location: up to five ranked numbers, and after them, or instead, any that matches a search.

    ``criteria`` is the search as a query of the search page. In ``cleaned_data`` it is a SearchCriteria, or None.
    """

    number = RankedNumbersField(
        label="Numbers", help_text="Best first. The next one is bought when those before are gone."
    )
    account = LocationField(
        empty_label="Choose a Location", error_messages={"required": "Choose the Location that gets the number."}
    )
    criteria = PlainTextField(
        required=False,
        max_length=first_match.MOST_CHARACTERS,
        widget=forms.HiddenInput,
        label="Any number that matches",
    )
    numbers_only = forms.BooleanField(required=False, label="Only the numbers above")
    vanity_text = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    field_order = ("number", "account", "destination")

    def __init__(self, *args: Any, locations: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = locations  # type: ignore[attr-defined]
        self.fields["form_token"].initial = uuid.uuid4
        self.fields["number"].required = not self["criteria"].value() or bool(self["numbers_only"].value())
        evaluation: Any = self.fields["evaluation"]
        evaluation.choices = [
            ("", "Not set"),
            (Evaluation.OFF, Evaluation.OFF.label),
            (Evaluation.REALTIME, Evaluation.REALTIME.label),
        ]
        evaluation.error_messages["invalid_choice"] = (
            "Callcap takes only off or real time for a new number. Delayed can be set once it is bought."
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        try:
            check_stop_date(cleaned.get("stop_date"), cleaned.get("account"))
        except ValidationError as error:
            self.add_error("stop_date", error)
        self.clean_execute_after_at(cleaned.get("account"))
        self.clean_loop(cleaned.get("number") or [])
        self._clean_search(cleaned)
        return cleaned

    def _clean_search(self, cleaned: dict[str, Any]) -> None:
        query = "" if cleaned.get("numbers_only") else cleaned.get("criteria", "")
        cleaned["criteria"] = None
        # Without a Location nobody can say whose reserved pool is meant.
        if query and cleaned.get("account"):
            try:
                cleaned["criteria"] = first_match.search_checked(query, cleaned["account"])
            except ValidationError as error:
                self.add_error("criteria", error)

    @property
    def search(self) -> SearchCriteria | None:
        """The search that the form carries, as far as it is understood; None without one."""
        query = str(self["criteria"].value() or "")
        account: Any = self.fields["account"]
        try:
            location = account.clean(self["account"].value())
        except ValidationError:
            location = None
        return first_match.search_shown(query[: first_match.MOST_CHARACTERS], location) if query else None

    def spelling(self, number: str) -> str:
        """The number in the letters that it was searched for by; empty when it was not."""
        text = self.cleaned_data["vanity_text"]
        try:
            return vanity.spell(number, text) if vanity.match(number, text) else ""
        except ValueError:
            return ""

    def parameters(self) -> dict[str, Any]:
        """What was filled in, as JSON values: the exact parameters of the order."""
        given = {name: self.cleaned_data[name] for name in self.CAMPAIGN_FIELDS}
        if given["stop_date"]:
            given["stop_date"] = given["stop_date"].isoformat()
        return {name: value for name, value in given.items() if value not in ("", None)}


# How the fields of a number belong together: title, and the rows of a form.
SECTIONS: dict[str, tuple[str, tuple[tuple[str, ...], ...]]] = {
    "routing": ("Routing", (("destination",), ("stop_date",))),
    "features": ("Features", (("recording", "evaluation"),)),
    "information": (
        "Campaign information",
        (
            ("campaign_name",),
            ("media_type_id", "brand", "service"),
            ("target", "offer"),
            ("memo1",),
            ("memo2",),
            ("notes",),
        ),
    ),
}


def section_fields(section: str) -> tuple[str, ...]:
    """The fields of a section; none of one that is not there."""
    _, rows = SECTIONS.get(section, ("", ()))
    return tuple(name for row in rows for name in row)


@dataclass(frozen=True)
class FormSection:
    """What a form shows of a section, row by row."""

    name: str
    title: str
    rows: list[list[BoundField]]


@dataclass(frozen=True)
class Collision:
    """A field that somebody else may have changed while a form was open: what it held when it was opened, what it holds
    now, and what the form would set. ``typed`` is the text of the form.

    ``mine`` says that this form changed it, ``theirs`` that somebody else did.
    """

    name: str
    was: Any
    now: Any
    wished: Any
    typed: str
    mine: bool
    theirs: bool

    @property
    def is_contested(self) -> bool:
        return self.mine and self.theirs


class ChangeForm(CampaignForm):
    """A change of a number we have. Only what differs from the campaign is sent.

    ``shown`` are the fields of a new form, all when none are given; ``values`` what it starts with instead of what
    is set. A form that was sent shows what it carried.
    """

    # A number can be bought again: its next campaign starts with version 1 too.
    campaign_id = forms.IntegerField(min_value=1, widget=forms.HiddenInput, required=False)
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput, required=False)
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        campaign: Campaign,
        shown: Iterable[str] = (),
        values: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.campaign = campaign
        self._shown = list(shown)
        current = {name: getattr(campaign, name) for name in self.CAMPAIGN_FIELDS}
        seen = {"campaign_id": campaign.pk, "version": campaign.version, "form_token": uuid.uuid4()}
        kwargs["initial"] = current | seen | (values or {})
        super().__init__(*args, **kwargs)
        self._show_run_on()
        # A request that leaves the destination out leaves it as it is; one that carries it empty is a mistake.
        self.fields["destination"].required = not self.is_bound or "destination" in self.carried
        evaluation: Any = self.fields["evaluation"]
        evaluation.choices = [*([] if campaign.evaluation else [("", "Not set")]), *Evaluation.choices]
        if campaign.recording is not None:
            recording: Any = self.fields["recording"]
            recording.choices = [choice for choice in recording.choices if choice[0] != ""]

    @property
    def carried(self) -> list[str]:
        """The campaign fields that the request carries."""
        return [
            name
            for name in self.CAMPAIGN_FIELDS
            if not self.fields[name].widget.value_omitted_from_data(self.data, self.files, self.add_prefix(name))
        ]

    @property
    def sections(self) -> list[FormSection]:
        """The fields that the form shows, as they belong together."""
        shown = (self.carried if self.is_bound else self._shown) or self.CAMPAIGN_FIELDS
        sections = []
        for section, (title, names) in SECTIONS.items():
            rows = [[self[name] for name in row if name in shown] for row in names]
            if any(rows):
                sections.append(FormSection(section, title, [row for row in rows if row]))
        return sections

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self.clean_execute_after_at(self.campaign.account)
        # A form that was overtaken may only carry what was so when it was opened.
        is_overtaken = cleaned.get("version") not in (None, self.campaign.version)
        if cleaned.get("destination") != self.campaign.destination and not is_overtaken:
            self.clean_loop([self.campaign.phone_number], self.campaign)
        if cleaned.get("campaign_id") not in (None, self.campaign.pk):
            self.add_error(None, "This number stopped and was bought again after you opened the form. Open it again.")
        return cleaned

    def clean_stop_date(self) -> date | None:
        stop_date: date | None = self.cleaned_data["stop_date"]
        if stop_date != self.campaign.stop_date:
            check_stop_date(stop_date, self.campaign.account)
        return stop_date

    def parameters(self) -> dict[str, Any]:
        """What differs from the campaign, as JSON values. Fields that the request did not carry are not touched."""
        changed: dict[str, Any] = {}
        for name in self.carried:
            value = self._wished(name)
            if value != getattr(self.campaign, name):
                changed[name] = _plain(value)
        return changed

    def collisions(self, was: dict[str, Any]) -> list[Collision]:
        """What a form that was opened on older values would set now; ``was`` are those that have changed since."""
        found = []
        for name, wished in self.parameters().items():
            now = _plain(getattr(self.campaign, name))
            opened = was.get(name, now)
            # A field left as it was is not a wish, also where it means something else by now.
            left = _plain(self.cleaned_data[name]) == opened or wished == opened
            left = left or (name == "stop_date" and self.cleaned_data[name] is None and opened == _plain(RUN_ON))
            typed = str(self.data.get(name, ""))
            found.append(Collision(name, opened, now, wished, typed, mine=not left, theirs=opened != now))
        return found

    def repeats(self, order: Order) -> bool:
        """Whether the order already asks for just what this form says."""
        return all(
            name in self.carried and _plain(self._wished(name)) == value for name, value in order.parameters.items()
        )

    def _show_run_on(self) -> None:
        """What runs on has no stop date for people; left empty, it goes on to run on."""
        if self.campaign.stop_date and str(self.initial["stop_date"]) == str(RUN_ON):
            self.initial["stop_date"] = None

    def _wished(self, name: str) -> Any:
        value = self.cleaned_data[name]
        if name == "stop_date" and value is None and self.campaign.stop_date is not None:
            return RUN_ON
        if name == "campaign_name" and value == "":
            return self.campaign.phone_number
        if name in ("recording", "evaluation") and value in ("", None):
            # There is no way to take a feature back to "never set".
            return getattr(self.campaign, name)
        return value
