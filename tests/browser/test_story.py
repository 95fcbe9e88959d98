"""The main job, as people do it: find, request, approve, buy, re-route, audit; with JavaScript and without."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from numbers_app.services.verification import history_verify
from tests.sandbox_server import SandboxServer

pytestmark = [pytest.mark.browser, pytest.mark.story]
CAKE = "3167342253"


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
@pytest.mark.usefixtures("worker_process")
def test_a_number_is_found_bought_rerouted_and_audited(visit: Any, sandbox: SandboxServer, javascript: bool) -> None:
    barriers: list[str] = []
    stop_date = f"{date.today().year + 1}-06-30"

    rep = visit("rep", at_the_door=True, javascript=javascript)
    barriers += rep.barriers()
    rep.open("/search/")
    rep.page.fill("[name=vanity_text]", "###cake")
    if not javascript:
        rep.press("Search")
    rep.page.get_by_role("link", name="Request (316) 734-2253").wait_for()
    row = rep.page.get_by_role("row").filter(has_text="(316) 734-2253")
    assert row.locator("mark").text_content() == "CAKE"
    barriers += rep.barriers()
    rep.press("Request (316) 734-2253", "link")
    rep.page.select_option("[name=account]", "L-3")
    rep.page.fill("[name=destination]", "(316) 444-7896")
    rep.page.fill("[name=campaign_name]", "Birthday cakes")
    rep.page.fill("[name=reason]", "The bakery opens in spring")
    barriers += rep.barriers()
    rep.press("Request")
    rep.sees("Waiting for approval")
    barriers += rep.barriers()
    order_address = rep.page.url
    order_id = order_address.rstrip("/").rsplit("/", 1)[1]

    manager = visit("manager", at_the_door=True, javascript=javascript)
    manager.open("/orders/")
    manager.sees("The bakery opens in spring")
    barriers += manager.barriers()
    manager.open(order_address)
    manager.press("Approve")
    manager.reload_until("Bought.")
    barriers += manager.barriers()
    manager.press("(316) 734-2253", "link")
    manager.sees("(316) 444-7896")
    barriers += manager.barriers()

    manager.press("Change", "link")
    manager.page.fill("[name=destination]", "316-555-0177")
    manager.page.fill("[name=stop_date]", stop_date)
    manager.press("Show what will change")
    manager.sees("What will change")
    barriers += manager.barriers()
    manager.press("Send to Callcap")
    manager.reload_until("Changed.")
    barriers += manager.barriers()

    auditor = visit("auditor", at_the_door=True, javascript=javascript)
    auditor.open(f"/history/?number={CAKE}")
    for sentence in (
        f"requested order {order_id}",
        f"approved order {order_id}",
        "bought (316) 734-2253, ringing (316) 444-7896, approved by Manager Test",
        "re-routed (316) 734-2253 from (316) 444-7896 to (316) 555-0177",
        f"set the stop date of (316) 734-2253 to {stop_date}",
    ):
        auditor.sees(sentence)
    barriers += auditor.barriers()
    auditor.open(f"/numbers/{CAKE}/")
    auditor.sees("(316) 555-0177")
    barriers += auditor.barriers()
    assert auditor.page.get_by_role("link", name="Change", exact=True).count() == 0

    assert barriers == []
    assert [entry["number"] for entry in sandbox.purchases()] == [CAKE]
    updates = sandbox.journal(kind="update")
    assert [entry["values"] for entry in updates] == [{"destination": "3165550177", "stopDate": stop_date}]
    assert history_verify().problems == []
