"""How much quality differs between ordinary windows, beyond what their labels explain.

Night traffic is easier than noon's, weekends are harder: with many labels such differences are
significant, and mean nothing. What windows that were well differed by is added to what a window has
to differ by (random effects: DerSimonian and Laird 1986, Controlled Clinical Trials 7).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mlops_framework.drift.quality.metrics import Metric, Z
from mlops_framework.drift.statistics.special import student_two_sided

FEWEST_WINDOWS: Final = 24
"""Fewer windows say too little about how windows differ."""


@dataclass(frozen=True)
class BetweenWindows:
    """The variance between ordinary windows of one metric.

    Attributes:
        variance: Of the true values; 0 where labels explain all.
        windows: How many windows it was learnt from.
    """

    variance: float
    windows: int

    def p_value(self, window: Metric, reference: Metric) -> float:
        """Two-sided probability of a difference like this between ordinary windows."""
        own = self.variance * (1 + 1 / self.windows)
        error = math.sqrt(window.error**2 + reference.error**2 + own)
        if not error > 0:
            return 1.0
        return student_two_sided((window.value - reference.value) / error, self.windows - 1)


def between_windows(curves: Sequence[tuple[float, float, float]]) -> BetweenWindows | None:
    """The variance between windows, from value and 95 % interval of each.

    Returns:
        ``None`` if there are too few windows, or labels explain all differences.
    """
    known = [(value, (high - low) / (2 * Z)) for value, low, high in curves if high > low]
    if len(known) < FEWEST_WINDOWS:
        return None
    weights = [1 / error**2 for _, error in known]
    total = sum(weights)
    mean = sum(w * value for w, (value, _) in zip(weights, known, strict=True)) / total
    spread = sum(w * (value - mean) ** 2 for w, (value, _) in zip(weights, known, strict=True))
    scale = total - sum(w * w for w in weights) / total
    variance = (spread - (len(known) - 1)) / scale
    return BetweenWindows(variance, len(known)) if variance > 0 else None
