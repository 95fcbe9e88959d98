"""From approved rows to orders: as many as there is room for, each row once, in the names of those whose wish it is."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from numbers_app.actors import Actor
from numbers_app.errors import Conflict
from numbers_app.models import (
    Account,
    Batch,
    BatchRow,
    BatchStatus,
    Campaign,
    Choice,
    HistoryEntry,
    Order,
    OrderKind,
    OrderStatus,
    RowState,
    User,
)
from numbers_app.selectors.orders import orders_undoable
from numbers_app.services import batch_release as releasing
from numbers_app.services.batch_release import batch_release
from numbers_app.services.batches import batch_retry
from numbers_app.services.decisions import order_undo_approval
from numbers_app.services.history import history_lock
from numbers_app.services.orders import WantedNumber, order_request_purchase
from numbers_app.services.sweep import batches_sweep, orders_sweep
from numbers_app.services.transition import order_lock
from numbers_app.services.validity import campaign_lock
from numbers_app.services.verification import history_verify
from tests.batches.making import (
    CLOCK,
    NEW,
    OLD,
    WORKER,
    approve,
    campaigns_at,
    carry_out,
    change_draft,
    import_draft,
    orders_of,
    outcomes,
    purchase_draft,
    release,
    row,
    running,
    submit,
    told,
    written,
)
from tests.orders.steps import at_once
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def approved(rep: User, manager: User, numbers: list[Campaign]) -> Batch:
    """A rep's batch of three changes, approved."""
    return running(rep, manager, change_draft(rep, numbers))


