"""Paths into JSON: names, places in lists, and every item of a list.

The language is the part of JMESPath that can be followed in many payloads at once, as columns:
``person.age``, ``"post code"``, ``scores[1]``, ``instances[*].features``. Clarify and Model Monitor
take JMESPath, so such a path means here what it means there, but for one thing: a projection of
JMESPath drops what is null, which would move the rows behind it; here nothing is dropped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, TypeAlias

EACH: Final = "*"
"""The step into every item of a list."""

ACCEPTED: Final = (
    'names joined by dots ("in quotes" if they hold other signs than letters, digits and _), '
    "[0] for one item of a list, [*] for every item"
)
_NAME: Final = re.compile(r'[A-Za-z_][A-Za-z0-9_]*|"(?:[^"\\]|\\.)+"')
_ITEM: Final = re.compile(r"\[(?:(-?[0-9]{1,9})|\*?)\]")


@dataclass(frozen=True)
class Name:
    """The step to a member of an object."""

    name: str


Step: TypeAlias = Name | int | Literal["*"]


@dataclass(frozen=True)
class JsonPath:
    """A path.

    Attributes:
        steps: Members, places in lists (negative from the end), and :data:`EACH`.
    """

    steps: tuple[Step, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a path; the empty one and ``@`` lead to the value itself.

        Raises:
            ValueError: If it is none; says where and what is accepted.
        """
        return cls(tuple(_steps(text))) if text not in ("", "@") else cls()

    def __str__(self) -> str:
        """The path as it is written."""
        written = ""
        for step in self.steps:
            if isinstance(step, Name):
                plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", step.name)
                name = step.name if plain else json.dumps(step.name, ensure_ascii=False)
                written += f".{name}" if written else name
            else:
                written += f"[{step}]"
        return written

    @property
    def lists(self) -> bool:
        """Whether it leads to several values."""
        return EACH in self.steps

    def divided(self) -> tuple[JsonPath, JsonPath]:
        """What leads to the items of the innermost list, and what leads on from each of them."""
        last = max(place for place, step in enumerate(self.steps) if step == EACH) + 1
        return JsonPath(self.steps[:last]), JsonPath(self.steps[last:])

    def find(self, value: Any) -> Any:
        """Where the path leads to; ``None`` where it leads nowhere.

        A path through every item of a list gives a list of what it finds in each.
        """
        for place, step in enumerate(self.steps):
            if isinstance(step, Name):
                value = value.get(step.name) if isinstance(value, dict) else None
            elif not isinstance(value, list):
                return None
            elif step == EACH:
                return list(JsonPath(self.steps[place + 1 :])._each(value))
            else:
                value = value[step] if -len(value) <= step < len(value) else None
        return value

    def _each(self, items: list[Any]) -> Iterator[Any]:
        """What the path finds in each item; lists in lists give their items one after another."""
        for item in items:
            found = self.find(item)
            if self.lists:
                yield from found or ()
            else:
                yield found


def _steps(text: str) -> Iterator[Step]:
    at = 0
    while at < len(text):
        item = _ITEM.match(text, at)
        if item:
            yield EACH if item[1] is None else int(item[1])
            at = item.end()
            continue
        start = at + 1 if text[at] == "." and at else at
        name = _NAME.match(text, start)
        if name is None or (at and text[at] != "."):
            raise ValueError(f"{text!r} is no path at {text[at:][:20]!r}; accepted are {ACCEPTED}")
        yield Name(json.loads(name[0]) if name[0].startswith('"') else name[0])
        at = name.end()
