"""Chromium, a served portal, a real worker process and a running Callcap."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from numbers_app.models import Account, User
from numbers_app.permissions import Role
from tests.browser.person import Person
from tests.factories import PASSWORD, GrantFactory, LocationFactory, UserFactory
from tests.sandbox_server import ROOT, SandboxServer

# Playwright's own event loop runs in the test's thread; the database is still used by one thread at a time.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

# As patient as everything else that waits for a page; five seconds are few on a busy machine.
expect.set_options(timeout=15_000)

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium_path() -> str:
    named = os.environ.get("CHROMIUM")
    return named or subprocess.check_output([ROOT / "scripts" / "ensure-chromium"], text=True).strip()


@pytest.fixture(scope="session")
def playwright_here() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright_here: Playwright, chromium_path: str) -> Iterator[Browser]:
    browser = playwright_here.chromium.launch(executable_path=chromium_path, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def people(transactional_db: None) -> dict[str, User]:
    """rep, manager, manager2 and auditor, with L-3 granted to those who act."""
    location: Account = LocationFactory(key="L-3", callcap_id=3, name="Prairie Comfort Salina")
    roles = {"rep": Role.SALES_REP, "manager": Role.MANAGER, "manager2": Role.MANAGER, "auditor": Role.AUDITOR}
    made: dict[str, User] = {name: UserFactory(username=name, role=role) for name, role in roles.items()}
    for name in ("rep", "manager", "manager2"):
        GrantFactory(user=made[name], account=location)
    return made


@pytest.fixture
def worker_process(live_server: Any, sandbox: SandboxServer, tmp_path: Path) -> Iterator[None]:
    """``manage.py worker`` on the test's database, as production runs it."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": database_url(),
        "CALLCAP_API_URL": sandbox.url,
        "HISTORY_HEAD_FILE": str(tmp_path / "history-head.json"),
    }
    command = [sys.executable, "manage.py", "worker", "--interval", "0.2"]
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        yield
        ended = process.poll()
        process.terminate()
        process.wait(20)
    assert ended is None, (tmp_path / "worker.log").read_text()


def database_url() -> str:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    password = f":{database['PASSWORD']}" if database["PASSWORD"] else ""
    return f"postgres://{database['USER']}{password}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


@pytest.fixture
def visit(chromium: Browser, live_server: Any, people: dict[str, User]) -> Iterator[Any]:
    """``visit("rep", width=320, dark=True, javascript=False)``: a person with a browser of their own, signed in.

    They come with a session, or ``at_the_door=True`` through the sign-in page, which takes a second longer. An empty
    name is somebody not signed in. At the end no page may have logged an error, thrown,
    or broken the content security policy.
    """
    persons: list[Person] = []

    def open_for(name: str, *, at_the_door: bool = False, **options: Any) -> Person:
        person = Person(chromium, str(live_server.url), **options)
        persons.append(person)
        if at_the_door:
            person.sign_in(name, PASSWORD)
        elif name:
            client = Client()
            client.force_login(people[name])
            person.bring_session(client.session.session_key)
        return person

    yield open_for
    complaints = [complaint for person in persons for complaint in person.complaints]
    for person in persons:
        person.close()
    # What was asked for last is answered before the database is emptied.
    for thread in threading.enumerate():
        if thread.name.endswith("(process_request_thread)"):
            thread.join(20)
    assert complaints == []
