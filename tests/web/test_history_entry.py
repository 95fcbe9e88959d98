"""The page of one entry: what it says, its neighbours, its order from request to answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import Campaign, HistoryEntry, Order, User, Verb
from numbers_app.services.decisions import order_approve
from tests.factories import CampaignFactory
from tests.history.conftest import write_change
from tests.history.tampering import guards_lifted, run_sql
from tests.sandbox_server import SandboxServer

from .conftest import CAKE, Purchase
from .page import Page

pytestmark = pytest.mark.django_db


def page_of(client: Client, sequence: int) -> Page:
    response = client.get(f"/history/{sequence}/")
    assert response.status_code == 200
    return Page(response)


def test_it_leads_to_what_happened_to_the_number_before_and_after(as_rep: Client, campaign: Campaign) -> None:
    CampaignFactory(phone_number="3167342254", account=campaign.account)
    second, third = write_change(campaign, "3165550100"), write_change(campaign, "3165550101")
    page = page_of(as_rep, second.sequence)
    assert "re-routed (316) 734-2253 from (316) 444-7896 to (316) 555-0100" in page.text
    assert page.links("Before: entry") == ["/history/1/"]
    assert page.links("After: entry") == [f"/history/{third.sequence}/"]
    assert "The first entry about this number" in page_of(as_rep, 1).text
    assert "The newest entry about this number" in page_of(as_rep, third.sequence).text


def test_a_purchase_is_shown_from_request_to_answer(
    as_rep: Client,
    sandbox: SandboxServer,
    purchase: Purchase,
    manager: User,
    carry_out: Callable[[Order], Order],
) -> None:
    order = purchase(CAKE)
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    carry_out(order)
    bought = HistoryEntry.objects.get(verb=Verb.NUMBER_BOUGHT)
    page = page_of(as_rep, bought.sequence)
    chain = page.one("section", aria_labelledby="chain-heading").text
    assert f"order {order.pk}" in chain
    steps = ["Rep Test requested", "Manager Test approved", "Worker sent", "Rep Test bought", "Worker completed"]
    assert [chain.index(step) for step in steps] == sorted(chain.index(step) for step in steps)
    assert chain.count("This entry") == 1
    assert "HTTP 200: success" in page.one("section", aria_labelledby="vendor-heading").text
    assert "Applied" in page.one("section", aria_labelledby="attempts-heading").text


def test_it_proves_itself(as_rep: Client, campaign: Campaign) -> None:
    entry = HistoryEntry.objects.get()
    proof = page_of(as_rep, 1).one("section", aria_labelledby="proof-heading").text
    assert "fit each other and the entry before" in proof
    assert entry.hash in proof
    assert entry.canonical in proof


@pytest.mark.parametrize(
    "alteration", ["actor_name = 'Nobody'", "canonical = replace(canonical, 'Factory', 'Nobody')", "hash = 'f'"]
)
def test_an_altered_entry_says_so(as_rep: Client, campaign: Campaign, alteration: str) -> None:
    with guards_lifted():
        run_sql(f"UPDATE numbers_app_historyentry SET {alteration}")
    assert "This entry was altered" in page_of(as_rep, 1).text


def test_an_entry_whose_predecessor_was_altered_says_so(as_rep: Client, campaign: Campaign) -> None:
    second = write_change(campaign, "3165550100")
    with guards_lifted():
        run_sql("UPDATE numbers_app_historyentry SET hash = 'f' WHERE sequence = 1")
    assert "This entry was altered" in page_of(as_rep, second.sequence).text


def test_an_entry_of_another_account_is_not_there(signed_in: Any, stranger: User, campaign: Campaign) -> None:
    assert signed_in(stranger).get("/history/1/").status_code == 404
    assert signed_in(stranger).get("/history/999/").status_code == 404


def test_the_list_leads_to_each_entry(as_rep: Client, campaign: Campaign) -> None:
    assert Page(as_rep.get("/history/")).links("Entry 1") == ["/history/1/"]
