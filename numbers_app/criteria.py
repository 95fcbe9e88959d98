"""A search in words, as the query of the search page, and as the plain values that are stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from urllib.parse import urlencode

from .callcap import SearchCriteria
from .text import phone_text

_COUNTRIES = {"US": "the United States", "CA": "Canada"}
_NAMES = tuple(field.name for field in fields(SearchCriteria))
_SWITCHES = frozenset(field.name for field in fields(SearchCriteria) if field.default is None)


def criteria_in_words(criteria: SearchCriteria) -> str:
    """What is looked for, as in ``area code 316, spelling CAKE, in Wichita, KS, toll-free``."""
    return ", ".join(_words(criteria)) or "any number"


# What the first word of a search in words follows: "with area code 316", "any number spelling CAKE".
_NAMED = ("area", "exchange", "line", "rate", "ZIP", "postal")
_JOINED = ("spelling", "with", "in", "from", "for")


def any_number_in_words(criteria: SearchCriteria) -> str:
    """Any number that matches, as in ``any number with area code 316, spelling CAKE`` or ``any number in KS``."""
    words = ", ".join(_words(criteria))
    if not words:
        return "any number"
    first = words.split(maxsplit=1)[0]
    if first in _NAMED:
        return f"any number with {words}"
    return f"any number {words}" if first in _JOINED else f"any number that is {words}"


def criteria_to_query(criteria: SearchCriteria) -> str:
    """The query of the search page that repeats this search, without the question mark.

    A switch that is off is left out: the page has boxes to tick, which say nothing when they are empty.
    """
    given = criteria_to_json(criteria)
    return urlencode({name: "on" if value is True else value for name, value in given.items() if value is not False})


def criteria_to_json(criteria: SearchCriteria) -> dict[str, str | bool]:
    """The given fields by name, as plain values that JSON can keep."""
    values = {name: getattr(criteria, name) for name in _NAMES}
    return {name: value for name, value in values.items() if value not in ("", None)}


def criteria_from_json(stored: Mapping[str, object]) -> SearchCriteria:
    """The search that ``criteria_to_json`` stored. Raises ValueError for anything that is not one."""
    unknown = sorted(set(stored) - set(_NAMES))
    if unknown:
        raise ValueError(f"A search has no {', '.join(unknown)}.")
    for name, value in stored.items():
        if not isinstance(value, bool if name in _SWITCHES else str):
            raise ValueError(f"A search cannot have {value!r} as its {name}.")
    return SearchCriteria(**stored)  # type: ignore[arg-type]


def _words(criteria: SearchCriteria) -> Iterator[str]:
    if criteria.full_number:
        yield f"the number {phone_text(criteria.full_number)}"
    for name, words in (("area_code", "area code"), ("exchange", "exchange"), ("line", "line")):
        if value := getattr(criteria, name):
            yield f"{words} {value}"
    if criteria.vanity_text:
        yield vanity_in_words(criteria.vanity_text)
    if place := ", ".join(filter(None, (criteria.city, criteria.state, _country(criteria)))):
        yield f"in {place}"
    if criteria.rate_center:
        yield f"rate center {criteria.rate_center}"
    if criteria.zipcode:
        yield f"{'ZIP' if criteria.zipcode.isdigit() else 'postal code'} {criteria.zipcode}"
    yield from _pools(criteria)
    yield from _switches("", ("toll-free", criteria.show_tollfree), ("local", criteria.show_local))


def vanity_in_words(text: str) -> str:
    """``spelling CAKE`` for letters, ``with 2253 in it`` for digits."""
    shown = text.upper()
    return f"spelling {shown}" if any(character.isalpha() for character in shown) else f"with {shown} in it"


def _country(criteria: SearchCriteria) -> str:
    return _COUNTRIES.get(criteria.country, criteria.country)


def _pools(criteria: SearchCriteria) -> Iterator[str]:
    reserved = f"the reserved pool of {criteria.account}" if criteria.account else "the reserved pool"
    pools = ("the public pool", criteria.show_public_pool), (reserved, criteria.show_reserved_pool)
    yield from _switches("from ", *pools)
    if criteria.account and criteria.show_reserved_pool is None:
        yield f"for {criteria.account}"


def _switches(before: str, *switches: tuple[str, bool | None]) -> Iterator[str]:
    """Those that are on, together; then those that are off."""
    if on := [words for words, switch in switches if switch]:
        yield before + " and ".join(on)
    for words, switch in switches:
        if switch is False:
            yield f"not {before}{words}"
