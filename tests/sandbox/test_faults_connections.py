"""Kinds about the connection and about time: what arrives, when, and when the work is done."""

import itertools
import json
import time
from collections.abc import Iterator

import pytest
import requests

from tests.sandbox.conftest import CAKE, Api, assert_error, eventually, raw_provision
from tests.sandbox_server import SandboxServer


@pytest.mark.parametrize(("kind", "purchases"), [("drop_before_commit", 0), ("drop_after_commit", 1)])
def test_a_dropped_connection_brings_not_one_byte(api: Api, sandbox: SandboxServer, kind: str, purchases: int) -> None:
    sandbox.arm_fault(kind, "provision")
    with pytest.raises(requests.ConnectionError, match="without response"):
        api.provision(CAKE)
    assert len(sandbox.purchases(CAKE)) == purchases


def test_a_late_commit_takes_effect_after_its_answer_was_lost(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("late_commit", "provision", seconds=1)
    with pytest.raises(requests.ConnectionError):
        api.provision(CAKE)
    assert not sandbox.sold(CAKE)
    assert api.numbers(fullNumber=CAKE) == [CAKE]
    eventually(lambda: sandbox.sold(CAKE))


def test_a_late_commit_of_a_number_taken_meanwhile_buys_nothing(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("late_commit", "provision", seconds=1)
    with pytest.raises(requests.ConnectionError):
        api.provision(CAKE)
    sandbox.take(CAKE)
    time.sleep(1.3)
    assert sandbox.journal() == []


def test_a_reset_forgets_what_would_commit_late(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("late_commit", "provision", seconds=1)
    with pytest.raises(requests.ConnectionError):
        api.provision(CAKE)
    sandbox.reset()
    time.sleep(1.3)
    assert not sandbox.sold(CAKE)


def test_a_late_update_takes_effect_late(api: Api, sandbox: SandboxServer) -> None:
    api.provision(CAKE)
    sandbox.arm_fault("late_commit", "update", seconds=0.2)
    with pytest.raises(requests.ConnectionError):
        api.update(CAKE, notes="late")
    eventually(lambda: bool(sandbox.journal(kind="update")))


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
    eventually(lambda: sandbox.sold(CAKE))


def test_a_reset_forgets_a_call_that_waits(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("slow", "provision", seconds=1)
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{sandbox.url}/v3/numbers/", data={"phoneNumber": CAKE}, headers=api.headers, timeout=0.1)
    eventually(lambda: sandbox.armed_faults() == [])
    sandbox.reset()
    time.sleep(1.3)
    assert sandbox.journal() == []


def test_a_held_number_is_nobodys_until_it_is_bought(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("hold", "provision", seconds=1)
    with pytest.raises(requests.ConnectionError, match="without response"):
        api.provision(CAKE, notes="held")
    assert api.numbers(fullNumber=CAKE) == []
    assert_error(api.update(CAKE, notes="x"), 404)
    assert_error(api.provision(CAKE), 409)
    assert sandbox.journal() == []
    assert "<dt>Held</dt><dd>1</dd>" in _page(sandbox)
    eventually(lambda: sandbox.sold(CAKE))
    (entry,) = sandbox.journal()
    assert (entry["account"], entry["values"]["notes"]) == ("L-3", "held")
    assert api.update(CAKE, notes="x").status_code == 200
    assert "<dt>Held</dt><dd>0</dd>" in _page(sandbox)


def test_a_held_number_may_be_released_unsold(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("hold_and_release", "provision", seconds=1)
    with pytest.raises(requests.ConnectionError, match="without response"):
        api.provision(CAKE)
    assert api.numbers(fullNumber=CAKE) == []
    assert_error(api.provision(CAKE), 409)
    eventually(lambda: api.numbers(fullNumber=CAKE) == [CAKE])
    assert sandbox.journal() == []
    assert api.provision(CAKE).status_code == 200


@pytest.mark.parametrize("kind", ["hold", "hold_and_release"])
def test_a_reset_forgets_held_numbers(api: Api, sandbox: SandboxServer, kind: str) -> None:
    sandbox.arm_fault(kind, "provision", seconds=1)
    with pytest.raises(requests.ConnectionError):
        api.provision(CAKE)
    sandbox.reset()
    assert api.numbers(fullNumber=CAKE) == [CAKE]
    sandbox.take(CAKE)
    time.sleep(1.3)
    assert sandbox.journal() == []
    assert api.numbers(fullNumber=CAKE) == []


def test_a_number_that_cannot_be_bought_is_not_held(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("hold_and_release", "provision", times=2)
    api.server.take(CAKE)
    other = api.numbers(areaCode="212")[0]
    for number, account in ((CAKE, "L-3"), (other, "L-999")):
        with pytest.raises(requests.ConnectionError):
            api.provision(number, account=account)
    time.sleep(0.2)
    assert api.numbers(fullNumber=CAKE) == []
    assert api.numbers(fullNumber=other) == [other]


def test_the_first_match_of_a_search_can_be_held(api: Api, sandbox: SandboxServer) -> None:
    expected, following = api.numbers(areaCode="212")[:2]
    sandbox.arm_fault("hold", "provision", seconds=1)
    with pytest.raises(requests.ConnectionError):
        api.post("/v3/numbers/", account="L-3", areaCode="212")
    assert api.numbers(areaCode="212")[0] == following
    eventually(lambda: sandbox.sold(expected))
    assert len(sandbox.journal()) == 1


@pytest.mark.parametrize("kind", ["drip", "drip_body"])
def test_a_dripped_answer_takes_its_time_though_every_read_succeeds(
    api: Api, sandbox: SandboxServer, kind: str
) -> None:
    sandbox.arm_fault(kind, "provision", seconds=1)
    arrivals = list(_arrivals(sandbox))
    received = b"".join(data for _, data in arrivals)
    head, _, body = received.partition(b"\r\n\r\n")
    assert json.loads(body)["phoneNumber"] == CAKE
    assert f"Content-Length: {len(body)}".encode() in head
    assert arrivals[-1][0] > 0.9
    assert len(arrivals) > 10
    assert max(later - earlier for (earlier, _), (later, _) in itertools.pairwise(arrivals)) < 0.9
    assert (b"\r\n\r\n" in arrivals[0][1]) == (kind == "drip_body")
    assert sandbox.sold(CAKE)


def test_a_long_answer_drips_in_time_too(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("drip", "search", seconds=0.5)
    started = time.monotonic()
    assert len(api.numbers()) == 1000
    assert 0.45 < time.monotonic() - started < 10


def test_a_caller_that_leaves_a_dripped_answer_has_bought(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("drip", "provision", seconds=0.4)
    _, _ = next(_arrivals(sandbox))
    assert sandbox.sold(CAKE)
    time.sleep(0.6)
    assert "Traceback" not in sandbox.log.read_text()


def test_a_truncated_answer_without_a_length_looks_whole_to_http(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("truncated_without_length", "provision")
    response = api.provision(CAKE)
    assert response.status_code == 200
    assert not {"Content-Length", "Transfer-Encoding"} & set(response.headers)
    assert response.text.startswith('{"status": "success"')
    with pytest.raises(requests.JSONDecodeError):
        response.json()
    assert sandbox.sold(CAKE)


def _arrivals(sandbox: SandboxServer) -> Iterator[tuple[float, bytes]]:
    started = time.monotonic()
    with raw_provision(sandbox, CAKE) as connection:
        while data := connection.recv(65_536):
            yield time.monotonic() - started, data


def _page(sandbox: SandboxServer) -> str:
    return requests.get(f"{sandbox.url}/", timeout=10).text
