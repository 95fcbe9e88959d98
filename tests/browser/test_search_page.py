"""The search page as reps use it: the box, the tray, the leads when nothing is found."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("sandbox")]

BOTH_WAYS = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
BOX = "What should it look like?"


@BOTH_WAYS
def test_two_numbers_of_two_searches_are_asked_for_in_one_order(visit: Any, javascript: bool) -> None:
    rep = visit("rep", javascript=javascript)
    main = rep.page.locator("main")
    for text in ("###cake", "800"):
        rep.open("/search/")
        main.get_by_label(BOX).fill(text)
        # With JavaScript the same search may be under way already: what it finds goes with the page.
        with rep.page.expect_event("load"):
            main.get_by_label(BOX).press("Enter")
        rep.page.locator("#results tbody").wait_for()
        main.get_by_role("checkbox", name="Choose (").first.check()
        if not javascript:
            rep.press("Keep the ticked numbers")
        rep.sees(f"{1 if text == '###cake' else 2} of 5, best first")
    # The second becomes the first choice.
    second = main.locator("#tray li").nth(1).locator(".number").inner_text()
    main.locator("#tray").get_by_role("button", name="Up").click()
    expect(main.locator("#tray li").first).to_contain_text(second)
    rep.press("Request one of them", role="link")
    expect(main.locator("[name=number]").first).to_have_value("".join(c for c in second if c.isdigit()))
    assert main.locator("[name=number]").count() == 3


def test_a_sixth_tick_is_taken_back_with_a_sentence(visit: Any) -> None:
    rep = visit("rep")
    rep.expects("status of 422")
    rep.open("/search/?area_code=316")
    ticks = rep.page.get_by_role("checkbox", name="Choose (")
    for place in range(5):
        ticks.nth(place).check()
        rep.sees(f"{place + 1} of 5, best first")
    ticks.nth(5).click()
    rep.sees("An order takes at most five numbers. Take one out first.")
    expect(ticks.nth(5)).not_to_be_checked()
    assert rep.barriers() == []


def test_quick_clicks_are_all_kept_and_boxes_and_focus_follow_the_tray(visit: Any) -> None:
    rep = visit("rep")
    rep.open("/search/?area_code=316")
    ticks = rep.page.get_by_role("checkbox", name="Choose (")
    for place in range(4):
        ticks.nth(place).click(no_wait_after=True)
    chosen = rep.page.locator("#tray li .number")
    rep.sees("4 of 5, best first")
    # In the order of the clicks, so that the first row is the first choice.
    after = chosen.nth(1).inner_text()
    rep.page.locator("#tray").get_by_role("button", name="Take out").first.press("Enter")
    rep.sees("3 of 5, best first")
    expect(ticks.nth(0)).not_to_be_checked()
    expect(ticks.nth(1)).to_be_checked()
    expect(rep.page.locator(":focus")).to_have_text(after)
    rep.page.locator("#tray").get_by_role("button", name="Take out").last.press("Enter")
    rep.sees("2 of 5, best first")
    expect(rep.page.locator(":focus")).to_contain_text("Your choices")
    expect(ticks.nth(3)).not_to_be_checked()
    ticks.nth(0).check()
    rep.sees("3 of 5, best first")


def test_the_box_says_what_it_understood_and_what_the_keypad_makes_of_it(visit: Any) -> None:
    rep = visit("rep")
    rep.open("/search/")
    box = rep.page.get_by_label(BOX)
    box.press_sequentially("316 cake")
    rep.sees("Understood as area code 316, spelling CAKE.")
    rep.press("spelling CAKE", role="link")
    # Without that part, and sent: what is left has become a field.
    expect(rep.page.get_by_label("Area code")).to_have_value("316")
    rep.page.get_by_label("Spells").fill("cake")
    expect(rep.page.locator("#keypad-digits")).to_have_text("On the keypad: 2253")
    rep.page.get_by_label("Toll-free").check()
    expect(rep.page.get_by_label("City")).to_be_hidden()
    expect(rep.page.get_by_label("Whole number")).to_be_visible()
    rep.page.get_by_label("Toll-free").uncheck()
    expect(rep.page.get_by_label("City")).to_be_visible()


def test_on_a_narrow_screen_the_fields_are_folded_and_the_results_start_on_it(visit: Any) -> None:
    rep = visit("rep", width=320, height=640)
    rep.open("/search/?area_code=316")
    expect(rep.page.get_by_label("City")).to_be_hidden()
    assert rep.page.locator("#results").bounding_box()["y"] < 640
    assert rep.barriers() == []
    rep.page.get_by_text("More fields").click()
    expect(rep.page.get_by_label("City")).to_be_visible()
    rep.expects("status of 422")
    rep.open("/search/?area_code=31")
    expect(rep.page.get_by_label("Area code")).to_be_visible()


def test_on_a_narrow_screen_the_fields_are_folded_when_somebody_comes_back(visit: Any) -> None:
    rep = visit("rep", width=320, height=640)
    rep.open("/search/?area_code=316")
    rep.page.locator("#results").get_by_role("link", name="number", exact=True).click()
    expect(rep.page.locator("#kept-sort")).to_have_value("number")
    rep.page.go_back()
    expect(rep.page.locator("#kept-sort")).to_have_value("")
    expect(rep.page.get_by_label("City")).to_be_hidden()


def test_the_results_of_a_short_text_can_be_sorted(visit: Any) -> None:
    rep = visit("rep")
    rep.open("/search/?vanity_text=ca")
    rep.page.locator("#results").get_by_role("link", name="number", exact=True).click()
    expect(rep.page.locator("#kept-sort")).to_have_value("number")
    expect(rep.page.locator("#results tbody")).to_be_visible()


def test_without_javascript_the_fields_stay_open_on_a_narrow_screen(visit: Any) -> None:
    rep = visit("rep", width=320, javascript=False)
    rep.open("/search/")
    expect(rep.page.get_by_label("City")).to_be_visible()


def test_sorted_results_stay_sorted_while_somebody_types(visit: Any) -> None:
    rep = visit("rep")
    rep.open("/search/?area_code=316")
    rep.page.locator("#results").get_by_role("link", name="number", exact=True).click()
    rep.page.wait_for_url("**sort=number**")
    rep.page.get_by_label(BOX).press_sequentially("cake")
    rep.page.wait_for_url("**q=cake**")
    expect(rep.page.locator("#results a[aria-current=true]").first).to_have_text("number")


def test_nothing_found_is_a_lead(visit: Any) -> None:
    rep = visit("rep")
    rep.open("/search/?area_code=316")
    rep.page.get_by_label("Exchange").press_sequentially("999")
    rep.sees("Callcap offers no such number")
    rep.page.locator("#wider").get_by_role("link").first.click()
    rep.page.locator("#results tbody").wait_for()
    assert rep.barriers() == []
