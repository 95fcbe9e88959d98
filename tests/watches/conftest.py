"""A saved search, and a vendor that offers what a test says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.callcap import AvailableNumber, CallcapError, SearchAnswer, SearchCriteria
from numbers_app.models import SavedView, Source, User, Watch
from numbers_app.services import watches
from numbers_app.services.saved_views import view_save
from numbers_app.services.watches import watch_start, watches_run
from numbers_app.vendor import Searched

CLOCK = Actor.portal("Clock", source=Source.WORKER)
A, B, C = "3165550101", "3165550102", "3165550103"


@dataclass
class Vendor:
    """Answers every search with ``numbers``, or with ``error``; ``during`` happens while it is asked."""

    numbers: list[str] = field(default_factory=list)
    skipped: int = 0
    capped: bool = False
    error: CallcapError | None = None
    during: Callable[[], object] = lambda: None
    asked: list[tuple[SearchCriteria, bool, bool]] = field(default_factory=list)

    def search(self, criteria: SearchCriteria, *, fresh: bool = False, batch: bool = False) -> Searched:
        self.asked.append((criteria, fresh, batch))
        self.during()
        if self.error:
            raise self.error
        offers = tuple(AvailableNumber(number) for number in self.numbers)
        return Searched(SearchAnswer(offers, self.skipped, self.capped), timezone.now(), cached=False)


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Vendor:
    made = Vendor([A, B])
    monkeypatch.setattr(watches, "vendor_search", made.search)
    return made


def save(owner: User, query: str = "area_code=316", name: str = "Wichita") -> SavedView:
    return view_save(
        actor=Actor.person(owner),
        page=SavedView.Page.SEARCH,
        name=name,
        query=query,
        shared=False,
        is_default=False,
    )


@pytest.fixture
def search(rep: User) -> SavedView:
    return save(rep)


@pytest.fixture
def watch(rep: User, search: SavedView) -> Watch:
    return watch_start(actor=Actor.person(rep), view=search)


def come_due(at: datetime | None = None) -> None:
    Watch.objects.update(due_at=at or timezone.now() - timedelta(seconds=1))


def look() -> int:
    """The clock comes by when every watch is due."""
    come_due()
    return watches_run(actor=CLOCK)
