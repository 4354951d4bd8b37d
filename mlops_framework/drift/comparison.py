"""One column, baseline against window: which tests apply, what they say, how big the change is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from mlops_framework.drift.baseline import BaselineColumn
from mlops_framework.drift.columns import ColumnCounts
from mlops_framework.drift.statistics.chi_square import chi_square
from mlops_framework.drift.statistics.jensen_shannon import jensen_shannon
from mlops_framework.drift.statistics.kolmogorov_smirnov import kolmogorov_smirnov
from mlops_framework.drift.statistics.out_of_range import out_of_range
from mlops_framework.drift.statistics.population_stability import population_stability
from mlops_framework.drift.statistics.rank_location import rank_location
from mlops_framework.drift.statistics.rank_scale import rank_scale
from mlops_framework.drift.statistics.rate import absence_change
from mlops_framework.drift.statistics.result import Outcome
from mlops_framework.drift.statistics.unseen_mass import unseen_mass
from mlops_framework.drift.statistics.wasserstein import wasserstein

Test = Literal[
    "location", "scale", "shape", "shares", "missing", "invalid", "unseen", "range", "records"
]
"""The tests by what they find; ``records`` is about captures as a whole."""

RATES: Final[frozenset[Test]] = frozenset({"missing", "invalid", "unseen", "range"})
"""Tests whose effect is a change of a rate, judged by ``rate_threshold``."""

FEWEST_VALUES: Final = 30
"""A column with fewer values than this in the window is not compared."""


@dataclass(frozen=True)
class ColumnTest:
    """A test that was applied to a column."""

    column: str
    test: Test
    outcome: Outcome


def tests_of(column: BaselineColumn, window: ColumnCounts) -> tuple[ColumnTest, ...]:
    """Every test that the column's kind and the number of values allow."""
    outcomes: dict[Test, Outcome | None] = {}
    baseline = column.counts
    if window.records and baseline.records:
        outcomes["missing"] = absence_change(
            baseline.missing, baseline.records, window.missing, window.records, column.between
        )
        if column.spec.ordered:
            outcomes["invalid"] = absence_change(
                baseline.invalid, baseline.records, window.invalid, window.records, column.between
            )
    if window.valid >= FEWEST_VALUES and baseline.valid:
        outcomes |= _of_values(column, window)
    name = column.spec.name
    return tuple(ColumnTest(name, test, found) for test, found in outcomes.items() if found)


def _of_values(column: BaselineColumn, window: ColumnCounts) -> dict[Test, Outcome | None]:
    baseline = column.counts
    outcomes: dict[Test, Outcome | None] = {}
    if column.spec.ordered:
        outcomes["location"] = rank_location(baseline.cells, window.cells, column.between)
        outcomes["scale"] = rank_scale(baseline.cells, window.cells, column.between)
        outcomes["shape"] = kolmogorov_smirnov(baseline.cells, window.cells, column.between)
    if column.spec.kind == "numeric":
        # The outermost edges are the baseline's minimum and maximum.
        outcomes["range"] = out_of_range(
            window.cells[0], window.cells[-1], window.valid, baseline.valid, column.between
        )
        return outcomes
    outcomes["shares"] = chi_square(known(column, baseline), known(column, window), column.between)
    if column.complete:
        outcomes["unseen"] = unseen_mass(
            unseen(column, window),
            window.valid,
            singletons=column.singletons,
            doubletons=column.doubletons,
            baseline_records=baseline.valid,
        )
    return outcomes


def known(column: BaselineColumn, counts: ColumnCounts) -> Sequence[int]:
    """Counts of the values the baseline has; of too many, of the buckets they share as well."""
    if column.spec.kind == "codes":
        return counts.cells[1::2]
    return counts.cells[:-1] if column.complete else counts.cells


def unseen(column: BaselineColumn, counts: ColumnCounts) -> int:
    """Rows whose value has no cell of its own (codes and categories)."""
    return counts.valid - sum(counts.cells[1::2] if column.spec.ordered else counts.cells[:-1])


@dataclass(frozen=True)
class Distances:
    """Descriptive distances; none of them decides anything.

    Attributes:
        psi: Population stability index.
        jensen_shannon: Jensen-Shannon distance in bits, 0..1.
        wasserstein: Mean distance moved, in the column's unit; ``None`` for categories.
    """

    psi: float
    jensen_shannon: float
    wasserstein: float | None


def distances(column: BaselineColumn, window: ColumnCounts) -> Distances | None:
    """Descriptive distances of a column; ``None`` without values on either side."""
    baseline = column.counts
    if not window.valid or not baseline.valid:
        return None
    moved = None
    if column.spec.ordered:
        positions = cell_positions(column.spec.edges, baseline, window)
        moved = wasserstein(baseline.cells, window.cells, positions)
    return Distances(
        population_stability(baseline.cells, window.cells),
        jensen_shannon(baseline.cells, window.cells),
        moved,
    )


def cell_positions(edges: Sequence[float], *samples: ColumnCounts) -> tuple[float, ...]:
    """One position per cell: its middle; for the outermost the most extreme value met."""
    lows = [sample.minimum for sample in samples if sample.minimum is not None]
    highs = [sample.maximum for sample in samples if sample.maximum is not None]
    low, high = min([*lows, edges[0]]), max([*highs, edges[-1]])
    middles = [left + (right - left) / 2 for left, right in pairwise(edges)]
    return (low, *middles, high)
