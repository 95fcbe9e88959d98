"""The rate gate: as many calls a second as the settings allow, over all processes, and a part of them for people."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from numbers_app.actors import Actor
from numbers_app.callcap import SearchCriteria
from numbers_app.models import Account, AttemptOutcome, OrderStatus, RateGate, User
from numbers_app.services.account_sync import accounts_sync
from numbers_app.vendor import VendorBusy, rate_gate, vendor_find_number, vendor_search, vendor_turn
from tests.callcap.vendor import answer
from tests.orders.steps import CAKE, approve, ask, carry_out
from tests.sandbox_server import SandboxServer

from .conftest import FOUND, NUMBER, Ask, database_seconds

pytestmark = pytest.mark.django_db

ALL, BATCHES = RateGate.Name.ALL, RateGate.Name.BATCHES


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that the gate would have made; none is made."""
    made: list[float] = []
    monkeypatch.setattr(rate_gate.time, "sleep", made.append)
    return made


def fill(name: RateGate.Name, seconds: float) -> None:
    """Let the gate's next turn be so many seconds away."""
    RateGate.objects.update_or_create(name=name, defaults={"next_at": database_seconds() + seconds})


def test_without_a_rate_there_is_no_gate_and_no_query(django_assert_num_queries: Any, settings: Any) -> None:
    assert settings.CALLCAP_MAX_PER_SECOND == 0
    with django_assert_num_queries(0):
        vendor_turn()
        vendor_turn(batch=True)


def test_a_few_calls_may_start_at_once_and_then_one_an_interval(settings: Any, waits: list[float]) -> None:
    settings.CALLCAP_MAX_PER_SECOND = 20
    begun = time.monotonic()
    for _ in range(20):
        vendor_turn()
    # Waiting is what is left of the turn's moment, so what the test itself takes counts too.
    took = time.monotonic() - begun
    assert waits[:5] == [0] * 5
    assert 0.05 * 20 - 0.25 - 0.05 - took - 0.01 <= waits[-1] <= 0.05 * 20 - 0.25
    assert sum(wait > 0 for wait in waits) >= 10


def test_a_person_does_not_wait_longer_than_two_seconds(settings: Any, waits: list[float]) -> None:
    settings.CALLCAP_MAX_PER_SECOND = 10
    fill(ALL, 1.9)
    vendor_turn()
    assert 1.5 < waits[-1] <= 2
    fill(ALL, 2.5)
    before = RateGate.objects.get(name=ALL).next_at
    with pytest.raises(VendorBusy, match="asks Callcap as often as it may right now"):
        vendor_turn()
    assert RateGate.objects.get(name=ALL).next_at == before, "who gives up takes no turn"


def test_a_batch_waits_longer(settings: Any, waits: list[float]) -> None:
    settings.CALLCAP_MAX_PER_SECOND = 10
    fill(BATCHES, 8)
    vendor_turn(batch=True)
    assert 7 < max(waits) <= 8
    fill(BATCHES, 10.05)
    with pytest.raises(VendorBusy):
        vendor_turn(batch=True)


def test_batches_take_three_quarters_of_the_rate_at_most(settings: Any, waits: list[float]) -> None:
    settings.CALLCAP_MAX_PER_SECOND = 10
    start = database_seconds()
    for _ in range(30):
        vendor_turn(batch=True)
    gates = {gate.name: gate.next_at - start for gate in RateGate.objects.all()}
    assert gates[BATCHES] == pytest.approx(30 / 7.5 - 0.25, abs=0.2)
    assert gates[ALL] == pytest.approx(30 / 10 - 0.25, abs=0.2)


def test_people_find_a_part_of_the_rate_free_of_batches(settings: Any, waits: list[float]) -> None:
    settings.CALLCAP_MAX_PER_SECOND = 10
    fill(BATCHES, 9.9)
    vendor_turn()
    assert waits == [0]


@pytest.mark.parametrize("ahead", [60, 3600 * 24 * 365])
def test_a_clock_that_was_set_back_stops_nothing(settings: Any, waits: list[float], ahead: float) -> None:
    settings.CALLCAP_MAX_PER_SECOND = 10
    fill(ALL, ahead)
    vendor_turn()
    assert waits == [0]
    assert RateGate.objects.get(name=ALL).next_at < database_seconds() + 1


