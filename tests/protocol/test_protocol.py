"""The rules of buying safely hold in every interleaving, and each is needed: without it the search finds a way to harm.

Two workers, an order with two ranked numbers or a search, one silent or crashed worker, late commits, lost answers,
refusals, calls turned away, a rival, another order of ours, one odd answer, and a person. Run with ``-rP`` to read how
each naive variant goes wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement, permutations, product

import pytest

from numbers_app import protocol
from numbers_app.protocol import LEAST_CHECKS, MOST_BUYS, Check, Next, Verdict

from .explorer import Exploration, Model, explore
from .invariants import always, at_rest
from .model import ANY, RANKED, RANKED_THEN_ANY, State, World, alike
from .situations import Situation, situation
from .steps import steps

CHARGED_TWICE = "charged twice for one order"
MOVED_ON_IN_DOUBT = "another number was sent while the first was in doubt"
BOUGHT_BUT_FAILED = "failed, but A is ours"
ANOTHER_ORDERS = "done, but the number in the mirror is not ours"
SUCCESS_IGNORED = "a purchase is known to have succeeded, but the order is not done"


def search(world: World | None = None, *, sought: str = "", starts: Sequence[State] = (RANKED,)) -> Exploration:
    """Explore everything, for any broken rule or for the one that is sought, and print what was found."""
    keeping = world or World()

    def counts(broken: str | None) -> str | None:
        return broken if not sought or broken == sought else None

    model = Model(
        starts=starts,
        steps=lambda state: steps(state, keeping),
        always=lambda state: counts(always(state)),
        at_rest=lambda state: counts(at_rest(state)),
        alike=alike,
        situation=situation,
    )
    found = explore(model)
    print(found)  # noqa: T201
    return found


def test_rules_hold_in_every_interleaving() -> None:
    found = search(starts=(RANKED, RANKED_THEN_ANY, ANY))
    assert not found.broken, str(found)
    assert found.states > 300_000
    assert found.states_at_rest > 1_000
    assert set(found.situations) == set(Situation)


def test_order_of_the_checks_does_not_matter() -> None:
    """The search counts them, so it may only be asked of rules for which this is true."""
    kinds = [Check(verdict, offered) for verdict in Verdict for offered in (True, False)]
    for checks in combinations_with_replacement(kinds, LEAST_CHECKS + 1):
        for settled, buys in product((True, False), range(MOST_BUYS + 1)):
            decisions = {protocol.after_checks(p, settled=settled, buys=buys) for p in set(permutations(checks))}
            assert len(decisions) == 1, checks


def test_vendor_must_not_pick_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a number there is nothing to look at, and a purchase sent twice takes two numbers."""
    monkeypatch.setattr(protocol, "after_look", lambda **_: Next.BUY)
    monkeypatch.setattr(protocol, "after_unknown", lambda **_: Next.BUY)
    found = search(World(numbers_are_named=False), sought=CHARGED_TWICE)
    assert found.broken
    assert len([line for line in found.story if line.startswith("vendor: sells")]) == 2


def test_unknown_purchase_must_not_move_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "after_unknown", lambda **_: Next.NEXT_CHOICE)
    assert search().broken == MOVED_ON_IN_DOUBT
    assert search(sought=CHARGED_TWICE).broken


def test_unknown_purchase_must_not_search_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "after_unknown", lambda **_: Next.NEXT_CHOICE)
    monkeypatch.setattr(protocol, "after_choices", always_search)
    assert search(starts=[ANY]).broken == MOVED_ON_IN_DOUBT
    assert search(starts=[ANY], sought=CHARGED_TWICE).broken


def always_search(*, searches: bool, **_: object) -> Next:
    return Next.FIND if searches else Next.FAIL


def test_found_number_must_be_committed_before_it_is_bought() -> None:
    """Else two orders find the same one, and a check proves to both of them that it is theirs."""
    found = search(World(found_numbers_are_committed=False), starts=[ANY])
    assert found.broken == ANOTHER_ORDERS
    assert any(line.startswith("other order: buys") for line in found.story)


