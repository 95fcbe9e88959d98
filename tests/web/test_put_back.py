"""Putting a change back: the form with the values before it, then the usual step and order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Campaign, HistoryEntry, Order, User, Verb
from numbers_app.services.decisions import order_approve
from numbers_app.services.mirror import campaign_end
from tests.factories import CampaignFactory
from tests.sandbox_server import SandboxServer

from .conftest import Purchase
from .page import Page
from .test_number_change import URL, changes_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def changed(
    sandbox: SandboxServer,
    purchase: Purchase,
    change: Purchase,
    manager: User,
    carry_out: Callable[[Order], Order],
) -> Callable[..., HistoryEntry]:
    """``changed(destination=…)``: the entry of a change that was carried out."""

    def make(**values: Any) -> HistoryEntry:
        if not Campaign.objects.exists():
            order = purchase(brand="Blue")
            order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
            carry_out(order)
        assert carry_out(change(Campaign.objects.get(), by=manager, **values)).status == "done"
        return HistoryEntry.objects.filter(verb=Verb.NUMBER_CHANGED).latest("sequence")

    return make


def put_back(client: Client, entry: HistoryEntry) -> Page:
    response = client.get(URL, {"put_back": entry.sequence})
    assert response.status_code == 200
    return Page(response)


def test_the_entry_leads_to_the_form_with_the_values_before_it(
    as_rep: Client, changed: Callable[..., HistoryEntry]
) -> None:
    entry = changed(destination="3165550100", brand="Red")
    page = Page(as_rep.get(f"/history/{entry.sequence}/"))
    assert page.links("Put it back") == [f"{URL}?put_back={entry.sequence}"]
    form = put_back(as_rep, entry)
    assert f"Filled in as it was before entry {entry.sequence}" in form.text
    filled = form.filled(URL)
    assert (filled["destination"], filled["brand"]) == (["3164447896"], ["Blue"])
    assert filled["reason"] == [f"Puts back what entry {entry.sequence} changed."]
    assert "memo1" not in filled


def test_it_goes_on_with_the_usual_step_and_an_order(as_rep: Client, changed: Callable[..., HistoryEntry]) -> None:
    entry = changed(destination="3165550100")
    shown = Page(as_rep.post(URL, put_back(as_rep, entry).filled(URL)))
    assert changes_on(shown) == [("Destination", "(316) 555-0100", "(316) 444-7896")]
    as_rep.post(URL, shown.filled(URL) | {"confirmed": "1"})
    order = Order.objects.latest("pk")
    assert (order.status, order.parameters) == ("pending", {"destination": "3164447896"})
    assert order.reason == f"Puts back what entry {entry.sequence} changed."


def test_only_what_differs_from_now_is_put_back(as_rep: Client, changed: Callable[..., HistoryEntry]) -> None:
    entry = changed(destination="3165550100", brand="Red")
    changed(destination="3164447896", brand="Green")
    filled = put_back(as_rep, entry).filled(URL)
    assert filled["brand"] == ["Blue"]
    assert "destination" not in filled


def test_when_all_is_as_before_there_is_nothing_to_put_back(
    as_rep: Client, changed: Callable[..., HistoryEntry]
) -> None:
    entry = changed(destination="3165550100")
    changed(destination="3164447896")
    response = as_rep.get(URL, {"put_back": entry.sequence}, follow=True)
    assert "there is nothing to put back" in Page(response).alerts[0]


def test_a_number_that_had_no_stop_date_runs_on_again(as_rep: Client, changed: Callable[..., HistoryEntry]) -> None:
    entry = changed(stop_date="2098-05-01")
    form = put_back(as_rep, entry)
    assert form.value("stop_date") == ""
    shown = Page(as_rep.post(URL, form.filled(URL)))
    assert changes_on(shown) == [("Stop date", "May 1, 2098 (America/Chicago time)", "runs on (2099-01-01)")]


def test_a_stop_date_that_has_passed_is_explained_and_not_filled_in(
    rep: User, signed_in: Any, changed: Callable[..., HistoryEntry], location: Any
) -> None:
    soon = (location.today() + timedelta(days=1)).isoformat()
    changed(stop_date=soon)
    entry = changed(stop_date="2098-05-01")
    with time_machine.travel(timezone.now() + timedelta(days=9)):
        page = put_back(signed_in(rep), entry)
    assert f"The stop date was {soon}, which has passed." in page.text
    assert page.value("stop_date") == "2098-05-01"


def test_another_stop_date_can_be_given_beside_what_is_filled_in(
    rep: User, signed_in: Any, changed: Callable[..., HistoryEntry], location: Any
) -> None:
    changed(stop_date=(location.today() + timedelta(days=1)).isoformat())
    entry = changed(stop_date="2098-05-01", destination="3165550100")
    with time_machine.travel(timezone.now() + timedelta(days=9)):
        page = put_back(signed_in(rep), entry)
    assert "Give another one below" in page.text
    assert (page.value("destination"), page.value("stop_date")) == ("3164447896", "2098-05-01")


def test_a_feature_that_was_not_set_cannot_go_back_and_that_is_said(
    as_rep: Client, changed: Callable[..., HistoryEntry]
) -> None:
    entry = changed(recording=True, brand="Red")
    page = put_back(as_rep, entry)
    assert "Call recording was not set, and Callcap cannot take it back to that." in page.text
    assert page.filled(URL)["recording"] == ["true"]


def test_what_was_bought_has_nothing_before_it(as_rep: Client, changed: Callable[..., HistoryEntry]) -> None:
    changed(brand="Red")
    bought = HistoryEntry.objects.get(verb=Verb.NUMBER_BOUGHT)
    assert Page(as_rep.get(f"/history/{bought.sequence}/")).links("Put it back") == []
    assert as_rep.get(URL, {"put_back": bought.sequence}).status_code == 404


def test_an_entry_of_another_number_or_of_nothing_is_a_404(
    as_rep: Client, changed: Callable[..., HistoryEntry], location: Any
) -> None:
    entry = changed(brand="Red")
    CampaignFactory(phone_number="3164440001", account=location)
    assert as_rep.get("/numbers/3164440001/change/", {"put_back": entry.sequence}).status_code == 404
    for nonsense in ("", "x", "-1", "9" * 30, "²"):
        assert as_rep.get(URL, {"put_back": nonsense}).status_code == 404


def test_what_an_earlier_campaign_of_the_number_went_through_is_not_put_back(
    as_manager: Client, manager: User, changed: Callable[..., HistoryEntry]
) -> None:
    entry = changed(destination="3165550100")
    campaign = Campaign.objects.get()
    with transaction.atomic():
        campaign_end(actor=Actor.person(manager), campaign=campaign, reason="It was released.")
    CampaignFactory(phone_number=campaign.phone_number, account=campaign.account)
    assert Page(as_manager.get(f"/history/{entry.sequence}/")).links("Put it back") == []
    assert as_manager.get(URL, {"put_back": entry.sequence}).status_code == 404


def test_only_who_may_change_the_number_is_offered_to(
    signed_in: Any, auditor: User, stranger: User, changed: Callable[..., HistoryEntry]
) -> None:
    entry = changed(brand="Red")
    reader = signed_in(auditor)
    assert Page(reader.get(f"/history/{entry.sequence}/")).links("Put it back") == []
    assert reader.get(URL, {"put_back": entry.sequence}).status_code == 403
    assert signed_in(stranger).get(URL, {"put_back": entry.sequence}).status_code == 404
