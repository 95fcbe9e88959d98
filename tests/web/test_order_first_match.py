"""Asking for any number that matches a search, and what people see of such an order."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.callcap import SearchCriteria
from numbers_app.models import Account, HistoryEntry, Order, OrderStatus, User
from numbers_app.services.orders import WantedNumber, order_request_purchase
from numbers_app.vendor import callcap_client
from tests.factories import GrantFactory, LocationFactory
from tests.sandbox_server import SandboxServer

from .conftest import CAKE, HTMX
from .page import Page

pytestmark = pytest.mark.django_db

WORDS = "Area code 316, spelling CAKE."
LINK = "/orders/new/?first_match=1&area_code=316&vanity_text=CAKE"


def post(client: Client, **values: Any) -> Any:
    wish = {"account": "L-3", "destination": "(316) 444-7896", "criteria": "area_code=316&vanity_text=CAKE"}
    return client.post("/orders/new/", wish | values)


@pytest.fixture
def ask(rep: User, location: Account) -> Callable[..., Order]:
    """``ask(*numbers, area_code="316")``: a pending order for these numbers, or any that matches."""

    def request(*numbers: str, **criteria: Any) -> Order:
        return order_request_purchase(
            actor=Actor.person(rep),
            account=location,
            wanted=[WantedNumber(number) for number in numbers],
            criteria=SearchCriteria(**criteria),
            parameters={"destination": "3164447896"},
            reason="For the spring campaign",
            form_token=uuid.uuid4(),
        )

    return request


# --- asking ---------------------------------------------------------------------------------------------------------


def test_form_says_what_the_search_page_was_looking_for(as_rep: Client) -> None:
    page = Page(as_rep.get(f"{LINK}&account=L-3"))
    assert WORDS in page.text
    assert page.value("account") == "L-3"
    assert page.links("Open this search") == ["/search/?area_code=316&vanity_text=CAKE"]
    assert page.values("number") == [""]


def test_form_as_it_stands_becomes_an_order_for_any_number_that_matches(as_rep: Client, sandbox: SandboxServer) -> None:
    sent = Page(as_rep.get(f"{LINK}&account=L-3")).filled("/orders/new/") | {"destination": "3164447896"}
    response = as_rep.post("/orders/new/", sent)
    assert response.status_code == 302
    order = Order.objects.get()
    assert (order.criteria, order.account.key) == ({"area_code": "316", "vanity_text": "CAKE"}, "L-3")
    assert (order.choices.count(), order.phone_number) == (0, "")
    assert as_rep.post("/orders/new/", sent)["Location"] == response["Location"]


def test_search_can_stand_behind_numbers(as_rep: Client, sandbox: SandboxServer) -> None:
    page = Page(as_rep.get(f"{LINK}&number={CAKE}"))
    assert page.values("number") == [CAKE, ""]
    assert post(as_rep, number=[CAKE]).status_code == 302
    assert [choice.number for choice in Order.objects.get().choices.all()] == [CAKE]


def test_only_the_numbers_above_is_offered_where_there_are_some(as_rep: Client) -> None:
    assert "Only the numbers above" not in Page(as_rep.get(LINK)).text
    assert "Only the numbers above" in Page(as_rep.get(f"{LINK}&number={CAKE}")).text


def test_search_can_be_taken_away(as_rep: Client, sandbox: SandboxServer) -> None:
    assert post(as_rep, number=[CAKE], numbers_only="on").status_code == 302
    assert Order.objects.get().criteria == {}


def test_nothing_is_left_when_the_search_is_taken_away_and_no_number_is_given(as_rep: Client) -> None:
    response = post(as_rep, numbers_only="on")
    assert response.status_code == 422
    assert "Give the number to be bought." in Page(response).error_at("number")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("area_code=12", "Area code: An area code has three digits"),
        ("vanity_text=%00", "Remove the null character"),
        ("vanity_text=%C3%A9", "cannot be dialled"),
        ("country=XX", "Country: "),
        ("nonsense=1", "says nothing to look for"),
        ("area_code=316&exchange=999", "No number that matches is free right now."),
        ("area_code=316&city=" + "x" * 2000, "at most 2000 characters"),
    ],
)
def test_search_that_cannot_be_ordered_by_is_refused_and_everything_typed_is_kept(
    as_rep: Client, sandbox: SandboxServer, query: str, sentence: str
) -> None:
    response = post(as_rep, criteria=query, notes="kept")
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.error_at("criteria")
    assert (page.value("notes"), page.value("criteria")) == ("kept", query)
    assert not Order.objects.exists()


def test_reserved_pool_is_always_that_of_the_location_that_gets_the_number(
    as_rep: Client, rep: User, sandbox: SandboxServer
) -> None:
    GrantFactory(user=rep, account=LocationFactory(key="L-4", callcap_id=4))
    page = Page(as_rep.get("/orders/new/?first_match=1&show_reserved_pool=on&account=L-4"))
    assert "reserved pool of L-4" in page.text
    sent = page.filled("/orders/new/") | {"destination": "3164447896", "account": "L-3"}
    assert as_rep.post("/orders/new/", sent).status_code == 302
    assert Order.objects.get().criteria == {"account": "L-3", "show_reserved_pool": True}


def test_reserved_pool_without_a_location_is_one_mistake_and_not_two(as_rep: Client) -> None:
    page = Page(post(as_rep, criteria="show_reserved_pool=on", account=""))
    assert "Choose the Location" in page.error_at("account")
    assert page.error_at("criteria") == ""


@pytest.fixture
def _nobody_answers(settings: Any) -> Iterator[None]:
    settings.CALLCAP_API_URL = "http://127.0.0.1:9"
    callcap_client.cache_clear()
    yield
    callcap_client.cache_clear()


@pytest.mark.usefixtures("_nobody_answers")
def test_absent_callcap_delays_no_order(as_rep: Client) -> None:
    response = post(as_rep)
    assert response.status_code == 302
    assert "Your order is kept." in Page(as_rep.get(response["Location"])).alerts[0]


def test_amendment_changes_the_search_by_an_address_or_takes_it_away(
    as_rep: Client, sandbox: SandboxServer, ask: Callable[..., Order]
) -> None:
    order = ask(CAKE, area_code="316")
    there = f"/orders/{order.pk}/amend/"
    assert "Area code 316." in Page(as_rep.get(there)).text
    sent = Page(as_rep.get(f"{there}?first_match=1&area_code=212")).filled(there)
    assert as_rep.post(there, sent).status_code == 302
    order.refresh_from_db()
    assert order.criteria == {"area_code": "212"}
    assert as_rep.post(there, sent | {"numbers_only": "on", "revision": "2"}).status_code == 302
    order.refresh_from_db()
    assert (order.criteria, order.phone_number) == ({}, CAKE)
    page = Page(as_rep.get(f"/orders/{order.pk}/"))
    assert "Any number that matches" in page.text


# --- seeing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "criteria", "title"),
    [
        ([], {"area_code": "316", "vanity_text": "cake"}, "any number with area code 316, spelling CAKE"),
        ([], {"vanity_text": "cake"}, "any number spelling CAKE"),
        ([], {"city": "Wichita", "state": "KS"}, "any number in Wichita, KS"),
        ([], {"show_tollfree": True}, "any number that is toll-free"),
        ([CAKE], {"area_code": "316"}, "(316) 734-2253, or any number with area code 316"),
        (
            [CAKE, "3164440002"],
            {"area_code": "316"},
            "(316) 734-2253 or another choice, or any number with area code 316",
        ),
    ],
)
def test_order_is_called_by_what_it_asks_for(
    as_manager: Client, ask: Callable[..., Order], numbers: list[str], criteria: dict[str, Any], title: str
) -> None:
    order = ask(*numbers, **criteria)
    assert Page(as_manager.get(f"/orders/{order.pk}/")).heading == f"Purchase of {title}"
    assert f"Purchase of {title}" in Page(as_manager.get("/orders/")).text


def test_order_is_called_by_the_number_once_that_is_chosen_and_not_by_one_that_is_gone(
    as_manager: Client, ask: Callable[..., Order], carry_out: Any, sandbox: SandboxServer
) -> None:
    done = ask(area_code="316", vanity_text="CAKE")
    assert approve(as_manager, done).status_code == 302
    carry_out(done)
    page = Page(as_manager.get(f"/orders/{done.pk}/"))
    assert page.heading == "Purchase of (316) 734-2253"
    assert "Found by its search (316) 734-2253 316-734-CAKE" in page.text
    assert "chose (316) 734-2253 for order" in page.text


def approve(client: Client, order: Order) -> Any:
    return client.post(f"/orders/{order.pk}/approve/", {"revision": order.revision})


def test_queue_shows_the_search_and_asks_by_itself_what_matches_now(
    as_manager: Client, ask: Callable[..., Order], sandbox: SandboxServer
) -> None:
    order = ask(area_code="316", vanity_text="CAKE")
    page = Page(as_manager.get("/orders/"))
    assert "Any number that matches area code 316, spelling CAKE" in page.text
    there = page.one("div", class_="availability").attributes["hx-get"]
    answer = Page(as_manager.get(there, headers=HTMX))
    assert answer.text == "1 number matches right now. The best: (316) 734-2253"
    sandbox.take(CAKE)
    assert Page(as_manager.get(there, headers=HTMX)).text == "No number that matches is free right now."
    assert order.status == OrderStatus.PENDING


def test_several_matches_are_counted_without_those_that_somebody_wants(
    as_manager: Client, ask: Callable[..., Order], sandbox: SandboxServer
) -> None:
    offers = [offer["phoneNumber"] for offer in sandbox.search(areaCode="316")]
    order = ask(offers[0], area_code="316")
    text = Page(as_manager.get(f"/orders/{order.pk}/availability/", headers=HTMX)).text
    assert f"{len(offers) - 1} numbers match right now." in text


def test_order_that_nothing_matches_is_not_approved_and_still_waits(
    as_manager: Client, ask: Callable[..., Order], sandbox: SandboxServer
) -> None:
    order = ask(area_code="316", exchange="999")
    response = approve(as_manager, order)
    assert response.status_code == 409
    assert "No free number matches its search, so there is nothing to approve. It still waits." in Page(response).text
    order.refresh_from_db()
    assert order.status == OrderStatus.PENDING


def test_approval_says_that_the_search_takes_the_place_of_a_number_that_is_gone(
    as_manager: Client, ask: Callable[..., Order], sandbox: SandboxServer
) -> None:
    order = ask(CAKE, area_code="316")
    sandbox.take(CAKE)
    response = approve(as_manager, order)
    alerts = Page(as_manager.get(response["Location"])).alerts
    assert f"(316) 734-2253 of order {order.pk} is gone: the best number that matches its search will be bought." in (
        alerts
    )


def test_price_of_a_search_is_known_where_it_finds_one_kind_of_number(
    as_manager: Client, ask: Callable[..., Order], settings: Any
) -> None:
    settings.MONTHLY_PRICE_LOCAL, settings.MONTHLY_PRICE_TOLLFREE = 3, 5
    for criteria, price in (
        ({"area_code": "316"}, "3 USD a month"),
        ({"area_code": "888"}, "5 USD a month"),
        ({"show_tollfree": True}, "5 USD a month"),
        ({"city": "Wichita"}, "3 USD a month"),
        ({"vanity_text": "CAKE"}, ""),
    ):
        text = Page(as_manager.get(f"/orders/{ask(**criteria).pk}/")).text
        assert (price in text) if price else ("a month" not in text)


def test_mail_names_the_search(
    manager: User, ask: Callable[..., Order], worker: Actor, django_capture_on_commit_callbacks: Any
) -> None:
    from numbers_app.services.notifications import notification_mail

    User.objects.update(mail_wanted=True)
    order = ask(area_code="316", vanity_text="CAKE")
    notification_mail(actor=worker, notification_id=order.notifications.get(user=manager).pk)
    [message] = mail.outbox
    assert "purchase of any number with area code 316, spelling CAKE" in message.subject
    assert "Any number that matches: area code 316, spelling CAKE" in message.body


def test_history_can_be_searched_for_changed_searches(signed_in: Any, auditor: User, ask: Callable[..., Order]) -> None:
    ask(area_code="316")
    entry = HistoryEntry.objects.get()
    page = Page(signed_in(auditor).get("/history/?field=criteria"))
    assert f"requested order {entry.order_id}" in page.text


def test_search_cannot_smuggle_anything_into_a_page(as_rep: Client) -> None:
    page = Page(as_rep.get("/orders/new/", {"first_match": "1", "city": "<script>alert(1)</script>"}))
    assert "<script>alert(1)" not in page.html
