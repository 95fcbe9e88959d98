"""The list of numbers in dispute, and settling several with one finding and one reason."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from numbers_app.models import Account, Campaign, HistoryEntry, Verb
from tests.factories import CampaignFactory

from .page import Page

pytestmark = pytest.mark.django_db

URL = "/numbers/disputes/"
FIRST, SECOND, THIRD, OTHERS, QUIET = (f"316734220{place}" for place in range(1, 6))


@pytest.fixture(autouse=True)
def disputed(location: Account, elsewhere: Account) -> None:
    for number, account in ((FIRST, location), (SECOND, location), (THIRD, location), (OTHERS, elsewhere)):
        CampaignFactory(phone_number=number, account=account, disputed_at=timezone.now(), dispute="Not found.")
    CampaignFactory(phone_number=QUIET, account=location)


def open_disputes() -> set[str]:
    return set(Campaign.objects.filter(disputed_at__isnull=False).values_list("phone_number", flat=True))


def settle(client: Client, *numbers: str, **typed: Any) -> Any:
    return client.post(URL, {"number": numbers, "finding": "still_ours", "reason": "All seen there"} | typed)


def test_it_lists_those_that_one_may_settle_with_what_callcap_said(as_manager: Client) -> None:
    page = Page(as_manager.get(URL))
    assert page.values("number") == []
    boxes = [box.attributes["value"] for box in page.all("input", name="number")]
    assert boxes == [FIRST, SECOND, THIRD]
    assert "Not found." in page.one("table").text


def test_the_ticked_ones_are_settled_each_with_its_entry(as_manager: Client) -> None:
    response = settle(as_manager, FIRST, SECOND)
    assert response["Location"] == URL
    assert Page(as_manager.get(URL)).alerts == ["2 discrepancies are settled."]
    assert open_disputes() == {THIRD, OTHERS}
    entries = HistoryEntry.objects.filter(verb=Verb.NUMBER_SETTLED).values_list("number", "reason")
    assert set(entries) == {(FIRST, "All seen there"), (SECOND, "All seen there")}


def test_those_that_are_not_ours_any_more_end(as_manager: Client) -> None:
    settle(as_manager, FIRST, THIRD, finding="not_ours")
    ended = Campaign.objects.filter(ended_at__isnull=False).values_list("phone_number", flat=True)
    assert set(ended) == {FIRST, THIRD}


def test_what_is_not_granted_or_not_in_dispute_is_left_and_said(as_manager: Client) -> None:
    settle(as_manager, FIRST, OTHERS, QUIET, finding="not_ours")
    assert Page(as_manager.get(URL)).alerts == [
        "1 discrepancy is settled.",
        "2 of the ticked numbers were not yours or settled meanwhile.",
    ]
    assert open_disputes() == {SECOND, THIRD, OTHERS}
    assert Campaign.objects.get(phone_number=QUIET).ended_at is None


@pytest.mark.parametrize(
    ("numbers", "typed", "sentence"),
    [
        ([], {}, "Tick the numbers that you mean."),
        ([FIRST], {"reason": ""}, "Say how you know."),
        ([FIRST], {"finding": ""}, "Choose what you found out."),
    ],
)
def test_what_is_missing_is_said_and_everything_typed_kept(
    as_manager: Client, numbers: list[str], typed: dict[str, str], sentence: str
) -> None:
    response = settle(as_manager, *numbers, **typed)
    page = Page(response)
    assert response.status_code == 422
    assert sentence in page.summary
    assert page.values("number") == numbers
    assert page.value("reason") == typed.get("reason", "All seen there")
    assert len(open_disputes()) == 4
