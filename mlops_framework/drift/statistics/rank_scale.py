"""Mood's test on ordered cells: have the values spread or narrowed?"""

from __future__ import annotations

from collections.abc import Sequence

from mlops_framework.drift.statistics.between_hours import BetweenHours
from mlops_framework.drift.statistics.kolmogorov_smirnov import distance
from mlops_framework.drift.statistics.ranks import mean_score, pooled_midranks, score_change
from mlops_framework.drift.statistics.result import Outcome


def rank_scale(
    baseline: Sequence[int], window: Sequence[int], between: BetweenHours | None = None
) -> Outcome:
    """Mood's dispersion test: squared distance of the midrank from the middle as score.

    The statistic is z, positive when the window is more spread out; the effect is D as in
    :func:`~mlops_framework.drift.statistics.rank_location.rank_location`. Mood 1954, Ann. Math.
    Stat. 25. Where ordinary hours move about, it has to be significant without what their
    shifts do to it, too: the squares of shifts have far too long a tail for a variance to tell.
    """
    ranks = pooled_midranks(baseline, window)
    scores = [rank * rank for rank in ranks]
    hours = between.hours if between else 0
    z, p_value = score_change(
        baseline, window, scores, between=between.scale if between else 0.0, hours=hours
    )
    if between and between.bend:
        of_window, of_baseline = mean_score(window, ranks), mean_score(baseline, ranks)
        shift = of_window * of_window - of_baseline * of_baseline - between.location
        by_shift = between.bend * shift
        _, beyond = score_change(
            baseline, window, scores, between=between.bent, hours=hours, less=by_shift
        )
        p_value = max(p_value, beyond)
    return Outcome(z, p_value, distance(baseline, window))
