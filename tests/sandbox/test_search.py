"""GET /v3/numbers/: every documented parameter narrows the search as the vendor's page says."""

import re

import pytest
import requests

from tests.sandbox.conftest import CAKE, Api, assert_error
from tests.sandbox_server import SandboxServer

TOLL_FREE = ("800", "833", "844", "855", "866", "877", "888")


def test_a_number_is_described_with_its_place_type_and_pool(api: Api) -> None:
    body = api.search(fullNumber=CAKE).json()
    assert body == {
        "status": "success",
        "numbers": [
            {
                "phoneNumber": CAKE,
                "type": "local",
                "pool": "public",
                "country": "US",
                "state": "KS",
                "city": "Wichita",
                "rateCenter": "WICHITA DOWNTOWN",
                "zipcode": "67202",
            }
        ],
    }


@pytest.mark.parametrize(
    ("params", "pattern"),
    [
        ({"areaCode": "316"}, "316.{7}"),
        ({"areaCode": "316", "exchange": "734"}, "316734.{4}"),
        ({"areaCode": "316", "exchange": "734", "line": "2253"}, "3167342253"),
        ({"exchange": "734"}, ".{3}734.{4}"),
        ({"line": "2253"}, ".{6}2253"),
        ({"areaCode": "316", "line": "2253"}, "316.{3}2253"),
    ],
)
def test_parts_of_the_number_narrow_the_search(api: Api, params: dict[str, str], pattern: str) -> None:
    found = api.numbers(**params)
    assert found
    assert all(re.fullmatch(pattern, number) for number in found)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("cake", "2253"),
        ("CAKE", "2253"),
        ("2253", "2253"),
        ("ca#e", "22.3"),
        ("c*ke", "2.53"),
        ("###cake", "...2253"),
        ("316-734-CAKE", "3167342253"),
        ("######2253", "^.{6}2253$"),
        ("73*cake", "73.2253"),
    ],
)
def test_vanity_text_matches_anywhere_with_one_digit_wildcards(api: Api, text: str, pattern: str) -> None:
    found = api.numbers(vanityText=text, areaCode="316")
    assert CAKE in found
    assert all(re.search(pattern, number) for number in found)
    assert len(found) == sum(bool(re.search(pattern, number)) for number in api.numbers(areaCode="316"))


def test_vanity_words_of_seven_letters_are_in_stock(api: Api) -> None:
    assert any(number.endswith("7663464") for number in api.numbers(vanityText="roofing"))


@pytest.mark.parametrize(
    ("params", "field", "value"),
    [
        ({"country": "CA"}, "country", "CA"),
        ({"country": "us"}, "country", "US"),
        ({"state": "ks"}, "state", "KS"),
        ({"city": "wICHITA"}, "city", "Wichita"),
        ({"rateCenter": "wichita downtown"}, "rateCenter", "WICHITA DOWNTOWN"),
        ({"zipcode": "67202"}, "zipcode", "67202"),
        ({"zipcode": "t2p 1j9"}, "zipcode", "T2P 1J9"),
    ],
)
def test_place_filters_are_equality_without_case(api: Api, params: dict[str, str], field: str, value: str) -> None:
    found = api.search(**params).json()["numbers"]
    assert found
    assert {number[field] for number in found} == {value}


@pytest.mark.parametrize("params", [{"city": "Wich"}, {"state": "XX"}, {"zipcode": "00000"}, {"city": "%"}])
def test_nothing_found_is_a_success_with_an_empty_list(api: Api, params: dict[str, str]) -> None:
    assert api.search(**params).json() == {"status": "success", "numbers": []}


@pytest.mark.parametrize(
    ("params", "types"),
    [
        ({}, {"local", "tollfree"}),
        ({"showTollfree": "true"}, {"tollfree"}),
        ({"showLocal": "true"}, {"local"}),
        ({"showTollfree": "true", "showLocal": "true"}, {"local", "tollfree"}),
        ({"showTollfree": "false"}, {"local"}),
        ({"showLocal": "false"}, {"tollfree"}),
        ({"showTollfree": "false", "showLocal": "false"}, set()),
    ],
)
def test_type_flags_choose_local_and_toll_free(api: Api, params: dict[str, str], types: set[str]) -> None:
    found = api.search(vanityText="22", **params).json()["numbers"]
    assert {number["type"] for number in found} == types
    for number in found:
        assert (number["phoneNumber"][:3] in TOLL_FREE) == (number["type"] == "tollfree")
        assert (number["city"] == "") == (number["type"] == "tollfree")


