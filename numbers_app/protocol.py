"""The rules of buying safely, as pure functions of what is known: no database, no clock, no vendor.

The services carry out what is decided here, and ``tests/protocol`` explores every interleaving of the same functions.

A purchase is *doubted* once the outcome of one of its POSTs was unknown. The doubt is *open* while such an outcome
still is unknown or another POST for the order is on its way. While it is open the order never goes to another number,
since a late commit of the first would make two charges; a late definite answer closes it.

A number that an order's search brings is *found*: committed as a choice of the order before it is looked at or bought,
and from then on a choice like those that were asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

# How often one number may be bought before only a person decides: POSTs that Callcap may have worked on count.
MOST_BUYS = 2
# How many checks, spread over the settling time, must agree that nothing was bought.
LEAST_CHECKS = 3
# How many numbers the search of one order may bring: then it fails, rather than go through all there are.
MOST_FOUND = 10


class Next(StrEnum):
    """What happens next to a purchase."""

    BUY = "buy this number"
    CHECK = "check whether this number is ours"
    NEXT_CHOICE = "drop this number and go to the next choice"
    FIND = "let the search bring another number"
    AGAIN = "the same again after a pause"
    FAIL = "end: nothing was bought"
    DONE = "end: the number is ours"
    PERSON = "only a person can tell"


class Verdict(StrEnum):
    """What a check (a harmless update of the number) says about who owns it."""

    OURS = "ours"
    NOT_OURS = "not ours"
    UNCLEAR = "refused for another reason"
    NO_ANSWER = "no usable answer"


@dataclass(frozen=True)
class Check:
    """One check after a doubtful purchase: its verdict, and whether the number was offered just before."""

    verdict: Verdict
    offered: bool


def after_look(*, offered: bool) -> Next:
    """After the look that precedes the first purchase of a number."""
    return Next.BUY if offered else Next.NEXT_CHOICE


def after_choices(*, searches: bool, found: int, doubted: bool) -> Next:
    """Once none of an order's choices is left.

    ``searches`` says that the order has a search to fall back on, ``found`` how many numbers that has brought already.
    """
    return Next.FIND if searches and found < MOST_FOUND and not doubted else Next.FAIL


def after_refusal(*, processed: bool, offered: bool | None, others: bool, doubted: bool, doubt_open: bool) -> Next:
    """After the vendor refused a purchase.

    ``processed`` is False for refusals that say nothing about the number (too many calls, the key); ``offered`` is what
    a fresh look said, None when it brought no answer; ``others`` says that there are further choices, or a search that
    may bring one.
    """
    if not processed:
        return Next.AGAIN
    if doubt_open:
        return Next.CHECK
    if offered is False and others and not doubted:
        return Next.NEXT_CHOICE
    return Next.FAIL


def after_unknown(*, names_another: bool) -> Next:
    """After a purchase of unknown outcome. An answer that names another number is never probed and never re-sent."""
    return Next.PERSON if names_another else Next.CHECK


def after_checks(checks: Sequence[Check], *, settled: bool, buys: int) -> Next:
    """After the checks made since the last purchase that the vendor may have worked on.

    ``settled`` says that the last one with a definite answer was asked after the settling time; ``buys`` counts the
    purchases of the number that the vendor may have worked on.
    """
    if any(check.verdict == Verdict.OURS for check in checks):
        return Next.DONE
    if any(check.verdict == Verdict.UNCLEAR for check in checks):
        return Next.PERSON
    definite = [check for check in checks if check.verdict == Verdict.NOT_OURS]
    if len(definite) < LEAST_CHECKS or not settled:
        return Next.CHECK
    if all(check.offered for check in definite) and buys < MOST_BUYS:
        return Next.BUY
    return Next.PERSON


def seconds_until_check(made: int, settle_seconds: float) -> float:
    """When check number ``made + 1`` is due, in seconds after the doubtful purchase: at once, half-way, at the end."""
    return settle_seconds * min(made, LEAST_CHECKS - 1) / (LEAST_CHECKS - 1)
