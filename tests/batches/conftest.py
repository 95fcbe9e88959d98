"""Accounts and people for the tests of batches."""

from __future__ import annotations

import pytest

from numbers_app.models import Account, Campaign, User
from numbers_app.permissions import Role
from tests.batches.making import campaigns_at
from tests.factories import GrantFactory, LocationFactory, UserFactory


@pytest.fixture
def elsewhere(db: None) -> Account:
    """L-30 of the sandbox, in another Corporate."""
    location: Account = LocationFactory(key="L-30", callcap_id=30)
    return location


@pytest.fixture
def wide_rep(rep: User, elsewhere: Account) -> User:
    """The rep, granted both Locations."""
    GrantFactory(user=rep, account=elsewhere)
    return rep


@pytest.fixture
def strange_manager(elsewhere: Account) -> User:
    """A manager of the other Location only."""
    user: User = UserFactory(role=Role.MANAGER, username="strange_manager")
    GrantFactory(user=user, account=elsewhere)
    return user


@pytest.fixture
def numbers(location: Account) -> list[Campaign]:
    """Three numbers of L-3 that the sandbox knows nothing of."""
    return campaigns_at(location, 3)
