"""Breadth-first search through every state that a model can reach, with the shortest story of what went wrong.

A model gives, for a state, the steps that are possible there. A state is *at rest* when nothing is bound to happen any
more: each step that is left may as well never be taken (a person acts, a sleeper wakes).
"""

from __future__ import annotations

import gc
from array import array
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Step[S](NamedTuple):
    """Something that may happen next, and the state that follows. ``bound``: it happens sooner or later, if it can."""

    actor: str
    deed: str
    after: S
    bound: bool = True


@dataclass(frozen=True)
class Model[S]:
    """What is explored: where it may start, what may happen, what must be true of every state, or of those at rest.

    ``always`` and ``at_rest`` return the rule that is broken, or nothing. ``alike`` maps states that differ in names
    alone to one key; ``situation`` names what a step is remarkable for.
    """

    starts: Sequence[S]
    steps: Callable[[S], Iterable[Step[S]]]
    always: Callable[[S], str | None]
    at_rest: Callable[[S], str | None]
    alike: Callable[[S], Hashable]
    situation: Callable[[S, Step[S]], str | None]


@dataclass
class Exploration:
    """What was found. ``broken`` is empty when every rule held; else ``story`` is a shortest way there."""

    states: int = 0
    transitions: int = 0
    states_at_rest: int = 0
    broken: str = ""
    story: list[str] = field(default_factory=list)
    situations: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        lines = [f"{self.states} states, {self.transitions} transitions, {self.states_at_rest} states at rest"]
        lines += [f"{number:3}. {line}" for number, line in enumerate(self.story, 1)]
        return "\n".join([*lines, self.broken or "every rule held"])


def explore[S](model: Model[S]) -> Exploration:
    """Visit every reachable state, or stop at the first that breaks a rule."""
    search = _Search(model)
    # States are tuples without cycles: looking for cycles among a million of them takes as long as the search itself.
    collecting = gc.isenabled()
    gc.disable()
    try:
        search.run()
    finally:
        if collecting:
            gc.enable()
    return search.found


class _Search[S]:
    """Numbers the states in the order they are met; keeps for each how it was reached first and what leads to it."""

    def __init__(self, model: Model[S]) -> None:
        self.model = model
        self.found = Exploration()
        self.numbers: dict[Hashable, int] = {model.alike(start): number for number, start in enumerate(model.starts)}
        self.reached_from = array("l", [-1] * len(model.starts))
        self.reached_by = [""] * len(model.starts)
        self.edges_from = array("l")
        self.edges_to = array("l")
        self.resting = array("l")

    def run(self) -> None:
        frontier = list(enumerate(self.model.starts))
        for number, start in frontier:
            self._check(number, self.model.always(start))
        while frontier and not self.found.broken:
            following: list[tuple[int, S]] = []
            for number, state in frontier:
                self._expand(number, state, following)
                if self.found.broken:
                    break
            frontier = following
        self.found.states = len(self.numbers)
        self.found.transitions = len(self.edges_to)
        self.found.states_at_rest = len(self.resting)
        if not self.found.broken:
            self._check_that_all_can_come_to_rest()

    def _expand(self, number: int, state: S, following: list[tuple[int, S]]) -> None:
        moving = False
        for step in self.model.steps(state):
            moving = moving or step.bound
            key = self.model.alike(step.after)
            known = self.numbers.setdefault(key, len(self.numbers))
            self.edges_from.append(number)
            self.edges_to.append(known)
            situation = self.model.situation(state, step)
            if situation:
                self.found.situations[situation] += 1
            if known == len(self.reached_by):
                self.reached_from.append(number)
                self.reached_by.append(f"{step.actor}: {step.deed}")
                following.append((known, step.after))
                self._check(known, self.model.always(step.after))
        if not moving:
            self.resting.append(number)
            self._check(number, self.model.at_rest(state))

    def _check(self, number: int, broken: str | None) -> None:
        if broken and not self.found.broken:
            self.found.broken = broken
            self.found.story = self._story_of(number)

    def _story_of(self, number: int) -> list[str]:
        story = []
        while self.reached_from[number] >= 0:
            story.append(self.reached_by[number])
            number = self.reached_from[number]
        return story[::-1]

    def _check_that_all_can_come_to_rest(self) -> None:
        """Walk back from the states at rest: a state that is not met runs in circles for ever."""
        leads_to: list[list[int]] = [[] for _ in self.numbers]
        for source, target in zip(self.edges_from, self.edges_to, strict=True):
            leads_to[target].append(source)
        met = bytearray(len(self.numbers))
        waiting = list(self.resting)
        while waiting:
            number = waiting.pop()
            if not met[number]:
                met[number] = 1
                waiting.extend(leads_to[number])
        trapped = met.find(0)
        self._check(trapped, "the order can never come to rest" if trapped >= 0 else None)
