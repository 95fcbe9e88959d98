"""What goes wrong says so once, where people look, and costs nobody what they typed."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from numbers_app.models import Account, Order, OrderStatus, User
from tests.browser.person import Person
from tests.promises.wishes import CAKE, requested
from tests.sandbox_server import SandboxServer

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("sandbox")]


def fill_order(rep: Person, destination: str) -> None:
    rep.open(f"/orders/new/?number={CAKE}&account=L-3")
    rep.page.fill("[name=destination]", destination)
    rep.page.fill("[name=reason]", "The bakery opens in spring")


def test_a_form_with_mistakes_is_summed_up_with_links_to_its_fields(visit: Any) -> None:
    rep = visit("rep")
    rep.expects("status of 422")
    fill_order(rep, "555")
    rep.press("Request")
    summary = rep.page.get_by_role("group", name="There is a problem")
    expect(summary).to_be_focused()
    assert rep.page.title().startswith("Error: ")
    expect(rep.page.locator("[name=reason]")).to_have_value("The bakery opens in spring")
    assert rep.barriers() == []
    summary.get_by_role("link", name="Destination").click()
    destination = rep.page.locator("[name=destination]")
    expect(destination).to_be_focused()
    expect(destination).to_have_value("555")
    expect(destination).to_have_attribute("aria-invalid", "true")
    assert Order.objects.count() == 0


def test_a_search_by_address_with_mistakes_is_summed_up_too(visit: Any) -> None:
    rep = visit("rep")
    rep.expects("status of 422")
    rep.open("/search/?area_code=31")
    summary = rep.page.get_by_role("group", name="There is a problem")
    expect(summary).to_be_focused()
    summary.get_by_role("link", name="Area code").click()
    expect(rep.page.locator("[name=area_code]")).to_be_focused()


def test_a_lost_connection_gives_one_alert_and_loses_no_input(visit: Any) -> None:
    rep = visit("rep")
    rep.expects("ERR_INTERNET_DISCONNECTED", "Failed to fetch")
    rep.open("/search/")
    box = rep.page.locator("[name=q]")
    alerts = rep.page.locator("#alert .notice")
    rep.page.context.set_offline(True)
    box.press_sequentially("cake")
    expect(alerts).to_contain_text("cannot be reached")
    with rep.page.expect_event("requestfailed"):
        box.press_sequentially("s")
    expect(alerts).to_have_count(1)
    expect(box).to_have_value("cakes")
    expect(box).to_be_focused()
    expect(rep.page.locator("#results")).to_have_attribute("aria-busy", "false")
    assert rep.barriers() == []
    rep.page.context.set_offline(False)
    box.press("Backspace")
    rep.page.locator("#results mark").first.wait_for()
    expect(alerts).to_have_count(0)


def test_being_signed_out_meanwhile_is_said_and_loses_no_input(visit: Any) -> None:
    rep = visit("rep")
    rep.open("/search/")
    rep.page.context.clear_cookies()
    rep.page.locator("[name=q]").press_sequentially("cake")
    alert = rep.page.locator("#alert .notice")
    expect(alert).to_contain_text("You have been signed out.")
    expect(alert.get_by_role("link", name="Sign in")).to_be_visible()
    expect(rep.page.locator("[name=q]")).to_have_value("cake")
    assert rep.page.locator("[name=password]").count() == 0
    assert rep.barriers() == []


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_pressing_request_twice_makes_one_order(visit: Any, sandbox: SandboxServer, javascript: bool) -> None:
    rep = visit("rep", javascript=javascript)
    fill_order(rep, "(316) 444-7896")
    sent: list[str] = []
    rep.page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    sandbox.arm_fault("slow", on="search", times=1, seconds=3)
    request = rep.page.get_by_role("button", name="Request", exact=True)
    request.scroll_into_view_if_needed()
    button = request.bounding_box()
    assert button
    for _ in range(2):
        rep.page.mouse.click(button["x"] + 10, button["y"] + 10)
        rep.page.wait_for_timeout(300)
    rep.sees("Waiting for approval")
    rep.page.wait_for_timeout(3_000)  # the first one is answered too, though nobody listens any more
    assert len(sent) == (1 if javascript else 2)
    assert Order.objects.count() == 1


def test_a_decision_that_came_second_says_who_decided(visit: Any, people: dict[str, User]) -> None:
    order = requested(people["rep"], Account.objects.get(key="L-3"))
    first, second = visit("manager"), visit("manager2")
    second.expects("status of 409")
    second.open(f"/orders/{order.pk}/")
    first.open(f"/orders/{order.pk}/reject/")
    first.page.get_by_role("textbox", name="Reason").fill("Too dear")
    first.press("Reject")
    first.sees("is rejected")
    second.press("Approve")
    second.sees("Manager Test")
    assert second.barriers() == []
    order.refresh_from_db()
    assert order.status == OrderStatus.REJECTED
