"""POST /v3/numbers/: a number is sold once, into a Location, with the values that were sent."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.sandbox.conftest import CAKE, Api, assert_error
from tests.sandbox_server import SandboxServer

EVERYTHING = {
    "destination": "3164447896",
    "campaignName": "Billboard",
    "notes": "North side\nof town",
    "memo1": "one",
    "memo2": "two",
    "recording": "true",
    "evaluation": "realtime",
    "mediaTypeID": "12",
    "brand": "Blue Faucet",
    "service": "Drains",
    "target": "Homes",
    "offer": "Spring",
}
AS_STORED = EVERYTHING | {"recording": True, "mediaTypeID": 12}


def test_a_purchase_answers_with_the_number_its_campaign_and_its_values(api: Api, sandbox: SandboxServer) -> None:
    body = api.provision(CAKE, **EVERYTHING).json()
    assert isinstance(body.pop("campaignID"), int)
    assert body == {"status": "success", "phoneNumber": CAKE, "account": "L-3"} | AS_STORED
    (entry,) = sandbox.journal()
    assert (entry["kind"], entry["number"], entry["account"]) == ("purchase", CAKE, "L-3")
    assert entry["values"] == AS_STORED
    assert entry["campaignName"] == "Billboard"


def test_a_json_body_is_as_good_as_a_form(api: Api, sandbox: SandboxServer) -> None:
    values = AS_STORED | {"phoneNumber": CAKE, "locationID": 3, "memo2": None}
    response = requests.post(f"{sandbox.url}/v3/numbers/", json=values, headers=api.headers, timeout=10)
    assert response.json()["recording"] is True
    (entry,) = sandbox.journal()
    assert entry["values"] == {name: value for name, value in AS_STORED.items() if name != "memo2"}


@pytest.mark.parametrize("body", ["{", "[]", '"x"', '{"destination": ["3164447896"]}', "\ud800"])
def test_an_unreadable_json_body_is_refused(api: Api, sandbox: SandboxServer, body: str) -> None:
    response = requests.post(
        f"{sandbox.url}/v3/numbers/",
        data=body.encode("utf-8", "surrogatepass"),
        headers=api.headers | {"Content-Type": "application/json"},
        timeout=10,
    )
    assert_error(response, 400)


def test_the_campaign_name_defaults_to_the_number(api: Api, sandbox: SandboxServer) -> None:
    assert api.provision(CAKE).json()["campaignName"] == CAKE
    assert sandbox.journal()[0]["campaignName"] == ""


def test_a_number_is_sold_once(api: Api, sandbox: SandboxServer) -> None:
    assert api.provision(CAKE).status_code == 200
    assert_error(api.provision(CAKE), 409, "not available")
    assert len(sandbox.purchases(CAKE)) == 1


def test_of_many_buyers_at_once_one_gets_the_number(api: Api, sandbox: SandboxServer) -> None:
    with ThreadPoolExecutor(8) as buyers:
        answers = list(buyers.map(lambda _: api.provision(CAKE).status_code, range(16)))
    assert sorted(answers) == [200] + [409] * 15
    assert len(sandbox.purchases(CAKE)) == 1


def test_many_buyers_of_the_first_match_get_different_numbers(api: Api, sandbox: SandboxServer) -> None:
    with ThreadPoolExecutor(8) as buyers:
        bought = list(buyers.map(lambda _: _first_match(api, areaCode="212"), range(12)))
    assert len({answer.json()["phoneNumber"] for answer in bought}) == 12
    assert len(sandbox.purchases()) == 12


def test_the_first_match_of_a_search_is_bought_at_once(api: Api) -> None:
    expected = api.numbers(areaCode="316", vanityText="cake")[0]
    assert _first_match(api, areaCode="316", vanityText="cake").json()["phoneNumber"] == expected


def test_a_first_match_may_come_from_the_reserved_pool(api: Api) -> None:
    expected = api.numbers(account="L-3", showReservedPool="true", vanityText="2")[0]
    answer = _first_match(api, showReservedPool="true", vanityText="2")
    assert answer.json()["phoneNumber"] == expected


def test_no_match_is_404_and_no_wish_at_all_is_400(api: Api, sandbox: SandboxServer) -> None:
    assert_error(_first_match(api, city="Nowhere"), 404)
    assert_error(_first_match(api), 400, "phoneNumber or search parameters")
    assert sandbox.journal() == []


def test_a_reserved_number_goes_to_its_own_location_only(api: Api, sandbox: SandboxServer) -> None:
    reserved = api.numbers(account="L-3", showReservedPool="true")[0]
    assert_error(api.provision(reserved, account="L-4"), 409)
    assert api.provision(reserved, account="L-3").status_code == 200
    assert len(sandbox.journal()) == 1


def test_a_number_that_a_rival_took_cannot_be_bought(api: Api, sandbox: SandboxServer) -> None:
    sandbox.take(CAKE)
    assert_error(api.provision(CAKE), 409)
    assert api.numbers(fullNumber=CAKE) == []
    assert not sandbox.sold(CAKE)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"account": ""}, "Either locationID or account"),
        ({"account": "L-999"}, "account"),
        ({"account": "D-1"}, "account"),
        ({"locationID": "4"}, "different"),
        ({"phoneNumber": "12"}, "phoneNumber"),
        ({"destination": ""}, "destination"),
        ({"destination": "911"}, "destination"),
        ({"destination": "9005551234"}, "destination"),
        ({"destination": "8763331234"}, "destination"),
        ({"destination": "+442079460000"}, "destination"),
        ({"destination": "3164447896 ext 5"}, "destination"),
        ({"recording": "perhaps"}, "recording"),
        ({"evaluation": "delayed"}, "evaluation"),
        ({"evaluation": ""}, "evaluation"),
        ({"mediaTypeID": "radio"}, "mediaTypeID"),
        ({"campaignName": "x" * 256}, "campaignName"),
        ({"notes": "a\0b"}, "notes"),
    ],
)
def test_bad_values_are_refused_and_nothing_is_bought(
    api: Api, sandbox: SandboxServer, values: dict[str, str], words: str
) -> None:
    good = {"phoneNumber": CAKE, "account": "L-3", "destination": "3164447896"}
    assert_error(api.post("/v3/numbers/", **good | values), 400, words)
    assert sandbox.journal() == []
    assert api.numbers(fullNumber=CAKE) == [CAKE]


def test_a_body_beyond_reason_is_refused(api: Api) -> None:
    assert_error(api.provision(CAKE, notes="x" * 3_000_000), 400, "too large")


def test_a_stop_date_is_not_a_provision_parameter(api: Api) -> None:
    assert "stopDate" not in api.provision(CAKE, stopDate="2099-01-01").json()


@pytest.mark.parametrize("destination", ["(316) 444-7896", "+1 316-444-7896", "316.444.7896"])
def test_a_destination_may_be_written_in_any_usual_way(api: Api, destination: str) -> None:
    assert api.provision(CAKE, destination=destination).json()["destination"] == "3164447896"


def _first_match(api: Api, **criteria: str) -> requests.Response:
    return api.post("/v3/numbers/", account="L-3", destination="3164447896", **criteria)
