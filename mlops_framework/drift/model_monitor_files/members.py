"""Members of a file somebody else wrote, read with the place of whatever is wrong in it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, Self

from mlops_framework.drift.errors import MonitorFileInvalid

_SHOWN = 60


@dataclass(frozen=True)
class Members:
    """An object of a JSON document.

    Attributes:
        document: The object.
        place: Where it is, for messages: ``s3://…/statistics.json: features[3]``.
    """

    document: Mapping[str, Any]
    place: str

    @classmethod
    def of(cls, document: Any, source: str) -> Self:
        """The whole document.

        Raises:
            MonitorFileInvalid: If it is no object.
        """
        if not isinstance(document, Mapping):
            raise MonitorFileInvalid(
                f"{source} is {_shown(document)}; accepted is a JSON object, as Model Monitor "
                "writes it."
            )
        return cls(document, source)

    def has(self, *names: str) -> bool:
        """Whether one of the members is there and not null."""
        return any(self.document.get(name) is not None for name in names)

    def get(self, *names: str) -> Any:
        """The first of the members that is there and not null; ``None`` without any."""
        found = (self.document.get(name) for name in names)
        return next((value for value in found if value is not None), None)

    def part(self, *names: str) -> Members | None:
        """An object within this one, by the first of its names that is there; ``None`` without."""
        value = self.get(*names)
        if value is None:
            return None
        name = self._name(names)
        if not isinstance(value, Mapping):
            self.refuse(name, value, "an object")
        return Members(value, self._inside(name))

    def parts(self, name: str) -> Iterator[Members]:
        """The objects of a list; none if it is absent."""
        for index, value in enumerate(self.items(name)):
            if not isinstance(value, Mapping):
                self.refuse(f"{name}[{index}]", value, "an object")
            yield Members(value, self._inside(f"{name}[{index}]"))

    def items(self, name: str) -> Sequence[Any]:
        """The values of a list; none if it is absent."""
        value = self.get(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.refuse(name, value, "a list")
        return value

    def text(self, name: str) -> str:
        """A text that has to be there."""
        value = self.get(name)
        if not isinstance(value, str):
            self.refuse(name, value, "a text")
        return value

    def number(self, *names: str) -> float | None:
        """A finite number; ``None`` where it is absent, null or said to be none (``"NaN"``)."""
        value = self.get(*names)
        if value is None:
            return None
        found = number_of(value)
        if found is None:
            self.refuse(self._name(names), value, "a number")
        return found if math.isfinite(found) else None

    def count(self, name: str) -> int | None:
        """A number of rows; ``None`` where it is absent. Spark writes some of them as ``3.0``."""
        found = self.number(name)
        if found is not None and (found < 0 or found != int(found)):
            self.refuse(name, found, "a whole number from 0")
        return None if found is None else int(found)

    def switch(self, *names: str) -> bool | None:
        """``Enabled`` or ``Disabled`` (older files: true or false); ``None`` where it is absent."""
        value = self.get(*names)
        if value is None or isinstance(value, bool):
            return value
        known = {"enabled": True, "disabled": False, "true": True, "false": False}
        found = known.get(value.strip().lower()) if isinstance(value, str) else None
        if found is None:
            self.refuse(self._name(names), value, "Enabled or Disabled")
        return found

    def refuse(self, name: str, value: Any, accepted: str) -> NoReturn:
        """Say what is wrong with a member.

        Raises:
            MonitorFileInvalid: Always.
        """
        found = "absent" if value is None else _shown(value)
        raise MonitorFileInvalid(f"{self._inside(name)} is {found}; accepted is {accepted}.")

    def _name(self, names: Sequence[str]) -> str:
        return next((name for name in names if self.document.get(name) is not None), names[0])

    def _inside(self, name: str) -> str:
        joint = "." if ": " in self.place else ": "
        return f"{self.place}{joint}{name}"


def number_of(value: Any) -> float | None:
    """A number as these files spell it, ``"NaN"`` included; ``None`` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
