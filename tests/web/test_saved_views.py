"""Filters kept under a name: shared, opening the list, deleted."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from numbers_app.models import SavedView, User

from .page import Page

pytestmark = pytest.mark.django_db


def save(client: Client, name: str = "Routing", query: str = "routing=on", **more: str) -> Any:
    return client.post("/views/save/", {"page": "history_list", "name": name, "query": query} | more)


def names(client: Client) -> list[str]:
    lists = Page(client.get("/history/?all=1")).all("ul", aria_label="Saved views")
    return [link.text for link in lists[0].all("a")] if lists else []


def test_a_saved_view_opens_the_list_as_it_was(as_rep: Client) -> None:
    response = save(as_rep, query="number=&routing=on&before=12&all=1&csrfmiddlewaretoken=x")
    assert response["Location"] == "/history/?routing=on"
    page = Page(as_rep.get(response["Location"]))
    assert page.alerts == ["The view Routing is kept."]
    (link,) = page.one("ul", aria_label="Saved views").all("a")
    assert (link.text, link.attributes["href"], link.attributes["aria-current"]) == ("Routing", "?routing=on", "true")


def test_a_view_of_everything_is_one_too(as_rep: Client) -> None:
    assert save(as_rep, query="number=")["Location"] == "/history/?all=1"


def test_saving_under_the_same_name_replaces(as_rep: Client) -> None:
    save(as_rep)
    save(as_rep, query="stop=on")
    assert [view.query for view in SavedView.objects.all()] == ["stop=on"]


def test_others_find_a_view_only_while_it_is_shared(as_rep: Client, as_manager: Client) -> None:
    save(as_rep)
    assert names(as_manager) == []
    view = SavedView.objects.get()
    as_rep.post(f"/views/{view.pk}/share/", {"shared": "1"})
    assert names(as_manager) == ["Routing by Rep Test"]
    as_rep.post(f"/views/{view.pk}/share/", {"shared": "0"})
    assert names(as_manager) == []


def test_the_bare_list_opens_with_the_default_and_clear_shows_everything(as_rep: Client, as_manager: Client) -> None:
    save(as_rep, shared="on", is_default="on")
    assert as_rep.get("/history/")["Location"] == "/history/?routing=on"
    assert as_rep.get("/history/?all=1").status_code == 200
    # Somebody else's default is theirs alone.
    assert as_manager.get("/history/").status_code == 200
    view = SavedView.objects.get()
    as_rep.post(f"/views/{view.pk}/default/", {"is_default": "0"})
    assert as_rep.get("/history/").status_code == 200


def test_only_one_view_opens_the_list(as_rep: Client) -> None:
    save(as_rep, is_default="on")
    save(as_rep, name="Stops", query="stop=on", is_default="on")
    assert as_rep.get("/history/")["Location"] == "/history/?stop=on"
    first = SavedView.objects.get(name="Routing")
    as_rep.post(f"/views/{first.pk}/default/", {"is_default": "1"})
    assert as_rep.get("/history/")["Location"] == "/history/?routing=on"
    assert SavedView.objects.filter(is_default=True).count() == 1


def test_a_deleted_view_is_gone(as_rep: Client) -> None:
    save(as_rep)
    as_rep.post(f"/views/{SavedView.objects.get().pk}/delete/")
    assert names(as_rep) == []


@pytest.mark.parametrize("action", ["delete", "share", "default"])
def test_nobody_touches_somebody_elses_view(as_rep: Client, as_manager: Client, action: str) -> None:
    save(as_rep, shared="on")
    view = SavedView.objects.get()
    assert as_manager.post(f"/views/{view.pk}/{action}/", {"shared": "0", "is_default": "1"}).status_code == 404
    view.refresh_from_db()
    assert (view.shared, view.is_default) == (True, False)


@pytest.mark.parametrize(
    ("name", "sentence"), [("", "Give the view a name."), ("x" * 101, "at most 100"), ("\x00", "null")]
)
def test_a_view_without_a_name_is_asked_again_and_kept(as_rep: Client, name: str, sentence: str) -> None:
    page = Page(save(as_rep, name=name, shared="on"))
    assert page.status == 422
    assert sentence in page.error_at("name")
    assert page.value("query") == "routing=on"
    assert page.values("shared") == ["on"]


def test_a_view_leads_nowhere_else(as_rep: Client) -> None:
    assert save(as_rep, query="//evil.example/?x=1")["Location"].startswith("/history/?")
    assert save(as_rep, page="admin:index").status_code == 422


def test_views_go_with_their_owner(as_rep: Client, rep: User) -> None:
    save(as_rep)
    rep.grants.all().delete()
    rep.delete()
    assert not SavedView.objects.exists()
