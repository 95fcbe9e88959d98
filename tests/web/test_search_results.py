"""What a search shows: order, pages, marks, words, ease, the age of an answer, several numbers, any number."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from numbers_app.models import Campaign, OrderStatus, User
from numbers_app.selectors.relaxations import Relaxations
from tests.factories import OrderFactory
from tests.sandbox_server import SandboxServer

from .conftest import HTMX, Purchase
from .page import Page

pytestmark = pytest.mark.django_db


def rows(page: Page) -> list[str]:
    return [row.text for row in page.one("tbody").all("th")]


def searched(client: Client, **asked: str) -> Page:
    response = client.get("/search/", {"area_code": "316"} | asked)
    assert response.status_code == 200
    return Page(response)


def test_it_is_sorted_by_number_place_and_ease(as_rep: Client, sandbox: SandboxServer) -> None:
    by_number = rows(searched(as_rep, sort="number", per_page="100"))
    assert by_number == sorted(by_number)
    easy = [
        found.ease.points
        for found in as_rep.get("/search/", {"area_code": "316", "sort": "easy"}).context["found_numbers"]
    ]
    assert easy == sorted(easy, reverse=True)
    assert easy[0] > easy[-1]
    places = [
        (found.offer.state, found.offer.city)
        for found in as_rep.get("/search/", {"state": "KS", "sort": "place"}).context["found_numbers"]
    ]
    assert places == sorted(places)


def test_the_best_match_shows_the_text_at_the_end_first(as_rep: Client, sandbox: SandboxServer) -> None:
    first = searched(as_rep, area_code="", vanity_text="cake").one("tbody").all("th")[0]
    assert first.all("span", aria_hidden="true")[0].text.replace(" ", "").endswith("CAKE")


def test_what_cannot_be_had_comes_last_on_its_page(as_rep: Client, sandbox: SandboxServer, purchase: Purchase) -> None:
    first = as_rep.get("/search/", {"area_code": "316"}).context["found_numbers"][0].offer.number
    order = purchase(first)
    response = as_rep.get("/search/", {"area_code": "316"})
    assert response.context["found_numbers"][-1].offer.number == first
    assert Page(response).links("Wanted in order") == [f"/orders/{order.pk}/"]


def test_an_order_of_another_account_is_named_without_a_link(
    as_rep: Client, sandbox: SandboxServer, purchase: Purchase, stranger: User, elsewhere: Any
) -> None:
    number = sandbox.search(areaCode="316")[0]["phoneNumber"]
    order = purchase(number, by=stranger, account=elsewhere)
    page = searched(as_rep, full_number=number)
    assert f"Wanted in order {order.pk}" in page.text
    assert page.links("Wanted in order") == []


@pytest.mark.parametrize(("asked", "count"), [("25", 25), ("50", 50), ("100", 100), ("7", 50), ("x", 50), ("", 50)])
def test_a_page_has_25_50_or_100_numbers(as_rep: Client, sandbox: SandboxServer, asked: str, count: int) -> None:
    assert len(rows(searched(as_rep, per_page=asked))) == count


def test_sorting_and_paging_keep_the_search(as_rep: Client, sandbox: SandboxServer) -> None:
    page = searched(as_rep, sort="number", per_page="25")
    assert page.links("easy to remember") == ["?area_code=316&sort=easy&per_page=25"]
    assert page.links("Next")[0] == "?area_code=316&sort=number&per_page=25&page=2"
    chosen = [link.text for link in page.all("a", aria_current="true") if link.text in ("number", "best match")]
    assert chosen == ["number"]


def test_ease_is_explained_in_text_and_on_hover(as_rep: Client, sandbox: SandboxServer) -> None:
    cell = searched(as_rep, sort="easy").one("tbody").all("td", data_label="Easy to remember")[0]
    points, reasons = cell.text.split(" ", 1)
    assert int(points) > 0
    assert cell.attributes["title"] == reasons != ""


def test_any_number_of_the_search_can_be_asked_for(as_rep: Client, sandbox: SandboxServer) -> None:
    page = searched(as_rep, vanity_text="cake")
    assert "any number with area code 316, spelling CAKE" in page.text
    assert page.links("Ask for any number") == ["/orders/new/?first_match=1&area_code=316&vanity_text=cake"]


def test_the_search_is_shown_as_chips_that_take_it_apart(as_rep: Client, sandbox: SandboxServer) -> None:
    chips = searched(as_rep, vanity_text="cake").one("ul", aria_label="What is searched for").all("a")
    assert [chip.text for chip in chips] == ["Spells: cake Remove this filter", "Area code: 316 Remove this filter"]
    assert chips[0].attributes["href"] == "?area_code=316"


def test_places_mean_nothing_for_toll_free_numbers_and_that_is_said(as_rep: Client, sandbox: SandboxServer) -> None:
    page = searched(as_rep, area_code="", show_tollfree="on", city="Wichita")
    assert "Toll-free numbers have no place, so City is left out." in page.text
    assert rows(page)
    assert "hidden" in page.one("div", data_places="").attributes


def test_an_answer_of_the_last_minute_says_its_age_and_can_be_refreshed(as_rep: Client, sandbox: SandboxServer) -> None:
    assert searched(as_rep).links("Refresh") == []
    again = searched(as_rep)
    assert re.search(r"Callcap was asked (now|\d+ seconds? ago): \w+ \d+, \d{4}, [\d:]+ [AP]M \w+ .* UTC", again.text)
    (refresh,) = again.links("Refresh")
    response = as_rep.get(f"/search/{refresh}")
    assert response["Location"] == "/search/?area_code=316"


def test_a_kept_answer_without_numbers_says_its_age_too(as_rep: Client, sandbox: SandboxServer) -> None:
    nowhere = {"area_code": "316", "exchange": "999", "line": "0000"}
    as_rep.get("/search/", nowhere, headers=HTMX)
    again = Page(as_rep.get("/search/", nowhere, headers=HTMX))
    assert "Callcap was asked" in again.text
    assert again.links("Refresh")


def test_what_was_asked_for_in_digits_is_marked(as_rep: Client, sandbox: SandboxServer) -> None:
    cell = searched(as_rep, exchange="734").one("tbody").all("th")[0]
    assert [mark.text for mark in cell.all("mark")] == ["316", "734"]
    assert cell.all("span")[-1].text.startswith("(316) 734-")
    cell = searched(as_rep, line="2253", vanity_text="cake").one("tbody").all("th")[0]
    assert [mark.text for mark in cell.all("mark")] == ["316", "CAKE"]


def test_sorted_by_number_what_cannot_be_had_stays_in_its_place(
    as_rep: Client, sandbox: SandboxServer, purchase: Purchase
) -> None:
    purchase(min(offer["phoneNumber"] for offer in sandbox.search(areaCode="316")))
    by_number = rows(searched(as_rep, sort="number"))
    assert by_number == sorted(by_number)


def test_sort_and_page_size_go_along_with_the_form(as_rep: Client, sandbox: SandboxServer) -> None:
    asked = {"area_code": "316", "sort": "number", "per_page": "25"}
    page = searched(as_rep, **asked)
    assert (page.value("sort"), page.value("per_page")) == ("number", "25")
    part = Page(as_rep.get("/search/", asked, headers=HTMX))
    (sort,) = part.all("input", name="sort")
    assert (sort.attributes["value"], sort.attributes["hx-swap-oob"]) == ("number", "true")


def test_a_number_of_ours_names_the_order_that_bought_it(
    as_rep: Client, sandbox: SandboxServer, campaign: Campaign
) -> None:
    order = OrderFactory(
        account=campaign.account, status=OrderStatus.DONE, phone_number=campaign.phone_number, decider_id=1_000_000_001
    )
    page = searched(as_rep, full_number=campaign.phone_number)
    assert page.links("Ours already") == [f"/numbers/{campaign.phone_number}/"]
    assert page.links(f"order {order.pk}") == [f"/orders/{order.pk}/"]


def test_a_number_of_ours_is_no_link_for_who_may_not_look_at_it(
    signed_in: Any, stranger: User, sandbox: SandboxServer, campaign: Campaign
) -> None:
    page = searched(signed_in(stranger), full_number=campaign.phone_number)
    assert "Ours already" in page.text
    assert page.links("Ours already") == []


@pytest.mark.parametrize("asked", [{"area_code": "800"}, {"area_code": "", "show_tollfree": "on"}])
def test_toll_free_codes_hide_the_places_like_toll_free_and_never_the_whole_number(
    as_rep: Client, sandbox: SandboxServer, asked: dict[str, str]
) -> None:
    page = searched(as_rep, state="KS", **asked)
    assert "so State or province is left out." in page.text
    hidden = page.one("div", data_places="")
    assert "hidden" in hidden.attributes
    assert [field.attributes["name"] for field in hidden.all("input")] == ["city", "rate_center", "zipcode"]
    assert Page(as_rep.get("/search/", asked, headers=HTMX)).all("div", data_tollfree_only="")


def test_a_search_by_place_reads_well_where_any_number_will_do(as_rep: Client, sandbox: SandboxServer) -> None:
    assert "An order can ask for any number in KS." in searched(as_rep, area_code="", state="KS").text


def test_the_state_counts_in_small_letters(as_rep: Client, sandbox: SandboxServer) -> None:
    page = searched(as_rep, area_code="", state="ks")
    assert page.value("state") == "KS"
    assert rows(page)


@pytest.mark.parametrize(
    ("asked", "query"),
    [
        ({"vanity_text": "cake", "area_code": "316", "city": ""}, "area_code=316&vanity_text=cake"),
        ({"area_code": "31"}, "area_code=31"),
        ({"q": ""}, ""),
    ],
)
def test_what_would_be_saved_follows_what_is_searched_for(
    as_rep: Client, sandbox: SandboxServer, asked: dict[str, str], query: str
) -> None:
    part = Page(as_rep.get("/search/", asked, headers=HTMX))
    assert part.one("input", id="view-query").attributes["value"] == query
    assert part.one("input", id="view-query").attributes["hx-swap-oob"] == "true"


def test_what_callcap_did_not_answer_leaves_results_and_address_as_they_were(
    as_rep: Client, sandbox: SandboxServer
) -> None:
    sandbox.arm_fault("500", "search", rate=1.0, times=10)
    response = as_rep.get("/search/", {"vanity_text": "cake", "city": ""}, headers=HTMX)
    assert (response.status_code, response.headers["HX-Replace-Url"]) == (503, "false")


# Leads are looked for in threads, with connections of their own.
@pytest.mark.django_db(transaction=True)
def test_nothing_found_leads_to_searches_that_do_find_something(as_rep: Client, sandbox: SandboxServer) -> None:
    page = Page(as_rep.get("/search/", {"area_code": "316", "exchange": "999", "vanity_text": "cake"}))
    assert "Searched for area code 316, exchange 999, spelling CAKE." in page.text
    leads = page.one("ul", class_="leads").all("a")
    assert len(leads) >= 2
    for lead in leads:
        assert Page(as_rep.get(lead.attributes["href"])).all("tbody")


def test_leads_that_were_not_answered_are_not_said_to_find_nothing(
    as_rep: Client, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "/search/wider/?zipcode=67299"
    monkeypatch.setattr("numbers_app.views.search.relaxations", lambda criteria: Relaxations((), unanswered=3))
    page = Page(as_rep.get(address, headers=HTMX))
    assert "Callcap did not answer the wider searches in time" in page.text
    assert "finds anything" not in page.text
    monkeypatch.setattr("numbers_app.views.search.relaxations", lambda criteria: Relaxations((), unanswered=0))
    assert "No wider search that was tried finds anything." in Page(as_rep.get(address, headers=HTMX)).text


@pytest.mark.django_db(transaction=True)
def test_while_somebody_types_the_leads_come_a_moment_later(as_rep: Client, sandbox: SandboxServer) -> None:
    asked = {"area_code": "316", "exchange": "999"}
    page = Page(as_rep.get("/search/", asked, headers=HTMX))
    (address,) = [element.attributes["hx-get"] for element in page.all("div", id="wider")]
    assert address == "/search/wider/?area_code=316&exchange=999"
    assert Page(as_rep.get(address, headers=HTMX)).one("ul", class_="leads").all("a")
    # Whoever opens that address is shown the search.
    assert as_rep.get(address)["Location"] == "/search/?area_code=316&exchange=999"
