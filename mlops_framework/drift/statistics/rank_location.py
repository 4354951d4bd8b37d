"""Wilcoxon rank sum on ordered cells: have the values moved up or down?"""

from __future__ import annotations

from collections.abc import Sequence

from mlops_framework.drift.statistics.between_hours import BetweenHours
from mlops_framework.drift.statistics.kolmogorov_smirnov import distance
from mlops_framework.drift.statistics.ranks import pooled_midranks, score_change
from mlops_framework.drift.statistics.result import Outcome


def rank_location(
    baseline: Sequence[int], window: Sequence[int], between: BetweenHours | None = None
) -> Outcome:
    """Wilcoxon-Mann-Whitney test with the exact variance under ties.

    The statistic is z, positive when the window's values are larger. The effect is the share of
    records that must have moved (Kolmogorov-Smirnov's D), the same scale for every ordered test.
    Wilcoxon 1945; Mann & Whitney 1947. Agrees with ``scipy.stats.mannwhitneyu`` (asymptotic,
    without continuity correction) when every value is a cell of its own.
    """
    z, p_value = score_change(
        baseline,
        window,
        pooled_midranks(baseline, window),
        between=between.location if between else 0.0,
        hours=between.hours if between else 0,
    )
    return Outcome(z, p_value, distance(baseline, window))
