"""Kinds that carry the call out and say something else: the journal knows better than the answer."""

import json
import zlib

import pytest
import requests

from tests.sandbox.conftest import CAKE, Api, assert_error
from tests.sandbox_server import SandboxServer


def test_500_may_follow_a_commit(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("500_after_commit", "provision")
    assert_error(api.provision(CAKE), 500)
    assert sandbox.sold(CAKE)


def test_html_may_follow_a_commit(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("html_after_commit", "provision")
    response = api.provision(CAKE)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    assert sandbox.sold(CAKE)


@pytest.mark.parametrize(("kind", "purchases"), [("other_number", 0), ("other_number_after_commit", 1)])
def test_a_success_may_name_another_number(api: Api, sandbox: SandboxServer, kind: str, purchases: int) -> None:
    sandbox.arm_fault(kind, "provision")
    body = api.provision(CAKE, notes="x").json()
    assert (body["status"], body["notes"]) == ("success", "x")
    assert body["phoneNumber"] != CAKE
    assert api.numbers(fullNumber=body["phoneNumber"]) == [body["phoneNumber"]]
    assert len(sandbox.purchases(CAKE)) == len(sandbox.journal()) == purchases
    assert api.numbers(fullNumber=CAKE) == ([] if purchases else [CAKE])


@pytest.mark.parametrize(("kind", "updates"), [("other_number", 0), ("other_number_after_commit", 1)])
def test_an_update_may_name_another_number(api: Api, sandbox: SandboxServer, kind: str, updates: int) -> None:
    api.provision(CAKE, notes="old")
    sandbox.arm_fault(kind, "update")
    body = api.update(CAKE, notes="new").json()
    assert body["notes"] == "new"
    assert body["phoneNumber"] != CAKE
    assert len(sandbox.journal(kind="update")) == updates
    assert api.update(CAKE, memo1="x").json()["notes"] == ("new" if updates else "old")


def test_a_success_may_name_no_number(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("no_number", "provision")
    response = api.provision(CAKE)
    assert response.json()["status"] == "success"
    assert CAKE not in response.text
    assert sandbox.sold(CAKE)


def test_the_right_json_may_come_under_a_wrong_label(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("wrong_content_type", "provision")
    response = api.provision(CAKE)
    assert response.headers["Content-Type"] == "text/plain"
    assert response.json()["phoneNumber"] == CAKE
    assert sandbox.sold(CAKE)


def test_an_answer_may_say_two_things(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("duplicate_keys", "provision")
    pairs = json.loads(api.provision(CAKE).text, object_pairs_hook=list)
    assert pairs[:2] == [("status", "success"), ("status", "error")]
    assert ("phoneNumber", CAKE) in pairs
    assert sandbox.sold(CAKE)


def test_an_answer_may_hold_nan(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("nan", "provision")
    constants: list[str] = []
    body = json.loads(api.provision(CAKE).text, parse_constant=constants.append)
    assert constants == ["NaN"]
    assert body["phoneNumber"] == CAKE
    assert sandbox.sold(CAKE)


@pytest.mark.parametrize(("kind", "character"), [("nul", "\0"), ("surrogate", "\ud800")])
def test_a_success_may_hold_a_character_that_nobody_stores(
    api: Api, sandbox: SandboxServer, kind: str, character: str
) -> None:
    sandbox.arm_fault(kind, "provision")
    response = api.provision(CAKE, notes="x")
    body = response.json()
    assert (body["status"], body["phoneNumber"], body["notes"]) == ("success", CAKE, f"x{character}")
    assert response.text.isascii()
    assert response.text.isprintable()
    (entry,) = sandbox.journal()
    assert entry["values"]["notes"] == "x"
    sandbox.arm_fault(kind, "search")
    item = api.search(areaCode="316").json()["numbers"][0]
    assert item["city"].endswith(character)
    assert item["phoneNumber"].isdigit()


def test_the_answer_may_be_buried_under_a_hundred_megabytes(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("huge", "provision")
    size, end = 0, b""
    with _streamed(api) as response:
        assert response.headers["Transfer-Encoding"] == "chunked"
        assert "Content-Length" not in response.headers
        for part in response.iter_content(2**20):
            size, end = size + len(part), (end + part)[-10_000:]
    assert size > 100_000_000
    assert json.loads(end)["phoneNumber"] == CAKE
    assert sandbox.sold(CAKE)


def test_a_caller_that_stops_reading_does_no_harm(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("huge", "provision")
    with _streamed(api) as response:
        assert response.raw.read(1000).isspace()
    assert sandbox.sold(CAKE)
    assert api.search(fullNumber=CAKE).status_code == 200
    assert "Traceback" not in sandbox.log.read_text()


def test_a_small_answer_may_unpack_to_a_hundred_megabytes(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("gzip_bomb", "provision")
    with _streamed(api) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        packed = response.raw.read(decode_content=False)
    assert len(packed) < 300_000
    size, end = 0, b""
    while packed:
        unpacker = zlib.decompressobj(wbits=31)
        part = unpacker.decompress(packed)
        size, end, packed = size + len(part), part, unpacker.unused_data
    assert size > 100_000_000
    assert json.loads(end)["phoneNumber"] == CAKE
    assert sandbox.sold(CAKE)


def test_ordinary_clients_do_unpack_it(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("gzip_bomb", "accounts")
    response = api.get("/v2/get/accounts/")
    assert len(response.content) > 100_000_000
    assert response.json()["status"] == "success"


def _streamed(api: Api) -> requests.Response:
    values = {"phoneNumber": CAKE, "account": "L-3"}
    headers = api.headers | {"Accept-Encoding": "identity"}
    return requests.post(f"{api.server.url}/v3/numbers/", data=values, headers=headers, stream=True, timeout=10)
