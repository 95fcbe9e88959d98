"""The cache of searches: a minute for everybody, never a wrong answer, never in the way."""

from __future__ import annotations

import zlib
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from numbers_app.callcap import AvailableNumber, CallcapError, SearchAnswer, SearchCriteria
from numbers_app.models import KeptSearch
from numbers_app.vendor import Searched, callcap_client, searched_forget, vendor_search
from numbers_app.vendor.search_cache import searched_keep, searched_recall
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
        st.builds(
            AvailableNumber,
            **dict.fromkeys(AvailableNumber._fields, nearly_any_text)
            | {"number": st.from_regex("[2-9][0-9]{9}", fullmatch=True)},
        ),
        max_size=5,
    ).map(tuple),
    skipped=st.integers(0, 10**6),
    capped=st.booleans(),
)


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


def test_a_slow_answer_does_not_replace_one_that_was_asked_for_after_it(
    callcap: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody presses Refresh while the first search still waits."""
    callcap(FOUND, success(numbers=[OTHER]))
    client = callcap_client()
    ask = client.search

    def slow(criteria: SearchCriteria) -> SearchAnswer:
        found = ask(criteria)
        monkeypatch.undo()
        assert numbers(vendor_search(CRITERIA, fresh=True)) == [OTHER]
        return found

    monkeypatch.setattr(client, "search", slow)
    assert numbers(vendor_search(CRITERIA)) == [NUMBER]
    assert numbers(vendor_search(CRITERIA)) == [OTHER]


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
def test_every_criterion_makes_another_search(callcap: Ask, name: str) -> None:
    callcap(FOUND)
    values: list[Any] = [False, True] if name in FLAGS else ["3", "4"]
    searches = [SearchCriteria(), *(SearchCriteria(**{name: value}) for value in values)]
    assert [vendor_search(criteria).cached for criteria in searches] == [False] * 3
    assert [vendor_search(criteria).cached for criteria in searches] == [True] * 3


@given(kept=some_criteria, asked=some_criteria)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
def test_an_answer_is_recalled_for_the_same_criteria_and_no_others(kept: SearchCriteria, asked: SearchCriteria) -> None:
    KeptSearch.objects.all().delete()
    searched_keep(kept, Searched(SearchAnswer(()), timezone.now(), cached=False))
    assert (searched_recall(asked) is not None) == (asked == kept)


@given(given_answer=some_answers)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
def test_what_was_kept_comes_back_as_it_was(given_answer: SearchAnswer) -> None:
    at = timezone.now()
    searched_keep(CRITERIA, Searched(given_answer, at, cached=False))
    assert searched_recall(CRITERIA) == Searched(given_answer, at, cached=True)


def test_what_another_key_was_answered_is_not_recalled(callcap: Ask, settings: Any) -> None:
    to = callcap(FOUND)
    vendor_search(CRITERIA)
    settings.CALLCAP_API_KEY = "another-key"
    assert not vendor_search(CRITERIA).cached
    assert len(to.requests) == 2


def test_another_vendor_s_answers_are_not_recalled(callcap: Ask) -> None:
    callcap(FOUND)
    vendor_search(CRITERIA)
    callcap(success(numbers=[OTHER]))
    assert numbers(vendor_search(CRITERIA)) == [OTHER]


@pytest.mark.parametrize("broken", ["SELECT", "INSERT"])
def test_a_cache_that_fails_stops_no_search(callcap: Ask, caplog: pytest.LogCaptureFixture, broken: str) -> None:
    to = callcap(FOUND)

    def fails(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(broken) and "numbers_app_keptsearch" in sql:
            raise DatabaseError("swordfish")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fails):
        assert numbers(vendor_search(CRITERIA)) == [NUMBER]
        assert numbers(vendor_search(CRITERIA)) == [NUMBER]
    assert len(to.requests) == 2
    assert "search_cache_" in caplog.text
    assert "swordfish" not in caplog.text


@pytest.mark.parametrize("garbage", [b"", b"garbage", zlib.compress(b"4"), zlib.compress(b'{"numbers": []}')])
def test_what_cannot_be_read_is_asked_for_again(callcap: Ask, garbage: bytes) -> None:
    to = callcap(FOUND)
    vendor_search(CRITERIA)
    KeptSearch.objects.update(packed=garbage)
    assert numbers(vendor_search(CRITERIA)) == [NUMBER]
    assert vendor_search(CRITERIA).cached
    assert len(to.requests) == 2


def test_the_clock_forgets_what_is_too_old_to_be_recalled(callcap: Ask) -> None:
    callcap(FOUND)
    start = datetime(2026, 1, 15, 12, tzinfo=UTC)
    for seconds, code in ((0, "316"), (30, "620")):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            vendor_search(SearchCriteria(area_code=code))
    with time_machine.travel(start + timedelta(seconds=61), tick=False):
        assert searched_forget() == 1
        assert vendor_search(SearchCriteria(area_code="620")).cached
        assert searched_forget() == 0


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no such tables.")
def test_no_search_waits_until_its_answer_is_on_the_disk() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'numbers_app_keptsearch'")
        assert cursor.fetchone() == ("u",)
