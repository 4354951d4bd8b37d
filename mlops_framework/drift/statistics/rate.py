"""Exact comparison of two rates: missing values, invalid values."""

from __future__ import annotations

import math
from typing import Final

from mlops_framework.drift.statistics.result import Outcome
from mlops_framework.drift.statistics.special import (
    binomial_lower,
    binomial_upper,
    normal_two_sided,
)

_LARGE: Final = 50


def rate_change(
    baseline_hits: int, baseline_records: int, window_hits: int, window_records: int
) -> Outcome:
    """Two-sided test that the rate of an event is the same in both samples.

    Given the total number of hits, those of the window are binomial with probability n/(n+m) under
    no change (conditional test, exact for rare events; Przyborowski & Wilenski 1940). Where hits
    and misses are many on both sides, the pooled normal test is used instead.

    The statistic is the number of hits in the window; the effect the absolute change of the rate.
    """
    n, m = window_records, baseline_records
    hits = window_hits + baseline_hits
    effect = abs(window_hits / n - baseline_hits / m)
    if not hits or hits == n + m:
        return Outcome(window_hits, 1.0, effect)
    share = n / (n + m)
    misses = n + m - hits
    if min(hits, misses) * min(share, 1 - share) > _LARGE:
        rate = hits / (n + m)
        z = (window_hits / n - baseline_hits / m) / math.sqrt(rate * (1 - rate) * (1 / n + 1 / m))
        return Outcome(window_hits, normal_two_sided(z), effect)
    if misses < hits:
        # The binomial law holds for the rarer of the two events.
        return _exact(n - window_hits, misses, share, effect, window_hits)
    return _exact(window_hits, hits, share, effect, window_hits)


def _exact(k: int, total: int, share: float, effect: float, statistic: int) -> Outcome:
    tail = min(binomial_upper(k, total, share), binomial_lower(k, total, share))
    return Outcome(statistic, min(1.0, 2 * tail), effect)
