"""Captured traffic as a baseline: which time of it, and what its columns are called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from mlops_framework.drift.windows import instant, moment

LONGEST: Final = timedelta(days=92)
_KEYS: Final = ("since", "until", "columns")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z")


@dataclass(frozen=True)
class CapturedBaseline:
    """The captures that become the baseline.

    Attributes:
        start: First moment, UTC.
        end: Moment behind the last one.
        columns: Names of the columns, in their order, which CSV does not give; empty if requests
            are JSON objects, or for ``_c0``, ``_c1``... as Model Monitor names them.
    """

    start: datetime
    end: datetime
    columns: tuple[str, ...] = ()

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read ``{"since": time, "until": time, "columns": [name, ...]}``, the last one optional.

        Raises:
            ValueError: What is wrong, and what is accepted.
        """
        if not isinstance(document, Mapping):
            raise ValueError("accepted is an object of since, until and columns")
        unknown = sorted(document.keys() - set(_KEYS))
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: accepted are {', '.join(_KEYS)}")
        start, end = (_time(name, document.get(name)) for name in ("since", "until"))
        if not start < end <= start + LONGEST:
            raise ValueError(f"until: accepted is a time after since, at most {LONGEST.days} days")
        columns = document.get("columns") or []
        if not isinstance(columns, list) or not all(
            isinstance(name, str) and name for name in columns
        ):
            raise ValueError("columns: accepted is a list of names")
        if len(set(columns)) < len(columns):
            raise ValueError("columns: a name is there twice")
        return cls(start, end, tuple(columns))

    def to_document(self) -> dict[str, Any]:
        """The setting as its JSON document."""
        times = {"since": instant(self.start), "until": instant(self.end)}
        return times | ({"columns": list(self.columns)} if self.columns else {})

    def hours(self) -> Iterator[datetime]:
        """The hours it touches."""
        hour = self.start.replace(minute=0, second=0, microsecond=0)
        while hour < self.end:
            yield hour
            hour += timedelta(hours=1)

    def __str__(self) -> str:
        """For reports."""
        return f"captures from {instant(self.start)} to {instant(self.end)}"


def _time(name: str, text: Any) -> datetime:
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise ValueError(f"{name}: accepted is a time in UTC, for example 2026-03-01T00:00:00Z")
    try:
        return moment(text)
    except ValueError:
        raise ValueError(f"{name}: {text} is not in the calendar") from None
