"""Rows that nobody decides on end by themselves, as single orders do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from numbers_app.errors import Conflict
from numbers_app.models import Batch, BatchStatus, Campaign, Order, OrderStatus, User
from numbers_app.services.sweep import batches_expire, batches_sweep
from numbers_app.services.verification import history_verify
from tests.batches.making import CLOCK, approve, change_draft, outcomes, release, row, submit, told, written

pytestmark = pytest.mark.django_db
WHY = "Nobody decided on it within 14 days. Ask again if it is needed."


@pytest.fixture
def waiting(rep: User, manager: User, numbers: list[Campaign], settings: Any) -> Batch:
    settings.ORDER_EXPIRY_DAYS = 14
    return submit(rep, change_draft(rep, numbers))


def days_pass(batch: Batch, days: float) -> int:
    """The batch was submitted that many days ago, and the clock comes by; how many rows it ended."""
    Batch.objects.filter(pk=batch.pk).update(submitted_at=timezone.now() - timedelta(days=days))
    ended = batches_expire(actor=CLOCK)
    batch.refresh_from_db()
    return ended


def test_a_batch_ends_when_nobody_decided_in_time_and_its_author_is_told(waiting: Batch, manager: User) -> None:
    assert (days_pass(waiting, 13.9), waiting.status) == (0, BatchStatus.WAITING)
    assert days_pass(waiting, 14.01) == 3
    assert (waiting.status, waiting.result) == (BatchStatus.CANCELLED, f"Expired. {WHY}")
    assert (outcomes(waiting), row(waiting, 2).problem) == ({"cancelled": 3}, WHY)
    assert written(waiting)[-1] == ("batch.cancelled", "Clock", 3)
    assert told(waiting, "batch_decided") == ["rep"]
    assert waiting.notifications.get(kind="batch_decided").detail == f"3 rows expired. {WHY}"
    assert history_verify().problems == []
    assert batches_expire(actor=CLOCK) == 0
    with pytest.raises(Conflict):
        approve(manager, waiting)


def test_rows_that_were_approved_in_time_go_on(waiting: Batch, manager: User) -> None:
    approve(manager, waiting, [2])
    assert days_pass(waiting, 15) == 2
    assert (waiting.status, outcomes(waiting)) == (BatchStatus.RUNNING, {"approved": 1, "cancelled": 2})
    assert len(release(waiting)) == 1


def test_a_batch_whose_last_open_rows_expire_is_ended_by_the_clock(waiting: Batch, manager: User) -> None:
    approve(manager, waiting, [2])
    [order_id] = release(waiting)
    Order.objects.filter(pk=order_id).update(status=OrderStatus.DONE)
    days_pass(waiting, 15)
    batches_sweep(actor=CLOCK)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.result) == (BatchStatus.DONE, "1 done, 2 cancelled.")


def test_a_draft_does_not_expire(rep: User, numbers: list[Campaign]) -> None:
    assert (days_pass(change_draft(rep, numbers), 100), Batch.objects.get().status) == (0, BatchStatus.DRAFT)
