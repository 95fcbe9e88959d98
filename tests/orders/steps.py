"""What people and the worker do to an order, in a line each."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, HistoryEntry, Order, Source, User
from numbers_app.services.decisions import order_approve
from numbers_app.services.execution import order_execute
from numbers_app.services.orders import WantedNumber, order_request_change, order_request_purchase
from numbers_app.services.sweep import orders_sweep

CAKE = "3167342253"
DESTINATION = "3164447896"
WORKER = Actor.portal("Worker", source=Source.WORKER)


def ask(
    person: User,
    location: Account,
    *numbers: str,
    token: uuid.UUID | None = None,
    **parameters: Any,
) -> Order:
    """A pending purchase of one of the numbers, the best one first."""
    return order_request_purchase(
        actor=Actor.person(person),
        account=location,
        wanted=[WantedNumber(number) for number in numbers or (CAKE,)],
        parameters={"destination": DESTINATION} | parameters,
        reason="For the spring campaign",
        form_token=token or uuid.uuid4(),
    )


def ask_change(
    person: User,
    campaign: Campaign,
    *,
    version: int | None = None,
    token: uuid.UUID | None = None,
    **parameters: Any,
) -> Order:
    """A change of the number as it is now, or as it was in ``version``."""
    return order_request_change(
        actor=Actor.person(person),
        campaign=campaign,
        version=version or campaign.version,
        parameters=parameters,
        reason="The shop has moved",
        form_token=token or uuid.uuid4(),
    )


def approve(person: User, order: Order) -> Order:
    return order_approve(actor=Actor.person(person), order_id=order.pk, revision=order.revision)


def carry_out(order: Order) -> Order:
    """The worker gets to the order once."""
    order_execute(actor=WORKER, order_id=order.pk)
    order.refresh_from_db()
    return order


def pause_is_over(order: Order) -> None:
    """Whatever the order waits for has come."""
    past = timezone.now() - timedelta(seconds=1)
    Order.objects.filter(pk=order.pk).update(execute_after=past, rung_at=None)


def rings() -> list[int]:
    """The orders that the worker has been told of, in turn."""
    told = DBTaskResult.objects.order_by("enqueued_at").values_list("args_kwargs", flat=True)
    return [told_of["args"][0] for told_of in told]


def keep_trying(order: Order) -> Order:
    """All that could send something again: two sweeps with every pause over, and a worker that answers each ring."""
    for _ in range(2):
        pause_is_over(order)
        DBTaskResult.objects.all().delete()
        orders_sweep(actor=Actor.portal("Clock", source=Source.WORKER))
        for order_id in {*rings(), order.pk}:
            order_execute(actor=WORKER, order_id=order_id)
    order.refresh_from_db()
    return order


def outcomes(order: Order) -> list[tuple[str, str]]:
    """(number, outcome) of every call made for the order, in turn."""
    return list(order.attempts.values_list("number", "outcome"))


def verbs(order: Order) -> list[str]:
    """What the history says of the order, oldest first."""
    entries = HistoryEntry.objects.filter(order_id=order.pk).order_by("sequence")
    return list(entries.values_list("verb", flat=True))


def wait_until(condition: Callable[[], Any], seconds: float = 10) -> None:
    """Return as soon as the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("What was waited for did not happen.")
        time.sleep(0.02)


def database_refuses(event: str, table: str) -> None:
    """Let the database refuse every INSERT or UPDATE of the table, as a full disk or a faulty release would."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                f"CREATE TRIGGER test_refusal BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, 'no room'); END"
            )
            return
        cursor.execute(
            "CREATE FUNCTION test_refusal() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no room'; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER test_refusal BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION test_refusal()"
        )


def database_obeys_again() -> None:
    """Undo ``database_refuses``."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER test_refusal")
        else:
            cursor.execute("DROP FUNCTION test_refusal() CASCADE")
