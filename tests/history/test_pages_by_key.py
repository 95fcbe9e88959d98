"""Going through a list that grows for ever, page by page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction

from numbers_app.models import HistoryEntry, Verb
from numbers_app.selectors.keyset import KeysetPage, keyset_page
from numbers_app.services.history import history_append
from tests.history.conftest import PORTAL

pytestmark = pytest.mark.django_db

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _ten_entries() -> None:
    """Ten entries, three at a time in the same moment; the fifth was written while a clock was an hour behind."""
    with transaction.atomic():
        for place in range(10):
            wrong = timedelta(hours=-1) if place == 4 else timedelta()
            with time_machine.travel(MORNING + timedelta(minutes=place // 3) + wrong, tick=False):
                history_append(actor=PORTAL, verb=Verb.ACCOUNT_CHANGED)


def page(**asked: Any) -> KeysetPage:
    """A page of all entries, which is the same when they come in parts."""
    whole = HistoryEntry.objects.all()
    shown = keyset_page(whole, **{"per_page": 3} | asked)
    parts = [whole.filter(pk__in=part) for part in ([1, 4, 5, 10, 11], [2, 3, 6], [7, 8, 9], [99])]
    assert keyset_page(*parts, **{"per_page": 3} | asked) == shown
    return shown


def keys(shown: KeysetPage) -> list[int]:
    return [row.pk for row in shown.rows]


# By time, so the one whose clock was behind comes last.
ORDER = [10, 9, 8, 7, 6, 4, 3, 2, 1, 5]


def test_older_pages_show_every_row_once() -> None:
    shown = page()
    seen = keys(shown)
    while shown.older:
        shown = page(before=shown.older)
        seen += keys(shown)
    assert seen == ORDER


def test_newer_pages_show_every_row_once_too() -> None:
    shown = page(before=1)
    assert keys(shown) == [5]
    seen = keys(shown)
    while shown.newer:
        shown = page(after=shown.newer)
        seen = keys(shown) + seen
    assert seen == ORDER


def test_there_is_nothing_newer_than_the_newest_and_nothing_older_than_the_oldest() -> None:
    assert (page().newer, page(per_page=10).older, page(per_page=9).older) == (None, None, 1)
    assert page(before=5).rows == []


def test_the_first_page_is_full_when_one_comes_back_to_it() -> None:
    assert keys(page(after=9)) == [10, 9, 8]
    assert page(after=9).newer is None


def test_what_is_written_meanwhile_moves_no_page() -> None:
    second = keys(page(before=8))
    with transaction.atomic():
        history_append(actor=PORTAL, verb=Verb.ACCOUNT_CHANGED)
    assert keys(page(before=8)) == second


def test_a_key_without_a_row_leads_to_the_newest() -> None:
    assert keys(page(before=99)) == keys(page(after=99)) == [10, 9, 8]
