"""What the portal's own attempts have shown of the vendor, and what no program can tell."""

from __future__ import annotations

from numbers_app.callcap import NOT_OURS_STATUS
from numbers_app.callcap.doctor import Finding, State
from numbers_app.models import Attempt, AttemptKind, AttemptOutcome
from numbers_app.text import phone_text

PURCHASE, POSTS, UPDATES, NOT_OURS = (
    "Answer of a purchase",
    "Encoding of POST bodies",
    "Answer of an update",
    "Update of a number that is not ours",
)
# What neither a search nor a recorded answer shows, and how a person finds out.
BY_HAND = {
    "Fields left out of an update": "They should keep their values: change one field of a number here, then look at "
    "the others in Callcap's own interface.",
    "Empty text fields": "Sent empty they should be cleared: clear a number's notes here, then look in Callcap's own "
    "interface.",
    "Today of a stop date": "It should be the Location's day: ask for today late in the evening there.",
    "No stop date": "2099-01-01 should let a number run on: set it, then look in Callcap's own interface.",
    "A number that is sold": "Its purchase should be refused and not charged. Only Callcap can say: ask them.",
    "Late purchases": "A purchase whose answer was lost should take effect within CALLCAP_SETTLE_SECONDS or never. "
    "Only Callcap can say: ask them.",
    "Idempotency, webhooks, prices": "Callcap's pages name none. Ask them whether that has changed.",
    "Media types": "Callcap's pages do not list what the media type IDs mean. Ask them for the list.",
}


def recorded_findings() -> list[Finding]:
    """What the attempts in the database show, then what only a person can find out."""
    by_hand = [Finding(subject, State.UNTOLD, sentence) for subject, sentence in BY_HAND.items()]
    return [_purchase(), _posts(), _updates(), _not_ours(), *by_hand]


def _purchase() -> Finding:
    confirmed_or_not = (AttemptOutcome.APPLIED, AttemptOutcome.UNKNOWN)
    last = _last(kind=AttemptKind.BUY, http_status=200, outcome__in=confirmed_or_not)
    if last is None:
        return Finding(PURCHASE, State.UNTOLD, "No purchase was answered yet. Order one number, then run this again.")
    if last.outcome == AttemptOutcome.APPLIED:
        campaign = f"campaign id {last.callcap_campaign_id}" if last.callcap_campaign_id else "no campaign id"
        sentence = f"{_of(last)} was answered with status 200, the number and {campaign}."
        return Finding(PURCHASE, State.HOLDS, sentence)
    where = "NUMBER_NAMES and INNER_NAMES in numbers_app/callcap/reading.py"
    return Finding(PURCHASE, State.FAILS, f"{_of(last)}: {last.message} It began: {last.excerpt[:300]}", where)


def _posts() -> Finding:
    last = _last(outcome=AttemptOutcome.APPLIED)
    if last:
        return Finding(POSTS, State.HOLDS, f"{_of(last)} was understood.")
    refused = _last(outcome=AttemptOutcome.REFUSED)
    if refused:
        hint = "If it misses something that was sent, try CALLCAP_POST_ENCODING=json."
        return Finding(POSTS, State.UNTOLD, f"{_of(refused)} was refused: {refused.message} {hint}")
    return Finding(POSTS, State.UNTOLD, "Nothing was sent yet.")


def _updates() -> Finding:
    last = _last(kind=AttemptKind.UPDATE, outcome=AttemptOutcome.APPLIED)
    if last is None:
        return Finding(UPDATES, State.UNTOLD, "No update was carried out yet.")
    return Finding(UPDATES, State.HOLDS, f"{_of(last)} was answered with status 200 and success.")


def _not_ours() -> Finding:
    last = _last(kind=AttemptKind.PROBE, outcome=AttemptOutcome.REFUSED)
    if last is None:
        return Finding(NOT_OURS, State.UNTOLD, "No purchase had to be checked yet.")
    sentence = f"{_of(last)} was refused with status {last.http_status}: {last.message}"
    if last.http_status == NOT_OURS_STATUS:
        return Finding(NOT_OURS, State.HOLDS, sentence)
    where = "If that means that the number is not ours, change NOT_OURS_STATUS in numbers_app/callcap/outcomes.py."
    return Finding(NOT_OURS, State.UNTOLD, f"{sentence} {where}")


def _last(**which: object) -> Attempt | None:
    return Attempt.objects.filter(**which).order_by("-pk").first()


def _of(attempt: Attempt) -> str:
    return f"{attempt.get_kind_display()} of {phone_text(attempt.number)} in order {attempt.order_id}"
