"""Exact comparison of two rates: missing values, invalid values."""

from __future__ import annotations

import math
from typing import Final

from mlops_framework.drift.statistics.between_hours import BetweenHours
from mlops_framework.drift.statistics.result import Outcome
from mlops_framework.drift.statistics.special import (
    binomial_lower,
    binomial_upper,
    normal_two_sided,
    student_two_sided,
)

_LARGE: Final = 50


def absence_change(
    baseline_hits: int,
    baseline_records: int,
    window_hits: int,
    window_records: int,
    between: BetweenHours | None,
) -> Outcome:
    """:func:`rate_change` of records without a value, by more than ordinary hours differ.

    A failing sensor or a cancelled day takes the values of many records at once. Where the
    baseline's hours show that, the window counts as so many independent records as explain it.
    """
    found = rate_change(baseline_hits, baseline_records, window_hits, window_records)
    if between is None or not between.absence or found.p_value == 1.0:
        return found
    n, m = window_records, baseline_records
    rate = (window_hits + baseline_hits) / (n + m)
    weight = 1 / n + between.absence + 1 / m
    z = (window_hits / n - baseline_hits / m) / math.sqrt(rate * (1 - rate) * weight)
    p_value = max(found.p_value, student_two_sided(z, between.hours - 1))
    return Outcome(found.statistic, p_value, found.effect)


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
