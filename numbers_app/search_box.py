"""Reading what people type into the one search box.

Nobody has a list of all cities, so whether a word is a place or is to be spelled goes by these rules:

- Digits: three are an area code if there is such a code and none was given yet, else an exchange; four are a line, five
  a ZIP, six an area code and an exchange, seven an exchange and a line, ten the whole number.
- What holds a wildcard, or letters and digits together, is to be spelled.
- A state's name is the state, and so are its two letters in capitals.
- With a state after them, words are a city; in small letters the two letters count there too, unless they are a word
  ("call me") and the rest could be spelled. Small words before a capitalised city are to be spelled, as in
  "cake Wichita KS".
- Words after "in" are a place.
- Other words, together, are to be spelled up to seven letters, and are a city beyond.

The other reading is always at hand as ``Part.instead``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from .callcap import SearchCriteria, vanity
from .criteria import criteria_in_words
from .places import AREA_CODES, TOLLFREE_CODES, state_of

type Fields = dict[str, str | bool]

MOST_SPELLED = 7
_LONGEST_CITY = 100
_WORDS_OF_A_STATE = 3
# Two letters of states that are words as well.
_ALSO_WORDS = frozenset({"al", "de", "hi", "id", "in", "la", "ma", "me", "oh", "ok", "or", "pa"})
_AFTER_A_STATE_S_NAME = frozenset({"city", "beach"})


@dataclass(frozen=True)
class Part:
    """One thing that was understood.

    ``text`` is what was typed for it, ``said`` what it was understood as ("area code 316", "spelling CAKE"),
    ``fields`` the search form's fields that it sets (booleans as True), ``without`` the box's text when this part is
    taken out of it. ``instead`` is the other thing that it could mean, or None; its ``fields`` replace this part's.
    """

    text: str
    said: str
    fields: Fields
    without: str
    instead: Part | None = None


@dataclass(frozen=True)
class Reading:
    """What a box's text comes to: ``parts`` in the order typed, ``unread`` the words that nothing was made of."""

    parts: tuple[Part, ...]
    unread: tuple[str, ...]

    @property
    def fields(self) -> Fields:
        """The search form's fields and values, of all parts together."""
        return {name: value for part in self.parts for name, value in part.fields.items()}

    @property
    def said(self) -> str:
        """All parts in one sentence; empty when nothing was understood."""
        return f"Understood as {', '.join(part.said for part in self.parts)}." if self.parts else ""


def read_box(text: str) -> Reading:
    """What the text asks for. Never raises, whatever is typed.

    Of two parts that contradict each other (two area codes), the second is unread.
    """
    typed = unicodedata.normalize("NFC", text)
    parts: list[Part] = []
    unread: list[str] = []
    fields: Fields = {}
    for found in _scan("".join(map(_plain, typed))):
        shown = typed[found.start : found.end]
        if found.fields and all(fields.get(name, value) == value for name, value in found.fields.items()):
            fields |= found.fields
            parts.append(_part(typed, found))
        else:
            unread.append(shown)
    return Reading(tuple(parts), tuple(unread))


@dataclass(frozen=True)
class _Found:
    """A stretch of the text with the fields it sets, none where nothing was understood, and the other reading's."""

    start: int
    end: int
    fields: Fields
    other: Fields | None = None


@dataclass(frozen=True)
class _Word:
    text: str
    start: int
    end: int
    after_comma: bool


def _plain(character: str) -> str:
    """Full-width and other variants as the usual character, where that is one, so that places in the text stay."""
    usual = unicodedata.normalize("NFKC", character)
    return usual if len(usual) == 1 else character


def _part(typed: str, found: _Found) -> Part:
    before, after = typed[: found.start].rstrip(" ,;"), typed[found.end :].lstrip(" ,;")
    part = Part(
        text=typed[found.start : found.end],
        said=_said(found.fields),
        fields=found.fields,
        without=" ".join(f"{before} {after}".split()),
    )
    if found.other is None:
        return part
    return replace(part, instead=replace(part, said=_said(found.other), fields=found.other))


def _said(fields: Fields) -> str:
    return criteria_in_words(SearchCriteria(**fields))  # type: ignore[arg-type]


def _scan(text: str) -> Iterator[_Found]:
    """Everything in the text, in order: what a rule reads by itself, and words in runs."""
    words: list[_Word] = []
    taken: Fields = {}
    position = 0
    while gap := _GAP.match(text, position):
        position = gap.end()
        if position == len(text):
            break
        found = _by_rule(text, position, taken)
        token = _TOKEN.match(text, position)
        if not found and token and _is_word(token[0]):
            words.append(_Word(token[0], *token.span(), after_comma="," in gap[0] or ";" in gap[0]))
            position = token.end()
            continue
        yield from _read_words(words)
        words = []
        found = found or _Found(position, token.end() if token else len(text), {})
        taken |= found.fields
        yield found
        position = found.end
    yield from _read_words(words)


