"""The search page before a Callcap that breaks, garbles, floods or lies: a clear page, what was typed, and no key."""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from numbers_app.models import Account, User
from numbers_app.vendor import callcap_client
from tests.callcap.vendor import answer, drips, says, vendor
from tests.factories import CampaignFactory
from tests.sandbox_server import SandboxServer
from tests.web.page import Page

from .conftest import NUMBER, Ask, success

pytestmark = pytest.mark.django_db

TYPED = {"area_code": "316", "vanity_text": "#cake", "city": "Wichita"}
SHOWN = "(316) 734-2253"


@pytest.fixture
def as_rep(rep: User, signed_in: Any) -> Client:
    client: Client = signed_in(rep)
    return client


@pytest.fixture
def point_to(settings: Any) -> Iterator[Any]:
    """``point_to(address, CALLCAP_TIMEOUT=1)``: the Callcap that the portal asks from now on."""

    def point(address: str, **changed: Any) -> None:
        settings.CALLCAP_API_URL = address
        for name, value in changed.items():
            setattr(settings, name, value)
        callcap_client.cache_clear()

    yield point
    callcap_client.cache_clear()


def assert_trouble(page: Page, sentence: str) -> None:
    """One clear sentence, everything typed, no trace of a program."""
    assert page.status == 503
    [said] = [found.text for found in page.all("p", data_alert="")]
    assert re.search(sentence, said), said
    assert {name: page.value(name) for name in TYPED} == TYPED
    assert "Traceback" not in page.html
    assert "Exception" not in page.html


# --- faults of the sandbox, over real HTTP --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "options", "sentence"),
    [
        ("html", {}, "nothing readable"),  # 6
        ("not_success", {}, "Callcap refused: The call could not be processed"),  # 7
        ("401", {}, "did not accept the portal's key: Your key is invalid"),  # 9
        ("403", {}, "did not accept the portal's key: Your key does not allow this"),
        ("429", {"retry_after": "77"}, "asks for a pause of 77 seconds"),  # 11
        ("429", {}, "asks for a pause of 30 seconds"),  # 12
        ("429", {"retry_after": "999999"}, "asks for a pause of 300 seconds"),  # 13
        ("429", {"retry_after": "-5"}, "asks for a pause of 30 seconds"),
        ("429", {"retry_after": "1e400"}, "asks for a pause of 30 seconds"),
        ("500", {}, r"a problem of its own \(status 500\)"),  # 14
        ("502", {}, r"a problem of its own \(status 502\)"),
        ("503", {}, r"a problem of its own \(status 503\)"),
        ("504", {}, r"a problem of its own \(status 504\)"),
        ("truncated", {}, "broke off"),  # 15
        ("truncated_without_length", {}, "nothing readable"),
        ("huge", {}, "longer than 5,000,000 bytes"),  # 16
        ("gzip_bomb", {}, "longer than 5,000,000 bytes"),
        ("307", {}, "a redirect .* never followed"),  # 17
        ("308", {}, "a redirect .* never followed"),
        ("duplicate_keys", {}, "nothing readable"),  # 19
        ("nan", {}, "nothing readable"),
        ("nul_refusal", {}, r"Callcap refused: The value \\x00 is not valid"),  # 21
        ("surrogate_refusal", {}, r"Callcap refused: The value \\ud800 is not valid"),
        ("drop_before_commit", {}, "closed the connection without an answer"),
    ],
)
def test_trouble_is_told_in_a_sentence(
    as_rep: Client, sandbox: SandboxServer, fault: str, options: dict[str, str], sentence: str
) -> None:
    sandbox.arm_fault(fault, "search", times=3, **options)
    page = Page(as_rep.get("/search/", TYPED))
    assert_trouble(page, sentence)
    assert sandbox.api_key not in page.html


