"""One number in the browser: editing a section in place, a conflict with a choice per field, putting a change back."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from numbers_app.actors import Actor
from numbers_app.models import Account, Campaign, HistoryEntry, Order, User, Verb
from tests.browser.person import Person
from tests.promises.wishes import CAKE, approved, changed, executed
from tests.sandbox_server import SandboxServer

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("sandbox")]

DETAIL = f"/numbers/{CAKE}/"


@pytest.fixture
def number(people: dict[str, User], sandbox: SandboxServer, worker: Actor) -> Campaign:
    """A number that was bought from the sandbox."""
    location = Account.objects.get(key="L-3")
    executed(worker, approved(people["rep"], people["manager"], location, brand="Blue"))
    return Campaign.objects.get(phone_number=CAKE)


@pytest.mark.parametrize("javascript", [True, False])
def test_a_section_is_edited_in_place_and_confirmed(visit: Any, number: Campaign, javascript: bool) -> None:
    person: Person = visit("manager", javascript=javascript)
    page = person.page
    person.open(DETAIL)
    person.press("Edit the routing", "link")
    if javascript:
        expect(page.locator("#routing-heading")).to_be_focused()
        assert page.url.endswith(DETAIL)
        person.press("Edit the features", "link")
        expect(page.locator("#features-heading")).to_be_focused()
        assert person.barriers() == []
    page.locator("[name=destination]").fill("(316) 555-0100")
    page.get_by_role("button", name="Show what will change").first.click()
    person.sees("Every call to this number will ring the new destination.")
    person.press("Send to Callcap")
    person.sees("is on its way to Callcap.")
    assert Order.objects.latest("pk").parameters == {"destination": "3165550100"}


def test_what_is_typed_in_two_sections_is_sent_together(visit: Any, number: Campaign) -> None:
    person: Person = visit("manager")
    page = person.page
    person.open(DETAIL)
    person.press("Edit the routing", "link")
    page.locator("#routing [name=destination]").fill("(316) 555-0100")
    page.locator("#routing [name=reason]").fill("New shop")
    person.press("Edit the campaign information", "link")
    page.locator("#information [name=notes]").fill("By the river")
    page.locator("#information [name=reason]").fill("It moved")
    page.locator("#routing").get_by_role("button", name="Show what will change").click()
    person.sees("Every call to this number will ring the new destination.")
    person.press("Send to Callcap")
    person.sees("is on its way to Callcap.")
    order = Order.objects.latest("pk")
    assert order.parameters == {"destination": "3165550100", "notes": "By the river"}
    assert order.reason == "New shop\nIt moved"


def test_a_warning_comes_while_the_destination_is_typed_in_place(visit: Any, number: Campaign) -> None:
    person: Person = visit("rep")
    person.open(DETAIL)
    person.press("Edit the routing", "link")
    expect(person.page.locator("#routing-heading")).to_be_focused()
    person.page.locator("[name=destination]").fill("3169761234")
    person.sees("is a premium number")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_conflict_is_settled_field_by_field(
    visit: Any, number: Campaign, people: dict[str, User], worker: Actor, javascript: bool
) -> None:
    person: Person = visit("manager", javascript=javascript)
    page = person.page
    person.open(f"{DETAIL}change/")
    executed(worker, changed(people["manager2"], number, destination="3165550177", brand="Red"))
    page.locator("[name=destination]").fill("3165550100")
    page.locator("[name=brand]").fill("Mine")
    person.expects("409")
    person.press("Show what will change")
    person.sees("Manager2 Test changed this number after you opened the form")
    assert person.barriers() == []
    page.get_by_label("Set mine: (316) 555-0100").check()
    person.press("Show what will change")
    rows = page.locator("table.diff tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("(316) 555-0177")
    person.press("Send to Callcap")
    person.sees("is on its way to Callcap.")
    assert Order.objects.latest("pk").parameters == {"destination": "3165550100"}


def test_a_change_is_put_back_from_the_history(
    visit: Any, number: Campaign, people: dict[str, User], worker: Actor
) -> None:
    executed(worker, changed(people["manager2"], number, destination="3165550177"))
    entry = HistoryEntry.objects.get(verb=Verb.NUMBER_CHANGED)
    person: Person = visit("manager", width=320)
    person.open(f"/history/{entry.sequence}/")
    person.press("Put it back", "link")
    person.sees("Filled in as it was before")
    assert person.sideways() == 0
    person.press("Show what will change")
    person.press("Send to Callcap")
    person.sees("is on its way to Callcap.")
    order = Order.objects.latest("pk")
    assert (order.parameters, order.reason) == (
        {"destination": "3164447896"},
        f"Puts back what entry {entry.sequence} changed.",
    )