@pytest.fixture
def room_for(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``room_for(2)``: so many orders of a batch may be open at once."""

    def room_for(count: int) -> None:
        monkeypatch.setattr(releasing, "MOST_OPEN", count)
        monkeypatch.setattr(releasing, "ORDERS_AT_ONCE", 1)

    return room_for


def entries(order: Order) -> list[tuple[str, str, str]]:
    found = HistoryEntry.objects.filter(order_id=order.pk).order_by("sequence")
    return [(entry.verb, entry.actor_name, entry.request_id) for entry in found]


def test_a_row_becomes_an_order_of_its_author_approved_by_its_decider(
    approved: Batch, rep: User, manager: User, numbers: list[Campaign]
) -> None:
    assert release(approved) == [order.pk for order in orders_of(approved)]
    order = orders_of(approved)[0]
    assert (order.kind, order.status, order.campaign) == (OrderKind.CHANGE, OrderStatus.APPROVED, numbers[0])
    assert (order.parameters, order.before) == ({"destination": NEW}, {"destination": OLD})
    assert (order.author_id, order.requester_name, order.decider_id) == (rep.pk, "Rep Test", manager.pk)
    assert (order.reason, order.phone_number) == ("The shop has moved", numbers[0].phone_number)
    joined = f"batch-{approved.pk}"
    assert entries(order) == [("order.requested", "Rep Test", joined), ("order.approved", "Manager Test", joined)]
    assert HistoryEntry.objects.get(order_id=order.pk, verb="order.requested").changes == {
        "batch": [None, approved.pk],
        "destination": [OLD, NEW],
    }
    assert history_verify().problems == []


def test_a_managers_own_rows_become_self_approved_orders(manager: User, numbers: list[Campaign]) -> None:
    batch = submit(manager, change_draft(manager, numbers))
    release(batch)
    assert {order.self_approved for order in orders_of(batch)} == {True}


def test_nobody_is_told_of_each_order(approved: Batch, rep: User, manager: User) -> None:
    release(approved)
    assert not rep.notifications.exclude(order=None).exists()
    assert not manager.notifications.exclude(order=None).exists()


def test_no_more_orders_are_open_at_once_than_there_is_room_for(approved: Batch, room_for: Any) -> None:
    room_for(2)
    assert len(release(approved)) == 2
    assert release(approved) == []
    Order.objects.filter(pk=orders_of(approved)[0].pk).update(status=OrderStatus.DONE)
    assert len(release(approved)) == 1
    assert outcomes(approved) == {"approved": 2, "done": 1}


def test_an_order_that_waits_for_a_person_keeps_no_other_row_waiting(approved: Batch, room_for: Any) -> None:
    room_for(1)
    release(approved)
    order = orders_of(approved)[0]
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.UNKNOWN, execute_after=timezone.now())
    assert release(approved) == []
    Order.objects.filter(pk=order.pk).update(execute_after=None)
    assert len(release(approved)) == 1


def test_nothing_is_released_before_its_time(manager: User, numbers: list[Campaign]) -> None:
    batch = submit(manager, change_draft(manager, numbers), execute_after=timezone.now() + timedelta(hours=1))
    assert (release(batch), batches_sweep(actor=CLOCK)) == ([], 0)
    Batch.objects.update(execute_after=timezone.now())
    assert batches_sweep(actor=CLOCK) == 1
    assert len(release(batch)) == 3


@pytest.mark.parametrize(("together", "ordered"), [(1, 1), (10, 0)])
def test_a_worker_that_dies_has_ordered_a_row_or_has_not(
    approved: Batch, monkeypatch: pytest.MonkeyPatch, together: int, ordered: int
) -> None:
    monkeypatch.setattr(releasing, "ORDERS_AT_ONCE", together)
    rung: list[int] = []

    def ring(order_id: int) -> None:
        if len(rung) == 1:
            raise KeyboardInterrupt
        rung.append(order_id)

    with pytest.raises(KeyboardInterrupt):
        batch_release(actor=WORKER, batch_id=approved.pk, ring=ring)
    assert outcomes(approved) == {"approved": 3}
    assert [order.pk for order in orders_of(approved)] == rung[:ordered]
    release(approved)
    assert Order.objects.count() == 3
    assert history_verify().problems == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_one_batch_order_each_row_once(rep: User, manager: User, location: Account) -> None:
    batch = running(rep, manager, change_draft(rep, campaigns_at(location, 12)))
    rung = at_once(lambda: release(batch), lambda: release(batch))
    assert sorted(rung[0] + rung[1]) == [order.pk for order in orders_of(batch)]
    assert Order.objects.count() == 12


def test_a_purchase_becomes_an_order_with_its_number(rep: User, manager: User, location: Account) -> None:
    batch = running(rep, manager, purchase_draft(rep, location, "3167342253", "3164440002"))
    release(batch)
    order = orders_of(batch)[0]
    assert (order.kind, order.phone_number) == (OrderKind.PROVISION, "3167342253")
    assert list(order.choices.values_list("number", "live")) == [("3167342253", True)]


def test_a_number_taken_meanwhile_fails_its_row_with_a_sentence(rep: User, manager: User, location: Account) -> None:
    batch = running(rep, manager, purchase_draft(rep, location, "3167342253", "3167342254", "3164440002"))
    campaigns_at(location, 1, first=2253)
    other = order_request_purchase(
        actor=Actor.person(rep),
        account=location,
        wanted=[WantedNumber("3167342254")],
        parameters={"destination": OLD},
        reason="",
        form_token=uuid.uuid4(),
    )
    release(batch)
    assert outcomes(batch) == {"approved": 1, "failed": 2}
    assert row(batch, 2).problem == "(316) 734-2253 is already one of our numbers."
    assert row(batch, 3).problem == f"(316) 734-2254 is already asked for in order {other.pk}."


def test_a_number_taken_meanwhile_gives_way_to_the_rows_search(rep: User, manager: User, location: Account) -> None:
    batch = purchase_draft(rep, location, "3167342253")
    batch.rows.update(criteria={"area_code": "316"})
    running(rep, manager, batch)
    campaigns_at(location, 1, first=2253)
    release(batch)
    [order] = orders_of(batch)
    assert (order.phone_number, order.criteria) == ("", {"area_code": "316"})
    gone = order.choices.get()
    assert (gone.live, gone.dropped_because) == (False, "(316) 734-2253 is already one of our numbers.")


@pytest.mark.django_db(transaction=True)
def test_of_two_batches_that_want_a_number_one_gets_it(rep: User, manager: User, location: Account) -> None:
    batches = [running(rep, manager, purchase_draft(rep, location, "3167342253")) for _ in range(2)]
    at_once(*[lambda batch=batch: release(batch) for batch in batches])
    assert Choice.objects.filter(live=True).count() == Order.objects.count() == 1
    assert sorted(row(batch, 2).state for batch in batches) == [RowState.FAILED, RowState.ORDERED]
    assert history_verify().problems == []


def test_imports_are_carried_out_at_once_without_asking_callcap(rep: User, manager: User, location: Account) -> None:
    campaigns_at(location, 1, first=2254)
    batch = running(rep, manager, import_draft(rep, location, "3167342253", "3167342254"))
    release(batch)
    assert outcomes(batch) == {"done": 1, "failed": 1}
    made = row(batch, 2).campaign
    assert made is not None
    assert (made.phone_number, made.destination, made.confirmed_at) == ("3167342253", OLD, None)
    entry = HistoryEntry.objects.get(verb="number.imported")
    assert (entry.actor_name, entry.approved_by, entry.request_id) == ("Rep Test", "Manager Test", f"batch-{batch.pk}")
    assert row(batch, 3).problem == "(316) 734-2254 is already one of our numbers."
    assert not Order.objects.exists()


def test_an_import_whose_stop_date_or_location_has_gone_fails_with_a_sentence(
    rep: User, manager: User, location: Account
) -> None:
    batch = running(rep, manager, import_draft(rep, location, "3167342253", "3167342254"))
    batch.rows.filter(line=2).update(parameters={"destination": OLD, "stop_date": "2020-01-31"})
    batch_release(actor=WORKER, batch_id=batch.pk, ring=print)
    assert outcomes(batch) == {"done": 1, "failed": 1}
    assert row(batch, 2).problem == "The stop date 2020-01-31 had passed before the number was imported."
    batch = running(rep, manager, import_draft(rep, location, "3167342255"))
    Account.objects.update(active=False)
    release(batch)
    assert row(batch, 2).problem == f"{location} is no longer in Callcap's account tree."


def test_a_long_import_lets_other_tasks_have_their_turn(
    rep: User, manager: User, location: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releasing, "IMPORTS_AT_ONCE", 1)
    numbers = [f"316734{line}" for line in range(2000, 2006)]
    batch = running(rep, manager, import_draft(rep, location, *numbers))
    assert batch_release(actor=WORKER, batch_id=batch.pk, ring=print)
    assert outcomes(batch) == {"approved": 2, "done": 4}


def test_a_batch_ends_with_its_last_order_and_says_how(
    approved: Batch, rep: User, manager: User, sandbox: SandboxServer
) -> None:
    release(approved)
    carry_out(approved)
    # The sandbox sold none of these, so it refuses each change.
    assert (approved.status, approved.result) == (BatchStatus.DONE, "3 failed.")
    assert written(approved)[-1] == ("batch.done", "Clock", 0)
    assert told(approved, "batch_done") == ["rep"]
    assert not rep.notifications.filter(kind="failed").exists()
    assert batches_sweep(actor=CLOCK) == 0
    assert len(written(approved)) == 3


def test_a_batch_of_which_something_waits_or_is_unknown_goes_on(approved: Batch, rep: User, manager: User) -> None:
    release(approved)
    first, second, third = orders_of(approved)
    Order.objects.filter(pk__in=[first.pk, second.pk]).update(status=OrderStatus.DONE)
    Order.objects.filter(pk=third.pk).update(status=OrderStatus.UNKNOWN, execute_after=None)
    batches_sweep(actor=CLOCK)
    approved.refresh_from_db()
    assert approved.status == BatchStatus.RUNNING
    Order.objects.filter(pk=third.pk).update(status=OrderStatus.DONE)
    batches_sweep(actor=CLOCK)
    approved.refresh_from_db()
    assert (approved.status, approved.result) == (BatchStatus.DONE, "3 done.")


def test_the_clock_rings_for_what_is_approved_and_only_while_there_is_room(approved: Batch, room_for: Any) -> None:
    Batch.objects.update(rung_at=None)
    assert (batches_sweep(actor=CLOCK), batches_sweep(actor=CLOCK)) == (1, 0)
    room_for(2)
    release(approved)
    assert batches_sweep(actor=CLOCK) == 0


def test_orders_of_batches_go_behind_those_of_people(
    approved: Batch, rep: User, manager: User, location: Account
) -> None:
    release(approved)
    single = order_request_purchase(
        actor=Actor.person(rep),
        account=location,
        wanted=[WantedNumber("3164440002")],
        parameters={"destination": OLD},
        reason="",
        form_token=uuid.uuid4(),
    )
    Order.objects.filter(pk=single.pk).update(
        status=OrderStatus.APPROVED, decider_id=manager.pk, execute_after=timezone.now()
    )
    Order.objects.update(rung_at=None)
    DBTaskResult.objects.all().delete()
    orders_sweep(actor=CLOCK)
    priorities = {
        ring.args_kwargs["args"][0]: ring.priority
        for ring in DBTaskResult.objects.filter(task_path__endswith="execute_order")
    }
    assert priorities.pop(single.pk) == 0
    assert set(priorities.values()) == {-5}
    assert priorities.keys() == {order.pk for order in orders_of(approved)}


def test_the_approval_of_a_batchs_order_cannot_be_undone_one_by_one(
    approved: Batch, manager: User, settings: Any
) -> None:
    settings.APPROVAL_UNDO_SECONDS = 600
    release(approved)
    assert not orders_undoable(manager).exists()
    with pytest.raises(Conflict, match="belongs to batch"):
        order_undo_approval(actor=Actor.person(manager), order_id=orders_of(approved)[0].pk)


@pytest.fixture
def rows_fail(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``rows_fail(error, 3)``: making the order of line 3 raises it, from now on."""

    def fails(error: Exception, *lines: int) -> None:
        real = releasing._write_history

        def write(batch: Batch, row: BatchRow, *rest: Any) -> None:
            if row.line in lines:
                raise error
            real(batch, row, *rest)

        monkeypatch.setattr(releasing, "_write_history", write)

    return fails


def test_an_error_that_nobody_foresaw_fails_its_row_alone(
    approved: Batch,
    rep: User,
    rows_fail: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows_fail(ZeroDivisionError("swordfish"), 3)
    assert len(release(approved)) == 2
    assert outcomes(approved) == {"approved": 2, "failed": 1}
    failed = BatchRow.objects.get(state=RowState.FAILED)
    assert (failed.line, failed.order) == (3, None)
    assert failed.problem.startswith("The portal failed to make this, and its log says why.")
    assert "batch_row_failed" in caplog.text
    monkeypatch.undo()
    batch_retry(actor=Actor.person(rep), batch_id=approved.pk)
    assert len(release(approved)) == 1
    assert outcomes(approved) == {"approved": 3}
    assert history_verify().problems == []


def test_a_row_that_cannot_even_be_read_fails_alone(approved: Batch) -> None:
    BatchRow.objects.filter(line=3).update(account=None)
    assert len(release(approved)) == 2
    assert outcomes(approved) == {"approved": 2, "failed": 1}


@pytest.mark.parametrize(
    ("error", "lines"), [(OperationalError("deadlock detected"), (3,)), (MemoryError("swordfish"), (2, 3, 4))]
)
def test_what_is_no_row_s_own_fault_fails_none(
    approved: Batch, rows_fail: Callable[..., None], error: Exception, lines: tuple[int, ...]
) -> None:
    rows_fail(error, *lines)
    with pytest.raises(type(error)):
        release(approved)
    assert outcomes(approved) == {"approved": 3}
    assert not Order.objects.exists()
    assert not BatchRow.objects.exclude(problem="").exists()


def test_more_rows_can_be_approved_while_others_run(rep: User, manager: User, numbers: list[Campaign]) -> None:
    batch = submit(rep, change_draft(rep, numbers))
    approve(manager, batch, [2])
    assert len(release(batch)) == 1
    approve(manager, batch, [3])
    assert len(release(batch)) == 1
    assert outcomes(batch) == {"waiting": 1, "approved": 2}


# --- locks ----------------------------------------------------------------------------------------------------------


def release_against(batch: Batch, lock: Callable[[], object]) -> None:
    """A worker releases the batch while somebody locks a row and then wants to write the history, as services do."""
    locked = threading.Event()

    def somebody() -> None:
        try:
            with transaction.atomic():
                lock()
                locked.set()
                history_lock()
        finally:
            connection.close()

    meanwhile: list[Future[None]] = []

    def ring(order_id: int) -> None:
        # The order and its history are written, and not committed yet.
        meanwhile.append(pool.submit(somebody))
        locked.wait(0.5)

    with ThreadPoolExecutor(1) as pool:
        batch_release(actor=WORKER, batch_id=batch.pk, ring=ring)
        meanwhile[0].result()


@pytest.mark.django_db(transaction=True)
def test_a_release_and_a_change_of_its_number_never_wait_for_each_other(
    rep: User, manager: User, location: Account
) -> None:
    numbers = campaigns_at(location, 1)
    batch = running(rep, manager, change_draft(rep, numbers))
    release_against(batch, lambda: campaign_lock(pk=numbers[0].pk))
    assert outcomes(batch) == {"approved": 1}


@pytest.mark.django_db(transaction=True)
def test_a_release_and_a_late_answer_to_what_failed_never_wait_for_each_other(
    rep: User, manager: User, location: Account
) -> None:
    batch = running(rep, manager, purchase_draft(rep, location, "3167342253"))
    [failed] = release(batch)
    Order.objects.update(status=OrderStatus.FAILED)
    Choice.objects.update(live=False)
    batch_retry(actor=Actor.person(rep), batch_id=batch.pk)
    release_against(batch, lambda: order_lock(failed))
    assert Order.objects.count() == 2
