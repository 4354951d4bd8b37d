"""Mood's test on ordered cells: have the values spread or narrowed?"""

from __future__ import annotations

from collections.abc import Sequence

from mlops_framework.drift.statistics.between_hours import BetweenHours
from mlops_framework.drift.statistics.kolmogorov_smirnov import distance
from mlops_framework.drift.statistics.ranks import pooled_midranks, score_change
from mlops_framework.drift.statistics.result import Outcome


def rank_scale(
    baseline: Sequence[int], window: Sequence[int], between: BetweenHours | None = None
) -> Outcome:
    """Mood's dispersion test: squared distance of the midrank from the middle as score.

    The statistic is z, positive when the window is more spread out; the effect is D as in
    :func:`~mlops_framework.drift.statistics.rank_location.rank_location`. Mood 1954, Ann. Math.
    Stat. 25.
    """
    scores = [rank * rank for rank in pooled_midranks(baseline, window)]
    z, p_value = score_change(
        baseline,
        window,
        scores,
        between=between.scale if between else 0.0,
        hours=between.hours if between else 0,
    )
    return Outcome(z, p_value, distance(baseline, window))
