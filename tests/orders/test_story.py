"""The whole life of a number through the services, against a running Callcap."""

import uuid

import pytest

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, OrderStatus, User
from numbers_app.services.decisions import order_approve
from numbers_app.services.execution import order_execute
from numbers_app.services.orders import WantedNumber, order_request_change, order_request_purchase
from numbers_app.services.verification import history_verify
from tests.sandbox_server import SandboxServer

CAKE = "3167342253"


@pytest.mark.django_db
def test_bought_once_with_its_stop_date_then_rerouted(
    sandbox: SandboxServer, location: Account, rep: User, manager: User, worker: Actor
) -> None:
    stop_date = f"{location.today().year + 1}-01-31"
    order = order_request_purchase(
        actor=Actor.person(rep),
        account=location,
        wanted=[WantedNumber(CAKE)],
        parameters={"destination": "3164447896", "campaign_name": "Cakes", "stop_date": stop_date},
        reason="Bakery",
        form_token=uuid.uuid4(),
    )
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    order_execute(actor=worker, order_id=order.pk)
    order.refresh_from_db()
    assert order.status == OrderStatus.DONE, order.result
    child = order.children.get()
    order_execute(actor=worker, order_id=child.pk)
    campaign = Campaign.objects.get(phone_number=CAKE)
    assert (campaign.destination, campaign.campaign_name, str(campaign.stop_date)) == ("3164447896", "Cakes", stop_date)
    change = order_request_change(
        actor=Actor.person(manager),
        campaign=campaign,
        version=campaign.version,
        parameters={"destination": "3165550100"},
        reason="Moved",
        form_token=uuid.uuid4(),
    )
    order_execute(actor=worker, order_id=change.pk)
    campaign.refresh_from_db()
    assert campaign.destination == "3165550100"
    assert [entry["kind"] for entry in sandbox.journal(number=CAKE)] == ["purchase", "update", "update"]
    verification = history_verify()
    assert verification.problems == []
    assert verification.numbers == 1
