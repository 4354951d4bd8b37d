"""Areas under the curves from a histogram of the probability, with their standard errors."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mlops_framework.drift.sums import Floats


def area_under_roc(positives: Floats, negatives: Floats) -> tuple[float, float]:
    """Probability that a positive scores above a negative (ties half), and its standard error.

    The error is that of DeLong, DeLong and Clarke-Pearson 1988 (Biometrics 44): the variance of the
    placements of the positives among the negatives and the other way round, divided by how many.

    Args:
        positives: Positives per bin of the score, ascending; need not be whole numbers.
        negatives: Negatives per bin.

    Returns:
        NaN twice without positives or without negatives.
    """
    m, n = float(positives.sum()), float(negatives.sum())
    if m <= 0 or n <= 0:
        return math.nan, math.nan
    below = (np.cumsum(negatives) - negatives / 2) / n
    above = (m - np.cumsum(positives) + positives / 2) / m
    area = float((positives * below).sum() / m)
    of_positives = float((positives * (below - area) ** 2).sum()) / max(m - 1, 1)
    of_negatives = float((negatives * (above - area) ** 2).sum()) / max(n - 1, 1)
    return area, math.sqrt(of_positives / m + of_negatives / n)


def average_precision(positives: Floats, negatives: Floats) -> tuple[float, float]:
    """Area under the precision-recall curve (average precision), and its standard error.

    ``sum over thresholds of (recall step) x precision``, each bin a threshold. The error is that of
    a share among the positives (Boyd, Eng and Page 2013, *Area under the precision-recall curve:
    point estimates and confidence intervals*).
    """
    m = float(positives.sum())
    if m <= 0:
        return math.nan, math.nan
    hits = np.cumsum(positives[::-1])
    calls = np.cumsum((positives + negatives)[::-1])
    precision = np.divide(hits, calls, out=np.zeros_like(hits), where=calls > 0)
    area = float((positives[::-1] / m * precision).sum())
    return area, math.sqrt(max(0.0, area * (1 - area)) / m)


def roc_points(positives: Floats, negatives: Floats, most: int = 65) -> Sequence[Sequence[float]]:
    """Points ``(false positive rate, true positive rate)`` of the curve, from (0, 0) to (1, 1)."""
    m, n = float(positives.sum()), float(negatives.sum())
    if m <= 0 or n <= 0:
        return []
    x = np.concatenate([[0.0], np.cumsum(negatives[::-1]) / n])
    y = np.concatenate([[0.0], np.cumsum(positives[::-1]) / m])
    moved = np.flatnonzero(np.append(True, (np.diff(x) > 0) | (np.diff(y) > 0)))
    if len(moved) > most:
        # Evenly along the curve, not along the bins.
        length = x[moved] + y[moved]
        steps = np.searchsorted(length, np.linspace(0, 2, most))
        moved = np.unique(moved[np.minimum(steps, len(moved) - 1)])
        moved = np.unique(np.concatenate([[0], moved, [len(x) - 1]]))
    return [[round(float(x[i]), 5), round(float(y[i]), 5)] for i in moved]