_GAP = re.compile(r"[\s,;]*")
_TOKEN = re.compile(r"[^\s,;]+")
_WORD = re.compile(r"[^\W\d_]+(?:[.'’-]+[^\W\d_]+)*\.?")


def _is_word(token: str) -> bool:
    """Whether it is made of Latin letters: look-alikes from other alphabets are no part of any name here."""
    letters = filter(str.isalpha, token)
    return bool(_WORD.fullmatch(token)) and all(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)


def _by_rule(text: str, position: int, taken: Fields) -> _Found | None:
    for pattern, read in _RULES:
        match = pattern.match(text, position)
        if match and (fields := read(match, taken)):
            return _Found(*match.span(), fields[0], fields[1])
    return None


# What a rule makes of its match, given the fields of the rules before: this and the other reading, or None.
type _Read = tuple[Fields, Fields | None] | None


def _set(*names: str) -> Callable[[re.Match[str], Fields], _Read]:
    """A rule whose groups are the values of these fields."""
    return lambda match, taken: (dict(zip(names, match.groups(), strict=True)), None)


def _fixed(fields: Fields, other: Fields | None = None) -> Callable[[re.Match[str], Fields], _Read]:
    return lambda match, taken: (fields, other)


def _whole_number(match: re.Match[str], taken: Fields) -> _Read:
    return {"full_number": "".join(match.groups())}, None


def _three_digits(match: re.Match[str], taken: Fields) -> _Read:
    code: Fields = _area_code(match[1])
    exchange: Fields = {"exchange": match[1]}
    if "area_code" in taken:
        return exchange, None
    known = match[1] in AREA_CODES or match[1] in TOLLFREE_CODES
    return (code, None) if known else (exchange, code)


def _area_code(code: str) -> Fields:
    return {"area_code": code, "show_tollfree": True} if code in TOLLFREE_CODES else {"area_code": code}


def _code_and_exchange(match: re.Match[str], taken: Fields) -> _Read:
    return _area_code(match[1]) | {"exchange": match[2]}, None


def _or_spelled(name: str) -> Callable[[re.Match[str], Fields], _Read]:
    """A rule whose group is this field's value, or else a pattern."""
    return lambda match, taken: ({name: match[1]}, {"vanity_text": match[1]})


def _postal_code(match: re.Match[str], taken: Fields) -> _Read:
    return {"zipcode": f"{match[1]} {match[2]}".upper()}, None


def _code_and_word(match: re.Match[str], taken: Fields) -> _Read:
    """Seven characters after the area code fill the number, and nobody dials more; fewer may stand anywhere in it."""
    word = _dialled(match[2])
    if len(word) >= MOST_SPELLED:
        return {"vanity_text": match[1] + word[:MOST_SPELLED]}, None
    return (_area_code(match[1]) | {"vanity_text": word}, None) if word else None


def _pattern(match: re.Match[str], taken: Fields) -> _Read:
    """More than seven digits that are no number can be found nowhere: they are a slip."""
    word = _dialled(match[1])
    slip = word.isdigit() and len(word) > MOST_SPELLED
    return ({"vanity_text": word}, None) if word and not slip else None


def _dialled(text: str) -> str:
    """The text without separators, as typed otherwise; empty when it cannot be looked for."""
    try:
        vanity.clean(text)
    except ValueError:
        return ""
    return "".join(character for character in text if character not in vanity.SEPARATORS)


def _rule(pattern: str, read: Callable[[re.Match[str], Fields], _Read]) -> tuple[re.Pattern[str], Callable[..., _Read]]:
    return re.compile(rf"(?:in +)?{pattern}(?=[\s,;]|$)", re.IGNORECASE | re.ASCII), read


_N = "([2-9][0-9]{2})"
_ONE = r"(?:(?:\+|00)?1[ .-]*)"
# The first that fits is taken.
_RULES = (
    _rule(rf"{_ONE}?\(?{_N}\)?[ .-]*{_N}[ .-]*([0-9]{{4}})", _whole_number),
    _rule(rf"{_ONE}\(?{_N}\)?[ .-]*([a-z0-9*#.-]*[a-z*#][a-z0-9*#.-]*)", _code_and_word),
    _rule(rf"\(?{_N}\)?[.-]([a-z0-9*#.-]*[a-z*#][a-z0-9*#.-]*)", _code_and_word),
    _rule(rf"\({_N}\) *{_N}", _code_and_exchange),
    _rule(rf"{_N}[.-]?{_N}", _code_and_exchange),
    _rule(rf"{_N}[.-]?([0-9]{{4}})", _set("exchange", "line")),
    _rule(rf"area +code +\(?{_N}\)?", lambda match, taken: (_area_code(match[1]), None)),
    _rule(rf"exchange +{_N}", _set("exchange")),
    _rule(r"(?:line|(?:ends|ending) +in) +([0-9]{4})", _set("line")),
    _rule(r"(?:zip(?: +code)? +)?([0-9]{5})(?:-[0-9]{4})?", _or_spelled("zipcode")),
    _rule(rf"\(?{_N}\)?", _three_digits),
    _rule(r"([0-9]{4})", _or_spelled("line")),
    _rule(r"([a-z][0-9][a-z]) ?([0-9][a-z][0-9])", _postal_code),
    _rule(r"(?:spells|spelling) +([a-z0-9*#.-]+)", _pattern),
    _rule(r"([a-z0-9.-]*[0-9*#][a-z0-9*#.-]*)", _pattern),
    _rule(r"toll[ -]?free", _fixed({"show_tollfree": True})),
    _rule(r"local", _fixed({"show_local": True}, {"vanity_text": "local"})),
    _rule("canada", _fixed({"country": "CA"}, {"vanity_text": "canada"})),
    _rule(r"(?:usa|u\.s\.a?\.?|united +states)", _fixed({"country": "US"})),
)


