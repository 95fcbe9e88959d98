"""Short ways to ask, decide and carry out, as the people of the tests."""

from __future__ import annotations

import uuid
from typing import Any

from numbers_app.actors import Actor
from numbers_app.callcap import SearchCriteria
from numbers_app.models import Account, Campaign, Order, User
from numbers_app.services.decisions import order_approve
from numbers_app.services.execution import order_execute
from numbers_app.services.orders import WantedNumber, order_request_change, order_request_purchase

CAKE = "3167342253"


def requested(
    rep: User, account: Account, *numbers: str, criteria: SearchCriteria | None = None, **parameters: Any
) -> Order:
    wanted = numbers if numbers or criteria else (CAKE,)
    return order_request_purchase(
        actor=Actor.person(rep),
        account=account,
        wanted=[WantedNumber(number) for number in wanted],
        criteria=criteria,
        parameters={"destination": "3164447896"} | parameters,
        reason="A test",
        form_token=uuid.uuid4(),
    )


def approved(rep: User, manager: User, account: Account, *numbers: str, **parameters: Any) -> Order:
    order = requested(rep, account, *numbers, **parameters)
    return order_approve(actor=Actor.person(manager), order_id=order.pk, revision=order.revision)


def executed(worker: Actor, order: Order) -> Order:
    order_execute(actor=worker, order_id=order.pk)
    order.refresh_from_db()
    return order


def changed(manager: User, campaign: Campaign, **parameters: Any) -> Order:
    return order_request_change(
        actor=Actor.person(manager),
        campaign=campaign,
        version=campaign.version,
        parameters=parameters,
        reason="A test",
        form_token=uuid.uuid4(),
    )
