"""A month of history to draw from."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction

from numbers_app.actors import Actor
from numbers_app.models import Account, AuditSample, SampleScope, Source, User, Verb
from numbers_app.periods import Period
from numbers_app.permissions import Role
from numbers_app.services.history import history_append
from numbers_app.services.samples import sample_draw
from tests.factories import UserFactory

NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))
EVER = Period(date(2000, 1, 1), date(9000, 1, 1))
KINDS: tuple[tuple[Verb, dict[str, list[Any]]], ...] = (
    (Verb.NUMBER_CHANGED, {"destination": ["3164447896", "3165550100"]}),
    (Verb.NUMBER_CHANGED, {"notes": ["", "Busy"]}),
    (Verb.ORDER_APPROVED, {"status": ["pending", "approved"]}),
    (Verb.NUMBER_CHANGED, {"stop_date": [None, "2027-01-31"]}),
    (Verb.ORDER_REQUESTED, {}),
)


def write_days(first: date, days: int) -> None:
    """An entry at noon (UTC) of each day, of each kind in turn."""
    for day in range(days):
        verb, changes = KINDS[day % len(KINDS)]
        noon = f"{first + timedelta(days=day)}T12:00:00+00:00"
        with time_machine.travel(noon, tick=False), transaction.atomic():
            history_append(
                actor=Actor.portal("Worker", source=Source.WORKER),
                verb=verb,
                number="3167342253",
                account_key="L-3",
                order_id=day + 1,
                changes=changes,
                reason="A test",
            )


@pytest.fixture
def november(location: Account) -> Period:
    """An entry a day from October 27 to December 4: 5 before November, 30 in it, 4 after it."""
    write_days(date(2026, 10, 27), 39)
    return NOVEMBER


@pytest.fixture
def auditor2(db: None) -> User:
    user: User = UserFactory(role=Role.AUDITOR, username="auditor2")
    return user


@pytest.fixture
def sample(november: Period, auditor: User) -> AuditSample:
    """Ten entries of November."""
    return draw(auditor, november, size=10)


def draw(
    auditor: User,
    period: Period,
    *,
    scope: SampleScope = SampleScope.EVERYTHING,
    size: int = 10,
    seed: str = "audit-2026",
    up_to: int | None = None,
) -> AuditSample:
    return sample_draw(actor=Actor.person(auditor), period=period, scope=scope, size=size, seed=seed, up_to=up_to)


def drawn(sample: AuditSample) -> list[int]:
    """The entries of a sample, by number."""
    return list(sample.entries.order_by("entry_id").values_list("entry_id", flat=True))
