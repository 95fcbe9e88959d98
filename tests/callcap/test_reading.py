"""Readers and evidence, on whatever could come."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numbers_app.callcap import CallcapUnreadable, Outcome
from numbers_app.callcap.connections import Exchange
from numbers_app.callcap.evidence import Evidence
from numbers_app.callcap.outcomes import Wanted, read_write
from numbers_app.callcap.reading import (
    NotStrictJson,
    read_search,
    retry_after_seconds,
    strict_object,
    ten_digits,
)
from numbers_app.callcap.transport import RawAnswer

KEY = "canary-key/4711"
NUMBER = "3167342253"
EVIDENCE = Evidence(KEY)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(NUMBER) | st.just("success"),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.sampled_from(["status", "numbers", "data", "number", "message"]), inner)
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_a_search_answer_or_a_clear_error(value: Any) -> None:
    answer = {"status": "success", "numbers": value}
    inner = [value.get(name) for name in ("numbers", "data")] if isinstance(value, dict) else []
    if not any(isinstance(candidate, list) for candidate in (value, *inner)):
        with pytest.raises(CallcapUnreadable, match="without a list"):
            read_search(answer, EVIDENCE, "seen")
        return
    found = read_search(answer, EVIDENCE, "seen")
    assert all(ten_digits(offer.number) == offer.number for offer in found.numbers)


@given(
    st.binary() | JSON.map(lambda value: json.dumps(value).encode()),
    st.integers(100, 999),
    st.text(max_size=10),
)
def test_only_a_named_success_is_applied(body: bytes, status: int, retry_after: str) -> None:
    written = read_write(RawAnswer(status, body, retry_after), Wanted(NUMBER, must_name=True), EVIDENCE)
    assert written.excerpt.isascii()
    assert len(written.excerpt) <= 2000
    assert (written.retry_after is not None) == (status == 429 and written.outcome is Outcome.REFUSED)
    if written.outcome is Outcome.APPLIED:
        assert (status, written.named_number) == (200, NUMBER)
    else:
        assert written.message
        assert written.outcome in (Outcome.UNKNOWN, Outcome.REFUSED)


@given(st.text(max_size=40))
def test_waits_are_always_bearable(header: str) -> None:
    assert 1 <= retry_after_seconds(header) <= 300


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"{'a': 1}", b'{"a": 1} x', b'{"a": {"b": 1, "b": 1}}'])
def test_not_strict_json(body: bytes) -> None:
    with pytest.raises(NotStrictJson):
        strict_object(body)


@given(st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False) | st.text()))
def test_strict_json_is_read_as_it_is(value: dict[str, Any]) -> None:
    assert strict_object(json.dumps(value).encode()) == value


@given(st.from_regex(r"[2-9][0-9]{9}", fullmatch=True), st.sampled_from(["", "1", "+1", "+1 ", "1-"]))
def test_numbers_with_punctuation(number: str, country: str) -> None:
    assert ten_digits(f"{country}({number[:3]}) {number[3:6]}-{number[6:]}") == number
    assert ten_digits(int(number)) == number


@pytest.mark.parametrize(
    "value", [None, True, 3.0, "", "0163734225", "316734225", "316-734-CAKE", "+44 20 7946 0958", []]
)
def test_no_numbers(value: object) -> None:
    assert ten_digits(value) == ""


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_excerpts_never_hold_the_key(before: bytes, after: bytes) -> None:
    excerpt = EVIDENCE.excerpt(before + KEY.encode() + after)
    assert KEY not in excerpt
    assert excerpt.isascii()
    assert excerpt.isprintable()


def test_excerpts_are_short() -> None:
    assert len(EVIDENCE.excerpt("é".encode() * 10_000)) == 2000


@given(st.text())
def test_words_can_be_stored_anywhere(text: str) -> None:
    words = EVIDENCE.words(text)
    words.encode()
    assert "\x00" not in words
    assert len(words) <= 500


def test_words_of_what_is_no_text() -> None:
    values: list[object] = [None, True, 5, {"a": "b"}, []]
    assert [EVIDENCE.words(value) for value in values] == ["", "", "5", '{"a": "b"}', "[]"]


def test_time_is_up_at_once_when_there_was_none() -> None:
    exchange = Exchange(0)
    assert exchange.expired
    with pytest.raises(TimeoutError):
        exchange.remaining()
