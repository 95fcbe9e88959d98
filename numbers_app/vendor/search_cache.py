"""Answers of searches, kept for a minute for all processes: paging and coming back cost the vendor nothing.

Kept as compressed JSON, which one thousand numbers are read from in a few milliseconds. Whatever is wrong with the
cache costs a question to the vendor, never a search.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import caches

from numbers_app.callcap import AvailableNumber, SearchAnswer, SearchCriteria

logger = structlog.get_logger(__name__)

CACHE = "searches"
KEPT_SECONDS = 60


@dataclass(frozen=True)
class Searched:
    """A search's answer, when Callcap gave it, and whether it was kept from then."""

    answer: SearchAnswer
    at: datetime
    cached: bool


def searched_recall(criteria: SearchCriteria) -> Searched | None:
    """What Callcap answered to this search within the last minute, if that is still to be had."""
    try:
        kept = caches[CACHE].get(_key(criteria))
        return _unpack(kept) if kept is not None else None
    except Exception as error:
        logger.warning("search_cache_unreadable", error=type(error).__name__)
        return None


def searched_keep(criteria: SearchCriteria, searched: Searched) -> None:
    """Keep the answer for a minute, in place of an older one."""
    try:
        caches[CACHE].set(_key(criteria), _pack(searched), KEPT_SECONDS)
    except Exception as error:
        logger.warning("search_cache_not_writable", error=type(error).__name__)


def _key(criteria: SearchCriteria) -> str:
    """What is asked of whom, as the vendor hears it."""
    asked = json.dumps([settings.CALLCAP_API_URL, criteria.to_wire()], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()


def _pack(searched: Searched) -> bytes:
    answer = searched.answer
    kept: dict[str, Any] = {
        "at": searched.at.isoformat(),
        "skipped": answer.skipped,
        "capped": answer.capped,
        "numbers": answer.numbers,
    }
    return zlib.compress(json.dumps(kept, separators=(",", ":")).encode(), 1)


def _unpack(kept: bytes) -> Searched:
    found = json.loads(zlib.decompress(kept))
    answer = SearchAnswer(
        numbers=tuple(map(AvailableNumber._make, found["numbers"])),
        skipped=found["skipped"],
        capped=found["capped"],
    )
    return Searched(answer, datetime.fromisoformat(found["at"]), cached=True)
