"""What is known of a destination while it is being typed: suggestions of the Location, and warnings."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from numbers_app.forms.campaigns import CampaignForm, ChangeForm
from numbers_app.forms.fields import read_phone_number
from numbers_app.models import Account, Campaign
from numbers_app.permissions import Capability
from numbers_app.selectors.accounts import locations_granted
from numbers_app.selectors.campaigns import campaign_list
from numbers_app.selectors.destinations import destination_warnings, destinations_known

from .http import PortalRequest, allow, template_for


@require_safe
def destination_hints(request: PortalRequest) -> HttpResponse:
    """Suggestions and warnings for ``destination`` at ``account``, for ``number``; asked for while somebody types."""
    allow(request, Capability.ORDER)
    context = _hints(
        request,
        destination=request.GET.get("destination", ""),
        account_key=request.GET.get("account", ""),
        numbers=request.GET.getlist("number"),
    )
    return render(request, template_for(request, "orders/destination.html", "hints"), context)


def hints_context(request: PortalRequest, form: CampaignForm) -> dict[str, Any]:
    """The same for a form as it stands, so that the page has them without JavaScript."""
    account = form["account"].value() if "account" in form.fields else ""
    numbers = [form.campaign.phone_number] if isinstance(form, ChangeForm) else form["number"].value()
    return _hints(
        request,
        destination=str(form["destination"].value() or ""),
        account_key=str(getattr(account, "key", account) or ""),
        numbers=[str(number) for number in numbers or []],
    )


def _hints(request: PortalRequest, *, destination: str, account_key: str, numbers: list[str]) -> dict[str, Any]:
    read = [number for text in numbers if (number := _read(text))]
    # Of a number of ours the Location is known.
    campaign = campaign_list(request.user).filter(phone_number__in=read, ended_at=None).first() if read else None
    account = _account(request, account_key, campaign)
    wished = _read(destination)
    warns = account is not None and wished and (campaign is None or wished != campaign.destination)
    return {
        "known_destinations": destinations_known(account) if account else [],
        "destination_warnings": destination_warnings(wished, account=account, numbers=read, campaign=campaign)
        if account and warns
        else [],
    }


def _account(request: PortalRequest, key: str, campaign: Campaign | None) -> Account | None:
    if campaign:
        return campaign.account
    return None if "\0" in key else locations_granted(request.user).filter(key=key).first()


def _read(text: str) -> str:
    """Ten digits; empty for what is not a number, or not yet."""
    try:
        return read_phone_number(text) if text and "\0" not in text and len(text) <= 40 else ""
    except ValidationError:
        return ""
