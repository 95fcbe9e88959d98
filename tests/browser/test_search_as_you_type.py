"""Searching while typing: quick, in order, and never taking anything away from whoever types."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.browser

STOPWATCH = """
  window.stopwatch = {};
  document.addEventListener("input", () => { stopwatch.typed ??= performance.now(); }, true);
  new MutationObserver(() => {
    if (document.querySelector("#results[aria-busy=true]")) stopwatch.busy ??= performance.now();
  }).observe(document, {subtree: true, attributes: true, attributeFilter: ["aria-busy"]});
"""


def box(page: Page) -> Any:
    return page.get_by_role("textbox", name="What should it look like?")


def spelled(page: Page) -> set[str]:
    """The words marked in the results, without the dashes between digit groups."""
    return {text.replace("-", "") for text in page.locator("#results mark").all_text_contents()}


def numbers(page: Page) -> list[str]:
    return page.locator("#results tbody th").all_inner_texts()


def test_a_slow_earlier_answer_never_replaces_a_later_one(visit: Any, sandbox: SandboxServer) -> None:
    rep = visit("rep")
    rep.open("/search/")
    sandbox.arm_fault("slow", on="search", times=1, seconds=4)
    box(rep.page).press_sequentially("pie")
    while sandbox.armed_faults():
        rep.page.wait_for_timeout(50)
    box(rep.page).fill("cake")
    rep.page.locator("#results mark").first.wait_for(timeout=3_000)  # it does not queue behind the slow one either
    assert spelled(rep.page) == {"CAKE"}
    rep.page.wait_for_timeout(4_000)
    assert spelled(rep.page) == {"CAKE"}
    expect(rep.page).to_have_url(re.compile(r"/search/\?q=cake$"))


def test_the_results_are_marked_busy_within_a_tenth_of_a_second_and_until_the_answer(
    visit: Any, sandbox: SandboxServer
) -> None:
    rep = visit("rep")
    rep.page.add_init_script(STOPWATCH)
    rep.open("/search/")
    sandbox.arm_fault("slow", on="search", times=1, seconds=1)
    box(rep.page).press_sequentially("cak")
    rep.page.wait_for_function("stopwatch.busy")
    assert rep.page.evaluate("stopwatch.busy - stopwatch.typed") < 100
    rep.page.get_by_role("heading", name="numbers").wait_for()
    expect(rep.page.locator("#results")).to_have_attribute("aria-busy", "false")


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_what_is_there_stays_readable_while_the_answer_is_awaited(visit: Any, dark: bool) -> None:
    rep = visit("rep", dark=dark)
    rep.open("/search/?area_code=316")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    rep.page.route("**/search/?*", hold)
    with rep.page.expect_request("**/search/?*"):
        box(rep.page).fill("cake")
    expect(rep.page.locator("#results")).to_have_attribute("aria-busy", "true")
    assert rep.barriers() == []
    held[0].continue_()
    rep.page.locator("#results mark").first.wait_for()


@pytest.mark.usefixtures("sandbox")
def test_the_box_keeps_focus_and_text_while_results_come(visit: Any) -> None:
    rep = visit("rep")
    rep.open("/search/")
    expect(box(rep.page)).to_be_focused()
    rep.page.keyboard.type("###")
    rep.page.wait_for_timeout(600)
    rep.page.keyboard.type("cake")
    rep.page.get_by_role("link", name="Request (316) 734-2253").wait_for()
    expect(box(rep.page)).to_be_focused()
    expect(box(rep.page)).to_have_value("###cake")
    expect(rep.page.locator("#status")).to_contain_text("found")


@pytest.mark.usefixtures("sandbox")
def test_the_address_reproduces_the_search_for_somebody_else(visit: Any) -> None:
    rep, manager = visit("rep"), visit("manager")
    rep.open("/search/")
    box(rep.page).press_sequentially("cake")
    rep.page.get_by_role("textbox", name="Area code").press_sequentially("316")
    rep.page.wait_for_url("**/search/?*area_code=316*")
    rep.page.get_by_role("link", name="Request (316) 734-2253").wait_for()
    expect(rep.page.locator("#results")).to_have_attribute("aria-busy", "false")
    manager.open(rep.page.url)
    assert numbers(manager.page) == numbers(rep.page)
    # What the box meant has become the fields.
    expect(box(manager.page)).to_have_value("")
    expect(manager.page.get_by_role("textbox", name="Spells")).to_have_value("cake")
    expect(manager.page.get_by_role("textbox", name="Area code")).to_have_value("316")


@pytest.mark.usefixtures("sandbox")
def test_back_gives_the_whole_page_with_what_it_showed(visit: Any) -> None:
    rep = visit("rep")
    rep.open("/search/")
    box(rep.page).fill("316")
    rep.page.get_by_role("heading", name="numbers").wait_for()
    first_page = numbers(rep.page)
    rep.press("Next page", "link")
    rep.page.wait_for_url("**page=2**")
    expect(rep.page.locator("#results tbody th").first).not_to_have_text(first_page[0])
    rep.page.go_back()
    expect(rep.page.locator("#results tbody th").first).to_have_text(first_page[0], use_inner_text=True)
    assert rep.page.locator("h1, #results, nav[aria-label=Main]").count() == 3
    expect(rep.page.get_by_role("textbox", name="Area code")).to_have_value("316")
    rep.page.locator("#results").get_by_role("link", name="Request").first.click()
    rep.page.get_by_role("heading", name="Request a number").wait_for()
    rep.page.go_back()
    assert numbers(rep.page) == first_page
    assert rep.page.locator("h1, #results, nav[aria-label=Main]").count() == 3


def test_an_absent_vendor_gives_one_clear_message_and_keeps_the_text(visit: Any, sandbox: SandboxServer) -> None:
    rep = visit("rep")
    rep.expects("status of 503")
    rep.open("/search/")
    sandbox.stop()
    try:
        # In one go: whoever pauses within the word is told to go on typing, in place of what the page showed.
        box(rep.page).fill("cake")
        alerts = rep.page.locator("#alert .notice")
        expect(alerts).to_contain_text("Callcap")
        with rep.page.expect_response(re.compile("q=cakes")):
            box(rep.page).press_sequentially("s")
        expect(alerts).to_have_count(1)
        expect(rep.page.get_by_role("heading", name="What should the number look like?")).to_be_visible()
        expect(box(rep.page)).to_have_value("cakes")
        expect(box(rep.page)).to_be_focused()
        assert rep.barriers() == []
    finally:
        sandbox.start()
    box(rep.page).fill("cake")
    rep.page.locator("#results mark").first.wait_for()
    expect(alerts).to_have_count(0)
