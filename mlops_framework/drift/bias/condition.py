"""Which values belong: the members of a group, the labels and predictions that are good."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlops_framework.drift.values import Numbers, Values, as_texts, category_of, text_of

Marks: TypeAlias = NDArray[np.int8]
"""One per row: 1 belongs, 0 does not, ``UNKNOWN`` where the value is missing or unreadable."""

UNKNOWN: Final = -1
ACCEPTED: Final = "one of values (a list), above (a number), up_to (a number)"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Values that belong: those listed, or the numbers on one side of a threshold.

    Attributes:
        values: The values; numbers and booleans compare however they are written (1 = 1.0).
        above: Numbers greater than it belong (Clarify's threshold).
        up_to: Numbers not greater than it belong.
    """

    values: tuple[str, ...] = ()
    above: float | None = None
    up_to: float | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read ``values``, ``above`` and ``up_to``; others are the caller's.

        Raises:
            ValueError: If it is not exactly one of them.
        """
        values = document.get("values") or ()
        if not isinstance(values, (list, tuple)):
            raise ValueError(f"values is not a list; accepted is {ACCEPTED}")
        read: dict[str, float] = {}
        for name in ("above", "up_to"):
            number = document.get(name)
            if number in (None, ""):
                continue
            try:
                read[name] = float("nan" if isinstance(number, bool) else number)
            except (TypeError, ValueError):
                read[name] = math.nan
            if not math.isfinite(read[name]):
                raise ValueError(f"{name} is {number!r}; accepted is a number")
        if bool(values) + len(read) != 1:
            raise ValueError(f"exactly one is needed; accepted is {ACCEPTED}")
        return cls(values=tuple(plain(str(value)) for value in values), **read)

    def to_document(self) -> dict[str, Any]:
        """As JSON."""
        if self.values:
            return {"values": list(self.values)}
        return {"above": self.above} if self.above is not None else {"up_to": self.up_to}

    def __str__(self) -> str:
        """For people."""
        if self.values:
            return " or ".join(self.values)
        return f"above {self.above:g}" if self.above is not None else f"up to {self.up_to:g}"

    def marks(self, values: Values) -> Marks:
        """Which rows belong."""
        if isinstance(values, Numbers) and not self.values:
            sides: Marks = np.asarray(self._side(values.values)).astype(np.int8)
            sides[np.isnan(values.values)] = UNKNOWN
            return sides
        texts = as_texts(values)
        known: Marks = np.array([self._mark(text) for text in texts.distinct], np.int8)
        found = np.empty(0, np.int8) if not len(known) else known[texts.indices]
        return found

    def _mark(self, text: str) -> int:
        known = plain(text)
        if not known:
            return UNKNOWN
        if self.values:
            return int(known in self.values)
        try:
            number = float(known)
        except ValueError:
            return UNKNOWN
        return UNKNOWN if math.isnan(number) else int(self._side(np.float64(number)))

    def _side(self, number: Any) -> Any:
        return number > self.above if self.above is not None else number <= self.up_to


def plain(text: str) -> str:
    """A value as it compares: numbers the same however written, booleans in small letters."""
    known = category_of(text)
    try:
        number = float(known)
    except ValueError:
        return known
    if math.isnan(number):
        return ""
    return text_of(number) if math.isfinite(number) else known
