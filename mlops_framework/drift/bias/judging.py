"""When bias matters: further from fair than it was, or than policy allows, and surely so.

As Model Monitor does, a metric is compared with the baseline's by its distance from fair, and its
confidence interval must not overlap what is allowed. Beyond that, the excess must be large enough
to matter, the baseline's own uncertainty counts, and the p-values go into the one false discovery
rate of the window: of 5 facets with 12 metrics each, intervals of 95 % alone would leave what is
allowed in most windows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mlops_framework.drift.bias.intervals import Estimate, quantile
from mlops_framework.drift.bias.metrics import Measure, Metric
from mlops_framework.drift.bias.settings import BiasSettings

Rule = Literal["baseline", "policy"]
_TINY: Final = 1e-9


@dataclass(frozen=True)
class Comparison:
    """A metric of a facet, held against what is allowed by one rule.

    Attributes:
        facet: The facet's name; empty for GE, which is about everybody.
        measure: The window's.
        rule: Whether the baseline or the policy says what is allowed.
        baseline: The baseline's value; ``None`` without one.
        low: Smallest value allowed.
        high: Largest value allowed.
        excess: How much further from fair than allowed (of DI: of its logarithm); 0 if not.
        p_value: Of one so far from fair, were the truth no further than allowed.
        needed: Smallest excess that matters.
    """

    facet: str
    measure: Measure
    rule: Rule
    baseline: float | None
    low: float
    high: float
    excess: float
    p_value: float
    needed: float

    @property
    def apart(self) -> bool:
        """Whether the confidence interval lies wholly outside of what is allowed."""
        found = self.measure.estimate
        return found is not None and (found.low > self.high or found.high < self.low)


def compare(
    window: Mapping[str, Sequence[Measure]],
    baseline: Mapping[str, Sequence[Measure]],
    settings: BiasSettings,
) -> tuple[Comparison, ...]:
    """Every comparison of a window; metrics without a value or anything to compare with have none.

    Args:
        window: Metrics by facet name.
        baseline: Likewise; may lack any of them.
        settings: Thresholds and effect.
    """
    z = quantile(settings.confidence)
    made = []
    for facet, found in window.items():
        known = {measure.metric: measure.estimate for measure in baseline.get(facet, ())}
        for measure in found:
            if measure.estimate is None:
                continue
            metric, before = measure.metric, known.get(measure.metric)
            value = before.value if before else None
            if before is not None:
                allowed = abs(_scaled(metric, before.value))
                spread, needed = _outward(metric, before), settings.minimum_effect
                args = (facet, measure, measure.estimate, value)
                made.append(_compared(*args, "baseline", allowed, spread, needed, z))
            if metric in settings.thresholds:
                allowed = abs(_scaled(metric, settings.thresholds[metric]))
                args = (facet, measure, measure.estimate, value)
                made.append(_compared(*args, "policy", allowed, 0.0, 0.0, z))
    return tuple(made)


def _compared(
    facet: str,
    measure: Measure,
    now: Estimate,
    baseline: float | None,
    rule: Rule,
    allowed: float,
    spread: float,
    needed: float,
    z: float,
) -> Comparison:
    """One comparison; ``spread`` is the half width of the interval of what is allowed."""
    metric = measure.metric
    half = math.hypot(_inward(metric, now), spread)
    distance, error = abs(_scaled(metric, now.value)), max(half / z, _TINY)
    excess = distance - allowed
    # At the end of what is allowed, chance may lead beyond it, or beyond the other end.
    p_value = min(1.0, _beyond(excess / error) + _beyond((distance + allowed) / error))
    low, high = _range(metric, allowed)
    return Comparison(facet, measure, rule, baseline, low, high, max(0.0, excess), p_value, needed)


def _beyond(z: float) -> float:
    return 0.5 * math.erfc(z / math.sqrt(2))


def _scaled(metric: Metric, value: float) -> float:
    """A metric on a scale where fair is 0 and both directions are alike."""
    return math.log(max(value, _TINY)) if metric == "DI" else value


def _range(metric: Metric, allowed: float) -> tuple[float, float]:
    if metric == "DI":
        return math.exp(-allowed), math.exp(allowed)
    return (0.0 if metric == "GE" else -allowed), allowed


def _inward(metric: Metric, estimate: Estimate) -> float:
    """Half width of the interval on the side of fair."""
    value = _scaled(metric, estimate.value)
    end = estimate.low if value > 0 else estimate.high
    return abs(value - _scaled(metric, end))


def _outward(metric: Metric, estimate: Estimate) -> float:
    value = _scaled(metric, estimate.value)
    end = estimate.high if value > 0 else estimate.low
    return abs(value - _scaled(metric, end))
