"""Setting a Location's time zone by hand."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms

from numbers_app.callcap import TIME_ZONES
from numbers_app.models import Account


class ZoneForm(forms.Form):
    """The zones that Callcap knows first, then all others of the continent and those in use."""

    time_zone = forms.ChoiceField(
        label="Time zone",
        help_text="It sets the Location's date, to which stop dates and scheduled orders belong.",
        error_messages={"required": "Choose a time zone.", "invalid_choice": "Choose one of the time zones."},
    )

    def __init__(self, data: Any = None, *, account: Account) -> None:
        super().__init__(data, initial={"time_zone": account.time_zone})
        vendors = sorted(set(TIME_ZONES.values()))
        used = set(Account.objects.exclude(time_zone="").values_list("time_zone", flat=True))
        others = sorted({zone for zone in available_timezones() if zone.startswith("America/")} | used)
        field: Any = self.fields["time_zone"]
        field.choices = [
            ("", "Choose a time zone"),
            ("Callcap's own", [(zone, zone.replace("_", " ")) for zone in vendors]),
            ("Others", [(zone, zone.replace("_", " ")) for zone in others if zone not in vendors]),
        ]
