"""What is said of a destination while it is typed and when it is sent: known ones, loops, and what is unusual."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from numbers_app.models import Account, Campaign, Order, User
from tests.factories import CampaignFactory
from tests.sandbox_server import SandboxServer

from .conftest import CAKE, HTMX, Purchase
from .page import Page

pytestmark = pytest.mark.django_db

URL = "/orders/destination/"
KNOWN = "3164447896"
TORONTO = "4165550100"
TOLLFREE = "8005550199"


def hints(client: Client, **asked: Any) -> Page:
    response = client.get(URL, {"account": "L-3"} | asked, headers=HTMX)
    assert response.status_code == 200
    page = Page(response)
    assert "<html" not in page.html
    return page


def warnings(page: Page) -> list[str]:
    return [warning.text.removeprefix("Warning: ") for warning in page.all("p", class_="warning")]


def suggestions(page: Page) -> list[tuple[str, str]]:
    known = page.one("datalist", id="known-destinations")
    return [(option.attributes["value"], option.text) for option in known.all("option")]


def send(client: Client, **typed: Any) -> Any:
    """A complete request for a number, as the form sends it."""
    wish = {"number": [CAKE], "account": "L-3", "destination": KNOWN, "form_token": str(uuid.uuid4())}
    return client.post("/orders/new/", wish | typed)


# --- while somebody types -------------------------------------------------------------------------------------------


def test_a_known_destination_is_suggested_and_warned_of_nowhere(as_rep: Client, campaign: Campaign) -> None:
    CampaignFactory(account=campaign.account, phone_number="3167342254", destination=KNOWN, campaign_name="A")
    CampaignFactory(account=campaign.account, phone_number="3167342255", destination="3165550100", campaign_name="B")
    page = hints(as_rep, destination=KNOWN, number="3167342260")
    assert suggestions(page) == [("(316) 444-7896", "Spring cakes, 2 numbers"), ("(316) 555-0100", "B")]
    assert warnings(page) == []


def test_ten_are_suggested(as_rep: Client, location: Account) -> None:
    for line in range(10, 25):
        CampaignFactory(account=location, phone_number=f"31673422{line}", destination=f"31655501{line}")
    assert len(suggestions(hints(as_rep))) == 10


def test_numbers_that_stopped_suggest_nothing(as_rep: Client, location: Account) -> None:
    CampaignFactory(account=location, phone_number=CAKE, destination=KNOWN, ended_at=timezone.now())
    page = hints(as_rep, destination=KNOWN)
    assert suggestions(page) == []
    assert warnings(page) == ["No other number at Location 3 rings (316) 444-7896."]


def test_a_destination_that_was_never_used_here_is_warned_of(as_rep: Client, campaign: Campaign) -> None:
    assert warnings(hints(as_rep, destination="316-555-0100")) == [
        "No other number at Location 3 rings (316) 555-0100."
    ]


def test_use_elsewhere_is_counted_and_not_named(as_rep: Client, location: Account, elsewhere: Account) -> None:
    CampaignFactory(account=elsewhere, phone_number=CAKE, destination="3165550100", campaign_name="Secret")
    page = hints(as_rep, destination="3165550100")
    assert warnings(page) == ["No other number at Location 3 rings (316) 555-0100. It is used elsewhere, by 1 number."]
    assert "Secret" not in page.html
    assert suggestions(page) == []


@pytest.mark.parametrize(("count", "warned"), [(9, False), (10, True)])
def test_unusually_many_numbers_for_one_destination_are_warned_of(
    as_rep: Client, location: Account, count: int, warned: bool
) -> None:
    for line in range(10, 10 + count):
        CampaignFactory(account=location, phone_number=f"31673422{line}", destination=KNOWN)
    expected = [f"{count} of our numbers ring (316) 444-7896 already, which is unusually many."] if warned else []
    assert warnings(hints(as_rep, destination=KNOWN)) == expected


@pytest.mark.parametrize(
    ("number", "destination", "sentence"),
    [
        (CAKE, TORONTO, "(416) 555-0100 is in Canada, another country than the number's."),
        (TORONTO, "3165550100", "(316) 555-0100 is in the United States, another country than the number's."),
        (CAKE, TOLLFREE, ""),
        (TOLLFREE, TORONTO, ""),
        ("", TORONTO, ""),
        ([CAKE, "4165550111"], TORONTO, ""),
    ],
)
def test_another_country_is_warned_of(
    as_rep: Client, location: Account, number: Any, destination: str, sentence: str
) -> None:
    found = [words for words in warnings(hints(as_rep, destination=destination, number=number)) if "country" in words]
    assert found == ([sentence] if sentence else [])


def test_the_number_itself_is_a_loop(as_rep: Client, location: Account) -> None:
    page = hints(as_rep, destination="(316) 734-2253", number=[CAKE, "3167342254"])
    assert warnings(page)[0] == "(316) 734-2253 is the number itself: calls would go round in a circle."


def test_a_number_of_ours_is_a_loop_and_tells_nothing_more_of_it(as_rep: Client, campaign: Campaign) -> None:
    page = hints(as_rep, destination=CAKE, number="3167342254")
    assert warnings(page)[0] == (
        "(316) 734-2253 is itself one of our tracking numbers: calls could go round in a circle."
    )


def test_a_number_that_somebody_wants_to_buy_is_a_loop(as_rep: Client, purchase: Purchase) -> None:
    purchase(CAKE)
    page = hints(as_rep, destination=CAKE, number="3167342254")
    assert warnings(page)[0] == "(316) 734-2253 is itself about to become one of our tracking numbers."


def test_of_a_number_of_ours_its_own_destination_is_nothing_new(as_rep: Client, campaign: Campaign) -> None:
    assert warnings(hints(as_rep, account="", number=CAKE, destination=KNOWN)) == []
    assert warnings(hints(as_rep, account="", number=CAKE, destination="3165550100")) == [
        "No other number at Location 3 rings (316) 555-0100."
    ]


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "3",
        "316",
        "316 555",
        "(316) 555-010",
        "1-800-FLOWERS",
        "911",
        "+44 20 7946 0958",
        "9" * 40,
        "<b>",
        "#",
        "😀",
    ],
)
def test_what_is_no_number_yet_is_met_with_silence(as_rep: Client, campaign: Campaign, typed: str) -> None:
    page = hints(as_rep, destination=typed)
    assert warnings(page) == []
    assert suggestions(page) == [("(316) 444-7896", "Spring cakes")]


NEVER_TYPED = ["\x00", "316\x00555 0100", "3" * 5000, "L-3\x00"]
NAMES = ["NUL", "NUL within", "long", "L-3 NUL"]


@pytest.mark.parametrize("field", ["destination", "number"])
@pytest.mark.parametrize("value", NEVER_TYPED, ids=NAMES)
def test_what_nobody_types_does_no_harm(as_rep: Client, campaign: Campaign, field: str, value: str) -> None:
    page = hints(as_rep, **({"destination": KNOWN, "number": "3167342260"} | {field: value}))
    assert warnings(page) == []


@pytest.mark.parametrize("value", ["\x00", "L-3\x00"], ids=["NUL", "L-3 NUL"])
def test_an_account_that_nobody_types_gives_nothing(as_rep: Client, campaign: Campaign, value: str) -> None:
    page = hints(as_rep, account=value, destination="3165550100")
    assert (warnings(page), suggestions(page)) == ([], [])
    assert send(as_rep, account=value).status_code == 422


@pytest.mark.parametrize("account", ["", "L-30", "L-999", "D-1", "3", "l-3", "3" * 5000], ids=lambda key: key[:9])
def test_an_account_that_is_not_one_s_own_gives_nothing(as_rep: Client, elsewhere: Account, account: str) -> None:
    CampaignFactory(account=elsewhere, phone_number=CAKE, destination="3165550100", campaign_name="Secret")
    page = hints(as_rep, account=account, destination="3165550100", number="3167342254")
    assert (warnings(page), suggestions(page)) == ([], [])
    page = hints(as_rep, account=account, destination="3165550100", number=CAKE)
    assert (warnings(page), suggestions(page)) == ([], [])


def test_without_htmx_it_is_a_page(as_rep: Client, campaign: Campaign) -> None:
    page = Page(as_rep.get(URL, {"account": "L-3", "destination": "3165550100"}))
    assert page.heading == "About this destination"
    assert len(warnings(page)) == 1


# --- on the forms ---------------------------------------------------------------------------------------------------


def test_the_forms_have_the_hints_without_a_script(as_rep: Client, campaign: Campaign) -> None:
    page = Page(as_rep.get("/orders/new/", {"number": "3167342254", "account": "L-3"}))
    assert suggestions(page) == [("(316) 444-7896", "Spring cakes")]
    assert page.one("input", name="destination").attributes["list"] == "known-destinations"
    place = page.one("div", id="destination-hints").attributes
    assert (place["hx-get"], place["aria-live"]) == (URL, "polite")
    changing = Page(as_rep.get(f"/numbers/{CAKE}/change/"))
    assert suggestions(changing) == [("(316) 444-7896", "Spring cakes")]
    assert changing.value("number") == CAKE


def test_a_form_that_comes_back_says_what_looks_wrong(as_rep: Client, campaign: Campaign) -> None:
    response = send(as_rep, number=["316734"], destination="3165550100")
    assert response.status_code == 422
    assert "No other number at Location 3 rings (316) 555-0100." in warnings(Page(response))


def test_what_is_only_unusual_keeps_nobody_from_asking(
    as_rep: Client, sandbox: SandboxServer, location: Account
) -> None:
    CampaignFactory(account=location, phone_number="3167342299")
    assert send(as_rep, destination="3165550100").status_code == 302


@pytest.fixture
def looping(sandbox: SandboxServer, location: Account) -> str:
    """A tracking number of ours, as a destination."""
    CampaignFactory(account=location, phone_number="3167342299")
    return "3167342299"


def test_a_loop_is_refused_unless_it_is_said_to_be_meant(as_rep: Client, looping: str) -> None:
    response = send(as_rep, destination=looping, reason="Over the hotline")
    page = Page(response)
    assert response.status_code == 422
    assert "is itself one of our tracking numbers" in page.error_at("destination")
    assert "Give another one, or say below that this is meant." in page.error_at("destination")
    assert not Order.objects.exists()
    filled = page.filled("/orders/new/")
    assert "destination_checked" not in filled
    assert filled["reason"] == ["Over the hotline"]
    again = as_rep.post("/orders/new/", filled | {"destination_checked": "on"})
    assert again.status_code == 302
    assert Order.objects.get().parameters["destination"] == looping


def test_that_it_is_meant_is_kept_when_something_else_is_wrong(as_rep: Client, looping: str) -> None:
    response = send(as_rep, destination=looping, destination_checked="on", stop_date="2020-01-01")
    page = Page(response)
    assert response.status_code == 422
    assert page.values("destination_checked") == ["on"]


def test_the_number_itself_is_refused_too(as_rep: Client, sandbox: SandboxServer) -> None:
    response = send(as_rep, destination=CAKE, destination_checked="on")
    assert response.status_code == 422
    assert "is the number itself" in Page(response).error_at("destination")


def test_a_loop_does_not_ask_callcap_first(as_rep: Client, location: Account) -> None:
    response = send(as_rep, destination=CAKE)
    assert response.status_code == 422
    assert not Page(response).all("div", data_announce="")


def test_a_change_says_once_more_what_looks_wrong_before_it_is_sent(as_rep: Client, campaign: Campaign) -> None:
    address = f"/numbers/{CAKE}/change/"
    filled = Page(as_rep.get(address)).filled(address)
    confirm = Page(as_rep.post(address, filled | {"destination": "(316) 555-0100"}))
    assert warnings(confirm) == ["No other number at Location 3 rings (316) 555-0100."]
    itself = Page(as_rep.post(address, filled | {"destination": CAKE}))
    assert any("is the number itself" in words for words in warnings(itself))


@pytest.mark.parametrize("person", ["auditor", "admin"])
def test_who_orders_nothing_asks_for_nothing(request: pytest.FixtureRequest, signed_in: Any, person: str) -> None:
    user: User = request.getfixturevalue(person)
    assert signed_in(user).get(URL, {"destination": KNOWN}, headers=HTMX).status_code == 403
