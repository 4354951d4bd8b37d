"""Whether a window's quality is worse than it was, or than it may be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mlops_framework.drift.ground_truth.settings import GroundTruth, ProblemType
from mlops_framework.drift.policy import Claim
from mlops_framework.drift.quality.between_windows import BetweenWindows
from mlops_framework.drift.quality.metrics import ERRORS, UNBOUNDED, Metric
from mlops_framework.drift.statistics.rate import rate_change
from mlops_framework.drift.statistics.result import Outcome
from mlops_framework.drift.statistics.special import (
    binomial_lower,
    binomial_upper,
    normal_two_sided,
)

WATCHED: Final[Mapping[ProblemType, tuple[str, ...]]] = {
    "BinaryClassification": ("accuracy", "precision", "recall", "auc", "brier"),
    "MulticlassClassification": ("accuracy", "weighted_precision", "weighted_f1", "weighted_auc"),
    "Regression": ("mae", "rmse"),
}
"""Metrics that are compared without being asked for."""
FEWEST: Final = 30
"""A share of fewer rows than this is described and not compared."""


@dataclass(frozen=True)
class Compared:
    """A metric of the window beside what it is held against.

    Attributes:
        name: The metric.
        window: Its value in the window.
        reference: What it was; ``None`` where a threshold is given.
        threshold: The worst acceptable value; ``None`` where a reference decides.
        outcome: The test.
        change_threshold: The smallest effect that matters.
    """

    name: str
    window: Metric
    reference: Metric | None
    threshold: float | None
    outcome: Outcome
    change_threshold: float

    @property
    def bound(self) -> float:
        """The value it is held against."""
        if self.threshold is not None:
            return self.threshold
        assert self.reference is not None
        return self.reference.value

    def claim(self, prefix: str = "") -> Claim:
        """As one of the window's tests."""
        test = "threshold" if self.reference is None else "degradation"
        return Claim(
            "model-quality", f"{prefix}{self.name}", test, self.outcome, self.change_threshold
        )


def compared(
    settings: GroundTruth,
    window: Mapping[str, Metric],
    reference: Mapping[str, Metric] | None,
    between: Mapping[str, BetweenWindows] | None = None,
) -> Sequence[Compared]:
    """Hold the metrics of a window against their thresholds, or against the reference.

    Args:
        settings: What is asked for.
        window: Metrics of the window.
        reference: Metrics of the baseline or of the first windows; ``None`` if there are none yet.
        between: How much ordinary windows differ, by metric, where that is known.
    """
    found = []
    for name, bound in sorted(settings.thresholds.items()):
        if name in window and _enough(window[name]):
            outcome = beyond(name, window[name], bound)
            found.append(Compared(name, window[name], None, bound, outcome, 0.0))
    for name in WATCHED[settings.problem_type]:
        known = (reference or {}).get(name)
        if known is None or name in settings.thresholds or name not in window:
            continue
        if _enough(window[name]) and _enough(known):
            outcome = degradation(name, window[name], known)
            if between and name in between:
                wobble = between[name].p_value(window[name], known)
                outcome = replace(outcome, p_value=max(outcome.p_value, wobble))
            change = settings.minimum_change
            found.append(Compared(name, window[name], known, None, outcome, change))
    return found


def worse_by(name: str, window: float, before: float) -> float:
    """How much worse a metric is: of shares the difference, of errors the share of what it was.

    Negative if it is better.
    """
    worse = window - before if name in ERRORS else before - window
    if name in UNBOUNDED:
        return worse / before if before > 0 else (math.inf if worse > 0 else 0.0)
    return worse


def degradation(name: str, window: Metric, reference: Metric) -> Outcome:
    """Two-sided test of no change; the effect is how much worse it became, 0 if it did not.

    Shares are compared as rates (exactly where few are hit), the rest by their standard errors.
    """
    effect = min(max(0.0, worse_by(name, window.value, reference.value)), 1e6)
    if window.of and reference.of:
        found = rate_change(reference.hits, reference.of, window.hits, window.of)
        return Outcome(window.value - reference.value, found.p_value, effect)
    error = math.hypot(window.error, reference.error)
    z = (window.value - reference.value) / error if error > 0 else 0.0
    return Outcome(z, normal_two_sided(z), effect)


def beyond(name: str, window: Metric, bound: float) -> Outcome:
    """One-sided test that a metric is worse than a bound; the effect is by how much it is."""
    low = name not in ERRORS
    worse = bound - window.value if low else window.value - bound
    if window.of and 0 <= bound <= 1:
        tail = binomial_lower if low else binomial_upper
        return Outcome(window.value, tail(window.hits, window.of, bound), max(0.0, worse))
    if not window.error > 0:
        return Outcome(0.0, 0.0 if worse > 0 else 1.0, max(0.0, worse))
    z = worse / window.error
    tail_area = normal_two_sided(z) / 2
    return Outcome(z, tail_area if z > 0 else 1 - tail_area, max(0.0, worse))


def _enough(metric: Metric) -> bool:
    return metric.of == 0 or metric.of >= FEWEST
