"""Accounts, people and numbers for the tests of orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from numbers_app import steps
from numbers_app.models import Account, Campaign, Order, User
from numbers_app.permissions import Role
from numbers_app.services import switch
from numbers_app.vendor import callcap_client
from tests.factories import CampaignFactory, GrantFactory, UserFactory
from tests.orders.steps import CAKE, DESTINATION, approve, ask, carry_out
from tests.sandbox_server import SandboxServer


@pytest.fixture
def strange_rep(elsewhere: Account) -> User:
    """A rep of the other Location only."""
    user: User = UserFactory(role=Role.SALES_REP, username="strange_rep")
    GrantFactory(user=user, account=elsewhere)
    return user


@pytest.fixture
def any_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A portal that sends whatever its clock says, for tests that travel in time."""
    monkeypatch.setattr(switch, "MOST_CLOCK_DIFFERENCE", timedelta(days=36_500))


class Died(BaseException):
    """The end of a worker's process; no handler of errors sees it."""


@pytest.fixture
def die_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[Order, str], None]:
    """``die_at(order, step)``: a worker gets to the order and dies when it reaches that step for the first time."""

    def carry_out_until(order: Order, step: str) -> None:
        def listen(name: str) -> None:
            if name == step:
                raise Died

        with monkeypatch.context() as mortal:
            mortal.setattr(steps, "listener", listen)
            with pytest.raises(Died):
                carry_out(order)
        order.refresh_from_db()

    return carry_out_until


@pytest.fixture
def on_step(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], Any]], None]:
    """``on_step(step, happens)``: whenever the worker reaches the step, this happens first."""

    def listen_for(step: str, happens: Callable[[], Any]) -> None:
        monkeypatch.setattr(steps, "listener", lambda name: happens() if name == step else None)

    return listen_for


@pytest.fixture
def impatient(settings: Any, sandbox: SandboxServer) -> Iterator[None]:
    """A portal that waits a second for Callcap, and no longer."""
    settings.CALLCAP_TIMEOUT = 1
    callcap_client.cache_clear()
    yield
    callcap_client.cache_clear()


@pytest.fixture
def approved(rep: User, manager: User, location: Account, sandbox: SandboxServer) -> Order:
    """An approved purchase of CAKE and nothing else."""
    return approve(manager, ask(rep, location, CAKE))


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
