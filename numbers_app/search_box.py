"""Reading what people type into the one search box.

Nobody has a list of all cities, so whether a word is a place or is to be spelled goes by these rules:

- Digits: three are an area code if there is such a code and none was given yet, else an exchange; four are a line, five
  a ZIP, six an area code and an exchange, seven an exchange and a line, ten the whole number. An extension after that
  is dropped.
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

from .callcap import SearchCriteria
from .criteria import criteria_in_words
from .places import AREA_CODES, TOLLFREE_CODES
from .search_words import MOST_SPELLED, Fields, Found, Word, dialled, place_named, read_words


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


def as_place(text: str) -> Part | None:
    """What a text that is to be spelled means if it is a place instead; None for one that is no place's name.

    An address has no more than the fields that a box came to: this is how the other reading is found from them.
    """
    fields = place_named(text)
    return Part(text=text, said=_said(fields), fields=fields, without="") if fields else None


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


def _plain(character: str) -> str:
    """Full-width and other variants as the usual character, where that is one, so that places in the text stay."""
    usual = unicodedata.normalize("NFKC", character)
    return usual if len(usual) == 1 else character


def _part(typed: str, found: Found) -> Part:
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


def _scan(text: str) -> Iterator[Found]:
    """Everything in the text, in order: what a rule reads by itself, and words in runs."""
    words: list[Word] = []
    taken: Fields = {}
    position = 0
    while gap := _GAP.match(text, position):
        position = gap.end()
        if position == len(text):
            break
        found = _by_rule(text, position, taken)
        token = _TOKEN.match(text, position)
        if not found and token and _is_word(token[0]):
            words.append(Word(token[0], *token.span(), after_comma="," in gap[0] or ";" in gap[0]))
            position = token.end()
            continue
        yield from read_words(words)
        words = []
        found = found or Found(position, token.end() if token else len(text), {})
        taken |= found.fields
        yield found
        position = found.end
    yield from read_words(words)


_GAP = re.compile(r"[\s,;]*")
_TOKEN = re.compile(r"[^\s,;]+")
_WORD = re.compile(r"[^\W\d_]+(?:[.'’-]+[^\W\d_]+)*\.?")


def _is_word(token: str) -> bool:
    """Whether it is made of Latin letters: look-alikes from other alphabets are no part of any name here."""
    letters = filter(str.isalpha, token)
    return bool(_WORD.fullmatch(token)) and all(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)


def _by_rule(text: str, position: int, taken: Fields) -> Found | None:
    for pattern, read in _RULES:
        match = pattern.match(text, position)
        if match and (fields := read(match, taken)):
            return Found(*match.span(), fields[0], fields[1])
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
    word = dialled(match[2])
    if len(word) >= MOST_SPELLED:
        return {"vanity_text": match[1] + word[:MOST_SPELLED]}, None
    return (_area_code(match[1]) | {"vanity_text": word}, None) if word else None


def _exchange_and_word(match: re.Match[str], taken: Fields) -> _Read:
    """Four characters after three digits: a word after an area code, or an exchange and a line that spells."""
    as_exchange: Fields = {"exchange": match[1], "vanity_text": match[2]}
    as_code = _code_and_word(match, taken)
    if as_code is None:
        return None  # nothing but wildcards
    if "area_code" in taken:
        return as_exchange, None
    known = match[1] in AREA_CODES or match[1] in TOLLFREE_CODES
    return (as_code[0], as_exchange) if known else (as_exchange, as_code[0])


def _pattern(match: re.Match[str], taken: Fields) -> _Read:
    """More than seven digits that are no number can be found nowhere: they are a slip."""
    word = dialled(match[1])
    slip = word.isdigit() and len(word) > MOST_SPELLED
    return ({"vanity_text": word}, None) if word and not slip else None


def _rule(pattern: str, read: Callable[[re.Match[str], Fields], _Read]) -> tuple[re.Pattern[str], Callable[..., _Read]]:
    return re.compile(rf"(?:in +)?{pattern}(?=[\s,;]|$)", re.IGNORECASE | re.ASCII), read


_N = "([2-9][0-9]{2})"
_ONE = r"(?:(?:\+|00)?1[ .-]*)"
# The first that fits is taken.
_RULES = (
    _rule(
        rf"{_ONE}?\(?{_N}\)?[ .-]*{_N}[ .-]*([0-9]{{4}})(?:[ ,]*(?:x|ext\.?|extension) *[0-9]{{1,6}})?", _whole_number
    ),
    _rule(rf"{_ONE}\(?{_N}\)?[ .-]*([a-z0-9*#.-]*[a-z*#][a-z0-9*#.-]*)", _code_and_word),
    _rule(rf"{_N}[.-]([a-z*#][a-z0-9*#]{{3}})", _exchange_and_word),
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
