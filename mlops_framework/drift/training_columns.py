"""Collecting the columns of training data of any size, in bounded memory.

All rows are kept while they fit. Beyond that a sample is: a row is in it if the hash of its number
lies below a bound, and the bound is halved whenever too much is held. So the sample depends on the
data alone, every row has the same chance, and nothing has to be known of the size beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlops_framework.drift.distinct import hashes_of
from mlops_framework.drift.errors import BaselineInvalid
from mlops_framework.drift.sums import Floats
from mlops_framework.drift.values import Numbers, Texts, Values, joined
from mlops_framework.drift.windows import moment

MOST_DISTINCT: Final = 4_000_000
"""Distinct texts that are held, of all columns together: some 600 MB."""
MOST_VALUES: Final = 60_000_000
"""Values that are held: some 500 MB."""
_LARGEST_TIME: Final = 1e20
"""In nanoseconds since 1970: the year 5138."""
_ALL: Final = 1 << 64

Column: TypeAlias = Values | Sequence[str]
"""Values of a column as they were read: arrays, or texts one per row."""


@dataclass(frozen=True)
class Part:
    """Some rows of a table.

    Attributes:
        columns: Values by column name, all of the same length.
        rows: How many rows.
        open: Whether rows may have other columns than the rows before (JSON objects).
        hours: The hour of each row, counted from 1970, where it is known without a time column.
    """

    columns: Mapping[str, Column]
    rows: int
    open: bool = False
    hours: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Collected:
    """What was collected.

    Attributes:
        columns: Values by name, in the order in which the columns first came.
        hours: The hour of each row, counted from 1970; ``None`` where it is not known.
        rows: Rows that were read.
        kept: Rows that are in the columns.
    """

    columns: Mapping[str, Values]
    hours: NDArray[np.int64] | None
    rows: int
    kept: int


def collected(
    parts: Iterable[Part],
    *,
    left_out: str,
    time_column: str,
    source: str,
    most_distinct: int = MOST_DISTINCT,
    most_values: int = MOST_VALUES,
) -> Collected:
    """Collect the columns of all parts.

    Args:
        parts: The rows; names are the same in all that are not open.
        left_out: Column that is not collected (the label); empty for none.
        time_column: Column with each row's time, which becomes its hour; empty for none.
        source: Name of the data in messages.
        most_distinct: Distinct texts that are held at most.
        most_values: Values that are held at most.

    Raises:
        BaselineInvalid: If parts differ in their columns, one of the two columns is absent, a time
            is none, or nothing is left.
    """
    columns: dict[str, _Column] = {}
    numbers, hours = _Numbers(), _Numbers()
    rows, bound, timed = 0, _ALL, False
    for part in parts:
        if not part.rows:
            continue
        _agree(part, columns, (left_out, time_column), source, first=rows == 0)
        own = np.arange(rows, rows + part.rows, dtype=np.int64)
        chosen = _chosen(own, bound)
        before = numbers.count
        numbers.add(own[chosen])
        for name in part.columns:
            if name not in columns and name not in (left_out, time_column):
                columns[name] = _Column(before)
        for name, column in columns.items():
            column.add(part.columns.get(name, [""] * part.rows), chosen)
        rows += part.rows
        if time_column:
            timed = True
            hours.add(hours_of(part.columns[time_column], time_column, source)[chosen])
        elif part.hours is not None:
            timed = True
            hours.add(part.hours[chosen])
        while (
            sum(column.distinct for column in columns.values()) > most_distinct
            or numbers.count * len(columns) > most_values
        ):
            bound //= 2
            kept = _chosen(numbers.joined(), bound)
            for column in columns.values():
                column.keep(kept)
            numbers.keep(kept)
            if timed:
                hours.keep(kept)
    if rows and not columns:
        raise BaselineInvalid(f"{source} holds the label column {left_out!r} and nothing else.")
    values = {name: column.values() for name, column in columns.items()}
    return Collected(values, hours.joined() if timed else None, rows, numbers.count)


def _agree(
    part: Part, known: Mapping[str, object], apart: tuple[str, str], source: str, *, first: bool
) -> None:
    """Check a part's columns."""
    for what, name in zip(("label_column", "time_column"), apart, strict=True):
        if name and name not in part.columns and (first or not part.open):
            raise BaselineInvalid(
                f"{source} has no column {name!r} to leave out as {what}; "
                f"its columns are {', '.join(part.columns)}."
            )
    if first or part.open:
        return
    own = part.columns.keys() - set(apart)
    if own != known.keys():
        differ = ", ".join(sorted(own ^ known.keys())[:8])
        raise BaselineInvalid(
            f"The objects of {source} have different columns: {differ} is not in all of them. "
            "Give data of one table."
        )


def _chosen(numbers: NDArray[np.int64], bound: int) -> NDArray[np.bool_]:
    """Which rows are in the sample, by their numbers."""
    if bound == _ALL:
        return np.ones(len(numbers), bool)
    chosen: NDArray[np.bool_] = hashes_of(numbers.astype(np.float64) + 0.5) < np.uint64(bound)
    return chosen


