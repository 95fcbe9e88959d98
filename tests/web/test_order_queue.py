"""The queue: beside every waiting order stands what a manager must know to decide on it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, Order, User
from numbers_app.permissions import Role
from numbers_app.services.decisions import order_approve, order_comment, order_reject
from numbers_app.services.notifications import order_seen
from numbers_app.services.orders import WantedNumber, order_amend
from tests.factories import CampaignFactory, GrantFactory, LocationFactory, UserFactory

from .conftest import CAKE, Purchase
from .page import Element, Page

pytestmark = pytest.mark.django_db

OTHER = "3167342254"
TOLLFREE = "8005550199"


def queue(client: Client, address: str = "/orders/") -> Page:
    response = client.get(address)
    assert response.status_code == 200
    return Page(response)


def rows(page: Page) -> list[Element]:
    return page.all("article", data_queue_row="")


def row(client: Client, order: Order) -> Element:
    [found] = [found for found in rows(queue(client)) if found.attributes["aria-labelledby"] == f"order-{order.pk}"]
    return found


def warnings(client: Client, order: Order) -> list[str]:
    return [warning.text for warning in row(client, order).all("p", class_="warning")]


def waiting(client: Client) -> list[int]:
    """The orders of the queue, from top to bottom."""
    return [int(found.attributes["aria-labelledby"].removeprefix("order-")) for found in rows(queue(client))]


def amend(person: User, order: Order, **parameters: Any) -> None:
    order_amend(
        actor=Actor.person(person),
        order_id=order.pk,
        revision=order.revision,
        wanted=[WantedNumber(str(choice)) for choice in order.choices.all()],
        parameters=order.parameters | parameters,
        reason=order.reason,
        urgent=order.urgent,
        execute_after=order.execute_after,
    )


# --- what was asked for ---------------------------------------------------------------------------------------------


def test_a_purchase_says_who_wants_what_where_why_and_since_when(
    as_manager: Client, purchase: Purchase, location: Account
) -> None:
    order = purchase(WantedNumber(CAKE, "Wichita, KS", "316-734-CAKE"), WantedNumber(OTHER, "Salina, KS"), memo1="left")
    Order.objects.update(created_at=timezone.now() - timedelta(hours=3))
    found = row(as_manager, order)
    assert found.one("h3").text == f"Purchase of (316) 734-2253 or another choice #{order.pk}"
    assert found.one("h3").one("a").attributes["href"] == f"/orders/{order.pk}/"
    for words in (
        "Rep Test asked 3 hours ago, for Location 3 (L-3).",
        "Choice 1 (316) 734-2253 316-734-CAKE Wichita, KS",
        "Choice 2 (316) 734-2254 Salina, KS",
        "Destination (316) 444-7896",
        "Memo 1 left",
        "Reason: For the spring campaign",
    ):
        assert words in found.text


def test_a_change_shows_every_value_before_and_after(as_manager: Client, change: Purchase, campaign: Campaign) -> None:
    found = row(as_manager, change(campaign, destination="3165550100", stop_date="2099-05-01"))
    lines = found.one("table").all("tr")[1:]
    assert {line.one("th").text: (line.one("del").text, line.one("ins").text) for line in lines} == {
        "Destination": ("(316) 444-7896", "(316) 555-0100"),
        "Stop date": ("empty", "2099-05-01"),
    }
    assert "The shop has moved" in found.text
    assert "this month" not in found.text


def test_the_time_that_an_order_is_wished_for_is_the_location_s(as_manager: Client, purchase: Purchase) -> None:
    order = purchase(execute_after=datetime(2099, 1, 31, 14, 0, tzinfo=UTC))
    assert "Not before Jan 31, 2099, 8:00 AM CST (time at Location 3; 2099-01-31 14:00:00 UTC)" in (
        row(as_manager, order).text
    )


def test_an_order_says_when_it_expires(as_manager: Client, purchase: Purchase, settings: Any) -> None:
    settings.ORDER_EXPIRY_DAYS = 3
    order = purchase()
    Order.objects.update(submitted_at=datetime(2026, 3, 1, 18, 0, tzinfo=UTC))
    assert "Expires Mar 4, 2026 if nobody decides." in row(as_manager, order).text


# --- what speaks for and against it ---------------------------------------------------------------------------------


def test_purchases_of_this_month_are_counted_for_location_and_requester(
    as_manager: Client, purchase: Purchase, manager: User, rep: User
) -> None:
    with time_machine.travel(datetime(2026, 2, 28, 18, 0, tzinfo=UTC), tick=False):
        purchase("3167342250")
    with time_machine.travel(datetime(2026, 3, 20, 18, 0, tzinfo=UTC), tick=False):
        order = purchase(CAKE)
        rejected = purchase("3167342255")
        order_reject(actor=Actor.person(manager), order_id=rejected.pk, revision=1, reason="No")
        purchase("3167342256", by=manager)
        other = LocationFactory(key="L-4", callcap_id=4)
        GrantFactory(user=rep, account=other)
        purchase("3167342257", account=other)
        assert "2 purchases for this Location this month, 2 by Rep Test." in row(as_manager, order).text


def test_a_single_purchase_is_counted_in_the_singular(as_manager: Client, purchase: Purchase) -> None:
    assert "1 purchase for this Location this month, 1 by Rep Test." in row(as_manager, purchase()).text


def test_orders_and_numbers_with_the_same_destination_or_name_are_linked(
    as_manager: Client, purchase: Purchase, location: Account
) -> None:
    order = purchase(CAKE, campaign_name="Cakes")
    both = purchase(OTHER, campaign_name="Cakes")
    name_only = purchase("3167342255", destination="3165550111", campaign_name="Cakes")
    held = CampaignFactory(account=location, phone_number="3167342299", campaign_name="Old cakes")
    found = warnings(as_manager, order)
    assert f"Same destination and campaign name: Purchase of (316) 734-2254 #{both.pk}" in found
    assert f"Same campaign name: Purchase of (316) 734-2255 #{name_only.pk}" in found
    assert "Same destination: (316) 734-2299 , Old cakes, at Location 3" in found
    links = {link.attributes["href"] for link in row(as_manager, order).all("a")}
    assert {f"/orders/{both.pk}/", f"/orders/{name_only.pk}/", f"/numbers/{held.phone_number}/"} <= links


def test_what_has_ended_is_not_called_the_same(
    as_manager: Client, purchase: Purchase, location: Account, manager: User
) -> None:
    rejected = purchase(OTHER)
    order_reject(actor=Actor.person(manager), order_id=rejected.pk, revision=1, reason="No")
    CampaignFactory(account=location, phone_number="3167342299", ended_at=timezone.now())
    assert not [words for words in warnings(as_manager, purchase(CAKE)) if words.startswith("Same")]


def test_a_number_is_not_compared_with_itself(as_manager: Client, change: Purchase, campaign: Campaign) -> None:
    order = change(campaign, destination="3165550100", campaign_name="Winter cakes")
    CampaignFactory(account=campaign.account, phone_number="3167342299", destination="3165550100")
    same = [words for words in warnings(as_manager, order) if words.startswith("Same")]
    assert same == ["Same destination: (316) 734-2299 , (316) 734-2299, at Location 3"]


def test_nothing_of_another_account_is_given_away(
    as_manager: Client, purchase: Purchase, elsewhere: Account, stranger: User
) -> None:
    purchase(OTHER, by=stranger, account=elsewhere, campaign_name="Cakes")
    CampaignFactory(account=elsewhere, phone_number="3167342299", campaign_name="Cakes")
    purchase(CAKE, campaign_name="Cakes")
    page = queue(as_manager)
    assert len(rows(page)) == 1
    assert "Same" not in page.text
    for secret in ("734-2254", OTHER, "734-2299", "3167342299", "Elsewhere", "Stranger"):
        assert secret not in page.html, secret


def test_the_same_in_another_account_is_shown_to_who_sees_both(
    as_manager: Client, purchase: Purchase, elsewhere: Account, manager: User, stranger: User
) -> None:
    GrantFactory(user=manager, account=elsewhere)
    theirs = purchase(OTHER, by=stranger, account=elsewhere)
    assert f"Same destination: Purchase of (316) 734-2254 #{theirs.pk}" in warnings(as_manager, purchase(CAKE))


def test_no_price_is_shown_where_none_is_set(as_manager: Client, purchase: Purchase) -> None:
    assert "USD" not in row(as_manager, purchase()).text


@pytest.fixture
def prices(settings: Any) -> None:
    settings.MONTHLY_PRICE_LOCAL, settings.MONTHLY_PRICE_TOLLFREE = Decimal("2.50"), Decimal("4.00")
    settings.PRICE_CURRENCY = "EUR"


@pytest.mark.usefixtures("prices")
@pytest.mark.parametrize(("number", "price"), [(CAKE, "2.50 EUR a month."), (TOLLFREE, "4.00 EUR a month.")])
def test_a_price_a_month_is_shown_where_it_is_set(
    as_manager: Client, purchase: Purchase, number: str, price: str
) -> None:
    assert price in row(as_manager, purchase(number)).text


@pytest.mark.usefixtures("prices")
@pytest.mark.parametrize(
    ("stop_date", "words"),
    [
        (date(2026, 3, 10), "2.50 EUR a month, 2.50 EUR until its stop date."),
        (date(2026, 4, 9), "2.50 EUR a month, 2.50 EUR until its stop date."),
        (date(2026, 4, 10), "2.50 EUR a month, 5.00 EUR until its stop date."),
        (date(2027, 3, 10), "2.50 EUR a month, 32.50 EUR until its stop date."),
        (date(2099, 1, 1), "2.50 EUR a month. Expires"),
    ],
)
def test_with_a_stop_date_the_started_months_are_added_up(
    as_manager: Client, purchase: Purchase, stop_date: date, words: str
) -> None:
    with time_machine.travel(datetime(2026, 3, 10, 18, 0, tzinfo=UTC), tick=False):
        assert words in row(as_manager, purchase(stop_date=stop_date.isoformat())).text


@pytest.mark.usefixtures("prices")
def test_a_change_costs_nothing(as_manager: Client, change: Purchase, campaign: Campaign) -> None:
    assert "EUR" not in row(as_manager, change(campaign, destination="3165550100")).text


def test_a_price_of_one_kind_says_nothing_of_the_other(as_manager: Client, purchase: Purchase, settings: Any) -> None:
    settings.MONTHLY_PRICE_TOLLFREE = Decimal("4.00")
    assert "USD" not in row(as_manager, purchase(CAKE)).text
    assert "4.00 USD a month" in row(as_manager, purchase(TOLLFREE)).text


def test_what_looks_wrong_about_the_destination_is_said(
    as_manager: Client, purchase: Purchase, campaign: Campaign
) -> None:
    order = purchase(OTHER, destination=campaign.phone_number)
    found = warnings(as_manager, order)
    assert any("is itself one of our tracking numbers" in words for words in found)
    assert any("No other number at Location 3 rings" in words for words in found)
    used = purchase("3167342255", destination=campaign.destination)
    assert not [words for words in warnings(as_manager, used) if "never been" in words]


# --- order and news -------------------------------------------------------------------------------------------------


def test_urgent_orders_come_first_then_the_oldest(as_manager: Client, purchase: Purchase) -> None:
    old, newer = purchase("3167342251"), purchase("3167342252")
    first_urgent, second_urgent = purchase(CAKE, urgent=True), purchase(OTHER, urgent=True)
    assert waiting(as_manager) == [first_urgent.pk, second_urgent.pk, old.pk, newer.pk]
    assert "Urgent" in row(as_manager, first_urgent).one("h3").text
    assert "Urgent" not in row(as_manager, old).text


def test_an_urgent_order_says_who_has_seen_it(as_manager: Client, purchase: Purchase, manager2: User) -> None:
    order = purchase(urgent=True)
    text = row(as_manager, order).text
    assert "Urgent. Manager Test has not seen it yet; Manager2 Test has not seen it yet." in text
    order_seen(actor=Actor.person(manager2), order=order)
    manager2.notifications.update(read_at=timezone.now() - timedelta(minutes=5))
    text = row(as_manager, order).text
    assert "Manager2 Test has seen it 5 minutes ago" in text
    assert "Manager Test has not seen it yet" in text


def test_comments_stand_beside_the_order_as_they_were_made(
    as_manager: Client, purchase: Purchase, manager: User, rep: User
) -> None:
    order = purchase()
    order_comment(actor=Actor.person(manager), order_id=order.pk, text="Spring or summer?")
    order_comment(actor=Actor.person(rep), order_id=order.pk, text="Summer.")
    comments = [comment.text for comment in row(as_manager, order).all("p", class_="comment")]
    assert comments == ["Manager Test : Spring or summer?", "Rep Test : Summer."]


def test_what_was_amended_last_and_by_whom_is_shown(as_manager: Client, purchase: Purchase, manager2: User) -> None:
    order = purchase()
    amend(manager2, order, destination="3165550111")
    order.refresh_from_db()
    amend(manager2, order, destination="3165550100", memo1="left")
    found = row(as_manager, order)
    assert "Rep Test asked" in found.text
    assert "Manager2 Test rewrote it." in found.text
    assert f"What Manager2 Test changed in this order {order.pk}" in [summary.text for summary in found.all("summary")]
    lines = found.one("table", class_="diff").all("tr")[1:]
    changed = {line.one("th").text: (line.one("del").text, line.one("ins").text) for line in lines}
    assert changed == {"Destination": ("(316) 555-0111", "(316) 555-0100"), "Memo 1": ("empty", "left")}


def test_the_seen_mark_is_offered_for_news_only(as_manager: Client, purchase: Purchase, manager: User) -> None:
    order = purchase()
    assert row(as_manager, order).all("form", action=f"/orders/{order.pk}/seen/")
    order_seen(actor=Actor.person(manager), order=order)
    assert not row(as_manager, order).all("form", action=f"/orders/{order.pk}/seen/")


# --- whose queue it is ----------------------------------------------------------------------------------------------


def test_orders_that_one_asked_for_or_wrote_a_part_of_do_not_wait_for_oneself(
    as_manager: Client, purchase: Purchase, manager: User, manager2: User
) -> None:
    purchase(CAKE, by=manager)
    rewritten = purchase(OTHER)
    amend(manager, rewritten, memo1="left")
    rewritten.refresh_from_db()
    amend(manager2, rewritten, memo1="right")
    assert waiting(as_manager) == []
    assert "Nothing waits for you." in queue(as_manager).text


def test_only_orders_of_granted_accounts_wait(
    as_manager: Client, purchase: Purchase, elsewhere: Account, stranger: User
) -> None:
    purchase(OTHER, by=stranger, account=elsewhere)
    mine = purchase(CAKE)
    assert waiting(as_manager) == [mine.pk]


def test_who_sees_everything_decides_only_where_they_were_granted(
    signed_in: Any, manager: User, purchase: Purchase, elsewhere: Account, stranger: User
) -> None:
    from django.contrib.auth.models import Group

    manager.groups.add(Group.objects.get(name=Role.AUDITOR))
    theirs = purchase(OTHER, by=stranger, account=elsewhere)
    client = signed_in(manager)
    assert waiting(client) == []
    assert f"#{theirs.pk}" in queue(client).text


def test_a_grant_above_the_location_counts(signed_in: Any, purchase: Purchase, location: Account) -> None:
    of_the_corporate: User = UserFactory(role=Role.MANAGER)
    GrantFactory(user=of_the_corporate, account=location.parent.parent)
    order = purchase()
    assert waiting(signed_in(of_the_corporate)) == [order.pk]


@pytest.mark.parametrize("person", ["rep", "auditor", "admin"])
def test_who_decides_nothing_has_no_queue(
    request: pytest.FixtureRequest, signed_in: Any, purchase: Purchase, person: str
) -> None:
    purchase()
    for address in ("/", "/orders/"):
        page = queue(signed_in(request.getfixturevalue(person)), address)
        assert page.all("section", id="queue") == []
        assert not [form for form in page.all("form") if "approve" in form.attributes.get("action", "")]


def test_what_was_decided_is_gone_from_the_queue(as_manager: Client, purchase: Purchase, manager2: User) -> None:
    approved, rejected = purchase(CAKE), purchase(OTHER)
    order_approve(actor=Actor.person(manager2), order_id=approved.pk, revision=1)
    order_reject(actor=Actor.person(manager2), order_id=rejected.pk, revision=1, reason="No")
    assert waiting(as_manager) == []


def test_twenty_are_shown_and_all_are_counted(as_manager: Client, purchase: Purchase) -> None:
    orders = [purchase(f"31673422{number}") for number in range(10, 33)]
    page = queue(as_manager)
    assert waiting(as_manager) == [order.pk for order in orders[:20]]
    assert "Waiting for your decision 23" in page.text
    assert "The next 20 are shown. The others follow as you decide." in page.text


def test_the_first_page_has_the_same_queue(as_manager: Client, purchase: Purchase) -> None:
    order = purchase()
    there, here = queue(as_manager, "/"), queue(as_manager)
    assert [found.text for found in rows(there)] == [found.text for found in rows(here)]
    assert there.filled(f"/orders/{order.pk}/approve/")["next"] == ["/"]
    assert here.filled(f"/orders/{order.pk}/approve/")["next"] == ["/orders/"]


def test_every_control_of_the_queue_has_a_name_of_its_own(as_manager: Client, purchase: Purchase) -> None:
    purchase(CAKE, urgent=True)
    purchase(OTHER, destination="3165550111")
    section = queue(as_manager).one("section", id="queue")
    names = [control.text for tag in ("button", "a", "label", "summary") for control in section.all(tag)]
    assert len(names) == len(set(names)), names
