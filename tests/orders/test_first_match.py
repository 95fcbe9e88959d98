"""Orders for any number that matches a search: the portal chooses, writes it down, and only then buys it by name."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from numbers_app.actors import Actor
from numbers_app.callcap import AvailableNumber, Outcome, SearchAnswer, SearchCriteria, WriteAnswer
from numbers_app.errors import InvalidInput
from numbers_app.models import (
    Account,
    Attempt,
    Campaign,
    Choice,
    HistoryEntry,
    Order,
    OrderStatus,
    Source,
    User,
)
from numbers_app.protocol import MOST_FOUND
from numbers_app.services import first_match
from numbers_app.services.decisions import order_cancel
from numbers_app.services.execution import attempts_expire, order_execute
from numbers_app.services.orders import WantedNumber, order_amend, order_request_purchase
from numbers_app.services.sending import attempt_conclude
from numbers_app.services.verification import history_verify
from numbers_app.vendor import callcap_client
from tests.factories import CampaignFactory
from tests.orders.steps import (
    CAKE,
    DESTINATION,
    WORKER,
    approve,
    ask,
    at_once,
    buys,
    carry_out,
    keep_trying,
    pause_is_over,
    time_passes,
    told,
    verbs,
)
from tests.sandbox_server import SandboxServer

WICHITA = SearchCriteria(area_code="316")
SPELLING_CAKE = SearchCriteria(area_code="316", vanity_text="cake")
NOTHING = SearchCriteria(area_code="316", exchange="999")

pytestmark = pytest.mark.django_db

type OnStep = Callable[[str, Callable[[], Any]], None]
type DieAt = Callable[[Order, str], None]


def found(order: Order) -> list[tuple[str, bool]]:
    """(number, still wanted) of what the search brought, in turn."""
    return list(order.choices.filter(found=True).values_list("number", "live"))


def bought(sandbox: SandboxServer) -> list[str]:
    return [purchase["number"] for purchase in sandbox.purchases()]


@pytest.fixture
def matching(sandbox: SandboxServer) -> list[str]:
    """What Callcap offers for WICHITA, in the order in which it is taken."""
    return [offer["phoneNumber"] for offer in sandbox.search(areaCode="316")]


@pytest.fixture
def order(rep: User, manager: User, location: Account, sandbox: SandboxServer) -> Order:
    """An approved purchase of any number that matches WICHITA."""
    return approve(manager, ask(rep, location, criteria=WICHITA))


# --- asking ---------------------------------------------------------------------------------------------------------


def test_request_keeps_its_search_and_names_no_number(rep: User, location: Account) -> None:
    order = ask(rep, location, criteria=SPELLING_CAKE)
    assert (order.criteria, order.phone_number) == ({"area_code": "316", "vanity_text": "cake"}, "")
    assert not order.choices.exists()
    changes = HistoryEntry.objects.get().changes
    assert changes["criteria"] == [None, "area code 316, spelling CAKE"]
    assert "number" not in changes


def test_number_with_a_search_behind_it_is_not_yet_the_order_s_only_number(rep: User, location: Account) -> None:
    order = ask(rep, location, CAKE, criteria=WICHITA)
    assert (order.phone_number, order.choices.get().number) == ("", CAKE)


@pytest.mark.parametrize(
    ("criteria", "field", "sentence"),
    [
        (None, "number", "Give the number to be bought."),
        (SearchCriteria(), "criteria", "says nothing to look for"),
        (SearchCriteria(show_reserved_pool=True, account="L-4"), "criteria", "only into its own Location"),
        (SearchCriteria(show_reserved_pool=True), "criteria", "only into its own Location"),
        (SearchCriteria(area_code="316", account="L-4"), "criteria", "only into its own Location"),
    ],
)
def test_search_that_no_number_may_be_ordered_by_is_refused(
    rep: User, location: Account, criteria: SearchCriteria | None, field: str, sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence) as refused:
        order_request_purchase(
            actor=Actor.person(rep),
            account=location,
            criteria=criteria,
            parameters={"destination": DESTINATION},
            reason="",
            form_token=uuid.uuid4(),
        )
    assert refused.value.field == field
    assert not Order.objects.exists()


def test_same_form_sent_twice_makes_one_order_and_another_search_is_not_dropped(rep: User, location: Account) -> None:
    token = uuid.uuid4()
    first = ask(rep, location, criteria=WICHITA, token=token)
    assert ask(rep, location, criteria=WICHITA, token=token) == first
    with pytest.raises(InvalidInput, match="with other values"):
        ask(rep, location, criteria=SPELLING_CAKE, token=token)
    assert Order.objects.count() == 1


def test_form_sent_again_after_the_purchase_is_still_the_same(order: Order, rep: User, location: Account) -> None:
    carry_out(order)
    assert ask(rep, location, criteria=WICHITA, token=order.form_token) == order


def amend(person: User, order: Order, *numbers: str, criteria: SearchCriteria | None) -> Order:
    order_amend(
        actor=Actor.person(person),
        order_id=order.pk,
        revision=order.revision,
        wanted=[WantedNumber(number) for number in numbers],
        criteria=criteria,
        parameters=order.parameters,
        reason=order.reason,
        urgent=False,
        execute_after=None,
    )
    order.refresh_from_db()
    return order


def test_amendment_changes_the_search_and_the_history_says_from_what_to_what(rep: User, location: Account) -> None:
    order = amend(rep, ask(rep, location, CAKE, criteria=WICHITA), CAKE, criteria=SPELLING_CAKE)
    assert order.criteria == {"area_code": "316", "vanity_text": "cake"}
    changes = HistoryEntry.objects.get(verb="order.amended").changes
    assert changes == {"criteria": ["area code 316", "area code 316, spelling CAKE"]}


def test_amendment_can_take_the_search_away_or_leave_nothing_else(rep: User, location: Account) -> None:
    order = amend(rep, ask(rep, location, CAKE, criteria=WICHITA), CAKE, criteria=None)
    assert (order.criteria, order.phone_number) == ({}, CAKE)
    order = amend(rep, order, criteria=WICHITA)
    assert (order.phone_number, order.choices.count()) == ("", 0)
    with pytest.raises(InvalidInput, match="Nothing would change"):
        amend(rep, order, criteria=WICHITA)


# --- finding and buying ---------------------------------------------------------------------------------------------


def test_best_number_that_matches_is_written_down_and_bought_by_name(
    order: Order, sandbox: SandboxServer, matching: list[str]
) -> None:
    carry_out(order)
    best = matching[0]
    assert (order.status, order.phone_number, bought(sandbox)) == (OrderStatus.DONE, best, [best])
    choice = order.choices.get()
    assert (choice.number, choice.found, choice.rank, choice.place) == (best, True, 1, "Newton, KS")
    assert verbs(order)[2:] == ["order.choice_found", "order.sending", "number.bought", "order.done"]
    entry = HistoryEntry.objects.get(verb="order.choice_found")
    assert (entry.number, entry.changes) == (best, {"choice": [None, best]})
    assert "best number that matches: area code 316." in entry.reason
    assert history_verify().problems == []


def test_number_is_found_in_its_letters(rep: User, manager: User, location: Account, sandbox: SandboxServer) -> None:
    order = carry_out(approve(manager, ask(rep, location, criteria=SPELLING_CAKE)))
    assert (order.phone_number, order.choices.get().spelling) == (CAKE, "316-734-CAKE")


def test_vendor_is_never_let_to_choose(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen_by_the_vendor(*args: Any) -> None:
        raise AssertionError("the vendor was to choose")

    monkeypatch.setattr(callcap_client(), "provision_first_match", chosen_by_the_vendor)
    assert carry_out(order).status == OrderStatus.DONE


def test_search_is_for_when_the_wanted_numbers_are_gone(
    rep: User, manager: User, location: Account, sandbox: SandboxServer, matching: list[str]
) -> None:
    first = carry_out(approve(manager, ask(rep, location, CAKE, criteria=WICHITA)))
    assert (first.phone_number, found(first)) == (CAKE, [])
    wanted = matching[5]
    second = approve(manager, ask(rep, location, wanted, criteria=WICHITA))
    sandbox.take(wanted)
    assert carry_out(second).status == OrderStatus.DONE
    assert bought(sandbox) == [CAKE, matching[0]]
    assert [choice.rank for choice in second.choices.all()] == [1, 2]


def test_numbers_that_are_ours_wanted_or_rung_are_passed_over(
    rep: User, manager: User, location: Account, sandbox: SandboxServer, matching: list[str]
) -> None:
    CampaignFactory(phone_number=matching[0], account=location)
    ask(rep, location, matching[1])
    order = ask(rep, location, criteria=WICHITA, destination=matching[2])
    assert carry_out(approve(manager, order)).phone_number == matching[3]


def test_number_that_another_order_takes_between_search_and_choice_is_passed_over(
    order: Order, rep: User, location: Account, sandbox: SandboxServer, matching: list[str], monkeypatch: Any
) -> None:
    shipped = first_match._choose

    def late(*args: Any) -> None:
        if not Choice.objects.exists():
            ask(rep, location, matching[0])
        shipped(*args)

    monkeypatch.setattr(first_match, "_choose", late)
    assert carry_out(order).phone_number == matching[1]


def test_number_gone_before_the_look_gives_way_to_the_next_that_is_found(
    order: Order, sandbox: SandboxServer, matching: list[str], on_step: OnStep
) -> None:
    on_step("searched", lambda: None if order.choices.exists() else sandbox.take(matching[0]))
    assert carry_out(order).status == OrderStatus.DONE
    assert found(order) == [(matching[0], False), (matching[1], False)]
    assert bought(sandbox) == [matching[1]]


def test_number_lost_to_a_rival_in_the_last_moment_gives_way_to_the_next_that_is_found(
    order: Order, sandbox: SandboxServer, matching: list[str], on_step: OnStep
) -> None:
    on_step("intent written", lambda: sandbox.take(matching[0]) if order.attempts.count() == 1 else None)
    assert carry_out(order).status == OrderStatus.DONE
    assert buys(order) == [(matching[0], "refused"), (matching[1], "applied")]


def test_refused_number_that_is_still_offered_ends_the_order(
    order: Order, sandbox: SandboxServer, matching: list[str]
) -> None:
    sandbox.arm_fault("404", on="provision")
    assert carry_out(order).status == OrderStatus.FAILED
    assert buys(order) == [(matching[0], "refused")]


def test_order_tries_ten_numbers_and_then_fails(
    order: Order, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numbers_app.services.purchase.number_look", lambda *args: None)
    assert carry_out(order).status == OrderStatus.FAILED
    assert order.choices.count() == MOST_FOUND
    assert not order.choices.filter(live=True).exists()
    assert order.result.startswith("10 numbers that the search found were gone")


def test_order_that_nothing_matches_fails_and_says_what_to_do(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = carry_out(approve(manager, ask(rep, location, criteria=NOTHING)))
    assert order.status == OrderStatus.FAILED
    assert order.result == (
        "No number matches any more (area code 316, exchange 999). Nothing was bought. "
        "To be told when one appears, save this search and watch it."
    )


def test_order_whose_matches_are_all_taken_fails_and_says_so(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    ask(manager, location, CAKE)
    order = carry_out(approve(manager, ask(rep, location, criteria=SPELLING_CAKE)))
    assert order.status == OrderStatus.FAILED
    assert "is ours, wanted by another order, or was tried" in order.result


@pytest.mark.parametrize("fault", ["500", "html", "drop_before_commit", "429"])
def test_order_waits_while_callcap_cannot_be_searched(
    order: Order, sandbox: SandboxServer, matching: list[str], fault: str
) -> None:
    sandbox.arm_fault(fault, "search", times=10)
    carry_out(order)
    assert (order.status, order.tries, order.choices.count()) == (OrderStatus.APPROVED, 1, 0)
    assert order.result.startswith("Not sent yet: ")
    sandbox.clear_faults()
    pause_is_over(order)
    assert (carry_out(order).status, bought(sandbox)) == (OrderStatus.DONE, [matching[0]])


def test_key_that_is_not_accepted_by_the_search_pauses_purchases(order: Order, sandbox: SandboxServer) -> None:
    sandbox.arm_fault("401", "search")
    assert carry_out(order).status == OrderStatus.APPROVED
    assert HistoryEntry.objects.filter(verb="sending.paused").exists()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch, sandbox: SandboxServer) -> Callable[..., None]:
    """``answers(*numbers, skipped=0)``: what Callcap answers to every search that names no number."""

    def answer(*numbers: AvailableNumber, skipped: int = 0) -> None:
        monkeypatch.setattr(callcap_client(), "search", lambda criteria: SearchAnswer(numbers, skipped))

    return answer


def test_answer_that_ignores_the_search_buys_nothing(order: Order, sandbox: SandboxServer, answers: Any) -> None:
    elsewhere = sandbox.search(areaCode="212")[0]["phoneNumber"]
    answers(AvailableNumber(elsewhere))
    assert carry_out(order).status == OrderStatus.FAILED
    assert "none that matches it (area code 316)" in order.result
    assert not sandbox.journal()


def test_number_that_is_not_offered_to_the_location_is_not_bought_whatever_the_search_says(
    order: Order, sandbox: SandboxServer, location: Account, answers: Any
) -> None:
    """A stale or hostile answer may even name what lies in another Location's reserved pool."""
    theirs = sandbox.search(showReservedPool="true", account="L-30")[0]["phoneNumber"]
    Order.objects.filter(pk=order.pk).update(criteria={"area_code": theirs[:3]})
    answers(AvailableNumber(theirs))
    assert carry_out(order).status == OrderStatus.FAILED
    assert (found(order), sandbox.journal()) == ([(theirs, False)], [])


