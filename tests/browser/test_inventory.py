"""Somebody looks numbers up: filters, chips, order, pages, a view kept, numbers ticked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.utils import timezone

from numbers_app.models import Account, MediaType, User
from tests.factories import CampaignFactory

pytestmark = pytest.mark.browser

BOTH_WAYS = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])


@pytest.fixture
def some_numbers(people: dict[str, User]) -> None:
    """60 numbers at L-3: one spells CAKE, one is disputed with long words in it, one has stopped."""
    location = Account.objects.get(key="L-3")
    MediaType.objects.create(number=7, name="Radio spots")
    for place in range(57):
        CampaignFactory(phone_number=f"31673423{place:02d}", account=location, media_type_id=7)
    CampaignFactory(phone_number="3167342253", account=location, campaign_name="Spring", stop_date=date(2030, 5, 1))
    CampaignFactory(
        phone_number="3167342201",
        account=location,
        campaign_name="Wide " * 19,
        brand="Longbrand" * 10,
        confirmed_at=None,
        imported_at=timezone.now(),
        disputed_at=timezone.now(),
    )
    CampaignFactory(phone_number="3167342202", account=location, ended_at=timezone.now())


@BOTH_WAYS
@pytest.mark.usefixtures("some_numbers")
def test_a_rep_filters_sorts_pages_and_keeps_the_view(visit: Any, javascript: bool) -> None:
    rep = visit("rep", javascript=javascript)
    main = rep.page.locator("main")
    rep.open("/numbers/")
    rep.sees("60 numbers")
    rep.press("Next page", role="link")
    rep.sees("51 to 60 of 60")
    main.get_by_role("link", name="number", exact=True).click()
    rep.sees("1 to 50 of 60")
    assert main.locator("a.number").first.inner_text().startswith("(316) 734-2201")
    main.get_by_label("Number, name, notes or memo").fill("cake")
    rep.press("Filter")
    rep.sees("1 number")
    assert "sort=number" in rep.page.url
    assert main.locator("a.number mark").inner_text() == "CAKE"
    main.get_by_text("Save or manage views").click()
    main.get_by_label("Name of this view").fill("Cakes")
    rep.press("Save")
    rep.sees("The view Cakes is kept.")
    main.get_by_role("link", name="Number, name, notes or memo: cake Remove this filter").click()
    rep.sees("60 numbers")
    rep.press("Stopped 1", role="link")
    rep.sees("(316) 734-2202 stopped")
    rep.press("Cakes", role="link")
    rep.sees("1 number")


@pytest.mark.usefixtures("some_numbers")
def test_ticked_numbers_are_counted_and_sent(visit: Any) -> None:
    rep = visit("rep")
    rep.open("/numbers/?sort=number")
    rep.page.get_by_label("Choose (316) 734-2201").check()
    rep.page.get_by_label("Choose (316) 734-2253").check()
    with rep.page.expect_request("**/batches/select/") as sent:
        rep.press("Confirm with Callcap (2)")
    assert "number=3167342201&number=3167342253" in sent.value.post_data
    assert "kind=confirm" in sent.value.post_data
    rep.page.wait_for_url("**/preview/")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (320, True)], ids=["1280 light", "320 dark"])
@pytest.mark.usefixtures("some_numbers")
def test_the_pages_fit_and_have_no_barrier(visit: Any, width: int, dark: bool) -> None:
    rep = visit("rep", width=width, dark=dark)
    rep.expects("status of 422")
    problems: list[str] = []
    for path in (
        "/numbers/",
        "/numbers/?q=cake&brand=x&status=active&all=1",
        "/numbers/?q=734&state=KS&recording=on",
        "/numbers/?status=lost&state=nowhere",
        "/numbers/first-steps/",
        "/numbers/media-types/",
    ):
        rep.open(path)
        problems += rep.small_targets() + rep.barriers()
        if rep.sideways() > 0:
            problems.append(f"{path} is {rep.sideways()} px too wide")
    assert problems == []
