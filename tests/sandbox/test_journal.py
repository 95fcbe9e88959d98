"""The journal and its page: what was really committed can be counted from outside."""

import requests

from tests.sandbox.conftest import CAKE, Api
from tests.sandbox_server import SandboxServer


def test_purchases_and_updates_are_listed_in_order_and_can_be_filtered(api: Api, sandbox: SandboxServer) -> None:
    other = api.numbers(areaCode="212")[0]
    api.provision(CAKE)
    api.provision(other)
    api.update(CAKE, notes="x")
    kinds = [(entry["kind"], entry["number"]) for entry in sandbox.journal()]
    assert kinds == [("purchase", CAKE), ("purchase", other), ("update", CAKE)]
    assert [entry["kind"] for entry in sandbox.journal(number=CAKE)] == ["purchase", "update"]
    assert [entry["number"] for entry in sandbox.journal(kind="update")] == [CAKE]
    assert sandbox.journal(number="nonsense") == []


def test_refused_attempts_leave_no_entry(api: Api, sandbox: SandboxServer) -> None:
    api.provision(CAKE, destination="12")
    api.update(CAKE, notes="x")
    assert sandbox.journal() == []


def test_the_page_shows_counts_entries_and_faults_and_escapes_values(api: Api, sandbox: SandboxServer) -> None:
    api.provision(CAKE, notes="<script>alert(1)</script>")
    sandbox.arm_fault("500", "update", times=2)
    response = requests.get(f"{sandbox.url}/", timeout=10)
    assert response.status_code == 200
    assert CAKE in response.text
    assert "2 more times" in response.text
    assert "<script" not in response.text
    assert "&lt;script&gt;" in response.text
    assert "style=" not in response.text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_the_stylesheet_is_served(sandbox: SandboxServer) -> None:
    response = requests.get(f"{sandbox.url}/sandbox.css", timeout=10)
    assert response.headers["Content-Type"].startswith("text/css")


def test_a_reset_unsells_everything(api: Api, sandbox: SandboxServer) -> None:
    api.provision(CAKE)
    other = api.numbers(areaCode="212")[0]
    sandbox.take(other)
    sandbox.arm_fault("500")
    sandbox.reset()
    assert sandbox.journal() == []
    assert sandbox.armed_faults() == []
    assert api.numbers(fullNumber=CAKE) == [CAKE]
    assert api.numbers(fullNumber=other) == [other]


def test_a_rival_cannot_take_what_is_taken(sandbox: SandboxServer) -> None:
    sandbox.take(CAKE)
    bodies: list[object] = [{"number": CAKE}, {"number": "12"}, {}, []]
    answers = [requests.post(f"{sandbox.url}/control/take/", json=body, timeout=10).status_code for body in bodies]
    assert answers == [409, 409, 409, 400]


def test_the_control_api_changes_nothing_on_get(sandbox: SandboxServer) -> None:
    for path in ("/control/reset/", "/control/take/"):
        assert requests.get(sandbox.url + path, timeout=10).status_code == 405
