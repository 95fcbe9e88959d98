"""Writing a waiting order anew: by who asked or a manager, as a new revision that somebody else decides on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, HistoryEntry, Order, OrderKind, OrderStatus, User, Verb
from numbers_app.permissions import Role
from numbers_app.services.decisions import order_approve, order_reject
from numbers_app.services.orders import WantedNumber, order_amend
from tests.factories import CampaignFactory, GrantFactory, UserFactory
from tests.sandbox_server import SandboxServer

from .conftest import CAKE, Purchase
from .page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def second(sandbox: SandboxServer) -> str:
    """A public number that Callcap offers besides CAKE."""
    return next(offer["phoneNumber"] for offer in sandbox.search(areaCode="316") if offer["phoneNumber"] != CAKE)


def address_of(order: Order) -> str:
    return f"/orders/{order.pk}/amend/"


def form_of(client: Client, order: Order) -> dict[str, Any]:
    """What the form sends when nothing is touched."""
    response = client.get(address_of(order))
    assert response.status_code == 200
    return Page(response).filled(address_of(order))


def amend(client: Client, order: Order, **typed: Any) -> Any:
    return client.post(address_of(order), form_of(client, order) | typed)


def differences(page: Page) -> dict[str, tuple[str, str]]:
    """{field: (before, after)} of the last amendment on an order's page."""
    lines = page.all("table", class_="diff")[-1].all("tr")[1:]
    return {line.one("th").text: (line.one("del").text, line.one("ins").text) for line in lines}


# --- a purchase -----------------------------------------------------------------------------------------------------


def test_the_form_holds_everything_that_was_asked_for(as_rep: Client, purchase: Purchase) -> None:
    later = datetime(2099, 1, 31, 14, 0, tzinfo=UTC)
    order = purchase(
        CAKE,
        "3167342254",
        urgent=True,
        execute_after=later,
        campaign_name="Cakes",
        recording=False,
        evaluation="realtime",
        media_type_id=7,
        stop_date="2099-05-01",
        notes="one\ntwo",
    )
    filled = form_of(as_rep, order)
    assert filled["number"] == [CAKE, "3167342254", ""]
    assert {name: filled[name] for name in ("destination", "campaign_name", "recording", "evaluation")} == {
        "destination": ["3164447896"],
        "campaign_name": ["Cakes"],
        "recording": ["false"],
        "evaluation": ["realtime"],
    }
    assert {name: filled[name] for name in ("media_type_id", "stop_date", "notes", "reason", "revision")} == {
        "media_type_id": ["7"],
        "stop_date": ["2099-05-01"],
        "notes": ["one\ntwo"],
        "reason": ["For the spring campaign"],
        "revision": ["1"],
    }
    assert (filled["urgent"], filled["execute_after"]) == (["on"], ["2099-01-31T08:00"])


def test_an_amended_order_is_a_new_revision_whose_difference_its_requester_sees(
    as_rep: Client, as_manager: Client, purchase: Purchase, second: str, manager: User
) -> None:
    order = purchase()
    response = amend(
        as_manager, order, number=[second, CAKE], destination="(316) 555-0100", campaign_name="Cakes", reason="Better"
    )
    assert response["Location"] == f"/orders/{order.pk}/"
    assert Page(as_manager.get(f"/orders/{order.pk}/")).alerts == [
        f"Order {order.pk} is rewritten. Somebody who wrote nothing of it decides."
    ]
    order.refresh_from_db()
    assert (order.status, order.revision, order.author_id) == (OrderStatus.PENDING, 2, manager.pk)
    assert order.requester_name == "Rep Test"
    assert [str(choice) for choice in order.choices.all()] == [second, CAKE]
    page = Page(as_rep.get(f"/orders/{order.pk}/"))
    assert "asked for by Rep Test, revision 2 by Manager Test" in page.text
    assert "Manager Test amended it" in page.text
    shown = differences(page)
    assert shown.pop("Numbers")[0] == "(316) 734-2253"
    assert shown == {
        "Destination": ("(316) 444-7896", "(316) 555-0100"),
        "Campaign name": ("empty", "Cakes"),
        "Reason": ("For the spring campaign", "Better"),
    }
    news = Page(as_rep.get("/notifications/")).text
    assert f"Order {order.pk}, purchase of ({second[:3]}) {second[3:6]}-{second[6:]} or another choice, was" in news


def test_urgency_and_time_can_be_amended_too(as_rep: Client, sandbox: SandboxServer, purchase: Purchase) -> None:
    order = purchase()
    assert amend(as_rep, order, urgent="on", execute_after="2027-01-31T08:00").status_code == 302
    order.refresh_from_db()
    assert (order.urgent, order.execute_after) == (True, datetime(2027, 1, 31, 14, 0, tzinfo=UTC))


def test_letters_and_place_of_a_number_that_stays_are_kept(
    as_rep: Client, sandbox: SandboxServer, purchase: Purchase
) -> None:
    order = purchase(WantedNumber(CAKE, "Wichita, KS", "316-734-CAKE"))
    amend(as_rep, order, memo1="left")
    choice = order.choices.get()
    assert (choice.spelling, choice.place) == ("316-734-CAKE", "Wichita, KS")


