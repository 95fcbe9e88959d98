"""The frame around every page, and the pages shown when something went wrong."""

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template.loader import render_to_string
from django.test import RequestFactory

from numbers_app.context_processors import current_mark, nav_items, shell
from numbers_app.permissions import Role


@pytest.mark.parametrize(
    ("path", "mark"), [("/orders/", "page"), ("/orders/12/", "true"), ("/history/", ""), ("/", "")]
)
def test_the_navigation_marks_where_the_reader_is(path: str, mark: str) -> None:
    assert current_mark(path, "/orders/") == mark


def test_batches_belong_to_the_numbers() -> None:
    marks = {item.label: item.current for item in nav_items([Role.MANAGER], "/batches/3/")}
    assert (marks["Numbers"], marks["Orders"]) == ("true", "")


def test_a_stranger_sees_no_navigation_and_an_odd_theme_is_ignored(rf: RequestFactory) -> None:
    request = rf.get("/", headers={"x-request-id": "abcdefgh"})
    request.user = AnonymousUser()
    request.COOKIES["theme"] = '"><script>'
    context = shell(request)
    assert "nav_items" not in context
    assert context["theme"] == "auto"
    assert context["request_id"] == "abcdefgh"


@pytest.mark.parametrize("code", [400, 403, 404, 409, 500])
def test_error_pages_need_no_context(code: int) -> None:
    html = render_to_string(f"{code}.html")
    assert html.count("<h1") == 1
    assert html.count("<main") == 1
    assert "data-alert" in html


@pytest.mark.parametrize("code", [400, 403, 404, 409, 500])
def test_no_page_has_what_the_content_policy_forbids(code: int) -> None:
    html = render_to_string(f"{code}.html")
    assert "style=" not in html
    assert "hx-on" not in html
    assert not re.search(r"<script(?![^>]*src=)", html)


def test_a_conflict_says_what_happened(rf: RequestFactory) -> None:
    html = render_to_string("409.html", {"message": "Ann was first.", "detail": "At noon.", "back_url": "/orders/3/"})
    assert "Ann was first." in html
    assert "At noon." in html
    assert 'href="/orders/3/"' in html
