"""The KLL sketch of ``statistics.json``: an item of level ``i`` stands for ``2**i`` rows.

Sources: Karnin, Lang, Liberty 2016, arXiv:1603.05346; awslabs/deequ, ``QuantileNonSample``. Deequ
keeps one weight per distinct item when it compares two sketches, so that a column of few values is
compared as if each occurred once; here equal items add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlops_framework.drift.sums import Floats

Weights = NDArray[np.int64]

SIZE: Final = 2048
SHRINKING: Final = 0.64
"""Deequ's defaults, which Model Monitor uses: capacity of the top level, and of each next one."""


def points_of(levels: Sequence[Sequence[float]]) -> tuple[Floats, Weights]:
    """The distinct items in ascending order, and the rows each stands for.

    Args:
        levels: Items by level, as the file has them.
    """
    items = np.concatenate([np.asarray(level, np.float64) for level in levels] or [np.empty(0)])
    heights = np.repeat(np.arange(len(levels)), [len(level) for level in levels])
    weights = np.left_shift(np.ones(len(items), np.int64), heights)
    kept = np.isfinite(items)
    return added_up(items[kept], weights[kept])


def added_up(values: Floats, weights: Weights) -> tuple[Floats, Weights]:
    """Equal values as one, ascending."""
    distinct, places = np.unique(values, return_inverse=True)
    total = np.zeros(len(distinct), np.int64)
    np.add.at(total, places, weights)
    kept = total > 0
    return distinct[kept], total[kept]


def levels_of(values: Floats, weights: Weights, *, most: int = SIZE) -> list[list[float]]:
    """A sketch of weighted values that every reader of levels understands.

    Each weight is written in base two: a value that stands for 5 rows is an item of level 2 and one
    of level 0. So the sketch says exactly what was given, and has at most as many items as values
    times binary digits. Where that is more than ``most`` the rows are halved until it fits: of the
    items of a level every second one, in order, moves up, which is the sketch's own compaction with
    the coin always showing the same side. The sum of the weights stays the same.

    Args:
        values: Ascending, distinct.
        weights: Rows each stands for.
        most: Items that are kept, or one of each level.
    """
    levels: list[list[float]] = []
    rest, level = weights.copy(), 0
    while rest.any():
        levels.append(values[(rest & 1) == 1].tolist())
        rest, level = rest >> 1, level + 1
    height = 0
    while sum(map(len, levels)) > most and any(len(items) > 1 for items in levels):
        if height + 1 >= len(levels):
            levels.append([])
        items = levels[height]
        odd = items[-1:] if len(items) % 2 else []
        levels[height + 1] = sorted(levels[height + 1] + items[: len(items) - len(odd)][1::2])
        levels[height] = odd
        height += 1
    return levels or [[]]


def scaled(weights: Weights, total: int) -> Weights:
    """Weights in the same proportions that add up to ``total`` (largest remainders)."""
    whole = int(weights.sum())
    if whole == total or not whole:
        return weights
    shares = weights.astype(np.float64) * (total / whole)
    floors = np.floor(shares).astype(np.int64)
    short = total - int(floors.sum())
    order = np.argsort(floors - shares, kind="stable")
    floors[order[:short]] += 1
    return floors


def with_ends(
    values: Floats, weights: Weights, low: float | None, high: float | None
) -> tuple[Floats, Weights]:
    """The same with the smallest and largest value among them, one row each taken from another."""
    for end, position in ((low, 0), (high, -1)):
        if end is None or not len(values) or end == values[position]:
            continue
        inside = end < values[0] if position == 0 else end > values[-1]
        if not inside:
            continue
        giver = int(np.argmax(weights)) if weights[position] < 2 else position
        if weights[giver] < 2:
            continue
        weights = weights.copy()
        weights[giver] -= 1
        place = 0 if position == 0 else len(values)
        values, weights = np.insert(values, place, end), np.insert(weights, place, 1)
    return values, weights
