"""Searching Callcap and our own numbers."""

import pytest
from django.utils import timezone

from numbers_app.callcap import SearchCriteria
from numbers_app.errors import VendorTrouble
from numbers_app.models import Account, Attempt, User
from numbers_app.selectors.campaigns import campaign_list, campaign_search
from numbers_app.selectors.orders import order_timeline
from numbers_app.selectors.search import found_numbers, number_places, number_search
from numbers_app.selectors.taken import Taken, numbers_taken
from tests.factories import CampaignFactory
from tests.orders.steps import CAKE, approve, ask, carry_out
from tests.sandbox_server import SandboxServer

pytestmark = pytest.mark.django_db


def test_found_numbers_say_who_wants_them_and_which_are_ours(
    rep: User, location: Account, sandbox: SandboxServer, numbers: list[str]
) -> None:
    order = ask(rep, location, CAKE)
    CampaignFactory(phone_number=numbers[0], account=location)
    result = number_search(SearchCriteria(area_code="316"))
    found = {number.offer.number: number for number in found_numbers(result.offers)}
    assert (found[CAKE].wanted_by, found[CAKE].held) == (order.pk, False)
    assert (found[numbers[0]].wanted_by, found[numbers[0]].held) == (None, True)
    assert (found[numbers[1]].wanted_by, found[numbers[1]].held) == (None, False)
    assert (result.skipped, result.capped) == (0, False)


@pytest.mark.parametrize("fault", ["500", "html", "401", "429"])
def test_search_that_fails_says_so(sandbox: SandboxServer, fault: str) -> None:
    sandbox.arm_fault(fault, "search", times=3)
    with pytest.raises(VendorTrouble, match="Callcap"):
        number_search(SearchCriteria(area_code="316"))


def test_places_are_asked_of_callcap(sandbox: SandboxServer, numbers: list[str]) -> None:
    toll_free = sandbox.search(showTollfree="true")[0]["phoneNumber"]
    sandbox.take(numbers[0])
    assert number_places([CAKE, toll_free, numbers[0]], "L-3") == {
        CAKE: "Wichita, KS",
        toll_free: "Toll-free",
        numbers[0]: None,
    }


def test_places_that_cannot_be_asked_are_trouble(sandbox: SandboxServer) -> None:
    sandbox.arm_fault("500", "search", times=2)
    with pytest.raises(VendorTrouble):
        number_places([CAKE], "L-3")


@pytest.mark.parametrize(
    "text", ["(316) 734", "7342253", "555-0100", "spring", "RIVER", "blue memo", "other memo", "316.734.2253"]
)
def test_our_numbers_are_found_by_digits_and_words(rep: User, location: Account, text: str) -> None:
    CampaignFactory(
        phone_number=CAKE,
        account=location,
        destination="3165550100",
        campaign_name="Spring mailer",
        notes="by the river",
        memo1="a blue memo",
        memo2="an other memo",
    )
    CampaignFactory(phone_number="9205550199", account=location, destination="9205550198", campaign_name="x")
    assert [campaign.phone_number for campaign in campaign_search(campaign_list(rep), text)] == [CAKE]


def test_letters_with_digits_are_not_taken_for_a_number(rep: User, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location, campaign_name="x")
    assert not campaign_search(campaign_list(rep), "I-316").exists()


def test_held_and_wanted_numbers_are_told_apart(rep: User, location: Account) -> None:
    CampaignFactory(phone_number=CAKE, account=location)
    order = ask(rep, location, "3164440002")
    CampaignFactory(phone_number="3164440003", account=location, ended_at=timezone.now())
    taken = numbers_taken([CAKE, "3164440002", "3164440003", "3164440004"])
    assert taken == Taken(held={CAKE}, wanted={"3164440002": order.pk})
    assert [number in taken for number in (CAKE, "3164440002", "3164440003")] == [True, True, False]
    assert numbers_taken([]) == Taken()


def test_timeline_tells_the_order_s_life_oldest_first(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = carry_out(approve(manager, ask(rep, location)))
    lines = [entry.verb for entry in order_timeline(order)]
    assert lines == ["order.requested", "order.approved", "order.sending", "number.bought", "order.done"]
    assert str(order) == f"Order {order.pk}"
    assert str(Attempt.objects.get()) == f"Purchase of {CAKE}"
    assert str(order.choices.get()) == CAKE
