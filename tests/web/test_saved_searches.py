"""Searches kept under a name: opened again, shared, watched, and nothing in them that the search form would refuse."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from numbers_app.callcap import AvailableNumber, SearchAnswer, SearchCriteria
from numbers_app.models import Notification, NotificationKind, SavedView, User, Watch
from numbers_app.services.watches import CUT_OFF
from numbers_app.vendor import Searched
from numbers_app.vendor.search_cache import searched_keep
from tests.sandbox_server import SandboxServer

from .conftest import HTMX
from .page import Page

pytestmark = pytest.mark.django_db

CAKES = "area_code=316&vanity_text=cake"


def save(client: Client, query: str = CAKES, name: str = "Cakes", **more: str) -> Any:
    return client.post("/views/save/", {"page": "search", "name": name, "query": query} | more)


def view(**fields: Any) -> SavedView:
    return SavedView.objects.get(**fields)


@pytest.fixture
def saved(as_rep: Client) -> SavedView:
    save(as_rep)
    return view()


def said(client: Client, address: str, sent: dict[str, Any] | None = None) -> str:
    """What the next page says about a POST that led on."""
    assert client.post(address, sent or {}).status_code == 302
    return Page(client.get("/search/")).alerts[-1]


@pytest.fixture
def page(as_rep: Client) -> Any:
    """``page()``: the search page before anything is searched for, as the rep sees it."""
    return lambda client=as_rep: Page(client.get("/search/"))


def test_a_saved_search_opens_again_as_it_was(as_rep: Client, sandbox: SandboxServer) -> None:
    response = save(as_rep)
    assert response["Location"] == f"/search/?{CAKES}"
    page = Page(as_rep.get(response["Location"]))
    assert page.alerts == ["The search Cakes is kept."]
    (link,) = page.one("ul", aria_label="Saved searches").all("a")
    assert (link.text, link.attributes["href"], link.attributes["aria-current"]) == ("Cakes", f"?{CAKES}", "true")
    assert (page.value("area_code"), page.value("vanity_text")) == ("316", "cake")


def test_only_what_the_search_form_asks_for_is_kept(as_rep: Client) -> None:
    given = {
        "area_code": "316",
        "full_number": "(316) 734-2253",
        "show_local": "anything",
        "city": "",
        "page": "3",
        "sort": "best",
        "fresh": "1",
        "next": "//evil.example",
        "csrfmiddlewaretoken": "x",
        "<script>": "alert(7)",
    }
    save(as_rep, urlencode(given))
    assert view().query == "area_code=316&show_local=on&full_number=3167342253"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("area_code=12", "Area code: An area code has three digits"),
        ("vanity_text=%C3%A4%C3%B6", "cannot be dialled"),
        ("area_code=316&city=%00", "null character"),
        ("account=L-30&show_reserved_pool=on", "Location account: Choose one of your Locations."),
        ("show_reserved_pool=on", "Choose the Location"),
        ("city=" + "x" * 101, "at most 100"),
        ("", "There is nothing to look for in this search"),
        ("q=&sort=best", "There is nothing to look for in this search"),
        ("city=" + "%F0%9F%8D%B0" * 90 + "&rate_center=" + "%F0%9F%8D%B0" * 90, "at most 2000"),
    ],
)
def test_a_search_that_the_form_would_refuse_is_not_kept(
    as_rep: Client, elsewhere: object, query: str, sentence: str
) -> None:
    page = Page(save(as_rep, query))
    assert page.status == 422
    assert sentence in page.summary
    assert page.value("name") == "Cakes"
    assert page.links("Back to the search") == [f"/search/?{query}"]
    assert not SavedView.objects.exists()


def test_a_search_that_grows_too_long_when_written_out_is_not_kept(as_rep: Client) -> None:
    page = Page(save(as_rep, "city=" + "\U0001f370" * 100 + "&rate_center=" + "\U0001f370" * 100))
    assert page.status == 422
    assert "There is too much in it to be kept" in page.summary


@pytest.mark.parametrize("who", ["auditor", "admin"])
def test_who_may_not_search_keeps_no_search(signed_in: Any, request: pytest.FixtureRequest, who: str) -> None:
    assert save(signed_in(request.getfixturevalue(who))).status_code == 403
    assert not SavedView.objects.exists()


def test_the_search_page_never_opens_with_a_search_by_itself(as_rep: Client, saved: SavedView) -> None:
    page = Page(save(as_rep, name="Another", is_default="on"))
    assert page.status == 422
    assert "never opens with a search by itself" in page.summary
    assert "never opens with a search" in said(as_rep, f"/views/{saved.pk}/default/", {"is_default": "1"})
    assert list(SavedView.objects.values_list("name", "is_default")) == [("Cakes", False)]
    assert "Location" not in as_rep.get("/search/")


def test_the_page_offers_no_default(saved: SavedView, page: Any) -> None:
    main = page().one("main")
    assert "is_default" not in {element.attributes.get("name") for element in main.all("input")}
    assert "Open" not in main.one("details", class_="views-menu").text


def test_a_search_is_shared_with_everybody_and_taken_back(
    as_rep: Client, as_manager: Client, saved: SavedView, page: Any
) -> None:
    def found() -> list[str]:
        return [
            link.text for found in page(as_manager).all("ul", aria_label="Saved searches") for link in found.all("a")
        ]

    assert found() == []
    as_rep.post(f"/views/{saved.pk}/share/", {"shared": "1"})
    assert found() == ["Cakes by Rep Test"]
    assert page(as_manager).all("form", action=f"/views/{saved.pk}/watch/") == []
    as_rep.post(f"/views/{saved.pk}/share/", {"shared": "0"})
    assert found() == []


def test_searches_and_lists_do_not_mix(as_rep: Client, saved: SavedView) -> None:
    assert Page(as_rep.get("/history/?all=1")).links("Cakes") == []


def test_a_search_is_forgotten(as_rep: Client, saved: SavedView) -> None:
    assert said(as_rep, f"/views/{saved.pk}/delete/") == "The search Cakes is forgotten."
    assert not SavedView.objects.exists()


# --- watching ------------------------------------------------------------------------------------------------------


def test_a_search_is_watched_with_the_form_of_the_page(as_rep: Client, saved: SavedView, page: Any) -> None:
    address = f"/views/{saved.pk}/watch/"
    sentence = "The search Cakes is looked at every 15 minutes from now on. You are told of numbers that are new."
    assert said(as_rep, address, page().filled(address)) == sentence
    assert Watch.objects.get().view == saved
    stop = f"/views/{saved.pk}/unwatch/"
    assert page().one("form", action=stop).one("button").text == "Stop watching Cakes"
    assert said(as_rep, stop) == "The search Cakes is no longer watched."
    assert not Watch.objects.exists()


def test_a_watch_over_a_list_that_is_cut_off_promises_nothing(as_rep: Client, saved: SavedView, page: Any) -> None:
    answer = SearchAnswer((AvailableNumber("3167342253"),), capped=True)
    criteria = SearchCriteria(area_code="316", vanity_text="cake")
    searched_keep(criteria, Searched(answer, timezone.now(), cached=False))
    sentence = said(as_rep, f"/views/{saved.pk}/watch/", {"every_minutes": "15"})
    assert "You are told of nothing for now. Callcap's list is cut off" in sentence
    assert "that are new." not in sentence
    # It stays in sight, not in the closed menu.
    assert CUT_OFF in page().one("div", class_="saved-views").text
    assert CUT_OFF not in page().one("details", class_="views-menu").text


def test_a_watch_over_a_location_that_was_taken_away_promises_nothing(as_rep: Client, rep: User) -> None:
    save(as_rep, "account=L-3&show_reserved_pool=on")
    rep.grants.all().delete()
    sentence = said(as_rep, f"/views/{view().pk}/watch/", {"every_minutes": "15"})
    assert "nothing for now. The Location L-3 is not granted to you any more, or has closed." in sentence


def test_the_page_says_when_it_was_last_looked_at_and_what_was_in_the_way(saved: SavedView, page: Any) -> None:
    watch = Watch.objects.create(view=saved, due_at=timezone.now(), every_minutes=30)
    assert "Looked at every 30 minutes. Last: never" in page().text
    ran_at = timezone.now() - timedelta(minutes=3)
    Watch.objects.filter(pk=watch.pk).update(ran_at=ran_at, trouble="Callcap <could> not be reached.")
    text = page().text
    assert f"{ran_at:%H:%M:%S} UTC" in text
    assert "Callcap <could> not be reached." in text


@pytest.mark.parametrize(
    ("minutes", "sentence"),
    [
        ("4", "every 5 minutes at most"),
        ("1441", "once a day"),
        ("", "Say how many minutes"),
        ("soon", "whole number"),
        ("\x00", "whole number"),
    ],
)
def test_a_pace_out_of_bounds_is_asked_for_again(as_rep: Client, saved: SavedView, minutes: str, sentence: str) -> None:
    page = Page(as_rep.post(f"/views/{saved.pk}/watch/", {"every_minutes": minutes}))
    assert page.status == 422
    assert sentence in page.error_at("every_minutes")
    assert not Watch.objects.exists()


def test_a_list_is_not_watched(as_rep: Client) -> None:
    as_rep.post("/views/save/", {"page": "history_list", "name": "Routing", "query": "routing=on"})
    assert said(as_rep, f"/views/{view().pk}/watch/", {"every_minutes": "15"}) == "Only a search can be watched."
    assert not Watch.objects.exists()


@pytest.mark.parametrize("action", ["watch", "unwatch", "seen", "delete", "share"])
def test_nobody_touches_somebody_elses_search(
    as_rep: Client, as_manager: Client, saved: SavedView, action: str
) -> None:
    SavedView.objects.update(shared=True)
    as_rep.post(f"/views/{saved.pk}/watch/", {"every_minutes": "15"})
    answer = as_manager.post(f"/views/{saved.pk}/{action}/", {"every_minutes": "60", "shared": "0"})
    assert answer.status_code == 404
    assert (view().shared, Watch.objects.get().every_minutes) == (True, 15)


def test_who_may_no_longer_search_may_stop_but_not_start(as_rep: Client, rep: User, saved: SavedView) -> None:
    as_rep.post(f"/views/{saved.pk}/watch/", {"every_minutes": "15"})
    rep.groups.clear()
    assert as_rep.post(f"/views/{saved.pk}/watch/", {"every_minutes": "15"}).status_code == 403
    assert as_rep.post(f"/views/{saved.pk}/unwatch/").status_code == 302
    assert not Watch.objects.exists()


def test_saving_a_search_anew_lets_its_watch_start_afresh(as_rep: Client, saved: SavedView) -> None:
    Watch.objects.create(view=saved, due_at=timezone.now() + timedelta(hours=1), seen=["3167342253"])
    save(as_rep, "area_code=620")
    watch = Watch.objects.get()
    assert (watch.view.query, watch.seen) == ("area_code=620", None)
    assert watch.due_at <= timezone.now()


# --- what a watch told ---------------------------------------------------------------------------------------------


@pytest.fixture
def news(rep: User, saved: SavedView) -> Notification:
    watch = Watch.objects.create(view=saved, due_at=timezone.now())
    return Notification.objects.create(
        user=rep, watch=watch, kind=NotificationKind.APPEARED, detail="(316) 734-2253, and 3 more"
    )


def test_news_of_a_search_stand_among_the_notifications_and_lead_to_it(
    as_rep: Client, news: Notification, saved: SavedView
) -> None:
    page = Page(as_rep.get("/notifications/"))
    (row,) = page.one("ol", class_="news").all("li")
    assert "Your search Cakes found new numbers" in row.text
    assert "(316) 734-2253, and 3 more" in row.text
    address = f"/views/{saved.pk}/seen/"
    answer = as_rep.post(address, page.filled(address))
    assert answer["Location"] == f"/search/?{CAKES}"
    news.refresh_from_db()
    assert news.read_at
    assert Page(as_rep.get("/notifications/")).links("Your search Cakes") == [f"/search/?{CAKES}"]


def test_a_script_that_only_says_that_the_search_was_seen_gets_nothing(
    as_rep: Client, news: Notification, saved: SavedView
) -> None:
    answer = as_rep.post(f"/views/{saved.pk}/seen/", headers=HTMX)
    assert (answer.status_code, answer.content) == (204, b"")


def test_what_orders_told_stays_unread(as_rep: Client, rep: User, news: Notification, saved: SavedView) -> None:
    other = SavedView.objects.create(owner=rep, page="search", name="Other", query="area_code=620")
    more = Notification.objects.create(
        user=rep,
        watch=Watch.objects.create(view=other, due_at=timezone.now()),
        kind=NotificationKind.APPEARED,
        detail="(620) 734-2253",
    )
    as_rep.post(f"/views/{saved.pk}/seen/")
    assert list(rep.notifications.filter(read_at=None)) == [more]


def test_what_people_called_a_search_is_shown_as_text(as_rep: Client, news: Notification) -> None:
    SavedView.objects.update(name="<script>alert(7)</script>")
    for address in ("/notifications/", "/search/"):
        html = Page(as_rep.get(address)).html
        assert "<script>alert(7)" not in html
        assert "&lt;script&gt;alert(7)" in html
