"""The baseline: what the training data looked like, and the cells every window is counted on."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from mlops_framework.drift.columns import ColumnCounts, ColumnSpec, distinct_edges
from mlops_framework.drift.documents import (
    counts_from,
    counts_to,
    expect,
    member,
    spec_from,
    spec_to,
)
from mlops_framework.drift.errors import BaselineInvalid
from mlops_framework.drift.hour_blocks import HourBlocks, Hours, by_hour, rows_by_hour
from mlops_framework.drift.model_monitor_files.constraints import Constraints
from mlops_framework.drift.number_cells import code_of, groups_of
from mlops_framework.drift.statistics.between_hours import BetweenHours, between_hours
from mlops_framework.drift.sums import Floats, exponent_of
from mlops_framework.drift.tally import cells_of, counted
from mlops_framework.drift.training_columns import Part, collected
from mlops_framework.drift.training_tables import csv_parts
from mlops_framework.drift.values import (
    LARGEST_MAGNITUDE,
    Values,
    as_numbers,
    as_texts,
    category_of,
)

KIND: Final = "mlops-drift-baseline"
VERSION: Final = 2
QUANTILE_CELLS: Final = 128
"""Numeric columns are counted on so many quantile cells between the baseline's minimum and maximum,
and one beyond each end; values heavier than a cell get their own."""
MOST_CODES: Final = 128
"""A numeric column of at most so many distinct values is a column of codes ..."""
ROWS_PER_CODE: Final = 10
"""... if the baseline holds so many rows per value (or there are no more than ten values)."""
MOST_CATEGORIES: Final = 1024
"""A column of more categories keeps those of at least ``HEAVY_SHARE`` and hashes the others."""
HEAVY_SHARE: Final = 0.01
BUCKETS: Final = 64
NUMERIC_SHARE: Final = 0.95
"""A column is numeric when at least this share of its values are numbers."""
_HOUR: Final = 60


@dataclass(frozen=True)
class BaselineColumn:
    """One column of the baseline.

    Attributes:
        spec: Its cells.
        counts: What the training data counted on them.
        distinct: Distinct values in the training data.
        singletons: Values that occurred exactly once.
        doubletons: Values that occurred exactly twice.
        between: How much ordinary hours differ; ``None`` where no hours are known.
        integral: Whether every number of the training data was a whole one.
        by_block: What each hour block counted, as text; empty where no hours are known.
    """

    spec: ColumnSpec
    counts: ColumnCounts
    distinct: int
    singletons: int
    doubletons: int
    between: BetweenHours | None = None
    integral: bool = False
    by_block: str = field(default="", repr=False)

    @property
    def complete(self) -> bool:
        """Whether every value of the training data has a cell of its own."""
        return self.spec.kind == "codes" or self.spec.buckets == 1


@dataclass(frozen=True)
class Baseline:
    """The columns in the training data's order, with what was counted.

    Attributes:
        columns: In the order of the training data, which names headerless captures.
        rows: Rows of training data.
        source: Where the training data came from, for reports.
        constraints: Model Monitor's rules for the columns, where the monitor goes by them.
        blocks: The hour blocks, where the training data's times are known.
    """

    columns: tuple[BaselineColumn, ...]
    rows: int
    source: str
    constraints: Constraints | None = None
    blocks: HourBlocks | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.spec.name for column in self.columns)

    @property
    def specs(self) -> tuple[ColumnSpec, ...]:
        """Column specifications in order."""
        return tuple(column.spec for column in self.columns)

    @cached_property
    def id(self) -> str:
        """Digest of the cells: profiles with the same id can be added and compared."""
        cells = [spec_to(column.spec) for column in self.columns]
        return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()[:16]

    @classmethod
    def of_csv(
        cls, lines: Iterable[str], *, label_column: str, source: str, time_column: str = ""
    ) -> Self:
        """Build the baseline from CSV with a header line.

        Args:
            lines: Lines of text.
            label_column: Column to leave out; empty for none.
            source: Name of the data in messages and reports.
            time_column: Column with each row's time, to be left out and to tell hours apart by;
                empty for none.

        Raises:
            BaselineInvalid: If there is no header or row, a line has another number of fields, a
                column name is empty or twice there, the label or time column is absent, or a time
                is none.
        """
        return cls.of_parts(
            csv_parts(lines, source),
            label_column=label_column,
            time_column=time_column,
            source=source,
        )

    @classmethod
    def of_parts(
        cls, parts: Iterable[Part], *, label_column: str, source: str, time_column: str = ""
    ) -> Self:
        """Build the baseline from rows that are read as a stream; see :meth:`of_csv`.

        Of more rows than fit into memory a sample is taken, and the source says so.
        """
        found = collected(parts, left_out=label_column, time_column=time_column, source=source)
        if found.kept < found.rows:
            source = f"{source} (a sample of {found.kept:,} of {found.rows:,} rows)"
        return cls.of_columns(found.columns, hours=found.hours, source=source)

    @classmethod
    def of_columns(
        cls,
        columns: Mapping[str, Values],
        *,
        hours: Hours | None = None,
        source: str,
    ) -> Self:
        """Build the baseline from columns at hand.

        Args:
            columns: Values by name, all of the same length.
            hours: The hour of each row, counted from 1970; ``None`` where it is not known.
            source: Name of the data in reports.

        Raises:
            BaselineInvalid: If there are no columns or no rows.
        """
        rows = max(map(len, columns.values()), default=0)
        if not rows:
            raise BaselineInvalid(f"{source} has no rows; nothing to compare with.")
        built = tuple(column_of(name, values) for name, values in columns.items())
        if hours is None:
            return cls(built, rows, source)
        of_rows = np.asarray(hours, np.int64)
        cells = [column.spec.cells for column in built]
        blocks = HourBlocks.fitting(np.unique(of_rows), cells).of_rows(of_rows)
        timed = (_timed(column, columns[column.spec.name], of_rows, blocks) for column in built)
        return cls(tuple(timed), rows, source, blocks=blocks)

    def without(self, name: str) -> Self:
        """The baseline without a column, for example the label; the same if it has no such column.

        Raises:
            BaselineInvalid: If nothing is left.
        """
        columns = tuple(column for column in self.columns if column.spec.name != name)
        if not columns:
            raise BaselineInvalid(f"{self.source} holds the column {name!r} and nothing else.")
        return replace(self, columns=columns)

    def at_windows(self, minutes: int) -> Self:
        """The baseline with how much ordinary windows of a length differ, rather than hours.

        The same for windows of an hour or less, and where no hour blocks are known.

        Raises:
            DocumentInvalid: If its hour blocks are damaged.
        """
        blocks = self.blocks
        if blocks is None or minutes <= _HOUR:
            return self
        with member(self.source):
            columns = tuple(_at_windows(column, blocks, minutes) for column in self.columns)
        return replace(self, columns=columns)

    def to_document(self) -> dict[str, Any]:
        """The baseline as its JSON document."""
        more = {"constraints": self.constraints.to_document()} if self.constraints else {}
        if self.blocks:
            more["hour_blocks"] = self.blocks.to_document()
        return more | {
            "kind": KIND,
            "version": VERSION,
            "id": self.id,
            "rows": self.rows,
            "source": self.source,
            "columns": [
                spec_to(column.spec)
                | {
                    "distinct": column.distinct,
                    "singletons": column.singletons,
                    "doubletons": column.doubletons,
                    "counts": counts_to(column.counts),
                    "between_hours": column.between and asdict(column.between),
                }
                | ({"integral": True} if column.integral else {})
                | ({"by_block": column.by_block} if column.by_block else {})
                for column in self.columns
            ],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: str) -> Self:
        """Read what :meth:`to_document` wrote.

        Raises:
            DocumentInvalid: If it is of another kind, version or shape.
        """
        expect(document, KIND, VERSION, source)
        rules, blocks = document.get("constraints"), document.get("hour_blocks")
        with member(source):
            return cls(
                tuple(_column_from(column) for column in document["columns"]),
                int(document["rows"]),
                str(document["source"]),
                Constraints.from_document(rules, source) if rules else None,
                HourBlocks.from_document(blocks) if blocks else None,
            )


def column_of(name: str, values: Values) -> BaselineColumn:
    """The baseline of one column; see :meth:`Baseline.of_columns`."""
    numbers, invalid = as_numbers(values)
    beyond = np.abs(numbers) > LARGEST_MAGNITUDE
    if beyond.any():
        numbers = numbers[~beyond]
    unreadable = sum(invalid.values()) + int(beyond.sum())
    found, counts = np.unique(numbers[~np.isnan(numbers)], return_counts=True)
    numeric = int(counts.sum())
    if numeric and numeric >= NUMERIC_SHARE * (numeric + unreadable):
        spec, integral = _numeric_spec(name, found, counts), bool((np.rint(found) == found).all())
        return _built(spec, values, counts, integral)
    texts = as_texts(values)
    weights: Counter[str] = Counter()
    for text, count in zip(texts.distinct, texts.counts().tolist(), strict=True):
        weights[category_of(text)] += count
    del weights[""]
    ranked = sorted((t for t in weights if weights[t]), key=lambda text: (-weights[text], text))
    if len(ranked) <= MOST_CATEGORIES:
        spec = ColumnSpec(name, "categories", categories=tuple(ranked))
    else:
        lightest = HEAVY_SHARE * sum(weights.values())
        heavy = tuple(text for text in ranked if weights[text] >= lightest)
        spec = ColumnSpec(name, "categories", categories=heavy, buckets=BUCKETS)
    return _built(spec, values, np.array([weights[t] for t in ranked], np.int64))


def _built(
    spec: ColumnSpec, values: Values, multiplicities: NDArray[np.int64], integral: bool = False
) -> BaselineColumn:
    counts = counted(spec, values)
    if spec.kind == "codes":  # where values that are one but for noise are one
        multiplicities = np.array(counts.cells[1::2], np.int64)
    return BaselineColumn(
        spec,
        counts,
        len(multiplicities),
        int((multiplicities == 1).sum()),
        int((multiplicities == 2).sum()),
        integral=integral,
    )


def _timed(
    column: BaselineColumn, values: Values, hours: NDArray[np.int64], blocks: HourBlocks
) -> BaselineColumn:
    """The column with what its hours counted."""
    spec, cells = column.spec, cells_of(column.spec, values)
    return replace(
        column,
        between=between_hours(
            by_hour(cells, hours, spec), ordered=spec.ordered, rows=rows_by_hour(hours, spec)
        ),
        by_block=blocks.counted(spec, column.counts, cells, hours),
    )


def _at_windows(column: BaselineColumn, blocks: HourBlocks, minutes: int) -> BaselineColumn:
    """The column with how much ordinary windows differ; shorter than a block, how much hours do."""
    table = blocks.table(column.spec, column.counts, column.by_block)
    between = blocks.between(column.spec, table, minutes)
    return replace(column, between=between) if between else column


def _numeric_spec(name: str, values: Floats, counts: NDArray[np.int64]) -> ColumnSpec:
    """The cells of a numeric column: ``values`` ascend, each with its count."""
    total = int(counts.sum())
    below = np.cumsum(counts) * QUANTILE_CELLS
    steps = total * np.arange(1, QUANTILE_CELLS)
    places = np.minimum(below.searchsorted(steps, side="right"), len(values) - 1)
    centre = float(values[places[len(places) // 2]])
    exponent = exponent_of(max(centre - float(values[0]), float(values[-1]) - centre))
    groups = groups_of(values, counts)
    number = len(groups.counts)
    if number <= MOST_CODES and (number <= ROWS_PER_CODE or total >= ROWS_PER_CODE * number):
        cells = distinct_edges([*groups.below.tolist(), *groups.beyond.tolist()])
        if len(cells) == 2 * number:  # not so for neighbouring floats
            codes = tuple(
                code_of(values[groups.of == group], counts[groups.of == group])
                for group in range(number)
            )
            return ColumnSpec(name, "codes", cells, codes, centre=centre, exponent=exponent)
    heavy = groups.counts * QUANTILE_CELLS > total
    edges = [
        groups.below[groups.of[places]],
        groups.below[heavy],
        groups.beyond[heavy],
        groups.below[:1],
        groups.beyond[-1:],
    ]
    cells = distinct_edges(np.concatenate(edges).tolist())
    return ColumnSpec(name, "numeric", cells, centre=centre, exponent=exponent)


def _column_from(document: Mapping[str, Any]) -> BaselineColumn:
    between = document.get("between_hours")
    return BaselineColumn(
        spec_from(document),
        counts_from(document["counts"]),
        int(document["distinct"]),
        int(document["singletons"]),
        int(document["doubletons"]),
        BetweenHours(**between) if between else None,
        bool(document.get("integral", False)),
        str(document.get("by_block", "")),
    )
