"""A number's page: routing, campaign information, history, earlier campaigns, open orders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, Evaluation, Order, User
from numbers_app.services.decisions import order_approve
from tests.factories import CampaignFactory
from tests.sandbox_server import SandboxServer

from .conftest import CAKE, Purchase
from .page import Page

pytestmark = pytest.mark.django_db


def detail(client: Client, number: str = CAKE) -> Page:
    response = client.get(f"/numbers/{number}/")
    assert response.status_code == 200
    return Page(response)


def facts(page: Page) -> dict[str, str]:
    """Every term of the page's definition lists with its value."""
    return {term.text: value.text for term, value in zip(page.all("dt"), page.all("dd"), strict=True)}


def test_routing_features_information_and_place_are_shown_as_people_read_them(
    as_rep: Client, location: Account
) -> None:
    CampaignFactory(
        phone_number=CAKE,
        account=location,
        destination="3164447896",
        stop_date=date(2099, 5, 1),
        recording=True,
        evaluation=Evaluation.DELAYED,
        brand="Blue",
        media_type_id=7,
        number_type="local",
        city="Wichita",
        state="KS",
        country="US",
        rate_center="WICHITA",
        zipcode="67202",
    )
    page = detail(as_rep)
    shown = facts(page)
    assert page.heading == "(316) 734-2253"
    expected = {
        "Rings": "(316) 444-7896",
        "Stop date": "May 1, 2099 (America/Chicago time)",
        "Call recording": "on",
        "Evaluation": "Delayed",
        "Brand": "Blue",
        "Media type ID": "7",
        "Type": "Local",
        "Place": "Wichita, KS, US",
        "Rate center": "WICHITA",
        "ZIP or postal code": "67202",
        "Offer": "empty",
    }
    days = (date(2099, 5, 1) - location.today()).days
    expected["Stop date"] += f" {days} days left Extend its stop date"
    assert {name: shown[name] for name in expected} == expected
    assert page.links("Extend its stop date") == [f"/numbers/{CAKE}/extend/"]
    assert "Changes made in Callcap's own interface are not visible here." in page.text


def test_only_who_may_change_a_number_is_offered_to(
    as_rep: Client, signed_in: Any, auditor: User, campaign: Campaign
) -> None:
    assert f"/numbers/{CAKE}/change/" in detail(as_rep).links("Change")
    assert f"/numbers/{CAKE}/change/" not in detail(signed_in(auditor)).links("Change")


def test_a_location_without_a_known_zone_says_whose_date_counts(as_rep: Client, campaign: Campaign) -> None:
    Account.objects.filter(pk=campaign.account_id).update(time_zone="")
    location = campaign.account
    CampaignFactory(phone_number="3167342254", account=location, stop_date=date(2099, 5, 1))
    assert "America/Chicago, the Location's is not known time" in facts(detail(as_rep, "3167342254"))["Stop date"]


def test_running_on_is_said_as_such(as_rep: Client, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, stop_date=date(2099, 1, 1))
    assert facts(detail(as_rep))["Stop date"] == "runs on (2099-01-01)"


def test_every_change_is_in_the_numbers_history_with_who_and_from_what_to_what(
    as_rep: Client,
    sandbox: SandboxServer,
    purchase: Purchase,
    change: Purchase,
    manager: User,
    carry_out: Callable[[Order], Order],
) -> None:
    order = purchase()
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    carry_out(order)
    moved = change(Campaign.objects.get(), by=manager, destination="3165550100", stop_date="2099-05-01", memo1="moved")
    carry_out(moved)
    history = detail(as_rep).one("ol", aria_label="History").text
    assert (
        "Manager Test re-routed (316) 734-2253 from (316) 444-7896 to (316) 555-0100 and "
        "set the stop date of (316) 734-2253 to 2099-05-01 and changed memo 1 of (316) 734-2253" in history
    )
    assert "Rep Test bought (316) 734-2253, ringing (316) 444-7896, approved by Manager Test" in history
    assert history.index("re-routed") < history.index("bought")
    assert "The shop has moved" in history


def test_a_moved_stop_date_says_from_when_to_when_and_a_stop_is_told(
    as_rep: Client, sandbox: SandboxServer, purchase: Purchase, change: Purchase, manager: User, carry_out: Any
) -> None:
    order = purchase(stop_date="2098-05-01")
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    carry_out(order)
    carry_out(order.children.get())
    assert carry_out(change(Campaign.objects.get(), by=manager, stop_date="2099-01-01")).status == "done"
    history = detail(as_rep).one("ol", aria_label="History").text
    assert "let (316) 734-2253 run on instead of stopping on 2098-05-01" in history


def test_open_orders_for_the_number_are_announced(
    as_rep: Client, campaign: Campaign, change: Purchase, manager: User
) -> None:
    order = change(campaign, destination="3165550100")
    page = detail(as_rep)
    assert page.links(f"Order {order.pk}") == [f"/orders/{order.pk}/"]
    assert f"Order {order.pk} by Rep Test may still change this number." in page.text
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    assert "may still change this number" in detail(as_rep).text


def test_the_newest_campaign_is_shown_and_earlier_ones_are_listed(as_rep: Client, location: Account) -> None:
    ended = datetime(2026, 3, 1, 12, tzinfo=UTC)
    CampaignFactory(phone_number=CAKE, account=location, campaign_name="First life", ended_at=ended)
    CampaignFactory(phone_number=CAKE, account=location, campaign_name="Second life")
    page = detail(as_rep)
    assert page.one("div", class_="page-meta").text == "Second life, Location 3 (L-3)"
    assert "First life at Location 3 (L-3), stopped Mar 1, 2026" in page.text


def test_an_earlier_campaign_of_another_account_stays_with_it(
    as_rep: Client, location: Account, elsewhere: Account
) -> None:
    ended = datetime(2026, 3, 1, 12, tzinfo=UTC)
    CampaignFactory(phone_number=CAKE, account=elsewhere, campaign_name="Their secret", ended_at=ended)
    CampaignFactory(phone_number=CAKE, account=location, campaign_name="Ours")
    assert "Their secret" not in detail(as_rep).text


def test_a_stopped_number_says_since_when_and_offers_no_change(as_rep: Client, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, ended_at=datetime(2026, 3, 1, 12, tzinfo=UTC))
    page = detail(as_rep)
    assert "Mar 1, 2026, 6:00 AM CST 2026-03-01 12:00:00 UTC" in facts(page)["Stopped"]
    assert f"/numbers/{CAKE}/change/" not in page.links("Change")


def test_times_are_shown_in_the_readers_own_zone(as_rep: Client, rep: User, location: Account) -> None:
    rep.time_zone = "Pacific/Honolulu"
    rep.save()
    CampaignFactory(phone_number=CAKE, account=location, ended_at=datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert "2:00 AM HST 2026-03-01 12:00:00 UTC" in facts(detail(as_rep))["Stopped"]


@pytest.mark.parametrize("number", ["3167342299", "1167342253", "316734225", "31673422530", "316734225x"])
def test_a_number_that_is_not_there_is_a_404(as_rep: Client, campaign: Campaign, number: str) -> None:
    assert as_rep.get(f"/numbers/{number}/").status_code == 404


def test_a_number_of_another_account_is_a_404(signed_in: Any, stranger: User, campaign: Campaign) -> None:
    assert signed_in(stranger).get(f"/numbers/{CAKE}/").status_code == 404
    assert signed_in(stranger).get(f"/numbers/{CAKE}/change/").status_code == 404
