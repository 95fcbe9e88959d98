"""What people and the worker do to an order, in a line each."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from numbers_app.actors import Actor
from numbers_app.callcap import SearchCriteria
from numbers_app.models import (
    Account,
    AttemptKind,
    Campaign,
    HistoryEntry,
    Order,
    OrderStatus,
    Source,
    User,
)
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
    criteria: SearchCriteria | None = None,
    token: uuid.UUID | None = None,
    urgent: bool = False,
    execute_after: datetime | None = None,
    **parameters: Any,
) -> Order:
    """A pending purchase of one of the numbers, the best one first, or of any that matches; CAKE for neither."""
    wanted = numbers if numbers or criteria else (CAKE,)
    return order_request_purchase(
        actor=Actor.person(person),
        account=location,
        wanted=[WantedNumber(number) for number in wanted],
        criteria=criteria,
        parameters={"destination": DESTINATION} | parameters,
        reason="For the spring campaign",
        form_token=token or uuid.uuid4(),
        urgent=urgent,
        execute_after=execute_after,
    )


def ask_change(
    person: User,
    campaign: Campaign,
    *,
    version: int | None = None,
    token: uuid.UUID | None = None,
    urgent: bool = False,
    execute_after: datetime | None = None,
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
        urgent=urgent,
        execute_after=execute_after,
    )


def approve(person: User, order: Order) -> Order:
    return order_approve(actor=Actor.person(person), order_id=order.pk, revision=order.revision)


def carry_out(order: Order) -> Order:
    """The worker gets to the order once."""
    order_execute(actor=WORKER, order_id=order.pk)
    order.refresh_from_db()
    return order


def pause_is_over(order: Order) -> None:
    """Whatever the order waits for has come, unless it is a person."""
    past = timezone.now() - timedelta(seconds=1)
    waiting = Order.objects.filter(pk=order.pk).exclude(execute_after=None)
    waiting.update(execute_after=past, rung_at=None)


def time_passes(order: Order, seconds: float) -> None:
    """The order and its calls as they would be that much later: their dates move, since clocks must stand."""
    step = timedelta(seconds=seconds)
    order.attempts.update(
        started_at=F("started_at") - step, finished_at=F("finished_at") - step, lease_until=F("lease_until") - step
    )
    Order.objects.filter(pk=order.pk).exclude(execute_after=None).update(execute_after=F("execute_after") - step)
    Order.objects.filter(pk=order.pk).update(rung_at=None)
    order.refresh_from_db()


def settling_is_over(order: Order) -> Order:
    """The settling time has passed since the order was last at the vendor, and the worker gets to it."""
    time_passes(order, settings.CALLCAP_SETTLE_SECONDS + 1)
    return carry_out(order)


def rings() -> list[int]:
    """The orders that the worker has been told of, in turn."""
    told = DBTaskResult.objects.filter(task_path="numbers_app.tasks.execute_order").order_by("enqueued_at")
    told = told.values_list("args_kwargs", flat=True)
    return [told_of["args"][0] for told_of in told]


def keep_trying(order: Order) -> Order:
    """All that could send something again: sweeps with every pause and the settling time over, and a worker that
    answers each ring."""
    for _ in range(3):
        time_passes(order, settings.CALLCAP_SETTLE_SECONDS + 1)
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


def checks(order: Order) -> list[str]:
    """The outcomes of the checks whether the number is ours, in turn."""
    return list(order.attempts.filter(kind=AttemptKind.PROBE).values_list("outcome", flat=True))


def buys(order: Order) -> list[tuple[str, str]]:
    """(number, outcome) of every purchase that was tried for the order, in turn."""
    return list(order.attempts.filter(kind=AttemptKind.BUY).values_list("number", "outcome"))


def waits_for_a_person(order: Order) -> bool:
    """Whether the order is unknown and nothing more happens to it by itself."""
    order.refresh_from_db()
    return (order.status, order.execute_after) == (OrderStatus.UNKNOWN, None)


def told(order: Order, kind: str) -> list[str]:
    """The user names of those who were told this of the order."""
    of_it = order.notifications.filter(kind=kind).order_by("user__username")
    return list(of_it.values_list("user__username", flat=True))


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


def at_once(*steps: Callable[[], Any]) -> list[Any]:
    """Every step in a thread and with a connection of its own; what each returned or raised."""
    barrier = threading.Barrier(len(steps))

    def run(step: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            barrier.wait(10)
            return step()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(steps)) as pool:
        return list(pool.map(run, steps))


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
