"""Settling an unknown order by hand: the evidence, what was found, and why it is to be believed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Attempt, AttemptKind, Campaign, HistoryEntry, Order, OrderStatus, User, Verb
from numbers_app.services.decisions import order_approve
from numbers_app.services.settlement import Finding, order_settle
from tests.sandbox_server import SandboxServer

from .conftest import CAKE, Purchase
from .page import Page

pytestmark = pytest.mark.django_db

WHY = "Order list of Callcap, page 2"


def address_of(order: Order) -> str:
    return f"/orders/{order.pk}/settle/"


def settle(client: Client, order: Order, finding: str = "carried_out", reason: str = WHY) -> Any:
    return client.post(address_of(order), {"finding": finding, "reason": reason})


def findings(page: Page) -> dict[str, str]:
    """{value: words} of what can be chosen."""
    chosen = page.all("input", name="finding", type="radio")
    return {one.attributes["value"]: page.one("label", for_=one.attributes["id"]).text for one in chosen}


@pytest.fixture
def doubted(sandbox: SandboxServer, purchase: Purchase, manager: User, carry_out: Any) -> Order:
    """A purchase of unknown outcome that the portal still checks by itself."""
    order = purchase()
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    sandbox.arm_fault("drop_before_commit", "provision")
    assert carry_out(order).status == OrderStatus.UNKNOWN
    return order


@pytest.fixture
def doubted_change(change: Purchase, campaign: Campaign, manager2: User) -> Order:
    """A rep's change of which nobody knows whether Callcap made it."""
    order = change(campaign, destination="3165550100")
    order_approve(actor=Actor.person(manager2), order_id=order.pk, revision=1)
    now = timezone.now()
    Attempt.objects.create(
        order=order,
        kind=AttemptKind.UPDATE,
        number=CAKE,
        parameters=order.parameters,
        started_at=now,
        finished_at=now,
        lease_until=now,
        outcome="unknown",
        ever_unknown=True,
        recorded=True,
        message="No answer.",
    )
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.UNKNOWN, execute_after=None)
    order.refresh_from_db()
    return order


# --- the page -------------------------------------------------------------------------------------------------------


def test_everything_that_is_known_is_shown(as_manager: Client, misnamed: Order, sandbox: SandboxServer) -> None:
    attempt = misnamed.attempts.get()
    text = Page(as_manager.get(address_of(misnamed))).text
    for words in (
        "(316) 734-2253 for Location 3 (L-3), asked for by Rep Test, approved by Manager Test.",
        misnamed.result,
        "Nothing more can be found out from here. A manager settles it.",
        f"Every call to Callcap for order {misnamed.pk} (1)",
        f"HTTP status {attempt.http_status}",
        f"Callcap's words {attempt.message}",
        "Destination (316) 444-7896",
        "Reason: For the spring campaign",
    ):
        assert words in text, words
    assert sandbox.api_key not in text


def test_an_order_that_is_still_checked_says_when(as_manager: Client, doubted: Order) -> None:
    assert "Checked again by itself:" in Page(as_manager.get(address_of(doubted))).text


def test_of_a_purchase_it_is_asked_whether_it_was_bought(as_manager: Client, doubted: Order) -> None:
    page = Page(as_manager.get(address_of(doubted)))
    assert findings(page) == {
        "carried_out": "(316) 734-2253 is ours: it was bought",
        "not_carried_out": "(316) 734-2253 is not ours: it was not bought",
    }
    assert page.values("finding") == []


def test_a_number_that_callcap_named_can_be_what_was_bought(as_manager: Client, misnamed: Order) -> None:
    named = misnamed.attempts.get().named_number
    shown = f"({named[:3]}) {named[3:6]}-{named[6:]}"
    assert findings(Page(as_manager.get(address_of(misnamed)))) == {
        "carried_out": "(316) 734-2253 is ours: it was bought",
        "another_number": f"{shown}, which Callcap named, is ours, and (316) 734-2253 is not",
        "not_carried_out": "(316) 734-2253 is not ours: it was not bought",
    }


def test_of_a_change_it_is_asked_which_values_the_number_has(as_manager: Client, doubted_change: Order) -> None:
    page = Page(as_manager.get(address_of(doubted_change)))
    assert findings(page) == {
        "carried_out": "(316) 734-2253 has the values of this order",
        "not_carried_out": "(316) 734-2253 is as it was before",
    }
    assert "(316) 555-0100" in page.one("table", class_="diff").text


# --- what was found -------------------------------------------------------------------------------------------------


def test_a_purchase_found_bought_is_done_and_its_number_is_ours(as_manager: Client, misnamed: Order) -> None:
    response = settle(as_manager, misnamed)
    assert response["Location"] == f"/orders/{misnamed.pk}/"
    page = Page(as_manager.get(response["Location"]))
    assert page.alerts == [f"Order {misnamed.pk} is settled."]
    assert f"Callcap carried it out. Settled by Manager Test: {WHY}" in page.text
    assert Campaign.objects.get().phone_number == CAKE
    entry = HistoryEntry.objects.get(verb=Verb.ORDER_SETTLED)
    assert (entry.actor_name, WHY in entry.reason) == ("Manager Test", True)


