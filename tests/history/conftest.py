"""A number with some history."""

from __future__ import annotations

import pytest
from django.db import transaction

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, HistoryEntry, Source, Verb
from numbers_app.services.history import NumberState, history_append
from tests.factories import CampaignFactory

CAKE = "3167342253"
DESTINATION = "3164447896"
MOVED = "3165550100"
PORTAL = Actor.portal("Test", source=Source.COMMAND)


@pytest.fixture
def campaign(location: Account) -> Campaign:
    """CAKE to DESTINATION, with its entry 1."""
    made: Campaign = CampaignFactory(phone_number=CAKE, account=location, destination=DESTINATION)
    return made


def write_change(campaign: Campaign, destination: str) -> HistoryEntry:
    """An entry that says the number goes elsewhere; the mirror's row is not touched."""
    with transaction.atomic():
        return history_append(
            actor=PORTAL,
            verb=Verb.NUMBER_CHANGED,
            number=campaign.phone_number,
            account_key=campaign.account.key,
            changes={"destination": [campaign.destination, destination]},
            state=NumberState(destination, campaign.stop_date, campaign.ended_at),
        )
