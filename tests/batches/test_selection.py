"""How numbers that were chosen in the inventory are judged."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from numbers_app.models import Account, BatchKind, BatchRow, Campaign, User
from numbers_app.services.batch_judging import rows_of_selection
from tests.factories import CampaignFactory

pytestmark = pytest.mark.django_db

CAKE, PIE = "3167342253", "3167342254"


@pytest.fixture
def cake(location: Account) -> Campaign:
    made: Campaign = CampaignFactory(phone_number=CAKE, account=location, campaign_name="Cakes", brand="Blue")
    return made


def chosen(user: User, kind: BatchKind, **values: Any) -> list[BatchRow]:
    campaigns = Campaign.objects.order_by("phone_number")
    return list(rows_of_selection(user=user, kind=kind, campaigns=campaigns, values=values))


def test_a_selection_changes_each_number_where_it_differs(rep: User, cake: Campaign, location: Account) -> None:
    CampaignFactory(phone_number=PIE, account=location, destination="3165550100")
    first, second = chosen(rep, BatchKind.CHANGE, destination="3165550100")
    assert (first.state, first.parameters) == ("ready", {"destination": "3165550100"})
    assert first.before == {"destination": "3164447896"}
    assert second.state == "unchanged"
    assert first.given == {"phone_number": CAKE}


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_stop_date_of_a_selection_means_run_on(empty: Any, rep: User, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, stop_date=date(2098, 1, 1))
    CampaignFactory(phone_number=PIE, account=location)
    first, second = chosen(rep, BatchKind.CHANGE, stop_date=empty)
    assert (first.parameters, second.state) == ({"stop_date": "2099-01-01"}, "unchanged")


def test_a_selections_values_may_be_those_of_an_order(rep: User, cake: Campaign) -> None:
    (row,) = chosen(rep, BatchKind.CHANGE, stop_date="2098-01-01", campaign_name="")
    assert row.parameters == {"stop_date": "2098-01-01", "campaign_name": CAKE}


def test_what_would_go_round_in_a_circle_or_has_passed_is_refused(rep: User, cake: Campaign, location: Account) -> None:
    CampaignFactory(phone_number=PIE, account=location)
    circle, itself = chosen(rep, BatchKind.CHANGE, destination=PIE)
    assert "one of our tracking numbers" in circle.problem
    assert "the number itself" in itself.problem
    passed = chosen(rep, BatchKind.CHANGE, stop_date=date(2020, 1, 1))
    assert all("has passed" in row.problem for row in passed)
    assert {row.state for row in (circle, itself, *passed)} == {"refused"}


def test_a_confirmation_sends_the_name_and_a_reapplication_everything(rep: User, cake: Campaign) -> None:
    (confirm,) = chosen(rep, BatchKind.CONFIRM)
    assert (confirm.state, confirm.parameters) == ("ready", {"campaign_name": "Cakes"})
    (reapply,) = chosen(rep, BatchKind.REAPPLY)
    assert {"destination": "3164447896", "brand": "Blue"}.items() <= reapply.parameters.items()
    assert reapply.before == reapply.parameters