def hours_of(column: Column, name: str, source: str) -> NDArray[np.int64]:
    """The hour of each row, counted from 1970.

    Args:
        column: Times, as ISO 8601 or seconds since 1970; numbers as large as milliseconds,
            microseconds or nanoseconds since then are these.
        name: What the column is called in messages.
        source: What the data is called in messages.

    Raises:
        BaselineInvalid: If a row has no time, or none that can be read.
    """
    if isinstance(column, Numbers):
        if np.isnan(column.values).any():
            raise BaselineInvalid(f"{source}: a row has no time in its time column {name}.")
        beyond = column.values[np.abs(column.values) >= _LARGEST_TIME]
        if len(beyond):
            raise _no_time(f"{beyond[0]:g}", name, source)
        return (_seconds(column.values) // 3600).astype(np.int64)
    distinct: dict[str, int] = {}
    if isinstance(column, Texts):
        indices, texts = column.indices, list(column.distinct)
    else:
        indices = np.array([distinct.setdefault(text, len(distinct)) for text in column], np.int64)
        texts = list(distinct)
    times = []
    for text in texts:
        try:
            plain = text.replace(".", "", 1).isdigit()
            number = float(text) if plain else moment(text).timestamp()
            if abs(number) >= _LARGEST_TIME:
                raise ValueError(text)
        except ValueError:
            raise _no_time(repr(text[:40]), name, source) from None
        times.append(number)
    hours = (_seconds(np.array(times, np.float64)) // 3600).astype(np.int64)
    found: NDArray[np.int64] = hours[indices]
    return found


def _seconds(numbers: Floats) -> Floats:
    """Seconds since 1970 of numbers that may be thousandths, millionths or billionths of them."""
    size = np.abs(numbers)
    units = np.select([size >= 1e17, size >= 1e14, size >= 1e11], [1e-9, 1e-6, 1e-3], 1.0)
    seconds: Floats = numbers * units
    return seconds


def _no_time(found: str, name: str, source: str) -> BaselineInvalid:
    return BaselineInvalid(
        f"{source}: {found} in its time column {name} is no time; accepted are ISO 8601 "
        "(2026-03-01T14:07:31Z) and seconds since 1970 (or milli-, micro- or nanoseconds)."
    )


class _Numbers:
    """Whole numbers, one per row kept, in parts."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.int64]] = []
        self.count = 0

    def add(self, numbers: NDArray[np.int64]) -> None:
        self._parts.append(numbers)
        self.count += len(numbers)

    def joined(self) -> NDArray[np.int64]:
        self._parts = [np.concatenate([np.empty(0, np.int64), *self._parts])]
        return self._parts[0]

    def keep(self, rows: NDArray[np.bool_]) -> None:
        self._parts = [self.joined()[rows]]
        self.count = len(self._parts[0])


class _Column:
    """One column: texts by their index into the distinct ones, numbers as they are.

    Args:
        missing: Rows before the first one that has this column.
    """

    def __init__(self, missing: int) -> None:
        self._places: dict[str, int] = {}
        self._parts: list[tuple[bool, NDArray[np.int32] | NDArray[np.float64]]] = []
        if missing:
            self._add_texts([""] * missing, None)

    @property
    def distinct(self) -> int:
        """Distinct texts held."""
        return len(self._places)

    def add(self, column: Column, chosen: NDArray[np.bool_]) -> None:
        """Add the chosen ones of some values."""
        rows = None if chosen.all() else np.flatnonzero(chosen)
        if isinstance(column, Numbers):
            self._parts.append((False, column.values if rows is None else column.values[rows]))
        elif isinstance(column, Texts):
            texts = column.distinct
            indices = column.indices if rows is None else column.indices[rows]
            used, again = np.unique(indices, return_inverse=True)
            new = [self._place(texts[index]) for index in used.tolist()]
            self._parts.append((True, np.array(new, np.int32)[again]))
        else:
            self._add_texts(column, rows)

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Keep some of all rows; texts that no row holds any more are forgotten."""
        at = 0
        kept = []
        for text, part in self._parts:
            own = part[rows[at : at + len(part)]]
            at += len(part)
            kept.append((text, own))
        held = [part for text, part in kept if text]
        if held:
            used = np.unique(np.concatenate(held))
            names = list(self._places)
            self._places = {names[index]: new for new, index in enumerate(used.tolist())}
            kept = [
                (text, used.searchsorted(part).astype(np.int32) if text else part)
                for text, part in kept
            ]
        self._parts = kept

    def values(self) -> Values:
        """All of them."""
        texts = tuple(self._places)
        if all(text for text, _ in self._parts):
            parts = [part for _, part in self._parts]
            return Texts(np.concatenate([np.empty(0, np.int64), *parts]), texts)
        found: list[Values] = [
            Texts(part.astype(np.int64), texts) if text else Numbers(part.astype(np.float64))
            for text, part in self._parts
        ]
        return joined(found)

    def _add_texts(self, column: Sequence[str], rows: NDArray[np.int64] | None) -> None:
        chosen = column if rows is None else [column[row] for row in rows.tolist()]
        places = self._places
        new = [places.setdefault(text, len(places)) for text in chosen]
        self._parts.append((True, np.array(new, np.int32)))

    def _place(self, text: str) -> int:
        return self._places.setdefault(text, len(self._places))
