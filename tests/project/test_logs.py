"""Logs: one line an event, which nobody can forge, and no secret in any of them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.test import Client

from numbers_app.models import User
from portal.logs import logging_config
from tests.factories import PASSWORD
from tests.sandbox_server import SandboxServer

SECRET = "swordfish-0123456789"


class Log:
    """What is logged while a test runs, rendered as the portal renders it."""

    def __init__(self, log_format: str) -> None:
        self.stream = io.StringIO()
        formatter = dict(logging_config(log_format)["formatters"]["portal"])
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(formatter.pop("()")(**formatter))

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


@pytest.fixture(params=["console", "json"])
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    captured = Log(request.param)
    root = logging.getLogger()
    root.addHandler(captured.handler)
    yield captured
    root.removeHandler(captured.handler)


@pytest.fixture
def json_log() -> Iterator[Log]:
    captured = Log("json")
    logging.getLogger().addHandler(captured.handler)
    yield captured
    logging.getLogger().removeHandler(captured.handler)


def test_json_lines_have_time_level_logger_and_event(json_log: Log) -> None:
    logging.getLogger("portal.test").warning("Something %s", "happened")
    [line] = json_log.lines
    event = json.loads(line)
    assert (event["event"], event["level"], event["logger"]) == ("Something happened", "warning", "portal.test")
    assert event["timestamp"].endswith("Z")


FORGED = "harmless\r\n2026-11-23T12:00:00Z [info] Ann approved everything\u2028and more\x1b[31m"


def test_a_line_break_in_a_message_forges_no_line(log: Log) -> None:
    logging.getLogger("portal.test").warning("Typed: %s", FORGED)
    assert len(log.text.strip("\n").splitlines()) == 1
    assert "\x1b" not in log.text
    assert "Ann approved everything" in log.text


def test_a_line_break_in_a_value_forges_no_line(log: Log) -> None:
    structlog.get_logger("portal.test").warning("typed", text=FORGED, odd=["list", FORGED])
    assert len(log.text.strip("\n").splitlines()) == 1
    assert "\x1b" not in log.text


@pytest.mark.django_db
def test_an_address_with_line_breaks_forges_no_line(log: Log, client: Client) -> None:
    client.get("/nowhere/%0d%0a2026-11-23 Ann approved everything/", headers={"User-Agent": "evil"})
    lines = [line for line in log.lines if "approved everything" in line]
    assert lines
    assert not any(line.startswith("2026-11-23 Ann") for line in log.lines)


def fail_with_a_secret() -> None:
    password = SECRET
    raise ValueError(f"{len(password)} letters were wrong")


def test_a_traceback_shows_the_code_and_no_local_variable(log: Log) -> None:
    try:
        fail_with_a_secret()
    except ValueError:
        logging.getLogger("portal.test").exception("It failed")
    assert "20 letters were wrong" in log.text
    assert "fail_with_a_secret" in log.text
    assert SECRET not in log.text


@pytest.mark.django_db
def test_passwords_and_sessions_are_never_logged(log: Log, client: Client, rep: User) -> None:
    client.post("/accounts/login/", {"login": "rep", "password": SECRET})
    client.post("/accounts/login/", {"login": "rep", "password": PASSWORD})
    assert "POST /accounts/login/" in log.text
    assert SECRET not in log.text
    assert PASSWORD not in log.text
    assert client.cookies["sessionid"].value not in log.text
    assert client.cookies["csrftoken"].value not in log.text


@pytest.mark.django_db
def test_callcaps_key_is_never_logged(log: Log, sandbox: SandboxServer, rep: User, signed_in: Any) -> None:
    client = signed_in(rep)
    for fault in ("401", "500", "html", "truncated"):
        sandbox.arm_fault(fault, "search", times=5)
        client.get("/search/", {"area_code": "316"})
        sandbox.clear_faults()
    assert client.get("/search/", {"area_code": "316"}).status_code == 200
    assert "/search/" in log.text
    assert sandbox.api_key not in log.text


@pytest.mark.django_db
def test_a_request_is_one_line_with_its_id_and_its_person(json_log: Log, rep: User, signed_in: Any) -> None:
    signed_in(rep).get("/orders/", headers={"X-Request-ID": "request-1234"})
    events = [json.loads(line) for line in json_log.lines]
    [finished] = [event for event in events if event["event"] == "request_finished"]
    assert (finished["request_id"], finished["user_id"], finished["code"]) == ("request-1234", rep.pk, 200)


@pytest.mark.django_db
@pytest.mark.parametrize("given", ["", "short", "<script>alert(1)</script>"])
def test_the_id_of_the_log_is_the_id_of_the_answer(json_log: Log, client: Client, given: str) -> None:
    echoed = client.get("/accounts/login/", headers={"X-Request-ID": given})["X-Request-ID"]
    [finished] = [event for line in json_log.lines if (event := json.loads(line))["event"] == "request_finished"]
    assert finished["request_id"] == echoed


@pytest.mark.django_db
def test_a_failure_is_logged_with_the_requests_id(json_log: Log, rep: User, signed_in: Any) -> None:
    from unittest.mock import patch

    client = signed_in(rep)
    client.raise_request_exception = False
    with patch("numbers_app.views.home.order_list", side_effect=RuntimeError("The disk is full")):
        client.get("/", headers={"X-Request-ID": "request-1234"})
    failures = [json.loads(line) for line in json_log.lines if "The disk is full" in line]
    assert "request-1234" in {event.get("request_id") for event in failures}


def test_the_task_queues_chatter_is_left_out() -> None:
    from portal.logs import worth_a_line

    def record(name: str, level: int) -> logging.LogRecord:
        return logging.LogRecord(name, level, "", 0, "", None, None)

    assert not worth_a_line(record("django.tasks", logging.INFO))
    assert worth_a_line(record("django.tasks", logging.WARNING))
    assert worth_a_line(record("numbers_app", logging.INFO))