@pytest.mark.django_db(transaction=True)
def test_no_two_callers_take_the_same_turn(settings: Any, waits: list[float]) -> None:
    settings.CALLCAP_MAX_PER_SECOND = 10
    callers, turns = 6, 12
    RateGate.objects.create(name=ALL)
    together = threading.Barrier(callers)
    start = database_seconds()

    def take() -> None:
        together.wait()
        try:
            for _ in range(turns // callers):
                vendor_turn()
        finally:
            connection.close()

    threads = [threading.Thread(target=take) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Each of the turns moved the gate on by one interval.
    spent = RateGate.objects.get(name=ALL).next_at - (start - rate_gate.BURST_SECONDS)
    assert spent >= turns * 0.1 - 0.01
    assert len(waits) == turns


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_waiting(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CALLCAP_MAX_PER_SECOND = 10
    open_ones: list[bool] = []
    monkeypatch.setattr(rate_gate.time, "sleep", lambda seconds: open_ones.append(connection.in_atomic_block))
    vendor_turn(batch=True)
    assert open_ones == [False, False]
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        vendor_turn()


# --- every call of the portal ---------------------------------------------------------------------------------------


@pytest.fixture
def shut(settings: Any) -> None:
    """A gate that nobody passes within any patience."""
    settings.CALLCAP_MAX_PER_SECOND = 0.1
    for name in (ALL, BATCHES):
        fill(name, 15)


@pytest.mark.parametrize(
    "call",
    [
        lambda: vendor_search(SearchCriteria(area_code="316")),
        lambda: vendor_search(SearchCriteria(area_code="316"), fresh=True, batch=True),
        lambda: vendor_find_number(NUMBER),
        lambda: vendor_find_number(NUMBER, "L-3", batch=True),
        lambda: accounts_sync(actor=Actor.portal("Tester", source="command")),
    ],
)
@pytest.mark.usefixtures("shut")
def test_reads_pass_the_gate(callcap: Ask, call: Callable[[], object]) -> None:
    to = callcap(FOUND)
    with pytest.raises(VendorBusy):
        call()
    assert to.requests == []


def test_a_repeated_read_passes_the_gate_again(callcap: Ask, settings: Any, waits: list[float]) -> None:
    settings.CALLCAP_MAX_PER_SECOND = 2
    to = callcap(answer("", 503), FOUND)
    assert vendor_find_number(NUMBER) is not None
    assert len(to.requests) == 2
    assert RateGate.objects.get(name=ALL).next_at == pytest.approx(database_seconds() + 2 * 0.5 - 0.25, abs=0.25)


def test_background_work_repeats_its_reads_in_its_own_share(
    callcap: Ask, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CALLCAP_MAX_PER_SECOND = 2
    passed: list[tuple[str, float]] = []
    real = rate_gate._pass

    def watched(name: RateGate.Name, rate: float, ends: float) -> None:
        passed.append((name, ends - time.monotonic()))
        real(name, rate, ends)

    monkeypatch.setattr(rate_gate, "_pass", watched)
    callcap(answer("", 503), FOUND)
    assert vendor_find_number(NUMBER, batch=True) is not None
    assert [name for name, _ in passed] == [BATCHES, ALL] * 2
    assert passed[-1][1] < settings.CALLCAP_TIMEOUT, "the deadline of the call"


def test_a_read_is_not_repeated_when_the_gate_lets_nobody_through(callcap: Ask, settings: Any) -> None:
    settings.CALLCAP_MAX_PER_SECOND = 0.1
    to = callcap(answer("", 503), FOUND)
    with pytest.raises(Exception, match="status 503"):
        vendor_find_number(NUMBER)
    assert len(to.requests) == 1


@pytest.mark.parametrize("moment", ["picked up", "looked"])
def test_a_write_that_cannot_pass_is_put_off_before_its_intent(
    rep: User,
    manager: User,
    location: Account,
    sandbox: SandboxServer,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    order = approve(manager, ask(rep, location, CAKE))

    def shut(step: str) -> None:
        if step == moment:
            settings.CALLCAP_MAX_PER_SECOND = 0.1
            fill(BATCHES, 15)

    monkeypatch.setattr("numbers_app.steps.listener", shut)
    carry_out(order)
    assert (order.status, order.attempts.count(), order.tries) == (OrderStatus.APPROVED, 0, 1)
    assert order.result.startswith("Not sent yet: The portal asks Callcap as often as it may right now")
    assert sandbox.purchases() == []


def test_a_write_that_waited_for_its_turn_still_has_its_whole_window(
    rep: User,
    manager: User,
    location: Account,
    sandbox: SandboxServer,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.CALLCAP_MAX_PER_SECOND = 5
    order = approve(manager, ask(rep, location, CAKE))
    fill(BATCHES, 9.9)
    slept: list[float] = []
    windows: list[int] = []

    def window() -> Any:
        windows.append(len(slept))
        return real()

    from numbers_app.services import sending

    real = sending.SendWindow
    monkeypatch.setattr(rate_gate.time, "sleep", slept.append)
    monkeypatch.setattr(sending, "SendWindow", window)
    monkeypatch.setattr(rate_gate, "BATCH_PATIENCE_SECONDS", 12)
    assert carry_out(order).status == OrderStatus.DONE
    assert max(slept) > 5
    assert windows == [len(slept)], "all waiting is over when the window opens"
    assert [attempt.outcome for attempt in order.attempts.all()] == [AttemptOutcome.APPLIED]