@pytest.mark.parametrize("fault", ["drip", "drip_body", "slow"])
def test_an_answer_that_takes_for_ever_meets_the_deadline(
    as_rep: Client, sandbox: SandboxServer, point_to: Any, fault: str
) -> None:
    point_to(sandbox.url, CALLCAP_TIMEOUT=0.4)
    sandbox.arm_fault(fault, "search", seconds=3)
    begun = time.monotonic()
    page = Page(as_rep.get("/search/", TYPED))
    assert time.monotonic() - begun < 2.5
    assert_trouble(page, r"did not answer in full within 0\.4 seconds")


@pytest.mark.parametrize("fault", ["wrong_content_type", "extra_fields", "nul", "surrogate"])
def test_what_can_be_read_is_shown(as_rep: Client, sandbox: SandboxServer, fault: str) -> None:
    sandbox.arm_fault(fault, "search")
    page = Page(as_rep.get("/search/", {"vanity_text": "#cake", "area_code": "316"}))
    assert page.status == 200
    assert SHOWN in page.one("tbody").text
    assert "could not be read" not in page.text
    assert "\x00" not in page.html


@pytest.mark.parametrize("fault", ["null_fields", "missing_fields"])
def test_numbers_that_are_described_in_part_are_shown_and_the_rest_is_counted(
    as_rep: Client, sandbox: SandboxServer, fault: str
) -> None:
    offered = len(sandbox.search(areaCode="316"))
    sandbox.arm_fault(fault, "search")
    page = Page(as_rep.get("/search/", {"area_code": "316"}))
    left_out = int(re.search(r"(\d+) items? of Callcap's answer could not be read", page.text)[1])  # type: ignore[index]
    assert 0 < left_out < offered
    assert page.one("h2", id="results-heading").text.startswith(f"{offered - left_out} number")


def test_a_stale_answer_does_not_offer_what_is_ours(as_rep: Client, sandbox: SandboxServer, location: Account) -> None:
    sandbox.take(NUMBER)
    CampaignFactory(phone_number=NUMBER, account=location)
    sandbox.arm_fault("stale_search", "search", times=2)
    page = Page(as_rep.get("/search/", {"full_number": NUMBER}))
    assert page.links("Ours already") == [f"/numbers/{NUMBER}/"]


def test_what_became_ours_since_the_answer_was_kept_is_not_offered(
    as_rep: Client, sandbox: SandboxServer, location: Account
) -> None:
    assert not Page(as_rep.get("/search/", {"full_number": NUMBER})).links("Ours already")
    CampaignFactory(phone_number=NUMBER, account=location)
    assert Page(as_rep.get("/search/", {"full_number": NUMBER})).links("Ours already")


def test_what_is_not_parsed_is_said(as_rep: Client, callcap: Ask) -> None:
    callcap(success(numbers=[{}] * 50_000))
    sentence = r"Callcap's answer held more than 50,000 lists and objects; it was not read\."
    assert_trouble(Page(as_rep.get("/search/", TYPED)), sentence)


# --- an address where no Callcap is ---------------------------------------------------------------------------------


