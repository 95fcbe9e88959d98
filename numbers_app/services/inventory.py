"""What the portal says about all its numbers: that none is missing, and all of them as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import batched
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.csv_cells import BYTE_ORDER_MARK, cell_out
from numbers_app.errors import Conflict
from numbers_app.models import RUN_ON, Campaign, Inventory, Verb
from numbers_app.permissions import Capability, require

from .history import history_append, history_lock

# An import takes the file as it is: what can be set comes first, under the names that imports know.
COLUMNS = (
    "phone_number",
    "account",
    "destination",
    "stop_date",
    "recording",
    "evaluation",
    "campaign_name",
    "media_type_id",
    "brand",
    "service",
    "target",
    "offer",
    "memo1",
    "memo2",
    "notes",
    "status",
    "number_type",
    "state",
    "city",
    "rate_center",
    "confirmed_at",
    "imported_at",
)
ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class InventoryExport:
    """How many numbers the file has, its name, and its bytes, which are read from the database as they are taken."""

    count: int
    filename: str
    stream: Iterator[bytes]


def inventory_declare_complete(*, actor: Actor, reason: str) -> Inventory:
    """Say that no number bought before the portal is missing any more.

    For managers and administrators: those who may also stop what is sent to Callcap, since both answer for the portal
    as a whole and not for one account. Raises PermissionDenied for others, Conflict when somebody has said it already.
    """
    require(actor.person_or_refuse, Capability.PAUSE)
    with transaction.atomic():
        # There is no row to lock yet: who appends to the history is alone.
        history_lock()
        said = Inventory.objects.filter(pk=Inventory.ONLY).first()
        if said:
            raise Conflict(f"{said.actor_name} has declared the inventory complete already.")
        now = timezone.now()
        history_append(
            actor=actor,
            verb=Verb.INVENTORY_DECLARED,
            changes={"complete_since": [None, now.isoformat()]},
            reason=reason,
        )
        return Inventory.objects.create(complete_since=now, actor_name=actor.name, reason=reason)


def inventory_declare_incomplete(*, actor: Actor, reason: str) -> None:
    """Take the declaration back: numbers may be missing after all.

    For the same people. Raises PermissionDenied for others, Conflict when nobody has declared it complete.
    """
    require(actor.person_or_refuse, Capability.PAUSE)
    with transaction.atomic():
        history_lock()
        said = Inventory.objects.filter(pk=Inventory.ONLY).first()
        if said is None:
            raise Conflict("The inventory does not count as complete.")
        history_append(
            actor=actor,
            verb=Verb.INVENTORY_DECLARED,
            changes={"complete_since": [said.complete_since.isoformat(), None]},
            reason=reason,
        )
        said.delete()


def inventory_export(*, actor: Actor, campaigns: QuerySet[Campaign], filters: str) -> InventoryExport:
    """The numbers as CSV, in their order. Which ones is settled when this returns, and in the history, committed.

    ``filters`` says in words which ones they are.
    """
    with transaction.atomic(durable=True):
        keys = list(campaigns.values_list("pk", flat=True))
        history_append(
            actor=actor,
            verb=Verb.INVENTORY_EXPORTED,
            changes={
                "format": [None, "CSV"],
                "filters": [None, filters or "none"],
                "numbers": [None, len(keys)],
            },
        )
    filename = f"numbers-{timezone.localdate()}-{len(keys)}.csv"
    return InventoryExport(len(keys), filename, _csv(keys))


def _csv(keys: list[int]) -> Iterator[bytes]:
    yield (BYTE_ORDER_MARK + ",".join(COLUMNS) + "\r\n").encode()
    for some in batched(keys, ROWS_AT_ONCE):
        # Numbers are never deleted, so that every key has its row.
        found = Campaign.objects.select_related("account").in_bulk(some)
        text = io.StringIO(newline="")
        csv.writer(text).writerows(_row(found[key]) for key in some)
        yield text.getvalue().encode("utf-8", "backslashreplace")


def _row(campaign: Campaign) -> list[str]:
    values: dict[str, Any] = {name: getattr(campaign, name, None) for name in COLUMNS}
    values["account"] = campaign.account.key
    values["status"] = _status(campaign)
    return [_cell(value) for value in values.values()]


def _status(campaign: Campaign) -> str:
    if campaign.ended_at:
        return "stopped"
    return "active" if campaign.stop_date in (None, RUN_ON) else "stopping"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return cell_out(value.isoformat() if isinstance(value, date) else str(value))
