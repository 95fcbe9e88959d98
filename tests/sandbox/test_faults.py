"""Faults on demand: which call an armed one strikes, what is said about the kinds, and that the journal stays true."""

import contextlib
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

import pytest
import requests

from tests.sandbox.conftest import CAKE, Api, eventually
from tests.sandbox_server import ROOT, SandboxServer

ENDPOINTS = {"search", "provision", "update", "accounts"}
WRITES = {"provision", "update"}


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
        {"kind": "stale_search", "on": "provision"},
        {"kind": "hold", "on": "update"},
        ["500"],
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(sandbox: SandboxServer, body: object) -> None:
    response = requests.post(f"{sandbox.url}/control/faults/", json=body, timeout=10)
    assert response.status_code == 400
    assert sandbox.armed_faults() == []


def test_the_kinds_can_be_listed(sandbox: SandboxServer) -> None:
    kinds = sandbox.kinds()
    assert len(kinds) >= 40
    for kind in kinds.values():
        assert kind["summary"]
        assert kind["on"]
        assert set(kind["on"]) <= ENDPOINTS
        assert kind["commits"] in {"no", "yes", "late"}


def test_every_kind_can_be_armed_on_every_endpoint_that_it_names(sandbox: SandboxServer) -> None:
    for name, kind in sandbox.kinds().items():
        for endpoint in (*kind["on"], "any"):
            sandbox.arm_fault(name, endpoint)


def test_the_readme_has_one_row_for_every_kind(sandbox: SandboxServer) -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([a-z, ]+) \| (no|yes|late) \| ", _readme(), re.MULTILINE)
    stated = {name: (ENDPOINTS if on == "all" else set(on.split(", ")), commits) for name, on, commits in rows}
    assert len(rows) == len(stated)
    assert stated == {name: (set(kind["on"]), kind["commits"]) for name, kind in sandbox.kinds().items()}


def test_the_page_lists_every_kind_and_is_well_formed(sandbox: SandboxServer) -> None:
    page = requests.get(f"{sandbox.url}/", timeout=10).text
    for name in sandbox.kinds():
        assert f"<dt>{name}</dt>" in page
    tags = _Tags()
    tags.feed(page)
    assert tags.still_open == []


def test_the_journal_knows_whether_a_purchase_was_committed_under_every_kind(api: Api, sandbox: SandboxServer) -> None:
    for name, kind in sandbox.kinds().items():
        if "provision" in kind["on"]:
            sandbox.reset()
            _strike(sandbox, name, "provision", lambda: _call(api, "", phoneNumber=CAKE, account="L-3"))
            _expect(sandbox, kind["commits"] != "no", "purchase", name)


def test_the_journal_knows_whether_an_update_was_committed_under_every_kind(api: Api, sandbox: SandboxServer) -> None:
    for name, kind in sandbox.kinds().items():
        if "update" in kind["on"]:
            sandbox.reset()
            api.provision(CAKE)
            _strike(sandbox, name, "update", lambda: _call(api, CAKE, notes="new"))
            _expect(sandbox, kind["commits"] != "no", "update", name)


def test_what_cannot_be_bought_is_bought_under_no_kind(api: Api, sandbox: SandboxServer) -> None:
    sandbox.take(CAKE)
    for name, kind in sandbox.kinds().items():
        if "provision" in kind["on"]:
            _strike(sandbox, name, "provision", lambda: _call(api, "", phoneNumber=CAKE, account="L-3"))
    time.sleep(0.3)
    assert sandbox.journal() == []
    assert "Traceback" not in sandbox.log.read_text()


def test_no_kind_upsets_the_sandbox_on_a_read(api: Api, sandbox: SandboxServer) -> None:
    for name, kind in sandbox.kinds().items():
        for endpoint in set(kind["on"]) - WRITES:
            path = "/v3/numbers/?areaCode=316" if endpoint == "search" else "/v2/get/accounts/"
            _strike(sandbox, name, endpoint, lambda path=path: _get(api, path))  # type: ignore[misc]
    assert sandbox.journal() == []
    assert "Traceback" not in sandbox.log.read_text()


def test_a_seed_makes_chance_repeat(tmp_path: Path) -> None:
    first, again = (_chance(tmp_path, "seven") for _ in range(2))
    assert first == again
    assert 0 < sum(first[0]) < len(first[0])
    assert _chance(tmp_path, "eight") != first


def _chance(directory: Path, seed: str) -> tuple[list[bool], list[dict[str, str]]]:
    """Which of forty calls a rate strikes, and what a kind that chooses makes of a search, right after a start."""
    server = SandboxServer(directory, numbers=2000, environment={"SANDBOX_SEED": seed})
    server.start()
    try:
        server.reset()
        api = Api(server)
        server.arm_fault("500", "search", rate=0.5)
        struck = [api.search(fullNumber=CAKE).status_code == 500 for _ in range(40)]
        server.clear_faults()
        server.arm_fault("missing_fields", "search")
        return struck, api.search(areaCode="316").json()["numbers"]
    finally:
        server.stop()


def _strike(sandbox: SandboxServer, kind: str, on: str, call: Callable[[], requests.Response]) -> None:
    """Let the call meet the fault; what its caller sees is another test's matter."""
    sandbox.arm_fault(kind, on, seconds=0.1)
    with contextlib.suppress(requests.RequestException), call() as response:
        response.raw.read(1000, decode_content=False)
    assert sandbox.armed_faults() == [], kind


def _call(api: Api, number: str, **values: str) -> requests.Response:
    return requests.post(
        f"{api.server.url}/v3/numbers/{number}",
        data=values,
        headers=api.headers,
        allow_redirects=False,
        stream=True,
        timeout=10,
    )


def _get(api: Api, path: str) -> requests.Response:
    url = api.server.url + path
    return requests.get(url, headers=api.headers, allow_redirects=False, stream=True, timeout=10)


def _expect(sandbox: SandboxServer, committed: bool, what: str, fault: str) -> None:
    if committed:
        eventually(lambda: bool(sandbox.journal(kind=what)))
    else:
        time.sleep(0.15)
    entries = sandbox.journal(number=CAKE, kind=what)
    assert len(entries) == int(committed), fault


def _readme() -> str:
    return (ROOT / "sandbox" / "README.md").read_text()


class _Tags(HTMLParser):
    """Fails on an element that is closed elsewhere than where it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.still_open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "link"}:
            self.still_open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.still_open.pop() == tag
