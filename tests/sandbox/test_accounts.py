"""GET /v2/get/accounts/: the tree can be walked from the Corporates down to the Locations."""

from typing import Any

import pytest

from tests.sandbox.conftest import Api, assert_error

ZONES = {"US/Hawaii", "US/Alaska", "US/Pacific", "US/Mountain", "Canada/Atlantic", "US/Central", "US/Eastern"}


def test_without_parameters_the_corporates_are_listed(api: Api) -> None:
    body = api.get("/v2/get/accounts/").json()
    assert body["status"] == "success"
    assert isinstance(body["info"], str)
    assert [(child["account_type"], child["account_id"]) for child in body["children"]] == [
        ("corporate", 1),
        ("corporate", 2),
        ("corporate", 3),
    ]


def test_the_whole_tree_can_be_walked(api: Api) -> None:
    corporates = api.get("/v2/get/accounts/").json()["children"]
    divisions = [child for corporate in corporates for child in _described(api, corporate)["children"]]
    locations = [child for division in divisions for child in _described(api, division)["children"]]
    assert {one["account_type"] for one in divisions} == {"division"}
    assert sorted(one["account_id"] for one in locations) == list(range(1, 42))
    assert {_described(api, one)["info"]["systemTimezone"] for one in locations} == ZONES


def test_a_location_names_its_parent_and_has_no_children(api: Api) -> None:
    body = api.get("/v2/get/accounts/", account_type="location", account_id="3").json()
    assert body == {
        "status": "success",
        "info": {
            "account_type": "location",
            "account_name": "Prairie Comfort Salina",
            "account_id": 3,
            "parent": {"account_type": "division", "account_name": "Heating and Cooling", "account_id": 1},
            "systemTimezone": "US/Central",
        },
        "children": [],
    }


@pytest.mark.parametrize(
    ("params", "http_status"),
    [
        ({"account_type": "location"}, 400),
        ({"account_id": "3"}, 400),
        ({"account_type": "planet", "account_id": "3"}, 400),
        ({"account_type": "location", "account_id": "L-3"}, 400),
        ({"account_type": "location", "account_id": "999"}, 404),
    ],
)
def test_half_or_wrong_parameters_are_errors(api: Api, params: dict[str, str], http_status: int) -> None:
    assert_error(api.get("/v2/get/accounts/", **params), http_status)


def _described(api: Api, account: dict[str, Any]) -> dict[str, Any]:
    kind, account_id = str(account["account_type"]), str(account["account_id"])
    body: dict[str, Any] = api.get("/v2/get/accounts/", account_type=kind, account_id=account_id).json()
    assert body["info"]["account_name"] == account["account_name"]
    return body
