"""How one column is counted: its specification (fixed by the baseline) and its counts (mergeable).

Three kinds of column:

* ``numeric``: counts on the baseline's quantile edges; a value heavier than a cell has its own.
* ``codes``: few distinct numbers (flags, census codes, ages in years). Each value is a cell, so the
  column is compared both as categories and in order; what lies between or beyond is unseen.
* ``categories``: text; one cell per category of the baseline and one for everything else. Of more
  categories than are kept, the heavy ones have a cell each and the others share buckets by hash:
  a rest chosen by how rare its members happened to be would look heavier in any other sample.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

import numpy as np

from mlops_framework.drift.distinct import Distinct
from mlops_framework.drift.errors import ProfileMismatch
from mlops_framework.drift.sample import Sample
from mlops_framework.drift.sums import Floats, in_units, square_exponent

Kind = Literal["numeric", "codes", "categories"]

UNSEEN_LIMIT: Final = 32


@dataclass(frozen=True)
class ColumnSpec:
    """What the cells of a column are.

    Attributes:
        name: The column's name.
        kind: How it is counted.
        edges: Ascending; cell ``i`` holds ``edges[i-1] <= x < edges[i]`` (numeric and codes).
        codes: The values with a cell of their own, cell ``2i+1`` each (codes).
        categories: The texts with a cell of their own, in cell order (categories).
        buckets: Cells for all other texts, by hash (categories).
        centre: Moments are taken around it, which keeps them accurate far from zero.
        exponent: Moments are whole numbers of ``2**-exponent``; see :mod:`.sums`.
        whole: Set by Model Monitor's rules; earlier releases counted whole numbers only then. It is
            part of the baseline's id, so that profiles of earlier releases are still added.
    """

    name: str
    kind: Kind
    edges: tuple[float, ...] = ()
    codes: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    buckets: int = 1
    centre: float = 0.0
    exponent: int = 0
    whole: bool = False

    @property
    def ordered(self) -> bool:
        """Whether the cells have an order."""
        return self.kind != "categories"

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return len(self.edges) + 1 if self.ordered else len(self.categories) + self.buckets

    @cached_property
    def edge_array(self) -> Floats:
        """The edges as an array."""
        return np.array(self.edges, np.float64)

    @cached_property
    def flag(self) -> bool:
        """Whether its values are 0 and 1, or false and true: two spellings of the same."""
        if self.ordered:
            return bool(self.codes) and {0.0, 1.0}.issuperset(self.codes)
        return bool(self.categories) and {"false", "true"}.issuperset(self.categories)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The cell of each category."""
        return {category: cell for cell, category in enumerate(self.categories)}


@dataclass(frozen=True)
class ColumnCounts:
    """What was counted of one column; adding two is associative, commutative and exact.

    Attributes:
        records: Rows seen, missing and invalid ones included.
        missing: Rows without a value.
        invalid: Rows whose text is no number although the column is numeric.
        cells: Rows per cell of the specification.
        total: Sum of (x - centre), each rounded once to a whole number of units.
        squares: Sum of (x - centre)², likewise, in units of their own.
        minimum: Smallest number, ``None`` without any.
        maximum: Largest number, ``None`` without any.
        unseen: Texts outside the baseline's categories, and texts that are no number.
        exponent: Of the units, see :func:`~mlops_framework.drift.sums.in_units`.
        distinct: How many distinct values there were, estimated.
        whole: Rows whose value is a whole number, however it is written: 3, 3.0 and "3".
        fractional: Rows of other numbers.
        boolean: Rows of true and false.
        textual: Rows of anything else, numbers beyond measure included.
    """

    records: int
    missing: int
    invalid: int
    cells: tuple[int, ...]
    total: int = 0
    squares: int = 0
    minimum: float | None = None
    maximum: float | None = None
    unseen: Sample = field(default_factory=lambda: Sample(UNSEEN_LIMIT))
    exponent: int = 0
    distinct: Distinct = field(default_factory=Distinct)
    whole: int = 0
    fractional: int = 0
    boolean: int = 0
    textual: int = 0

    @property
    def valid(self) -> int:
        """Rows with a usable value."""
        return self.records - self.missing - self.invalid

    @property
    def untyped(self) -> int:
        """Rows with a value whose type an earlier release did not count; 0 for all others."""
        typed = self.whole + self.fractional + self.boolean + self.textual
        return self.records - self.missing - typed

    def mean(self, centre: float) -> float | None:
        """Arithmetic mean of the numbers; ``None`` without any."""
        if self.minimum is None:
            return None
        return centre + in_units(self.total, self.exponent) / self.valid

    def deviation(self) -> float | None:
        """Population standard deviation; ``None`` without numbers."""
        if self.minimum is None:
            return None
        offset = in_units(self.total, self.exponent) / self.valid
        square = in_units(self.squares, square_exponent(self.exponent)) / self.valid
        return math.sqrt(max(0.0, square - offset * offset))

    def merged(self, other: ColumnCounts) -> ColumnCounts:
        """Both counts as one.

        Raises:
            ProfileMismatch: If the cells or units differ.
        """
        if len(self.cells) != len(other.cells) or self.exponent != other.exponent:
            raise ProfileMismatch(
                f"A column counted on {len(self.cells)} cells cannot be added to one of "
                f"{len(other.cells)}; the profiles belong to different baselines."
            )
        lows = [low for low in (self.minimum, other.minimum) if low is not None]
        highs = [high for high in (self.maximum, other.maximum) if high is not None]
        return ColumnCounts(
            self.records + other.records,
            self.missing + other.missing,
            self.invalid + other.invalid,
            tuple(map(int.__add__, self.cells, other.cells)),
            self.total + other.total,
            self.squares + other.squares,
            min(lows, default=None),
            max(highs, default=None),
            self.unseen.merged(other.unseen),
            self.exponent,
            self.distinct.merged(other.distinct),
            self.whole + other.whole,
            self.fractional + other.fractional,
            self.boolean + other.boolean,
            self.textual + other.textual,
        )


def distinct_edges(edges: Iterable[float]) -> tuple[float, ...]:
    """Edges in order, each once."""
    return tuple(sorted(set(edges)))


def code_edges(codes: Iterable[float]) -> tuple[float, ...]:
    """Edges of cells that hold exactly the codes: what documents without edges mean."""
    return distinct_edges(edge for code in codes for edge in (code, math.nextafter(code, math.inf)))


def empty_counts(spec: ColumnSpec) -> ColumnCounts:
    """Counts of no rows: the neutral element of merging."""
    return ColumnCounts(0, 0, 0, (0,) * spec.cells, exponent=spec.exponent)


def top_categories(
    spec: ColumnSpec, counts: ColumnCounts, most: int
) -> tuple[Sequence[tuple[str, int]], int]:
    """The most frequent categories with their exact counts, and how large another could be.

    Returns:
        Pairs of category and count, most frequent first; and the error bound: no category that is
        not among those kept occurred more often than this.
    """
    kept = dict(zip(spec.categories, counts.cells[: len(spec.categories)], strict=True))
    kept |= counts.unseen.counts
    ranked = sorted(((n, text) for text, n in kept.items() if n), key=lambda e: (-e[0], e[1]))
    rest = counts.cells[len(spec.categories) :]
    bound = max(rest, default=0)
    if spec.buckets == 1:
        bound -= sum(counts.unseen.counts.values())
    return [(text, n) for n, text in ranked[:most]], max(0, bound)
