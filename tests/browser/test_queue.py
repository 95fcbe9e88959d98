"""Deciding in the queue: by keyboard alone, with a mouse, several at once, and without JavaScript."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from numbers_app.actors import Actor
from numbers_app.models import Account, Order, OrderStatus, User
from numbers_app.services.decisions import order_approve, order_mark_urgent
from numbers_app.services.orders import WantedNumber, order_amend
from tests.browser.person import Person
from tests.promises.wishes import requested
from tests.sandbox_server import SandboxServer

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("sandbox")]

LONG, SHORT = 120, 8
# The row of the queue that has the focus, or else what has it.
FOCUSED = """() => {
  const element = document.activeElement;
  return element.closest("[data-queue-row]")?.getAttribute("aria-labelledby") ?? (element.id || element.tagName);
}"""


@pytest.fixture
def orders(people: dict[str, User], sandbox: SandboxServer) -> list[Order]:
    """Three orders that wait, for numbers that Callcap offers."""
    location = Account.objects.get(key="L-3")
    numbers = [offer["phoneNumber"] for offer in sandbox.search(areaCode="316")[:3]]
    return [requested(people["rep"], location, number) for number in numbers]


def focused(person: Person) -> str:
    where: str = person.page.evaluate(FOCUSED)
    return where


def row_of(order: Order) -> str:
    return f"order-{order.pk}"


def expect_focus(person: Person, order: Order) -> None:
    """Wait until the order's row has the focus."""
    for _ in range(300):
        if focused(person) == row_of(order):
            return
        person.page.wait_for_timeout(50)
    raise AssertionError(f"{focused(person)} has the focus, not {row_of(order)}")


def statuses(orders: list[Order]) -> list[str]:
    return [Order.objects.get(pk=order.pk).status for order in orders]


def wait_for_status(order: Order, status: str, person: Person) -> None:
    for _ in range(300):
        if Order.objects.get(pk=order.pk).status == status:
            return
        person.page.wait_for_timeout(100)
    raise AssertionError(f"{order} is {Order.objects.get(pk=order.pk).status}, not {status}")


@pytest.fixture
def manager(visit: Any, orders: list[Order], settings: Any) -> Person:
    """A manager in front of the queue, with time to undo."""
    settings.APPROVAL_UNDO_SECONDS = LONG
    person: Person = visit("manager")
    person.open("/orders/")
    return person


# --- by keyboard ----------------------------------------------------------------------------------------------------


def test_j_and_k_go_from_row_to_row(manager: Person, orders: list[Order]) -> None:
    keys, (first, second, third) = manager.page.keyboard, orders
    for key, order in (("j", first), ("j", second), ("k", first), ("k", first), ("j", second), ("j", third)):
        keys.press(key)
        assert focused(manager) == row_of(order)
    keys.press("j")
    assert focused(manager) == row_of(third)
    marked = "getComputedStyle(document.activeElement).outlineStyle"
    assert manager.page.evaluate(marked) != "none"


def test_orders_are_approved_undone_and_rejected_without_leaving_the_keys(manager: Person, orders: list[Order]) -> None:
    page, keys, (first, second, third) = manager.page, manager.page.keyboard, orders
    undo = page.locator("#just-approved").get_by_role("button", name="Undo")
    keys.press("j")
    keys.press("a")
    expect(undo).to_have_count(1)
    expect_focus(manager, second)
    expect(page.locator("#messages")).to_contain_text(f"Order {first.pk} is approved.")
    expect(page.locator("#status")).to_contain_text(f"Order {first.pk} is approved.")
    assert statuses(orders) == [OrderStatus.APPROVED, OrderStatus.PENDING, OrderStatus.PENDING]

    keys.press("u")
    expect(undo).to_have_count(0)
    expect(page.locator("#messages")).to_contain_text("is taken back. It waits again.")
    page.wait_for_timeout(300)
    assert focused(manager) in [row_of(order) for order in orders]
    assert statuses(orders) == [OrderStatus.PENDING] * 3

    while focused(manager) != row_of(third):
        keys.press("j")
    keys.press("r")
    expect(page.locator(f"#reason-{third.pk}")).to_be_focused()
    keys.type("Too dear, says j k a u r x")
    keys.press("Tab")
    keys.press("Enter")
    expect(page.locator("#messages")).to_contain_text(f"Order {third.pk} is rejected.")
    expect_focus(manager, first)
    third.refresh_from_db()
    assert third.decision_reason == "Too dear, says j k a u r x"

    keys.press("a")
    expect_focus(manager, second)
    keys.press("a")
    expect(page.locator("#queue-heading")).to_be_focused()
    expect(undo).to_have_count(2)
    manager.sees("Nothing waits for you.")
    assert statuses(orders) == [OrderStatus.APPROVED, OrderStatus.APPROVED, OrderStatus.REJECTED]
    keys.press("u")
    expect_focus(manager, second)
    assert manager.barriers() == []


