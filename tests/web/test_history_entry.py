"""The page of one entry: what it says, its neighbours, its order from request to answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import Account, Batch, Campaign, HistoryEntry, Order, User, Verb
from numbers_app.services.batches import batch_reject
from numbers_app.services.decisions import order_approve
from numbers_app.services.switch import purchases_pause
from tests.batches.making import campaigns_at, change_draft, import_draft, release, running, submit
from tests.factories import CampaignFactory, GrantFactory
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


def test_a_change_of_a_batch_is_shown_from_its_submission(
    as_rep: Client, rep: User, manager: User, campaign: Campaign
) -> None:
    batch = running(rep, manager, change_draft(rep, [campaign]))
    release(batch)
    asked = HistoryEntry.objects.get(verb=Verb.ORDER_REQUESTED)
    chain = page_of(as_rep, asked.sequence).one("section", aria_labelledby="chain-heading")
    steps = ["submitted 1 row of batch", "approved 1 row of batch", "Rep Test requested", "Manager Test approved order"]
    assert [chain.text.index(step) for step in steps] == sorted(chain.text.index(step) for step in steps)
    assert f"Belongs to batch {batch.pk}: {batch.title}" in chain.text
    links = [link.attributes["href"] for link in chain.all("a")]
    assert links[-1] == f"/batches/{batch.pk}/"
    # Every step can be opened by who may see the batch, though it may name no account.
    assert {as_rep.get(there).status_code for there in links} == {200}


def test_an_import_is_shown_with_its_batch(as_rep: Client, rep: User, manager: User, location: Account) -> None:
    for number in ("3167342254", "3167342255"):
        release(running(rep, manager, import_draft(rep, location, number)))
    imported = HistoryEntry.objects.get(verb=Verb.NUMBER_IMPORTED, number="3167342255")
    chain = page_of(as_rep, imported.sequence).one("section", aria_labelledby="chain-heading").text
    batch = Batch.objects.first()
    assert batch is not None
    assert f"From request to answer: batch {batch.pk}" in chain
    said = [f"submitted 1 row of batch {batch.pk}", "approved 1 row of", "imported (316) 734-2255"]
    assert [chain.index(words) for words in said] == sorted(chain.index(words) for words in said)
    assert "734-2254" not in chain


def test_what_follows_from_an_order_is_shown_from_that_orders_request(
    as_rep: Client, purchase: Purchase, manager: User, carry_out: Callable[[Order], Order], sandbox: SandboxServer
) -> None:
    order = purchase(CAKE, stop_date="2098-01-01")
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    carry_out(order)
    child = Order.objects.get(parent=order)
    approved = HistoryEntry.objects.get(order_id=child.pk, verb=Verb.ORDER_APPROVED)
    chain = page_of(as_rep, approved.sequence).one("section", aria_labelledby="chain-heading").text
    assert chain.index(f"requested order {order.pk}") < chain.index(f"approved order {child.pk}")


def test_everybody_reads_who_paused_what_is_sent(as_rep: Client, as_manager: Client, manager: User) -> None:
    purchases_pause(actor=Actor.person(manager), reason="Callcap charges twice")
    paused = HistoryEntry.objects.get(verb="sending.paused")
    for client in (as_rep, as_manager):
        assert "Callcap charges twice" in page_of(client, paused.sequence).text


def test_entries_of_a_batch_in_several_accounts_are_read_by_who_may_see_it(
    as_rep: Client,
    as_manager: Client,
    signed_in: Any,
    rep: User,
    manager: User,
    strange_manager: User,
    stranger: User,
    location: Account,
    elsewhere: Account,
) -> None:
    GrantFactory(user=rep, account=elsewhere)
    batch = submit(rep, change_draft(rep, [*campaigns_at(location, 1), *campaigns_at(elsewhere, 1, first=3000)]))
    batch_reject(actor=Actor.person(strange_manager), batch_id=batch.pk, reason="Not to Denver", lines=None)
    submitted, rejected = HistoryEntry.objects.filter(verb__startswith="batch.").order_by("sequence")
    assert submitted.account_key == ""
    assert "The shop has moved" in page_of(as_rep, submitted.sequence).text
    assert "The shop has moved" in page_of(as_manager, submitted.sequence).text
    assert "Not to Denver" in page_of(as_rep, rejected.sequence).text
    # The rows that this is about lie where they were not granted.
    assert as_manager.get(f"/history/{rejected.sequence}/").status_code == 404
    page = page_of(as_manager, submitted.sequence)
    assert "Denver" not in page.text
    # That it was rejected is said, without a link that would lead nowhere.
    assert "rejected 1 row" in page.text
    assert f"/history/{rejected.sequence}/" not in {link.attributes["href"] for link in page.all("a")}
    assert signed_in(stranger).get(f"/history/{submitted.sequence}/").status_code == 404


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
