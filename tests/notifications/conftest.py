"""People near and far, for the tests of what they are told."""

from __future__ import annotations

import pytest

from numbers_app.models import Account, Campaign, Order, User
from numbers_app.permissions import Role
from tests.factories import CampaignFactory, GrantFactory, UserFactory
from tests.orders.steps import CAKE, DESTINATION, ask


@pytest.fixture
def division_manager(location: Account) -> User:
    """A manager of the whole Division."""
    user: User = UserFactory(role=Role.MANAGER, username="division")
    GrantFactory(user=user, account=location.parent)
    return user


@pytest.fixture
def corporate_manager(location: Account) -> User:
    """A manager of the whole Corporate."""
    assert location.parent
    user: User = UserFactory(role=Role.MANAGER, username="corporate")
    GrantFactory(user=user, account=location.parent.parent)
    return user


@pytest.fixture
def order(rep: User, manager: User, location: Account) -> Order:
    """A waiting purchase of the rep's, which the Location's manager was told of."""
    return ask(rep, location, CAKE)


@pytest.fixture
def mirrored(location: Account) -> Campaign:
    """A number in the mirror that the vendor was never asked about."""
    campaign: Campaign = CampaignFactory(phone_number=CAKE, account=location, destination=DESTINATION)
    return campaign
