"""Kinds that do nothing: whatever they say, and however they say it, nothing is bought."""

import pytest
import requests

from tests.sandbox.conftest import CAKE, Api, assert_error
from tests.sandbox_server import SandboxServer

STATUSES = ("401", "403", "404", "429", "500", "502", "503", "504")


@pytest.mark.parametrize(("kind", "http_status"), [(status, int(status)) for status in STATUSES])
def test_an_error_status_is_json_and_buys_nothing(
    api: Api, sandbox: SandboxServer, kind: str, http_status: int
) -> None:
    sandbox.arm_fault(kind, "provision")
    response = api.provision(CAKE)
    assert response.status_code == http_status
    assert response.json()["status"] != "success"
    assert ("WWW-Authenticate" in response.headers) == (kind == "401")
    assert not sandbox.sold(CAKE)


@pytest.mark.parametrize(
    ("given", "header"),
    [
        ({}, None),
        ({"retry_after": 7}, "7"),
        *(({"retry_after": text}, text) for text in ("-5", "1e999", "9" * 40, "soon", "Wed, 21 Oct 2099 07:28:00 GMT")),
    ],
)
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


@pytest.mark.parametrize("text", ["1\r\nX-Other: 2", "\0", "sp\u00e4ter"])
def test_a_header_that_cannot_be_sent_is_refused(sandbox: SandboxServer, text: str) -> None:
    body = {"kind": "429", "retry_after": text}
    assert requests.post(f"{sandbox.url}/control/faults/", json=body, timeout=10).status_code == 400


def test_200_may_come_with_a_status_other_than_success(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("not_success", "provision")
    response = api.provision(CAKE)
    assert_error(response, 200)
    assert response.headers["Content-Type"] == "application/json"
    assert not sandbox.sold(CAKE)


@pytest.mark.parametrize("status", ["307", "308"])
def test_a_redirect_buys_nothing_and_its_target_would(api: Api, sandbox: SandboxServer, status: str) -> None:
    sandbox.arm_fault(status, rate=1)
    values = {"phoneNumber": CAKE, "account": "L-3"}
    url = f"{sandbox.url}/v3/numbers/"
    response = requests.post(url, data=values, headers=api.headers, allow_redirects=False, timeout=10)
    assert response.status_code == int(status)
    assert response.json()["status"] != "success"
    assert response.headers["Location"] == f"{sandbox.url}/moved/v3/numbers/"
    assert not sandbox.sold(CAKE)
    followed = requests.post(url, data=values, headers=api.headers, timeout=10)
    assert followed.json()["phoneNumber"] == CAKE
    assert sandbox.sold(CAKE)


def test_a_redirected_search_keeps_its_parameters(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("307", "search")
    assert api.numbers(fullNumber=CAKE) == [CAKE]


@pytest.mark.parametrize(("kind", "escape"), [("nul_refusal", "\\u0000"), ("surrogate_refusal", "\\ud800")])
def test_a_refusal_may_hold_a_character_that_nobody_stores(
    api: Api, sandbox: SandboxServer, kind: str, escape: str
) -> None:
    sandbox.arm_fault(kind, "provision")
    response = api.provision(CAKE)
    assert_error(response, 400, escape.encode().decode("unicode_escape"))
    assert escape in response.text
    assert not sandbox.sold(CAKE)
