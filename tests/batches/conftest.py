"""Accounts and people for the tests of batches."""

from __future__ import annotations

import pytest

from numbers_app.models import Account, Campaign, User
from tests.batches.making import campaigns_at
from tests.factories import GrantFactory


@pytest.fixture
def wide_rep(rep: User, elsewhere: Account) -> User:
    """The rep, granted both Locations."""
    GrantFactory(user=rep, account=elsewhere)
    return rep


@pytest.fixture
def numbers(location: Account) -> list[Campaign]:
    """Three numbers of L-3 that the sandbox knows nothing of."""
    return campaigns_at(location, 3)
