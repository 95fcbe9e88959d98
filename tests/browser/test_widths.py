"""Every page fits narrow and wide windows, light and dark, and is open to everybody."""

from __future__ import annotations

from typing import Any

import pytest

from numbers_app.models import Account, User
from tests.factories import CampaignFactory
from tests.promises.wishes import CAKE, requested
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.browser

PAGES = {
    "rep": [
        "/",
        "/search/?vanity_text=cake",
        "/search/?area_code=31",
        "/orders/new/?number=3167342253",
        "/orders/{order}/",
    ],
    "manager": ["/", "/orders/", "/orders/{order}/", "/orders/{order}/reject/", "/numbers/3167342299/change/"],
    "auditor": ["/history/", "/numbers/", "/numbers/3167342299/", "/accounts/password/change/", "/nowhere/"],
}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 900), (320, 640), (320, 256)], ids=["1280", "320", "400% zoom"])
def test_every_page_fits_and_has_no_barrier(
    visit: Any, sandbox: SandboxServer, people: dict[str, User], size: tuple[int, int], dark: bool
) -> None:
    location = Account.objects.get(key="L-3")
    order = requested(people["rep"], location, CAKE, notes="A longword" * 20)
    CampaignFactory(account=location, phone_number="3167342299", campaign_name="Wide " * 19)
    problems: list[str] = []
    for name, paths in PAGES.items():
        person = visit(name, width=size[0], height=size[1], dark=dark)
        for path in paths:
            person.open(path.format(order=order.pk))
            problems += person.barriers()
            if person.sideways() > 0:
                problems.append(f"{path} is {person.sideways()} px too wide")
        # A page that is an error on purpose is reported by the browser too.
        person.complaints[:] = [c for c in person.complaints if "status of 422" not in c and "status of 404" not in c]
    assert problems == []