def test_x_ticks_rows_that_are_approved_together(manager: Person, orders: list[Order]) -> None:
    page, keys, (_, second, third) = manager.page, manager.page.keyboard, orders
    button = page.get_by_role("button", name="Approve the selected orders")
    for key in "jxjx":
        keys.press(key)
    expect(button).to_have_text("Approve the selected orders (2)")
    assert focused(manager) == row_of(second)
    keys.press("x")
    expect(button).to_have_text("Approve the selected orders (1)")
    keys.press("x")
    button.focus()
    keys.press("Enter")
    expect(page.locator("#messages")).to_contain_text("2 orders approved.")
    expect_focus(manager, third)
    assert statuses(orders) == [OrderStatus.APPROVED, OrderStatus.APPROVED, OrderStatus.PENDING]


def test_c_goes_to_the_question_of_the_order(manager: Person, orders: list[Order]) -> None:
    manager.page.keyboard.press("j")
    manager.page.keyboard.press("c")
    manager.page.wait_for_url(f"**/orders/{orders[0].pk}/#comment")


def test_keys_without_a_row_do_nothing(manager: Person, orders: list[Order]) -> None:
    for key in "arxuc":
        manager.page.keyboard.press(key)
    manager.page.wait_for_timeout(300)
    assert focused(manager) == "BODY"
    assert statuses(orders) == [OrderStatus.PENDING] * 3
    assert manager.page.locator("[name=order]:checked, details.reject[open]").count() == 0


def test_keys_are_letters_while_somebody_types_and_with_other_keys_held(manager: Person, orders: list[Order]) -> None:
    page, keys = manager.page, manager.page.keyboard
    keys.press("j")
    for held in ("Control", "Alt", "Meta"):
        keys.press(f"{held}+x")
    assert page.locator("[name=order]:checked").count() == 0
    keys.press("r")
    keys.type("jkauxrc?/")
    expect(page.locator(f"#reason-{orders[0].pk}")).to_have_value("jkauxrc?/")
    page.locator("#id_status").focus()
    keys.press("a")
    page.wait_for_timeout(300)
    assert statuses(orders) == [OrderStatus.PENDING] * 3
    expect(page.locator("#shortcuts")).to_be_hidden()


def test_keys_that_were_switched_off_do_nothing(manager: Person, orders: list[Order]) -> None:
    page, keys = manager.page, manager.page.keyboard
    keys.press("?")
    for words in ("Approve that order", "Undo the last approval"):
        expect(page.locator("#shortcuts")).to_contain_text(words)
    page.get_by_role("checkbox", name="Use single-key shortcuts").uncheck()
    keys.press("Escape")
    keys.press("j")
    assert focused(manager) not in [row_of(order) for order in orders]
    page.locator(f"#order-{orders[0].pk} a").focus()
    for key in "axr":
        keys.press(key)
    page.wait_for_timeout(300)
    assert statuses(orders) == [OrderStatus.PENDING] * 3
    assert page.locator("[name=order]:checked, details.reject[open]").count() == 0


# --- with a mouse ---------------------------------------------------------------------------------------------------


