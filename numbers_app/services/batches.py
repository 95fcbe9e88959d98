"""Deciding on batches and steering them: submitting, approving, rejecting, pausing, cancelling, trying again.

Every verb locks the batch's own row first, which is the right to change its rows (see ``batch_release``). Rows are
changed many at once; nobody touches rows of an account that they were not granted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import Conflict, InvalidInput
from numbers_app.models import (
    Account,
    Batch,
    BatchKind,
    BatchRow,
    BatchStatus,
    NotificationKind,
    Order,
    OrderStatus,
    RowState,
    User,
    Verb,
)
from numbers_app.permissions import Capability, can, nearest_deciders_for, require
from numbers_app.selectors.accounts import accounts_granted
from numbers_app.tasks import release_batch

from .batch_outcomes import outcome_counts, outcomes_in_words
from .batch_release import batch_account_key, batch_has_more, batch_lock
from .batch_retries import rows_failed, rows_judge_again
from .history import history_append
from .notifications import batch_author, batch_tell
from .transition import order_transition

# A manager's own batches of these need nobody else, as their own changes do not.
NEEDS_NOBODY = (BatchKind.CHANGE, BatchKind.CONFIRM, BatchKind.REAPPLY)
SUBMITTED = (BatchStatus.WAITING, BatchStatus.RUNNING, BatchStatus.PAUSED)
UNSENT = (RowState.READY, RowState.APPROVED)


def batch_submit(*, actor: Actor, batch_id: int, reason: str, execute_after: datetime | None = None) -> Batch:
    """Ask for what a draft's ready rows say, not before ``execute_after``.

    A manager's own change, confirmation or re-application needs nobody else and is on its way at once. Raises Conflict
    when the draft was submitted already or an account is no longer granted, InvalidInput when no row can be done.
    """
    user = actor.person_or_refuse
    require(user, Capability.ORDER)
    with transaction.atomic():
        batch = batch_lock(batch_id)
        if batch.author_id != user.pk:
            raise Batch.DoesNotExist
        if batch.status != BatchStatus.DRAFT:
            raise Conflict(f"This batch was submitted already: {batch_standing(batch, user)}")
        ready = batch.rows.filter(state=RowState.READY)
        if not ready.exists():
            raise InvalidInput("There is nothing to submit: no row of this batch can be done.")
        lost = ready.exclude(account__in=accounts_granted(user)).count()
        if lost:
            raise Conflict(f"{_rows(lost)} in accounts that are not granted to you any more. Make the batch again.")
        _write(actor, batch, Verb.BATCH_SUBMITTED, ready.count(), reason=reason)
        now = timezone.now()
        batch.status, batch.reason, batch.submitted_at = BatchStatus.WAITING, reason, now
        batch.execute_after = execute_after
        batch.save(update_fields=["status", "reason", "submitted_at", "execute_after"])
        if batch.kind in NEEDS_NOBODY and can(user, Capability.CHANGE_ROUTING):
            _approve(actor, user, batch, ready, self_approved=True)
        else:
            deciders = _deciders(batch)
            batch_tell(actor=actor, batch=batch, kind=NotificationKind.BATCH_WAITING, people=deciders, detail=reason)
    return batch


def batch_approve(*, actor: Actor, batch_id: int, lines: Sequence[int] | None) -> int:
    """Approve the rows of these lines, or all that wait, as far as this person was granted their accounts.

    Returns how many. What lies elsewhere goes on waiting for somebody else. Raises PermissionDenied to the author,
    Conflict when none of them waits any more.
    """
    user = actor.person_or_refuse
    with transaction.atomic():
        batch, waiting = _lock_to_decide(user, batch_id, lines)
        approved = _approve(actor, user, batch, waiting, self_approved=False)
        _tell_author(actor, batch, f"{_count(approved)} approved.")
    return approved


def batch_reject(*, actor: Actor, batch_id: int, reason: str, lines: Sequence[int] | None) -> int:
    """Turn rows down, with a reason for the author. Returns how many. Raises as ``batch_approve``."""
    user = actor.person_or_refuse
    with transaction.atomic():
        batch, waiting = _lock_to_decide(user, batch_id, lines)
        rejected = waiting.count()
        _write(actor, batch, Verb.BATCH_REJECTED, rejected, reason=reason)
        waiting.update(state=RowState.REJECTED, decision_reason=reason, **_decision(actor, user))
        if not batch.rows.filter(state__in=(*UNSENT, RowState.ORDERED, RowState.DONE, RowState.FAILED)).exists():
            _end(batch, BatchStatus.REJECTED, f"Rejected by {actor.name}: {reason}")
        _tell_author(actor, batch, f"{_count(rejected)} rejected: {reason}")
    return rejected


def batch_pause(*, actor: Actor, batch_id: int) -> Batch:
    """Send nothing more of a running batch until somebody resumes it; what was sent goes on. Raises Conflict."""
    user = actor.person_or_refuse
    with transaction.atomic():
        batch = _lock_to_steer(user, batch_id)
        if batch.status != BatchStatus.RUNNING:
            raise Conflict(f"Only a running batch can be paused: {batch_standing(batch, user)}")
        _write(actor, batch, Verb.BATCH_PAUSED, _unsent_count(batch))
        batch.status = BatchStatus.PAUSED
        batch.save(update_fields=["status"])
    return batch


def batch_resume(*, actor: Actor, batch_id: int) -> Batch:
    """Go on with a paused batch. Raises Conflict when it is not paused."""
    user = actor.person_or_refuse
    with transaction.atomic():
        batch = _lock_to_steer(user, batch_id)
        if batch.status != BatchStatus.PAUSED:
            raise Conflict(f"Only a paused batch can be resumed: {batch_standing(batch, user)}")
        # Orders that were held back are rung at once. Their rows are locked as everywhere, one after the other by
        # their keys and before the history.
        held = list(_approved_orders(batch))
        _write(actor, batch, Verb.BATCH_RESUMED, _unsent_count(batch))
        batch.status = BatchStatus.RUNNING
        batch.save(update_fields=["status"])
        Order.objects.filter(pk__in=[order.pk for order in held]).update(rung_at=None)
        _ring(batch)
    return batch


def batch_cancel(*, actor: Actor, batch_id: int) -> int:
    """Take back what is not sent yet, as far as this person was granted the accounts; what was sent goes on.

    Returns how many rows. Raises Conflict when nothing is left to cancel.
    """
    user = actor.person_or_refuse
    with transaction.atomic():
        batch = _lock_to_steer(user, batch_id)
        granted = accounts_granted(user)
        unsent = batch.rows.filter(state__in=UNSENT, account__in=granted)
        orders = list(_approved_orders(batch).filter(account__in=granted))
        cancelled = unsent.count() + len(orders)
        if batch.status not in SUBMITTED or not cancelled:
            raise Conflict(f"Nothing of this batch is left to cancel: {batch_standing(batch, user)}")
        _write(actor, batch, Verb.BATCH_CANCELLED, cancelled)
        for order in orders:
            _cancel_order(actor, order, batch)
        unsent.update(state=RowState.CANCELLED)
        if not _unsent_count(batch):
            _end(batch, BatchStatus.CANCELLED, f"Cancelled by {actor.name}. What was sent before goes on.")
        _tell_author(actor, batch, f"{_count(cancelled)} cancelled.")
    return cancelled


def batch_retry(*, actor: Actor, batch_id: int) -> int:
    """Approve the failed rows again, each with the decision that it has. Returns how many.

    A change is tried again only over the values that it was approved over: a field that somebody has set to something
    else meanwhile leaves its row failed, with a sentence; one that is as wished already is left as it is. Raises
    Conflict when no row has failed. A batch that has ended runs again; what was cancelled of it stays so.
    """
    user = actor.person_or_refuse
    with transaction.atomic():
        batch = _lock_to_steer(user, batch_id)
        failed = list(rows_failed(batch, accounts_granted(user)))
        if not failed:
            raise Conflict(f"No row of this batch has failed: {batch_standing(batch, user)}")
        again = rows_judge_again(failed)
        if again:
            _write(actor, batch, Verb.BATCH_RETRIED, again)
            if batch.status not in SUBMITTED:
                batch.status, batch.result, batch.finished_at = BatchStatus.RUNNING, "", None
                batch.save(update_fields=["status", "result", "finished_at"])
        _ring(batch)
    return again


def batch_expire(*, actor: Actor, batch_id: int, asked_before: datetime) -> int:
    """End the waiting rows of a batch that was submitted before then, and tell its author. Returns how many."""
    with transaction.atomic():
        batch = batch_lock(batch_id)
        waiting = batch.rows.filter(state=RowState.READY)
        expired = waiting.count()
        if batch.status not in SUBMITTED or not expired or not batch.submitted_at or batch.submitted_at >= asked_before:
            return 0
        why = f"Nobody decided on it within {settings.ORDER_EXPIRY_DAYS} days. Ask again if it is needed."
        _write(actor, batch, Verb.BATCH_CANCELLED, expired, reason=why)
        waiting.update(state=RowState.CANCELLED, problem=why)
        if batch.status == BatchStatus.WAITING:
            _end(batch, BatchStatus.CANCELLED, f"Expired. {why}")
        _tell_author(actor, batch, f"{_count(expired)} expired. {why}")
    return expired


def batch_standing(batch: Batch, user: User) -> str:
    """How the batch stands, as the end of a sentence that says nothing of rows where the person was granted nothing."""
    granted = accounts_granted(user)
    elsewhere = batch.rows.exclude(account=None).exclude(account__in=granted)
    if batch.result and not elsewhere.exists():
        return f"{batch.result[:1].lower()}{batch.result[1:]}"
    counts = outcomes_in_words(outcome_counts(batch.rows.filter(account__in=granted)))
    return f"it is {batch.get_status_display().lower()} ({counts})."


def _lock_to_decide(user: User, batch_id: int, lines: Sequence[int] | None) -> tuple[Batch, QuerySet[BatchRow]]:
    """The locked batch and its rows that wait for this person."""
    require(user, Capability.DECIDE)
    batch = batch_lock(batch_id)
    rows = batch.rows.filter(account__in=accounts_granted(user))
    if batch.status == BatchStatus.DRAFT or not rows.exists():
        raise Batch.DoesNotExist
    if batch.author_id == user.pk:
        raise PermissionDenied("You made this batch yourself, so somebody else decides on it.")
    waiting = rows.filter(state=RowState.READY)
    if lines is not None:
        waiting = waiting.filter(line__in=lines)
    if batch.status not in SUBMITTED or not waiting.exists():
        last = rows.exclude(decided_at=None).order_by("-decided_at").first()
        by = f" {last.decider_name} decided last, {last.decided_at:%Y-%m-%d at %H:%M} UTC." if last else ""
        stands = batch_standing(batch, user)
        raise Conflict(f"None of these rows waits for a decision any more.{by} The batch: {stands}")
    return batch, waiting


def _lock_to_steer(user: User, batch_id: int) -> Batch:
    """The locked batch, for its author and for managers of an account in it."""
    require(user, Capability.ORDER)
    batch = batch_lock(batch_id)
    if batch.author_id != user.pk:
        decides = can(user, Capability.DECIDE) and batch.rows.filter(account__in=accounts_granted(user)).exists()
        if batch.status == BatchStatus.DRAFT or not decides:
            raise Batch.DoesNotExist
    return batch


def _approve(actor: Actor, user: User, batch: Batch, waiting: QuerySet[BatchRow], *, self_approved: bool) -> int:
    count = waiting.count()
    _write(actor, batch, Verb.BATCH_APPROVED, count)
    waiting.update(state=RowState.APPROVED, self_approved=self_approved, **_decision(actor, user))
    if batch.status == BatchStatus.WAITING:
        batch.status, batch.started_at = BatchStatus.RUNNING, timezone.now()
        batch.save(update_fields=["status", "started_at"])
    _ring(batch)
    return count


def _decision(actor: Actor, user: User) -> dict[str, Any]:
    return {"decider_id": user.pk, "decider_name": actor.name, "decided_at": timezone.now()}


def _ring(batch: Batch) -> None:
    """Tell a worker at once; what is due later or has no room yet is rung by the clock."""
    if batch_has_more(batch):
        Batch.objects.filter(pk=batch.pk).update(rung_at=timezone.now())
        release_batch.enqueue(batch.pk)


def _approved_orders(batch: Batch) -> QuerySet[Order]:
    """The batch's orders that are not sent, to be locked until the transaction ends."""
    locked = Order.objects.select_for_update(of=("self",)).select_related("account").order_by("pk")
    return locked.filter(batch_row__batch=batch, status=OrderStatus.APPROVED)


