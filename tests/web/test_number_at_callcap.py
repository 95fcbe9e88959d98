"""A number's page and Callcap: what it last confirmed, asking it, sending everything once more, settling a dispute."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from numbers_app.models import Account, Campaign, Order, OrderKind, OrderStatus, User
from tests.factories import CampaignFactory
from tests.sandbox_server import SandboxServer

from .conftest import CAKE, Purchase
from .page import Page

pytestmark = pytest.mark.django_db

DETAIL, CONFIRM, REAPPLY, DISPUTE = (f"/numbers/{CAKE}/{step}" for step in ("", "confirm/", "reapply/", "dispute/"))


@pytest.fixture
def disputed(campaign: Campaign) -> Campaign:
    Campaign.objects.update(disputed_at=timezone.now(), dispute="Number not found.")
    return campaign


def test_how_long_ago_callcap_confirmed_it_or_that_it_never_did_is_said(as_rep: Client, campaign: Campaign) -> None:
    Campaign.objects.update(confirmed_at=timezone.now() - timedelta(days=3, hours=1))
    assert "Callcap last confirmed this number 3\xa0days, 1\xa0hour ago." in Page(as_rep.get(DETAIL)).html
    Campaign.objects.update(confirmed_at=None, imported_at=timezone.now())
    page = Page(as_rep.get(DETAIL))
    assert "Callcap has never confirmed this number: it was imported, not bought here." in page.text


def test_a_name_that_nobody_gave_is_said_to_replace_the_one_at_callcap(as_rep: Client, campaign: Campaign) -> None:
    assert "Confirming sends the name Spring cakes, which it has already." in Page(as_rep.get(DETAIL)).text
    Campaign.objects.update(imported_at=timezone.now(), campaign_name=CAKE)
    page = Page(as_rep.get(DETAIL))
    assert "so this one replaces what Callcap has." in page.text
    assert "what is empty here may be set at Callcap" in page.text


def test_a_number_is_confirmed_with_one_button(
    as_manager: Client, campaign: Campaign, sandbox: SandboxServer, carry_out: Callable[[Order], Order]
) -> None:
    sent = Page(as_manager.get(DETAIL)).filled(CONFIRM)
    first, second = as_manager.post(CONFIRM, sent), as_manager.post(CONFIRM, sent)
    order = Order.objects.get()
    assert first["Location"] == second["Location"] == f"/orders/{order.pk}/"
    page = Page(as_manager.get(first["Location"]))
    assert page.heading == "Confirmation of (316) 734-2253"
    assert "Asks Callcap whether (316) 734-2253 is still ours" in page.text
    carry_out(order)
    notice = Page(as_manager.get(DETAIL)).one("div", role="group", aria_label="Discrepancy")
    assert "Callcap says that this number is not ours." in notice.text


def test_asking_twice_leads_back_with_a_sentence(as_rep: Client, campaign: Campaign) -> None:
    as_rep.post(CONFIRM)
    response = as_rep.post(CONFIRM, follow=True)
    assert "asks Callcap about (316) 734-2253 already" in Page(response).alerts[-1]
    assert Order.objects.get().status == OrderStatus.PENDING


def test_a_confirmation_and_a_reapplication_stand_in_the_queue_and_cannot_be_rewritten(
    as_rep: Client, as_manager: Client, campaign: Campaign
) -> None:
    as_rep.post(CONFIRM)
    as_rep.post(REAPPLY, Page(as_rep.get(REAPPLY)).filled(REAPPLY) | {"reason": "It was re-routed"})
    CampaignFactory(phone_number="3164440001", account=campaign.account, campaign_name="Spring cakes")
    queue = Page(as_manager.get("/orders/")).text
    assert "Same campaign name" not in queue
    assert "Confirmation of (316) 734-2253" in queue
    assert "Re-application of everything set for (316) 734-2253" in queue
    assert "over what somebody set in Callcap's own interface" in queue
    for order in Order.objects.all():
        assert Page(as_manager.get(f"/orders/{order.pk}/")).links("Amend") == []
        assert as_manager.get(f"/orders/{order.pk}/amend/").status_code == 404


def test_all_values_are_read_before_they_are_sent_once_more(as_manager: Client, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, brand="Blue", stop_date=date(2099, 1, 1), recording=False)
    page = Page(as_manager.get(REAPPLY))
    assert "This overwrites what somebody set in Callcap's own interface." in page.text
    values = {term.text: value.text for term, value in zip(page.all("dt"), page.all("dd"), strict=True)}
    assert values["Destination"] == "(316) 444-7896"
    assert values["Stop date"] == "runs on (2099-01-01)"
    assert (values["Brand"], values["Call recording"], values["Offer"]) == ("Blue", "off", "empty")
    response = as_manager.post(REAPPLY, page.filled(REAPPLY) | {"reason": "It was re-routed"})
    order = Order.objects.get()
    assert response["Location"] == f"/orders/{order.pk}/"
    assert (order.kind, order.status, order.self_approved) == (OrderKind.REAPPLY, OrderStatus.APPROVED, True)


@pytest.mark.parametrize(("sent", "sentence"), [({}, "Read the values below"), ({"version": "1"}, "Say why")])
def test_nothing_is_sent_unread_or_without_a_reason(
    as_manager: Client, campaign: Campaign, sent: dict[str, str], sentence: str
) -> None:
    response = as_manager.post(REAPPLY, sent)
    assert response.status_code == 422
    assert sentence in Page(response).summary
    assert not Order.objects.exists()


def test_values_that_moved_are_read_again_and_the_reason_is_kept(as_manager: Client, campaign: Campaign) -> None:
    sent = Page(as_manager.get(REAPPLY)).filled(REAPPLY) | {"reason": "It was re-routed"}
    Campaign.objects.update(version=2)
    response = as_manager.post(REAPPLY, sent)
    page = Page(response)
    assert response.status_code == 409
    assert (page.value("reason"), page.value("version")) == ("It was re-routed", "2")
    assert as_manager.post(REAPPLY, page.filled(REAPPLY)).status_code == 302


def test_a_dispute_is_shown_to_all_and_settled_by_managers(
    as_rep: Client, as_manager: Client, disputed: Campaign
) -> None:
    assert "A manager looks in Callcap's own interface" in Page(as_rep.get(DETAIL)).text
    assert Page(as_manager.get(DETAIL)).links("Say what you found out") == [DISPUTE]
    assert "Number not found." in Page(as_manager.get(DISPUTE)).text
    response = as_manager.post(DISPUTE, {"finding": "still_ours", "reason": "Seen there"}, follow=True)
    page = Page(response)
    assert page.alerts == ["The discrepancy is settled."]
    assert page.all("div", aria_label="Discrepancy") == []
    assert "settled that (316) 734-2253 is still ours" in page.one("ol", aria_label="History").text


def test_a_number_that_is_not_ours_any_more_ends(as_manager: Client, disputed: Campaign) -> None:
    as_manager.post(DISPUTE, {"finding": "not_ours", "reason": "It was released"})
    disputed.refresh_from_db()
    assert disputed.ended_at is not None
    assert Page(as_manager.get(DETAIL)).links("Edit") == []


@pytest.mark.parametrize("sent", [{}, {"finding": "still_ours"}, {"reason": "x"}, {"finding": "x", "reason": "x"}])
def test_a_dispute_is_settled_with_a_finding_and_a_reason(
    as_manager: Client, disputed: Campaign, sent: dict[str, str]
) -> None:
    response = as_manager.post(DISPUTE, sent)
    assert response.status_code == 422
    assert Campaign.objects.get().disputed_at is not None


def test_a_dispute_that_is_settled_meanwhile_is_said(as_manager: Client, campaign: Campaign) -> None:
    response = as_manager.post(DISPUTE, {"finding": "not_ours", "reason": "x"}, follow=True)
    assert Page(response).alerts == ["There is nothing to settle any more."]
    assert Campaign.objects.get().ended_at is None


# --- what else the page shows ---------------------------------------------------------------------------------------


def test_other_numbers_that_ring_there_are_named_within_what_the_reader_may_see(
    as_rep: Client, campaign: Campaign, location: Account, elsewhere: Account
) -> None:
    CampaignFactory(phone_number="3164440001", account=location)
    CampaignFactory(phone_number="3164440002", account=location, ended_at=timezone.now())
    CampaignFactory(phone_number="3164440003", account=elsewhere)
    page = Page(as_rep.get(DETAIL))
    assert "1 other number rings there too" in page.text
    assert page.links("(316) 444-0001") == ["/numbers/3164440001/"]
    assert "(316) 444-0003" not in page.text


def test_what_is_scheduled_stands_there_with_what_it_will_change(
    as_rep: Client, campaign: Campaign, change: Purchase, location: Account
) -> None:
    at = timezone.now() + timedelta(days=3)
    change(campaign, destination="3165550100", execute_after=at)
    coming = Page(as_rep.get(DETAIL)).one("section", aria_labelledby="coming-heading")
    assert f"Wished for {at.astimezone(location.zone):%b} {at.astimezone(location.zone).day}, " in coming.text
    rows = coming.one("table", class_="diff").all("tr")
    assert rows[1].text == "Destination (316) 444-7896 (316) 555-0100"


def test_a_long_history_costs_no_more_queries(
    as_rep: Client, campaign: Campaign, change: Purchase, django_assert_max_num_queries: Any
) -> None:
    def grow(count: int) -> None:
        for number in range(count):
            change(campaign, notes=f"{number}")
            CampaignFactory(phone_number=f"31644410{count}{number}", account=campaign.account)

    grow(1)
    as_rep.get(DETAIL)
    with CaptureQueriesContext(connection) as few:
        as_rep.get(DETAIL)
    grow(5)
    with django_assert_max_num_queries(len(few)):
        as_rep.get(DETAIL)


def test_every_order_of_the_number_is_listed(as_rep: Client, campaign: Campaign, change: Purchase) -> None:
    order = change(campaign, notes="x")
    Order.objects.update(status=OrderStatus.CANCELLED)
    page = Page(as_rep.get(DETAIL)).one("section", aria_labelledby="orders-heading")
    assert page.one("a").attributes["href"] == f"/orders/{order.pk}/"


@pytest.mark.parametrize(
    ("days", "sentence"), [(5, "5 days left"), (1, "1 day left"), (0, "stops at the end of today"), (-1, "has passed")]
)
def test_the_days_left_are_counted_by_the_locations_date(
    as_rep: Client, location: Account, days: int, sentence: str
) -> None:
    CampaignFactory(phone_number=CAKE, account=location, stop_date=location.today() + timedelta(days=days))
    assert sentence in Page(as_rep.get(DETAIL)).one("section", id="routing").text


def test_strangers_find_none_of_it(signed_in: Any, stranger: User, disputed: Campaign) -> None:
    client = signed_in(stranger)
    assert {client.get(path).status_code for path in (DETAIL, REAPPLY, DISPUTE)} == {404}
    assert {client.post(path).status_code for path in (CONFIRM, REAPPLY, DISPUTE)} == {404}
