"""The pages for what went wrong: what happened, what was kept, what to do, and the number of the request."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from django.db import DatabaseError
from django.test import Client

from numbers_app.models import User

from .conftest import Purchase
from .page import Page

pytestmark = pytest.mark.django_db

SECRET = "swordfish-in-a-local-variable"


@pytest.fixture
def quiet(as_rep: Client) -> Client:
    """A client that shows the page of a failure instead of raising it."""
    as_rep.raise_request_exception = False
    return as_rep


def failing(*args: Any, **kwargs: Any) -> None:
    password = SECRET
    raise DatabaseError(f"disk full, {len(password)} bytes missing")


def test_a_mistake_of_the_portal_is_a_500_without_a_word_of_code(quiet: Client) -> None:
    with patch("numbers_app.views.home.order_list", failing):
        response = quiet.get("/", headers={"X-Request-ID": "request-of-rep"})
    page = Page(response)
    assert response.status_code == 500
    assert page.heading == "The portal made a mistake"
    assert "request-of-rep" in page.one("main").text
    for word in ("Traceback", "DatabaseError", "disk full", "order_list", SECRET):
        assert word not in page.html


def test_an_address_that_does_not_exist_is_a_404(quiet: Client) -> None:
    response = quiet.get("/nowhere/")
    assert response.status_code == 404
    assert Page(response).heading == "There is nothing here"
    assert "urlpatterns" not in response.content.decode()


def test_a_stranger_gets_the_404_too_without_navigation(client: Client) -> None:
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert not Page(response).all("nav")


def test_a_refusal_is_a_403_that_says_why(signed_in: Any, auditor: User) -> None:
    response = signed_in(auditor).get("/search/")
    page = Page(response)
    assert response.status_code == 403
    assert page.heading == "You may not do this"
    assert "Your role does not allow you to search numbers." in page.text


def test_a_forged_form_is_a_403_that_says_what_to_do(rep: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(rep)
    response = client.post("/orders/new/")
    assert response.status_code == 403
    assert "go back, reload, send it again" in Page(response).text


def test_a_request_of_an_unreadable_shape_is_a_400(quiet: Client) -> None:
    response = quiet.get("/", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert "This request could not be read" in response.content.decode()
    assert "ALLOWED_HOSTS" not in response.content.decode()


def test_a_body_that_is_too_large_is_a_413_that_says_what_fits(quiet: Client) -> None:
    response = quiet.post("/orders/new/", {"notes": "x" * 2_100_000})
    assert response.status_code == 413
    assert Page(response).heading == "This is too large"
    assert "a file may have 10 MB, everything else 2 MB" in Page(response).text


def test_too_many_fields_are_a_400(quiet: Client) -> None:
    assert quiet.post("/orders/new/", {f"field{number}": "x" for number in range(1100)}).status_code == 400


def test_a_conflict_is_a_409_with_a_way_on(as_manager: Client, purchase: Purchase) -> None:
    order = purchase()
    as_manager.post(f"/orders/{order.pk}/approve/", {"revision": 1})
    response = as_manager.post(f"/orders/{order.pk}/approve/", {"revision": 1})
    assert response.status_code == 409
    assert Page(response).links("See how it is now") == [f"/orders/{order.pk}/"]


def test_an_absent_callcap_is_a_503(quiet: Client) -> None:
    response = quiet.get("/search/", {"area_code": "316"})
    assert response.status_code == 503
    assert "Callcap" in Page(response).one("section", aria_labelledby="trouble").text


def status_and_id(client: Client, path: str, given: str) -> tuple[int, str]:
    with patch("numbers_app.views.home.order_list", failing):
        response = client.get(path, headers={"X-Request-ID": given})
    return response.status_code, response["X-Request-ID"]


@pytest.mark.parametrize(("path", "status"), [("/orders/", 200), ("/nowhere/", 404), ("/", 500), ("/healthz", 200)])
def test_every_answer_carries_the_requests_own_id(quiet: Client, path: str, status: int) -> None:
    assert status_and_id(quiet, path, "abc-DEF_1.23") == (status, "abc-DEF_1.23")


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "with space1", "<script>alert(1)</script>", "line\nbreak123"])
def test_an_id_that_could_do_harm_is_replaced(quiet: Client, given: str) -> None:
    status, echoed = status_and_id(quiet, "/orders/", given)
    assert status == 200
    assert echoed != given
    assert len(echoed) == 32
    assert echoed.isalnum()


def test_each_request_has_an_id_of_its_own(quiet: Client) -> None:
    assert quiet.get("/orders/")["X-Request-ID"] != quiet.get("/orders/")["X-Request-ID"]


def test_the_foot_of_the_page_shows_the_id(quiet: Client) -> None:
    response = quiet.get("/nowhere/")
    assert f"Request {response['X-Request-ID']}" in Page(response).one("footer").text
