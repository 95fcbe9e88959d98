"""Everything by keyboard: reached with Tab, seen when focused, pressed with Enter; and the two shortcuts."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from numbers_app.models import Account, Order, OrderStatus, User
from tests.browser.person import Person
from tests.promises.wishes import requested

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("sandbox")]

FOCUSED = """() => {
  const element = document.activeElement;
  const {outlineStyle, outlineWidth} = getComputedStyle(element);
  const {top, bottom, left, right} = element.getBoundingClientRect();
  const words = element.labels?.[0]?.innerText ?? element.getAttribute("aria-label") ?? element.textContent;
  return {
    name: words.replace(/\\s+/g, " ").trim(),
    marked: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
    inside: bottom > 0 && right > 0 && top < innerHeight && left < innerWidth,
  };
}"""


def tab_to(person: Person, name: str) -> None:
    """Press Tab until the control of this name has the focus; every stop on the way must be visible."""
    # What a page asks for as it comes takes the place of something that could have the focus just then.
    person.page.wait_for_load_state("networkidle")
    passed: list[str] = []
    for _ in range(80):
        person.page.keyboard.press("Tab")
        stop = person.page.evaluate(FOCUSED)
        assert stop["marked"], f"the focus is not visible on {stop['name']!r}"
        assert stop["inside"], f"the focus is outside of the window on {stop['name']!r}"
        if stop["name"].startswith(name):
            return
        passed.append(stop["name"])
    raise AssertionError(f"Tab never reached {name!r}, only {passed}")


def test_a_number_is_found_requested_and_approved_without_a_mouse(visit: Any, people: dict[str, User]) -> None:
    rep = visit("rep")
    keys = rep.page.keyboard
    expect(rep.page.get_by_role("textbox", name="What should it look like?")).to_be_focused()
    keys.type("###cake")
    keys.press("Enter")
    rep.page.get_by_role("heading", name="Find a number").wait_for()
    tab_to(rep, "Request (316) 734-2253")
    keys.press("Enter")
    rep.page.get_by_role("heading", name="Request a number").wait_for()
    tab_to(rep, "Location account")
    keys.type("Prairie")
    tab_to(rep, "Destination")
    keys.type("(316) 444-7896")
    tab_to(rep, "Request")
    keys.press("Enter")
    rep.sees("Waiting for approval")

    manager = visit("manager")
    manager.open("/orders/")
    tab_to(manager, "Approve order")
    manager.page.keyboard.press("Enter")
    manager.sees("is approved. This is on its way to Callcap.")
    order = Order.objects.get()
    assert (order.author_id, order.status) == (people["rep"].pk, OrderStatus.APPROVED)


def test_an_order_is_rejected_with_a_reason_without_a_mouse(visit: Any, people: dict[str, User]) -> None:
    order = requested(people["rep"], Account.objects.get(key="L-3"))
    manager = visit("manager")
    manager.open("/orders/")
    tab_to(manager, "Reject order")
    manager.page.keyboard.press("Enter")
    tab_to(manager, "Reason")
    manager.page.keyboard.type("Too dear")
    tab_to(manager, "Reject with this reason")
    manager.page.keyboard.press("Enter")
    manager.sees("is rejected")
    order.refresh_from_db()
    assert order.decision_reason == "Too dear"


def test_the_first_stop_skips_to_the_content(visit: Any) -> None:
    auditor = visit("auditor")
    auditor.open("/history/")
    tab_to(auditor, "Skip to the content")
    auditor.page.keyboard.press("Enter")
    tab_to(auditor, "Number")


def test_the_user_menu_opens_and_closes_by_keyboard(visit: Any) -> None:
    auditor = visit("auditor")
    summary = auditor.page.locator("header summary")
    tab_to(auditor, "Auditor Test")
    auditor.page.keyboard.press("Enter")
    sign_out = auditor.page.get_by_role("button", name="Sign out")
    expect(sign_out).to_be_visible()
    assert auditor.barriers() == []
    tab_to(auditor, "Sign out")
    auditor.page.keyboard.press("Escape")
    expect(sign_out).to_be_hidden()
    expect(summary).to_be_focused()


def test_slash_goes_to_the_search_box_from_anywhere(visit: Any) -> None:
    rep = visit("rep")
    box = rep.page.get_by_role("textbox", name="What should it look like?")
    rep.open("/orders/")
    rep.page.keyboard.press("/")
    rep.page.wait_for_url("**/search/")
    expect(box).to_be_focused()
    tab_to(rep, "Clear")
    rep.page.keyboard.press("/")
    expect(box).to_be_focused()
    expect(box).to_have_value("")
    rep.page.keyboard.type("/?")
    expect(box).to_have_value("/?")
    expect(rep.page.locator("#shortcuts")).to_be_hidden()


def test_question_mark_lists_the_shortcuts_and_they_can_be_turned_off(visit: Any) -> None:
    rep = visit("rep")
    rep.open("/orders/")
    shortcuts = rep.page.get_by_role("dialog", name="Keyboard shortcuts")
    tab_to(rep, "Orders")
    rep.page.keyboard.press("?")
    expect(shortcuts).to_be_visible()
    assert rep.barriers() == []
    rep.page.keyboard.press("Escape")
    expect(shortcuts).to_be_hidden()
    expect(rep.page.get_by_role("link", name="Orders", exact=True)).to_be_focused()
    rep.page.keyboard.press("?")
    expect(shortcuts.get_by_role("checkbox")).to_be_focused()
    rep.page.keyboard.press("Space")
    rep.page.keyboard.press("Escape")
    rep.page.keyboard.press("?")
    expect(shortcuts).to_be_hidden()
    rep.page.reload()
    tab_to(rep, "Orders")
    rep.page.keyboard.press("?")
    expect(shortcuts).to_be_hidden()
