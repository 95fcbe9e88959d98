"""Pausing what is sent to Callcap: by hand, and by itself when what would be sent cannot be trusted."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import Conflict
from numbers_app.models import (
    Account,
    Campaign,
    HistoryEntry,
    Order,
    OrderStatus,
    SendingScope,
    SendingSwitch,
    Source,
    User,
)
from numbers_app.permissions import Role
from numbers_app.services.head import head_read
from numbers_app.services.sweep import orders_sweep
from numbers_app.services.switch import purchases_pause, sending_guard, sending_resume, sending_switch
from numbers_app.services.verification import history_verify
from tests.factories import UserFactory
from tests.orders.steps import (
    CAKE,
    WORKER,
    approve,
    ask,
    ask_change,
    carry_out,
    keep_trying,
    outcomes,
    rings,
)
from tests.sandbox_server import SandboxServer

CLOCK = Actor.portal("Clock", source=Source.WORKER)
WHY = "The budget is used up"

pytestmark = pytest.mark.django_db


def pause(person: User) -> None:
    purchases_pause(actor=Actor.person(person), reason=WHY)


def resume(person: User, reason: str = "All is well") -> None:
    sending_resume(actor=Actor.person(person), reason=reason)


def paused() -> str:
    return sending_switch().paused


def ringing() -> list[int]:
    """Whom the clock rings for, as if nobody had been told of anything."""
    already = len(rings())
    Order.objects.update(rung_at=None)
    orders_sweep(actor=CLOCK)
    return sorted(rings()[already:])


# --- by hand -------------------------------------------------------------------------------------------------------


def test_nothing_is_paused_at_first() -> None:
    assert (paused(), sending_guard(actor=WORKER).purchases_paused) == (SendingScope.NOTHING, False)


def test_pausing_says_who_since_when_and_why(manager: User) -> None:
    pause(manager)
    now = sending_switch()
    assert (now.paused, now.reason, now.actor_name) == (SendingScope.PURCHASES, WHY, "Manager Test")
    assert now.since
    assert (now.purchases_paused, now.everything_paused) == (True, False)


def test_pausing_and_resuming_are_in_the_history(manager: User) -> None:
    pause(manager)
    resume(manager, "There is money again")
    entries = HistoryEntry.objects.order_by("sequence").values_list("verb", "actor_id", "reason", "changes")
    assert list(entries) == [
        ("sending.paused", manager.pk, WHY, {"paused": ["nothing", "purchases"]}),
        ("sending.resumed", manager.pk, "There is money again", {"paused": ["purchases", "nothing"]}),
    ]
    assert history_verify().problems == []


def test_pausing_twice_is_a_conflict(manager: User, manager2: User) -> None:
    pause(manager)
    with pytest.raises(Conflict, match="Purchases are paused already"):
        pause(manager2)
    assert sending_switch().actor_name == "Manager Test"


def test_resuming_what_is_not_paused_is_a_conflict(manager: User) -> None:
    with pytest.raises(Conflict, match="Nothing is paused"):
        resume(manager)


def test_administrator_may_pause_and_resume() -> None:
    administrator: User = UserFactory(role=Role.ADMINISTRATOR)
    pause(administrator)
    resume(administrator)
    assert paused() == SendingScope.NOTHING


@pytest.mark.parametrize("role", [Role.SALES_REP, Role.AUDITOR])
def test_others_may_not(manager: User, role: Role) -> None:
    other: User = UserFactory(role=role)
    with pytest.raises(PermissionDenied, match="pause and resume what is sent to Callcap"):
        pause(other)
    pause(manager)
    with pytest.raises(PermissionDenied):
        resume(other)
    assert paused() == SendingScope.PURCHASES


def test_the_portal_itself_does_not_resume(manager: User) -> None:
    pause(manager)
    with pytest.raises(PermissionDenied, match="Only a person"):
        sending_resume(actor=WORKER, reason="beep")


def test_the_database_keeps_one_switch_with_a_known_position(manager: User) -> None:
    pause(manager)
    for wrong in ({"pk": 2}, {"pk": 1, "paused": "some"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SendingSwitch.objects.bulk_create([SendingSwitch(**wrong)])


# --- what a pause holds back ---------------------------------------------------------------------------------------


def test_paused_purchases_are_neither_rung_nor_sent_and_go_on_afterwards(
    approved: Order, manager: User, sandbox: SandboxServer
) -> None:
    pause(manager)
    assert ringing() == []
    assert (carry_out(approved).status, outcomes(approved)) == (OrderStatus.APPROVED, [])
    assert sandbox.purchases() == []
    resume(manager)
    assert ringing() == [approved.pk]
    assert carry_out(approved).status == OrderStatus.DONE


def test_changes_are_rung_and_sent_while_purchases_are_paused(manager: User, bought: Campaign) -> None:
    order = ask_change(manager, bought, notes="x")
    pause(manager)
    assert ringing() == [order.pk]
    assert carry_out(order).status == OrderStatus.DONE


def test_purchase_in_doubt_is_checked_while_purchases_are_paused(
    approved: Order, manager: User, sandbox: SandboxServer, die_at: Callable[[Order, str], None]
) -> None:
    sandbox.arm_fault("drop_after_commit", "provision")
    die_at(approved, "recorded")
    pause(manager)
    assert ringing() == [approved.pk]
    assert carry_out(approved).status == OrderStatus.DONE


@pytest.mark.parametrize("step", ["picked up", "looked"])
def test_pause_that_comes_while_the_worker_is_about_to_buy_still_holds_it_back(
    approved: Order,
    manager: User,
    sandbox: SandboxServer,
    on_step: Callable[[str, Callable[[], Any]], None],
    step: str,
) -> None:
    on_step(step, lambda: paused() == SendingScope.NOTHING and pause(manager))
    assert (carry_out(approved).status, outcomes(approved)) == (OrderStatus.APPROVED, [])
    assert sandbox.purchases() == []


def test_people_ask_and_decide_while_purchases_are_paused(rep: User, manager: User, location: Account) -> None:
    pause(manager)
    assert approve(manager, ask(rep, location)).status == OrderStatus.APPROVED


# --- by itself: the key --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on", ["search", "provision"])
def test_key_that_is_not_accepted_pauses_purchases(approved: Order, sandbox: SandboxServer, on: str) -> None:
    sandbox.arm_fault("401", on, times=2)
    carry_out(approved)
    now = sending_switch()
    assert (now.paused, now.actor_name) == (SendingScope.PURCHASES, "Worker")
    assert now.reason.startswith("Callcap did not accept the portal's key: ")
    entry = HistoryEntry.objects.get(verb="sending.paused")
    assert (entry.actor_id, entry.actor_name, entry.reason) == (None, "Worker", now.reason)


def test_key_refused_twice_pauses_once(manager: User, bought: Campaign, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("401", "update", times=2)
    order = ask_change(manager, bought, notes="x")
    for _ in range(2):
        keep_trying(order)
    assert HistoryEntry.objects.filter(verb="sending.paused").count() == 1


# --- by itself: a restored backup ----------------------------------------------------------------------------------


@pytest.fixture
def restored(approved: Order, settings: Any) -> Order:
    """An approved order in a database that lacks what the worker saw last: it is a restored backup."""
    Path(settings.HISTORY_HEAD_FILE).write_text(json.dumps({"sequence": 999, "hash": "f" * 64}))
    return approved


def test_worker_remembers_the_newest_entry_outside_the_database(approved: Order) -> None:
    carry_out(approved)
    known = head_read()
    assert known
    assert HistoryEntry.objects.filter(sequence=known.sequence, hash=known.hash).exists()


def test_restored_backup_pauses_everything(
    restored: Order, manager: User, mirrored: Campaign, sandbox: SandboxServer
) -> None:
    change = ask_change(manager, mirrored, notes="x")
    for order in (restored, change):
        assert (carry_out(order).status, outcomes(order)) == (OrderStatus.APPROVED, [])
    assert ringing() == []
    now = sending_switch()
    assert (now.paused, now.everything_paused) == (SendingScope.EVERYTHING, True)
    assert "lacks entry 999 of the history, so it is a restored backup" in now.reason
    assert HistoryEntry.objects.filter(verb="sending.paused").count() == 1
    assert sandbox.journal() == []


def test_backup_with_another_entry_in_that_place_is_noticed_too(approved: Order, settings: Any) -> None:
    Path(settings.HISTORY_HEAD_FILE).write_text(json.dumps({"sequence": 1, "hash": "f" * 64}))
    carry_out(approved)
    assert paused() == SendingScope.EVERYTHING


def test_purchase_in_doubt_is_not_even_checked_in_a_restored_backup(
    approved: Order, sandbox: SandboxServer, settings: Any, die_at: Callable[[Order, str], None]
) -> None:
    sandbox.arm_fault("drop_after_commit", "provision")
    die_at(approved, "recorded")
    Path(settings.HISTORY_HEAD_FILE).write_text(json.dumps({"sequence": 999, "hash": "f" * 64}))
    keep_trying(approved)
    assert (approved.status, len(outcomes(approved))) == (OrderStatus.UNKNOWN, 1)
    assert sandbox.journal(kind="update") == []


def test_resuming_accepts_the_backup(restored: Order, manager: User, sandbox: SandboxServer) -> None:
    carry_out(restored)
    carry_out(restored)
    assert paused() == SendingScope.EVERYTHING
    resume(manager, "Compared with Callcap")
    assert carry_out(restored).status == OrderStatus.DONE
    assert paused() == SendingScope.NOTHING


def test_backup_that_is_noticed_while_purchases_are_paused_pauses_everything(restored: Order, manager: User) -> None:
    pause(manager)
    carry_out(restored)
    assert paused() == SendingScope.EVERYTHING


def test_backup_restored_once_more_is_noticed_again(restored: Order, manager: User, settings: Any) -> None:
    carry_out(restored)
    resume(manager)
    sending_guard(actor=WORKER)
    Path(settings.HISTORY_HEAD_FILE).write_text(json.dumps({"sequence": 1000, "hash": "e" * 64}))
    assert sending_guard(actor=WORKER).everything_paused


@pytest.mark.parametrize("content", ["", "{", "[]", '{"sequence": "x"}'])
def test_unreadable_file_raises_an_alarm_and_stops_nothing(
    approved: Order, settings: Any, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    Path(settings.HISTORY_HEAD_FILE).write_text(content)
    assert carry_out(approved).status == OrderStatus.DONE
    assert "history_head_unreadable" in caplog.text


def test_file_that_cannot_be_written_raises_an_alarm_and_stops_nothing(
    approved: Order, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "plain").write_text("")
    settings.HISTORY_HEAD_FILE = tmp_path / "plain" / "head.json"
    assert carry_out(approved).status == OrderStatus.DONE
    assert "history_head_not_kept" in caplog.text


# --- by itself: the clock ------------------------------------------------------------------------------------------


def test_clock_that_went_back_pauses_everything(approved: Order, sandbox: SandboxServer) -> None:
    with time_machine.travel(timezone.now() - timedelta(seconds=60)):
        Order.objects.update(execute_after=timezone.now() - timedelta(seconds=1))
        carry_out(approved)
        assert paused() == SendingScope.EVERYTHING
        assert sending_switch().reason == "The clock is wrong: the history's newest entry lies in its future."
    assert (outcomes(approved), sandbox.purchases()) == ([], [])


def test_clock_that_differs_from_the_database_s_pauses_everything(approved: Order, sandbox: SandboxServer) -> None:
    with time_machine.travel(timezone.now() + timedelta(seconds=60)):
        carry_out(approved)
        assert paused() == SendingScope.EVERYTHING
        assert sending_switch().reason == "The clocks of the worker and of the database differ too much."
    assert (outcomes(approved), sandbox.purchases()) == ([], [])


@pytest.mark.parametrize("seconds", [-20, 20])
def test_clocks_that_differ_by_seconds_pause_nothing(rep: User, location: Account, seconds: int) -> None:
    ask(rep, location)
    with time_machine.travel(timezone.now() + timedelta(seconds=seconds)):
        assert not sending_guard(actor=WORKER).purchases_paused


def test_orders_go_on_when_the_clock_is_right_and_somebody_resumed(
    approved: Order, manager: User, sandbox: SandboxServer
) -> None:
    with time_machine.travel(timezone.now() + timedelta(seconds=60)):
        carry_out(approved)
    resume(manager, "The clock is right again")
    assert carry_out(approved).status == OrderStatus.DONE


def test_guard_asks_nothing_of_an_empty_history() -> None:
    assert sending_guard(actor=WORKER).paused == SendingScope.NOTHING
    assert head_read() is None


def test_number_is_bought_once_whatever_was_paused_meanwhile(
    approved: Order, manager: User, sandbox: SandboxServer
) -> None:
    for _ in range(3):
        pause(manager)
        keep_trying(approved)
        resume(manager)
    keep_trying(approved)
    keep_trying(approved)
    assert [purchase["number"] for purchase in sandbox.purchases()] == [CAKE]
