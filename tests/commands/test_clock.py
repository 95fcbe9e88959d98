"""``manage.py clock``."""

from __future__ import annotations

import signal
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from numbers_app.management.commands import clock
from numbers_app.models import Account, Campaign, HistoryEntry, KeptSearch, Order, SavedView, User, Watch
from tests.commands.processes import manage
from tests.factories import CampaignFactory
from tests.orders.steps import CAKE, approve, ask, database_obeys_again, database_refuses, rings, wait_until
from tests.sandbox_server import SandboxServer


@pytest.fixture
def due(rep: User, manager: User, location: Account) -> Order:
    """An approved order that nobody was told of."""
    order = approve(manager, ask(rep, location, "3164440002"))
    Order.objects.update(rung_at=None)
    DBTaskResult.objects.all().delete()
    return order


@pytest.fixture
def stopped(location: Account) -> Campaign:
    """A number whose stop date has passed."""
    campaign: Campaign = CampaignFactory(
        phone_number=CAKE, account=location, stop_date=location.today() - timedelta(days=1)
    )
    return campaign


@pytest.mark.django_db(transaction=True)
def test_once_runs_every_job_once(due: Order, stopped: Campaign) -> None:
    call_command("clock", once=True)
    assert rings() == [due.pk]
    stopped.refresh_from_db()
    assert stopped.ended_at


@pytest.mark.django_db(transaction=True)
def test_tasks_finished_long_ago_are_removed_and_waiting_ones_kept(due: Order) -> None:
    call_command("clock", once=True)
    DBTaskResult.objects.update(
        status="SUCCESSFUL", finished_at=timezone.now() - timedelta(days=8), enqueued_at=timezone.now()
    )
    Order.objects.update(rung_at=None)
    call_command("clock", once=True)
    assert list(DBTaskResult.objects.values_list("status", flat=True)) == ["READY"]


@pytest.mark.django_db(transaction=True)
def test_job_that_fails_is_logged_and_does_not_stop_the_others(
    due: Order, stopped: Campaign, caplog: pytest.LogCaptureFixture
) -> None:
    database_refuses("UPDATE", "numbers_app_order")
    call_command("clock", once=True)
    database_obeys_again()
    assert rings() == []
    stopped.refresh_from_db()
    assert stopped.ended_at
    [failure] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert failure.getMessage() == "periodic job orders_sweep failed; it is tried again in 3 seconds"
    assert failure.exc_info


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_process(due: Order, number: signal.Signals) -> None:
    with manage("clock") as process:
        wait_until(rings, seconds=30)
        process.send_signal(number)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 0, output
    assert rings() == [due.pk]


@pytest.mark.django_db(transaction=True)
def test_task_of_a_worker_that_was_killed_long_ago_is_forgotten(due: Order) -> None:
    call_command("clock", once=True)
    assert DBTaskResult.objects.update(status="RUNNING", started_at=timezone.now() - timedelta(days=8))
    call_command("clock", once=True)
    assert not DBTaskResult.objects.filter(status="RUNNING").exists()


@pytest.mark.django_db(transaction=True)
def test_settings_it_starts_with_are_in_the_history_once() -> None:
    call_command("clock", once=True)
    call_command("clock", once=True)
    [entry] = HistoryEntry.objects.filter(verb="settings.changed")
    assert (entry.actor_name, entry.source) == ("Clock", "worker")


@pytest.mark.django_db(transaction=True)
def test_settings_that_could_not_be_written_are_tried_again_soon(caplog: pytest.LogCaptureFixture) -> None:
    database_refuses("INSERT", "numbers_app_historyentry")
    call_command("clock", once=True)
    database_obeys_again()
    messages = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert messages == ["periodic job settings_record failed; it is tried again in 60 seconds"]


@pytest.mark.django_db(transaction=True)
def test_watched_search_that_is_due_is_looked_at(rep: User, sandbox: SandboxServer) -> None:
    view = SavedView.objects.create(owner=rep, page=SavedView.Page.SEARCH, name="Home", query="area_code=316")
    Watch.objects.create(view=view, due_at=timezone.now())
    call_command("clock", once=True)
    assert Watch.objects.get().seen


@pytest.mark.django_db(transaction=True)
def test_answers_of_old_searches_are_forgotten() -> None:
    KeptSearch.objects.create(key="x", at=timezone.now() - timedelta(minutes=2), packed=b"")
    call_command("clock", once=True)
    assert not KeptSearch.objects.filter(key="x").exists()


@pytest.mark.django_db(transaction=True)
def test_people_are_reminded_of_a_stop_date(location: Account, manager: User) -> None:
    CampaignFactory(phone_number=CAKE, account=location, stop_date=location.today() + timedelta(days=7))
    for _ in range(2):
        call_command("clock", once=True)
    assert manager.notifications.get().campaign


@pytest.mark.django_db(transaction=True)
def test_account_tree_is_read_when_that_was_not_done_for_a_while(location: Account, sandbox: SandboxServer) -> None:
    Account.objects.update(synced_at=timezone.now() - timedelta(hours=1))
    call_command("clock", once=True)
    assert Account.objects.filter(active=True).count() == 52


@pytest.mark.django_db(transaction=True)
def test_vendor_that_hangs_keeps_nothing_else_from_running(monkeypatch: pytest.MonkeyPatch) -> None:
    others_ran, waited = threading.Event(), []

    def hang(**_: Any) -> None:
        waited.append(others_ran.wait(10))

    monkeypatch.setattr(clock, "watches_run", hang)
    monkeypatch.setattr(clock, "orders_expire", lambda **_: others_ran.set())
    call_command("clock", once=True)
    assert waited == [True]