@pytest.mark.parametrize(
    ("flags", "pools"),
    [
        ({}, {"public"}),
        ({"showPublicPool": "true"}, {"public"}),
        ({"showReservedPool": "true"}, {"reserved"}),
        ({"showReservedPool": "true", "showPublicPool": "true"}, {"public", "reserved"}),
        ({"showReservedPool": "false"}, {"public"}),
        ({"showPublicPool": "false"}, set()),
    ],
)
@pytest.mark.parametrize("account", [{"account": "L-3"}, {"locationID": "3"}, {"account": "l-3", "locationID": "3"}])
def test_pool_flags_choose_pools(api: Api, account: dict[str, str], flags: dict[str, str], pools: set[str]) -> None:
    area_code = api.numbers(account="L-3", showReservedPool="true")[0][:3]
    found = api.search(areaCode=area_code, **account, **flags).json()["numbers"]
    assert {number["pool"] for number in found} == pools


def test_a_reserved_pool_is_seen_by_its_location_alone(api: Api) -> None:
    ours = set(api.numbers(account="L-3", showReservedPool="true"))
    theirs = set(api.numbers(account="L-4", showReservedPool="true"))
    assert ours
    assert theirs
    assert not ours & theirs


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"areaCode": "31"}, "areaCode"),
        ({"areaCode": "31x"}, "areaCode"),
        ({"exchange": "5555"}, "exchange"),
        ({"line": "12"}, "line"),
        ({"fullNumber": "316"}, "fullNumber"),
        ({"fullNumber": "3167342253\0"}, "fullNumber"),
        ({"country": "DE"}, "country"),
        ({"showLocal": "maybe"}, "showLocal"),
        ({"vanityText": "caf\u00e9"}, "vanityText"),
        ({"vanityText": "?"}, "vanityText"),
        ({"vanityText": "ca[0-9]"}, "vanityText"),
        ({"vanityText": "\u212a"}, "vanityText"),
        ({"vanityText": "12345678901"}, "vanityText"),
        ({"showReservedPool": "true"}, "locationID or account"),
        ({"account": "L-999"}, "account"),
        ({"account": "C-1"}, "account"),
        ({"locationID": "x"}, "locationID"),
        ({"account": "L-3", "locationID": "4"}, "different"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(api: Api, params: dict[str, str], words: str) -> None:
    assert_error(api.search(**params), 400, words)


def test_unknown_parameters_and_empty_ones_are_ignored(api: Api) -> None:
    assert api.numbers(fullNumber=CAKE, shoeSize="44", areaCode="", account="", vanityText="") == [CAKE]


def test_a_full_number_may_be_written_in_any_usual_way(api: Api) -> None:
    for text in ("(316) 734-2253", "+1 316 734 2253", "13167342253"):
        assert api.numbers(fullNumber=text) == [CAKE]


def test_a_sold_number_is_no_longer_found(api: Api) -> None:
    api.provision(CAKE)
    assert api.numbers(fullNumber=CAKE) == []


def test_answers_are_capped_and_ordered(api: Api) -> None:
    found = api.numbers()
    assert len(found) == 1000
    assert found == sorted(found)


def test_both_spellings_of_the_address_answer(api: Api) -> None:
    assert api.get("/v3/numbers", fullNumber=CAKE).status_code == 200
    assert_error(api.get("/v3/letters/"), 404)


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic sandbox-key", "sandbox-key", "Bearer "])
def test_a_missing_or_wrong_key_is_401_with_a_challenge(sandbox: SandboxServer, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    for path in ("/v3/numbers/", "/v2/get/accounts/"):
        response = requests.get(sandbox.url + path, headers=headers, timeout=10)
        assert response.json() == {"status": "unauthorized", "message": "Your key is invalid"}
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer realm=")
