"""What happens next by itself: what is sent or checked and when, what expires, which numbers stop."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, Order, OrderStatus, User
from numbers_app.services.decisions import order_approve, order_cancel
from numbers_app.services.switch import purchases_pause
from tests.factories import CampaignFactory

from .conftest import CAKE, Purchase
from .page import Page

pytestmark = pytest.mark.django_db

URL = "/orders/upcoming/"


def opened(client: Client, address: str = URL) -> Page:
    response = client.get(address)
    assert response.status_code == 200
    return Page(response)


def lines(page: Page) -> list[str]:
    return [row.text for body in page.all("tbody") for row in body.all("tr")]


def scheduled(order: Order, manager: User) -> Order:
    return order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)


def test_approved_orders_stand_by_their_time_as_the_location_shows_it(
    as_manager: Client, purchase: Purchase, manager: User
) -> None:
    later = scheduled(purchase(CAKE, execute_after=datetime(2099, 7, 1, 13, 0, tzinfo=UTC)), manager)
    sooner = scheduled(purchase("3167342254", execute_after=datetime(2099, 1, 31, 14, 0, tzinfo=UTC)), manager)
    page = opened(as_manager)
    first, second = lines(page)
    assert f"#{sooner.pk}" in first
    assert f"#{later.pk}" in second
    assert "Jan 31, 2099, 8:00 AM CST (time at Location 3; 2099-01-31 14:00:00 UTC)" in first
    assert "Jul 1, 2099, 8:00 AM CDT" in second
    assert "It is sent to Callcap" in first


def test_checks_of_unknown_orders_stand_among_them_and_what_waits_for_a_person_does_not(
    as_manager: Client, purchase: Purchase
) -> None:
    checked, stuck = purchase(CAKE), purchase("3167342254")
    Order.objects.update(status=OrderStatus.UNKNOWN, decider_id=999)
    Order.objects.filter(pk=checked.pk).update(execute_after=timezone.now(), phone_number=CAKE)
    Order.objects.filter(pk=stuck.pk).update(phone_number="3167342254")
    [line] = lines(opened(as_manager))
    assert f"#{checked.pk}" in line
    assert "Callcap is asked whether it was carried out" in line


def test_while_purchases_are_paused_nothing_is_said_to_be_sent(
    as_manager: Client, purchase: Purchase, change: Purchase, campaign: Campaign, manager: User
) -> None:
    later = datetime(2099, 7, 1, 13, 0, tzinfo=UTC)
    scheduled(purchase("3167342254", execute_after=later), manager)
    change(campaign, by=manager, destination="3165550100", execute_after=later)
    purchases_pause(actor=Actor.person(manager), reason="Callcap charges twice")
    bought, changed = lines(opened(as_manager))
    assert "It waits: purchases are paused" in bought
    assert "It is sent to Callcap" in changed


def test_what_was_cancelled_does_not_happen(as_manager: Client, purchase: Purchase, manager: User) -> None:
    order = scheduled(purchase(execute_after=datetime(2099, 7, 1, 13, 0, tzinfo=UTC)), manager)
    order_cancel(actor=Actor.person(manager), order_id=order.pk)
    page = opened(as_manager)
    assert lines(page) == []
    assert "Nothing is scheduled" in page.text


def test_waiting_orders_stand_with_the_day_on_which_they_expire(
    as_manager: Client, purchase: Purchase, settings: Any
) -> None:
    settings.ORDER_EXPIRY_DAYS = 3
    late, soon = purchase(CAKE), purchase("3167342254")
    Order.objects.filter(pk=soon.pk).update(submitted_at=datetime(2026, 3, 1, 18, 0, tzinfo=UTC))
    Order.objects.filter(pk=late.pk).update(submitted_at=datetime(2026, 3, 2, 18, 0, tzinfo=UTC))
    page = opened(as_manager)
    [section] = [found for found in page.all("section") if "Expires when nobody decides" in found.text]
    assert [item.text for item in section.all("li")] == [
        f"Purchase of (316) 734-2254 #{soon.pk} : Mar 4, 2026",
        f"Purchase of (316) 734-2253 #{late.pk} : Mar 5, 2026",
    ]


def test_numbers_that_stop_within_thirty_days_are_listed(as_manager: Client, location: Account) -> None:
    with time_machine.travel(datetime(2026, 3, 10, 18, 0, tzinfo=UTC), tick=False):
        for line, stop in (("11", date(2026, 4, 9)), ("12", date(2026, 4, 10)), ("13", date(2026, 3, 20))):
            CampaignFactory(account=location, phone_number=f"31673422{line}", campaign_name="Cakes", stop_date=stop)
        CampaignFactory(account=location, phone_number="3167342214")
        CampaignFactory(
            account=location, phone_number="3167342215", stop_date=date(2026, 3, 20), ended_at=timezone.now()
        )
        page = opened(as_manager)
    [section] = [found for found in page.all("section") if "Numbers that stop" in found.text]
    assert [item.text for item in section.all("li")] == [
        "(316) 734-2213 , Cakes: Mar 20, 2026 (America/Chicago time)",
        "(316) 734-2211 , Cakes: Apr 9, 2026 (America/Chicago time)",
    ]
    assert [link.attributes["href"] for link in section.all("a")][-1] == "/numbers/stopping/"


def test_thirty_days_are_counted_by_the_date_of_the_location(as_manager: Client, location: Account) -> None:
    """In the evening in Chicago it is already the next day in London."""
    CampaignFactory(account=location, stop_date=date(2026, 4, 10))
    with time_machine.travel(datetime(2026, 3, 11, 3, 0, tzinfo=UTC), tick=False):
        assert "Numbers that stop" not in opened(as_manager).text
    with time_machine.travel(datetime(2026, 3, 11, 6, 0, tzinfo=UTC), tick=False):
        as_manager.force_login(User.objects.get(username="manager"))
        assert "Numbers that stop" in opened(as_manager).text


def test_nothing_of_other_accounts_is_there(
    as_manager: Client, purchase: Purchase, stranger: User, elsewhere: Account, strange_manager: User
) -> None:
    scheduled(purchase(CAKE, by=stranger, account=elsewhere), strange_manager)
    purchase("3167342254", by=stranger, account=elsewhere)
    CampaignFactory(account=elsewhere, phone_number="3167342255", stop_date=timezone.now().date() + timedelta(days=1))
    html = opened(as_manager).html
    for number in ("734-2253", "734-2254", "734-2255", "Elsewhere"):
        assert number not in html, number


@pytest.mark.parametrize("person", ["rep", "auditor", "admin"])
def test_everybody_who_sees_the_orders_sees_what_comes(
    request: pytest.FixtureRequest, signed_in: Any, purchase: Purchase, manager: User, person: str
) -> None:
    scheduled(purchase(execute_after=datetime(2099, 7, 1, 13, 0, tzinfo=UTC)), manager)
    assert len(lines(opened(signed_in(request.getfixturevalue(person))))) == 1


def test_long_lists_have_pages(as_manager: Client, purchase: Purchase, manager: User) -> None:
    first = scheduled(purchase(CAKE, execute_after=datetime(2099, 7, 1, 13, 0, tzinfo=UTC)), manager)
    Order.objects.bulk_create(
        Order(
            kind=first.kind,
            account=first.account,
            status=OrderStatus.APPROVED,
            parameters=first.parameters,
            requester_id=first.requester_id,
            author_id=first.author_id,
            decider_id=manager.pk,
            execute_after=first.execute_after,
            phone_number=f"31673422{line}",
        )
        for line in range(10, 60)
    )
    assert len(lines(opened(as_manager))) == 50
    assert len(lines(opened(as_manager, f"{URL}?page=2"))) == 1
    for page in ("0", "-1", "ninety", "9" * 30):
        opened(as_manager, f"{URL}?page={page}")
