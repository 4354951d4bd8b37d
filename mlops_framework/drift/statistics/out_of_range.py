"""Values beyond anything the baseline held."""

from __future__ import annotations

import math
from typing import Final

from mlops_framework.drift.statistics.between_hours import BetweenHours
from mlops_framework.drift.statistics.result import Outcome

_SPELLS: Final = 0.05
"""Intra-hour correlation of the extremes beyond which they are spells: of a daily rhythm with an
amplitude of half a standard deviation it is some 0.005, of days of weather 0.1 to 0.5."""


def out_of_range(
    below: int,
    above: int,
    window_records: int,
    baseline_records: int,
    between: BetweenHours | None = None,
) -> Outcome:
    """Upper test of the number of values beyond the baseline's minimum or maximum.

    Without drift all n + m values are exchangeable, so the k largest all belong to the window with
    probability at most (n/(n+m))^k; twice that for the two ends. Needs no model of the tails. Where
    extremes of the baseline come together in some of its hours, so many fewer of the k count as
    there are fewer independent records; where they are few spells, as frost is, all are one.

    The statistic is the larger of the two counts, the effect its share of the window.
    """
    k = max(below, above)
    share = window_records / (window_records + baseline_records)
    independent = float(k)
    if between:
        independent /= 1 + window_records * between.extremes
        if between.extremes > _SPELLS:
            independent = min(1.0, independent)
    p_value = min(1.0, 2 * math.exp(independent * math.log(share)))
    return Outcome(k, p_value, k / window_records)
