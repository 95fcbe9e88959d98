"""The client against the running sandbox, over real HTTP: what is asked is understood, and what comes back is read."""

import time

import pytest

from numbers_app.callcap import (
    AccountNode,
    AvailableNumber,
    CallcapClient,
    CallcapRateLimited,
    CallcapRefused,
    CallcapUnauthorized,
    CallcapUnreachable,
    CallcapUnreadable,
    Outcome,
    SearchCriteria,
    vanity,
)
from numbers_app.callcap.schemas import WriteValue
from tests.sandbox_server import SandboxServer

from .conftest import MakeClient

CAKE = "3167342253"
VALUES: dict[str, WriteValue] = {
    "destination": "3164447896",
    "campaign_name": "Billboard & more",
    "notes": "first line\nsecond: 50% = ½",
    "memo1": "",
    "recording": True,
    "evaluation": "realtime",
    "media_type_id": 4,
    "brand": "Prairie",
}


@pytest.fixture(params=["form", "json"])
def encoding(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client(make_client: MakeClient, sandbox: SandboxServer) -> CallcapClient:
    return make_client(sandbox.url, api_key=sandbox.api_key)


def test_every_criterion_narrows_the_search(client: CallcapClient) -> None:
    cake = client.search(SearchCriteria(full_number=CAKE)).numbers[0]
    assert cake == AvailableNumber(CAKE, "local", "public", "US", "KS", "Wichita", cake.rate_center, cake.zipcode)
    for criteria in (
        SearchCriteria(area_code="316", exchange="734", line="2253"),
        SearchCriteria(country="US", state="KS", city="wichita", vanity_text="316734cake"),
        SearchCriteria(area_code="316", rate_center=cake.rate_center, zipcode=cake.zipcode, line="2253"),
        SearchCriteria(full_number=CAKE, show_public_pool=True, show_local=True, show_tollfree=False),
    ):
        assert cake in client.search(criteria).numbers
    assert client.search(SearchCriteria(full_number=CAKE, show_local=False)).numbers == ()


def test_a_vanity_search_brings_numbers_that_spell_it(client: CallcapClient) -> None:
    found = client.search(SearchCriteria(vanity_text="#cake"))
    assert CAKE in {offer.number for offer in found.numbers}
    assert all(vanity.match(offer.number, "#cake") for offer in found.numbers)
    assert found.skipped == 0


def test_toll_free_numbers_have_no_place(client: CallcapClient) -> None:
    found = client.search(SearchCriteria(show_tollfree=True))
    assert {(offer.number_type, offer.place) for offer in found.numbers} == {("tollfree", "")}


def test_a_full_list_looks_capped(client: CallcapClient) -> None:
    everything = client.search(SearchCriteria(show_public_pool=True))
    assert (len(everything.numbers), everything.capped) == (1000, True)


def test_a_reserved_number_is_found_through_its_location_only(client: CallcapClient) -> None:
    pool = client.search(SearchCriteria(account="L-3", show_reserved_pool=True))
    number = pool.numbers[0].number
    found = client.find_number(number, "L-3")
    assert found is not None
    assert found.pool == "reserved"
    assert client.find_number(number) is None
    assert client.find_number(number, "L-4") is None
    assert client.find_number(CAKE, "L-4") is not None


def test_the_account_tree(client: CallcapClient) -> None:
    corporates = client.corporates()
    assert [node.key for node in corporates] == ["C-1", "C-2", "C-3"]
    node, divisions = client.describe_account("corporate", 1)
    assert node == corporates[0]
    location, below = client.describe_account("location", 3)
    division, locations = client.describe_account("division", int(location.parent_key[2:]))
    assert division in divisions
    assert location.time_zone == "America/Chicago"
    assert below == ()
    plain = AccountNode("L-3", "location", 3, location.name, division.key)
    assert plain in locations or location in locations
    with pytest.raises(CallcapRefused):
        client.describe_account("location", 999_999)


def test_buy_and_change(make_client: MakeClient, sandbox: SandboxServer, encoding: str) -> None:
    client = make_client(sandbox.url, api_key=sandbox.api_key, post_encoding=encoding)
    bought = client.provision(CAKE, "L-3", VALUES)
    assert (bought.outcome, bought.http_status, bought.named_number) == (Outcome.APPLIED, 200, CAKE)
    assert bought.campaign_id
    (entry,) = sandbox.journal(number=CAKE)
    assert (entry["kind"], entry["account"], entry["values"]) == (
        "purchase",
        "L-3",
        {
            "destination": "3164447896",
            "campaignName": "Billboard & more",
            "notes": "first line\nsecond: 50% = ½",
            "recording": True,
            "evaluation": "realtime",
            "mediaTypeID": 4,
            "brand": "Prairie",
        },
    )
    assert client.find_number(CAKE, "L-3") is None
    changed = client.update(CAKE, {"notes": "", "evaluation": "delayed", "recording": False, "stop_date": "2099-01-01"})
    assert (changed.outcome, changed.named_number) == (Outcome.APPLIED, CAKE)
    (change,) = sandbox.journal(number=CAKE, kind="update")
    assert change["values"] == {
        "notes": "",
        "evaluation": "delayed",
        "recording": False,
        "stopDate": "2099-01-01",
    }


def test_a_number_is_sold_once(client: CallcapClient, sandbox: SandboxServer) -> None:
    assert client.provision(CAKE, "L-3", VALUES).outcome is Outcome.APPLIED
    again = client.provision(CAKE, "L-3", VALUES)
    assert (again.outcome, again.http_status) == (Outcome.REFUSED, 409)
    assert again.message == "The phone number is not available."
    assert len(sandbox.purchases(CAKE)) == 1


def test_what_a_rival_bought_is_gone(client: CallcapClient, sandbox: SandboxServer) -> None:
    sandbox.take(CAKE)
    assert client.find_number(CAKE) is None
    assert client.provision(CAKE, "L-3", VALUES).outcome is Outcome.REFUSED
    not_ours = client.update(CAKE, {"notes": "x"})
    assert (not_ours.outcome, not_ours.http_status) == (Outcome.REFUSED, 404)


def test_instant_search_and_provision(client: CallcapClient, sandbox: SandboxServer) -> None:
    bought = client.provision_first_match(SearchCriteria(vanity_text="316734cake"), "L-3", VALUES)
    assert (bought.outcome, bought.named_number) == (Outcome.APPLIED, CAKE)
    assert sandbox.sold(CAKE)


@pytest.mark.parametrize(
    ("kind", "options", "outcome", "status", "sold"),
    [
        ("drop_before_commit", {}, Outcome.UNKNOWN, None, False),
        ("drop_after_commit", {}, Outcome.UNKNOWN, None, True),
        ("truncated", {}, Outcome.UNKNOWN, 200, True),
        ("html", {}, Outcome.UNKNOWN, 200, False),
        ("500", {}, Outcome.UNKNOWN, 500, False),
        ("slow", {"seconds": 1}, Outcome.UNKNOWN, None, True),
        ("401", {}, Outcome.REFUSED, 401, False),
        ("404", {}, Outcome.REFUSED, 404, False),
        ("429", {"retry_after": "7"}, Outcome.REFUSED, 429, False),
    ],
)
def test_outcome_of_a_purchase_under_faults(
    make_client: MakeClient,
    sandbox: SandboxServer,
    kind: str,
    options: dict[str, float | str],
    outcome: Outcome,
    status: int | None,
    sold: bool,
) -> None:
    client = make_client(sandbox.url, api_key=sandbox.api_key, timeout=0.5)
    sandbox.arm_fault(kind, "provision", **options)
    written = client.provision(CAKE, "L-3", VALUES)
    assert (written.outcome, written.http_status) == (outcome, status)
    assert written.retry_after == (7 if kind == "429" else None)
    assert sandbox.armed_faults() == []
    _wait_until_settled(sandbox, sold)
    assert len(sandbox.purchases(CAKE)) == int(sold)


def test_a_late_commit_is_unknown(client: CallcapClient, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("late_commit", "provision", seconds=0.5)
    assert client.provision(CAKE, "L-3", VALUES).outcome is Outcome.UNKNOWN
    assert not sandbox.sold(CAKE)
    _wait_until_settled(sandbox, True)
    assert client.update(CAKE, VALUES).outcome is Outcome.APPLIED


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("drop_before_commit", CallcapUnreachable),
        ("truncated", CallcapUnreadable),
        ("html", CallcapUnreadable),
        ("500", CallcapUnreadable),
        ("401", CallcapUnauthorized),
        ("429", CallcapRateLimited),
    ],
)
def test_searches_under_faults(
    client: CallcapClient, sandbox: SandboxServer, kind: str, error: type[Exception]
) -> None:
    sandbox.arm_fault(kind, "search", times=3)
    with pytest.raises(error):
        client.find_number(CAKE)
    sandbox.clear_faults()
    assert client.find_number(CAKE) is not None


def test_a_wrong_key(make_client: MakeClient, sandbox: SandboxServer) -> None:
    client = make_client(sandbox.url, api_key="wrong-key")
    with pytest.raises(CallcapUnauthorized):
        client.corporates()
    refused = client.provision(CAKE, "L-3", VALUES)
    assert (refused.outcome, refused.http_status) == (Outcome.REFUSED, 401)


def test_the_vendors_words_for_bad_values(client: CallcapClient, sandbox: SandboxServer) -> None:
    refused = client.provision(CAKE, "L-3", VALUES | {"evaluation": "delayed"})
    assert (refused.outcome, refused.http_status) == (Outcome.REFUSED, 400)
    assert "evaluation" in refused.message
    assert not sandbox.sold(CAKE)


def _wait_until_settled(sandbox: SandboxServer, sold: bool) -> None:
    """A slow or late purchase is committed a moment after the answer was given up on."""
    give_up = time.monotonic() + 5
    while sold and not sandbox.sold(CAKE) and time.monotonic() < give_up:
        time.sleep(0.05)
