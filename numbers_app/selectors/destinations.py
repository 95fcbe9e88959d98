"""What is known of the numbers that calls are sent to: where they are used, and what looks wrong about one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched

import phonenumbers
from django.db.models import Count, Max, QuerySet

from numbers_app.models import Account, Campaign
from numbers_app.text import phone_text

from .taken import Taken, numbers_taken

# A destination that so many numbers ring already is worth a second look.
MANY = 10
MOST_SUGGESTED = 10
# So many destinations are looked up at once.
AT_ONCE = 1000
# Enough numbers of a destination to see in which country they are.
MOST_LOOKED_AT = 200
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
    """One thing to look at before calls are sent there, as a sentence.

    ``is_new``: no other number of its Location rings there, as happens to every first one.
    """

    text: str
    is_new: bool = False


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
    shown = phone_text(destination)
    loop = destination_loop(destination, numbers=numbers, campaign=campaign)
    warnings = [DestinationWarning(loop)] if loop else []
    ringing = _elsewhere(campaign).filter(destination=destination)
    warnings += _use(shown, account, ringing.count(), is_used_here=ringing.filter(account=account).exists())
    return [*warnings, *_premium(destination, shown), *_abroad(destination, shown, numbers)]


def destinations_warnings(wished: Mapping[tuple[str, int], Sequence[str]]) -> Iterator[DestinationWarning]:
    """What looks wrong about many destinations, in their order, by a few questions to the database for them all.

    ``wished`` has by destination and account the numbers that would ring there. Of these the countries of the first
    ``MOST_LOOKED_AT`` are looked at.
    """
    accounts = Account.objects.in_bulk({account_id for _, account_id in wished})
    for some in batched(wished.items(), AT_ONCE):
        destinations = {destination for (destination, _), _ in some}
        taken = numbers_taken(destinations)
        ringing = _elsewhere(None).filter(destination__in=destinations).order_by()
        counted = ringing.values_list("destination", "account_id").annotate(Count("pk"))
        used = {(destination, account_id): count for destination, account_id, count in counted}
        in_all: Counter[str] = Counter()
        for (destination, _), count in used.items():
            in_all[destination] += count
        for (destination, account_id), numbers in some:
            shown = phone_text(destination)
            loop = _loop_sentence(destination, numbers, taken)
            if loop:
                yield DestinationWarning(loop)
            is_used_here = (destination, account_id) in used
            yield from _use(shown, accounts[account_id], in_all[destination], is_used_here=is_used_here)
            yield from _premium(destination, shown)
            yield from _abroad(destination, shown, numbers[:MOST_LOOKED_AT])


def _use(shown: str, account: Account, many: int, *, is_used_here: bool) -> Iterable[DestinationWarning]:
    if not is_used_here:
        used = f" It is used elsewhere, by {many} number{'s' if many > 1 else ''}." if many else ""
        yield DestinationWarning(f"No other number at {account.name} rings {shown}.{used}", is_new=True)
    if many >= MANY:
        yield DestinationWarning(f"{many} of our numbers ring {shown} already, which is unusually many.")


def destination_loop(destination: str, *, numbers: Iterable[str] = (), campaign: Campaign | None = None) -> str:
    """Why the calls of ``numbers`` could go round in a circle there, as a sentence; empty for a number not ours."""
    own = [campaign.phone_number] if campaign else []
    return _loop_sentence(destination, [*numbers, *own], numbers_taken([destination]))


def _loop_sentence(destination: str, numbers: Sequence[str], taken: Taken) -> str:
    shown = phone_text(destination)
    if destination in numbers:
        return f"{shown} is the number itself: calls would go round in a circle."
    if destination in taken.held:
        # Where it rings may be the business of an account that the reader was not granted.
        return f"{shown} is itself one of our tracking numbers: calls could go round in a circle."
    if destination in taken.wanted:
        return f"{shown} is itself about to become one of our tracking numbers."
    return ""


def _elsewhere(campaign: Campaign | None) -> QuerySet[Campaign]:
    """The numbers that take calls, apart from the one that would change."""
    ours = Campaign.objects.filter(ended_at=None)
    return ours.exclude(pk=campaign.pk) if campaign else ours


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
