"""Kinds that answer a search wrongly: numbers that are gone, and items of another shape."""

from typing import Any

from tests.sandbox.conftest import CAKE, Api, assert_error
from tests.sandbox_server import SandboxServer

FIELDS = {"phoneNumber", "type", "pool", "country", "state", "city", "rateCenter", "zipcode"}


def test_a_stale_search_offers_what_is_gone(api: Api, sandbox: SandboxServer) -> None:
    fresh = api.numbers(areaCode="316")
    api.provision(CAKE)
    rivals = next(number for number in fresh if number != CAKE)
    sandbox.take(rivals)
    sandbox.arm_fault("stale_search", "search", times=2)
    assert api.numbers(areaCode="316") == fresh
    assert api.numbers(fullNumber=CAKE) == [CAKE]
    assert api.numbers(fullNumber=CAKE) == []
    assert_error(api.provision(CAKE), 409)
    assert len(sandbox.journal()) == 1


def test_a_stale_search_with_bad_parameters_is_still_refused(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("stale_search", "search")
    assert_error(api.search(areaCode="x"), 400)


def test_a_fault_of_searches_waits_for_a_search(api: Api, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("stale_search")
    assert api.provision(CAKE).status_code == 200
    assert api.numbers(fullNumber=CAKE) == [CAKE]


def test_every_item_may_have_a_null(api: Api, sandbox: SandboxServer) -> None:
    items = _items(api, sandbox, "null_fields")
    assert all(set(item) == FIELDS and list(item.values()).count(None) == 1 for item in items)
    assert {name for item in items for name in item if item[name] is None} == FIELDS


def test_every_item_may_lack_a_field(api: Api, sandbox: SandboxServer) -> None:
    items = _items(api, sandbox, "missing_fields")
    assert {len(item) for item in items} == {len(FIELDS) - 1}
    assert {name for item in items for name in FIELDS - set(item)} == FIELDS


def test_every_item_may_have_more_fields(api: Api, sandbox: SandboxServer) -> None:
    items = _items(api, sandbox, "extra_fields")
    assert all(set(item) == FIELDS | {"", "carrier"} for item in items)


def _items(api: Api, sandbox: SandboxServer, kind: str) -> list[dict[str, Any]]:
    expected = len(api.numbers(areaCode="316"))
    sandbox.arm_fault(kind, "search")
    body = api.search(areaCode="316").json()
    assert body["status"] == "success"
    assert len(body["numbers"]) == expected > 50
    return list(body["numbers"])
