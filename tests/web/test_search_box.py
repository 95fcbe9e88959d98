"""The one box: what it means is shown while somebody types, and becomes the fields when it is sent."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.sandbox_server import SandboxServer

from .conftest import HTMX
from .page import Page

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("316", "area_code=316"),
        ("###cake", "vanity_text=%23%23%23cake"),
        ("316 cake", "area_code=316&vanity_text=cake"),
        ("Wichita KS", "state=KS&city=Wichita"),
        ("67202", "zipcode=67202"),
        ("toll-free", "show_tollfree=on"),
    ],
)
def test_what_is_sent_becomes_fields(as_rep: Client, typed: str, query: str) -> None:
    response = as_rep.get("/search/", {"q": typed})
    assert response.status_code == 302
    assert response["Location"] == f"/search/?{query}"


def test_fields_that_were_set_stay(as_rep: Client) -> None:
    response = as_rep.get("/search/", {"q": "cake", "area_code": "316", "page": "3"})
    assert response["Location"] == "/search/?area_code=316&vanity_text=cake"


def test_what_was_not_understood_stays_in_the_box_and_is_said(as_rep: Client, sandbox: SandboxServer) -> None:
    response = as_rep.get("/search/", {"q": "316 🎂"}, follow=True)
    page = Page(response)
    assert response.redirect_chain[0][0].startswith("/search/?area_code=316&q=")
    assert page.value("q") == "🎂"
    assert page.value("area_code") == "316"
    assert "Not understood: 🎂" in page.text


def test_while_somebody_types_it_says_what_it_understood(as_rep: Client, sandbox: SandboxServer) -> None:
    page = Page(as_rep.get("/search/", {"q": "316 cake"}, headers=HTMX))
    assert "Understood as area code 316, spelling CAKE." in page.text
    chips = page.one("ul", aria_label="What is searched for").all("a")
    assert [chip.attributes["href"] for chip in chips] == ["?q=cake", "?q=316"]
    assert page.one("tbody").all("mark")


def test_the_other_meaning_is_one_click_away(as_rep: Client, sandbox: SandboxServer) -> None:
    page = Page(as_rep.get("/search/", {"q": "Wichita"}, headers=HTMX))
    assert "Or did you mean" in page.text


@pytest.mark.parametrize(
    ("asked", "said", "there"),
    [
        ({"vanity_text": "Wichita"}, "in Wichita", "?city=Wichita"),
        ({"vanity_text": "el paso", "area_code": "316"}, "in el paso", "?area_code=316&city=el+paso"),
        ({"vanity_text": "kansas", "page": "2"}, "in KS", "?state=KS"),
    ],
)
def test_the_other_meaning_is_still_there_when_the_box_has_become_fields(
    as_rep: Client, sandbox: SandboxServer, asked: dict[str, str], said: str, there: str
) -> None:
    page = Page(as_rep.get("/search/", asked))
    assert f"Or did you mean {said} ?" in page.text
    assert there in page.links(said)


@pytest.mark.parametrize(
    "asked",
    [
        {"vanity_text": "###cake"},
        {"vanity_text": "Wichita", "city": "Derby"},
        {"vanity_text": "Wichita", "show_tollfree": "on"},
    ],
)
def test_what_cannot_be_meant_is_not_offered(as_rep: Client, sandbox: SandboxServer, asked: dict[str, str]) -> None:
    assert "Or did you mean" not in Page(as_rep.get("/search/", asked)).text


def test_all_that_is_searched_for_is_shown_and_what_the_box_overrides(as_rep: Client, sandbox: SandboxServer) -> None:
    asked = {"q": "316 cake", "area_code": "620", "exchange": "734"}
    page = Page(as_rep.get("/search/", asked, headers=HTMX))
    assert "Understood as area code 316, exchange 734, spelling CAKE. On the keypad: 2253" in page.text
    chips = page.one("ul", aria_label="What is searched for").all("a")
    assert [chip.text.removesuffix(" Remove this filter") for chip in chips] == [
        "area code 316",
        "spelling CAKE",
        "Exchange: 734",
    ]
    assert "The box goes before the fields: Area code 620 is not searched for." in page.text


def test_what_was_understood_is_said_when_it_was_sent_too(as_rep: Client, sandbox: SandboxServer) -> None:
    page = Page(as_rep.get("/search/", {"q": "316 cake"}, follow=True))
    assert "Understood as area code 316, spelling CAKE. On the keypad: 2253" in page.text


@pytest.mark.parametrize("beside", [{"show_local": "on"}, {"sort": "number", "per_page": "25"}, {"country": "US"}])
def test_two_characters_are_not_searched_for_beside_what_narrows_nothing(
    as_rep: Client, beside: dict[str, str]
) -> None:
    assert "Go on typing" in Page(as_rep.get("/search/", {"q": "ca"} | beside, headers=HTMX)).text


@pytest.mark.parametrize("typed", ["c", "ca", "31"])
def test_two_characters_are_not_searched_for_while_typing(as_rep: Client, typed: str) -> None:
    """No Callcap is running here: being asked would show."""
    page = Page(as_rep.get("/search/", {"q": typed}, headers=HTMX))
    assert page.status == 200
    assert "Go on typing" in page.text


@pytest.mark.parametrize("link", [{"sort": "number"}, {"page": "2"}, {"per_page": "25"}])
def test_the_links_of_a_short_text_s_results_order_them_and_go_on(
    as_rep: Client, sandbox: SandboxServer, link: dict[str, str]
) -> None:
    page = Page(as_rep.get("/search/", {"vanity_text": "ca"} | link, headers=HTMX | {"HX-Source": "a"}))
    assert page.one("tbody").all("tr")
    typed = Page(as_rep.get("/search/", {"vanity_text": "ca"} | link, headers=HTMX | {"HX-Source": "form"}))
    assert "Go on typing" in typed.text


def test_a_short_text_beside_other_fields_is_searched_for(as_rep: Client, sandbox: SandboxServer) -> None:
    page = Page(as_rep.get("/search/", {"q": "KS", "city": "Wichita"}, headers=HTMX))
    assert "Go on typing" not in page.text


@pytest.mark.parametrize("typed", ["x" * 101, "cake\x00"])
def test_what_no_search_can_be_is_refused_at_the_box(as_rep: Client, typed: str) -> None:
    response = as_rep.get("/search/", {"q": typed}, follow=True)
    assert response.status_code in (422, 400)
