"""The JSONPath expressions that a transform job's filters may hold.

Source: SageMaker developer guide, "Associate prediction results with input records", supported
JSONPath operators: ``$``, ``.name``, ``*``, ``['name','name']``, ``[0,1]``, ``[0:2]`` and negative
numbers. Deep scans, filter expressions and functions are not among them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SEGMENT = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\.(\*)|\.?\[([^\]]*)\]")
_NAME = re.compile(r"""\s*(?:'([^']*)'|"([^"]*)")\s*""")
_INDEX = re.compile(r"\s*(-?\d+)\s*")
_SLICE = re.compile(r"\s*(-?\d*)\s*:\s*(-?\d*)\s*")
ACCEPTED = "$, .name, ['name','name'], [0], [0,2:], [:3], [-1], .* and [*]"


class PathError(Exception):
    """An expression that is not one, or that finds nothing in a record."""


@dataclass(frozen=True)
class _Names:
    names: tuple[str, ...]


@dataclass(frozen=True)
class _Places:
    places: tuple[int | slice, ...]


@dataclass(frozen=True)
class _Everything:
    pass


_Step = _Names | _Places | _Everything


@dataclass(frozen=True)
class RecordPath:
    """A filter, read once and used for every record.

    Attributes:
        text: as it was written.
    """

    text: str
    _steps: tuple[_Step, ...]

    @classmethod
    def parse(cls, text: str) -> RecordPath:
        """Read an expression.

        Raises:
            PathError: it is not one that SageMaker takes.
        """
        if not text.startswith("$"):
            raise PathError(f"{text!r} does not begin with $; accepted are {ACCEPTED}.")
        steps: list[_Step] = []
        at = 1
        while at < len(text):
            match = _SEGMENT.match(text, at)
            if match is None:
                raise PathError(f"{text!r} cannot be read from {text[at:]!r} on; use {ACCEPTED}.")
            steps.append(_step(match, text))
            at = match.end()
        return cls(text, tuple(steps))

    @property
    def takes_all(self) -> bool:
        """Whether it is ``$``: the record as it is."""
        return not self._steps

    def select(self, record: Any) -> Any:
        """The part of a record.

        Args:
            record: a row of CSV as a list of text, or a JSON value.

        Returns:
            One value for a path of single names and numbers; a list for numbers, slices and
            wildcards; an object with those members for several names.

        Raises:
            PathError: the record has no such part.
        """
        return self._select(record, self._steps)

    def _select(self, value: Any, steps: Sequence[_Step]) -> Any:
        if not steps:
            return value
        step, rest = steps[0], steps[1:]
        if isinstance(step, _Names):
            found = {name: self._select(self._member(value, name), rest) for name in step.names}
            return found if len(step.names) > 1 else found[step.names[0]]
        if isinstance(step, _Everything):
            if not isinstance(value, (Mapping, list)):
                raise PathError(f"{self.text} looks into {_kind(value)}.")
            inner = list(value.values()) if isinstance(value, Mapping) else value
            return [self._select(each, rest) for each in inner]
        if not isinstance(value, list):
            raise PathError(f"{self.text} asks for a place in {_kind(value)}; name its members.")
        if len(step.places) == 1 and isinstance(step.places[0], int):
            return self._select(self._at(value, step.places[0]), rest)
        chosen: list[Any] = []
        for place in step.places:
            chosen += value[place] if isinstance(place, slice) else [self._at(value, place)]
        return [self._select(each, rest) for each in chosen]

    def _member(self, value: Any, name: str) -> Any:
        if isinstance(value, list):
            raise PathError(f"{self.text} names {name!r} in a list; columns are called by [0].")
        if not isinstance(value, Mapping) or name not in value:
            raise PathError(f"{self.text} finds no {name!r} in {_kind(value)}.")
        return value[name]

    def _at(self, value: list[Any], place: int) -> Any:
        try:
            return value[place]
        except IndexError:
            raise PathError(
                f"{self.text} asks for place {place} of a record with {len(value)}."
            ) from None


def _step(match: re.Match[str], text: str) -> _Step:
    name, every, inside = match.groups()
    if name is not None:
        return _Names((name,))
    if every is not None or inside.strip() == "*":
        return _Everything()
    parts = inside.split(",")
    if all(_NAME.fullmatch(part) for part in parts):
        found = [_NAME.fullmatch(part) for part in parts]
        return _Names(tuple(each[1] or each[2] or "" for each in found if each))
    return _Places(tuple(_place(part, text) for part in parts))


def _place(part: str, text: str) -> int | slice:
    if match := _INDEX.fullmatch(part):
        return int(match[1])
    if match := _SLICE.fullmatch(part):
        return slice(*(int(bound) if bound else None for bound in match.groups()))
    raise PathError(f"{text!r} cannot be read at {part!r}; use {ACCEPTED}.")


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"an object with {', '.join(map(str, value)) or 'no members'}"
    return "a list" if isinstance(value, list) else "a single value"
