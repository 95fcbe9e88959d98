"""Letters on the keypad: patterns for searching and the words that numbers spell.

``*`` and ``#`` each stand for exactly one digit; a pattern may match anywhere in the ten digits (Callcap's page
"Phone Numbers" gives ``###cake`` for 316-734-CAKE and leaves the rest open).
"""

import re
from collections.abc import Callable
from functools import lru_cache

KEYPAD = {
    letter: digit
    for digit, letters in {
        "2": "abc",
        "3": "def",
        "4": "ghi",
        "5": "jkl",
        "6": "mno",
        "7": "pqrs",
        "8": "tuv",
        "9": "wxyz",
    }.items()
    for letter in letters
}
WILDCARDS = "*#"
SEPARATORS = " -.()"
DIALLABLE = frozenset(KEYPAD) | {letter.upper() for letter in KEYPAD} | frozenset("0123456789" + WILDCARDS)


def clean(text: str) -> str:
    """The text without separators, in capitals.

    Raises ValueError, with a sentence, for what a keypad cannot dial, too much, or nothing to look for.
    """
    kept = "".join(character for character in text if character not in SEPARATORS)
    # Compared before any change of case: the Kelvin sign becomes a k when lowered.
    strange = sorted(set(kept) - DIALLABLE)
    if strange:
        shown = " ".join(strange)
        raise ValueError(f"{shown} cannot be dialled. Use letters A to Z, digits, and * or # for any digit.")
    if len(kept) > 10:
        raise ValueError("A number has ten digits, so at most ten letters, digits and wildcards fit.")
    if not kept.strip(WILDCARDS):
        raise ValueError("Give at least one letter or digit to look for.")
    return kept.upper()


def to_pattern(text: str) -> str:
    """The digits that the text becomes, ``*`` and ``#`` left in place. Raises ValueError as ``clean`` does."""
    return "".join(KEYPAD.get(character.lower(), character) for character in clean(text))


def match(number: str, text: str) -> tuple[int, int] | None:
    """Where in the ten digits the text, wildcards included, first fits, as start and end; None when nowhere.

    Raises ValueError as ``clean`` does.
    """
    found = finder(text)(number)
    return found.span() if found else None


@lru_cache(maxsize=256)
def finder(text: str) -> Callable[[str], re.Match[str] | None]:
    """What finds where the text, wildcards included, first fits. Raises ValueError as ``clean`` does."""
    return re.compile(re.sub(f"[{re.escape(WILDCARDS)}]", ".", to_pattern(text))).search


def spell(number: str, text: str) -> str:
    """The number with the text's letters where they fit, as in ``316-734-CAKE``; else in plain digits."""
    try:
        place = match(number, text)
    except ValueError:
        place = None
    letters = list(number)
    if place:
        for position, character in enumerate(clean(text), start=place[0]):
            if character.isalpha():
                letters[position] = character
    spelled = "".join(letters)
    return f"{spelled[:3]}-{spelled[3:6]}-{spelled[6:]}"