def test_a_refused_connection(as_rep: Client, point_to: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    point_to(f"http://127.0.0.1:{port}")
    assert_trouble(Page(as_rep.get("/search/", TYPED)), "could not be reached. Nothing was sent")


def test_a_name_that_does_not_exist(as_rep: Client, point_to: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: Any, **options: Any) -> Any:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    point_to("http://callcap.invalid")
    assert_trouble(Page(as_rep.get("/search/", TYPED)), "address could not be found. Nothing was sent")


def test_a_callcap_that_speaks_no_tls(as_rep: Client, point_to: Any) -> None:
    def speak_plainly(connected: socket.socket) -> bool:
        connected.sendall(answer("plain"))
        return True

    with vendor(says(), greeting=speak_plainly) as to:
        point_to(to.url.replace("http://", "https://"))
        assert_trouble(Page(as_rep.get("/search/", TYPED)), "No secure connection .* Nothing was sent")


def test_a_certificate_that_nobody_vouches_for(
    as_rep: Client, point_to: Any, certificate: tuple[Path, ssl.SSLContext]
) -> None:
    with vendor(says(success(numbers=[])), tls=certificate[1]) as to:
        point_to(to.url)
        assert_trouble(Page(as_rep.get("/search/", TYPED)), "No secure connection .* Nothing was sent")
        assert to.requests == []


def test_headers_that_drip(as_rep: Client, point_to: Any) -> None:
    with vendor(drips(success(numbers=[]), pause=0.05)) as to:
        point_to(to.url, CALLCAP_TIMEOUT=0.4)
        assert_trouble(Page(as_rep.get("/search/", TYPED)), "did not answer in full")


# --- the key --------------------------------------------------------------------------------------------------------

CANARY = "canary/4711+swordfish"


@pytest.mark.parametrize(
    ("status", "template"),
    [
        (200, "<html>{key}</html>"),
        (500, "{key}"),
        (401, '{{"status": "unauthorized", "message": "{key} is invalid"}}'),
        (400, '{{"status": "error", "message": "Bearer {key}"}}'),
        (200, '{{"status": "{key}"}}'),
        (200, '{{"status": "success", "{key}": []}}'),
        (
            200,
            '{{"status": "success", "numbers": [{{"number": "3167342253", "city": "{key}", "state": "{key}"}}]}}',
        ),
        (307, ""),
    ],
)
def test_a_key_that_callcap_repeats_reaches_neither_page_nor_log(
    as_rep: Client,
    point_to: Any,
    caplog: pytest.LogCaptureFixture,
    status: int,
    template: str,
) -> None:
    said = template.format(key=CANARY)
    with vendor(says(answer(said, status, Location=f"http://127.0.0.1:9/?key={CANARY}", X_Key=CANARY))) as to:
        point_to(to.url, CALLCAP_API_KEY=CANARY)
        html = Page(as_rep.get("/search/", TYPED)).html
        assert CANARY.encode() in to.requests[0]
    for found in (html, caplog.text):
        assert CANARY not in found
        assert "swordfish" not in found


def test_where_a_redirect_leads_nobody_is_told_the_key(as_rep: Client, point_to: Any) -> None:
    with vendor(says(success(numbers=[]))) as elsewhere:
        for status in (301, 302, 303, 307, 308):
            with vendor(says(answer("", status, Location=elsewhere.url))) as to:
                point_to(to.url)
                assert_trouble(Page(as_rep.get("/search/", TYPED)), "a redirect .* never followed")
        assert (elsewhere.requests, elsewhere.connections) == ([], 0)


# --- the shapes that the vendor's pages leave open ------------------------------------------------------------------

ITEM: dict[str, Any] = {
    "phoneNumber": NUMBER,
    "type": "local",
    "pool": "public",
    "city": "Wichita",
    "state": "KS",
    "rateCenter": "WICHITA",
}


@pytest.mark.parametrize(
    "shape",
    [
        {"numbers": [NUMBER]},
        {"results": [NUMBER]},
        {"data": [NUMBER]},
        {"data": {"numbers": [NUMBER]}},
        {"data": {"results": [NUMBER]}},
        {"results": {"numbers": [NUMBER]}},
        {"numbers": [int(NUMBER)]},
        {"numbers": ["+13167342253"]},
        {"numbers": ["1-316-734-2253"]},
        {"numbers": ["(316) 734-2253"]},
        {"numbers": ["316.734.2253"]},
        {"numbers": [{"phoneNumber": NUMBER}]},
        {"numbers": [{"phone_number": "+1 316 734 2253"}]},
        {"numbers": [{"number": NUMBER}]},
        {"numbers": [{"fullNumber": NUMBER}]},
        {"numbers": [{"full_number": NUMBER}]},
        {"numbers": [NUMBER, NUMBER, {"number": NUMBER}]},
        {"numbers": [NUMBER], "paging": {"next": None}, "": 1},
    ],
)
def test_however_a_number_is_given_the_page_shows_it_once(as_rep: Client, callcap: Ask, shape: dict[str, Any]) -> None:
    callcap(success(**shape))
    page = Page(as_rep.get("/search/", {"area_code": "316"}))
    assert page.one("h2", id="results-heading").text.startswith("1 number")
    assert SHOWN in page.one("tbody").text


@pytest.mark.parametrize("rate_center", ["rateCenter", "rate_center"])
@pytest.mark.parametrize("kind", ["Toll-Free", "toll_free", "tollfree"])
def test_fields_are_understood_however_they_are_spelled(
    as_rep: Client, callcap: Ask, rate_center: str, kind: str
) -> None:
    item = {"number": NUMBER, rate_center: "WICHITA", "city": "Wichita", "state": "KS", "number_type": kind}
    callcap(success(numbers=[item | {"pool": "Reserved"}]))
    row = Page(as_rep.get("/search/", {"area_code": "316"})).one("tbody").one("tr").text
    for shown in ("Wichita, KS", "WICHITA", "Toll-free", "Reserved"):
        assert shown in row


def test_hostile_text_of_an_item_is_text(as_rep: Client, callcap: Ask) -> None:
    callcap(success(numbers=[ITEM | {"city": "<script>alert(1)</script>", "rateCenter": "\u202e\x00 a"}]))
    html = Page(as_rep.get("/search/", {"area_code": "316"})).html
    assert "<script>alert(1)" not in html
    assert "\u202e" not in html


def test_items_that_cannot_be_read_are_counted(as_rep: Client, callcap: Ask) -> None:
    callcap(success(numbers=[ITEM, None, 5, [], {}, {"number": "12345"}, {"number": [NUMBER]}, "555"]))
    page = Page(as_rep.get("/search/", {"area_code": "316"}))
    assert page.one("h2", id="results-heading").text.startswith("1 number")
    assert "7 items of Callcap's answer could not be read and are left out." in page.text


def test_a_success_without_a_list_says_what_was_found_and_keeps_the_answer_for_an_administrator(
    as_rep: Client, callcap: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    callcap(success(offers=[NUMBER], total=1))
    page = Page(as_rep.get("/search/", TYPED))
    assert_trouble(page, "without a list of numbers. Found instead: offers, status, total")
    assert '"offers": ["3167342253"]' in caplog.text.replace("\\'", "'")


@pytest.mark.parametrize("said", [success(numbers=[]), answer('{"status": "error", "message": "Nothing"}', 404)])
def test_an_empty_list_and_a_404_both_mean_that_nothing_matched(as_rep: Client, callcap: Ask, said: bytes) -> None:
    callcap(said)
    page = Page(as_rep.get("/search/", {"area_code": "316"}))
    assert page.status == 200
    assert "Callcap offers no such number" in page.text
    assert page.value("area_code") == "316"


@pytest.mark.parametrize(
    "said",
    [
        answer(json.dumps({"numbers": [NUMBER]})),
        answer(json.dumps({"status": True, "numbers": [NUMBER]})),
        answer(json.dumps({"status": "success", "numbers": [NUMBER]}), 202),
        answer(json.dumps([NUMBER])),
        answer("", 404),
    ],
)
def test_what_is_no_documented_success_is_none(as_rep: Client, callcap: Ask, said: bytes) -> None:
    callcap(said)
    assert_trouble(Page(as_rep.get("/search/", TYPED)), "Callcap answered")


def test_a_list_of_a_thousand_looks_cut_off(as_rep: Client, callcap: Ask) -> None:
    callcap(success(numbers=[str(3160000000 + place) for place in range(1000)]))
    assert "Callcap's list looks cut off" in Page(as_rep.get("/search/", {"area_code": "316"})).text
