"""Kolmogorov-Smirnov on ordered cells: has the distribution changed anywhere?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from mlops_framework.drift.statistics.between_hours import BetweenHours
from mlops_framework.drift.statistics.result import Outcome
from mlops_framework.drift.statistics.special import kolmogorov_upper


def distance(baseline: Sequence[int], window: Sequence[int]) -> float:
    """D: the largest difference of the two cumulative shares at the edges of the cells, 0..1.

    It is the smallest share of the records that must have moved past some value.
    """
    m, n = sum(baseline), sum(window)
    steps = zip(accumulate(baseline), accumulate(window), strict=True)
    return max(abs(below_b / m - below_w / n) for below_b, below_w in steps)


def kolmogorov_smirnov(
    baseline: Sequence[int], window: Sequence[int], between: BetweenHours | None = None
) -> Outcome:
    """Binned two-sample Kolmogorov-Smirnov test; the statistic and the effect are D.

    Stephens' finite-sample correction of the asymptotic law (Stephens 1970, JRSS B 32). With
    ties and cells the test is conservative: p is never too small. Where ordinary hours differ, the
    window counts as so many independent records as explain that difference.
    """
    m, n = sum(baseline), float(sum(window))
    d = distance(baseline, window)
    if between:
        # 1/12 is the variance of a midrank, 1/180 that of its squared distance from the middle.
        n = n / (1 + n * max(12 * between.location, 180 * between.scale, between.design))
    root = math.sqrt(n * m / (n + m))
    return Outcome(d, kolmogorov_upper((root + 0.12 + 0.11 / root) * d), d)
