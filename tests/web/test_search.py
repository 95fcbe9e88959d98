"""Searching for numbers, against a running Callcap."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client

from numbers_app.models import Account, Campaign, User
from numbers_app.vendor import callcap_client
from tests.sandbox_server import SandboxServer

from .conftest import Purchase
from .page import Page

pytestmark = pytest.mark.django_db


def found(page: Page) -> list[str]:
    """The numbers of the results, as ten digits."""
    rows = page.all("tbody")[0].all("tr") if page.all("tbody") else []
    return ["".join(filter(str.isdigit, row.one("th").all("span")[-1].text)) for row in rows]


def offered(sandbox: SandboxServer, **params: str) -> list[str]:
    return [offer["phoneNumber"] for offer in sandbox.search(**params)]


@pytest.fixture
def somewhere(sandbox: SandboxServer) -> dict[str, str]:
    """A local public number of the sandbox with its place."""
    return next(offer for offer in sandbox.search(areaCode="316") if offer["phoneNumber"] != "3167342253")


@pytest.mark.parametrize(
    ("asked", "wire"),
    [
        ({"area_code": "316"}, {"areaCode": "316"}),
        ({"area_code": "316", "exchange": "734"}, {"areaCode": "316", "exchange": "734"}),
        ({"area_code": "316", "line": "2253"}, {"areaCode": "316", "line": "2253"}),
        ({"vanity_text": "###cake"}, {"vanityText": "###cake"}),
        ({"full_number": "(316) 734-2253"}, {"fullNumber": "3167342253"}),
        ({"show_tollfree": "on"}, {"showTollfree": "true"}),
        ({"show_local": "on", "area_code": "316"}, {"showLocal": "true", "areaCode": "316"}),
        ({"country": "CA"}, {"country": "CA"}),
        ({"state": "KS"}, {"state": "KS"}),
    ],
)
def test_each_parameter_narrows_the_search_as_callcap_does(
    as_rep: Client, sandbox: SandboxServer, asked: dict[str, str], wire: dict[str, str]
) -> None:
    expected = sorted(offered(sandbox, **wire))
    assert expected
    page = Page(as_rep.get("/search/", asked | {"sort": "number"}))
    assert f"{len(expected)} number" in page.one("h2", id="results-heading").text
    assert found(page) == expected[:50]


@pytest.mark.parametrize(
    ("name", "wire"), [("city", "city"), ("rate_center", "rateCenter"), ("zipcode", "zipcode"), ("state", "state")]
)
def test_places_narrow_the_search(
    as_rep: Client, sandbox: SandboxServer, somewhere: dict[str, str], name: str, wire: str
) -> None:
    expected = offered(sandbox, **{wire: somewhere[wire]})
    assert 0 < len(expected) < len(offered(sandbox))
    page = Page(as_rep.get("/search/", {name: somewhere[wire]}))
    assert found(page) == expected[:50]


@pytest.mark.parametrize(("asked", "granted"), [({"account": "L-3"}, True), ({"account": "L-30"}, False)])
def test_results_alone_are_for_the_readers_own_locations_too(
    as_rep: Client, sandbox: SandboxServer, asked: dict[str, str], granted: bool
) -> None:
    """The form beside them is not drawn, so nothing else asks for the Locations."""
    expected = offered(sandbox, showReservedPool="true", account="L-3")
    response = as_rep.get("/search/", asked | {"show_reserved_pool": "on"}, headers={"HX-Request": "true"})
    assert (expected[0] in response.content.decode()) is granted


@pytest.mark.parametrize("location_field", [{"account": "L-3"}, {"location_id": "3"}])
def test_the_reserved_pool_of_a_location_is_searched_by_key_or_by_id(
    as_rep: Client, sandbox: SandboxServer, location_field: dict[str, str]
) -> None:
    expected = offered(sandbox, showReservedPool="true", account="L-3")
    assert expected
    page = Page(as_rep.get("/search/", {"show_reserved_pool": "on", **location_field}))
    assert found(page) == expected[:50]
    row = page.all("tbody")[0].all("tr")[0]
    assert row.one("td", data_label="Pool").text == "Reserved"
    assert page.links(f"({expected[0][:3]})") == [f"/orders/new/?number={expected[0]}&account=L-3"]
    assert page.value("account") == "L-3"


def test_both_pools_together_are_what_callcap_shows_for_both(as_rep: Client, sandbox: SandboxServer) -> None:
    wire = {"showReservedPool": "true", "showPublicPool": "true", "account": "L-3", "areaCode": "316"}
    asked = {"show_reserved_pool": "on", "show_public_pool": "on", "account": "L-3", "area_code": "316"}
    page = Page(as_rep.get("/search/", asked))
    assert f"{len(offered(sandbox, **wire))} number" in page.one("h2", id="results-heading").text


def test_a_result_shows_number_letters_place_type_pool_and_request(as_rep: Client, sandbox: SandboxServer) -> None:
    offer = sandbox.search(fullNumber="3167342253")[0]
    page = Page(as_rep.get("/search/", {"vanity_text": "#cake"}))
    row = next(row for row in page.all("tbody")[0].all("tr") if "(316) 734-2253" in row.text)
    assert row.one("mark").text == "CAKE"
    assert row.one("span", aria_hidden="true").text.replace(" ", "") == "316-734-CAKE"
    assert row.one("td", data_label="Place").text == f"{offer['city']}, {offer['state']} {offer['rateCenter']}"
    assert row.one("td", data_label="Type").text == "Local"
    assert row.one("td", data_label="Pool").text == "Public"
    assert row.one("a").text == "Request (316) 734-2253"
    assert row.one("a").attributes["href"] == "/orders/new/?number=3167342253&vanity_text=%23cake"


def test_toll_free_numbers_have_a_type_and_no_place(as_rep: Client, sandbox: SandboxServer) -> None:
    page = Page(as_rep.get("/search/", {"show_tollfree": "on"}))
    row = page.all("tbody")[0].all("tr")[0]
    assert row.one("td", data_label="Type").text == "Toll-free"
    assert row.one("td", data_label="Place").text == "–"


def test_no_match_says_so_and_keeps_what_was_typed(as_rep: Client, sandbox: SandboxServer) -> None:
    response = as_rep.get("/search/", {"area_code": "316", "exchange": "999", "line": "0000"})
    page = Page(response)
    assert response.status_code == 200
    assert "Callcap offers no such number" in page.text
    assert (page.value("exchange"), page.value("line")) == ("999", "0000")


def test_without_a_search_callcap_is_not_asked(as_rep: Client) -> None:
    response = as_rep.get("/search/")
    assert response.status_code == 200
    assert "What should the number look like?" in Page(response).text


@pytest.mark.parametrize(
    ("asked", "field", "sentence"),
    [
        ({"area_code": "31"}, "area_code", "three digits"),
        ({"area_code": "116"}, "area_code", "starts with 2 to 9"),
        ({"area_code": "３１６"}, "area_code", "three digits"),
        ({"exchange": "73a"}, "exchange", "three digits"),
        ({"line": "22530"}, "line", "four digits"),
        ({"show_reserved_pool": "on"}, "account", "Choose the Location whose reserved pool to search."),
        ({"account": "L-30"}, "account", "Choose one of your Locations."),
        ({"location_id": "30"}, "account", "Choose one of your Locations."),
        ({"account": "D-1"}, "account", "Choose one of your Locations."),
        ({"city": "Wich\x00ita"}, "city", "Remove the null character"),
        ({"vanity_text": "ca\x00ke"}, "vanity_text", "Remove the null character"),
        ({"area_code": "3\x0016"}, "area_code", "Remove the null character"),
        ({"city": "x" * 101}, "city", "at most 100 characters"),
        ({"vanity_text": "x" * 41}, "vanity_text", "at most 40 characters"),
        ({"vanity_text": "cakecakecake"}, "vanity_text", "at most ten letters"),
        ({"vanity_text": "cäke"}, "vanity_text", "cannot be dialled"),
        ({"vanity_text": "###"}, "vanity_text", "at least one letter or digit"),
        ({"zipcode": "6720"}, "zipcode", "five digits"),
        ({"country": "MX"}, "country", "MX is not one of the available choices"),
        ({"full_number": "316555"}, "full_number", "not a US or Canadian number"),
        ({"full_number": "+44 20 7946 0958"}, "full_number", "not a US or Canadian number"),
    ],
)
def test_what_callcap_would_refuse_is_refused_at_its_field(
    as_rep: Client, elsewhere: Account, asked: dict[str, str], field: str, sentence: str
) -> None:
    response = as_rep.get("/search/", asked)
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.error_at(field)
    assert sentence in page.summary
    for name in asked.keys() - {"show_reserved_pool", "account", "location_id", "country"}:
        assert page.value(name) == asked[name]


TROUBLES = [("500", {}), ("html", {}), ("truncated", {}), ("401", {}), ("429", {}), ("drop_before_commit", {})]


@pytest.mark.parametrize(("fault", "options"), TROUBLES)
def test_a_callcap_in_trouble_is_a_503_that_keeps_the_search(
    as_rep: Client, sandbox: SandboxServer, fault: str, options: dict[str, Any]
) -> None:
    sandbox.arm_fault(fault, "search", rate=1.0, times=10, **options)
    response = as_rep.get("/search/", {"area_code": "316", "vanity_text": "cake"})
    page = Page(response)
    assert response.status_code == 503
    never_answered = fault == "drop_before_commit"
    heading = "Callcap is not answering" if never_answered else "Callcap did not answer this search"
    assert heading in page.one("section", aria_labelledby="trouble").text
    assert (page.value("area_code"), page.value("vanity_text")) == ("316", "cake")
    assert sandbox.api_key not in page.html


def test_a_slow_callcap_costs_no_more_than_the_deadline(as_rep: Client, sandbox: SandboxServer, settings: Any) -> None:
    settings.CALLCAP_TIMEOUT = 1.0
    callcap_client.cache_clear()
    sandbox.arm_fault("slow", "search", times=5, seconds=4)
    begun = time.monotonic()
    response = as_rep.get("/search/", {"vanity_text": "cake"})
    assert time.monotonic() - begun < 3
    assert response.status_code == 503
    assert Page(response).value("vanity_text") == "cake"


def test_a_callcap_that_is_away_is_a_503(as_rep: Client, settings: Any) -> None:
    callcap_client.cache_clear()
    settings.CALLCAP_API_URL = "http://127.0.0.1:9"
    response = as_rep.get("/search/", {"city": "Wichita"})
    callcap_client.cache_clear()
    assert response.status_code == 503
    assert Page(response).value("city") == "Wichita"


def test_htmx_gets_the_results_alone(as_rep: Client, sandbox: SandboxServer) -> None:
    response = as_rep.get("/search/", {"vanity_text": "#cake"}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    html = response.content.decode()
    assert "<html" not in html
    assert 'role="search"' not in html
    assert "(316) 734-2253" in html
    assert "HX-Request" in response.headers["Vary"]


def test_a_restored_or_boosted_page_is_whole(as_rep: Client, sandbox: SandboxServer) -> None:
    for header in ("HX-History-Restore-Request", "HX-Boosted"):
        response = as_rep.get("/search/", {"vanity_text": "#cake"}, headers={"HX-Request": "true", header: "true"})
        assert "<html" in response.content.decode(), header


def test_while_somebody_types_a_search_is_unfinished_rather_than_wrong(as_rep: Client) -> None:
    response = as_rep.get("/search/", {"area_code": "31"}, headers={"HX-Request": "true"})
    html = response.content.decode()
    assert response.status_code == 200
    assert "<html" not in html
    assert "Not searched yet" in html
    assert "Area code: An area code has three digits" in html


def test_a_number_of_ours_leads_to_its_page(as_rep: Client, sandbox: SandboxServer, campaign: Campaign) -> None:
    page = Page(as_rep.get("/search/", {"full_number": campaign.phone_number}))
    assert page.links("Ours already") == [f"/numbers/{campaign.phone_number}/"]
    assert not page.links("Request")


def test_a_number_somebody_asked_for_cannot_be_requested_again(
    as_rep: Client, sandbox: SandboxServer, purchase: Purchase
) -> None:
    order = purchase("3167342253")
    page = Page(as_rep.get("/search/", {"full_number": "3167342253"}))
    assert f"Wanted in order {order.pk}" in page.text
    assert not page.links("Request")


def test_pages_of_results_follow_each_other_without_loss(as_rep: Client, sandbox: SandboxServer) -> None:
    expected = offered(sandbox, areaCode="316")
    assert len(expected) > 100
    first = Page(as_rep.get("/search/", {"area_code": "316"}))
    following = first.links("Next")[0]
    second = Page(as_rep.get(f"/search/{following}"))
    assert found(first) + found(second) == expected[:100]
    assert second.value("area_code") == "316"
    for page in ("0", "-1", "ninety", "9" * 30):
        assert as_rep.get("/search/", {"area_code": "316", "page": page}).status_code == 200


def test_who_may_not_search_is_told_so(signed_in: Any, auditor: User) -> None:
    response = signed_in(auditor).get("/search/", {"area_code": "316"})
    assert response.status_code == 403
    assert "search numbers" in Page(response).text
