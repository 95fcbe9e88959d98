"""The breaker: Callcap is left alone after five failures in a row, and tried again by one caller at a time."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from numbers_app.callcap import CallcapError, SearchCriteria
from numbers_app.models import Account, Breaker, OrderStatus, RateGate, User
from numbers_app.vendor import VendorBusy, VendorLeftAlone, vendor_find_number, vendor_search
from numbers_app.vendor.breaker import breaker_admit, breaker_not_tried
from tests.callcap.vendor import RawVendor, answer, drips
from tests.orders.steps import CAKE, approve, ask, carry_out
from tests.sandbox_server import SandboxServer
from tests.web.page import Page

from .conftest import BROKEN, FOUND, NUMBER, Ask, database_seconds

pytestmark = pytest.mark.django_db

LEFT_ALONE = r"did not answer several times in a row, so it is left alone until \d+:\d\d:\d\d [AP]M C[DS]T\."


def fail(times: int) -> None:
    for _ in range(times):
        with pytest.raises(CallcapError):
            vendor_find_number(NUMBER)


def row() -> tuple[int, float]:
    """Failures in a row, and for how many seconds Callcap is left alone."""
    breaker = Breaker.objects.get(pk=Breaker.ONLY)
    return breaker.failures, breaker.open_until - database_seconds()


@pytest.fixture
def opened(db: None) -> None:
    Breaker.objects.update_or_create(pk=Breaker.ONLY, defaults={"failures": 5, "open_until": database_seconds() + 30})


@pytest.fixture
def due(opened: None) -> None:
    """The half minute is over."""
    Breaker.objects.update(open_until=database_seconds() - 0.001)


@pytest.mark.parametrize(
    "trouble",
    [
        b"",
        b"garbage",
        BROKEN,
        answer("<html>"),
        answer('{"status": "success", "numbers": ['),
        answer("", 302, Location="/"),
        answer('{"status": "error"}', 408),
    ],
)
def test_after_five_failures_in_a_row_callcap_is_not_asked(callcap: Ask, trouble: bytes) -> None:
    to = callcap(trouble)
    fail(5)
    assert len(to.requests) == 5
    begun = time.monotonic()
    with pytest.raises(VendorLeftAlone, match=LEFT_ALONE):
        vendor_find_number(NUMBER)
    with pytest.raises(VendorLeftAlone):
        vendor_search(SearchCriteria(area_code="316"))
    assert time.monotonic() - begun < 1.5
    assert len(to.requests) == 5
    failures, seconds = row()
    assert failures == 5
    assert 25 < seconds <= 30


def test_a_callcap_that_is_too_slow_is_left_alone(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from numbers_app.vendor import callcap_client

    settings.CALLCAP_TIMEOUT = 0.05
    slow = RawVendor(drips(FOUND))
    settings.CALLCAP_API_URL = slow.url
    callcap_client.cache_clear()
    fail(5)
    with pytest.raises(VendorLeftAlone):
        vendor_find_number(NUMBER)
    slow.stop()
    callcap_client.cache_clear()


@pytest.mark.parametrize(
    ("status", "body"), [(400, {"status": "error", "message": "No"}), (200, {"status": "no"}), (401, {}), (403, {})]
)
def test_a_refusal_is_an_answer(callcap: Ask, status: int, body: dict[str, str]) -> None:
    refused = answer(json.dumps(body), status)
    to = callcap(*[BROKEN] * 4, *[refused] * 5, *[BROKEN] * 4, refused)
    fail(14)
    assert len(to.requests) == 14


def test_too_many_calls_are_no_failure(callcap: Ask) -> None:
    to = callcap(answer("", 429, Retry_After="120"))
    fail(8)
    assert len(to.requests) == 8


def test_nothing_found_is_no_failure(callcap: Ask) -> None:
    to = callcap(answer('{"status": "error", "message": "not there"}', 404))
    for _ in range(7):
        assert vendor_find_number(NUMBER) is None
    assert len(to.requests) == 7


def test_a_success_in_between_starts_the_count_anew(callcap: Ask) -> None:
    to = callcap(*[BROKEN] * 4, FOUND, BROKEN)
    fail(4)
    assert vendor_find_number(NUMBER) is not None
    assert row()[0] == 0
    fail(5)
    assert len(to.requests) == 10
    with pytest.raises(VendorLeftAlone):
        vendor_find_number(NUMBER)


@pytest.mark.usefixtures("due")
def test_after_half_a_minute_a_success_ends_it(callcap: Ask) -> None:
    to = callcap(FOUND)
    assert vendor_find_number(NUMBER) is not None
    assert vendor_find_number(NUMBER) is not None
    assert len(to.requests) == 2
    assert Breaker.objects.get().failures == 0


@pytest.mark.usefixtures("due")
def test_a_refusal_ends_it_too(callcap: Ask) -> None:
    to = callcap(answer('{"status": "unauthorized"}', 401))
    fail(2)
    assert len(to.requests) == 2


@pytest.mark.usefixtures("due")
def test_a_failed_try_leaves_callcap_alone_for_another_half_minute(callcap: Ask) -> None:
    to = callcap(BROKEN)
    fail(3)
    assert len(to.requests) == 1
    failures, seconds = row()
    assert failures == 6
    assert 28 < seconds <= 30


@pytest.mark.usefixtures("due")
def test_while_one_tries_the_others_are_refused() -> None:
    assert breaker_admit() == 5
    for _ in range(3):
        with pytest.raises(VendorLeftAlone):
            breaker_admit()


@pytest.mark.usefixtures("due")
def test_who_finds_no_turn_leaves_the_try_to_the_next(callcap: Ask, settings: Any) -> None:
    to = callcap(FOUND)
    settings.CALLCAP_MAX_PER_SECOND = 0.1
    gate, _ = RateGate.objects.update_or_create(name=RateGate.Name.ALL, defaults={"next_at": database_seconds() + 15})
    for _ in range(2):
        with pytest.raises(VendorBusy):
            vendor_find_number(NUMBER)
    gate.delete()
    assert vendor_find_number(NUMBER) is not None
    assert len(to.requests) == 1
    assert row()[0] == 0


@pytest.mark.usefixtures("opened")
def test_who_finds_no_turn_while_callcap_is_well_shortens_no_rest() -> None:
    breaker_not_tried(4)
    breaker_not_tried(6)
    assert 28 < row()[1] <= 30


@pytest.mark.usefixtures("due")
def test_who_dies_while_trying_is_followed_by_another(settings: Any) -> None:
    breaker_admit()
    _, seconds = row()
    assert settings.CALLCAP_TIMEOUT < seconds < settings.CALLCAP_TIMEOUT + 15
    Breaker.objects.update(open_until=database_seconds() - 0.001)
    assert breaker_admit() == 5


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_moment_one_tries() -> None:
    over = database_seconds() - 1
    Breaker.objects.update_or_create(pk=Breaker.ONLY, defaults={"failures": 5, "open_until": over})
    callers = 6
    together = threading.Barrier(callers)
    admitted: list[int] = []

    def come() -> None:
        together.wait()
        try:
            admitted.append(breaker_admit())
        except VendorLeftAlone:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=come) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert admitted == [5]


def test_while_all_is_well_it_costs_one_query(callcap: Ask, django_assert_num_queries: Any) -> None:
    callcap(FOUND)
    with django_assert_num_queries(1) as captured:
        vendor_find_number(NUMBER)
    assert captured.captured_queries[0]["sql"].startswith("SELECT")


def test_writes_are_not_stopped_by_it(
    rep: User,
    manager: User,
    location: Account,
    sandbox: SandboxServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = approve(manager, ask(rep, location, CAKE))

    def open_it(step: str) -> None:
        if step == "looked":
            Breaker.objects.update_or_create(
                pk=Breaker.ONLY, defaults={"failures": 5, "open_until": database_seconds() + 30}
            )

    monkeypatch.setattr("numbers_app.steps.listener", open_it)
    assert carry_out(order).status == OrderStatus.DONE
    assert sandbox.sold(CAKE)


@pytest.mark.usefixtures("opened")
def test_a_purchase_waits_until_callcap_can_be_looked_at_again(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = approve(manager, ask(rep, location, CAKE))
    carry_out(order)
    assert (order.status, order.attempts.count()) == (OrderStatus.APPROVED, 0)
    assert order.result.startswith("Not sent yet: Callcap did not answer several times in a row")
    assert not sandbox.sold(CAKE)


# --- what people see ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("opened")
def test_the_search_page_does_not_wait_for_callcap_and_keeps_what_was_typed(
    callcap: Ask, signed_in: Any, rep: User
) -> None:
    to = callcap(FOUND)
    page = Page(signed_in(rep).get("/search/", {"area_code": "316"}))
    assert page.status == 503
    assert "Callcap did not answer several times in a row" in page.text
    assert page.value("area_code") == "316"
    assert to.requests == []


@pytest.mark.usefixtures("opened")
def test_an_order_shows_what_is_known(
    callcap: Ask, signed_in: Any, rep: User, manager: User, location: Account
) -> None:
    to = callcap(FOUND)
    order = ask(rep, location, NUMBER)
    client = signed_in(manager)
    assert client.get(f"/orders/{order.pk}/").status_code == 200
    page = Page(client.get(f"/orders/{order.pk}/availability/"))
    assert "Whether it is still available is checked again before anything is bought." in page.text
    assert to.requests == []


def test_what_was_found_a_moment_ago_is_still_shown(callcap: Ask) -> None:
    callcap(FOUND, BROKEN)
    criteria = SearchCriteria(area_code="316")
    vendor_search(criteria)
    fail(5)
    assert vendor_search(criteria).cached
    with pytest.raises(VendorLeftAlone):
        vendor_search(criteria, fresh=True)


def test_a_search_that_cannot_be_refreshed_shows_what_is_kept_and_why(callcap: Ask, signed_in: Any, rep: User) -> None:
    callcap(FOUND, BROKEN)
    client = signed_in(rep)
    client.get("/search/", {"area_code": "316"})
    response = client.get("/search/", {"area_code": "316", "fresh": "1"}, follow=True)
    assert response.redirect_chain == [("/search/?area_code=316", 302)]
    page = Page(response)
    assert page.status == 200
    assert "This search was not refreshed. Callcap has a problem of its own (status 500)." in page.text
    assert "(316) 734-2253" in page.one("tbody").text
    assert page.links("Refresh") == ["?area_code=316&fresh=1"]


def test_when_nothing_is_kept_a_refresh_that_fails_says_so_at_the_same_address(
    callcap: Ask, signed_in: Any, rep: User
) -> None:
    callcap(BROKEN)
    response = signed_in(rep).get("/search/", {"area_code": "316", "fresh": "1"}, follow=True)
    assert response.redirect_chain == [("/search/?area_code=316", 302)]
    assert response.status_code == 503


@pytest.mark.usefixtures("opened")
def test_readyz_tells_and_stays_ready(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["callcap"]["left_alone_until"].endswith("+00:00")
    Breaker.objects.update(open_until=database_seconds() - 1)
    assert client.get("/readyz").json()["callcap"] == {"left_alone_until": None}
