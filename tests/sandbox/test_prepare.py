"""Preparing the database, starting and stopping: once, completely, and never by half."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import phonenumbers
import pytest
import requests

from tests.sandbox.conftest import CAKE, Api
from tests.sandbox_server import ROOT, SandboxServer


def test_the_same_size_gives_the_same_inventory(tmp_path: Path) -> None:
    first, second = tmp_path / "one.sqlite3", tmp_path / "two.sqlite3"
    for path in (first, second):
        assert _sandbox(path, "prepare", "--numbers", "2000").returncode == 0
    assert _inventory(first) == _inventory(second)


def test_a_second_call_changes_nothing_and_says_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite3"
    _sandbox(path, "prepare", "--numbers", "6000")
    before = _inventory(path)
    again = _sandbox(path, "prepare", "--numbers", "9000")
    assert "6,000 numbers" in again.stdout
    assert _inventory(path) == before


def test_every_number_is_valid_and_every_pool_and_place_is_stocked(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite3"
    _sandbox(path, "prepare", "--numbers", "20000")
    rows = _inventory(path)
    assert len(rows) == 20000
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(f"+1{row[0]}")) for row in rows[::7])
    assert len({row[0][:3] for row in rows}) > 100
    assert CAKE in {row[0] for row in rows}
    per_location = Counter(row[2] for row in rows if row[2])
    assert len(per_location) == 41
    assert sum(row[0].startswith("316") for row in rows) > 600


def test_a_killed_preparation_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite3"
    command = [sys.executable, "-m", "sandbox", "prepare", "--numbers", "200000"]
    process = subprocess.Popen(command, cwd=ROOT, env=_environment(path))
    while not path.with_name("sandbox.sqlite3-wal").exists() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert "is not prepared" in _serve(path).stderr
    assert "6,000 numbers" in _sandbox(path, "prepare", "--numbers", "6000").stdout


def test_two_preparations_at_once_make_one_inventory(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite3"
    command = [sys.executable, "-m", "sandbox", "prepare", "--numbers", "6000"]
    both = [subprocess.Popen(command, cwd=ROOT, env=_environment(path)) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert len(_inventory(path)) == 6000


def test_an_absurd_size_is_refused(tmp_path: Path) -> None:
    result = _sandbox(tmp_path / "sandbox.sqlite3", "prepare", "--numbers", "5")
    assert result.returncode != 0
    assert "--numbers must be between" in result.stderr


def test_the_server_does_not_start_unprepared_and_says_what_to_run(tmp_path: Path) -> None:
    result = _serve(tmp_path / "nowhere.sqlite3")
    assert result.returncode != 0
    assert "is not prepared. Run: python -m sandbox prepare" in result.stderr
    assert "Traceback" not in result.stderr


def test_what_was_bought_survives_a_restart_on_the_same_port(tmp_path: Path) -> None:
    server = SandboxServer(tmp_path, numbers=2000)
    server.start()
    try:
        url = server.url
        Api(server).provision(CAKE)
        server.stop()
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=5)
        server.start()
        assert server.url == url
        assert server.sold(CAKE)
    finally:
        server.stop()


def test_keys_cap_and_latency_come_from_the_environment(tmp_path: Path) -> None:
    environment = {
        "SANDBOX_API_KEYS": "one, sandbox-key",
        "SANDBOX_RESULT_CAP": "5",
        "SANDBOX_LATENCY": "0.2",
    }
    server = SandboxServer(tmp_path, numbers=2000, environment=environment)
    server.start()
    try:
        started = time.monotonic()
        assert len(server.search(areaCode="316")) == 5
        assert time.monotonic() - started >= 0.2
        headers = {"Authorization": "Bearer one"}
        assert requests.get(f"{server.url}/v3/numbers/", headers=headers, timeout=5).status_code == 200
    finally:
        server.stop()


def _sandbox(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sandbox", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=_environment(path), capture_output=True, text=True, check=False, timeout=60
    )


def _serve(path: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "sandbox.wsgi",
        "--bind",
        "127.0.0.1:0",
        "--no-control-socket",
    ]
    return subprocess.run(
        command,
        cwd=path.parent,
        env=_environment(path),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def _environment(path: Path) -> dict[str, str]:
    return os.environ | {"SANDBOX_DATABASE": str(path), "PYTHONPATH": str(ROOT)}


def _inventory(path: Path) -> list[tuple[str, int | None, str | None]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT number, place_id, reserved_for_id FROM sandbox_number").fetchall()
