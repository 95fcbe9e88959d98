"""From a file with bad rows, or from ticks in the inventory, to a preview of what will change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from numbers_app.models import Account, Batch, Campaign
from tests.browser.person import Person
from tests.factories import CampaignFactory

pytestmark = pytest.mark.browser

BAD = "phone_number,destination,notes\r\n3167342253,316-555-0100,\r\n3167342254,12,=1+1\r\n3167349999,3165550100,\r\n"


@pytest.fixture
def numbers(people: Any) -> list[Campaign]:
    location = Account.objects.get(key="L-3")
    return [CampaignFactory(phone_number=number, account=location) for number in ("3167342253", "3167342254")]


def upload(person: Person, path: Path) -> None:
    person.open("/batches/new/?kind=change")
    person.page.set_input_files("[name=file]", path)
    person.press("Check the file")
    person.sees("Preview of")


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
@pytest.mark.usefixtures("numbers")
def test_refused_rows_are_downloaded_corrected_and_uploaded_again(javascript: bool, visit: Any, tmp_path: Path) -> None:
    rep = visit("rep", javascript=javascript)
    first = tmp_path / "spring.csv"
    first.write_bytes(BAD.encode())
    upload(rep, first)
    rep.sees("2 rows are refused.")
    barriers = rep.barriers()
    rep.press("Cannot be done 2", "link")
    rep.page.get_by_text("(316) 734-2253").wait_for(state="detached")
    rep.sees("This is not among your numbers.")
    with rep.page.expect_download() as download:
        rep.press("Refused rows as a file", "link")
    text = Path(download.value.path()).read_bytes().decode("utf-8-sig")
    assert text.splitlines()[0] == "problem,phone_number,destination,notes"
    again = tmp_path / "again.csv"
    again.write_bytes(text.replace(",12,", ",3165550111,").encode())
    upload(rep, again)
    rep.sees("1 row is refused.")
    corrected = Batch.objects.order_by("-pk")[0].rows.get(state="ready")
    assert corrected.parameters == {"destination": "3165550111", "notes": "=1+1"}
    assert barriers == []


@pytest.mark.usefixtures("numbers")
def test_ticked_numbers_are_changed_where_a_field_is_ticked(visit: Any) -> None:
    manager = visit("manager")
    manager.open("/numbers/")
    manager.page.get_by_label("Choose (316) 734-2253").check()
    manager.page.get_by_label("Choose (316) 734-2254").check()
    manager.press("Change")
    manager.sees("Change 2 numbers")
    barriers = manager.barriers() + manager.small_targets()
    manager.page.get_by_label("Change brand").check()
    manager.page.get_by_role("textbox", name="Brand").fill("Blue")
    manager.page.get_by_role("textbox", name="Offer").fill("Free")
    manager.expects("422")
    manager.press("Show what will change")
    manager.sees("Tick it to set what you typed, or empty the field.")
    barriers += manager.barriers()
    manager.page.get_by_role("textbox", name="Offer").fill("")
    manager.press("Show what will change")
    manager.sees("Preview of Change of 2 numbers")
    barriers += manager.barriers()
    assert list(Batch.objects.get().rows.values_list("parameters", flat=True)) == [{"brand": "Blue"}] * 2
    assert barriers == []


@pytest.mark.usefixtures("numbers")
def test_the_values_of_a_selection_fit_a_narrow_window(visit: Any) -> None:
    manager = visit("manager", width=320, height=256, dark=True)
    manager.open("/numbers/")
    manager.page.get_by_label("Choose (316) 734-2253").check()
    manager.press("Change")
    manager.sees("Change 1 number")
    problems = [*manager.barriers(), *manager.small_targets(), *(["sideways"] if manager.sideways() else [])]
    assert problems == []
