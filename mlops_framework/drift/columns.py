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
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from mlops_framework.drift.errors import ProfileMismatch
from mlops_framework.drift.sample import Sample, hash_of
from mlops_framework.drift.sums import Expansion, add, exact_sum, exact_weighted_sum, rounded

Kind = Literal["numeric", "codes", "categories"]

LARGEST_MAGNITUDE: Final = 1e100
"""Numbers beyond are counted as invalid: no feature has them, and their squares overflow."""

_MISSING_NUMBER: Final = frozenset({"", "nan", "null", "none", "na", "n/a", "-nan", "+nan"})
_UNSEEN_LIMIT: Final = 32


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
    """

    name: str
    kind: Kind
    edges: tuple[float, ...] = ()
    codes: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    buckets: int = 1
    centre: float = 0.0

    @property
    def ordered(self) -> bool:
        """Whether the cells have an order."""
        return self.kind != "categories"

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return len(self.edges) + 1 if self.ordered else len(self.categories) + self.buckets


@dataclass(frozen=True)
class ColumnCounts:
    """What was counted of one column; adding two is associative, commutative and exact.

    Attributes:
        records: Rows seen, missing and invalid ones included.
        missing: Rows without a value.
        invalid: Rows whose text is no number although the column is numeric.
        cells: Rows per cell of the specification.
        total: Exact sum of (x - centre).
        squares: Exact sum of (x - centre)², each square rounded once.
        minimum: Smallest number, ``None`` without any.
        maximum: Largest number, ``None`` without any.
        unseen: Texts outside the baseline's categories, and texts that are no number.
    """

    records: int
    missing: int
    invalid: int
    cells: tuple[int, ...]
    total: Expansion = ()
    squares: Expansion = ()
    minimum: float | None = None
    maximum: float | None = None
    unseen: Sample = field(default_factory=lambda: Sample(_UNSEEN_LIMIT))

    @property
    def valid(self) -> int:
        """Rows with a usable value."""
        return self.records - self.missing - self.invalid

    def mean(self, centre: float) -> float | None:
        """Arithmetic mean of the numbers; ``None`` without any."""
        return None if self.minimum is None else centre + rounded(self.total) / self.valid

    def deviation(self) -> float | None:
        """Population standard deviation; ``None`` without numbers."""
        if self.minimum is None:
            return None
        offset = rounded(self.total) / self.valid
        return math.sqrt(max(0.0, rounded(self.squares) / self.valid - offset * offset))

    def merged(self, other: ColumnCounts) -> ColumnCounts:
        """Both counts as one.

        Raises:
            ProfileMismatch: If the cells differ.
        """
        if len(self.cells) != len(other.cells):
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
            add(self.total, other.total),
            add(self.squares, other.squares),
            min(lows, default=None),
            max(highs, default=None),
            self.unseen.merged(other.unseen),
        )


def empty_counts(spec: ColumnSpec) -> ColumnCounts:
    """Counts of no rows: the neutral element of merging."""
    return ColumnCounts(0, 0, 0, (0,) * spec.cells)


def count_values(spec: ColumnSpec, values: Sequence[str]) -> ColumnCounts:
    """Count a column's texts, one per row.

    Equal to ``count_weighted(spec, Counter(values))``, faster for columns of many distinct numbers.
    """
    if spec.kind == "numeric":
        quick = _count_floats(spec, values)
        if quick is not None:
            return quick
    return count_weighted(spec, Counter(values))


def count_weighted(spec: ColumnSpec, values: Mapping[str, int]) -> ColumnCounts:
    """Count texts given with their multiplicity."""
    return _count_categories(spec, values) if not spec.ordered else _count_numbers(spec, values)


def number_of(text: str) -> float | None:
    """The number a text stands for; ``None`` for a missing value.

    Raises:
        ValueError: If it is neither.
    """
    stripped = text.strip()
    if stripped.lower() in _MISSING_NUMBER:
        return None
    number = float(stripped)
    if not abs(number) <= LARGEST_MAGNITUDE:
        raise ValueError(text)
    return number + 0.0  # -0.0 becomes 0.0, so that minima do not depend on order


def _count_floats(spec: ColumnSpec, values: Sequence[str]) -> ColumnCounts | None:
    """Counts of a column of plain numbers and nothing else; otherwise ``None``."""
    try:
        numbers = list(map(float, values))
        numbers.sort()
        if not numbers or not math.isfinite(math.fsum(numbers)):
            return None
    except (ValueError, OverflowError):
        return None
    if numbers[0] < -LARGEST_MAGNITUDE or numbers[-1] > LARGEST_MAGNITUDE:
        return None
    below = [bisect_left(numbers, edge) for edge in spec.edges]
    cells = tuple(map(int.__sub__, [*below, len(numbers)], [0, *below]))
    centre = spec.centre
    offsets = [number - centre for number in numbers]
    return ColumnCounts(
        len(numbers),
        0,
        0,
        cells,
        exact_sum(offsets),
        exact_sum([offset * offset for offset in offsets]),
        numbers[0] + 0.0,
        numbers[-1] + 0.0,
    )


def _count_numbers(spec: ColumnSpec, values: Mapping[str, int]) -> ColumnCounts:
    missing = invalid = 0
    cells = [0] * spec.cells
    numbers: dict[float, int] = {}
    unreadable: dict[str, int] = {}
    for text, count in values.items():
        try:
            number = number_of(text)
        except ValueError:
            invalid += count
            unreadable[text] = count
            continue
        if number is None:
            missing += count
            continue
        cells[bisect_right(spec.edges, number)] += count
        numbers[number] = numbers.get(number, 0) + count
    offsets: dict[float, int] = {}
    squares: dict[float, int] = {}
    for number, count in numbers.items():
        offset = number - spec.centre
        offsets[offset] = offsets.get(offset, 0) + count
        square = offset * offset
        squares[square] = squares.get(square, 0) + count
    return ColumnCounts(
        sum(values.values()),
        missing,
        invalid,
        tuple(cells),
        exact_weighted_sum(offsets),
        exact_weighted_sum(squares),
        min(numbers, default=None),
        max(numbers, default=None),
        Sample(_UNSEEN_LIMIT).added(unreadable),
    )


def _count_categories(spec: ColumnSpec, values: Mapping[str, int]) -> ColumnCounts:
    index = {category: cell for cell, category in enumerate(spec.categories)}
    cells = [0] * spec.cells
    missing = 0
    unseen: dict[str, int] = {}
    for text, count in values.items():
        category = category_of(text)
        if not category:
            missing += count
            continue
        if category in index:
            cells[index[category]] += count
            continue
        cells[len(index) + hash_of(category) % spec.buckets] += count
        if spec.buckets == 1:
            unseen[category] = unseen.get(category, 0) + count
    return ColumnCounts(
        sum(values.values()),
        missing,
        0,
        tuple(cells),
        unseen=Sample(_UNSEEN_LIMIT).added(unseen),
    )


def category_of(text: str) -> str:
    """The category a text stands for; empty when missing.

    Booleans are spelt ``true`` and ``false`` whatever wrote them (JSON, Python, R).
    """
    stripped = text.strip()
    lowered = stripped.lower()
    return lowered if lowered in ("true", "false") else stripped
