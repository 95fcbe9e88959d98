"""Which words are a place and which are to be spelled: the part of the search box that reads words.

Its rules stand in ``search_box``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .callcap import vanity
from .places import state_of

type Fields = dict[str, str | bool]

MOST_SPELLED = 7
_LONGEST_CITY = 100
_WORDS_OF_A_STATE = 3
# Two letters of states that are words as well.
_ALSO_WORDS = frozenset({"al", "de", "hi", "id", "in", "la", "ma", "me", "oh", "ok", "or", "pa"})
_AFTER_A_STATE_S_NAME = frozenset({"city", "beach"})


@dataclass(frozen=True)
class Found:
    """A stretch of the text with the fields it sets, none where nothing was understood, and the other reading's."""

    start: int
    end: int
    fields: Fields
    other: Fields | None = None


@dataclass(frozen=True)
class Word:
    text: str
    start: int
    end: int
    after_comma: bool


def read_words(words: list[Word]) -> Iterator[Found]:
    """A run of words with nothing else in between. An "in" that nothing follows yet is unread."""
    unfinished = words[-1:] if len(words) > 1 and words[-1].text == "in" else []
    for place, stretch in _stretches(words[: len(words) - len(unfinished)]):
        yield from _read_stretch(stretch, place=place)
    for word in unfinished:
        yield Found(word.start, word.end, {})


def _stretches(words: list[Word]) -> list[tuple[bool, list[Word]]]:
    """The run cut at commas and at "in", after which a place stands; a state after a comma stays with its city."""
    cut: list[tuple[bool, list[Word]]] = []
    marker: Word | None = None
    for index, word in enumerate(words):
        if word.text.lower() == "in" and index + 1 < len(words):
            marker = marker or word
        elif marker:
            cut.append((True, [replace(word, start=marker.start)]))
            marker = None
        elif not cut or word.after_comma:
            cut.append((False, [word]))
        else:
            cut[-1][1].append(word)
    joined: list[tuple[bool, list[Word]]] = []
    for place, stretch in cut:
        if joined and not place and _is_state_of(stretch, joined[-1][1]):
            joined[-1][1].extend(stretch)
        else:
            joined.append((place, stretch))
    return joined


def _is_state_of(stretch: list[Word], city: list[Word]) -> bool:
    """Whether this stretch is the state after the comma of a city."""
    return stretch[0].after_comma and bool(state_of(_text(stretch))) and not _state_length(city, place=False)


def place_named(text: str) -> Fields:
    """The fields of the place that a text of nothing but words may name: a state, or else a city; none for others."""
    name = " ".join(text.split())
    if not name.replace(" ", "").isalpha():
        return {}
    code = state_of(name)
    return {"state": code} if code else {"city": name}


def _read_stretch(words: list[Word], *, place: bool) -> Iterator[Found]:
    if end := _city_at_start(words):
        yield from _read_stretch(words[:end], place=place)
        yield from _read_plain(words[end:])
        return
    length = _state_length(words, place=place)
    if length:
        before, state = words[:-length], words[-length:]
        if not place:
            spelled = _small_before_capitals(before)
            yield from _read_plain(before[:spelled])
            before = before[spelled:]
        yield _city_and_state(before, state, place=place)
    elif place:
        yield _found(words, {"city": _text(words)})
    elif length := _state_at_start(words):
        yield _city_and_state([], words[:length], place=False)
        yield from _read_plain(words[length:])
    else:
        yield from _read_plain(words)


def _city_and_state(city: list[Word], state: list[Word], *, place: bool) -> Found:
    fields: Fields = {"state": state_of(_text(state)) or ""}
    spelled: Fields | None
    if not city:
        spelled = _spelled(state)
        return _found(state, fields, None if place else spelled)
    spelled = _spelled(city[:1])
    rest: Fields = {"city": _text(city[1:])} if city[1:] else {}
    other = None if place or spelled is None else spelled | rest | fields
    return _found(city + state, fields | {"city": _text(city)}, other)


def _read_plain(words: list[Word]) -> Iterator[Found]:
    """Words that no state and no "in" decides about: all together they are spelled, or a city."""
    if not words:
        return
    spelled, letters = _spelled(words), len(_letters(words))
    code = state_of(_text(words))
    place: Fields = {"state": code} if code else {"city": _text(words)}
    if spelled and letters <= MOST_SPELLED:
        yield _found(words, spelled, place)
    else:
        yield _found(words, place, spelled)


def _state_length(words: list[Word], *, place: bool) -> int:
    """How many words at the end name a state; 0 when none do."""
    for length in range(min(_WORDS_OF_A_STATE, len(words)), 0, -1):
        named = words[-length:]
        if state_of(_text(named)) and (len(_text(named)) > 2 or _is_code(named[0], words[:-1], place=place)):
            return length
    return 0


def _is_code(word: Word, before: list[Word], *, place: bool) -> bool:
    """Whether two letters that could be a state's are meant as such."""
    if word.text.isupper() or place:
        return True
    sure = word.after_comma or len(_letters(before)) > MOST_SPELLED
    return bool(before) and (sure or word.text.lower() not in _ALSO_WORDS)


def _state_at_start(words: list[Word]) -> int:
    for length in range(min(_WORDS_OF_A_STATE, len(words) - 1), 0, -1):
        named = _text(words[:length])
        if state_of(named) and (named.isupper() or len(named) > 2):
            return 0 if words[length].text.lower() in _AFTER_A_STATE_S_NAME else length
    return 0


def _city_at_start(words: list[Word]) -> int:
    """How many words before others are a city and its state, as in "Toronto ON pizza"; 0 when none surely are."""
    for end in range(2, len(words)):
        length = _state_length(words[:end], place=False)
        named, city = _text(words[end - length : end]), words[: end - length]
        sure = len(named) > 2 or (named.isupper() and not _text(city).isupper())
        if length and city and sure and words[end].text.lower() not in _AFTER_A_STATE_S_NAME:
            return end
    return 0


def _small_before_capitals(words: list[Word]) -> int:
    """How many small words stand before the first capitalised one; 0 when all are small."""
    capitals = (index for index, word in enumerate(words) if word.text[0].isupper())
    return next(capitals, 0)


def _spelled(words: list[Word]) -> Fields | None:
    """Words stay apart, since they may be a city's name all the same."""
    word = " ".join(filter(None, (dialled(_letters([word])) for word in words))) if dialled(_letters(words)) else ""
    return {"vanity_text": word} if word else None


def _letters(words: list[Word]) -> str:
    return "".join(filter(str.isalpha, _text(words)))


def _text(words: list[Word]) -> str:
    return " ".join(word.text for word in words)


def _found(words: list[Word], fields: Fields, other: Fields | None = None) -> Found:
    fits = all(len(str(value)) <= _LONGEST_CITY for value in fields.values())
    return Found(words[0].start, words[-1].end, fields if fits else {}, other)


def dialled(text: str) -> str:
    """The text without separators, as typed otherwise; empty when it cannot be looked for."""
    try:
        vanity.clean(text)
    except ValueError:
        return ""
    return "".join(character for character in text if character not in vanity.SEPARATORS)
