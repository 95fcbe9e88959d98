"""A change that would send a number's calls back to itself, or on to another number of ours."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from numbers_app.models import Account, Campaign, Order
from tests.factories import CampaignFactory

from .conftest import CAKE
from .page import Page

pytestmark = pytest.mark.django_db

URL = f"/numbers/{CAKE}/change/"
OURS = "3167342299"


@pytest.fixture
def other(location: Account) -> Campaign:
    return CampaignFactory(account=location, phone_number=OURS)


def sent(client: Client, **typed: Any) -> Any:
    """The form as somebody sends it who leaves the page out that shows what will change."""
    return client.post(URL, {"version": "1", "confirmed": "1", "memo1": "kept"} | typed)


@pytest.mark.parametrize("ticked", [{}, {"destination_checked": "on"}], ids=["plain", "ticked"])
def test_a_number_never_rings_itself(as_manager: Client, campaign: Campaign, ticked: dict[str, str]) -> None:
    response = sent(as_manager, destination="(316) 734-2253", **ticked)
    page = Page(response)
    assert response.status_code == 422
    assert "is the number itself: calls would go round in a circle. Give another one." in page.error_at("destination")
    assert page.value("memo1") == "kept"
    assert not Order.objects.exists()


def test_another_number_of_ours_needs_a_tick(as_manager: Client, campaign: Campaign, other: Campaign) -> None:
    response = sent(as_manager, destination=OURS)
    page = Page(response)
    assert response.status_code == 422
    assert "Give another one, or say below that this is meant." in page.error_at("destination")
    assert not Order.objects.exists()
    filled = page.filled(URL)
    assert "destination_checked" not in filled
    shown = as_manager.post(URL, filled | {"destination_checked": "on"})
    assert shown.status_code == 200
    assert "is itself one of our tracking numbers" in Page(shown).text
    assert as_manager.post(URL, Page(shown).filled(URL) | {"confirmed": "1"}).status_code == 302
    assert Order.objects.get().parameters == {"destination": OURS, "memo1": "kept"}


def test_the_tick_is_asked_for_only_where_it_means_something(as_rep: Client, campaign: Campaign) -> None:
    assert not Page(as_rep.get(URL)).all("input", name="destination_checked")
    wrong = as_rep.post(URL, {"version": "1", "destination": "876 555 0100"})
    itself = as_rep.post(URL, {"version": "1", "destination": CAKE})
    assert not Page(wrong).all("input", name="destination_checked")
    assert not Page(itself).all("input", name="destination_checked")


def test_where_it_rings_already_keeps_nobody_from_changing_the_rest(as_rep: Client, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, destination=CAKE)
    assert sent(as_rep, destination=CAKE, memo1="new").status_code == 302
    assert Order.objects.get().parameters == {"memo1": "new"}


def test_a_form_that_was_overtaken_is_told_so_first_and_asked_when_it_is_sent_anew(
    as_rep: Client, campaign: Campaign, other: Campaign
) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(version=2)
    overtaken = as_rep.post(URL, {"version": "1", "destination": OURS})
    assert overtaken.status_code == 409
    anew = as_rep.post(URL, Page(overtaken).filled(URL))
    assert anew.status_code == 422
    assert "say below that this is meant" in Page(anew).error_at("destination")


def test_an_amended_order_is_looked_at_too(as_rep: Client, campaign: Campaign, other: Campaign) -> None:
    sent(as_rep, destination="3165550100")
    order = Order.objects.get()
    address = f"/orders/{order.pk}/amend/"
    filled = Page(as_rep.get(address)).filled(address)
    itself = as_rep.post(address, filled | {"destination": CAKE})
    ours = as_rep.post(address, filled | {"destination": OURS})
    assert (itself.status_code, ours.status_code) == (422, 422)
    assert as_rep.post(address, filled | {"destination": OURS, "destination_checked": "on"}).status_code == 302
