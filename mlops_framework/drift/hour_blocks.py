"""Hour blocks: what the training data counted in each hour, kept with the baseline.

Ordinary hours differ, and a window has to differ by more. How much depends on how long the window
is: what moves from hour to hour is averaged out within a day. So the counts of every hour are kept
and joined to blocks of a window's own length, whatever monitor the baseline is for.

What is kept is bounded by ``MOST_COUNTS``, so that the baseline stays a document of a few
megabytes. Where all cells of all hours are more, neighbouring cells are counted together (64, 32 or
16 groups of about equal weight a column, which takes less than half a percent off the variance of
ranks); where that is not enough, neighbouring hours are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlops_framework.drift.columns import ColumnCounts, ColumnSpec
from mlops_framework.drift.distinct import hashes_of
from mlops_framework.drift.packed_counts import packed, unpacked
from mlops_framework.drift.statistics.between_hours import BetweenHours, between_hours

MOST_COUNTS: Final = 1_500_000
"""Counts that are kept of all columns together: two to four megabytes. 20 columns: all cells of 24
days of hours, groups of cells for 195 days; of a year, blocks of two hours. 200 columns: a year of
days."""
MOST_AT_ONCE: Final = 4_000_000
"""Counts of one column that are looked at together: 32 MB. Of more hours than fit, some are."""
_GROUPS: Final = (0, 64, 32, 16)
"""Groups of cells of a column, finest first; 0 for every cell by itself."""
_LENGTHS: Final = (2, 3, 4, 6, 8, 12, 24, 48, 72, 168)
"""Hours of a block where an hour is too little; beyond the last one its multiples."""
_DAY: Final = 24
_MONDAY: Final = 96
"""The first Monday of 1970, in hours."""

Hours: TypeAlias = Sequence[int] | NDArray[np.int64]
Places: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class HourBlocks:
    """Which blocks there are; the counts are with the columns.

    Attributes:
        length: Hours of a block.
        groups: Groups of cells that are counted in each column; 0 for all cells by themselves.
        starts: First hour of each block, in hours since 1970, ascending.
        known: Of how many of its hours each block has rows.
        rows: Rows of each block; empty where they were not counted.
    """

    length: int
    groups: int
    starts: tuple[int, ...]
    known: tuple[int, ...]
    rows: tuple[int, ...] = ()

    @classmethod
    def fitting(cls, hours: Places, cells: Sequence[int], most: int = MOST_COUNTS) -> Self:
        """The finest blocks that are not more than may be kept.

        Args:
            hours: The hours that have rows, each once, ascending.
            cells: Cells of each column.
            most: Counts that may be kept.
        """
        blocks = (cls._of(hours, length, groups) for length, groups in _resolutions())
        return next(
            found
            for found in blocks
            if len(found.starts) * _width(cells, found.groups) <= most or len(found.starts) == 1
        )

    @classmethod
    def _of(cls, hours: Places, length: int, groups: int) -> Self:
        starts, known = np.unique(_start_of(hours, length), return_counts=True)
        return cls(length, groups, tuple(starts.tolist()), tuple(known.tolist()))

    def of_rows(self, hours: Places) -> Self:
        """The blocks, knowing how many rows each has.

        Args:
            hours: The hour of each row.
        """
        own = np.array(self.starts, np.int64).searchsorted(_start_of(hours, self.length))
        return replace(self, rows=tuple(np.bincount(own, minlength=len(self.starts)).tolist()))

    def counted(self, spec: ColumnSpec, counts: ColumnCounts, cells: Places, hours: Places) -> str:
        """Count a column in its groups of cells, block by block.

        Args:
            spec: The column's cells.
            counts: All of the column, by which cells are put together.
            cells: The cell of each row; -1 for none.
            hours: The hour of each row.
        """
        groups = group_of(spec, counts, self.groups)
        width = int(groups.max()) + 1
        own = np.array(self.starts, np.int64).searchsorted(_start_of(hours, self.length))
        valid = cells >= 0
        places = own[valid] * width + groups[cells[valid]]
        return packed(np.bincount(places, minlength=len(self.starts) * width))

    def table(self, spec: ColumnSpec, counts: ColumnCounts, text: str) -> Places:
        """The counts of a column: a row for each block, a column for each group of cells.

        Raises:
            ValueError: If the text is damaged.
        """
        width = int(group_of(spec, counts, self.groups).max()) + 1
        number = len(self.starts)
        return unpacked(text, number * width).reshape(number, width)

    def between(self, spec: ColumnSpec, table: Places, minutes: int) -> BetweenHours | None:
        """How much ordinary windows of a length differ.

        Blocks are joined to windows as a monitor has them. Of those that are not long enough for
        eight such windows, the longest part of a window is taken that there are eight of: shorter
        blocks differ more, so that nothing ordinary becomes an alarm.

        Args:
            spec: The column's cells.
            table: Its counts; see :meth:`table`.
            minutes: Length of a window.

        Returns:
            ``None`` if blocks are longer than a window, or too few.
        """
        for length in self._parts(minutes // 60):
            rows = self.joined(np.array([self.rows], np.int64).T, length) if self.rows else None
            found = between_hours(
                self.joined(table, length),
                ordered=spec.ordered,
                rows=None if rows is None else rows.ravel(),
            )
            if found is not None:
                return found
        return None

    def joined(self, table: Places, length: int) -> Places:
        """The counts of blocks joined to ``length`` hours; without those that are mostly unknown.

        The first and the last day of the data may hold an hour each, which is no day.
        """
        _, own = np.unique(_start_of(np.array(self.starts, np.int64), length), return_inverse=True)
        known = np.bincount(own, np.array(self.known))
        found = np.zeros((len(known), table.shape[1]), np.int64)
        np.add.at(found, own, table)
        whole: Places = found[2 * known >= np.median(known)]
        return whole

    def _parts(self, hours: int) -> Iterator[int]:
        """The lengths that a window of ``hours`` is a whole number of, longest first."""
        longest = hours - hours % self.length
        for parts in range(1, longest // self.length + 1):
            if longest % parts == 0 and longest // parts % self.length == 0:
                yield longest // parts

    def to_document(self) -> dict[str, Any]:
        """As JSON; starts as distances from one to the next."""
        first = np.array(self.starts, np.int64)
        document: dict[str, Any] = {
            "length": self.length,
            "groups": self.groups,
            "blocks": len(self.starts),
            "first": self.starts[0],
            "distances": packed(np.diff(first) // self.length),
        }
        if self.length > 1:
            document["known"] = packed(np.array(self.known, np.int64))
        if self.rows:
            document["rows"] = packed(np.array(self.rows, np.int64))
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_document` wrote.

        Raises:
            ValueError: If it is damaged.
            KeyError: If a member is absent.
        """
        length, groups, number, first = (
            int(document[name]) for name in ("length", "groups", "blocks", "first")
        )
        distances = unpacked(str(document["distances"]), number - 1) * length
        starts = first + np.concatenate([[0], np.cumsum(distances)])
        known = np.ones(number, np.int64)
        if length > 1:
            known = unpacked(str(document["known"]), number)
        rows = unpacked(str(document["rows"]), number).tolist() if "rows" in document else ()
        return cls(length, groups, tuple(starts.tolist()), tuple(known.tolist()), tuple(rows))