def move_on_after_any_refusal(*, processed: bool, offered: bool | None, others: bool, **_: bool) -> Next:
    if not processed:
        return Next.AGAIN
    return Next.NEXT_CHOICE if offered is False and others else Next.FAIL


def test_refusal_must_not_move_on_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "after_refusal", move_on_after_any_refusal)
    assert search().broken == MOVED_ON_IN_DOUBT


def test_refusal_must_not_search_again_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "after_refusal", move_on_after_any_refusal)
    monkeypatch.setattr(protocol, "after_choices", always_search)
    assert search(starts=[RANKED_THEN_ANY], sought=MOVED_ON_IN_DOUBT).broken


def test_checks_must_not_move_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def naive(checks: Sequence[Check], *, settled: bool, buys: int) -> Next:
        if checks and not checks[-1].offered:
            return Next.NEXT_CHOICE
        return shipped(checks, settled=settled, buys=buys)

    shipped = protocol.after_checks
    monkeypatch.setattr(protocol, "after_checks", naive)
    assert search().broken == MOVED_ON_IN_DOUBT
    assert search(sought=CHARGED_TWICE).broken


def test_unknown_purchase_must_not_be_sent_again_blindly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "after_look", lambda **_: Next.BUY)
    monkeypatch.setattr(protocol, "after_unknown", lambda **_: Next.BUY)
    monkeypatch.setattr(protocol, "after_refusal", lambda *, processed, **_: Next.FAIL if processed else Next.AGAIN)
    assert search().broken == BOUGHT_BUT_FAILED


def failing_by_checks(monkeypatch: pytest.MonkeyPatch, enough: Callable[[Sequence[Verdict], bool], bool]) -> None:
    """Let an order fail without a person, once so many checks said "not ours" and ``enough`` agrees."""

    def naive(checks: Sequence[Check], *, settled: bool, buys: int) -> Next:
        verdicts = [check.verdict for check in checks]
        if Verdict.UNCLEAR in verdicts:
            return Next.PERSON
        if verdicts.count(Verdict.NOT_OURS) < LEAST_CHECKS:
            return Next.CHECK
        return Next.FAIL if enough(verdicts, settled) else Next.PERSON if settled else Next.CHECK

    monkeypatch.setattr(protocol, "after_checks", naive)


def test_checks_must_not_fail_an_order_before_the_settling_time(monkeypatch: pytest.MonkeyPatch) -> None:
    failing_by_checks(monkeypatch, lambda verdicts, settled: True)
    assert search().broken == BOUGHT_BUT_FAILED


def test_check_without_an_answer_must_not_end_the_settling_time(monkeypatch: pytest.MonkeyPatch) -> None:
    failing_by_checks(monkeypatch, lambda verdicts, settled: settled)
    assert search().broken == BOUGHT_BUT_FAILED


def test_order_may_fail_by_checks_that_all_were_answered_and_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the two tests before leave out is what makes the difference."""
    failing_by_checks(monkeypatch, lambda verdicts, settled: settled and Verdict.NO_ANSWER not in verdicts)
    assert not search().broken


def test_send_window_must_end_before_the_lease() -> None:
    assert search(World(send_window=False)).broken == BOUGHT_BUT_FAILED


def test_success_that_comes_late_must_count() -> None:
    assert search(World(late_success_counts=False)).broken == SUCCESS_IGNORED


def test_late_refusal_must_not_end_an_order_whose_second_purchase_is_in_flight() -> None:
    assert search(World(flight_is_doubt=False)).broken == BOUGHT_BUT_FAILED


def test_intent_must_see_that_its_number_and_deed_are_still_due() -> None:
    assert search(World(intent_decides_again=False)).broken == MOVED_ON_IN_DOUBT
