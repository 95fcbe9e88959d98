"""Accounts, people and numbers for the tests of orders."""

from __future__ import annotations

import pytest

from numbers_app.models import Account, Campaign, User
from numbers_app.permissions import Role
from tests.factories import CampaignFactory, GrantFactory, LocationFactory, UserFactory
from tests.orders.steps import CAKE, DESTINATION, approve, ask, carry_out
from tests.sandbox_server import SandboxServer


@pytest.fixture
def elsewhere(db: None) -> Account:
    """L-30 of the sandbox, in another Corporate: nobody of L-3 was granted it."""
    location: Account = LocationFactory(key="L-30", callcap_id=30)
    return location


@pytest.fixture
def strange_rep(elsewhere: Account) -> User:
    """A rep of the other Location only."""
    user: User = UserFactory(role=Role.SALES_REP, username="strange_rep")
    GrantFactory(user=user, account=elsewhere)
    return user


@pytest.fixture
def strange_manager(elsewhere: Account) -> User:
    """A manager of the other Location only."""
    user: User = UserFactory(role=Role.MANAGER, username="strange_manager")
    GrantFactory(user=user, account=elsewhere)
    return user


@pytest.fixture
def mirrored(location: Account) -> Campaign:
    """A number in the mirror that the vendor was never asked about."""
    campaign: Campaign = CampaignFactory(phone_number=CAKE, account=location, destination=DESTINATION)
    return campaign


@pytest.fixture
def bought(sandbox: SandboxServer, location: Account, rep: User, manager: User) -> Campaign:
    """A number that was really bought from the sandbox."""
    order = ask(rep, location, CAKE, campaign_name="Cakes", memo1="kept", recording=True)
    approve(manager, order)
    carry_out(order)
    return Campaign.objects.get(phone_number=CAKE)


@pytest.fixture
def numbers(sandbox: SandboxServer) -> list[str]:
    """Numbers of the public pool that anybody can buy."""
    offers = [offer["phoneNumber"] for offer in sandbox.search(areaCode="316")]
    return [number for number in offers if number != CAKE]
