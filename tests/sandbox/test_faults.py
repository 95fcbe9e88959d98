"""Faults on demand: each kind does to the wire, and to what is committed, what it says."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.sandbox.conftest import CAKE, Api
from tests.sandbox_server import SandboxServer


@pytest.mark.parametrize(("kind", "purchases"), [("drop_before_commit", 0), ("drop_after_commit", 1)])
def test_a_dropped_connection_brings_not_one_byte(api: Api, sandbox: SandboxServer, kind: str, purchases: int) -> None:
    sandbox.arm_fault(kind, "provision")
    with pytest.raises(requests.ConnectionError, match="without response"):
        api.provision(CAKE)
    assert len(sandbox.purchases(CAKE)) == purchases


def test_a_late_commit_takes_effect_after_its_answer_was_lost(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("late_commit", "provision", seconds=0.5)
    with pytest.raises(requests.ConnectionError):
        api.provision(CAKE)
    assert not sandbox.sold(CAKE)
    assert api.numbers(fullNumber=CAKE) == [CAKE]
    _eventually(lambda: sandbox.sold(CAKE))


def test_a_late_commit_of_a_number_taken_meanwhile_buys_nothing(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("late_commit", "provision", seconds=0.3)
    with pytest.raises(requests.ConnectionError):
        api.provision(CAKE)
    sandbox.take(CAKE)
    time.sleep(0.6)
    assert sandbox.journal() == []


def test_a_reset_forgets_what_would_commit_late(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("late_commit", "provision", seconds=0.3)
    with pytest.raises(requests.ConnectionError):
        api.provision(CAKE)
    sandbox.reset()
    time.sleep(0.6)
    assert not sandbox.sold(CAKE)


def test_a_late_update_takes_effect_late(api: Api, sandbox: SandboxServer) -> None:
    api.provision(CAKE)
    sandbox.arm_fault("late_commit", "update", seconds=0.2)
    with pytest.raises(requests.ConnectionError):
        api.update(CAKE, notes="late")
    _eventually(lambda: bool(sandbox.journal(kind="update")))


@pytest.mark.parametrize(("kind", "http_status"), [("401", 401), ("404", 404), ("429", 429), ("500", 500)])
def test_an_error_status_is_json_and_buys_nothing(
    api: Api, sandbox: SandboxServer, kind: str, http_status: int
) -> None:
    sandbox.arm_fault(kind, "provision")
    response = api.provision(CAKE)
    assert response.status_code == http_status
    assert response.json()["status"] != "success"
    assert ("WWW-Authenticate" in response.headers) == (kind == "401")
    assert not sandbox.sold(CAKE)


@pytest.mark.parametrize(("given", "header"), [({}, None), ({"retry_after": 7}, "7"), ({"retry_after": "-5"}, "-5")])
def test_too_many_requests_carries_the_header_that_was_asked_for(
    api: Api, sandbox: SandboxServer, given: dict[str, float | str], header: str | None
) -> None:
    sandbox.arm_fault("429", "search", **given)
    assert api.search().headers.get("Retry-After") == header


def test_html_comes_with_200_and_buys_nothing(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("html", "provision")
    response = api.provision(CAKE)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    assert not sandbox.sold(CAKE)


def test_a_truncated_answer_ends_halfway_after_the_purchase(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("truncated", "provision")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.provision(CAKE)
    assert sandbox.sold(CAKE)


def test_a_slow_call_waits_and_is_then_served(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("slow", "search", seconds=0.4)
    started = time.monotonic()
    assert api.numbers(fullNumber=CAKE) == [CAKE]
    assert time.monotonic() - started >= 0.4


def test_a_caller_that_gives_up_on_a_slow_purchase_has_bought(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("slow", "provision", seconds=0.4)
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            f"{sandbox.url}/v3/numbers/",
            data={"phoneNumber": CAKE, "account": "L-3"},
            headers=api.headers,
            timeout=0.1,
        )
    _eventually(lambda: sandbox.sold(CAKE))


def test_a_fault_strikes_only_the_endpoint_and_number_that_it_names(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("500", "provision", number=CAKE)
    assert api.search(fullNumber=CAKE).status_code == 200
    other = api.numbers(areaCode="212")[0]
    assert api.provision(other).status_code == 200
    assert api.provision(CAKE).status_code == 500
    assert api.provision(CAKE).status_code == 200


def test_a_fault_on_any_endpoint_strikes_the_next_call(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("500")
    assert api.get("/v2/get/accounts/").status_code == 500
    assert api.get("/v2/get/accounts/").status_code == 200


def test_a_call_without_a_valid_key_uses_up_no_fault(sandbox: SandboxServer) -> None:
    sandbox.arm_fault("500")
    assert requests.get(f"{sandbox.url}/v3/numbers/", timeout=10).status_code == 401
    assert len(sandbox.armed_faults()) == 1


def test_a_counted_fault_strikes_exactly_so_often_whoever_calls(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("500", "search", times=3)
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: api.search(fullNumber=CAKE).status_code, range(24)))
    assert answers.count(500) == 3
    assert sandbox.armed_faults() == []


def test_a_rate_strikes_some_calls_until_it_is_cleared(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("500", "search", rate=0.5)
    answers = [api.search(fullNumber=CAKE).status_code for _ in range(60)]
    assert 5 < answers.count(500) < 55
    (fault,) = sandbox.armed_faults()
    assert fault["times"] is None
    assert fault["fired"] == answers.count(500)
    sandbox.clear_faults()
    assert sandbox.armed_faults() == []
    assert api.search(fullNumber=CAKE).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "gremlin"},
        {"kind": "500", "on": "lunch"},
        {"kind": "500", "rate": 2},
        {"kind": "500", "rate": "often"},
        {"kind": "500", "times": 0},
        {"kind": "slow", "seconds": -1},
        {"kind": "500", "number": "12"},
        ["500"],
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(sandbox: SandboxServer, body: object) -> None:
    response = requests.post(f"{sandbox.url}/control/faults/", json=body, timeout=10)
    assert response.status_code == 400
    assert sandbox.armed_faults() == []


def _eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within five seconds"
        time.sleep(0.05)
