"""Wasserstein distance: descriptive, in the column's own unit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate


def wasserstein(
    baseline: Sequence[int], window: Sequence[int], positions: Sequence[float]
) -> float:
    """How far the average record moved: ∫ |F - G| over the cells, in units of the column.

    Args:
        baseline: Counts per cell.
        window: Counts per cell.
        positions: One ascending position per cell (its value, or its middle).
    """
    m, n = sum(baseline), sum(window)
    steps = list(zip(accumulate(baseline), accumulate(window), strict=True))
    return sum(
        abs(below_b / m - below_w / n) * (right - left)
        for (below_b, below_w), left, right in zip(
            steps[:-1], positions[:-1], positions[1:], strict=True
        )
    )
