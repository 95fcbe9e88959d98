"""Promise 2: routing and stop dates change only together with their history entry; the database itself refuses."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Campaign, HistoryEntry, Source, Verb
from numbers_app.services.history import NumberState, history_append
from numbers_app.triggers import triggers_install, triggers_missing
from tests.factories import CampaignFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(db: None) -> Campaign:
    made: Campaign = CampaignFactory(phone_number="3167342253")
    return made


def refused(statement: str, parameters: list[Any] | None = None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def entry(number: str, destination: str, stop_date: date | None = None) -> HistoryEntry:
    with transaction.atomic():
        return history_append(
            actor=Actor.portal("Test", source=Source.COMMAND),
            verb=Verb.NUMBER_CHANGED,
            number=number,
            state=NumberState(destination, stop_date),
        )


@pytest.mark.parametrize(
    "change",
    [
        {"destination": "3165550100"},
        {"stop_date": date(2030, 1, 1)},
        {"ended_at": timezone.now()},
        {"phone_number": "3167342254"},
    ],
)
def test_a_queryset_update_without_an_entry_is_refused(campaign: Campaign, change: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(**change)


def test_an_update_with_its_entry_is_accepted(campaign: Campaign) -> None:
    said = entry(campaign.phone_number, "3165550100")
    Campaign.objects.filter(pk=campaign.pk).update(destination="3165550100", last_change=said)
    campaign.refresh_from_db()
    assert campaign.destination == "3165550100"


def test_other_fields_change_freely(campaign: Campaign) -> None:
    assert Campaign.objects.filter(pk=campaign.pk).update(notes="Called back") == 1


@pytest.mark.parametrize(
    ("number", "destination"),
    [("3167342299", "3165550100"), ("3167342253", "3165550199")],
    ids=["about another number", "with another destination"],
)
def test_an_entry_that_says_something_else_does_not_serve(campaign: Campaign, number: str, destination: str) -> None:
    said = entry(number, destination)
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(destination="3165550100", last_change=said)


def test_an_order_entry_does_not_serve(campaign: Campaign) -> None:
    with transaction.atomic():
        said = history_append(
            actor=Actor.portal("Test", source=Source.COMMAND),
            verb=Verb.ORDER_DONE,
            number=campaign.phone_number,
            state=NumberState("3165550100", None),
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(destination="3165550100", last_change=said)


def test_an_older_entry_does_not_serve(campaign: Campaign) -> None:
    first = campaign.last_change_id
    said = entry(campaign.phone_number, "3165550100")
    Campaign.objects.filter(pk=campaign.pk).update(destination="3165550100", last_change=said)
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(destination="3164447896", last_change=first)


def test_a_campaign_without_its_entry_cannot_be_inserted(campaign: Campaign) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Campaign.objects.create(
            phone_number="3167342299",
            account=campaign.account,
            destination="3164447896",
            campaign_name="Forged",
            confirmed_at=timezone.now(),
            last_change=entry("3167342298", "3164447896"),
        )


def test_campaigns_are_never_deleted(campaign: Campaign) -> None:
    refused("DELETE FROM numbers_app_campaign")
    assert Campaign.objects.count() == 1


def test_campaigns_are_never_emptied_or_replaced(campaign: Campaign) -> None:
    said = entry(campaign.phone_number, "3165550100")
    if connection.vendor == "postgresql":
        connection.check_constraints()
        refused("TRUNCATE numbers_app_campaign CASCADE")
        return
    columns = "phone_number, account_id, destination, campaign_name, notes, memo1, memo2, brand, service, target, offer"
    more = "evaluation, number_type, country, state, city, rate_center, zipcode, callcap_campaign_id, version"
    refused(
        f"INSERT OR REPLACE INTO numbers_app_campaign ({columns}, {more}, confirmed_at, created_at, last_change_id)"
        f" SELECT {columns.replace('destination', '%s')}, {more}, confirmed_at, created_at, %s"
        " FROM numbers_app_campaign",
        ["3165550100", said.pk],
    )
    CampaignFactory(phone_number="3167342299", account=campaign.account)
    refused(
        "UPDATE OR REPLACE numbers_app_campaign SET phone_number = '3167342253', last_change_id = %s"
        " WHERE phone_number = '3167342299'",
        [entry("3167342253", "3164447896").pk],
    )


def test_installing_the_guards_again_is_harmless(campaign: Campaign) -> None:
    connection.check_constraints()
    triggers_install(connection)
    assert triggers_missing(connection) == []
    refused("DELETE FROM numbers_app_campaign")
