"""What is known of the numbers that calls are sent to: where they are used, and what looks wrong about one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import phonenumbers
from django.db.models import Count, Max, QuerySet

from numbers_app.models import Account, Campaign, Choice
from numbers_app.text import phone_text

# A destination that so many numbers ring already is worth a second look.
MANY = 10
MOST_SUGGESTED = 10
COUNTRIES = {"US": "in the United States", "CA": "in Canada"}
# Those that share the country code 1, by their ISO codes. The form refuses them; what was imported or is in the mirror
# from before may still ring there.
SHARING_ONE = {
    "AG": "in Antigua and Barbuda",
    "AI": "in Anguilla",
    "AS": "in American Samoa",
    "BB": "in Barbados",
    "BM": "in Bermuda",
    "BS": "in the Bahamas",
    "DM": "in Dominica",
    "DO": "in the Dominican Republic",
    "GD": "in Grenada",
    "GU": "in Guam",
    "JM": "in Jamaica",
    "KN": "in Saint Kitts and Nevis",
    "KY": "in the Cayman Islands",
    "LC": "in Saint Lucia",
    "MP": "in the Northern Mariana Islands",
    "MS": "in Montserrat",
    "PR": "in Puerto Rico",
    "SX": "in Sint Maarten",
    "TC": "in the Turks and Caicos Islands",
    "TT": "in Trinidad and Tobago",
    "VC": "in Saint Vincent and the Grenadines",
    "VG": "in the British Virgin Islands",
    "VI": "in the US Virgin Islands",
}
# Local numbers with this exchange cost the caller extra, in every area code.
PREMIUM_EXCHANGE = "976"


@dataclass(frozen=True)
class DestinationWarning:
    """One thing to look at before calls are sent there, as a sentence. ``loops``: it is one of our own numbers."""

    text: str
    loops: bool = False


@dataclass(frozen=True)
class KnownDestination:
    """A destination in use at a Location: by how many numbers, and the name of one of their campaigns."""

    number: str
    count: int
    campaign_name: str


def destinations_known(account: Account) -> list[KnownDestination]:
    """The destinations most used at the Location, to choose from."""
    used = (
        Campaign.objects.filter(account=account, ended_at=None)
        .values("destination")
        .annotate(count=Count("pk"), name=Max("campaign_name"))
        .order_by("-count", "destination")[:MOST_SUGGESTED]
    )
    return [KnownDestination(row["destination"], row["count"], row["name"]) for row in used]


def destination_warnings(
    destination: str, *, account: Account, numbers: Iterable[str] = (), campaign: Campaign | None = None
) -> list[DestinationWarning]:
    """What looks wrong about sending the calls of ``numbers`` there; ``campaign`` is the one that would change."""
    elsewhere = Campaign.objects.filter(ended_at=None)
    if campaign:
        elsewhere = elsewhere.exclude(pk=campaign.pk)
    shown = phone_text(destination)
    warnings = [*_loop(destination, shown, set(numbers), elsewhere)]
    ringing = elsewhere.filter(destination=destination)
    many = ringing.count()
    if not ringing.filter(account=account).exists():
        used = f" It is used elsewhere, by {many} number{'s' if many > 1 else ''}." if many else ""
        warnings.append(DestinationWarning(f"No other number at {account.name} rings {shown}.{used}"))
    if many >= MANY:
        warnings.append(DestinationWarning(f"{many} of our numbers ring {shown} already, which is unusually many."))
    return [*warnings, *_premium(destination, shown), *_abroad(destination, shown, numbers)]


def _loop(
    destination: str, shown: str, numbers: set[str], elsewhere: QuerySet[Campaign]
) -> Iterable[DestinationWarning]:
    if destination in numbers:
        yield DestinationWarning(f"{shown} is the number itself: calls would go round in a circle.", loops=True)
        return
    if elsewhere.filter(phone_number=destination).exists():
        # Where it rings may be the business of an account that the reader was not granted.
        yield DestinationWarning(
            f"{shown} is itself one of our tracking numbers: calls could go round in a circle.", loops=True
        )
    elif Choice.objects.filter(number=destination, live=True).exists():
        yield DestinationWarning(f"{shown} is itself about to become one of our tracking numbers.", loops=True)


def _premium(destination: str, shown: str) -> Iterable[DestinationWarning]:
    kind = phonenumbers.number_type(phonenumbers.parse(destination, "US"))
    if kind == phonenumbers.PhoneNumberType.PREMIUM_RATE or destination[3:6] == PREMIUM_EXCHANGE:
        yield DestinationWarning(f"{shown} is a premium number: each call that is sent there may cost extra.")


def _abroad(destination: str, shown: str, numbers: Iterable[str]) -> Iterable[DestinationWarning]:
    there = _country(destination)
    if there in SHARING_ONE:
        yield DestinationWarning(f"{shown} is {SHARING_ONE[there]}: each call there is a call abroad.")
    here = {country for number in numbers if (country := _country(number)) in COUNTRIES}
    if here and there in COUNTRIES and there not in here:
        yield DestinationWarning(f"{shown} is {COUNTRIES[there]}, another country than the number's.")


def _country(number: str) -> str:
    """The ISO code, as in US or CA; empty for toll-free numbers, which belong to no country."""
    parsed = phonenumbers.parse(number, "US")
    if phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.TOLL_FREE:
        return ""
    return phonenumbers.region_code_for_number(parsed) or ""
