"""The worker verifies the history once a day, and what it came to is seen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from numbers_app.models import Campaign, User, VerificationResult
from numbers_app.services.sweep import verification_ring
from numbers_app.tasks import verify_history
from tests.history.conftest import PORTAL
from tests.history.tampering import guards_lifted, run_sql

pytestmark = pytest.mark.django_db


def verified(**age: float) -> None:
    """A verification came to an end that long ago."""
    verify_history.func()
    VerificationResult.objects.update(at=timezone.now() - timedelta(**age))


def test_worker_is_told_once_a_day(campaign: Campaign) -> None:
    assert verification_ring(actor=PORTAL)
    assert not verification_ring(actor=PORTAL)
    DBTaskResult.objects.all().delete()
    verified(hours=23)
    assert not verification_ring(actor=PORTAL)
    VerificationResult.objects.update(at=timezone.now() - timedelta(hours=25))
    assert verification_ring(actor=PORTAL)


def test_verification_that_never_came_to_an_end_is_rung_again(campaign: Campaign) -> None:
    verification_ring(actor=PORTAL)
    DBTaskResult.objects.update(enqueued_at=timezone.now() - timedelta(hours=25), status="RUNNING")
    assert verification_ring(actor=PORTAL)


def page_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.get("/history/").content.decode()


def test_page_says_that_nothing_was_verified_yet(campaign: Campaign, auditor: User) -> None:
    assert "Not verified yet." in page_of(auditor)


def test_page_says_what_was_verified(campaign: Campaign, auditor: User) -> None:
    verified(hours=1)
    assert "Verified, all in order: 1 entry, 1 number, 0 checkpoints." in page_of(auditor)


def test_page_says_what_is_not_in_order(campaign: Campaign, auditor: User, caplog: pytest.LogCaptureFixture) -> None:
    with guards_lifted():
        run_sql("UPDATE numbers_app_historyentry SET reason = 'another'")
    verified(hours=1)
    page = page_of(auditor)
    assert "Not in order:" in page
    assert "Entry 1 was altered" in page
    assert "history_not_in_order" in caplog.text
    assert "Verified 1\xa0hour ago:" in page


def test_who_does_not_see_everything_is_told_that_there_is_a_problem_and_not_which(
    campaign: Campaign, rep: User
) -> None:
    with guards_lifted():
        run_sql("UPDATE numbers_app_historyentry SET reason = 'another'")
    verified(hours=1)
    page = page_of(rep)
    assert "the last verification found 1 problem. Tell an auditor or an administrator" in page
    assert "Entry 1 was altered" not in page


@pytest.mark.parametrize(("hours", "tone"), [(47, "success"), (49, "warning")])
def test_an_old_result_is_a_warning(campaign: Campaign, auditor: User, hours: int, tone: str) -> None:
    verified(hours=hours)
    page = page_of(auditor)
    assert f'class="notice notice-{tone}"' in page
    assert ("Not verified lately." in page) == (tone == "warning")
    assert ("Verified, all in order" in page) == (tone == "success")
