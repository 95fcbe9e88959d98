"""Stop dates ahead and the tree of Locations in a browser: seen, extended by mouse and keyboard, narrow and dark."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from numbers_app.models import Account, Batch, Order, User
from tests.factories import CampaignFactory

pytestmark = pytest.mark.browser

ZOOMED = (320, 256)
BOTH_WAYS = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])


@pytest.fixture
def stopping(people: dict[str, User], settings: Any) -> Account:
    """Numbers of L-3 that stop in the next half year, one of them with long words."""
    settings.APPROVAL_UNDO_SECONDS = 10
    location = Account.objects.get(key="L-3")
    for place, days in enumerate((3, 10, 11, 40, 150)):
        CampaignFactory(
            phone_number=f"316734220{place}",
            account=location,
            campaign_name="Wide " * 19,
            stop_date=location.today() + timedelta(days=days),
        )
    return location


@BOTH_WAYS
def test_a_manager_extends_with_the_mouse_and_takes_it_back(visit: Any, stopping: Account, javascript: bool) -> None:
    manager = visit("manager", javascript=javascript)
    manager.open("/numbers/stopping/")
    manager.press("Extend (316) 734-2201 by 30 days")
    manager.sees("is on its way to Callcap. You can take it back for 10 seconds.")
    order = Order.objects.get()
    assert order.parameters == {"stop_date": (stopping.today() + timedelta(days=40)).isoformat()}
    manager.press(f"Take back order {order.pk}")
    manager.sees("is cancelled. Nothing was sent to Callcap.")


@BOTH_WAYS
def test_a_rep_extends_to_a_typed_date_with_the_keyboard(visit: Any, stopping: Account, javascript: bool) -> None:
    rep = visit("rep", javascript=javascript)
    rep.open("/numbers/stopping/")
    rep.page.get_by_role("link", name="Other last day of (316) 734-2200").focus()
    rep.page.keyboard.press("Enter")
    rep.page.get_by_label("By 30 days").focus()
    for _ in range(2):
        rep.page.keyboard.press("ArrowDown")
    rep.page.get_by_label("New last day").fill("2098-05-01")
    rep.page.get_by_label("Reason").focus()
    rep.page.keyboard.type("The fair goes on")
    rep.page.keyboard.press("Tab")
    rep.page.keyboard.press("Enter")
    rep.page.get_by_role("button", name="Ask a manager").focus()
    rep.page.keyboard.press("Enter")
    rep.sees("waits for a manager.")
    assert Order.objects.get().parameters == {"stop_date": "2098-05-01"}


@BOTH_WAYS
def test_several_are_ticked_and_get_one_day(visit: Any, stopping: Account, javascript: bool) -> None:
    rep = visit("rep", javascript=javascript)
    rep.open("/numbers/stopping/")
    for number in ("(316) 734-2200", "(316) 734-2203"):
        rep.page.get_by_label(f"Choose {number}").check()
    if javascript:
        rep.sees("(2)")
    rep.page.get_by_label("New last day").fill("2098-05-01")
    rep.press("Extend to this day")
    rep.page.wait_for_url("**/preview/")
    assert Batch.objects.get().rows.count() == 2


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 900), ZOOMED], ids=["wide", "zoomed"])
def test_the_pages_fit_and_are_open_to_everybody(
    visit: Any, stopping: Account, size: tuple[int, int], dark: bool
) -> None:
    problems = []
    manager = visit("manager", width=size[0], height=size[1], dark=dark)
    for path in ("/numbers/stopping/", "/numbers/3167342200/extend/", "/locations/", "/locations/L-3/zone/"):
        manager.open(path)
        if path == "/numbers/stopping/":
            manager.page.get_by_text("The numbers, week by week").click()
            assert "5 numbers, most in the week of" in manager.page.locator("svg[role=img]").get_attribute("aria-label")
        problems += manager.barriers() + manager.small_targets()
        problems += [f"{path}: {manager.sideways()} px too wide"] if manager.sideways() > 0 else []
    assert problems == []