def test_a_purchase_of_the_number_that_callcap_named_leads_to_that_one(as_manager: Client, misnamed: Order) -> None:
    named = misnamed.attempts.get().named_number
    settle(as_manager, misnamed, "another_number")
    assert Campaign.objects.get().phone_number == named
    page = Page(as_manager.get(f"/orders/{misnamed.pk}/"))
    assert f"/numbers/{named}/" in [link.attributes["href"] for link in page.all("a")]


def test_a_purchase_found_not_bought_has_failed_and_frees_its_number(
    as_manager: Client, misnamed: Order, purchase: Purchase
) -> None:
    settle(as_manager, misnamed, "not_carried_out")
    misnamed.refresh_from_db()
    assert misnamed.status == OrderStatus.FAILED
    assert not Campaign.objects.exists()
    assert purchase().status == OrderStatus.PENDING


def test_a_change_found_made_is_what_the_number_rings(
    as_manager: Client, doubted_change: Order, campaign: Campaign
) -> None:
    settle(as_manager, doubted_change)
    campaign.refresh_from_db()
    assert campaign.destination == "3165550100"


def test_an_order_that_is_still_checked_can_be_settled_earlier(as_manager: Client, doubted: Order) -> None:
    assert settle(as_manager, doubted, "not_carried_out").status_code == 302
    doubted.refresh_from_db()
    assert doubted.status == OrderStatus.FAILED


# --- mistakes and conflicts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("", "Say how you know, for whoever reads the history."),
        ("  ", "Say how you know"),
        ("x" * 1001, "at most 1000 characters"),
        ("a\x00b", "Remove the null character"),
    ],
)
def test_without_a_usable_reason_nothing_is_settled_and_what_was_chosen_is_kept(
    as_manager: Client, misnamed: Order, reason: str, sentence: str
) -> None:
    response = settle(as_manager, misnamed, "not_carried_out", reason)
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.error_at("reason")
    assert (page.values("finding"), page.value("reason")) == (["not_carried_out"], reason)
    misnamed.refresh_from_db()
    assert misnamed.status == OrderStatus.UNKNOWN


@pytest.mark.parametrize(
    ("finding", "sentence"), [("", "Say what you found."), ("perhaps", "not one of the available choices")]
)
def test_without_a_finding_nothing_is_settled_and_the_reason_is_kept(
    as_manager: Client, misnamed: Order, finding: str, sentence: str
) -> None:
    response = settle(as_manager, misnamed, finding)
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.error_at("finding")
    assert page.value("reason") == WHY


def test_another_number_cannot_be_found_where_callcap_named_none(as_manager: Client, doubted: Order) -> None:
    assert settle(as_manager, doubted, "another_number").status_code == 422
    doubted.refresh_from_db()
    assert doubted.status == OrderStatus.UNKNOWN


def test_while_callcap_is_being_asked_it_is_a_conflict_that_keeps_what_was_written(
    as_manager: Client, doubted: Order
) -> None:
    now = timezone.now()
    Attempt.objects.create(
        order=doubted,
        kind=AttemptKind.PROBE,
        number=CAKE,
        parameters={},
        started_at=now,
        lease_until=now + timedelta(minutes=1),
    )
    response = settle(as_manager, doubted, "not_carried_out")
    page = Page(response)
    assert response.status_code == 409
    assert "Callcap is being asked about this order right now." in page.summary
    assert "What you wrote is kept below." in page.summary
    assert (page.value("reason"), page.values("finding")) == (WHY, ["not_carried_out"])


def test_who_was_too_late_is_led_to_what_was_found(as_manager: Client, misnamed: Order, manager2: User) -> None:
    order_settle(
        actor=Actor.person(manager2), order_id=misnamed.pk, finding=Finding.NOT_CARRIED_OUT, reason="I looked."
    )
    response = settle(as_manager, misnamed)
    assert response["Location"] == f"/orders/{misnamed.pk}/"
    assert "Settled by Manager2 Test: I looked." in Page(as_manager.get(response["Location"])).text
    assert HistoryEntry.objects.filter(verb=Verb.ORDER_SETTLED).count() == 1


# --- who may --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "status"), [("rep", 403), ("auditor", 403), ("admin", 403), ("stranger", 404), ("strange_manager", 404)]
)
def test_who_decides_nothing_here_settles_nothing(
    request: pytest.FixtureRequest, signed_in: Any, misnamed: Order, person: str, status: int
) -> None:
    client = signed_in(request.getfixturevalue(person))
    assert client.get(address_of(misnamed)).status_code == status
    assert settle(client, misnamed).status_code == status
    misnamed.refresh_from_db()
    assert misnamed.status == OrderStatus.UNKNOWN


def test_who_asked_for_it_does_not_settle_it_and_is_not_offered_to(
    as_manager: Client, signed_in: Any, misnamed: Order, manager: User, manager2: User
) -> None:
    Order.objects.filter(pk=misnamed.pk).update(requester_id=manager2.pk, author_id=manager2.pk)
    client = signed_in(manager2)
    assert not Page(client.get(f"/orders/{misnamed.pk}/")).links("Then settle it")
    response = settle(client, misnamed)
    assert response.status_code == 403
    assert "You asked for this yourself" in Page(response).text
    assert Page(as_manager.get(f"/orders/{misnamed.pk}/")).links("Then settle it") == [address_of(misnamed)]
