"""A destination is warned of while it is typed, without taking the focus or shouting at half a number."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from numbers_app.models import Account
from tests.browser.person import Person
from tests.factories import CampaignFactory

pytestmark = pytest.mark.browser

OURS = "3167342299"
HINTS = "**/orders/destination/**"


@pytest.fixture
def rep(visit: Any) -> Person:
    CampaignFactory(account=Account.objects.get(key="L-3"), phone_number=OURS, campaign_name="Cakes")
    person: Person = visit("rep")
    return person


def test_a_loop_is_warned_of_while_it_is_typed(rep: Person) -> None:
    page = rep.page
    rep.open("/orders/new/?number=3167342253&account=L-3")
    hints, box = page.locator("#destination-hints"), page.locator("[name=destination]")
    assert hints.get_attribute("aria-live") == "polite"
    with page.expect_response(HINTS):
        box.press_sequentially("316 734")
    expect(hints.locator(".warning")).to_have_count(0)
    with page.expect_response(HINTS):
        box.press_sequentially(" 2299")
    expect(hints).to_contain_text("is itself one of our tracking numbers: calls could go round in a circle")
    expect(box).to_be_focused()
    expect(box).to_have_value("316 734 2299")
    assert rep.barriers() == []
    with page.expect_response(HINTS):
        box.fill("(316) 444-7896")
    expect(hints.locator(".warning")).to_have_count(0)


def test_the_location_decides_what_is_known(rep: Person) -> None:
    page = rep.page
    rep.open("/orders/new/?number=3167342253")
    page.fill("[name=destination]", "(316) 555-0100")
    page.wait_for_timeout(600)
    hints = page.locator("#destination-hints")
    expect(hints.locator(".warning")).to_have_count(0)
    page.select_option("[name=account]", "L-3")
    expect(hints).to_contain_text("No other number at Prairie Comfort Salina rings")
    assert page.locator("#known-destinations option").get_attribute("value") == "(316) 444-7896"


def test_a_change_is_warned_of_too(rep: Person) -> None:
    page = rep.page
    rep.open(f"/numbers/{OURS}/change/")
    page.fill("[name=destination]", "(316) 734-2299")
    expect(page.locator("#destination-hints")).to_contain_text("is the number itself")
    page.fill("[name=destination]", "(316) 444-7896")
    expect(page.locator("#destination-hints .warning")).to_have_count(0)


def test_a_portal_that_cannot_answer_says_so_and_the_form_can_be_sent(rep: Person) -> None:
    page = rep.page
    rep.expects("ERR_FAILED", "Failed to fetch")
    rep.open("/orders/new/?number=3167342253&account=L-3")
    page.route(HINTS, lambda route: route.abort())
    page.locator("[name=destination]").press_sequentially("(316) 444-7896")
    page.wait_for_timeout(800)
    expect(page.locator("[name=destination]")).to_have_value("(316) 444-7896")
    expect(page.locator("[name=destination]")).to_be_focused()
