"""What was found out, one sentence a subject."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from numbers_app.callcap.evidence import Evidence

NOT_LOOKED_AT = "This was not looked at, because something else that it needs did not work."
SENTENCE_CHARACTERS = 2000


class State(StrEnum):
    """Whether an assumption holds."""

    HOLDS = "holds"
    FAILS = "does not hold"
    UNTOLD = "could not be told"
    UNREACHED = "could not be reached"


class Subject(StrEnum):
    """What is looked at, in the order in which it is reported."""

    ADDRESS = "Address"
    REACH = "Reachability"
    TLS = "TLS"
    KEY = "Key"
    TREE = "Account tree"
    ZONES = "Time zones"
    SEARCH = "Search"
    SHAPE = "Shape of a search answer"
    ITEMS = "Items of a search answer"
    FIELDS = "Fields of a number"
    NOTHING = "Nothing found"
    FLAGS = "Flags and booleans"
    TYPES = "No type flag"
    POOLS = "No pool flag"
    RESERVED = "Reserved pool"
    WHOLE = "Whole number"
    VANITY = "Vanity wildcards"
    TEXTS = "Text filters"
    LIMIT = "Cut-off lists"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, in a sentence; ``change`` says what to edit where when it does not hold."""

    subject: str
    state: State
    sentence: str
    change: str = ""


class Report:
    """Collects findings. Words of the vendor may be anywhere in a sentence, and the key in those: it is taken out."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._found: dict[Subject, Finding] = {}

    def note(self, subject: Subject, state: State, sentence: str, change: str = "") -> None:
        said = self._evidence.words(sentence, SENTENCE_CHARACTERS)
        self._found[subject] = Finding(subject, state, said, change if state == State.FAILS else "")

    def hold(self, subject: Subject, holds: bool, sentence: str, change: str) -> None:
        self.note(subject, State.HOLDS if holds else State.FAILS, sentence, change)

    def findings(self) -> list[Finding]:
        """One for each subject, in their order."""
        for missing in Subject:
            if missing not in self._found:
                self.note(missing, State.UNTOLD, NOT_LOOKED_AT)
        return [self._found[subject] for subject in Subject]
