"""Finding the number that an address names, for those who may see it or act on it."""

from __future__ import annotations

from numbers_app.models import Campaign
from numbers_app.permissions import Capability, can
from numbers_app.selectors.accounts import accounts_granted
from numbers_app.selectors.campaigns import campaign_list

from .http import PortalRequest, allow, not_found


def campaigns_to_see(request: PortalRequest, number: str) -> list[Campaign]:
    """The visible campaigns of a number, newest first; 404 when there is none."""
    found = list(campaign_list(request.user).filter(phone_number=number))
    if not found:
        raise not_found(f"Number {number}")
    return found


def campaign_to_act(request: PortalRequest, number: str, capability: Capability) -> Campaign:
    """The newest campaign of a number: 404 unseen, 403 without the capability, 404 where the person only sees."""
    campaign = campaigns_to_see(request, number)[0]
    allow(request, capability)
    if not _is_granted(request, campaign):
        raise not_found(f"Number {number}")
    return campaign


def may_act(request: PortalRequest, campaign: Campaign, capability: Capability) -> bool:
    """Whether the person may do this with a number that has not stopped."""
    return not campaign.ended_at and can(request.user, capability) and _is_granted(request, campaign)


def _is_granted(request: PortalRequest, campaign: Campaign) -> bool:
    return accounts_granted(request.user).filter(pk=campaign.account_id).exists()
