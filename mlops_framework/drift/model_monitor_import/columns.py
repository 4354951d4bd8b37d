"""Which columns of a Model Monitor baseline are of the request, and which of the answer.

Model Monitor flattens a captured record to the columns of the answer and then those of the request
(``output_columns_position`` END: the other way round), so a baseline has both. A baseline of ours
has those of the request.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_FIRST: Final = "START"


@dataclass(frozen=True)
class Columns:
    """A baseline's columns, told apart.

    Attributes:
        requested: Of the request, in order.
        answered: Of the answer; ours leaves them out.
        known: Whether a captured record told.
    """

    requested: tuple[str, ...]
    answered: tuple[str, ...] = ()
    known: bool = True


def told_apart(
    names: Sequence[str], line: str | bytes | None, environment: Mapping[str, str]
) -> Columns:
    """Tell the columns of a baseline apart by a captured record.

    Args:
        names: Of the baseline, in order.
        line: A captured record; ``None`` where there is none.
        environment: Of the monitor's container.
    """
    payload = _request(line) if line else None
    if payload is None:
        return Columns(tuple(names), known=False)
    members, width = payload
    if members is not None:
        requested = tuple(name for name in names if name in members)
        if requested:
            return Columns(requested, tuple(name for name in names if name not in members))
    extra = len(names) - width
    if extra <= 0:
        return Columns(tuple(names), known=extra == 0)
    first = environment.get("output_columns_position", _FIRST).upper() == _FIRST
    split = extra if first else width
    before, after = tuple(names[:split]), tuple(names[split:])
    return Columns(after, before) if first else Columns(before, after)


def _request(line: str | bytes) -> tuple[frozenset[str] | None, int] | None:
    """Members and number of values of a captured request's first row; ``None`` if unreadable."""
    try:
        record: Any = json.loads(line)
        side = record["captureData"]["endpointInput"]
        text = side["data"]
        if side.get("encoding") == "JSON":
            value = json.loads(text)
            value = value[0] if isinstance(value, list) and value else value
            return (frozenset(value), len(value)) if isinstance(value, dict) else None
        if side.get("encoding") == "CSV":
            row = next(csv.reader(str(text).splitlines()), [])
            return (None, len(row)) if row else None
    except (ValueError, KeyError, TypeError):
        return None
    return None
