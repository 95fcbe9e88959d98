"""Selling a number once, and changing what was sold."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import Q

from sandbox.answers import VendorError
from sandbox.models import Account, Campaign, Held, JournalEntry, Number
from sandbox.parameters import Params, ten_digits
from sandbox.search import CRITERIA, location, matching_numbers
from sandbox.values import Value, provision_values, update_values


def provision(params: Params) -> Mapping[str, object]:
    """Sell the number that is named, or the first one that matches the search parameters.

    Raises VendorError: 400 for what cannot be read, 404 when nothing matches, 409 when the number is taken
    or not in a pool that the Location sees. Nothing is changed then.
    """
    with transaction.atomic():
        number, account, values = _claim(params)
        stored = {**values, "campaignName": values.get("campaignName") or number}
        campaign = Campaign.objects.create(number_id=number, account=account, values=stored)
        _note("purchase", number, account, values)
    return _answer(campaign)


def hold_number(params: Params) -> str:
    """Take the number that these parameters would buy out of the searches; whose it becomes is open.

    Raises VendorError as `provision` does.
    """
    with transaction.atomic():
        number, _, _ = _claim(params)
        Held.objects.create(number_id=number)
    return number


def release_number(number: str) -> None:
    """Put a held number back on sale."""
    with transaction.atomic():
        Held.objects.filter(number_id=number).delete()
        Number.objects.filter(number=number).update(taken=False)


def update(number: str, params: Params) -> Mapping[str, object]:
    """Change a campaign; what is left out keeps its value. Raises VendorError, 404 when it is not ours."""
    with transaction.atomic():
        campaign = Campaign.objects.select_related("account").filter(number_id=ten_digits(number)).first()
        if campaign is None:
            raise VendorError("The phone number does not exist in your account.", 404)
        values = update_values(params, campaign.account)
        campaign.values |= values
        campaign.values["campaignName"] = campaign.values["campaignName"] or campaign.number_id
        campaign.save(update_fields=["values"])
        _note("update", campaign.number_id, campaign.account, values)
    return _answer(campaign)


def take_by_rival(number: str) -> None:
    """Let another customer buy the number. Raises VendorError when it cannot be bought."""
    _take(ten_digits(number), Q())


def _claim(params: Params) -> tuple[str, Account, dict[str, Value]]:
    """Take the wanted number out of sale for the Location that is named, once all parameters are good."""
    account = location(params)
    if account is None:
        raise VendorError("Either locationID or account is required.")
    values = provision_values(params)
    number = _wanted_number(params)
    _take(number, Q(reserved_for=None) | Q(reserved_for=account))
    return number, account, values


def _wanted_number(params: Params) -> str:
    named = params.get("phoneNumber", "").strip()
    if named:
        number = ten_digits(named)
        if not number:
            raise VendorError("phoneNumber must be a ten-digit number.")
        return number
    if not any(params.get(name, "").strip() for name in CRITERIA):
        raise VendorError("Either phoneNumber or search parameters are required.")
    first = matching_numbers(params).values_list("number", flat=True).first()
    if first is None:
        raise VendorError("No available phone number matches your search.", 404)
    return first


def _take(number: str, visible: Q) -> None:
    # The condition and the change are one statement: of two buyers, one changes no row.
    if Number.objects.filter(visible, number=number, taken=False).update(taken=True) != 1:
        raise VendorError("The phone number is not available.", 409)


def _note(kind: str, number: str, account: Account, values: dict[str, Value]) -> None:
    JournalEntry.objects.create(
        kind=kind,
        number=number,
        account=account.key,
        campaign_name=str(values.get("campaignName", "")),
        values=values,
    )


def _answer(campaign: Campaign) -> Mapping[str, object]:
    return {
        "phoneNumber": campaign.number_id,
        "campaignID": campaign.pk,
        "account": campaign.account_id,
        **campaign.values,
    }