def test_the_location_stays_whatever_is_sent(
    as_rep: Client, sandbox: SandboxServer, purchase: Purchase, rep: User, elsewhere: Account
) -> None:
    GrantFactory(user=rep, account=elsewhere)
    order = purchase()
    assert amend(as_rep, order, account="L-30", memo1="left").status_code == 302
    order.refresh_from_db()
    assert order.account.key == "L-3"


def test_a_number_that_callcap_no_longer_offers_is_refused_at_its_field(
    as_rep: Client, sandbox: SandboxServer, purchase: Purchase, second: str
) -> None:
    order = purchase()
    sandbox.take(second)
    response = amend(as_rep, order, number=[second], memo1="left")
    page = Page(response)
    assert response.status_code == 422
    assert "is not available to Location 3 (L-3) any more" in page.error_at("number")
    assert (page.values("number"), page.value("memo1")) == ([second, ""], "left")


def test_a_number_of_another_order_or_of_ours_is_refused_at_its_field(
    as_rep: Client, sandbox: SandboxServer, purchase: Purchase, second: str, location: Account
) -> None:
    order, other = purchase(), purchase(second)
    response = amend(as_rep, order, number=[second])
    assert response.status_code == 422
    assert f"is already asked for in order {other.pk}" in Page(response).error_at("number")
    third = next(
        offer["phoneNumber"] for offer in sandbox.search(areaCode="316") if offer["phoneNumber"] not in (CAKE, second)
    )
    CampaignFactory(account=location, phone_number=third)
    assert "is already one of our numbers" in Page(amend(as_rep, order, number=[third])).error_at("number")
    order.refresh_from_db()
    assert order.revision == 1


def test_an_absent_callcap_keeps_nobody_from_amending(as_rep: Client, purchase: Purchase) -> None:
    order = purchase()
    response = as_rep.post(address_of(order), form_of(as_rep, order) | {"memo1": "left"}, follow=True)
    assert "Your order is kept." in Page(response).alerts[0]
    order.refresh_from_db()
    assert order.revision == 2


def test_an_amendment_that_changes_nothing_is_refused(
    as_rep: Client, sandbox: SandboxServer, purchase: Purchase
) -> None:
    order = purchase(campaign_name="Cakes", stop_date="2099-05-01", recording=True)
    response = amend(as_rep, order)
    assert response.status_code == 422
    assert "Nothing would change: every value is as it was." in Page(response).summary
    assert not HistoryEntry.objects.filter(verb=Verb.ORDER_AMENDED).exists()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("destination", "555", "not a US or Canadian number"),
        ("stop_date", "2020-01-01", "has passed at Location 3"),
        ("number", ["316"], "not a US or Canadian number"),
        ("execute_after", "yesterday", "Give date and time"),
        ("notes", "a\x00b", "Remove the null character"),
    ],
)
def test_a_bad_value_is_refused_at_its_field_and_everything_typed_is_kept(
    as_rep: Client, purchase: Purchase, field: str, value: Any, sentence: str
) -> None:
    order = purchase()
    response = amend(as_rep, order, memo1="left", **{field: value})
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.error_at(field)
    assert page.value("memo1") == "left"
    assert page.values(field)[0] == (value[0] if isinstance(value, list) else value)


# --- conflicts ------------------------------------------------------------------------------------------------------


def test_who_was_overtaken_gets_everything_typed_back(
    as_rep: Client, sandbox: SandboxServer, purchase: Purchase, manager: User
) -> None:
    order = purchase()
    typed = form_of(as_rep, order) | {"memo1": "left", "reason": "Mine", "execute_after": "2027-01-31T08:00"}
    order_amend(
        actor=Actor.person(manager),
        order_id=order.pk,
        revision=1,
        wanted=[WantedNumber(CAKE)],
        parameters={"destination": "3165550100"},
        reason="Theirs",
        urgent=False,
        execute_after=None,
    )
    response = as_rep.post(address_of(order), typed)
    page = Page(response)
    assert response.status_code == 409
    assert "Manager Test rewrote this order on" in page.summary
    assert "What you typed is kept below; nothing of it was saved." in page.summary
    assert (page.value("memo1"), page.value("reason")) == ("left", "Mine")
    assert page.value("execute_after") == "2027-01-31T08:00"
    order.refresh_from_db()
    assert (order.revision, order.reason) == (2, "Theirs")


def test_an_order_that_was_decided_can_only_be_looked_at(as_rep: Client, purchase: Purchase, manager: User) -> None:
    order = purchase()
    order_reject(actor=Actor.person(manager), order_id=order.pk, revision=1, reason="We have one.")
    assert as_rep.get(address_of(order))["Location"] == f"/orders/{order.pk}/"