def _read_words(words: list[_Word]) -> Iterator[_Found]:
    """A run of words with nothing else in between. An "in" that nothing follows yet is unread."""
    unfinished = words[-1:] if len(words) > 1 and words[-1].text == "in" else []
    for place, stretch in _stretches(words[: len(words) - len(unfinished)]):
        yield from _read_stretch(stretch, place=place)
    for word in unfinished:
        yield _Found(word.start, word.end, {})


def _stretches(words: list[_Word]) -> list[tuple[bool, list[_Word]]]:
    """The run cut at commas and at "in", after which a place stands; a state after a comma stays with its city."""
    cut: list[tuple[bool, list[_Word]]] = []
    marker: _Word | None = None
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
    joined: list[tuple[bool, list[_Word]]] = []
    for place, stretch in cut:
        if joined and not place and _is_state_of(stretch, joined[-1][1]):
            joined[-1][1].extend(stretch)
        else:
            joined.append((place, stretch))
    return joined


def _is_state_of(stretch: list[_Word], city: list[_Word]) -> bool:
    """Whether this stretch is the state after the comma of a city."""
    return stretch[0].after_comma and bool(state_of(_text(stretch))) and not _state_length(city, place=False)


def _read_stretch(words: list[_Word], *, place: bool) -> Iterator[_Found]:
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


def _city_and_state(city: list[_Word], state: list[_Word], *, place: bool) -> _Found:
    fields: Fields = {"state": state_of(_text(state)) or ""}
    spelled: Fields | None
    if not city:
        spelled = _spelled(state)
        return _found(state, fields, None if place else spelled)
    spelled = _spelled(city[:1])
    rest: Fields = {"city": _text(city[1:])} if city[1:] else {}
    other = None if place or spelled is None else spelled | rest | fields
    return _found(city + state, fields | {"city": _text(city)}, other)


def _read_plain(words: list[_Word]) -> Iterator[_Found]:
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


def _state_length(words: list[_Word], *, place: bool) -> int:
    """How many words at the end name a state; 0 when none do."""
    for length in range(min(_WORDS_OF_A_STATE, len(words)), 0, -1):
        named = words[-length:]
        if state_of(_text(named)) and (len(_text(named)) > 2 or _is_code(named[0], words[:-1], place=place)):
            return length
    return 0


def _is_code(word: _Word, before: list[_Word], *, place: bool) -> bool:
    """Whether two letters that could be a state's are meant as such."""
    if word.text.isupper():
        return True
    sure = place or word.after_comma or len(_letters(before)) > MOST_SPELLED
    return bool(before) and (sure or word.text.lower() not in _ALSO_WORDS)


def _state_at_start(words: list[_Word]) -> int:
    for length in range(min(_WORDS_OF_A_STATE, len(words) - 1), 0, -1):
        named = _text(words[:length])
        if state_of(named) and (named.isupper() or len(named) > 2):
            return 0 if words[length].text.lower() in _AFTER_A_STATE_S_NAME else length
    return 0


def _small_before_capitals(words: list[_Word]) -> int:
    """How many small words stand before the first capitalised one; 0 when all are small."""
    capitals = (index for index, word in enumerate(words) if word.text[0].isupper())
    return next(capitals, 0)


def _spelled(words: list[_Word]) -> Fields | None:
    word = _dialled(_letters(words))
    return {"vanity_text": word} if word else None


def _letters(words: list[_Word]) -> str:
    return "".join(filter(str.isalpha, _text(words)))


def _text(words: list[_Word]) -> str:
    return " ".join(word.text for word in words)


def _found(words: list[_Word], fields: Fields, other: Fields | None = None) -> _Found:
    fits = all(len(str(value)) <= _LONGEST_CITY for value in fields.values())
    return _Found(words[0].start, words[-1].end, fields if fits else {}, other)