def group_of(spec: ColumnSpec, counts: ColumnCounts, most: int) -> Places:
    """The group of each cell: neighbours of about equal weight, or the heaviest categories.

    Args:
        spec: The column's cells.
        counts: All of the column.
        most: Groups at most; 0 for every cell by itself.
    """
    if not most or spec.cells <= most:
        return np.arange(spec.cells)
    cells = np.array(counts.cells, np.int64)
    if spec.ordered:
        below = np.cumsum(cells) - cells
        places = (2 * below + cells) * most // (2 * max(1, int(cells.sum())))
        return np.unique(np.minimum(places, most - 1), return_inverse=True)[1].astype(np.int64)
    heaviest = np.argsort(-cells, kind="stable")[: most - 1]
    groups = np.full(spec.cells, most - 1, np.int64)
    groups[heaviest] = np.arange(most - 1)
    return groups


def some_hours(hours: Places, cells: int) -> Places:
    """The hours, or, of more than can be looked at together, as many as can, by their hashes."""
    most = max(1, MOST_AT_ONCE // cells)
    if len(hours) <= most:
        return hours
    order = np.argsort(hashes_of(hours.astype(np.float64) + 0.5), kind="stable")
    return np.sort(hours[order[:most]])


def by_hour(cells: Places, hours: Places, spec: ColumnSpec) -> Places:
    """Counts of a column's cells: a row for each hour.

    Args:
        cells: The cell of each row; -1 for none.
        hours: The hour of each row.
        spec: The column's cells.
    """
    chosen = some_hours(np.unique(hours), spec.cells)
    own = np.minimum(chosen.searchsorted(hours), len(chosen) - 1)
    counted = (chosen[own] == hours) & (cells >= 0)
    places = own[counted] * spec.cells + cells[counted]
    found = np.bincount(places, minlength=len(chosen) * spec.cells)
    return found.reshape(len(chosen), spec.cells)


def rows_by_hour(hours: Places, spec: ColumnSpec) -> Places:
    """Rows of each hour that :func:`by_hour` tells of."""
    found, rows = np.unique(hours, return_counts=True)
    return rows[found.searchsorted(some_hours(found, spec.cells))]


def hour_of(moment: datetime) -> int:
    """The hour of a moment, counted from 1970."""
    return int(moment.astimezone(UTC).timestamp() // 3600)


def _start_of(hours: Places, length: int) -> Places:
    """The first hour of the block that holds each hour: blocks lie as windows do."""
    if length > _DAY:
        return (hours - _MONDAY) // length * length + _MONDAY
    return hours // _DAY * _DAY + hours % _DAY // length * length


def _width(cells: Sequence[int], groups: int) -> int:
    return sum(min(number, groups) if groups else number for number in cells)


def _resolutions() -> Iterator[tuple[int, int]]:
    """Hours of a block and groups of cells, the finest first, without end."""
    yield from ((1, groups) for groups in _GROUPS)
    yield from ((length, _GROUPS[-1]) for length in _LENGTHS)
    yield from ((_LENGTHS[-1] << doubled, _GROUPS[-1]) for doubled in count(1))
