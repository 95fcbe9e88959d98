"""Numbers bought outside the portal: how they come into the mirror, and what may then be sent for them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import transaction
from django.db.transaction import TransactionManagementError

from numbers_app.actors import Actor
from numbers_app.errors import InvalidInput
from numbers_app.models import Account, Campaign, HistoryEntry, User, Verb
from numbers_app.services.mirror import campaign_import
from numbers_app.services.validity import confirm_parameters, reapply_parameters
from tests.factories import CampaignFactory
from tests.orders.steps import CAKE, DESTINATION, WORKER, ask


def bring_in(location: Account, actor: Actor = WORKER, **values: Any) -> Campaign:
    with transaction.atomic():
        return campaign_import(
            actor=actor,
            account=location,
            number=CAKE,
            values={"destination": DESTINATION} | values,
            reason="From the old list",
            approved_by="Manager Test",
        )


def test_an_imported_number_is_in_the_mirror_and_never_confirmed(location: Account, rep: User) -> None:
    bring_in(location, Actor.person(rep), stop_date="2027-03-31", recording=True, campaign_name="Cakes")
    campaign = Campaign.objects.get(phone_number=CAKE)
    assert (campaign.destination, campaign.stop_date, campaign.recording) == (DESTINATION, date(2027, 3, 31), True)
    assert campaign.confirmed_at is None
    assert campaign.imported_at is not None


def test_its_history_says_who_imported_it_with_which_values_and_who_approved(location: Account, rep: User) -> None:
    campaign = bring_in(location, Actor.person(rep), stop_date="2027-03-31", memo1="old list")
    entry = HistoryEntry.objects.get(number=CAKE)
    assert entry == campaign.last_change
    assert (entry.verb, entry.actor_id, entry.approved_by) == (Verb.NUMBER_IMPORTED, rep.pk, "Manager Test")
    assert (entry.destination, entry.stop_date) == (DESTINATION, date(2027, 3, 31))
    assert entry.changes == {
        "campaign_name": [None, CAKE],
        "destination": [None, DESTINATION],
        "stop_date": [None, "2027-03-31"],
        "memo1": [None, "old list"],
    }


def test_its_campaign_is_named_after_the_number_when_no_name_is_given(location: Account) -> None:
    assert bring_in(location, campaign_name="").campaign_name == CAKE


def test_a_number_that_is_ours_is_not_imported_again(mirrored: Campaign) -> None:
    with pytest.raises(InvalidInput, match="already one of our numbers"):
        bring_in(mirrored.account)
    assert Campaign.objects.count() == 1


def test_a_number_that_an_order_wants_is_not_imported(location: Account, rep: User) -> None:
    order = ask(rep, location, CAKE)
    with pytest.raises(InvalidInput, match=f"asked for in order {order.pk}"):
        bring_in(location)


@pytest.mark.django_db(transaction=True)
def test_importing_needs_the_callers_transaction(location: Account) -> None:
    with pytest.raises(TransactionManagementError):
        campaign_import(
            actor=WORKER, account=location, number=CAKE, values={"destination": DESTINATION}, reason="", approved_by=""
        )


def test_a_confirmation_sends_nothing_but_the_name_that_is_set(mirrored: Campaign) -> None:
    assert confirm_parameters(mirrored) == {"campaign_name": mirrored.campaign_name}


def test_a_reapplication_sends_every_value_that_can_be_sent(location: Account) -> None:
    campaign = CampaignFactory(
        account=location, campaign_name="Cakes", recording=False, stop_date=date(2099, 1, 1), media_type_id=4
    )
    assert reapply_parameters(campaign) == {
        "destination": DESTINATION,
        "campaign_name": "Cakes",
        "notes": "",
        "memo1": "",
        "memo2": "",
        "recording": False,
        "media_type_id": 4,
        "brand": "",
        "service": "",
        "target": "",
        "offer": "",
        "stop_date": "2099-01-01",
    }


def test_a_reapplication_does_not_empty_what_nobody_knows_of_an_imported_number(location: Account) -> None:
    campaign = bring_in(location, brand="Bakery")
    assert reapply_parameters(campaign) == {"destination": DESTINATION, "brand": "Bakery"}
