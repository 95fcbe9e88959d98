"""People, numbers and orders for the tests of the pages."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, Order, OrderStatus, User
from numbers_app.permissions import Role
from numbers_app.services.decisions import order_approve
from numbers_app.services.execution import order_execute
from numbers_app.services.orders import WantedNumber, order_request_change, order_request_purchase
from tests.factories import CampaignFactory, GrantFactory, UserFactory
from tests.sandbox_server import SandboxServer

CAKE = "3167342253"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def stranger(elsewhere: Account) -> User:
    """A rep of the other Location."""
    user: User = UserFactory(role=Role.SALES_REP, username="stranger")
    GrantFactory(user=user, account=elsewhere)
    return user


@pytest.fixture
def admin(location: Account) -> User:
    """An administrator who may enter /admin/."""
    user: User = UserFactory(role=Role.ADMINISTRATOR, username="admin", is_staff=True, is_superuser=True)
    return user


@pytest.fixture
def as_rep(rep: User, signed_in: Any) -> Client:
    client: Client = signed_in(rep)
    return client


@pytest.fixture
def as_manager(manager: User, signed_in: Any) -> Client:
    client: Client = signed_in(manager)
    return client


@pytest.fixture
def campaign(location: Account) -> Campaign:
    """A number of L-3 that the sandbox knows nothing of."""
    made: Campaign = CampaignFactory(
        phone_number=CAKE, account=location, destination="3164447896", campaign_name="Spring cakes"
    )
    return made


type Purchase = Callable[..., Order]


@pytest.fixture
def purchase(rep: User, location: Account) -> Purchase:
    """``purchase("3167342253", by=rep)``: a pending order for these numbers."""

    def ask(
        *numbers: str | WantedNumber,
        by: User = rep,
        account: Account = location,
        urgent: bool = False,
        execute_after: datetime | None = None,
        **parameters: Any,
    ) -> Order:
        return order_request_purchase(
            actor=Actor.person(by),
            account=account,
            wanted=[WantedNumber(number) if isinstance(number, str) else number for number in numbers or (CAKE,)],
            parameters={"destination": "3164447896"} | parameters,
            reason="For the spring campaign",
            form_token=uuid.uuid4(),
            urgent=urgent,
            execute_after=execute_after,
        )

    return ask


@pytest.fixture
def change(rep: User) -> Purchase:
    """``change(campaign, by=rep, destination="3165550100")``: an order that changes a number."""

    def ask(campaign: Campaign, by: User = rep, execute_after: datetime | None = None, **parameters: Any) -> Order:
        return order_request_change(
            actor=Actor.person(by),
            campaign=campaign,
            version=campaign.version,
            parameters=parameters,
            reason="The shop has moved",
            form_token=uuid.uuid4(),
            execute_after=execute_after,
        )

    return ask


@pytest.fixture
def carry_out(worker: Actor) -> Callable[[Order], Order]:
    """The worker's part: send an approved order to the vendor."""

    def execute(order: Order) -> Order:
        order_execute(actor=worker, order_id=order.pk)
        order.refresh_from_db()
        return order

    return execute


@pytest.fixture
def misnamed(sandbox: SandboxServer, purchase: Purchase, manager: User, carry_out: Callable[[Order], Order]) -> Order:
    """A purchase that Callcap answered with another number: only a person can settle it."""
    order = purchase()
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    sandbox.arm_fault("other_number", "provision")
    carry_out(order)
    assert (order.status, order.execute_after) == (OrderStatus.UNKNOWN, None)
    return order
