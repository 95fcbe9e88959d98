"""What a POST came to, by the one table that the purchase protocol rests on.

========================================================================  ========
what came back                                                            outcome
========================================================================  ========
200, a JSON object, success, naming the number (an update: or none)       applied
200, a JSON object, success, naming another number                        unknown
200, a JSON object, success, naming none (a purchase)                     unknown
a JSON object with a 4xx other than 408, or 200 and another status        refused
not one byte of the request was written                                   not sent
anything else, a 200 without any status included                          unknown
========================================================================  ========
"""

from dataclasses import dataclass
from typing import Any

from .evidence import Evidence
from .reading import (
    NotStrictJson,
    campaign_named,
    named_numbers,
    refuses,
    retry_after_seconds,
    strict_object,
    succeeded,
    vendor_words,
)
from .schemas import Outcome, WriteAnswer
from .transport import Failure, RawAnswer

# Documented: a resource that does not exist is an error of its own ("Getting started").
NOT_OURS_STATUS = 404
# The key was not accepted, or there were too many calls: the number was not looked at.
KEY_REFUSED_STATUSES = (401, 403)
UNPROCESSED_STATUSES = (*KEY_REFUSED_STATUSES, 429)


@dataclass(frozen=True)
class Wanted:
    """What the answer to a write must name: ``number`` (empty: any), and whether it must name one at all."""

    number: str
    must_name: bool


def read_write(raw: RawAnswer | Failure, wanted: Wanted, evidence: Evidence) -> WriteAnswer:
    """The outcome of a POST."""
    seen = evidence.excerpt(raw.body)
    if isinstance(raw, Failure):
        outcome = Outcome.UNKNOWN if raw.may_have_written else Outcome.NOT_SENT
        return WriteAnswer(outcome, raw.status, raw.message, seen)
    try:
        answer = strict_object(raw.body)
    except NotStrictJson as problem:
        return _unknown(raw, f"Callcap answered with status {raw.status} and {problem}.", seen)
    words = vendor_words(answer, evidence)
    if raw.status == 200 and succeeded(answer):
        return _read_success(raw, answer, wanted, evidence)
    if refuses(raw.status, answer):
        wait = retry_after_seconds(raw.retry_after) if raw.status == 429 else None
        message = words or f"Callcap refused with status {raw.status} and gave no reason."
        return WriteAnswer(Outcome.REFUSED, raw.status, message, seen, retry_after=wait)
    if raw.status == 200:
        return _unknown(raw, "Callcap answered without saying whether it succeeded.", seen)
    return _unknown(raw, f"Callcap answered with status {raw.status}: {words or 'no message'}", seen)


def _read_success(raw: RawAnswer, answer: dict[str, Any], wanted: Wanted, evidence: Evidence) -> WriteAnswer:
    seen, campaign = evidence.excerpt(raw.body), campaign_named(answer, evidence)
    named = named_numbers(answer)
    others = sorted(named - {wanted.number, ""}) if wanted.number else sorted(named - {""})[1:]
    number = others[0] if others else max(named, default="")
    problem = ""
    if others:
        asked = f"instead of {wanted.number}" if wanted.number else "and another one as well"
        problem = f"Callcap reported success, but for {others[0]} {asked}. Somebody must find out what happened."
    elif "" in named:
        problem = "Callcap reported success for a number that cannot be read."
    elif wanted.must_name and not named:
        problem = "Callcap reported success without naming the number."
    if problem:
        return WriteAnswer(Outcome.UNKNOWN, raw.status, problem, seen, number, campaign)
    return WriteAnswer(Outcome.APPLIED, raw.status, vendor_words(answer, evidence), seen, number, campaign)


def _unknown(raw: RawAnswer, message: str, seen: str) -> WriteAnswer:
    return WriteAnswer(Outcome.UNKNOWN, raw.status, message, seen)
