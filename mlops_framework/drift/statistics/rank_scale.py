"""Mood's test on ordered cells: have the values spread or narrowed?"""

from __future__ import annotations

from collections.abc import Sequence

from mlops_framework.drift.statistics.kolmogorov_smirnov import distance
from mlops_framework.drift.statistics.ranks import pooled_midranks, score_z
from mlops_framework.drift.statistics.result import Outcome
from mlops_framework.drift.statistics.special import normal_two_sided


def rank_scale(baseline: Sequence[int], window: Sequence[int]) -> Outcome:
    """Mood's dispersion test: squared distance of the midrank from the middle as score.

    The statistic is z, positive when the window is more spread out; the effect is D as in
    :func:`~mlops_framework.drift.statistics.rank_location.rank_location`. Mood 1954, Ann. Math.
    Stat. 25.
    """
    scores = [rank * rank for rank in pooled_midranks(baseline, window)]
    z = score_z(baseline, window, scores)
    return Outcome(z, normal_two_sided(z), distance(baseline, window))
