"""The cells of a numeric column, with edges that the noise of floating point does not cross.

The same value arrives written in different ways: computed in another order (0.9999999999999999 for
1), held in single precision (0.10000000149011612 for 0.1), printed with seven digits. An edge that
lies exactly at a value of the training data tells such twins apart, and a column where nothing
changed has drifted. So edges keep a distance from the values on both sides of them, and twins in
the training data itself are one value. Counting costs the same: only the edges are others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlops_framework.drift.sums import Floats

NOISE: Final = 1e-6
"""Distance of an edge from a value, as a share of it: single precision is 6e-8, seven digits are
5e-7."""
NOISE_AT_ZERO: Final = 1e-14
"""Likewise, as a share of the column's largest magnitude: what sums that cancel leave over."""
MOST_NOISE: Final = 0.25
"""Never more, so that no whole number is ever taken for another."""
_TWINS: Final = 1 / 8
"""Values of the training data closer than this part of the distance are one value: single
precision and no more."""


@dataclass(frozen=True)
class Group:
    """Values of the training data that are one but for noise, for all such groups at once.

    Attributes:
        first: The smallest value of each, ascending.
        last: The largest value of each.
        counts: Rows of each.
        of: Of each value the group it belongs to.
        below: Of each group the edge below it.
        beyond: Of each group the edge beyond it: the least number that is no longer of it.
    """

    first: Floats
    last: Floats
    counts: NDArray[np.int64]
    of: NDArray[np.int64]
    below: Floats
    beyond: Floats


def groups_of(values: Floats, counts: NDArray[np.int64]) -> Group:
    """The groups of a column's values.

    Args:
        values: The distinct ones, ascending; at least one.
        counts: Rows of each.
    """
    scale = max(abs(float(values[0])), abs(float(values[-1]))) or 1.0
    reach = np.minimum(np.maximum(np.abs(values) * NOISE, scale * NOISE_AT_ZERO), MOST_NOISE)
    new = np.ones(len(values), bool)
    new[1:] = np.diff(values) > reach[1:] * _TWINS
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(values)) - 1
    if (values[ends] - values[starts] > 4 * _TWINS * reach[starts]).any():
        # Values lie this close everywhere; they are what the column is, not noise.
        new[:] = True
        starts = ends = np.arange(len(values))
    first, last = values[starts], values[ends]
    third = (first[1:] - last[:-1]) / 3  # of the gap, so that neither side takes what is between
    below = first - np.minimum(reach[starts], np.insert(third, 0, np.inf))
    beyond = last + np.minimum(reach[ends], np.append(third, np.inf))
    return Group(
        first,
        last,
        np.add.reduceat(counts, starts),
        np.cumsum(new) - 1,
        below,
        np.maximum(beyond, np.nextafter(last, np.inf)),
    )


def code_of(values: Floats, counts: NDArray[np.int64]) -> float:
    """The value that a group goes by: the most frequent one, of those the shortest to write."""
    pairs = zip(values.tolist(), counts.tolist(), strict=True)
    value: float = min(pairs, key=lambda pair: (-pair[1], len(repr(pair[0])), pair[0]))[0]
    return value


def plain(left: float, right: float, scale: float) -> float | None:
    """What a cell of one value holds, ``left <= x < right``; ``None`` for a wider cell.

    It is the number in the cell that is shortest to write.

    Args:
        left: Lower edge.
        right: Upper edge.
        scale: The column's largest magnitude.
    """
    noise = max(NOISE * abs(left), NOISE * abs(right), NOISE_AT_ZERO * scale)
    if right - left > 4 * noise:
        return None
    if left <= 0 < right:
        return 0.0
    middle = left + (right - left) / 2
    digits = (float(f"{middle:.{count}g}") for count in range(1, 18))
    return next((number for number in digits if left <= number < right), left)


def plain_edge(edge: float, scale: float) -> float:
    """The number that an edge was put beside, as far as it can be told; for people."""
    near = 1.5 * max(NOISE * abs(edge), NOISE_AT_ZERO * scale)
    found = plain(edge - near, edge + near, scale)
    return edge if found is None else found
