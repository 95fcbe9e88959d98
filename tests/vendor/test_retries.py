"""Reads that did not come through are repeated, twice at most and within the deadline; writes never are."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from numbers_app.callcap import CallcapClient, CallcapError, CallcapUnreachable, Outcome, connections, retries
from tests.callcap.vendor import answer, drips, says, vendor

from .conftest import FOUND, NUMBER, Ask

VALUES = {"destination": "3164447896"}


def client_of(url: str, timeout: float = 5) -> CallcapClient:
    return CallcapClient(base_url=url, api_key="key", timeout=timeout, post_encoding="form", max_answer_bytes=100_000)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made before trying again; none takes any time."""
    made: list[float] = []
    monkeypatch.setattr(retries.time, "sleep", made.append)
    return made


@pytest.fixture
def refused_connections(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """``refused_connections[0]`` connections are refused before one is made; the list counts those tried, too."""
    counts = [0, 0]
    real = connections.create_connection

    def connect(*args: Any, **options: Any) -> socket.socket:
        counts[1] += 1
        if counts[1] <= counts[0]:
            raise ConnectionRefusedError
        return real(*args, **options)

    monkeypatch.setattr(connections, "create_connection", connect)
    return counts


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_passing_trouble_is_asked_again_twice(callcap: Ask, pauses: list[float], status: int) -> None:
    trouble = answer("", status)
    to = callcap(trouble, trouble, FOUND)
    assert client_of(to.url).find_number(NUMBER) is not None
    assert len(to.requests) == 3
    assert 0.05 <= pauses[0] <= 0.15 <= pauses[1] <= 0.45


def test_after_three_tries_the_last_answer_counts(callcap: Ask, pauses: list[float]) -> None:
    to = callcap(answer("", 502), answer("", 503), answer("", 504), FOUND)
    with pytest.raises(CallcapError, match="status 504"):
        client_of(to.url).find_number(NUMBER)
    assert len(to.requests) == 3


def test_pauses_differ_so_that_callers_do_not_come_back_together(callcap: Ask, pauses: list[float]) -> None:
    to = callcap(answer("", 503))
    for _ in range(3):
        with pytest.raises(CallcapError):
            client_of(to.url).find_number(NUMBER)
    assert len(set(pauses)) == 6


@pytest.mark.parametrize("status", [429, 503])
def test_the_pause_that_callcap_asks_for_is_kept(callcap: Ask, pauses: list[float], status: int) -> None:
    to = callcap(answer("", status, Retry_After="3"), FOUND)
    assert client_of(to.url).find_number(NUMBER) is not None
    assert pauses == [3]


@pytest.mark.parametrize("retry_after", ["0", "0.001"])
def test_a_pause_is_never_shorter_than_a_second(callcap: Ask, pauses: list[float], retry_after: str) -> None:
    to = callcap(answer("", 429, Retry_After=retry_after), FOUND)
    assert client_of(to.url).find_number(NUMBER) is not None
    assert pauses == [1]


@pytest.mark.parametrize("headers", [{"Retry_After": "6"}, {"Retry_After": "1e99"}, {"Retry_After": "-5"}])
def test_a_pause_that_outlasts_the_deadline_is_not_made(
    callcap: Ask, pauses: list[float], headers: dict[str, str]
) -> None:
    to = callcap(answer("", 429, **headers), FOUND)
    with pytest.raises(CallcapError, match="asks for a pause"):
        client_of(to.url).find_number(NUMBER)
    assert (len(to.requests), pauses) == (1, [])


@pytest.mark.parametrize(
    "said",
    [
        answer("", 500),
        answer("", 501),
        answer('{"status": "error"}', 408),
        answer('{"status": "error"}', 400),
        answer("{}", 401),
        answer("<html>"),
        answer("", 302, Location="/"),
        answer('{"status": "success"', Content_Length="500"),
        b"",
    ],
)
def test_what_would_come_back_the_same_or_may_have_been_worked_on_is_not_asked_again(callcap: Ask, said: bytes) -> None:
    to = callcap(said, FOUND)
    with pytest.raises(CallcapError):
        client_of(to.url).find_number(NUMBER)
    assert len(to.requests) == 1


def test_a_connection_that_was_refused_is_tried_again(callcap: Ask, refused_connections: list[int]) -> None:
    to = callcap(FOUND)
    refused_connections[0] = 2
    assert client_of(to.url).find_number(NUMBER) is not None
    assert refused_connections[1] == 3


def test_three_refused_connections_are_enough(callcap: Ask, refused_connections: list[int]) -> None:
    to = callcap(FOUND)
    refused_connections[0] = 9
    with pytest.raises(CallcapUnreachable, match=r"could not be reached\. Nothing was sent"):
        client_of(to.url).find_number(NUMBER)
    assert refused_connections[1] == 3


def test_a_slow_answer_is_not_asked_for_again() -> None:
    with vendor(drips(FOUND)) as to:
        with pytest.raises(CallcapUnreachable, match=r"within 0\.3 seconds"):
            client_of(to.url, timeout=0.3).find_number(NUMBER)
        assert len(to.requests) == 1


def test_all_tries_together_keep_the_deadline() -> None:
    waits = [0.8, 2.2]

    def script(connected: socket.socket) -> None:
        time.sleep(waits.pop(0))
        connected.sendall(answer("", 503))

    with vendor(script) as to:
        begun = time.monotonic()
        with pytest.raises(CallcapUnreachable, match=r"within 1\.2 seconds"):
            client_of(to.url, timeout=1.2).find_number(NUMBER)
        assert 1.1 < time.monotonic() - begun < 1.9
        assert len(to.requests) == 2


@pytest.mark.parametrize("headers", [{}, {"Retry_After": "1"}])
@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_writes_are_sent_once(callcap: Ask, status: int, headers: dict[str, str]) -> None:
    to = callcap(answer("", status, **headers))
    client_of(to.url).provision(NUMBER, "L-3", VALUES)
    client_of(to.url).update(NUMBER, VALUES)
    assert [request.split(b" ")[0] for request in to.requests] == [b"POST", b"POST"]


def test_writes_are_not_even_connected_twice(callcap: Ask, refused_connections: list[int]) -> None:
    to = callcap(FOUND)
    refused_connections[0] = 1
    assert client_of(to.url).provision(NUMBER, "L-3", VALUES).outcome is Outcome.NOT_SENT
    assert (refused_connections[1], to.requests) == (1, [])


def test_a_kept_connection_that_callcap_was_closing_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    # As when the end of the connection is still on its way.
    monkeypatch.setattr("urllib3.connectionpool.is_connection_dropped", lambda connection: False)
    with vendor(says(FOUND)) as to:
        client = client_of(to.url)
        assert [client.find_number(NUMBER) is not None for _ in range(3)] == [True] * 3
        assert (len(to.requests), to.connections) == (3, 3)
        client.close()


def test_a_new_connection_that_is_closed_without_an_answer_is_not(callcap: Ask) -> None:
    to = callcap(b"")
    with pytest.raises(CallcapUnreachable, match="closed the connection without an answer"):
        client_of(to.url).find_number(NUMBER)
    assert to.connections == 1
