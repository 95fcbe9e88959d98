"""Sending everything that is set once more, over what somebody set in Callcap's own interface."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from numbers_app.actors import Actor
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import Account, Campaign, HistoryEntry, Order, OrderKind, OrderStatus, User, Verb
from numbers_app.services.confirmation import order_request_reapply
from numbers_app.services.verification import history_verify
from tests.factories import CampaignFactory
from tests.orders.steps import CAKE, DESTINATION, approve, ask_change, carry_out, told
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.django_db


def ask_reapply(
    person: User, campaign: Campaign, *, version: int | None = None, token: uuid.UUID | None = None
) -> Order:
    return order_request_reapply(
        actor=Actor.person(person),
        campaign=campaign,
        version=version or campaign.version,
        reason="Somebody re-routed it in Callcap",
        form_token=token or uuid.uuid4(),
    )


def last_sent(sandbox: SandboxServer) -> dict[str, Any]:
    values: dict[str, Any] = sandbox.journal(number=CAKE, kind="update")[-1]["values"]
    return values


def test_everything_that_is_set_is_sent_and_nothing_changes_in_the_mirror(
    manager: User, bought: Campaign, sandbox: SandboxServer
) -> None:
    order = carry_out(ask_reapply(manager, bought))
    assert (order.status, order.result) == (OrderStatus.DONE, "Sent again.")
    sent = last_sent(sandbox)
    assert (sent["destination"], sent["campaignName"], sent["memo1"]) == (DESTINATION, "Cakes", "kept")
    assert sent["recording"] in (True, "true")
    assert "stopDate" not in sent
    assert "evaluation" not in sent
    assert Campaign.objects.get().version == bought.version
    assert not HistoryEntry.objects.filter(verb=Verb.NUMBER_CHANGED).exists()
    assert history_verify().problems == []


def test_a_reps_waits_for_a_manager_and_sends_what_is_set_by_then(
    rep: User, manager: User, bought: Campaign, sandbox: SandboxServer
) -> None:
    order = ask_reapply(rep, bought)
    assert (order.kind, order.status, order.parent_id) == (OrderKind.REAPPLY, OrderStatus.PENDING, None)
    assert told(order, "requested") == ["manager"]
    carry_out(ask_change(manager, bought, destination="3165550100"))
    carry_out(approve(manager, order))
    assert last_sent(sandbox)["destination"] == "3165550100"


def test_a_managers_own_is_marked_as_such(manager: User, bought: Campaign) -> None:
    assert ask_reapply(manager, bought).self_approved


def test_values_that_were_not_seen_are_not_sent(manager: User, bought: Campaign) -> None:
    carry_out(ask_change(manager, bought, notes="newer"))
    with pytest.raises(Conflict, match="Read the values again"):
        ask_reapply(manager, bought, version=1)


def test_the_same_form_makes_one_order_and_only_its_own(manager: User, bought: Campaign, location: Account) -> None:
    token = uuid.uuid4()
    assert ask_reapply(manager, bought, token=token) == ask_reapply(manager, bought, token=token)
    other = CampaignFactory(account=location)
    with pytest.raises(InvalidInput, match="already sent"):
        ask_reapply(manager, other, token=token)


def test_a_refusal_as_not_ours_disputes_the_number(manager: User, mirrored: Campaign, sandbox: SandboxServer) -> None:
    assert carry_out(ask_reapply(manager, mirrored)).status == OrderStatus.FAILED
    assert Campaign.objects.get().disputed_at is not None


def test_a_stop_date_that_has_passed_is_not_sent_again(
    manager: User, location: Account, sandbox: SandboxServer
) -> None:
    yesterday = location.today() - timedelta(days=1)
    campaign = CampaignFactory(phone_number=CAKE, account=location, stop_date=yesterday)
    order = carry_out(ask_reapply(manager, campaign))
    assert (order.status, order.result) == (
        OrderStatus.FAILED,
        f"The number's stop date {yesterday} has passed. Nothing was sent.",
    )
    assert sandbox.journal() == []


def test_nobody_sends_anything_for_an_account_that_they_were_not_granted(
    strange_manager: User, auditor: User, bought: Campaign
) -> None:
    for person in (strange_manager, auditor):
        with pytest.raises(PermissionDenied):
            ask_reapply(person, bought)