def _end(batch: Batch, status: BatchStatus, result: str) -> None:
    batch.status, batch.result, batch.finished_at = status, result, timezone.now()
    batch.save(update_fields=["status", "result", "finished_at"])


def _cancel_order(actor: Actor, order: Order, batch: Batch) -> None:
    nothing = "Nothing was bought or changed." if order.attempts.exists() else "Nothing was sent."
    order_transition(
        actor=actor,
        order=order,
        to=OrderStatus.CANCELLED,
        verb=Verb.ORDER_CANCELLED,
        result=f"Cancelled with batch {batch.pk} by {actor.name}. {nothing}",
        finished_at=timezone.now(),
    )
    order.choices.update(live=False)


def _unsent_count(batch: Batch) -> int:
    held = Q(state=RowState.ORDERED, order__status=OrderStatus.APPROVED)
    return batch.rows.filter(Q(state__in=UNSENT) | held).count()


def _deciders(batch: Batch) -> list[User]:
    accounts = Account.objects.filter(pk__in=batch.rows.filter(state=RowState.READY).order_by().values("account"))
    found = {
        person.pk: person
        for account in accounts
        for person in nearest_deciders_for(account, apart_from={batch.author_id})
    }
    return list(found.values())


def _tell_author(actor: Actor, batch: Batch, detail: str) -> None:
    batch_tell(actor=actor, batch=batch, kind=NotificationKind.BATCH_DECIDED, people=batch_author(batch), detail=detail)


def _write(actor: Actor, batch: Batch, verb: Verb, rows: int, reason: str = "") -> None:
    history_append(
        actor=actor,
        verb=verb,
        account_key=batch_account_key(batch),
        changes={"batch": [None, batch.pk], "rows": [None, rows]},
        reason=reason,
    )


def _count(rows: int) -> str:
    return f"{rows:,} row{'' if rows == 1 else 's'}"


def _rows(rows: int) -> str:
    return f"{_count(rows)} {'lies' if rows == 1 else 'lie'}"
