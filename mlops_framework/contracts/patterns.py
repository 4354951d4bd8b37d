"""Whether a pattern takes every text that another one took: regular languages, compared.

Both patterns become automata, and both are walked at once: a text that the old one accepts and the
new one does not is a break. Only what the patterns of contracts are made of is read: characters,
classes, groups, alternatives, quantifiers, and anchors at the ends. Anything else is not decided.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

Ranges = tuple[tuple[int, int], ...]
"""Characters, as ranges of code points, both ends included."""

_LAST: Final = 0x10FFFF
_ANY: Final[Ranges] = ((0, _LAST),)
_STEPS: Final = 50_000
"""Pairs of states that are looked at before it is given up."""
_COUNT: Final = 2_000
"""Most repetitions that are written out."""
_NAMED: Final[dict[str, Ranges]] = {
    "d": ((48, 57),),
    "w": ((48, 57), (65, 90), (95, 95), (97, 122)),
    "s": ((9, 13), (32, 32)),
}
_PLAIN: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"}
_QUANTIFIER: Final = re.compile(r"[*+?]|\{([0-9]+)(,([0-9]*))?\}")


class _Undecided(Exception):
    """The pattern is made of something that is not read here."""


def takes_all(new: str, old: str) -> bool | None:
    """Whether every text that matches one pattern matches the other.

    Args:
        new: The pattern that shall match.
        old: The pattern that matched; both as JSON Schema has them, found anywhere in a text.

    Returns:
        Nothing if it cannot be decided.
    """
    try:
        before, now = _automaton(old), _automaton(new)
    except _Undecided:
        return None
    start = (before.closure({before.start}), now.closure({now.start}))
    seen, waiting = {start}, [start]
    letters = _letters(before, now)
    while waiting:
        theirs, ours = waiting.pop()
        if before.accepts(theirs) and not now.accepts(ours):
            return False
        for letter in letters:
            following = before.step(theirs, letter)
            if not following:
                continue
            pair = (following, now.step(ours, letter))
            if pair not in seen:
                seen.add(pair)
                waiting.append(pair)
        if len(seen) > _STEPS:
            return None
    return True


@dataclass
class _Automaton:
    """States are numbers; an edge without characters costs nothing, some at the text's end only."""

    start: int = 0
    end: int = 0
    free: list[list[int]] = field(default_factory=list)
    at_end: list[list[int]] = field(default_factory=list)
    edges: list[list[tuple[Ranges, int]]] = field(default_factory=list)

    def state(self) -> int:
        """A new state."""
        self.free.append([])
        self.at_end.append([])
        self.edges.append([])
        return len(self.free) - 1

    def accepts(self, states: frozenset[int]) -> bool:
        """Whether a text may end here."""
        return self.end in self.closure(set(states), ended=True)

    def closure(self, states: set[int], *, ended: bool = False) -> frozenset[int]:
        """What can be reached from some states for nothing."""
        found, waiting = set(states), list(states)
        while waiting:
            at = waiting.pop()
            for state in (*self.free[at], *(self.at_end[at] if ended else ())):
                if state not in found:
                    found.add(state)
                    waiting.append(state)
        return frozenset(found)

    def step(self, states: frozenset[int], letter: int) -> frozenset[int]:
        """What a character leads to."""
        return self.closure(
            {
                target
                for state in states
                for ranges, target in self.edges[state]
                if any(low <= letter <= high for low, high in ranges)
            }
        )


def _letters(*automata: _Automaton) -> list[int]:
    """One character of each set of characters that no edge tells apart."""
    starts = {0}
    for automaton in automata:
        for edges in automaton.edges:
            for ranges, _ in edges:
                starts |= {low for low, _ in ranges} | {high + 1 for _, high in ranges}
    return sorted(start for start in starts if start <= _LAST)


def _automaton(pattern: str) -> _Automaton:
    begins, ends = pattern.startswith("^"), pattern.endswith("$") and not pattern.endswith(r"\$")
    inner = pattern[1 if begins else 0 : -1 if ends else None]
    found = _Automaton()
    first, last = _Reader(inner, found).read()
    if not begins:
        found.edges[first].append((_ANY, first))
    if not ends:
        found.edges[last].append((_ANY, last))
    found.start, found.end = first, last
    return found


