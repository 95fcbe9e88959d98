"""docker-compose.yml works: its commands and environment, run on a local PostgreSQL, bring up the portal."""

import os
import secrets
import subprocess
import time
from collections.abc import Iterator

import psycopg
import pytest
import requests

from .compose_file import ROOT, MissingVariable, environment_of, read_services
from .deployment import Deployment, answers

SERVER_URL = os.environ.get("DATABASE_URL", "")

REQUIRED = {
    "SECRET_KEY": "compose-tests-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ",
    "HISTORY_SIGNING_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "POSTGRES_PASSWORD": "owners-password",
    "PORTAL_DATABASE_PASSWORD": "portals-password",
    "CALLCAP_API_KEY": "sandbox-key",
    "EMAIL_URL": "smtp+tls://portal:password@mail.example.com:587",
    "SITE_URL": "https://numbers.example.com",
    "ALLOWED_HOSTS": "numbers.example.com",
}


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_a_missing_secret_or_address_stops_the_start_with_a_sentence(name: str) -> None:
    with pytest.raises(MissingVariable, match=f"{name}: set it to "):
        read_services({key: value for key, value in REQUIRED.items() if key != name})


def test_only_the_sandbox_needs_a_profile() -> None:
    services = read_services(REQUIRED)
    assert {name for name, service in services.items() if "profiles" in service} == {"sandbox"}
    assert set(services) == {"db", "migrate", "web", "worker", "clock", "sandbox"}


def test_long_running_services_wait_for_the_migrations_and_are_started_again() -> None:
    services = read_services(REQUIRED)
    for name in ("web", "worker", "clock"):
        assert services[name]["restart"] == "unless-stopped"
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert services["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}


def test_production_is_the_default() -> None:
    environment = environment_of(read_services(REQUIRED)["web"])
    assert (environment["DEBUG"], environment["DEMO"], environment["HTTPS"]) == ("off", "off", "on")
    assert environment["CALLCAP_API_URL"] == "https://api.callcap.com"


def test_every_file_the_image_copies_reaches_the_builder() -> None:
    copied = [
        word
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    ]
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    assert copied
    for path in copied:
        assert (ROOT / path).exists()
        assert f"!{path}" in allowed


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The migrated portal with its sandbox; the processes are started by the tests."""
    if not SERVER_URL.startswith("postgres"):
        pytest.skip("docker-compose.yml runs on PostgreSQL: the tests' PostgreSQL half runs this one")
    suffix = secrets.token_hex(4)
    variables = REQUIRED | {
        "POSTGRES_DB": f"compose_{suffix}",
        "POSTGRES_USER": f"compose_owner_{suffix}",
        "PORTAL_DATABASE_USER": f"compose_portal_{suffix}",
        "CALLCAP_API_URL": "http://sandbox:8100",
    }
    deployment = Deployment(SERVER_URL, tmp_path_factory.mktemp("compose"), variables)
    try:
        deployment.create_database()
        deployment.run("migrate")
        yield deployment
    finally:
        deployment.stop_all()
        deployment.drop_database()


@pytest.fixture(scope="module")
def sandbox(deployment: Deployment) -> Deployment:
    deployment.start("sandbox")
    deployment.wait_for("sandbox", lambda: answers(f"http://127.0.0.1:{deployment.sandbox_port}/"))
    return deployment


@pytest.fixture(scope="module")
def web(deployment: Deployment) -> Deployment:
    deployment.start("web")
    deployment.wait_for("web", lambda: answers(f"http://127.0.0.1:{deployment.web_port}/healthz"))
    return deployment


def test_web_is_ready_after_the_migrations(web: Deployment) -> None:
    answer = requests.get(f"http://127.0.0.1:{web.web_port}/readyz", timeout=10)
    assert answer.status_code == 200, answer.text


def test_the_health_check_of_web_passes(web: Deployment) -> None:
    kind, *command = [web.localized(word) for word in web.services["web"]["healthcheck"]["test"]]
    assert kind == "CMD"
    subprocess.run(["/usr/bin/env", *command], env=web.environment("web"), check=True)


def test_plain_http_is_sent_to_https(web: Deployment) -> None:
    headers = {"Host": "numbers.example.com"}
    answer = requests.get(
        f"http://127.0.0.1:{web.web_port}/search/", headers=headers, allow_redirects=False, timeout=10
    )
    assert answer.status_code == 301
    assert answer.headers["Location"] == "https://numbers.example.com/search/"


def test_the_accounts_come_from_the_sandbox(sandbox: Deployment) -> None:
    sandbox.run("clock", ["python", "manage.py", "sync_accounts"])
    with sandbox.connect_as_portal() as connection:
        row = connection.execute("SELECT count(*) FROM numbers_app_account WHERE active").fetchone()
    assert row is not None
    assert row[0] >= 40


@pytest.mark.parametrize("service", ["worker", "clock"])
def test_a_background_process_starts_and_stops_cleanly(sandbox: Deployment, service: str) -> None:
    process = sandbox.start(service)
    time.sleep(6)
    assert process.poll() is None, sandbox.log(service)
    assert sandbox.stop(service) == 0, sandbox.log(service)
    assert "Traceback" not in sandbox.log(service)


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE numbers_app_historyentry",
        "DROP TABLE numbers_app_historyentry",
        "ALTER TABLE numbers_app_campaign DISABLE TRIGGER ALL",
        "CREATE TABLE public.mine (id int)",
    ],
)
def test_the_portals_role_owns_nothing(deployment: Deployment, statement: str) -> None:
    with deployment.connect_as_portal() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)
