"""Values the baseline never held: more of them than a finite baseline leads one to expect?"""

from __future__ import annotations

import math
from typing import Final

from mlops_framework.drift.statistics.result import Outcome
from mlops_framework.drift.statistics.special import poisson_upper

_MISSED: Final = (math.log(1000) / 3) ** 2


def unseen_mass(
    unseen: int, window_records: int, *, singletons: int, doubletons: int, baseline_records: int
) -> Outcome:
    """Upper test of the number of records whose value is not in the baseline.

    Good & Turing: the mass of what a sample of m did not see is about s1/m (s1 values seen exactly
    once), with variance (s1 + 2 s2)/m² (Good 1953, Biometrika 40). The test is Poisson at that mass
    plus three standard errors, so that a baseline of many rare values does not raise alarms, and at
    least at what a sample of m misses altogether once in a thousand times, ln(1000)/m.

    The statistic is the count; the effect is the excess of the share over the expected mass.
    """
    m = baseline_records
    expected = singletons / m
    upper = (singletons + 3 * math.sqrt(singletons + 2 * doubletons + _MISSED)) / m
    p_value = poisson_upper(unseen, window_records * upper)
    return Outcome(unseen, p_value, max(0.0, unseen / window_records - expected))
