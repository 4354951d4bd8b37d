"""How much ordinary hours differ from each other, beyond what sampling explains.

Records of one hour are more alike than records of different hours, so a test that takes them for
independent alarms on every daily rhythm. From a baseline that is kept by hours comes the variance
between them, which is added to the sampling variance of every window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mlops_framework.drift.sums import Floats

FEWEST_ROWS: Final = 20
"""An hour of fewer rows says nothing about hours."""
FEWEST_HOURS: Final = 8
"""From fewer hours no variance is estimated."""
_GROUPS: Final = 10
_EXPECTED: Final = 5.0


@dataclass(frozen=True)
class BetweenHours:
    """The variation of one column between the hours of the baseline, or between longer blocks.

    Attributes:
        hours: How many hours (or blocks) there were.
        location: Variance of the mean midrank (0..1) between hours.
        scale: Variance of the mean squared distance of the midrank from the middle.
        design: Intra-hour correlation of the shares: n records of one hour are worth
            n / (1 + n * design) independent ones.
        degrees: Effective degrees of freedom of the shares' variation.
        absence: Intra-hour correlation of having no value: outages come in hours, not in records.
        extremes: Intra-hour correlation of lying at either end: so does frost.
        bend: How much the mean squared distance of the midrank from the middle grows with the
            square of the hour's mean midrank.
        bent: What varies of it beyond that.
    """

    hours: int
    location: float = 0.0
    scale: float = 0.0
    design: float = 0.0
    degrees: float = 0.0
    absence: float = 0.0
    extremes: float = 0.0
    bend: float = 0.0
    bent: float = 0.0


def between_hours(
    cells: NDArray[np.int64], *, ordered: bool, rows: NDArray[np.int64] | None = None
) -> BetweenHours | None:
    """The variation between hours.

    Args:
        cells: Counts of the column's cells, one row per hour (or per block of hours).
        ordered: Whether the cells have an order.
        rows: Rows of each hour, those without a value included; ``None`` where they are not known.

    Returns:
        ``None`` if there are too few hours with enough values.
    """
    valid = cells.sum(1)
    absence = 0.0 if rows is None else _correlation(rows - valid, rows)
    hours = cells[valid > FEWEST_ROWS].astype(np.float64)
    if len(hours) < FEWEST_HOURS:
        return BetweenHours(len(cells), absence=absence) if absence else None
    location = scale = extremes = bend = bent = 0.0
    shares = hours
    if ordered:
        ends = np.flatnonzero(hours.any(0))[[0, -1]]
        extremes = max(_correlation(hours[:, end], hours.sum(1)) for end in ends.tolist())
        pooled = hours.sum(0)
        share = pooled / pooled.sum()
        middle = np.cumsum(share) - share / 2 - 0.5
        location = _variance(hours, share, middle)
        shifts = (hours @ middle / hours.sum(1)) ** 2
        bend = _slope(shifts, hours @ (middle * middle) / hours.sum(1))
        scale = _variance(hours, share, middle * middle)
        bent = _variance(hours, share, middle * middle, less=bend * shifts)
    design, degrees = _shares(shares)
    return BetweenHours(len(hours), location, scale, design, degrees, absence, extremes, bend, bent)


def _correlation(hits: NDArray[Any], rows: NDArray[Any]) -> float:
    """Of an event, as :func:`_shares` has it of shares; unlike there, seldom ones will do."""
    enough = rows > FEWEST_ROWS
    hits, rows = hits[enough], rows[enough]
    rate = hits.sum() / max(1, rows.sum())
    if len(rows) < FEWEST_HOURS or not 0 < rate < 1:
        return 0.0
    squares = (hits - rows * rate) ** 2 / (rows * rate * (1 - rate))
    return max(0.0, float((squares.mean() * len(rows) / (len(rows) - 1) - 1) / rows.mean()))


def _slope(x: Floats, y: Floats) -> float:
    """Of the line of least squares, between 0 and 1: what shifts do to the squares of ranks."""
    varies = float(((x - x.mean()) ** 2).sum())
    slope = float((x - x.mean()) @ (y - y.mean())) / varies if varies else 0.0
    return min(1.0, max(0.0, slope))


def _variance(hours: Floats, share: Floats, scores: Floats, *, less: Floats | float = 0.0) -> float:
    """DerSimonian & Laird's (1986) moment estimate of the variance of the hours' mean scores.

    ``less`` is taken off the hours' means.
    """
    rows = hours.sum(1)
    within = (share @ scores**2 - (share @ scores) ** 2) / rows
    if not within.min() > 0:
        return 0.0
    means = hours @ scores / rows - less
    weights = 1 / within
    centre = (weights @ means) / weights.sum()
    excess = weights @ (means - centre) ** 2 - (len(rows) - 1)
    return max(0.0, float(excess / (weights.sum() - (weights @ weights) / weights.sum())))


def _shares(hours: Floats) -> tuple[float, float]:
    """Rao & Scott's (1984) design effect of counts in clusters, with Satterthwaite's degrees.

    The mean Pearson statistic of an hour against the pooled shares is its degrees of freedom times
    1 + n * design. Shares do not vary alike, so the statistic has fewer effective degrees.
    """
    rows = hours.sum(1)
    share = hours.sum(0) / hours.sum()
    large = share * rows.mean() >= _EXPECTED
    if not large.any():  # small hours, many categories; what is seldom tells less, and not nothing
        large = share >= np.sort(share)[-_GROUPS:][0]
    large &= share > 0
    counts, expected = hours[:, large], share[large]
    if (share[~large] > 0).any():
        counts = np.column_stack([counts, hours[:, ~large].sum(1)])
        expected = np.append(expected, share[~large].sum())
    if len(expected) < 2:
        return 0.0, 0.0
    scaled = (counts - rows[:, None] * expected) / np.sqrt(rows[:, None] * expected)
    number, most = len(rows), len(expected) - 1
    own = (scaled**2).sum(1)
    # The squares of all hours' products with each other add up to those of all cells' products.
    products = scaled @ scaled.T if number < len(expected) else scaled.T @ scaled
    mean = own.mean() / most * number / (number - 1)
    design = max(0.0, (mean - 1) / rows.mean())
    square = ((products**2).sum() - (own**2).sum()) / (number * (number - 1))
    degrees = float(np.clip(own.mean() ** 2 / max(square, 1e-9), 1.0, most))
    return float(design), degrees
