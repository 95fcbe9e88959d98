"""Bringing the account tree in line with Callcap's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.callcap import AccountNode, CallcapUnreadable
from numbers_app.models import Account, HistoryEntry, Source, User, Verb
from numbers_app.selectors.accounts import accounts_visible
from numbers_app.services import account_sync
from numbers_app.services.account_sync import SyncResult, accounts_sync, accounts_sync_run, accounts_sync_state
from numbers_app.services.accounts import grant_add
from numbers_app.services.history import history_append
from numbers_app.services.verification import history_verify
from tests.factories import GrantFactory, LocationFactory, OrderFactory
from tests.orders.steps import wait_until
from tests.sandbox_server import SandboxServer

from .tree import callcap_lists, node, tree

COMMAND = Actor.portal("sync_accounts", source=Source.COMMAND)

pytestmark = pytest.mark.django_db

type Lists = Callable[..., SyncResult]


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> Lists:
    """``lists(*nodes)``: what the next reading comes to when Callcap lists these accounts."""

    def read(*nodes: AccountNode) -> SyncResult:
        callcap_lists(monkeypatch, *nodes)
        return sync()

    return read


def sync() -> SyncResult:
    return accounts_sync(actor=COMMAND)


def snapshot() -> list[object]:
    return list(Account.objects.order_by("pk").values())


def entries() -> list[tuple[str, object]]:
    """(account, what changed) of every change so far, in order."""
    changed = HistoryEntry.objects.filter(verb=Verb.ACCOUNT_CHANGED).order_by("sequence")
    return list(changed.values_list("account_key", "changes"))


def test_the_whole_tree_is_mirrored_recorded_and_then_left_alone(sandbox: SandboxServer) -> None:
    assert sync() == SyncResult(listed=52, added=52, changed=0, vanished=0)
    assert [Account.objects.filter(kind=kind).count() for kind in Account.Kind.values] == [3, 8, 41]
    wichita = Account.objects.get(key="L-1")
    assert (str(wichita), wichita.path, wichita.time_zone, wichita.active, wichita.callcap_id) == (
        "Prairie Comfort Wichita (L-1)",
        "/C-1/D-1/L-1/",
        "America/Chicago",
        True,
        1,
    )
    assert wichita.parent
    assert wichita.parent.key == "D-1"
    added = HistoryEntry.objects.filter(verb=Verb.ACCOUNT_ADDED)
    assert added.count() == 52
    assert added.get(account_key="D-1").changes == {
        "name": [None, "Heating and Cooling"],
        "path": [None, "/C-1/D-1/"],
    }
    assert history_verify().problems == []
    before = timezone.now()
    assert sync() == SyncResult(listed=52, added=0, changed=0, vanished=0)
    assert HistoryEntry.objects.count() == 52
    assert not Account.objects.filter(synced_at__lt=before).exists()


def test_renamed_account_is_changed_and_recorded(lists: Lists) -> None:
    lists(*tree(name="Salina"))
    assert lists(*tree(name="Salina East")).changed == 1
    assert Account.objects.get(key="L-3").name == "Salina East"
    assert entries() == [("L-3", {"name": ["Salina", "Salina East"]})]


def test_moved_account_gets_its_new_path_with_everything_below(lists: Lists) -> None:
    corporate, division, location = tree()
    lists(corporate, division, location)
    assert lists(corporate, node("C-2"), node("D-1", above="C-2"), location).changed == 2
    moved = Account.objects.get(key="L-3")
    assert (moved.path, moved.parent and moved.parent.parent and moved.parent.parent.key) == ("/C-2/D-1/L-3/", "C-2")
    assert entries() == [
        ("D-1", {"path": ["/C-1/D-1/", "/C-2/D-1/"]}),
        ("L-3", {"path": ["/C-1/D-1/L-3/", "/C-2/D-1/L-3/"]}),
    ]


def test_vanished_account_is_marked_recorded_and_kept(lists: Lists) -> None:
    corporate, division, location = tree()
    lists(corporate, division, location)
    assert lists(corporate, division).vanished == 1
    assert Account.objects.get(key="L-3").active is False
    assert entries() == [("L-3", {"active": [True, False]})]
    assert lists(corporate, division).vanished == 0
    assert lists(corporate, division, location).changed == 1
    assert Account.objects.get(key="L-3").active is True


def test_vanished_account_moves_along_with_the_division_that_it_hung_below(lists: Lists, rep: User) -> None:
    """Else whoever was granted the Division would see the numbers of the vanished Location no more."""
    corporate, division, location = tree()
    lists(corporate, division, location)
    GrantFactory(user=rep, account=Account.objects.get(key="D-1"))
    assert lists(corporate, node("C-2"), node("D-1", above="C-2")).vanished == 1
    assert Account.objects.get(key="L-3").path == "/C-2/D-1/L-3/"
    assert accounts_visible(rep).filter(key="L-3").exists()


def test_zone_that_callcap_does_not_tell_stays(lists: Lists) -> None:
    lists(*tree(zone="America/Denver"))
    assert lists(*tree(zone="")).changed == 0
    assert Account.objects.get(key="L-3").time_zone == "America/Denver"


def test_all_stays_as_it_was_when_callcap_lists_nothing_at_all(lists: Lists) -> None:
    lists(*tree())
    before = snapshot()
    with pytest.raises(CallcapUnreadable, match="no accounts at all"):
        lists()
    assert snapshot() == before


def test_of_two_readings_at_once_the_older_one_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def reads_slowly() -> Iterator[AccountNode]:
        old = tree(name="Salina")
        callcap_lists(monkeypatch, *tree(name="Salina East"), node("L-4", above="D-1"))
        assert sync().added == 4
        yield from old

    monkeypatch.setattr(account_sync, "_read_tree", reads_slowly)
    assert sync() == SyncResult(listed=3, added=0, changed=0, vanished=0)
    assert list(Account.objects.filter(active=True, kind="location").values_list("name", flat=True)) == [
        "Salina East",
        "Account L-4",
    ]


def test_all_stays_as_it_was_while_callcap_is_down(location: Account, settings: Any) -> None:
    before = snapshot()
    settings.CALLCAP_API_URL = "http://127.0.0.1:1"
    with pytest.raises(CommandError, match=r"could not be reached.* The accounts stay as they were\."):
        call_command("sync_accounts")
    assert snapshot() == before
    assert "could not be reached" in accounts_sync_state().trouble


@pytest.mark.parametrize("fault", ["500", "html", "truncated", "401", "404"])
def test_all_stays_as_it_was_when_a_part_of_the_tree_cannot_be_read(
    sandbox: SandboxServer, location: Account, fault: str
) -> None:
    before = snapshot()
    sandbox.arm_fault("slow", "accounts", seconds=0, times=9)
    sandbox.arm_fault(fault, "accounts", times=2)
    with pytest.raises(CommandError, match="The accounts stay as they were"):
        call_command("sync_accounts")
    assert snapshot() == before


def test_the_command_says_what_it_did_and_an_earlier_failure_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    callcap_lists(monkeypatch)
    assert accounts_sync_run(actor=COMMAND) is None
    assert accounts_sync_state().trouble == "Callcap listed no accounts at all."
    callcap_lists(monkeypatch, *tree())
    out = StringIO()
    call_command("sync_accounts", stdout=out)
    assert out.getvalue() == "3 accounts: 3 added, 0 changed, 0 gone.\n"
    assert accounts_sync_state().trouble == ""


@pytest.mark.django_db(transaction=True)
def test_sync_and_an_order_being_asked_for_do_not_wait_for_each_other_in_a_circle(
    location: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    callcap_lists(monkeypatch, *tree(location.key, name="Renamed"))
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
    assert Account.objects.get(pk=location.pk).name == "Renamed"


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
