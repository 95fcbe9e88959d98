"""The cache of searches: a minute for everybody, never a wrong answer, never in the way."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from numbers_app.callcap import AvailableNumber, CallcapError, SearchAnswer, SearchCriteria
from numbers_app.vendor import Searched, vendor_search
from numbers_app.vendor.search_cache import searched_keep, searched_recall
from portal.environment import Environment
from tests.callcap.vendor import answer

from .conftest import BROKEN, FOUND, NUMBER, Ask, success

pytestmark = pytest.mark.django_db

CRITERIA = SearchCriteria(area_code="316")
OTHER = "3165550199"
FIELDS = [field.name for field in fields(SearchCriteria)]
FLAGS = [name for name in FIELDS if name.startswith("show_")]
some_criteria = st.builds(
    SearchCriteria,
    **{name: st.sampled_from([None, False, True] if name in FLAGS else ["", "1", "2", "a"]) for name in FIELDS},
)
nearly_any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
some_answers = st.builds(
    SearchAnswer,
    numbers=st.lists(
        st.builds(AvailableNumber, **dict.fromkeys(AvailableNumber._fields, nearly_any_text)), max_size=5
    ).map(tuple),
    skipped=st.integers(0, 10**6),
    capped=st.booleans(),
)


@pytest.fixture
def in_memory(settings: Any) -> None:
    """The same cache, faster."""
    local = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    settings.CACHES = settings.CACHES | {"searches": local}
    caches["searches"].clear()


def numbers(searched: Searched) -> list[str]:
    return [offer.number for offer in searched.answer.numbers]


def test_the_same_search_within_a_minute_asks_callcap_once(callcap: Ask) -> None:
    to = callcap(FOUND, success(numbers=[OTHER]))
    before = timezone.now()
    first = vendor_search(CRITERIA)
    again = vendor_search(SearchCriteria(area_code="316"))
    assert (numbers(first), first.cached) == ([NUMBER], False)
    assert before <= first.at <= timezone.now()
    assert again == replace(first, cached=True)
    assert len(to.requests) == 1


def test_after_a_minute_callcap_is_asked_again(callcap: Ask) -> None:
    to = callcap(FOUND, success(numbers=[OTHER]))
    start = datetime(2026, 1, 15, 12, tzinfo=UTC)
    with time_machine.travel(start, tick=False):
        vendor_search(CRITERIA)
    with time_machine.travel(start + timedelta(seconds=58), tick=False):
        assert vendor_search(CRITERIA).at == start
    later = start + timedelta(seconds=62)
    with time_machine.travel(later, tick=False):
        searched = vendor_search(CRITERIA)
    assert (numbers(searched), searched.at, searched.cached) == ([OTHER], later, False)
    assert len(to.requests) == 2


def test_who_wants_it_fresh_gets_it_fresh_and_so_does_everybody_after(callcap: Ask) -> None:
    callcap(FOUND, success(numbers=[OTHER]))
    vendor_search(CRITERIA)
    fresh = vendor_search(CRITERIA, fresh=True)
    assert (numbers(fresh), fresh.cached) == ([OTHER], False)
    assert vendor_search(CRITERIA) == replace(fresh, cached=True)


@pytest.mark.parametrize("trouble", [BROKEN, b"", answer('{"status": "error"}', 400), answer("{}", 401)])
def test_a_failure_is_not_kept_and_pushes_nothing_out(callcap: Ask, trouble: bytes) -> None:
    callcap(trouble, FOUND, trouble)
    with pytest.raises(CallcapError):
        vendor_search(CRITERIA)
    kept = vendor_search(CRITERIA)
    assert not kept.cached
    with pytest.raises(CallcapError):
        vendor_search(CRITERIA, fresh=True)
    assert vendor_search(CRITERIA) == replace(kept, cached=True)


def test_that_nothing_was_found_is_kept(callcap: Ask) -> None:
    to = callcap(answer('{"status": "error"}', 404))
    assert vendor_search(CRITERIA).answer == SearchAnswer(())
    assert vendor_search(CRITERIA).cached
    assert len(to.requests) == 1


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.usefixtures("in_memory")
def test_every_criterion_makes_another_search(callcap: Ask, name: str) -> None:
    callcap(FOUND)
    values: list[Any] = [False, True] if name in FLAGS else ["3", "4"]
    searches = [SearchCriteria(), *(SearchCriteria(**{name: value}) for value in values)]
    assert [vendor_search(criteria).cached for criteria in searches] == [False] * 3
    assert [vendor_search(criteria).cached for criteria in searches] == [True] * 3


@given(kept=some_criteria, asked=some_criteria)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
def test_an_answer_is_recalled_for_the_same_criteria_and_no_others(
    in_memory: None, kept: SearchCriteria, asked: SearchCriteria
) -> None:
    caches["searches"].clear()
    searched_keep(kept, Searched(SearchAnswer(()), timezone.now(), cached=False))
    assert (searched_recall(asked) is not None) == (asked == kept)


@given(given_answer=some_answers)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
def test_what_was_kept_comes_back_as_it_was(in_memory: None, given_answer: SearchAnswer) -> None:
    at = timezone.now()
    searched_keep(CRITERIA, Searched(given_answer, at, cached=False))
    assert searched_recall(CRITERIA) == Searched(given_answer, at, cached=True)


def test_another_vendor_s_answers_are_not_recalled(callcap: Ask) -> None:
    callcap(FOUND)
    vendor_search(CRITERIA)
    callcap(success(numbers=[OTHER]))
    assert numbers(vendor_search(CRITERIA)) == [OTHER]


class BrokenCache(BaseCache):
    def get(self, *args: Any, **options: Any) -> Any:
        raise ConnectionError("swordfish")

    set = get


@pytest.mark.parametrize("broken", ["get", "set"])
def test_a_cache_that_fails_stops_no_search(
    callcap: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    to = callcap(FOUND)
    monkeypatch.setattr(DatabaseCache, broken, getattr(BrokenCache, broken))
    assert numbers(vendor_search(CRITERIA)) == [NUMBER]
    assert numbers(vendor_search(CRITERIA)) == [NUMBER]
    assert len(to.requests) == 2
    assert "search_cache_" in caplog.text
    assert "swordfish" not in caplog.text


@pytest.mark.parametrize("garbage", [b"", b"garbage", "text", 4, {"numbers": []}])
def test_what_cannot_be_read_is_asked_for_again(callcap: Ask, monkeypatch: pytest.MonkeyPatch, garbage: Any) -> None:
    to = callcap(FOUND)
    with monkeypatch.context() as patched:
        patched.setattr("numbers_app.vendor.search_cache._pack", lambda searched: garbage)
        vendor_search(CRITERIA)
    assert numbers(vendor_search(CRITERIA)) == [NUMBER]
    assert vendor_search(CRITERIA).cached
    assert len(to.requests) == 2


def test_it_is_a_table_of_its_own_that_cannot_grow_for_ever() -> None:
    searches, default = caches["searches"], caches["default"]
    assert isinstance(searches, DatabaseCache)
    assert (searches._table, searches._max_entries) == ("portal_cache_searches", 2_000)
    assert (default._table, default._max_entries) == ("portal_cache", 1_000_000)


@pytest.mark.parametrize(
    ("given", "beside"),
    [
        ({}, "searches"),
        ({"KEY_PREFIX": "numbers"}, "numberssearches"),
    ],
)
def test_on_redis_it_has_keys_of_its_own(given: dict[str, object], beside: str) -> None:
    redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://cache:6379/0"}
    assert Environment().cache_beside(redis | given, "searches") == redis | {"KEY_PREFIX": beside}
