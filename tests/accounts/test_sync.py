"""Bringing the account tree in line with Callcap's."""

from __future__ import annotations

import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Account, HistoryEntry, Source, User, Verb
from numbers_app.services.accounts import SyncResult, accounts_sync, grant_add
from numbers_app.services.history import history_append
from numbers_app.services.verification import history_verify
from tests.factories import LocationFactory, OrderFactory
from tests.orders.steps import wait_until
from tests.sandbox_server import SandboxServer

COMMAND = Actor.portal("sync_accounts", source=Source.COMMAND)

pytestmark = pytest.mark.django_db


def sync() -> SyncResult:
    return accounts_sync(actor=COMMAND)


def snapshot() -> list[object]:
    return list(Account.objects.order_by("pk").values())


def test_whole_tree_is_mirrored_with_paths_and_zones(sandbox: SandboxServer) -> None:
    result = sync()
    assert result == SyncResult(listed=52, added=52, changed=0, vanished=0)
    assert Account.objects.count() == 52
    assert [Account.objects.filter(kind=kind).count() for kind in Account.Kind.values] == [3, 8, 41]
    wichita = Account.objects.get(key="L-1")
    assert (wichita.name, wichita.path, wichita.time_zone) == (
        "Prairie Comfort Wichita",
        "/C-1/D-1/L-1/",
        "America/Chicago",
    )
    assert wichita.parent
    assert (wichita.parent.key, wichita.active, wichita.callcap_id) == ("D-1", True, 1)
    assert str(wichita) == "Prairie Comfort Wichita (L-1)"


def test_every_added_account_is_in_the_history(sandbox: SandboxServer) -> None:
    sync()
    added = HistoryEntry.objects.filter(verb="account.added")
    assert added.count() == 52
    assert added.get(account_key="D-1").changes == {
        "name": [None, "Heating and Cooling"],
        "path": [None, "/C-1/D-1/"],
    }
    assert history_verify().problems == []


def test_second_run_changes_nothing_but_the_time(sandbox: SandboxServer) -> None:
    sync()
    Account.objects.update(synced_at=timezone.now() - timezone.timedelta(days=1))
    before = timezone.now()
    assert sync() == SyncResult(listed=52, added=0, changed=0, vanished=0)
    assert HistoryEntry.objects.count() == 52
    assert not Account.objects.filter(synced_at__lt=before).exists()


def test_renamed_account_is_changed_and_recorded(sandbox: SandboxServer) -> None:
    sync()
    Account.objects.filter(key="L-2").update(name="Old name")
    assert sync().changed == 1
    assert Account.objects.get(key="L-2").name == "Prairie Comfort Topeka"
    entry = HistoryEntry.objects.get(verb="account.changed")
    assert (entry.account_key, entry.changes) == ("L-2", {"name": ["Old name", "Prairie Comfort Topeka"]})


def test_moved_account_gets_its_new_path_with_everything_below(sandbox: SandboxServer) -> None:
    sync()
    Account.objects.filter(key="D-1").update(path="/C-2/D-1/", parent=Account.objects.get(key="C-2"))
    Account.objects.filter(key="L-1").update(path="/C-2/D-1/L-1/")
    assert sync().changed == 2
    assert Account.objects.get(key="L-1").path == "/C-1/D-1/L-1/"


def test_vanished_account_is_marked_recorded_and_kept(sandbox: SandboxServer) -> None:
    sync()
    LocationFactory(key="L-999", callcap_id=999, parent=Account.objects.get(key="D-1"))
    assert sync().vanished == 1
    assert Account.objects.get(key="L-999").active is False
    entry = HistoryEntry.objects.get(verb="account.changed")
    assert (entry.account_key, entry.changes) == ("L-999", {"active": [True, False]})
    assert sync().vanished == 0


def test_account_that_came_back_is_active_again(sandbox: SandboxServer) -> None:
    sync()
    Account.objects.filter(key="L-5").update(active=False)
    assert sync().changed == 1
    assert Account.objects.get(key="L-5").active is True


def test_zone_that_callcap_does_not_tell_stays(sandbox: SandboxServer) -> None:
    sync()
    Account.objects.filter(key="C-1").update(time_zone="America/Denver")
    assert sync().changed == 0
    assert Account.objects.get(key="C-1").time_zone == "America/Denver"


def test_all_stays_as_it_was_while_callcap_is_down(sandbox: SandboxServer) -> None:
    sync()
    before = snapshot()
    sandbox.stop()
    try:
        with pytest.raises(CommandError, match=r"could not be reached.* The accounts stay as they were\."):
            call_command("sync_accounts")
    finally:
        sandbox.start()
    assert snapshot() == before


@pytest.mark.parametrize("fault", ["500", "html", "truncated", "401", "404"])
def test_all_stays_as_it_was_when_a_part_of_the_tree_cannot_be_read(sandbox: SandboxServer, fault: str) -> None:
    sync()
    Account.objects.filter(key="L-2").update(name="Old name")
    before = snapshot()
    sandbox.arm_fault("slow", "accounts", seconds=0, times=20)
    sandbox.arm_fault(fault, "accounts", times=2)
    with pytest.raises(CommandError, match="The accounts stay as they were"):
        call_command("sync_accounts")
    assert snapshot() == before


def test_command_says_what_it_did(sandbox: SandboxServer) -> None:
    out = StringIO()
    call_command("sync_accounts", stdout=out)
    assert out.getvalue() == "52 accounts: 52 added, 0 changed, 0 gone.\n"


@pytest.mark.django_db(transaction=True)
def test_sync_and_an_order_being_asked_for_do_not_wait_for_each_other_in_a_circle(
    location: Account, sandbox: SandboxServer
) -> None:
    failures: list[Exception] = []

    def run() -> None:
        try:
            sync()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        history_append(actor=COMMAND, verb=Verb.ORDER_REQUESTED, account_key=location.key)
        OrderFactory(account=location)
        thread.start()
        if connection.vendor == "postgresql":
            wait_until(waits_for_the_history)
    thread.join(60)
    assert failures == []
    assert Account.objects.filter(active=True).count() == 52


def waits_for_the_history() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return cursor.fetchone() is not None


def test_grant_is_recorded_once(rep: User) -> None:
    other = LocationFactory()
    first = grant_add(actor=COMMAND, user=rep, account=other)
    assert grant_add(actor=COMMAND, user=rep, account=other) == first
    entry = HistoryEntry.objects.get(verb="grant.added")
    assert entry.changes == {"user": [None, "rep"], "account": [None, other.key]}
    assert str(first) == f"rep on {other}"
