"""The way from an empty mirror to an inventory that somebody declared complete."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import Conflict
from numbers_app.models import Account, HistoryEntry, Inventory, User, Verb
from numbers_app.services.inventory import inventory_declare_complete, inventory_declare_incomplete
from numbers_app.templatetags.history import what
from tests.factories import CampaignFactory

from .page import Page

pytestmark = pytest.mark.django_db

STEPS, COMPLETE, INCOMPLETE = "/numbers/first-steps/", "/numbers/complete/", "/numbers/incomplete/"
GAP = "Numbers bought before this portal may be missing here"
WHY = "Compared with the invoice of October"


def test_the_page_says_why_numbers_may_be_missing_and_what_to_do(as_rep: Client) -> None:
    page = Page(as_rep.get(STEPS))
    assert "cannot list the numbers that a company owns" in page.text
    assert "Managers and administrators can do this." in page.text
    assert not page.all("form", action=COMPLETE)


def test_who_may_order_is_led_to_the_template_and_the_upload(as_rep: Client, signed_in: Any, auditor: User) -> None:
    page = Page(as_rep.get(STEPS))
    assert page.links("template") == ["/batches/template/import.csv"]
    assert page.links("Upload the file") == ["/batches/new/?kind=import"]
    for link in (*page.links("template"), *page.links("Upload"), *page.links("never confirmed")):
        assert as_rep.get(link).status_code == 200
    page = Page(signed_in(auditor).get(STEPS))
    assert page.links("template") == page.links("Upload the file") == []


def test_progress_counts_imported_confirmed_and_disputed_numbers_that_one_may_see(
    as_rep: Client, location: Account, elsewhere: Account
) -> None:
    now = timezone.now()
    CampaignFactory(account=location)
    CampaignFactory(account=location, imported_at=now, confirmed_at=None)
    CampaignFactory(account=location, imported_at=now)
    CampaignFactory(account=location, imported_at=now, confirmed_at=None, disputed_at=now)
    CampaignFactory(account=elsewhere, imported_at=now)
    page = Page(as_rep.get(STEPS))
    assert page.one("ul", aria_label="Imported numbers").text == "3 imported 1 confirmed by Callcap 1 disputed"
    progress = page.one("progress").attributes
    assert (progress["value"], progress["max"]) == ("1", "3")


def test_the_inventory_and_the_reports_admit_gaps_until_it_is_complete(as_rep: Client, manager: User) -> None:
    addresses = ("/numbers/", "/history/reports/")
    for address in addresses:
        page = Page(as_rep.get(address))
        assert GAP in page.text
        assert page.links("How they are brought in") == [STEPS]
    inventory_declare_complete(actor=Actor.person(manager), reason=WHY)
    for address in addresses:
        assert GAP not in Page(as_rep.get(address)).text


@pytest.mark.parametrize("person", ["manager", "admin"])
def test_managers_and_administrators_declare_it_complete(
    request: pytest.FixtureRequest, signed_in: Any, as_rep: Client, person: str
) -> None:
    user: User = request.getfixturevalue(person)
    client = signed_in(user)
    form = Page(client.get(STEPS)).filled(COMPLETE) | {"reason": WHY}
    page = Page(client.post(COMPLETE, form, follow=True))
    assert page.alerts == ["The inventory counts as complete from now on."]
    seen = Page(as_rep.get(STEPS)).one("section", aria_labelledby="declared").text
    assert seen.startswith(f"Declared complete {user.display_name}, ")
    assert seen.endswith(f": {WHY}")
    entry = HistoryEntry.objects.get(verb=Verb.INVENTORY_DECLARED)
    assert (entry.actor_id, entry.reason) == (user.pk, WHY)
    assert entry.changes["complete_since"][0] is None


def test_it_takes_a_reason(as_manager: Client) -> None:
    response = as_manager.post(COMPLETE, {"reason": " "})
    assert response.status_code == 422
    assert "Say how you know: others rely on it." in Page(response).error_at("reason")
    assert not Inventory.objects.exists()
    assert not HistoryEntry.objects.filter(verb=Verb.INVENTORY_DECLARED).exists()


def test_the_second_to_declare_it_reads_who_was_first_and_keeps_what_they_wrote(
    as_manager: Client, manager2: User
) -> None:
    inventory_declare_complete(actor=Actor.person(manager2), reason=WHY)
    response = as_manager.post(COMPLETE, {"reason": "I counted them"})
    page = Page(response)
    assert response.status_code == 409
    assert page.alerts == ["Manager2 Test has declared the inventory complete already."]
    assert "You wrote: I counted them" in page.text
    assert HistoryEntry.objects.filter(verb=Verb.INVENTORY_DECLARED).count() == 1


@pytest.mark.parametrize("person", ["manager", "admin"])
def test_a_declaration_can_be_taken_back_with_a_reason(
    request: pytest.FixtureRequest, signed_in: Any, as_rep: Client, manager2: User, person: str
) -> None:
    said = inventory_declare_complete(actor=Actor.person(manager2), reason=WHY)
    user: User = request.getfixturevalue(person)
    client = signed_in(user)
    form = Page(client.get(STEPS)).filled(INCOMPLETE) | {"reason": "An invoice of 2019 turned up"}
    page = Page(client.post(INCOMPLETE, form, follow=True))
    assert page.alerts == ["From now on the portal says that numbers may be missing."]
    assert page.one("form", action=COMPLETE)
    assert GAP in Page(as_rep.get("/numbers/")).text
    entry = HistoryEntry.objects.filter(verb=Verb.INVENTORY_DECLARED).latest("sequence")
    assert (entry.actor_id, entry.reason) == (user.pk, "An invoice of 2019 turned up")
    assert entry.changes == {"complete_since": [said.complete_since.isoformat(), None]}
    assert what(entry) == "said that numbers may be missing"
    inventory_declare_complete(actor=Actor.person(manager2), reason="Now it is")
    assert Inventory.objects.get().reason == "Now it is"


def test_what_nobody_declared_cannot_be_taken_back(as_manager: Client) -> None:
    response = as_manager.post(INCOMPLETE, {"reason": "Not at all"})
    page = Page(response)
    assert response.status_code == 409
    assert page.alerts == ["The inventory does not count as complete."]
    assert "You wrote: Not at all" in page.text
    assert as_manager.post(INCOMPLETE, {"reason": ""}).status_code == 422
    assert not HistoryEntry.objects.filter(verb=Verb.INVENTORY_DECLARED).exists()


@pytest.mark.parametrize("person", ["manager", "auditor", "admin"])
def test_the_first_page_of_those_who_answer_for_all_says_so_too(
    request: pytest.FixtureRequest, signed_in: Any, as_rep: Client, person: str
) -> None:
    client = signed_in(request.getfixturevalue(person))
    assert GAP in Page(client.get("/")).text
    assert GAP not in Page(as_rep.get("/")).text
    Inventory.objects.create(complete_since=timezone.now(), actor_name="Somebody")
    assert GAP not in Page(client.get("/")).text


@pytest.mark.parametrize("person", ["rep", "auditor"])
def test_nobody_else_declares_it(request: pytest.FixtureRequest, person: str) -> None:
    actor = Actor.person(request.getfixturevalue(person))
    with pytest.raises(PermissionDenied):
        inventory_declare_complete(actor=actor, reason=WHY)
    assert not Inventory.objects.exists()
    Inventory.objects.create(complete_since=timezone.now(), actor_name="Somebody")
    with pytest.raises(PermissionDenied):
        inventory_declare_incomplete(actor=actor, reason=WHY)
    assert Inventory.objects.exists()


def test_the_service_refuses_a_second_declaration(manager: User) -> None:
    said = inventory_declare_complete(actor=Actor.person(manager), reason=WHY)
    assert str(said).startswith("Complete since 20")
    with pytest.raises(Conflict):
        inventory_declare_complete(actor=Actor.person(manager), reason=WHY)