def test_an_order_is_rejected_in_its_row_in_two_steps(manager: Person, orders: list[Order]) -> None:
    page, order = manager.page, orders[1]
    row = page.locator(f"[aria-labelledby={row_of(order)}]")
    row.locator("summary").filter(has_text="Reject").click()
    row.get_by_role("textbox", name="Reason for rejecting").fill("Too dear")
    row.get_by_role("button", name="Reject with this reason").click()
    expect(page.locator("#messages")).to_contain_text("is rejected. Rep Test sees your reason.")
    expect_focus(manager, orders[2])
    assert page.url.endswith("/orders/")
    order.refresh_from_db()
    assert (order.status, order.decision_reason) == (OrderStatus.REJECTED, "Too dear")


def test_a_reason_of_nothing_is_said_at_its_box_which_keeps_the_focus(manager: Person, orders: list[Order]) -> None:
    manager.expects("status of 422")
    page = manager.page
    row = page.locator(f"[aria-labelledby={row_of(orders[0])}]")
    row.locator("summary").filter(has_text="Reject").click()
    box = row.get_by_role("textbox", name="Reason for rejecting")
    box.fill("  ")
    row.get_by_role("button", name="Reject with this reason").click()
    expect(row).to_contain_text("Say why, so that the person who asked knows what to do.")
    expect(box).to_be_focused()
    expect(box).to_have_attribute("aria-invalid", "true")
    assert manager.barriers() == []
    assert statuses(orders) == [OrderStatus.PENDING] * 3


def test_who_was_too_late_keeps_the_reason(manager: Person, people: dict[str, User], orders: list[Order]) -> None:
    manager.expects("status of 409")
    page, order = manager.page, orders[0]
    row = page.locator(f"[aria-labelledby={row_of(order)}]")
    row.locator("summary").filter(has_text="Reject").click()
    row.get_by_role("textbox", name="Reason for rejecting").fill("Too dear, I think")
    order_approve(actor=Actor.person(people["manager2"]), order_id=order.pk, revision=1)
    row.get_by_role("button", name="Reject with this reason").click()
    notice = page.get_by_role("group", name=f"Order {order.pk} is not rejected")
    expect(notice).to_contain_text("decided by Manager2 Test")
    expect(notice).to_contain_text("Too dear, I think")
    expect(notice).to_be_focused()
    assert manager.barriers() == []


def test_what_may_not_be_approved_any_more_is_said_and_the_queue_stays(
    manager: Person, people: dict[str, User], orders: list[Order]
) -> None:
    """The same manager rewrites an order in another window."""
    manager.expects("status of 403")
    page, order = manager.page, orders[0]
    order_amend(
        actor=Actor.person(people["manager"]),
        order_id=order.pk,
        revision=1,
        wanted=[WantedNumber(str(order.choices.get()))],
        parameters={"destination": "3165550100"},
        reason="It rings elsewhere",
        urgent=False,
        execute_after=None,
    )
    page.get_by_role("button", name=f"Approve order {order.pk}:").click()
    expect(page.locator("#alert .notice")).to_contain_text("somebody else decides on it. Nothing was changed.")
    assert page.locator("header.site-header").count() == 1
    expect(page.locator("[data-queue-row]")).to_have_count(3)
    page.get_by_role("button", name=f"Approve order {orders[1].pk}:").click()
    expect(page.locator("#messages")).to_contain_text(f"Order {orders[1].pk} is approved.")
    expect(page.locator("#alert .notice")).to_have_count(0)


def test_nothing_ticked_is_said(manager: Person, orders: list[Order]) -> None:
    manager.expects("status of 422")
    manager.page.get_by_role("button", name="Approve the selected orders").click()
    expect(manager.page.locator("#messages")).to_contain_text("tick the orders that you want to approve first")
    assert focused(manager) != "BODY"


# --- the time to undo -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("worker_process")
def test_after_the_time_to_undo_the_order_is_bought_and_the_focus_is_kept(
    manager: Person, orders: list[Order], settings: Any, sandbox: SandboxServer
) -> None:
    settings.APPROVAL_UNDO_SECONDS = SHORT
    page, order = manager.page, orders[0]
    page.get_by_role("button", name=f"Approve order {order.pk}:").click()
    undo = page.locator("#just-approved").get_by_role("button", name="Undo")
    undo.focus()
    assert sandbox.purchases() == []
    expect(undo).to_have_count(0, timeout=20_000)
    expect(page.locator("#queue-heading")).to_be_focused()
    wait_for_status(order, OrderStatus.DONE, manager)
    assert [entry["number"] for entry in sandbox.purchases()] == [order.choices.get().number]


