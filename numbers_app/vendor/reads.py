"""Reading from the vendor: past the breaker, through the rate gate, and searches from the cache where they are kept."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.utils import timezone

from numbers_app.callcap import (
    AccountNode,
    AvailableNumber,
    CallcapClient,
    CallcapError,
    CallcapRefused,
    SearchCriteria,
)

from .breaker import breaker_admit, breaker_failed, breaker_not_tried, breaker_succeeded
from .client import callcap_client
from .rate_gate import VendorBusy, vendor_turn
from .search_cache import Searched, searched_keep, searched_recall

logger = structlog.get_logger(__name__)


def vendor_search(criteria: SearchCriteria, *, fresh: bool = False, batch: bool = False) -> Searched:
    """What Callcap offers for the search, at most a minute old; ``fresh`` asks it now. Raises CallcapError.

    ``batch`` is what nobody waits for at a screen.
    """
    kept = None if fresh else searched_recall(criteria)
    if kept is not None:
        return kept
    asked = timezone.now()
    searched = Searched(_read(lambda client: client.search(criteria), batch=batch), asked, cached=False)
    searched_keep(criteria, searched)
    return searched


def vendor_find_number(number: str, account: str = "", *, batch: bool = False) -> AvailableNumber | None:
    """The number as it is offered right now, None when it is not; see ``CallcapClient``. Raises CallcapError."""
    return _read(lambda client: client.find_number(number, account), batch=batch)


def vendor_corporates() -> tuple[AccountNode, ...]:
    """The top of the account tree. Raises CallcapError."""
    return _read(lambda client: client.corporates(), batch=True)


def vendor_describe_account(kind: str, callcap_id: int) -> tuple[AccountNode, tuple[AccountNode, ...]]:
    """An account and its children. Raises CallcapError."""
    return _read(lambda client: client.describe_account(kind, callcap_id), batch=True)


def _read[T](ask: Callable[[CallcapClient], T], *, batch: bool) -> T:
    failures = breaker_admit()
    try:
        vendor_turn(batch=batch)
    except VendorBusy:
        breaker_not_tried(failures)
        raise
    try:
        found = ask(callcap_client())
    except CallcapError as error:
        # The start of the answer, without the key: what an administrator needs when Callcap answers in a new shape.
        logger.warning("callcap_read_failed", problem=error.message, status=error.http_status, answer=error.excerpt)
        if isinstance(error, CallcapRefused):
            breaker_succeeded(failures)  # a refusal is an answer
        else:
            breaker_failed()
        raise
    breaker_succeeded(failures)
    return found