def test_who_was_too_late_gets_everything_typed_back(
    as_rep: Client, sandbox: SandboxServer, purchase: Purchase, manager: User
) -> None:
    order = purchase()
    typed = form_of(as_rep, order) | {"memo1": "left"}
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    response = as_rep.post(address_of(order), typed)
    assert response.status_code == 409
    assert Page(response).value("memo1") == "left"


# --- who may --------------------------------------------------------------------------------------------------------


def test_a_manager_does_not_approve_what_they_amended_and_another_one_does(
    as_manager: Client, signed_in: Any, sandbox: SandboxServer, purchase: Purchase, manager2: User
) -> None:
    order = purchase()
    amend(as_manager, order, memo1="left")
    assert not Page(as_manager.get("/orders/")).all("article")
    response = as_manager.post(f"/orders/{order.pk}/approve/", {"revision": 2})
    assert response.status_code == 403
    assert "wrote a part of it, so somebody else decides" in Page(response).text
    assert as_manager.post(f"/orders/{order.pk}/reject/", {"revision": 2, "reason": "No"}).status_code == 403
    assert signed_in(manager2).post(f"/orders/{order.pk}/approve/", {"revision": 2}).status_code == 302
    order.refresh_from_db()
    assert order.decider_id == manager2.pk


def test_nor_after_somebody_else_has_amended_it_once_more(
    as_manager: Client, as_rep: Client, sandbox: SandboxServer, purchase: Purchase
) -> None:
    order = purchase()
    amend(as_manager, order, memo1="left")
    amend(as_rep, order, memo1="right")
    assert as_manager.post(f"/orders/{order.pk}/approve/", {"revision": 3}).status_code == 403
    order.refresh_from_db()
    assert (order.status, order.revision) == (OrderStatus.PENDING, 3)


def test_another_rep_of_the_location_finds_no_form(signed_in: Any, purchase: Purchase, location: Account) -> None:
    other: User = UserFactory(role=Role.SALES_REP)
    GrantFactory(user=other, account=location)
    order = purchase()
    client = signed_in(other)
    assert client.get(address_of(order)).status_code == 404
    assert client.post(address_of(order), {"revision": 1, "destination": "3165550100"}).status_code == 404


@pytest.mark.parametrize(("person", "status"), [("auditor", 403), ("admin", 403), ("strange_manager", 404)])
def test_who_orders_nothing_here_amends_nothing(
    request: pytest.FixtureRequest, signed_in: Any, purchase: Purchase, person: str, status: int
) -> None:
    order = purchase()
    client = signed_in(request.getfixturevalue(person))
    assert client.get(address_of(order)).status_code == status
    assert client.post(address_of(order), {"revision": 1, "destination": "3165550100"}).status_code == status


def test_a_repetition_that_the_portal_made_is_not_amended(
    as_manager: Client, change: Purchase, campaign: Campaign, manager: User
) -> None:
    order = change(campaign, by=manager, destination="3165550100")
    Order.objects.filter(pk=order.pk).update(kind=OrderKind.REAPPLY)
    assert as_manager.get(address_of(order)).status_code == 404


# --- a change -------------------------------------------------------------------------------------------------------


def test_the_form_of_a_change_holds_what_was_wished_over_what_is(
    as_rep: Client, change: Purchase, campaign: Campaign
) -> None:
    filled = form_of(as_rep, change(campaign, destination="3165550100", stop_date="2099-05-01"))
    assert filled["destination"] == ["3165550100"]
    assert filled["stop_date"] == ["2099-05-01"]
    assert filled["campaign_name"] == ["Spring cakes"]
    assert filled["reason"] == ["The shop has moved"]


def test_an_amended_change_asks_for_what_differs_from_the_number(
    as_rep: Client, as_manager: Client, change: Purchase, campaign: Campaign
) -> None:
    order = change(campaign, destination="3165550100", notes="new")
    assert amend(as_manager, order, destination="(316) 555-0111", notes="").status_code == 302
    order.refresh_from_db()
    assert (order.parameters, order.revision) == ({"destination": "3165550111"}, 2)
    assert differences(Page(as_rep.get(f"/orders/{order.pk}/"))) == {
        "Destination": ("(316) 555-0100", "(316) 555-0111"),
        "Notes": ("new", "empty"),
    }


def test_an_amended_change_of_nothing_new_is_refused(as_rep: Client, change: Purchase, campaign: Campaign) -> None:
    order = change(campaign, destination="3165550100")
    response = amend(as_rep, order)
    assert response.status_code == 422
    assert "Nothing would change" in Page(response).summary


def test_an_overtaken_amendment_of_a_change_keeps_everything_typed(
    as_rep: Client, as_manager: Client, change: Purchase, campaign: Campaign
) -> None:
    order = change(campaign, destination="3165550100")
    typed = form_of(as_rep, order) | {"destination": "(316) 555-0111", "notes": "mine"}
    amend(as_manager, order, destination="(316) 555-0122")
    response = as_rep.post(address_of(order), typed)
    page = Page(response)
    assert response.status_code == 409
    assert (page.value("destination"), page.value("notes")) == ("(316) 555-0111", "mine")
    order.refresh_from_db()
    assert order.parameters == {"destination": "3165550122"}
