"""Values beyond anything the baseline held."""

from __future__ import annotations

import math

from mlops_framework.drift.statistics.result import Outcome


def out_of_range(below: int, above: int, window_records: int, baseline_records: int) -> Outcome:
    """Upper test of the number of values beyond the baseline's minimum or maximum.

    Without drift all n + m values are exchangeable, so the k largest all belong to the window with
    probability at most (n/(n+m))^k; twice that for the two ends. Needs no model of the tails.

    The statistic is the larger of the two counts, the effect its share of the window.
    """
    k = max(below, above)
    share = window_records / (window_records + baseline_records)
    return Outcome(k, min(1.0, 2 * math.exp(k * math.log(share))), k / window_records)
