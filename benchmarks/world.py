"""The people, the account and the orders that the measurements need."""

from __future__ import annotations

import uuid
from copy import copy

import requests

from numbers_app.actors import Actor
from numbers_app.models import Order, Source
from numbers_app.permissions import Role
from numbers_app.services.decisions import order_approve
from numbers_app.services.orders import WantedNumber, order_request_purchase
from tests.factories import GrantFactory, LocationFactory, UserFactory
from tests.sandbox_server import SandboxServer


class World:
    """One Location, a rep and a manager, and a sandbox that is asked directly for comparison."""

    def __init__(self, server: SandboxServer) -> None:
        self.server = server
        self.location = LocationFactory(key="L-3", callcap_id=3)
        self.rep = UserFactory(username="rep", role=Role.SALES_REP)
        self.manager = UserFactory(username="manager", role=Role.MANAGER)
        for user in (self.rep, self.manager):
            GrantFactory(user=user, account=self.location)
        self.worker = Actor.portal("Worker", source=Source.WORKER)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {server.api_key}"

    def beside(self, server: SandboxServer) -> World:
        """The same people before another sandbox."""
        other = copy(self)
        other.server = server
        return other

    def bare_search(self, **params: str) -> None:
        self._session.get(f"{self.server.url}/v3/numbers/", params=params, timeout=10).raise_for_status()

    def bare_purchase(self, number: str) -> None:
        values = {"phoneNumber": number, "account": "L-3", "destination": "3164447896"}
        self._session.post(f"{self.server.url}/v3/numbers/", data=values, timeout=10).raise_for_status()

    def numbers(self, count: int) -> list[str]:
        return [found["phoneNumber"] for found in self.server.search(country="US")[:count]]

    def approved_order(self, number: str) -> Order:
        order = order_request_purchase(
            actor=Actor.person(self.rep),
            account=self.location,
            wanted=[WantedNumber(number)],
            parameters={"destination": "3164447896"},
            reason="",
            form_token=uuid.uuid4(),
        )
        order_approve(actor=Actor.person(self.manager), order_id=order.pk, revision=1)
        return order
