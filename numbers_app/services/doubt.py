"""What is known of an order whose outcome is in doubt, read from its attempts for the rules of ``protocol``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from numbers_app.callcap import NOT_OURS_STATUS, UNPROCESSED_STATUSES
from numbers_app.models import Attempt, AttemptKind, AttemptOutcome, Order
from numbers_app.protocol import Check, Next, Verdict, after_checks, after_choices, seconds_until_check

MAY_HAVE_BEEN_PROCESSED = Q(ever_unknown=True) | (
    Q(outcome=AttemptOutcome.REFUSED) & ~Q(http_status__in=UNPROCESSED_STATUSES)
)


def is_processed(attempt: Attempt) -> bool:
    """Whether a refusal is about the order at all, rather than about the key or the number of calls."""
    return attempt.http_status not in UNPROCESSED_STATUSES


def names_another(attempt: Attempt) -> bool:
    return attempt.named_number not in ("", attempt.number)


def is_doubted(order: Order) -> bool:
    """Whether the outcome of one of the order's purchases or changes was ever unknown."""
    return order.attempts.exclude(kind=AttemptKind.PROBE).filter(ever_unknown=True).exists()


def is_doubt_open(order: Order, apart_from: Attempt) -> bool:
    """Whether the outcome of another one of them still is, or is just being found out."""
    undecided = (AttemptOutcome.UNKNOWN, AttemptOutcome.SENDING)
    others = order.attempts.exclude(kind=AttemptKind.PROBE).exclude(pk=apart_from.pk)
    return others.filter(outcome__in=undecided).exists()


def after_last_choice(order: Order) -> Next:
    """What follows once none of a purchase's choices is left."""
    found = order.choices.filter(found=True).count()
    return after_choices(searches=bool(order.criteria), found=found, doubted=is_doubted(order))


def doubtful_purchase(order: Order) -> Attempt:
    """The purchase that is in doubt: the last one that the vendor may have worked on."""
    purchase = order.attempts.filter(MAY_HAVE_BEEN_PROCESSED, kind=AttemptKind.BUY).last()
    if purchase is None:
        raise LookupError(f"{order} has no purchase that is in doubt.")
    return purchase


@dataclass(frozen=True)
class Doubt:
    """What happens next to a doubted purchase, from when on, and how many checks have been made."""

    next: Next
    due: datetime
    checks: int


def purchase_doubt(order: Order) -> Doubt:
    """Where the settling of a doubted purchase stands."""
    purchase = doubtful_purchase(order)
    ended = purchase.finished_at or purchase.lease_until
    probes = list(_probes_after(order, purchase))
    checks = [Check(_verdict(probe), offered=bool(probe.preflight.get("number"))) for probe in probes]
    definite = [probe for probe, check in zip(probes, checks, strict=True) if check.verdict == Verdict.NOT_OURS]
    settling = timedelta(seconds=settings.CALLCAP_SETTLE_SECONDS)
    decided = after_checks(
        checks,
        settled=bool(definite) and definite[-1].started_at >= ended + settling,
        buys=order.attempts.filter(MAY_HAVE_BEEN_PROCESSED, kind=AttemptKind.BUY).count(),
    )
    wait = seconds_until_check(len(definite), settings.CALLCAP_SETTLE_SECONDS) if decided == Next.CHECK else 0
    return Doubt(decided, max(ended + timedelta(seconds=wait), timezone.now()), len(checks))


def _probes_after(order: Order, purchase: Attempt) -> QuerySet[Attempt]:
    probes = order.attempts.filter(kind=AttemptKind.PROBE, pk__gt=purchase.pk)
    return probes.exclude(outcome=AttemptOutcome.SENDING).order_by("pk")


def _verdict(probe: Attempt) -> Verdict:
    if probe.outcome == AttemptOutcome.APPLIED:
        return Verdict.OURS
    if probe.outcome == AttemptOutcome.REFUSED and is_processed(probe):
        return Verdict.NOT_OURS if probe.http_status == NOT_OURS_STATUS else Verdict.UNCLEAR
    if names_another(probe):
        return Verdict.UNCLEAR
    return Verdict.NO_ANSWER
