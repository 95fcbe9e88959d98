"""Every page fits narrow and wide windows, light and dark, and is open to everybody."""

from __future__ import annotations

from typing import Any

import pytest

from numbers_app.models import Account, User
from tests.factories import CampaignFactory
from tests.promises.wishes import CAKE, requested
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.browser

ZOOMED = (320, 256)
PAGES = {
    "": ["/accounts/login/", "/accounts/password/reset/"],
    "rep": [
        "/",
        "/search/?vanity_text=cake",
        "/search/?area_code=31",
        "/orders/new/?number=3167342253",
        "/orders/",
        "/orders/{order}/",
        "/numbers/",
    ],
    "manager": ["/", "/orders/", "/orders/{order}/", "/orders/{order}/reject/", "/numbers/3167342299/change/"],
    "auditor": [
        "/",
        "/history/?number=3167342299",
        "/history/?number=12",
        "/numbers/",
        "/numbers/3167342299/",
        "/accounts/password/change/",
        "/search/",
        "/nowhere/",
    ],
}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 900), (320, 640), ZOOMED], ids=["1280", "320", "400% zoom"])
def test_every_page_fits_and_has_no_barrier(
    visit: Any, sandbox: SandboxServer, people: dict[str, User], size: tuple[int, int], dark: bool
) -> None:
    location = Account.objects.get(key="L-3")
    order = requested(people["rep"], location, CAKE, notes="Longword" * 25)
    CampaignFactory(account=location, phone_number="3167342299", campaign_name="Wide " * 19)
    problems: list[str] = []
    for name, paths in PAGES.items():
        person = visit(name, width=size[0], height=size[1], dark=dark)
        person.expects("status of 403", "status of 404", "status of 422")
        for path in paths:
            person.open(path.format(order=order.pk))
            problems += person.small_targets()
            if size != ZOOMED:  # the same width and colours as one that is looked at
                problems += person.barriers()
            if person.sideways() > 0:
                problems.append(f"{path} is {person.sideways()} px too wide")
    assert problems == []
