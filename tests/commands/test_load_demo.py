"""``manage.py load_demo``."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from numbers_app.models import (
    Account,
    Batch,
    BatchKind,
    BatchStatus,
    Campaign,
    Grant,
    HistoryEntry,
    MediaType,
    Notification,
    Order,
    OrderStatus,
    RowState,
    SavedView,
    User,
    Watch,
)
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


def test_activity_buys_imports_changes_and_leaves_some_waiting(accounts: None, sandbox: SandboxServer) -> None:
    # One test: playing it takes seconds.
    assert load(activity=True).endswith("40 bought, 9 imported, 8 changed, 4 waiting.\n")
    look_at_orders()
    look_at_numbers(sandbox)
    look_at_batches()
    assert list(MediaType.objects.values_list("number", "name")) == [
        (12, "Billboard"),
        (4, "Direct mail"),
        (7, "Radio"),
    ]
    views = {view.name: (view.owner.username, view.query, view.shared) for view in SavedView.objects.all()}
    assert views == {
        "Homes in Wichita": ("rep", "area_code=316&vanity_text=home", True),
        "Never confirmed": ("manager", "confirmation=never&sort=number", True),
    }
    assert Watch.objects.get().view.name == "Homes in Wichita"
    assert history_verify().problems == []
    sold = len(sandbox.purchases())
    assert "no activity is added" in load(activity=True)
    assert len(sandbox.purchases()) == sold == 48
    assert Campaign.objects.count() == 49


def look_at_orders() -> None:
    statuses = list(Order.objects.values_list("status", flat=True))
    assert statuses.count(OrderStatus.PENDING) == 4
    assert statuses.count(OrderStatus.REJECTED) == 1
    assert statuses.count(OrderStatus.APPROVED) == 1, "a change for later"
    assert statuses.count(OrderStatus.FAILED) == 1, "the confirmation of a number that is not ours"
    assert statuses.count(OrderStatus.DONE) == len(statuses) - 7


def look_at_numbers(sandbox: SandboxServer) -> None:
    bought = Campaign.objects.filter(imported_at=None).select_related("account")
    assert bought.count() == 40
    stops = [(campaign.stop_date - campaign.account.today()).days for campaign in bought if campaign.stop_date]
    assert sorted(stops) == [1, 6, 12, 25, 33, 60, 110, 200]
    assert bought.filter(media_type_id=7).exists()
    imported = Campaign.objects.exclude(imported_at=None)
    never = imported.filter(confirmed_at=None, disputed_at=None)
    assert (imported.count(), never.count()) == (9, 6)
    disputed = imported.get(disputed_at__isnull=False)
    assert "does not exist" in disputed.dispute
    # Callcap knows all others, so that they can be confirmed.
    at_callcap = {entry["number"] for entry in sandbox.purchases()}
    assert {campaign.phone_number for campaign in imported} - at_callcap == {disputed.phone_number}


def look_at_batches() -> None:
    waiting, done = Batch.objects.order_by("-pk")
    assert (waiting.author_name, waiting.status, waiting.kind) == ("Riley Reed", BatchStatus.WAITING, BatchKind.CHANGE)
    assert set(waiting.rows.values_list("state", flat=True)) == {RowState.READY}
    assert (done.status, done.kind) == (BatchStatus.DONE, BatchKind.IMPORT)
    told = Notification.objects.filter(batch=waiting, read_at=None).values_list("user__username", flat=True)
    assert set(told) == {"manager", "manager2"}


def test_activity_that_callcap_does_not_allow_says_so(accounts: None, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("500", "search", rate=1)
    with pytest.raises(CommandError, match=r"The demo's activity is incomplete\."):
        load(activity=True)
    assert set(User.objects.values_list("username", flat=True)) == PEOPLE
