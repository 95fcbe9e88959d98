"""What is warned of before a batch: to whoever submits it, and to whoever decides."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import Account, Batch, BatchKind, Campaign, User
from numbers_app.selectors.batches import batch_warnings
from numbers_app.services.batch_drafts import batch_from_selection
from tests.batches.making import NEW, campaigns_at, change_draft, submit
from tests.factories import BatchRowFactory, CampaignFactory

from .conftest import HTMX
from .page import Page

pytestmark = pytest.mark.django_db

PREMIUM, CANADIAN = "3169761234", "4162345678"
IS_PREMIUM = "(316) 976-1234 is a premium number: each call that is sent there may cost extra."
IS_ABROAD = "(416) 234-5678 is in Canada, another country than the number's."


@pytest.fixture
def numbers(location: Account) -> list[Campaign]:
    return campaigns_at(location, 2)


def bad_draft(author: User, numbers: list[Campaign]) -> Batch:
    """One number is to ring a premium number, the other one in Canada."""
    batch = change_draft(author, numbers)
    for line, destination in ((2, PREMIUM), (3, CANADIAN)):
        batch.rows.filter(line=line).update(parameters={"destination": destination})
    return batch


def preview(client: Client, batch: Batch) -> Page:
    return Page(client.get(f"/batches/{batch.pk}/preview/"))


def tick_of(page: Page) -> str:
    return page.one("input", name="warnings_checked").attributes["value"]


def send(client: Client, batch: Batch, **typed: Any) -> Any:
    return client.post(f"/batches/{batch.pk}/submit/", {"reason": "The shop has moved"} | typed)


def selection(author: User, kind: BatchKind) -> Batch:
    return batch_from_selection(actor=Actor.person(author), kind=kind, campaigns=Campaign.objects.all(), values={})


# --- what is warned of ------------------------------------------------------------------------------------------------


def test_who_submits_reads_the_same_warnings_as_who_decides(
    as_rep: Client, as_manager: Client, rep: User, manager: User, numbers: list[Campaign]
) -> None:
    batch = bad_draft(rep, numbers)
    before = preview(as_rep, batch).one("section", aria_labelledby="submit-heading").text
    submit(rep, batch)
    decide = Page(as_manager.get(f"/batches/{batch.pk}/")).one("section", aria_labelledby="decide-heading").text
    for warning in (IS_PREMIUM, IS_ABROAD):
        assert warning in before
        assert warning in decide


def test_every_destination_is_looked_at_by_as_many_questions(rep: User, location: Account) -> None:
    def warned_of(count: int, first: int) -> tuple[int, list[str]]:
        batch = change_draft(rep, campaigns_at(location, count, first=first))
        for row in batch.rows.all():
            row.parameters = {"destination": PREMIUM if row.line == count + 1 else f"316555{row.line:04d}"}
            row.save()
        with CaptureQueriesContext(connection) as asked:
            warnings = batch_warnings(batch, batch.rows.all())
        return len(asked), warnings

    few, _ = warned_of(2, 2000)
    many, warnings = warned_of(12, 3000)
    assert many == few
    assert warnings[0] == IS_PREMIUM
    assert warnings[-1] == "7 more warnings of destinations that are new to a Location."
    assert len(warnings) == 7


def test_one_destination_that_is_new_to_many_locations_is_not_counted_as_many(rep: User, location: Account) -> None:
    assert location.parent
    batch = change_draft(rep, [])
    for place in range(1, 7):
        shop = Account.objects.create(
            key=f"L-90{place}",
            kind=Account.Kind.LOCATION,
            callcap_id=900 + place,
            name=f"Shop {place}",
            parent=location.parent,
            path=f"{location.parent.path}L-90{place}/",
            synced_at=timezone.now(),
        )
        BatchRowFactory(batch=batch, line=place, number="", account=shop, parameters={"destination": NEW})
    assert batch_warnings(batch, batch.rows.all())[-1] == "1 more warning of destinations that are new to a Location."


def test_only_so_many_bad_destinations_are_named(rep: User, location: Account) -> None:
    batch = change_draft(rep, [])
    for line in range(53):
        values = {"destination": f"316976{line:04d}"}
        BatchRowFactory(batch=batch, line=line + 2, number="", account=location, parameters=values)
    warnings = batch_warnings(batch, batch.rows.all())
    assert sum("is a premium number" in warning for warning in warnings) == 50
    assert "3 more warnings like these." in warnings


def test_many_numbers_ringing_there_already_and_a_number_of_ours_are_warned_of(
    rep: User, location: Account, elsewhere: Account
) -> None:
    campaigns_at(elsewhere, 10, first=4000)
    (own,) = campaigns_at(location, 1, first=5000)
    batch = change_draft(rep, [own], destination="3164447896")
    BatchRowFactory(batch=batch, line=9, number="", account=elsewhere, parameters={"destination": own.phone_number})
    text = " ".join(batch_warnings(batch, batch.rows.all()))
    assert "11 of our numbers ring (316) 444-7896 already, which is unusually many." in text
    assert "(316) 734-5000 is itself one of our tracking numbers" in text


@pytest.mark.parametrize(("stop_date", "is_far"), [("9999-12-31", True), ("2099-01-01", False), ("2030-01-01", False)])
def test_a_stop_date_very_far_ahead_is_warned_of(
    stop_date: str, is_far: bool, rep: User, numbers: list[Campaign]
) -> None:
    batch = change_draft(rep, numbers, stop_date=stop_date)
    far = f"2 numbers would stop more than 10 years from now, the last on {stop_date}."
    assert batch_warnings(batch, batch.rows.all()) == ([far] if is_far else [])


def test_a_confirmation_that_would_replace_names_says_so_everywhere(
    as_rep: Client, as_manager: Client, rep: User, manager: User, location: Account
) -> None:
    now = timezone.now()
    CampaignFactory(phone_number="3167342001", account=location, imported_at=now)
    CampaignFactory(phone_number="3167342002", account=location, imported_at=now, campaign_name="Cakes")
    batch = selection(rep, BatchKind.CONFIRM)
    page = preview(as_rep, batch)
    assert "sending the name (316) 734-2001. No other name was given" in page.text
    assert "sending the name Cakes, which it has already." in page.text
    warning = "1 number was imported without a name. Asking sends the digits as the name"
    assert warning in page.text
    submit(rep, batch)
    decide = Page(as_manager.get(f"/batches/{batch.pk}/"))
    assert warning in decide.text
    assert "nothing is changed" not in decide.text


def test_a_confirmation_of_named_numbers_changes_nothing(
    as_manager: Client, rep: User, manager: User, numbers: list[Campaign]
) -> None:
    batch = submit(rep, selection(rep, BatchKind.CONFIRM))
    assert "see whether they are still ours; nothing is changed" in Page(as_manager.get(f"/batches/{batch.pk}/")).text


# --- what has to be said ----------------------------------------------------------------------------------------------


def test_who_needs_nobody_else_ticks_that_the_warnings_are_read(
    as_manager: Client, manager: User, numbers: list[Campaign]
) -> None:
    batch = bad_draft(manager, numbers)
    assert preview(as_manager, batch).all("input", name="warnings_checked")
    refused = send(as_manager, batch)
    page = Page(refused)
    assert refused.status_code == 422
    assert "then tick this" in page.error_at("warnings_checked")
    assert page.value("reason") == "The shop has moved"
    assert Batch.objects.get().status == "draft"
    assert send(as_manager, batch, warnings_checked=tick_of(page)).status_code == 302
    assert Batch.objects.get().status == "running"


def test_a_tick_is_for_the_warnings_that_were_read(
    as_manager: Client, manager: User, numbers: list[Campaign], location: Account
) -> None:
    batch = bad_draft(manager, numbers)
    tick = tick_of(preview(as_manager, batch))
    CampaignFactory(phone_number=CANADIAN, account=location)
    refused = send(as_manager, batch, warnings_checked=tick)
    page = Page(refused)
    assert refused.status_code == 422
    assert "There are other warnings by now." in page.error_at("warnings_checked")
    assert "checked" not in page.one("input", name="warnings_checked").attributes
    assert Batch.objects.get().status == "draft"


def test_whose_batch_somebody_else_decides_on_ticks_nothing(as_rep: Client, rep: User, numbers: list[Campaign]) -> None:
    batch = bad_draft(rep, numbers)
    assert not preview(as_rep, batch).all("input", name="warnings_checked")
    assert send(as_rep, batch).status_code == 302


def test_without_a_warning_there_is_nothing_to_tick(
    as_manager: Client, manager: User, numbers: list[Campaign], location: Account
) -> None:
    CampaignFactory(phone_number="3167349000", account=location, destination=NEW)
    batch = change_draft(manager, numbers)
    assert not preview(as_manager, batch).all("input", name="warnings_checked")
    assert send(as_manager, batch).status_code == 302


def test_another_page_of_the_rows_reads_no_warnings(as_manager: Client, manager: User, numbers: list[Campaign]) -> None:
    batch = bad_draft(manager, numbers)
    assert "premium" not in as_manager.get(f"/batches/{batch.pk}/preview/", headers=HTMX).content.decode()


def test_a_reapplication_shows_what_is_sent_and_wants_a_reason(
    as_manager: Client, manager: User, location: Account
) -> None:
    CampaignFactory(phone_number="3167342001", account=location, stop_date=date(2098, 1, 1), brand="Blue")
    batch = selection(manager, BatchKind.REAPPLY)
    row = preview(as_manager, batch).one("tbody")
    summary = row.one("summary").text
    assert summary.startswith("Destination: (316) 444-7896, Stop date: Jan 1, 2098 (")
    assert summary.endswith(" days left")
    assert "Blue" in row.one("dl").text
    refused = send(as_manager, batch, reason=" ")
    assert refused.status_code == 422
    assert Page(refused).error_at("reason").startswith("Error: Say why")
    assert send(as_manager, batch).status_code == 302
