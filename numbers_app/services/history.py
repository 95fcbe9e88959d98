"""The only writer of the history."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection
from django.db.transaction import TransactionManagementError
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.models import GENESIS_HASH, HistoryEntry, Verb
from numbers_app.text import storable

from .head import Head

CANONICAL_VERSION = "numbers-portal/history/1"
# Any number, the same in every process: writers of the history queue behind it on PostgreSQL.
ADVISORY_LOCK = 7_316_734_225
_NEWEST = "SELECT sequence, hash FROM numbers_app_historyentry ORDER BY sequence DESC LIMIT 1"

type Changes = dict[str, list[Any]]


@dataclass(frozen=True)
class NumberState:
    """A number's routing and lifetime as they result from an entry."""

    destination: str
    stop_date: date | None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class VendorWords:
    """What the vendor answered: HTTP status and message."""

    status: int | None
    message: str


def history_canonical(entry: HistoryEntry) -> str:
    """The entry's fields as one canonical JSON text: sorted keys, UTC strings, ASCII, no floats."""

    def moment(value: datetime | None) -> str | None:
        return value.astimezone(UTC).isoformat(timespec="microseconds") if value else None

    fields = {
        "sequence": entry.sequence,
        "at": moment(entry.at),
        "actor_id": entry.actor_id,
        "actor_name": entry.actor_name,
        "role": entry.role,
        "source": str(entry.source),
        "verb": str(entry.verb),
        "number": entry.number,
        "account_key": entry.account_key,
        "order_id": entry.order_id,
        "changes": entry.changes,
        "destination": entry.destination,
        "stop_date": entry.stop_date.isoformat() if entry.stop_date else None,
        "ended_at": moment(entry.ended_at),
        "reason": entry.reason,
        "approved_by": entry.approved_by,
        "request_id": entry.request_id,
        "vendor_status": entry.vendor_status,
        "vendor_message": entry.vendor_message,
    }
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def history_hash(canonical: str, previous_hash: str) -> str:
    """SHA-256 over the version tag, the canonical text and the previous entry's hash, in hexadecimal."""
    return hashlib.sha256(f"{CANONICAL_VERSION}\n{canonical}\n{previous_hash}".encode()).hexdigest()


def history_append(
    *,
    actor: Actor,
    verb: Verb,
    number: str = "",
    account_key: str = "",
    order_id: int | None = None,
    changes: Changes | None = None,
    state: NumberState | None = None,
    reason: str = "",
    approved_by: str = "",
    vendor: VendorWords | None = None,
) -> HistoryEntry:
    """Write one entry, chained to the last, in the caller's transaction.

    The caller has locked the rows it is going to write before calling, and writes only those afterwards: any other
    order of locks deadlocks. ``changes`` is {field: [before, after]} of JSON values; ``state`` belongs to
    ``number.*`` verbs. ``at`` is what the clock said, also of one that was set back: what follows what is told by
    ``sequence``.
    Raises TransactionManagementError outside a transaction: an entry never stands without its change.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("History is written in the transaction of the change it describes.")
    previous = history_lock()
    entry = HistoryEntry(
        sequence=(previous.sequence if previous else 0) + 1,
        at=timezone.now(),
        actor_id=actor.user_id,
        actor_name=storable(actor.name),
        role=actor.role,
        source=actor.source,
        verb=Verb(verb),
        number=number,
        account_key=account_key,
        order_id=order_id,
        changes=changes or {},
        destination=state.destination if state else "",
        stop_date=state.stop_date if state else None,
        ended_at=state.ended_at if state else None,
        reason=storable(reason),
        approved_by=storable(approved_by),
        request_id=actor.request_id,
        vendor_status=vendor.status if vendor else None,
        vendor_message=storable(vendor.message) if vendor else "",
        previous_hash=previous.hash if previous else GENESIS_HASH,
    )
    entry.canonical = history_canonical(entry)
    entry.hash = history_hash(entry.canonical, entry.previous_hash)
    entry.save(force_insert=True)
    return entry


def history_lock() -> Head | None:
    """The newest entry, with the right to append after it until the transaction ends.

    For who must read the history before appending, and not miss what another transaction is about to append.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Two statements in one message: the second sees what others appended while the first waited.
            cursor.execute(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK}); {_NEWEST}")
            cursor.nextset()
        else:
            cursor.execute(_NEWEST)
        newest = cursor.fetchone()
    return Head(*newest) if newest else None
