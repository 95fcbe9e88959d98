"""A history with a number that was bought, moved and given a stop date, and a key that signs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.db import transaction

from numbers_app.models import Account, Campaign, HistoryEntry, Verb
from numbers_app.services.history import NumberState, history_append
from numbers_app.signing import public_key_of
from tests.factories import CampaignFactory
from tests.history.conftest import CAKE, DESTINATION, MOVED, PORTAL

KEY = bytes(range(32))
PUBLIC_KEY = public_key_of(KEY)
STOPS = date(2026, 12, 31)


@pytest.fixture
def signing_key(settings: Any) -> None:
    settings.HISTORY_SIGNING_KEY = KEY


@pytest.fixture
def history(location: Account) -> list[HistoryEntry]:
    """Four entries of four days: CAKE bought, moved, an order commented on, CAKE given a stop date."""
    for day, write in enumerate((_bought, _moved, _commented, _given_a_stop_date), 1):
        with time_machine.travel(datetime(2026, 11, day, 12, tzinfo=UTC), tick=False), transaction.atomic():
            write(location)
    return list(HistoryEntry.objects.order_by("sequence"))


def _bought(location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, destination=DESTINATION)


def _moved(location: Account) -> None:
    _change({"destination": [DESTINATION, MOVED]}, NumberState(MOVED, None))


def _commented(location: Account) -> None:
    reason = "Größe\nzwei, “drei”"
    history_append(actor=PORTAL, verb=Verb.ORDER_COMMENTED, account_key="L-3", order_id=7, reason=reason)


def _given_a_stop_date(location: Account) -> None:
    _change({"stop_date": [None, STOPS.isoformat()]}, NumberState(MOVED, STOPS))


def _change(changes: dict[str, list[Any]], state: NumberState) -> None:
    entry = history_append(
        actor=PORTAL, verb=Verb.NUMBER_CHANGED, number=CAKE, account_key="L-3", changes=changes, state=state
    )
    Campaign.objects.update(destination=state.destination, stop_date=state.stop_date, last_change=entry)