@pytest.mark.usefixtures("worker_process")
def test_what_was_undone_in_time_is_never_bought(
    manager: Person, orders: list[Order], settings: Any, sandbox: SandboxServer
) -> None:
    settings.APPROVAL_UNDO_SECONDS = 6
    page, order = manager.page, orders[0]
    page.get_by_role("button", name=f"Approve order {order.pk}:").click()
    page.locator("#just-approved").get_by_role("button", name="Undo").click()
    expect(page.locator("#messages")).to_contain_text("is taken back. It waits again.")
    page.wait_for_timeout(7_000)
    assert statuses([order]) == [OrderStatus.PENDING]
    assert sandbox.purchases() == []


def test_the_notice_that_refreshes_itself_disturbs_nobody(manager: Person, orders: list[Order]) -> None:
    page = manager.page
    page.get_by_role("button", name=f"Approve order {orders[0].pk}:").click()
    expect_focus(manager, orders[1])
    page.keyboard.press("r")
    page.keyboard.type("Too de")
    with page.expect_response("**/orders/approved/"):
        pass
    page.wait_for_timeout(300)
    page.keyboard.type("ar")
    box = page.locator(f"#reason-{orders[1].pk}")
    expect(box).to_be_focused()
    expect(box).to_have_value("Too dear")


# --- without JavaScript ---------------------------------------------------------------------------------------------


def test_the_queue_works_without_javascript(visit: Any, orders: list[Order], settings: Any) -> None:
    settings.APPROVAL_UNDO_SECONDS = LONG
    manager: Person = visit("manager", javascript=False)
    page, (first, second, third) = manager.page, orders
    manager.open("/orders/")
    manager.press(f"Approve order {first.pk}:")
    manager.sees(f"Order {first.pk} is approved.")
    assert page.url.endswith("/orders/")
    page.locator("#just-approved").get_by_role("button", name="Undo").click()
    manager.sees("is taken back. It waits again.")
    assert statuses(orders) == [OrderStatus.PENDING] * 3

    manager.press("Approve the selected orders")
    manager.sees("tick the orders that you want to approve first")
    page.get_by_role("checkbox", name=f"Select order {first.pk}").check()
    page.get_by_role("checkbox", name=f"Select order {second.pk}").check()
    manager.press("Approve the selected orders")
    manager.sees("2 orders approved.")

    row = page.locator(f"[aria-labelledby={row_of(third)}]")
    row.locator("summary").filter(has_text="Reject").click()
    row.get_by_role("textbox", name="Reason for rejecting").fill("Too dear")
    row.get_by_role("button", name="Reject with this reason").click()
    manager.sees("is rejected")
    assert statuses(orders) == [OrderStatus.APPROVED, OrderStatus.APPROVED, OrderStatus.REJECTED]
    manager.sees("Nothing waits for you.")


# --- urgent ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_who_marked_an_order_as_urgent_sees_who_has_seen_it(
    visit: Any, people: dict[str, User], orders: list[Order], javascript: bool
) -> None:
    order = orders[2]
    order_mark_urgent(actor=Actor.person(people["rep"]), order_id=order.pk)
    rep: Person = visit("rep", javascript=javascript)
    rep.open(f"/orders/{order.pk}/")
    rep.sees("Manager Test has not seen it yet")
    manager: Person = visit("manager", javascript=javascript)
    manager.open("/orders/")
    first = manager.page.locator("[data-queue-row]").first
    expect(first).to_contain_text("Urgent")
    assert first.get_attribute("aria-labelledby") == row_of(order)
    if not javascript:
        manager.press("I have seen it")
        manager.page.wait_for_url(f"**/orders/{order.pk}/")
    for _ in range(150):
        if not people["manager"].notifications.filter(order=order, read_at=None).exists():
            break
        manager.page.wait_for_timeout(100)
    rep.page.reload()
    rep.sees("Manager Test has seen it")
    rep.sees("Manager2 Test has not seen it yet")
    assert rep.barriers() == manager.barriers() == []
