"""Starting and stopping a watch, and when it is due."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from numbers_app.actors import Actor
from numbers_app.errors import InvalidInput
from numbers_app.models import Notification, SavedView, User, Watch
from numbers_app.services.saved_views import view_delete, view_save
from numbers_app.services.watches import MOST_LOOKS, watch_start, watch_stop, watches_run

from .conftest import CLOCK, A, B, C, Vendor, come_due, look, save

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def many(owner: User, count: int) -> None:
    views = SavedView.objects.bulk_create(
        SavedView(owner=owner, page="search", name=f"Search {place}", query="area_code=316") for place in range(count)
    )
    Watch.objects.bulk_create(Watch(view=view, due_at=timezone.now()) for view in views)


def test_a_hundred_watches_do_not_come_due_together(rep: User, vendor: Vendor) -> None:
    with time_machine.travel(NOON, tick=False):
        many(rep, 100)
        come_due(NOON - timedelta(hours=1))
        while watches_run(actor=CLOCK):
            pass
        due = list(Watch.objects.values_list("due_at", flat=True))
    # A quarter of an hour has 900 seconds.
    assert max(Counter(at.replace(microsecond=0) for at in due).values()) <= 2
    assert all(NOON < at <= NOON + timedelta(minutes=15) for at in due)
    assert max(due) - min(due) > timedelta(minutes=14)


def test_a_watch_keeps_its_place_in_every_interval(watch: Watch, vendor: Vendor) -> None:
    with time_machine.travel(NOON, tick=False) as travelled:
        come_due(NOON)
        watches_run(actor=CLOCK)
        first = Watch.objects.get().due_at
        travelled.move_to(first + timedelta(seconds=40))
        watches_run(actor=CLOCK)
        assert Watch.objects.get().due_at == first + timedelta(minutes=15)


def test_a_tick_takes_a_few_and_the_longest_due_first(rep: User, vendor: Vendor) -> None:
    many(rep, MOST_LOOKS + 2)
    come_due(NOON)
    last = Watch.objects.order_by("pk").first()
    assert last
    Watch.objects.filter(pk=last.pk).update(due_at=NOON - timedelta(hours=1))
    assert watches_run(actor=CLOCK) == MOST_LOOKS
    assert Watch.objects.get(pk=last.pk).ran_at
    assert (watches_run(actor=CLOCK), watches_run(actor=CLOCK)) == (2, 0)


def test_a_watch_looks_at_once_and_then_at_its_pace(watch: Watch, vendor: Vendor) -> None:
    assert (watches_run(actor=CLOCK), watches_run(actor=CLOCK)) == (1, 0)
    assert watch.every_minutes == 15


def test_another_pace_forgets_nothing(watch: Watch, vendor: Vendor, rep: User, search: SavedView) -> None:
    look()
    again = watch_start(actor=Actor.person(rep), view=search, every_minutes=60)
    assert (again.pk, again.every_minutes, again.seen) == (watch.pk, 60, [A, B])


def test_a_search_saved_anew_forgets_what_was_seen_only_if_it_changed(watch: Watch, vendor: Vendor, rep: User) -> None:
    look()
    save(rep)
    assert Watch.objects.get().seen == [A, B]
    save(rep, "area_code=620")
    assert Watch.objects.get().seen is None


@pytest.mark.parametrize("minutes", [4, 0, -1, 1441])
def test_a_pace_out_of_bounds_is_refused(rep: User, search: SavedView, minutes: int) -> None:
    with pytest.raises(InvalidInput, match="every 5 minutes at most"):
        watch_start(actor=Actor.person(rep), view=search, every_minutes=minutes)
    assert not Watch.objects.exists()


def test_nobody_watches_or_stops_somebody_elses_search(watch: Watch, manager: User, search: SavedView) -> None:
    with pytest.raises(SavedView.DoesNotExist):
        watch_start(actor=Actor.person(manager), view=search, every_minutes=60)
    with pytest.raises(SavedView.DoesNotExist):
        watch_stop(actor=Actor.person(manager), view=search)
    assert Watch.objects.get().every_minutes == 15


def test_who_may_not_search_may_not_watch(rep: User, search: SavedView) -> None:
    rep.groups.clear()
    with pytest.raises(PermissionDenied):
        watch_start(actor=Actor.person(User.objects.get(pk=rep.pk)), view=search)


def test_a_list_cannot_be_watched(rep: User) -> None:
    view = view_save(
        actor=Actor.person(rep),
        page=SavedView.Page.HISTORY,
        name="Routing",
        query="routing=on",
        shared=False,
        is_default=False,
    )
    with pytest.raises(InvalidInput, match="Only a search"):
        watch_start(actor=Actor.person(rep), view=view)


def test_a_stopped_watch_is_gone_with_what_it_told_and_stopping_twice_is_harmless(
    watch: Watch, vendor: Vendor, rep: User, search: SavedView
) -> None:
    look()
    vendor.numbers += [C]
    look()
    for _ in range(2):
        watch_stop(actor=Actor.person(rep), view=search)
    assert (Watch.objects.count(), Notification.objects.count(), look()) == (0, 0, 0)


def test_a_forgotten_search_takes_its_watch_along(watch: Watch, rep: User, search: SavedView) -> None:
    view_delete(actor=Actor.person(rep), view=search)
    assert not Watch.objects.exists()