def test_answer_that_cannot_be_read_proves_nothing(order: Order, answers: Any) -> None:
    answers(skipped=3)
    assert carry_out(order).status == OrderStatus.APPROVED
    assert "could not be read" in order.result


def test_reserved_pool_of_the_order_s_own_location_can_be_ordered_from(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    ours = sandbox.search(showReservedPool="true", account="L-3")[0]["phoneNumber"]
    criteria = SearchCriteria(show_reserved_pool=True, account="L-3")
    assert carry_out(approve(manager, ask(rep, location, criteria=criteria))).status == OrderStatus.DONE
    assert bought(sandbox) == [ours]


# --- in doubt -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["drop_before_commit", "html"])
def test_purchase_in_doubt_never_goes_to_another_number_that_matches(
    order: Order, sandbox: SandboxServer, matching: list[str], fault: str
) -> None:
    sandbox.arm_fault(fault, "provision", times=10)
    carry_out(order)
    keep_trying(order)
    assert (order.status, order.execute_after) == (OrderStatus.UNKNOWN, None)
    assert buys(order) == [(matching[0], "unknown")] * 2
    assert found(order) == [(matching[0], True)]


def test_number_in_doubt_that_others_take_goes_to_a_person_and_not_to_the_next(
    order: Order, sandbox: SandboxServer, matching: list[str]
) -> None:
    sandbox.arm_fault("drop_before_commit", "provision")
    carry_out(order)
    sandbox.take(matching[0])
    keep_trying(order)
    assert (order.status, order.execute_after, bought(sandbox)) == (OrderStatus.UNKNOWN, None, [])


def test_order_that_was_ever_in_doubt_looks_for_no_other_number(
    order: Order, sandbox: SandboxServer, matching: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker was silent past its lease, and then it says that it had sent nothing."""
    silent: list[Attempt] = []
    monkeypatch.setattr("numbers_app.services.sending.attempt_conclude", lambda **held: silent.append(held["attempt"]))
    carry_out(order)
    sandbox.reset()
    time_passes(order, 3600)
    attempts_expire(actor=Actor.portal("Clock", source=Source.WORKER))
    not_sent = WriteAnswer(outcome=Outcome.NOT_SENT, http_status=None, message="Held up.")
    attempt_conclude(actor=Actor.portal("Worker", source=Source.WORKER), attempt=silent[0], answer=not_sent)
    sandbox.take(matching[0])
    pause_is_over(order)
    order.refresh_from_db()
    assert order.status == OrderStatus.APPROVED
    assert carry_out(order).status == OrderStatus.FAILED
    assert "No other one is looked for" in order.result
    assert (found(order), bought(sandbox)) == ([(matching[0], False)], [])


def test_worker_that_dies_after_the_search_leaves_nothing_behind(
    order: Order, sandbox: SandboxServer, matching: list[str], die_at: DieAt
) -> None:
    die_at(order, "searched")
    assert (found(order), order.phone_number) == ([], "")
    assert carry_out(order).phone_number == matching[0]


def test_choice_of_a_worker_that_died_is_kept_by_the_next_whatever_is_offered_then(
    order: Order, sandbox: SandboxServer, matching: list[str], die_at: DieAt, answers: Any
) -> None:
    die_at(order, "looked")
    assert found(order) == [(matching[0], True)]
    answers(AvailableNumber(matching[1]))
    assert carry_out(order).phone_number == matching[0]


def test_cancelled_order_gives_its_found_number_back(
    order: Order, rep: User, sandbox: SandboxServer, matching: list[str], die_at: DieAt
) -> None:
    die_at(order, "looked")
    order_cancel(actor=Actor.person(rep), order_id=order.pk)
    assert found(order) == [(matching[0], False)]
    assert carry_out(order).status == OrderStatus.CANCELLED


def test_order_that_was_cancelled_during_the_search_chooses_nothing(order: Order, rep: User, on_step: OnStep) -> None:
    on_step("searched", lambda: order_cancel(actor=Actor.person(rep), order_id=order.pk))
    carry_out(order)
    assert (order.status, found(order)) == (OrderStatus.CANCELLED, [])


# --- two at once ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_one_order_choose_and_buy_one_number(
    order: Order, sandbox: SandboxServer, matching: list[str]
) -> None:
    sandbox.arm_fault("slow", "search", seconds=0.1, times=2)
    assert at_once(*[lambda: order_execute(actor=WORKER, order_id=order.pk)] * 2) == [None, None]
    order.refresh_from_db()
    assert (order.status, bought(sandbox)) == (OrderStatus.DONE, [matching[0]])
    assert len(found(order)) == 1


@pytest.mark.django_db(transaction=True)
def test_orders_with_the_same_search_at_once_get_a_number_each(
    rep: User, manager: User, location: Account, sandbox: SandboxServer, matching: list[str]
) -> None:
    orders = [approve(manager, ask(rep, location, criteria=WICHITA)) for _ in range(3)]
    sandbox.arm_fault("slow", "search", seconds=0.2, times=3)
    results = at_once(*[lambda order=order: carry_out(order) for order in orders])
    assert all(isinstance(result, Order) for result in results), results
    assert {order.status for order in Order.objects.all()} == {OrderStatus.DONE}
    assert sorted(bought(sandbox)) == sorted(matching[:3])
    assert {campaign.phone_number for campaign in Campaign.objects.all()} == set(matching[:3])
    assert history_verify().problems == []


# --- who is told ----------------------------------------------------------------------------------------------------


def test_nobody_is_told_of_the_first_number_but_that_it_is_bought(order: Order) -> None:
    carry_out(order)
    assert (told(order, "next_choice"), told(order, "bought")) == ([], ["rep"])


def test_requester_is_told_what_is_bought_instead_of_a_number_that_is_gone(
    rep: User, manager: User, location: Account, sandbox: SandboxServer, matching: list[str]
) -> None:
    order = approve(manager, ask(rep, location, CAKE, criteria=WICHITA))
    sandbox.take(CAKE)
    carry_out(order)
    [news] = order.notifications.filter(kind="next_choice")
    shown = f"({matching[0][:3]}) {matching[0][3:6]}-{matching[0][6:]}"
    assert news.user == rep
    assert news.detail == f"{shown} is the best number that matches: area code 316."


def test_search_that_brings_nothing_is_one_piece_of_news(
    rep: User, manager: User, location: Account, sandbox: SandboxServer
) -> None:
    order = approve(manager, ask(rep, location, CAKE, criteria=NOTHING))
    sandbox.take(CAKE)
    carry_out(order)
    assert (told(order, "next_choice"), told(order, "failed")) == ([], ["manager", "rep"])
