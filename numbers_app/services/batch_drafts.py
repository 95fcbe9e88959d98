"""Making a batch up to its draft: every row judged, nothing asked for yet. A draft is its author's alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.batch_csv import MOST_ROWS, read_file
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import Batch, BatchKind, BatchRow, BatchStatus, Campaign, User
from numbers_app.permissions import Capability, require
from numbers_app.selectors.accounts import accounts_granted
from numbers_app.text import storable

from .batch_judging import rows_of_file, rows_of_selection

FORGET_AFTER = timedelta(days=7)
ROWS_AT_ONCE = 500


def batch_from_file(
    *, actor: Actor, kind: BatchKind, filename: str, data: bytes, title: str, form_token: UUID
) -> Batch:
    """A draft with a judged row for each row of an uploaded file of changes, purchases or imports.

    The same form sent twice with the same file and title makes one batch. Raises InvalidInput at ``file`` with a
    sentence for a file that cannot be read as a whole.
    """
    user = actor.person_or_refuse
    require(user, Capability.ORDER)
    token = uuid5(form_token, json.dumps([kind, title, hashlib.sha256(data).hexdigest()]))
    made = _made(user, token)
    if made:
        return made
    rows = list(rows_of_file(user=user, kind=kind, rows=read_file(data, kind)))
    kept = storable(filename)[-200:]
    batch = Batch(kind=kind, title=title or kept or str(kind.label), filename=kept, form_token=token)
    return _write(actor, user, batch, rows)


def batch_from_selection(
    *,
    actor: Actor,
    kind: BatchKind,
    campaigns: QuerySet[Campaign],
    values: dict[str, Any],
    title: str = "",
    form_token: UUID | None = None,
) -> Batch:
    """A draft with a judged row for each chosen number; those of accounts that were not granted are left out.

    ``values`` are what a change sets, empty for confirmations and re-applications. The same form sent twice with the
    same values and title makes one batch. Raises InvalidInput when there is no number, or more than a batch takes.
    """
    user = actor.person_or_refuse
    require(user, Capability.ORDER)
    said = json.dumps([kind, title, values], sort_keys=True, default=str)
    token = uuid5(form_token or uuid4(), said)
    made = _made(user, token)
    if made:
        return made
    granted = campaigns.filter(account__in=accounts_granted(user)).order_by("phone_number", "pk")
    # One more than fits says that there are too many.
    count = granted[: MOST_ROWS + 1].count()
    if not count:
        raise InvalidInput("None of these numbers is yours to change.")
    if count > MOST_ROWS:
        raise InvalidInput(f"A batch takes at most {MOST_ROWS:,} numbers. Narrow the list with a filter.")
    rows = list(rows_of_selection(user=user, kind=kind, campaigns=granted, values=values))
    about = f"{kind.label} of {len(rows):,} number{'s' if len(rows) > 1 else ''}"
    return _write(actor, user, Batch(kind=kind, title=title or about, form_token=token), rows)


def batch_discard(*, actor: Actor, batch_id: int) -> None:
    """Delete one of the actor's own drafts: nothing was decided, so nothing is to be kept.

    Raises Batch.DoesNotExist for somebody else's, Conflict for one that was submitted meanwhile.
    """
    user = actor.person_or_refuse
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch_id, author_id=user.pk)
        if batch.status != BatchStatus.DRAFT:
            raise Conflict("This batch has been submitted. It can be cancelled, but not discarded.")
        _delete(batch)


def batch_drafts_forget(*, actor: Actor) -> int:
    """Delete the drafts that nobody has submitted for a week. Returns how many."""
    old = Batch.objects.filter(status=BatchStatus.DRAFT, created_at__lt=timezone.now() - FORGET_AFTER)
    forgotten = 0
    for batch_id in old.values_list("pk", flat=True):
        with transaction.atomic():
            batch = old.select_for_update().filter(pk=batch_id).first()
            if batch:
                _delete(batch)
                forgotten += 1
    return forgotten


def _delete(draft: Batch) -> None:
    draft.rows.all().delete()
    draft.delete()


def _made(user: User, form_token: UUID) -> Batch | None:
    """The batch that this person has made already with the form."""
    return Batch.objects.filter(form_token=form_token, author_id=user.pk).first()


def _write(actor: Actor, user: User, batch: Batch, rows: Sequence[BatchRow]) -> Batch:
    batch.author_id, batch.author_name = user.pk, actor.name
    batch.title = batch.title[:200]
    try:
        with transaction.atomic():
            batch.save(force_insert=True)
            for row in rows:
                row.batch = batch
            BatchRow.objects.bulk_create(rows, batch_size=ROWS_AT_ONCE)
    except IntegrityError:
        # Perhaps a race against the same form sent twice.
        made = _made(user, batch.form_token)
        if made is None:
            raise
        return made
    return batch
