"""POST /v3/numbers/:phonenumber: what is ours can be changed, value by value."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.sandbox.conftest import CAKE, Api, assert_error
from tests.sandbox_server import SandboxServer


def test_what_is_sent_changes_and_the_rest_stays(api: Api, sandbox: SandboxServer) -> None:
    api.provision(CAKE, campaignName="Billboard", notes="old")
    body = api.update(CAKE, notes="new", recording="off", evaluation="delayed", stopDate="2099-01-01").json()
    assert body["status"] == "success"
    assert body["phoneNumber"] == CAKE
    assert (body["campaignName"], body["destination"]) == ("Billboard", "3164447896")
    assert (body["notes"], body["recording"]) == ("new", False)
    assert (body["evaluation"], body["stopDate"]) == ("delayed", "2099-01-01")
    (entry,) = sandbox.journal(number=CAKE, kind="update")
    assert entry["values"] == {
        "notes": "new",
        "recording": False,
        "evaluation": "delayed",
        "stopDate": "2099-01-01",
    }


def test_every_way_to_write_the_address_works(api: Api) -> None:
    api.provision(CAKE)
    for path in (CAKE, f"{CAKE}/", "+13167342253", "316-734-2253"):
        assert api.post(f"/v3/numbers/{path}", memo1=path).json()["memo1"] == path


def test_text_can_be_cleared_and_an_empty_name_is_the_number_again(api: Api) -> None:
    api.provision(CAKE, campaignName="Billboard", notes="old", mediaTypeID="4")
    body = api.update(CAKE, notes="", campaignName="", mediaTypeID="").json()
    assert (body["notes"], body["campaignName"], body["mediaTypeID"]) == ("", CAKE, None)


def test_a_number_that_is_not_ours_is_404(api: Api, sandbox: SandboxServer) -> None:
    assert_error(api.update(CAKE, notes="x"), 404, "does not exist")
    sandbox.take(CAKE)
    assert_error(api.update(CAKE, notes="x"), 404)
    assert_error(api.update("nonsense", notes="x"), 404)
    assert sandbox.journal() == []


def test_today_in_the_locations_zone_is_the_first_stop_date(api: Api) -> None:
    number = api.numbers(areaCode="808")[0]
    assert _location_name(api, 28) == ("Larkspur Dental Honolulu", "US/Hawaii")
    api.provision(number, account="L-28")
    today = datetime.now(ZoneInfo("Pacific/Honolulu")).date()
    assert api.update(number, stopDate=today.isoformat()).status_code == 200
    assert_error(api.update(number, stopDate=(today - timedelta(days=1)).isoformat()), 400, "stopDate")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"stopDate": "2020-01-01"}, "stopDate"),
        ({"stopDate": "2099-02-29"}, "stopDate"),
        ({"stopDate": "20990101"}, "stopDate"),
        ({"stopDate": ""}, "stopDate"),
        ({"destination": ""}, "destination"),
        ({"evaluation": "sometimes"}, "evaluation"),
        ({"recording": ""}, "recording"),
    ],
)
def test_bad_values_are_refused_and_nothing_changes(
    api: Api, sandbox: SandboxServer, values: dict[str, str], words: str
) -> None:
    api.provision(CAKE)
    assert_error(api.update(CAKE, notes="new", **values), 400, words)
    assert sandbox.journal(kind="update") == []
    assert "notes" not in api.update(CAKE, memo1="x").json()


def test_only_post_is_allowed(api: Api) -> None:
    assert_error(api.get(f"/v3/numbers/{CAKE}"), 405)


def _location_name(api: Api, account_id: int) -> tuple[str, str]:
    info = api.get("/v2/get/accounts/", account_type="location", account_id=str(account_id)).json()["info"]
    return info["account_name"], info["systemTimezone"]
