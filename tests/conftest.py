"""What all tests share: a sandbox to speak to, people by role, the guards lifted where a test empties the database."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management.commands import flush
from django.db import connection, connections
from django.test import Client
from hypothesis import settings as hypothesis_settings

from numbers_app.actors import Actor
from numbers_app.models import Account, User
from numbers_app.permissions import Role
from numbers_app.selectors import relaxations
from numbers_app.triggers import triggers_drop
from numbers_app.vendor import callcap_client, search_cache
from tests.factories import GrantFactory, LocationFactory, UserFactory
from tests.sandbox_server import SandboxServer

# The same examples in every run and no deadline for one of them: a machine that is busy for a moment fails nothing.
hypothesis_settings.load_profile("ci")

# Starts processes of its own, on the database that the run is about.
OUTSIDE = "tests/compose/"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database-only", action="store_true", help="Leave out what touches no database: it has run on the other one."
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--database-only"):
        return
    left_out = [item for item in items if not _touches_database(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if _touches_database(item)]


def _touches_database(item: pytest.Item) -> bool:
    needs = {"db", "transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    return bool(needs or item.get_closest_marker("django_db") or item.nodeid.startswith(OUTSIDE))


@pytest.fixture(scope="session", autouse=True)
def _guards_are_lifted_for_flush() -> Iterator[None]:
    """Tests with real transactions empty the tables afterwards, which the guards refuse; migrating puts them back."""
    original = flush.Command.handle

    def handle(self: flush.Command, **options: Any) -> None:
        triggers_drop(connections[options["database"]])
        original(self, **options)
        for name in Role:
            Group.objects.get_or_create(name=name)

    flush.Command.handle = handle  # type: ignore[method-assign]
    yield
    flush.Command.handle = original  # type: ignore[method-assign]


@pytest.fixture(scope="session", autouse=True)
def _test_database_can_be_dropped(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """PostgreSQL drops no database that is in use: whatever a test's server or process still holds is cut off."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    server = SandboxServer(tmp_path_factory.mktemp("sandbox"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def sandbox(running_sandbox: SandboxServer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    """A freshly reset Callcap over real HTTP, which the portal's client speaks to."""
    running_sandbox.reset()
    settings.CALLCAP_API_URL = running_sandbox.url
    # A thread of an earlier test may keep an answer when that test's transaction is over: nobody finds it.
    ours, key = uuid.uuid4().hex, search_cache._key
    monkeypatch.setattr(search_cache, "_key", lambda criteria: (ours + key(criteria))[:64])
    # It shares the machine with the tests: what is found instead of nothing may take longer than people would wait.
    monkeypatch.setattr(relaxations, "SECONDS", 10)
    callcap_client.cache_clear()
    yield running_sandbox
    callcap_client.cache_clear()


@pytest.fixture(autouse=True)
def _head_of_its_own(settings: Any, tmp_path: Path) -> None:
    """Each test's history is new; the last one's would make it look like a restored backup."""
    settings.HISTORY_HEAD_FILE = tmp_path / "history-head.json"
    settings.CHECKPOINT_FILE = tmp_path / "history-checkpoints.jsonl"


@pytest.fixture
def location(db: None) -> Account:
    """L-3 of the sandbox, with its Division and Corporate."""
    return LocationFactory(key="L-3", callcap_id=3)


@pytest.fixture
def elsewhere(db: None) -> Account:
    """L-30 of the sandbox: another Corporate's Location, which the people of L-3 were not granted."""
    return LocationFactory(key="L-30", callcap_id=30, name="Elsewhere")


def _person(role: Role, location: Account, username: str) -> User:
    user: User = UserFactory(role=role, username=username)
    if role in (Role.SALES_REP, Role.MANAGER):
        GrantFactory(user=user, account=location)
    return user


@pytest.fixture
def rep(location: Account) -> User:
    return _person(Role.SALES_REP, location, "rep")


@pytest.fixture
def manager(location: Account) -> User:
    return _person(Role.MANAGER, location, "manager")


@pytest.fixture
def manager2(location: Account) -> User:
    return _person(Role.MANAGER, location, "manager2")


@pytest.fixture
def strange_manager(elsewhere: Account) -> User:
    """A manager of the other Location only."""
    return _person(Role.MANAGER, elsewhere, "strange_manager")


@pytest.fixture
def auditor(location: Account) -> User:
    return _person(Role.AUDITOR, location, "auditor")


@pytest.fixture
def worker() -> Actor:
    return Actor.portal("Worker", source="worker")


@pytest.fixture
def signed_in() -> Any:
    """``signed_in(user)``: a test client with the user's session."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in
