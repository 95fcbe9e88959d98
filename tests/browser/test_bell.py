"""The bell asks by itself for what is new, and never shouts: not when asking fails, not when nobody looks."""

from __future__ import annotations

from typing import Any

import pytest

from numbers_app.models import Account, User
from tests.browser.person import Person
from tests.promises.wishes import requested

pytestmark = pytest.mark.browser

COUNT = "**/notifications/count/"
ASK = "() => htmx.trigger(document.querySelector('.bell [hx-get]'), 'every', {}, false)"
LOOK = """(hidden) => {
  Object.defineProperty(document, "hidden", {get: () => hidden, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def bell(person: Person) -> str:
    return " ".join(person.page.locator(".bell").inner_text().split())


@pytest.fixture
def manager_at_work(visit: Any, people: dict[str, User]) -> Person:
    person: Person = visit("manager")
    person.open("/history/")
    assert bell(person) == "Notifications: none unread"
    return person


def test_what_is_new_appears_without_moving_the_focus(manager_at_work: Person, people: dict[str, User]) -> None:
    page = manager_at_work.page
    page.locator(".bell").focus()
    requested(people["rep"], Account.objects.get(key="L-3"))
    page.evaluate(ASK)
    page.get_by_role("link", name="Notifications: 1 unread").wait_for()
    assert page.evaluate("document.activeElement.className") == "bell"


@pytest.mark.parametrize("status", [0, 404, 500])
def test_what_fails_is_not_worth_a_word(manager_at_work: Person, status: int) -> None:
    page = manager_at_work.page
    manager_at_work.expects("ERR_FAILED", "Failed to fetch", f"status of {status}")
    page.route(COUNT, lambda route: route.fulfill(status=status, body="<h1>No</h1>") if status else route.abort())
    page.evaluate(ASK)
    page.wait_for_timeout(300)
    assert page.locator("#alert").inner_text() == ""
    assert bell(manager_at_work) == "Notifications: none unread"


def test_whoever_was_signed_out_meanwhile_is_not_disturbed(manager_at_work: Person) -> None:
    page = manager_at_work.page
    page.context.clear_cookies()
    with page.expect_response("**/accounts/login/**"):
        page.evaluate(ASK)
    page.wait_for_timeout(300)
    assert page.locator("#alert").inner_text() == ""
    assert bell(manager_at_work) == "Notifications: none unread"


def test_a_page_that_nobody_looks_at_asks_for_nothing_until_it_is_looked_at(manager_at_work: Person) -> None:
    page = manager_at_work.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(LOOK, True)
    page.evaluate(ASK)
    page.wait_for_timeout(300)
    assert asked == []
    with page.expect_response(COUNT):
        page.evaluate(LOOK, False)
