"""The distances that Model Monitor compares distributions with, on a baseline's own cells.

Source: awslabs/deequ, ``Distance``. What Deequ does with repeated values is not done here: it keeps
one weight for each distinct number of a sketch, so that 0 and 1 are always as frequent as each
other (docs/from-model-monitor.md).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from mlops_framework.drift.baseline import BaselineColumn
from mlops_framework.drift.columns import ColumnCounts
from mlops_framework.drift.comparison import known, unseen
from mlops_framework.drift.model_monitor_files.constraints import Method
from mlops_framework.drift.statistics.kolmogorov_smirnov import distance
from mlops_framework.drift.statistics.special import chi_square_upper

CRITICAL: Final = 1.8
"""Deequ's c(alpha), of alpha = 0.003: what it grants to chance, in units of sqrt((n + m)/(n m))."""
_FEW: Final = 5.0
_FEW_OF_TWO: Final = 10.0
_FEW_SHARE: Final = 0.2


def less_chance(largest: float, n: int, m: int, method: Method) -> float:
    """The largest difference of two samples, for ``Robust`` less what chance explains, 0..1.

    Args:
        largest: The difference as it is, which is what ``Simple`` means.
        n: Rows of one sample.
        m: Rows of the other.
        method: ``Simple`` or ``Robust``.
    """
    if method == "Simple":
        return largest
    return max(0.0, largest - CRITICAL * math.sqrt((n + m) / (n * m)))


def of_numbers(column: BaselineColumn, window: ColumnCounts, method: Method) -> float:
    """Largest difference of the cumulative shares of an ordered column, 0..1.

    Seen at the edges of the baseline's cells: values that moved within a cell, at most 1/128 of the
    rows, are not seen.
    """
    largest = distance(column.counts.cells, window.cells)
    return less_chance(largest, window.valid, column.counts.valid, method)


def of_texts(column: BaselineColumn, window: ColumnCounts, method: Method) -> float:
    """Largest difference of a category's share, 0..1.

    Texts that the training data never had count each by itself as far as they were kept, which are
    all of them where there are few.
    """
    m, n = column.counts.valid, window.valid
    pairs = zip(known(column, column.counts), known(column, window), strict=True)
    largest = max((abs(before / m - now / n) for before, now in pairs), default=0.0)
    if column.complete and unseen(column, window):
        largest = max(largest, max(window.unseen.counts.values(), default=0) / n)
    return less_chance(largest, n, m, method)


def chi_squared(column: BaselineColumn, window: ColumnCounts) -> float | None:
    """p-value of Pearson's goodness of fit of the window's categories to the baseline's shares.

    Categories expected too seldom are joined to the next seldom one (of two categories: fewer than
    10; of more: fewer than 5 in over a fifth of them), as Deequ does after Cochran and Yates; texts
    that the baseline does not have are left out.

    Returns:
        ``None`` when fewer than two categories remain.
    """
    expected, found = known(column, column.counts), known(column, window)
    labels = {cell: float(count) for cell, count in enumerate(expected)}
    n, m = sum(found), sum(expected)
    if not n or not m:
        return None
    wanted = {cell: count / m * n for cell, count in labels.items()}
    regrouped, seen = _regrouped(wanted, found)
    if len(regrouped) < 2:
        return None
    statistic = sum(
        (seen[cell] - count) ** 2 / count if count else math.inf * bool(seen[cell])
        for cell, count in regrouped.items()
        if count or seen[cell]
    )
    return chi_square_upper(statistic, len(regrouped) - 1) if math.isfinite(statistic) else 0.0


def _regrouped(
    expected: Mapping[int, float], found: Sequence[int]
) -> tuple[Mapping[int, float], Mapping[int, float]]:
    wanted, seen = dict(expected), {cell: float(count) for cell, count in enumerate(found)}
    while len(wanted) >= 2:
        fewest = _FEW if len(wanted) > 2 else _FEW_OF_TWO
        allowed = int(_FEW_SHARE * len(wanted)) if len(wanted) > 2 else 0
        if sum(count < fewest for count in wanted.values()) <= allowed:
            break
        first, second, *_ = sorted(wanted, key=lambda cell: (wanted[cell], cell))
        wanted[second] += wanted.pop(first)
        seen[second] += seen.pop(first)
    return wanted, seen
