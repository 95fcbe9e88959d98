"""The probes: alive, and able to work."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone

from numbers_app.models import VerificationResult
from numbers_app.triggers import triggers_drop, triggers_install

from .environment import portal


def test_healthz_touches_neither_database_nor_session(client: Client) -> None:
    # Without the django_db mark, any query fails this test.
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert response.headers["Content-Type"] == "text/plain"


@pytest.mark.django_db
def test_readyz_says_that_everything_is_there(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "checks": {"database": "ok", "cache": "ok"},
        "history": {"verified": None},
        "callcap": {"left_alone_until": None},
    }


@pytest.mark.django_db
@pytest.mark.parametrize(("problems", "words"), [(0, "in order"), (2, "not in order")])
def test_readyz_tells_how_the_last_verification_went(client: Client, problems: int, words: str) -> None:
    VerificationResult.objects.create(
        at=timezone.now() - timedelta(hours=1),
        seconds=1,
        entries=1,
        numbers=1,
        checkpoints=0,
        head="",
        problems=problems,
    )
    response = client.get("/readyz")
    told = response.json()["history"]
    assert response.status_code == 200
    assert (told["verified"], told["problems"]) == (words, problems)
    assert 3600 <= told["seconds_ago"] < 3700


@pytest.mark.django_db
def test_readyz_misses_a_guard_and_names_it(client: Client) -> None:
    triggers_drop(connection)
    response = client.get("/readyz")
    triggers_install(connection)
    assert response.status_code == 503
    assert response.json()["checks"]["database"].startswith("guards are missing: ")
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db
def test_readyz_misses_a_migration(client: Client) -> None:
    with patch("portal.health.MigrationExecutor.migration_plan", return_value=[("one", False)]):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["database"] == "migrations are missing: run manage.py migrate"


@pytest.mark.django_db
def test_readyz_says_when_the_database_does_not_answer(client: Client) -> None:
    def broken(*args: Any) -> None:
        raise DatabaseError("password=swordfish")

    with patch("portal.health.triggers_missing", broken):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["database"] == "does not answer (DatabaseError)"
    assert "swordfish" not in response.content.decode()


@pytest.mark.django_db
def test_readyz_says_when_the_cache_does_not_work(client: Client) -> None:
    with patch("django.core.cache.backends.db.DatabaseCache.set", side_effect=OSError("swordfish")):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"] == {"database": "ok", "cache": "not writable (OSError)"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.django_db
def test_probes_only_read(client: Client, path: str) -> None:
    assert client.head(path).status_code == 200
    assert client.post(path).status_code == 405


def asked_of_an_empty_database(path: str, tmp_path: Any) -> str:
    """Status and body as a portal answers that was started on a database without any table."""
    code = (
        "import django; django.setup(); from django.test import Client; "
        f"answer = Client().get({path!r}, headers={{'host': 'localhost'}}); "
        "print(answer.status_code, answer.content.decode())"
    )
    environment: dict[str, str | None] = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    finished = portal("-W", "ignore", "-c", code, environment=environment)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_a_portal_on_an_empty_database_is_alive_but_not_ready(tmp_path: Any) -> None:
    assert "200 ok" in asked_of_an_empty_database("/healthz", tmp_path)
    said = asked_of_an_empty_database("/readyz", tmp_path)
    assert "503 " in said
    assert "migrations are missing: run manage.py migrate" in said
