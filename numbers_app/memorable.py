"""How easily a number is remembered, and the words that it spells.

Judged are the seven digits after the area code, which is what people have to learn. The words are those of
``words.txt``: common ones that suit signs and adverts, best first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path

from .callcap import vanity

MOST_WORDS = 3
MOST_POINTS = 100
# Numbers whose worth and words are kept by a process: some 10 MB at most.
REMEMBERED = 10_000
_SHORTEST, _LONGEST = 3, 7
_WAYS = {1: "up", 9: "down"}

_POINTS_OF_A_REPEAT = {3: 20, 4: 45, 5: 60, 6: 75, 7: 90}
_POINTS_OF_COUNTING = {3: 12, 4: 40, 5: 55, 6: 70, 7: 85}
_POINTS_OF_A_WORD = {3: 8, 4: 25, 5: 35, 6: 45, 7: 60}
_EXTRA_AT_THE_END = 10

_KEYS = str.maketrans({letter.upper(): digit for letter, digit in vanity.KEYPAD.items()})

type _Point = tuple[int, str]


@dataclass(frozen=True)
class Memorability:
    """``points`` from 0 to 100, and the ``reasons`` for them ("ends in 2222"), weightiest first; none for 0."""

    points: int
    reasons: tuple[str, ...]


# The same thousand numbers come again with every page and every repeated search.
@lru_cache(maxsize=REMEMBERED)
def memorability(number: str) -> Memorability:
    """How easily the number, ten digits, is remembered."""
    seven = number[3:]
    points = [*_stretches(seven), *_line(number[6:]), *_whole(number[:3], seven), *_word(number)]
    points.sort(reverse=True)
    return Memorability(min(MOST_POINTS, sum(point for point, _ in points)), tuple(reason for _, reason in points))


@lru_cache(maxsize=REMEMBERED)
def words_of(number: str) -> tuple[str, ...]:
    """The number, ten digits, with the words that it spells after the area code, as in ``316-734-CAKE``.

    At most three, the longest first, then those at the end, then the more common; FLOW within FLOWERS is none.
    """
    chosen: list[tuple[int, str]] = []
    for start, word in _spelled(number):
        if len(chosen) == MOST_WORDS:
            break
        if not any(_within(start, word, *other) for other in chosen):
            chosen.append((start, word))
    return tuple(_with_word(number, start, word) for start, word in chosen)


def _stretches(seven: str) -> Iterator[_Point]:
    """Where a digit repeats, or digits count up or down: three of them or more."""
    start = 0
    for step, same in groupby(map(_step, seven, seven[1:])):
        end = start + len(list(same)) + 1
        digits, at_end = seven[start:end], end == 7
        start = end - 1
        if len(digits) < 3:
            continue
        if step == 0:
            round_ending = at_end and digits[0] == "0"
            points = _POINTS_OF_A_REPEAT[len(digits)] + _EXTRA_AT_THE_END * (at_end + round_ending)
            yield points, f"ends in {digits}" if at_end else f"has {digits} in it"
        elif step in _WAYS:
            yield _POINTS_OF_COUNTING[len(digits)], f"counts {_WAYS[step]} {digits}"


def _step(digit: str, following: str) -> int:
    """From a digit to the next; 0 follows 9, and 9 goes before 0."""
    return (ord(following) - ord(digit)) % 10


@cache  # There are ten thousand lines.
def _line(line: str) -> tuple[_Point, ...]:
    """The shape of the last four digits, beyond a digit that repeats and counting."""
    a, b, c, d = tuple(line)
    if line == a * 4:
        return ()
    if (a, b) == (c, d):
        return ((35, f"ends in {line}, {a}{b} twice"),)
    if (a, c) == (b, d):
        return ((30, f"ends in pairs, {line}"),)
    if (a, b) == (d, c):
        return ((25, f"ends in {line}, the same backwards"),)
    if c == d == "0" != b:
        return ((20, "ends in 00"),)
    return ()


def _whole(area_code: str, seven: str) -> Iterator[_Point]:
    """What shows only when more than the last four digits are looked at."""
    exchange = seven[:3]
    different = sorted(set(seven))
    if exchange == area_code:
        yield 25, "the exchange is the area code again"
    if len(different) == 1:
        return
    if seven == seven[::-1]:
        yield 35, f"{seven} is the same backwards"
    if exchange in (seven[3:6], seven[4:]):
        yield 25, f"{exchange} twice"
    if len(different) == 2:
        yield 20, f"only the digits {different[0]} and {different[1]}"


def _word(number: str) -> Iterator[_Point]:
    """The best word. Short ones are everywhere: three letters count only as the exchange or at the end."""
    for start, word in _spelled(number):
        at_end = start + len(word) == 10
        if len(word) > 3 or at_end or start == 3:
            extra = _EXTRA_AT_THE_END if at_end and len(word) > 3 else 0
            yield _POINTS_OF_A_WORD[len(word)] + extra, f"spells {word}"
            return


def _spelled(number: str) -> list[tuple[int, str]]:
    """Every word after the area code with where it starts, best first."""
    found = []
    words = _words()
    for start, end in _WINDOWS:
        for rank, word in words.get(number[start:end], ()):
            found.append((start - end, end < 10, rank, start, word))
    found.sort()
    return [(start, word) for *_, start, word in found]


_WINDOWS = [(start, start + length) for length in range(_SHORTEST, _LONGEST + 1) for start in range(3, 10 - length + 1)]


def _within(start: int, word: str, longer_start: int, longer: str) -> bool:
    offset = start - longer_start
    return offset >= 0 and len(word) < len(longer) and longer.startswith(word, offset)


@cache
def _words() -> dict[str, list[tuple[int, str]]]:
    """{digits: [(rank, word)]} of the list, read when it is first needed."""
    index: dict[str, list[tuple[int, str]]] = {}
    lines = Path(__file__).with_name("words.txt").read_text(encoding="ascii").splitlines()
    words = " ".join(line for line in lines if not line.startswith("#")).upper()
    for rank, (digits, word) in enumerate(zip(words.translate(_KEYS).split(), words.split(), strict=True)):
        index.setdefault(digits, []).append((rank, word))
    return index


def _with_word(number: str, start: int, word: str) -> str:
    """The word in one piece, as in 316-55-PIZZA: where it covers the usual dash, dashes stand around it."""
    end = start + len(word)
    text = number[:start] + word + number[end:]
    dashes = {3, start, end} - {10} if start < 6 < end else {3, 6}
    return "-".join(text[i:j] for i, j in zip((0, *sorted(dashes)), (*sorted(dashes), 10), strict=True))
