"""A change that somebody else overtook: what each field was, is and would be, and a choice for each."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from numbers_app.actors import Actor
from numbers_app.models import Campaign, Order, User
from numbers_app.services.decisions import order_approve
from tests.sandbox_server import SandboxServer

from .conftest import CAKE, Purchase
from .page import Page
from .test_number_change import URL, changes_on, form_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def theirs(change: Purchase, manager2: User, carry_out: Callable[[Order], Order]) -> Callable[..., Campaign]:
    """``theirs(destination=…)``: what another manager changes while the form is open."""

    def set_values(**values: Any) -> Campaign:
        order = change(Campaign.objects.get(phone_number=CAKE, ended_at=None), by=manager2, **values)
        assert carry_out(order).status == "done"
        return Campaign.objects.get()

    return set_values


@pytest.fixture
def opened(
    as_rep: Client, sandbox: SandboxServer, purchase: Purchase, manager: User, carry_out: Callable[[Order], Order]
) -> dict[str, Any]:
    """The form as the rep opened it."""
    order = purchase(brand="Blue", memo1="first")
    order_approve(actor=Actor.person(manager), order_id=order.pk, revision=1)
    carry_out(order)
    return form_of(as_rep)


def sections(page: Page) -> dict[str, str]:
    """The fields to choose for, each with everything said of it."""
    return {found.one("legend").text: found.text for found in page.all("fieldset", class_="form-section")}


@pytest.mark.parametrize("step", [{}, {"confirmed": "1"}])
def test_was_theirs_and_mine_stand_beside_each_other_and_nothing_typed_is_lost(
    as_rep: Client, opened: dict[str, Any], theirs: Callable[..., Campaign], step: dict[str, str]
) -> None:
    theirs(destination="3165550177")
    before = Order.objects.count()
    typed = {"destination": "(316) 555-0100", "notes": "my\nnotes", "reason": "Moved"}
    response = as_rep.post(URL, opened | typed | step)
    page = Page(response)
    assert response.status_code == 409
    assert "Manager2 Test changed this number after you opened the form" in page.text
    assert sections(page) == {
        "Destination": "Destination When you opened it (316) 444-7896 "
        "Keep theirs: (316) 555-0177 Set mine: (316) 555-0100",
        "Notes": "Notes When you opened it empty Keep it as it is: empty Set mine: my notes",
    }
    assert {name: page.value(name) for name in typed} == typed
    assert (page.value("take_destination"), page.value("take_notes")) == ("theirs", "mine")
    assert Order.objects.count() == before


def test_mine_is_set_over_theirs_after_the_usual_step(
    as_rep: Client, opened: dict[str, Any], theirs: Callable[..., Campaign]
) -> None:
    theirs(destination="3165550177")
    conflict = Page(as_rep.post(URL, opened | {"destination": "(316) 555-0100", "confirmed": "1"}))
    shown = Page(as_rep.post(URL, conflict.filled(URL) | {"take_destination": "mine"}))
    assert changes_on(shown) == [("Destination", "(316) 555-0177", "(316) 555-0100")]
    as_rep.post(URL, shown.filled(URL) | {"confirmed": "1"})
    newest = Order.objects.latest("pk")
    assert (newest.before, newest.parameters) == ({"destination": "3165550177"}, {"destination": "3165550100"})


def test_theirs_is_kept_for_one_field_and_mine_set_for_another(
    as_rep: Client, opened: dict[str, Any], theirs: Callable[..., Campaign]
) -> None:
    theirs(destination="3165550177")
    conflict = Page(as_rep.post(URL, opened | {"destination": "3165550100", "memo1": "mine"}))
    shown = Page(as_rep.post(URL, conflict.filled(URL)))
    assert changes_on(shown) == [("Memo 1", "first", "mine")]
    as_rep.post(URL, shown.filled(URL) | {"confirmed": "1"})
    assert Order.objects.latest("pk").parameters == {"memo1": "mine"}


def test_theirs_alone_ends_it_without_an_order(
    as_rep: Client, opened: dict[str, Any], theirs: Callable[..., Campaign]
) -> None:
    theirs(destination="3165550177")
    before = Order.objects.count()
    conflict = Page(as_rep.post(URL, opened | {"destination": "3165550100"}))
    response = as_rep.post(URL, conflict.filled(URL), follow=True)
    assert Page(response).alerts == ["The number stays as it is. Nothing was sent."]
    assert Order.objects.count() == before


def test_what_the_form_left_alone_is_never_taken_back(
    as_rep: Client, opened: dict[str, Any], theirs: Callable[..., Campaign]
) -> None:
    theirs(destination="3165550177", brand="Red", stop_date="2098-05-01", recording=True)
    page = Page(as_rep.post(URL, opened | {"memo1": "mine"}))
    assert list(sections(page)) == ["Memo 1"]
    left = page.one("section", aria_labelledby="left-heading").text
    assert "Destination (316) 555-0177 before: (316) 444-7896" in left
    assert re.search(r"Stop date May 1, 2098 \(America/Chicago time\) \d+ days left before: empty", left)
    shown = Page(as_rep.post(URL, page.filled(URL)))
    assert changes_on(shown) == [("Memo 1", "first", "mine")]


def test_a_form_in_which_nothing_was_touched_is_told_so(
    as_rep: Client, opened: dict[str, Any], theirs: Callable[..., Campaign]
) -> None:
    theirs(destination="3165550177")
    response = as_rep.post(URL, opened, follow=True)
    assert "Your form changes nothing of it any more." in Page(response).alerts[0]


def test_several_changes_are_taken_back_to_what_the_form_was_opened_on(
    as_rep: Client, opened: dict[str, Any], theirs: Callable[..., Campaign]
) -> None:
    theirs(brand="Red")
    theirs(brand="Green", memo1="second")
    page = Page(as_rep.post(URL, opened | {"brand": "Mine"}))
    assert sections(page)["Brand"] == "Brand When you opened it Blue Keep theirs: Green Set mine: Mine"


def test_a_change_that_comes_while_somebody_chooses_is_another_conflict(
    as_rep: Client, opened: dict[str, Any], theirs: Callable[..., Campaign]
) -> None:
    theirs(brand="Red")
    conflict = Page(as_rep.post(URL, opened | {"brand": "Mine"}))
    theirs(brand="Green")
    again = as_rep.post(URL, conflict.filled(URL) | {"take_brand": "mine"})
    assert again.status_code == 409
    assert sections(Page(again))["Brand"] == "Brand When you opened it Red Keep theirs: Green Set mine: Mine"


def test_edit_again_keeps_what_is_mine(as_rep: Client, opened: dict[str, Any], theirs: Callable[..., Campaign]) -> None:
    theirs(destination="3165550177")
    conflict = Page(as_rep.post(URL, opened | {"destination": "3165550100", "memo1": "mine"}))
    response = as_rep.post(URL, conflict.filled(URL) | {"take_destination": "mine", "back": "1"})
    page = Page(response)
    assert response.status_code == 200
    assert (page.value("destination"), page.value("memo1")) == ("3165550100", "mine")
    assert page.values("brand") == []


def test_a_conflict_compares_only_what_the_request_carried(
    as_rep: Client, opened: dict[str, Any], theirs: Callable[..., Campaign]
) -> None:
    theirs(destination="3165550177")
    page = Page(as_rep.post(URL, {"version": opened["version"], "memo1": "only this"}))
    assert list(sections(page)) == ["Memo 1"]
    assert page.values("destination") == []
