"""Answers of searches, kept for a minute for all processes: paging and coming back cost the vendor nothing.

A row each, of compressed JSON that says each place once, since the thousand numbers of an answer lie in few. Whatever
is wrong with them costs a question to the vendor, never a search.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection
from django.utils import timezone

from numbers_app.callcap import AvailableNumber, SearchAnswer, SearchCriteria
from numbers_app.models import KeptSearch

logger = structlog.get_logger(__name__)

KEPT = timedelta(seconds=60)
# One statement, where the model's manager needs a transaction around it. An answer that took long does not replace one
# that was asked for after it, as by Refresh.
_KEEP = (
    "INSERT INTO numbers_app_keptsearch (key, at, packed) VALUES (%s, %s, %s) "
    "ON CONFLICT (key) DO UPDATE SET at = excluded.at, packed = excluded.packed "
    "WHERE excluded.at > numbers_app_keptsearch.at"
)


@dataclass(frozen=True)
class Searched:
    """A search's answer, when Callcap was asked for it, and whether it was kept from then."""

    answer: SearchAnswer
    at: datetime
    cached: bool


def searched_recall(criteria: SearchCriteria) -> Searched | None:
    """What Callcap answered to this search within the last minute, if that is still to be had."""
    try:
        recent = KeptSearch.objects.filter(key=_key(criteria), at__gt=timezone.now() - KEPT)
        kept = recent.values_list("packed", "at").first()
        return _unpack(*kept) if kept else None
    except Exception as error:
        logger.warning("search_cache_unreadable", error=type(error).__name__)
        return None


def searched_keep(criteria: SearchCriteria, searched: Searched) -> None:
    """Keep the answer for a minute, in place of one that was asked for earlier."""
    try:
        at = connection.ops.adapt_datetimefield_value(searched.at)
        with connection.cursor() as cursor:
            cursor.execute(_KEEP, [_key(criteria), at, _pack(searched.answer)])
    except Exception as error:
        logger.warning("search_cache_not_writable", error=type(error).__name__)


def searched_forget() -> int:
    """Remove what is too old to be recalled. Returns how many."""
    return KeptSearch.objects.filter(at__lte=timezone.now() - KEPT).delete()[0]


def _key(criteria: SearchCriteria) -> str:
    """What is asked of whom and by whom, as the vendor hears it: another key may be offered other numbers."""
    asked = json.dumps([settings.CALLCAP_API_URL, settings.CALLCAP_API_KEY, criteria.to_wire()], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()


def _pack(answer: SearchAnswer) -> bytes:
    descriptions: dict[tuple[str, ...], int] = {}
    places = [descriptions.setdefault(offer[1:], len(descriptions)) for offer in answer.numbers]
    kept: dict[str, Any] = {
        "skipped": answer.skipped,
        "capped": answer.capped,
        "descriptions": list(descriptions),
        "places": places,
        "numbers": " ".join([offer.number for offer in answer.numbers]),
    }
    return zlib.compress(json.dumps(kept, separators=(",", ":")).encode(), 1)


def _unpack(packed: bytes | memoryview, at: datetime) -> Searched:
    found = json.loads(zlib.decompress(packed))
    descriptions = found["descriptions"]
    offered = zip(found["numbers"].split(), found["places"], strict=True)
    answer = SearchAnswer(
        numbers=tuple([AvailableNumber(number, *descriptions[place]) for number, place in offered]),
        skipped=found["skipped"],
        capped=found["capped"],
    )
    return Searched(answer, at, cached=True)
