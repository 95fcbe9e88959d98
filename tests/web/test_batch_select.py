"""Making a batch of numbers that were chosen in the inventory."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from numbers_app.models import Account, Batch, Campaign, User
from tests.factories import CampaignFactory

from .conftest import CAKE
from .page import Page

pytestmark = pytest.mark.django_db

URL = "/batches/select/"
PIE = "3167342254"


@pytest.fixture
def pie(location: Account) -> Campaign:
    made: Campaign = CampaignFactory(phone_number=PIE, account=location, destination="3164447896", brand="Blue")
    return made


def values_page(client: Client, *numbers: str, **sent: Any) -> Page:
    """The form of the values, as the inventory leads to it."""
    response = client.post(URL, {"kind": "change", "number": list(numbers)} | sent)
    assert response.status_code == 200
    return Page(response)


def set_values(client: Client, page: Page, **typed: Any) -> Any:
    return client.post(URL, page.filled(URL) | typed)


def rows_of(response: Any) -> list[tuple[str, str, dict[str, Any]]]:
    assert response.status_code == 302, Page(response).summary
    batch = Batch.objects.get(pk=response["Location"].split("/")[2])
    return list(batch.rows.values_list("number", "state", "parameters"))


def test_ticked_numbers_lead_to_the_form_of_the_values_and_write_nothing(
    as_rep: Client, campaign: Campaign, pie: Campaign
) -> None:
    page = values_page(as_rep, CAKE, PIE)
    assert page.heading == "Change 2 numbers"
    assert page.filled(URL)["number"] == [CAKE, PIE]
    assert not Batch.objects.exists()


def test_only_what_is_ticked_is_set(as_rep: Client, campaign: Campaign, pie: Campaign) -> None:
    page = values_page(as_rep, CAKE, PIE)
    typed = {"set_destination": "on", "destination": "316-555-0100", "set_brand": "on", "brand": ""}
    assert rows_of(set_values(as_rep, page, **typed)) == [
        (CAKE, "ready", {"destination": "3165550100"}),
        (PIE, "ready", {"destination": "3165550100", "brand": ""}),
    ]


def test_an_empty_stop_date_that_is_ticked_lets_numbers_run_on(as_rep: Client, location: Account) -> None:
    CampaignFactory(phone_number=PIE, account=location, stop_date=date(2098, 1, 1))
    page = values_page(as_rep, PIE)
    rows = rows_of(set_values(as_rep, page, set_stop_date="on"))
    assert rows == [(PIE, "ready", {"stop_date": "2099-01-01"})]


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"brand": "Red"}, "set_brand", "Tick it to set what you typed"),
        ({"set_destination": "on"}, "destination", "Give the number that calls should ring to."),
        ({"set_destination": "on", "destination": "911"}, "destination", "is not a US or Canadian number"),
        ({"set_recording": "on"}, "recording", "Choose on or off"),
        ({"set_evaluation": "on"}, "evaluation", "Choose one"),
        ({"set_stop_date": "on", "stop_date": "soon"}, "stop_date", "as in 2027-03-31"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_all_is_kept(
    typed: dict[str, str], field: str, sentence: str, as_rep: Client, campaign: Campaign
) -> None:
    response = set_values(as_rep, values_page(as_rep, CAKE), title="Spring", **typed)
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.error_at(field)
    assert {name: page.value(name) for name in typed} == typed
    assert (page.value("title"), page.values("number")) == ("Spring", [CAKE])
    assert not Batch.objects.exists()


def test_something_must_be_ticked(as_rep: Client, campaign: Campaign) -> None:
    response = set_values(as_rep, values_page(as_rep, CAKE))
    assert (response.status_code, Batch.objects.count()) == (422, 0)
    assert "Tick what is to be changed." in Page(response).summary


@pytest.mark.parametrize("kind", ["confirm", "reapply"])
def test_a_confirmation_needs_no_values(kind: str, as_rep: Client, campaign: Campaign, pie: Campaign) -> None:
    response = as_rep.post(URL, {"kind": kind, "number": [PIE]})
    assert [row[:2] for row in rows_of(response)] == [(PIE, "ready")]
    assert Batch.objects.get().kind == kind


def test_all_that_match_are_those_of_the_lists_filters(as_rep: Client, campaign: Campaign, pie: Campaign) -> None:
    page = values_page(as_rep, matching="on", query="q=Spring")
    assert page.heading == "Change 1 number"
    rows = rows_of(set_values(as_rep, page, set_memo1="on", memo1="x"))
    assert rows == [(CAKE, "ready", {"memo1": "x"})]


def test_the_same_form_sent_twice_makes_one_batch(as_rep: Client, campaign: Campaign) -> None:
    page = values_page(as_rep, CAKE)
    first, second = (set_values(as_rep, page, set_memo1="on", memo1="x") for _ in range(2))
    assert first["Location"] == second["Location"]


def test_it_says_so_when_other_numbers_match_by_now(as_rep: Client, campaign: Campaign, pie: Campaign) -> None:
    page = values_page(as_rep, matching="on", query="", count="1")
    assert page.alerts == ["The filters match 2 by now; they matched 1 when you chose them."]
    assert page.value("count") == "2"
    Campaign.objects.filter(pk=pie.pk).update(brand="Red")
    page = values_page(as_rep, matching="on", query="brand=Red", count="1")
    assert page.alerts == []
    Campaign.objects.filter(pk=campaign.pk).update(brand="Red")
    response = set_values(as_rep, page, set_memo1="on", memo1="x")
    assert len(rows_of(response)) == 2
    assert Page(as_rep.get(response["Location"])).alerts == [
        "The filters match 2 by now; they matched 1 when you chose them."
    ]


def test_it_says_so_when_a_ticked_number_is_no_longer_there(
    as_rep: Client, campaign: Campaign, pie: Campaign, elsewhere: Account
) -> None:
    Campaign.objects.filter(pk=pie.pk).update(account=elsewhere)
    response = as_rep.post(URL, {"kind": "confirm", "number": [CAKE, PIE]})
    assert len(rows_of(response)) == 1
    assert Page(as_rep.get(response["Location"])).alerts == ["1 of the ticked numbers is not yours and left out."]


def test_what_was_typed_is_kept_when_every_number_is_gone(
    as_rep: Client, campaign: Campaign, elsewhere: Account
) -> None:
    page = values_page(as_rep, CAKE)
    Campaign.objects.filter(pk=campaign.pk).update(account=elsewhere)
    response = set_values(as_rep, page, set_memo1="on", memo1="x")
    assert response.status_code == 422
    assert "None of these numbers is yours to change." in Page(response).summary
    assert Page(response).value("memo1") == "x"


def test_too_many_numbers_are_said_before_anything_is_typed(
    as_rep: Client, campaign: Campaign, pie: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numbers_app.views.batch_drafts.MOST_ROWS", 1)
    response = as_rep.post(URL, {"kind": "change", "matching": "on", "query": "sort=number"})
    assert response["Location"] == "/numbers/?sort=number"
    assert "at most 1 numbers, and these are 2." in Page(as_rep.get(response["Location"])).alerts[0]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"kind": "confirm", "matching": "on", "query": "q=Nowhere"}, "No number matches these filters."),
        ({"kind": "confirm", "matching": "on", "query": "status=nonsense"}, "No number matches these filters."),
        ({"kind": "change", "number": [PIE]}, "None of the ticked numbers is yours."),
        ({"kind": "change"}, "Tick at least one number."),
        ({"kind": "change", "number": ["nonsense", "\0"]}, "Tick at least one number."),
        ({"kind": "purchase", "number": [CAKE]}, "Choose what to do"),
        ({"number": [CAKE]}, "Choose what to do"),
    ],
)
def test_a_choice_that_says_nothing_leads_back_to_the_list(
    sent: dict[str, Any], words: str, as_rep: Client, campaign: Campaign
) -> None:
    query = sent.setdefault("query", "q=Spring")
    response = as_rep.post(URL, sent)
    assert response["Location"] == f"/numbers/?{query}"
    assert words in " ".join(Page(as_rep.get(response["Location"])).alerts)


def test_numbers_of_other_accounts_are_not_there(as_rep: Client, campaign: Campaign, elsewhere: Account) -> None:
    CampaignFactory(phone_number=PIE, account=elsewhere)
    assert [row[0] for row in rows_of(as_rep.post(URL, {"kind": "confirm", "number": [CAKE, PIE]}))] == [CAKE]
    assert as_rep.post(URL, {"kind": "confirm", "number": [PIE]})["Location"] == "/numbers/"


def test_of_a_number_with_an_earlier_campaign_the_living_one_is_meant(as_rep: Client, location: Account) -> None:
    CampaignFactory(phone_number=PIE, account=location, ended_at=timezone.now())
    living = CampaignFactory(phone_number=PIE, account=location)
    as_rep.post(URL, {"kind": "confirm", "number": [PIE]})
    assert [row.campaign for row in Batch.objects.get().rows.all()] == [living]


def test_an_auditor_makes_no_batch(auditor: User, signed_in: Any, campaign: Campaign) -> None:
    assert signed_in(auditor).post(URL, {"kind": "confirm", "number": [CAKE]}).status_code == 403
    assert not Batch.objects.exists()
