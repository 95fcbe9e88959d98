"""A sandbox for each test process, and a small client that speaks to it as the vendor's page says."""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import requests

from tests.sandbox_server import SandboxServer

CAKE = "3167342253"


@dataclass(frozen=True)
class Api:
    """The vendor's endpoints, called with the right key and no interpretation of the answer."""

    server: SandboxServer

    def get(self, path: str, **params: str) -> requests.Response:
        return requests.get(self.server.url + path, params=params, headers=self.headers, timeout=10)

    def post(self, path: str, **values: str) -> requests.Response:
        return requests.post(self.server.url + path, data=values, headers=self.headers, timeout=10)

    def search(self, **params: str) -> requests.Response:
        return self.get("/v3/numbers/", **params)

    def numbers(self, **params: str) -> list[str]:
        response = self.search(**params)
        assert response.status_code == 200, response.text
        return [found["phoneNumber"] for found in response.json()["numbers"]]

    def provision(self, number: str = CAKE, account: str = "L-3", **values: str) -> requests.Response:
        values = {"destination": "3164447896"} | values
        return self.post("/v3/numbers/", phoneNumber=number, account=account, **values)

    def update(self, number: str = CAKE, **values: str) -> requests.Response:
        return self.post(f"/v3/numbers/{number}", **values)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.server.api_key}"}


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    server = SandboxServer(tmp_path_factory.mktemp("sandbox"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def sandbox(running_sandbox: SandboxServer) -> SandboxServer:
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture
def api(sandbox: SandboxServer) -> Api:
    return Api(sandbox)


def assert_error(response: requests.Response, http_status: int, *words: str) -> None:
    """The answer is the documented JSON error, and its message holds these words."""
    assert response.status_code == http_status, response.text[:300]
    body = response.json()
    assert body["status"] != "success"
    for word in words:
        assert word in body["message"]


def raw_provision(server: SandboxServer, number: str) -> socket.socket:
    """A connection on which a purchase was asked for; what comes back can be read byte by byte."""
    body = f"phoneNumber={number}&account=L-3"
    head = [
        "POST /v3/numbers/ HTTP/1.1",
        "Host: sandbox",
        f"Authorization: Bearer {server.api_key}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
    ]
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    connection.sendall("\r\n".join([*head, "", body]).encode())
    return connection


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds, five seconds at most."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within five seconds"
        time.sleep(0.05)
