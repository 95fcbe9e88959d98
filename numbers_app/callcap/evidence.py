"""What is kept of the vendor's answers: text that every database and log can hold, and never the key."""

import json
import re
from urllib.parse import quote

EXCERPT_CHARACTERS = 2000
WORDS_CHARACTERS = 500
HIDDEN = "[key]"
# Every character of an excerpt takes at most four bytes of the answer.
_EXCERPT_BYTES = 4 * EXCERPT_CHARACTERS
# A piece of the key shorter than this at the very end of a cut answer gives nothing away.
_TELLING_PIECE = 4
# Control characters, direction overrides and lone surrogates: no page, log or database should meet them raw.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Evidence:
    """Makes excerpts and quotable words of answers to requests that carried ``api_key``, without the key."""

    def __init__(self, api_key: str) -> None:
        forms = {api_key, quote(api_key, safe=""), json.dumps(api_key)[1:-1], api_key.replace("/", "\\/")}
        self._forms = sorted(forms, key=len, reverse=True)
        # A text without any of these holds neither the key nor a piece of it that gives something away.
        self._beginning = re.compile("|".join(sorted(re.escape(form[:_TELLING_PIECE]) for form in forms)))

    def excerpt(self, body: bytes) -> str:
        """The first 2,000 characters of an answer in printable ASCII, everything else escaped."""
        text = self._without_key(body[:_EXCERPT_BYTES].decode("utf-8", "backslashreplace"))
        return re.sub(r"[^ -~]", _escaped, text)[:EXCERPT_CHARACTERS]

    def words(self, value: object, limit: int = WORDS_CHARACTERS) -> str:
        """A value of an answer as text for people: a string or number as it is, objects and lists as JSON."""
        if value is None or isinstance(value, bool):
            return ""
        text = self._without_key(value if isinstance(value, str) else json.dumps(value))
        # Nearly all of them are, and a search brings hundreds.
        printable = text if text.isprintable() else _UNPRINTABLE.sub(_escaped, text)
        return printable.strip()[:limit]

    def _without_key(self, text: str) -> str:
        if not self._beginning.search(text):
            return text
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        for length in range(len(self._forms[0]) - 1, _TELLING_PIECE - 1, -1):
            if any(text.endswith(form[:length]) for form in self._forms):
                return text[:-length] + HIDDEN
        return text


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
