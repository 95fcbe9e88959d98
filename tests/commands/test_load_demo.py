"""``manage.py load_demo``."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from numbers_app.models import Account, Campaign, Grant, HistoryEntry, Order, OrderStatus, User, Watch
from numbers_app.services.verification import history_verify
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.django_db

PEOPLE = {"rep", "rep2", "manager", "manager2", "auditor", "admin"}


@pytest.fixture
def accounts(sandbox: SandboxServer) -> None:
    """The sandbox's whole tree."""
    call_command("sync_accounts", stdout=StringIO())


def load(**options: Any) -> str:
    out = StringIO()
    call_command("load_demo", stdout=out, **options)
    return out.getvalue()


def test_refused_where_demo_is_off(location: Account, settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="only where DEMO=on"):
        load()
    assert not User.objects.exists()


def test_refused_without_accounts() -> None:
    with pytest.raises(CommandError, match=r"Run manage\.py sync_accounts first"):
        load()


def test_people_get_roles_grants_and_the_password(accounts: None) -> None:
    assert load() == "Users rep, rep2, manager, manager2, auditor, admin, password numbers-demo\n"
    assert set(User.objects.values_list("username", flat=True)) == PEOPLE
    assert User.objects.get(username="manager").check_password("numbers-demo")
    granted = {user.username: user.grants.count() for user in User.objects.all()}
    assert granted == {"rep": 3, "rep2": 1, "manager": 3, "manager2": 3, "auditor": 0, "admin": 0}
    assert list(User.objects.filter(is_superuser=True).values_list("username", flat=True)) == ["admin"]


def test_password_can_be_chosen(accounts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_PASSWORD", "another password")
    load()
    assert User.objects.get(username="rep").check_password("another password")


def test_repeating_changes_nothing(accounts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    load()
    before = HistoryEntry.objects.count(), Grant.objects.count(), list(User.objects.values())
    monkeypatch.setenv("DEMO_PASSWORD", "another password")
    load()
    assert (HistoryEntry.objects.count(), Grant.objects.count(), list(User.objects.values())) == before


def test_activity_buys_changes_and_leaves_some_waiting(accounts: None, sandbox: SandboxServer) -> None:
    assert load(activity=True).endswith("40 bought, 8 changed, 4 waiting.\n")
    assert Campaign.objects.count() == len(sandbox.purchases()) == 40
    statuses = list(Order.objects.values_list("status", flat=True))
    assert statuses.count(OrderStatus.PENDING) == 4
    assert statuses.count(OrderStatus.REJECTED) == 1
    assert statuses.count(OrderStatus.APPROVED) == 1, "a change for later"
    assert set(statuses) == {OrderStatus.DONE, OrderStatus.PENDING, OrderStatus.REJECTED, OrderStatus.APPROVED}
    assert Campaign.objects.filter(stop_date__isnull=False).count() == 8
    view = Watch.objects.get().view
    assert (view.owner.username, view.query, view.shared) == ("rep", "area_code=316&vanity_text=home", True)
    assert history_verify().problems == []
    assert "no activity is added" in load(activity=True)
    assert len(sandbox.purchases()) == 40


def test_activity_that_callcap_does_not_allow_says_so(accounts: None, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("500", "search", rate=1)
    with pytest.raises(CommandError, match=r"The demo's activity is incomplete\."):
        load(activity=True)
    assert set(User.objects.values_list("username", flat=True)) == PEOPLE
