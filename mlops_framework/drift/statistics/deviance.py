"""How far beyond chance rare events are: tails that the normal approximation makes far too thin.

A flag that is set in 1 % of the records is expected twice among 200, and is there nine times in one
window of 4,000. The normal law says one in a million, so a table of forty such flags (a one-hot
encoded category) would alarm every few days with nothing wrong. The deviance, twice the log of the
likelihood ratio, has the right tail there (McCullagh & Nelder, *Generalized Linear Models*, 1989,
4.4), and equals the squared z where counts are large. Only tails are looked at: in the middle of
the law nothing is decided.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from mlops_framework.drift.sums import Floats

TAIL: Final = 0.01
"""Larger p-values decide nothing, so they stay what the textbook says."""
RARE: Final = 60.0
"""Of how many expected records on the normal law is good enough for two cells: beyond, its tail at
1e-5 is less than twice too thin."""
_MOST_STEPS: Final = 40
_LONGEST_STEP: Final = 4.0
_CLOSE: Final = 1e-10


def of_count(found: int, expected: float) -> float:
    """Deviance of a Poisson count: ``2 (k ln(k / e) - (k - e))``; never negative.

    Args:
        found: The count ``k``.
        expected: Its mean ``e``, positive.
    """
    surprise = found * math.log(found / expected) if found else 0.0
    return max(0.0, 2 * (surprise - (found - expected)))


def of_scores(baseline: Sequence[int], window: Sequence[int], scores: Sequence[float]) -> float:
    """Deviance of two samples' mean scores from the pooled one, the square of a z.

    Twice what the two means cost: the number of records times Cramér's rate, the least relative
    entropy by which shares must differ from the pooled ones to have such a mean.

    Args:
        baseline: Counts per cell.
        window: Counts per cell.
        scores: One per cell.
    """
    of_baseline, of_window = np.array(baseline, np.float64), np.array(window, np.float64)
    met = of_baseline + of_window > 0
    share = (of_baseline + of_window)[met]
    share /= share.sum()
    points = np.array(scores, np.float64)[met]
    total = 0.0
    for sample in (of_baseline[met], of_window[met]):
        records = float(sample.sum())
        total += records * _rate(share, points - float(sample @ points) / records)
    return 2 * total


def _rate(share: Floats, scores: Floats) -> float:
    """``-min over t of log sum share exp(t score)``, by Newton's method with bounded steps.

    Where it stops early the rate is too small, which makes nothing significant that is not.
    """
    largest = float(np.abs(scores).max())
    if largest <= 0:
        return 0.0
    scaled = scores / largest
    tilt = best = 0.0
    for _ in range(_MOST_STEPS):
        powers = tilt * scaled
        top = float(powers.max())
        weights = share * np.exp(powers - top)
        total = float(weights.sum())
        best = max(best, -(math.log(total) + top))
        slope = float(weights @ scaled) / total
        bend = float(weights @ (scaled * scaled)) / total - slope * slope
        if abs(slope) < _CLOSE or bend <= 0:
            break
        tilt -= max(-_LONGEST_STEP, min(_LONGEST_STEP, slope / bend))
    return best