class _Reader:
    """Reads a pattern by descent, and writes what it reads into an automaton."""

    def __init__(self, pattern: str, into: _Automaton) -> None:
        self._text, self._at, self._into = pattern, 0, into

    def read(self) -> tuple[int, int]:
        """First and last state of the whole pattern; nothing leads into or out of them."""
        first, last = self._alternatives()
        if self._at < len(self._text):
            raise _Undecided
        begin, end = self._into.state(), self._into.state()
        self._into.free[begin].append(first)
        self._into.free[last].append(end)
        return begin, end

    def _alternatives(self) -> tuple[int, int]:
        begin, end = self._into.state(), self._into.state()
        while True:
            first, last = self._sequence()
            self._into.free[begin].append(first)
            self._into.free[last].append(end)
            if not self._takes("|"):
                return begin, end

    def _sequence(self) -> tuple[int, int]:
        first = last = self._into.state()
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            start = self._at
            part = self._atom()
            least, most = self._quantifier()
            stop = self._at
            for number in range(max(least, most if most is not None else least + 1)):
                if number:
                    self._at = start
                    part = self._atom()
                self._into.free[last].append(part[0])
                if number >= least:
                    self._into.free[last].append(part[1])
                last = part[1]
            if most is None:
                self._into.free[part[1]].append(part[0])
            if most == 0:
                raise _Undecided
            self._at = stop
        return first, last

    def _quantifier(self) -> tuple[int, int | None]:
        match = _QUANTIFIER.match(self._text, self._at)
        if match is None:
            return 1, 1
        self._at = match.end()
        if self._text[self._at : self._at + 1] in ("?", "+"):
            raise _Undecided  # Lazy or possessive.
        if match[0] in "*+?":
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[match[0]]
        least = int(match[1])
        most = least if match[2] is None else int(match[3]) if match[3] else None
        if max(least, most or 0) > _COUNT:
            raise _Undecided
        return least, most

    def _atom(self) -> tuple[int, int]:
        if self._takes("("):
            if self._takes("?") and not self._takes(":"):
                raise _Undecided
            inside = self._alternatives()
            if not self._takes(")"):
                raise _Undecided
            return inside
        first, last = self._into.state(), self._into.state()
        if self._takes("$"):
            self._into.at_end[first].append(last)
        else:
            self._into.edges[first].append((self._characters(), last))
        return first, last

    def _characters(self) -> Ranges:
        if self._takes("["):
            return self._class()
        letter = self._next()
        if letter == ".":
            return _without(((10, 10),))
        if letter in "^*+?{":
            raise _Undecided
        return self._escaped() if letter == "\\" else _only(letter)

    def _class(self) -> Ranges:
        negated = self._takes("^")
        found: list[tuple[int, int]] = []
        first = True
        while first or not self._takes("]"):
            first = False
            letter = self._next()
            low = self._escaped() if letter == "\\" else _only(letter)
            after = self._text[self._at : self._at + 2]
            if after[:1] == "-" and after[1:] != "]" and len(low) == 1 and low[0][0] == low[0][1]:
                self._at += 1
                letter = self._next()
                high = self._escaped() if letter == "\\" else _only(letter)
                found.append((low[0][0], high[0][1]))
            else:
                found += low
        return _without(tuple(found)) if negated else tuple(found)

    def _escaped(self) -> Ranges:
        letter = self._next()
        if letter.lower() in _NAMED:
            ranges = _NAMED[letter.lower()]
            return ranges if letter.islower() else _without(ranges)
        if letter in "xu":
            digits = self._text[self._at : self._at + (2 if letter == "x" else 4)]
            self._at += len(digits)
            if not re.fullmatch("[0-9a-fA-F]+", digits):
                raise _Undecided
            return _only(chr(int(digits, 16)))
        if letter.isalnum() and letter not in _PLAIN:
            raise _Undecided
        return _only(_PLAIN.get(letter, letter))

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise _Undecided
        self._at += 1
        return self._text[self._at - 1]

    def _takes(self, letter: str) -> bool:
        there = self._text.startswith(letter, self._at)
        self._at += there
        return there


def _only(letter: str) -> Ranges:
    return ((ord(letter), ord(letter)),)


def _without(ranges: Ranges) -> Ranges:
    return tuple(_gaps(sorted(ranges)))


def _gaps(ranges: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    at = 0
    for low, high in ranges:
        if low > at:
            yield at, low - 1
        at = max(at, high + 1)
    if at <= _LAST:
        yield at, _LAST
