"""The counterfactual flip test: do the nearest people outside a facet fare otherwise?

It needs rows, not counts, and compares every member of the facet with everybody else, so it is done
on a bounded sample of a window's rows.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlops_framework.drift.bias.intervals import normal, quantile
from mlops_framework.drift.bias.metrics import Measure
from mlops_framework.drift.sums import Floats

NEIGHBOURS: Final = 5
MOST_ROWS: Final = 2000
"""The distances of all pairs are computed: 1,000 x 1,000 pairs of 20 columns take 50 ms."""
_FEWEST: Final = 9
"""Of so few rows outside the facet, or fewer, the single nearest one decides."""


def flip_test(
    rows: Floats, inside: NDArray[np.bool_], good: NDArray[np.bool_], *, confidence: float
) -> Measure:
    """FT = (F+ - F-) / members of the facet.

    F+ are members of the facet that were predicted bad while most of their nearest neighbours
    outside the facet were predicted good; F- the opposite (SageMaker developer guide,
    ``clarify-post-training-bias-metric-ft``; Black, Yeom & Fredrikson 2020, FAT*). Clarify's
    library gives that number the opposite sign; here it is as the guide defines it.

    The interval is the normal one of a mean of -1, 0 and 1, with one flip more in each direction
    (none seen is not none possible); the neighbours are taken as given.

    Args:
        rows: Shape (rows, columns); finite, in comparable units, since the distance is Euclid's.
        inside: Which rows are of the facet.
        good: Which were predicted good.
        confidence: Two-sided level of the interval.
    """
    rest, facet = rows[~inside], rows[inside]
    if not len(rest) or not len(facet):
        side = "outside" if len(facet) else "in"
        return Measure("FT", None, f"the sample has no rows {side} the facet")
    neighbours = NEIGHBOURS if len(rest) > _FEWEST else 1
    squares = (facet**2).sum(1)[:, None] + (rest**2).sum(1)[None, :] - 2 * facet @ rest.T
    nearest = np.argsort(squares, axis=1, kind="stable")[:, :neighbours]
    fared = good[~inside][nearest].mean(1) > 0.5
    flips = fared.astype(np.int64) - good[inside].astype(np.int64)
    value, count = float(flips.mean()), len(flips)
    square = (float(np.abs(flips).sum()) + 2) / (count + 2)
    variance = max(0.0, square - value * value) / count
    estimate = normal(value, variance, quantile(confidence), low=-1.0, high=1.0)
    return Measure("FT", estimate)


def standardised(rows: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Columns in units of their own spread, and which rows are complete.

    Columns that do not vary say nothing about distance and become zero.
    """
    complete: NDArray[np.bool_] = np.asarray(np.isfinite(rows).all(1))
    kept = rows[complete]
    if not len(kept):
        return kept, complete
    spread = kept.std(0)
    spread[spread == 0] = 1.0
    return (kept - kept.mean(0)) / spread, complete
