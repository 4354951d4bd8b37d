"""SageMaker Clarify's post-training bias metrics, each with a confidence interval.

Definitions: SageMaker developer guide, *Post-training Data and Model Bias Metrics*
(``clarify-measure-post-training-bias`` and one page per metric). ``a`` is everybody outside the
facet (called advantaged there), ``d`` the facet. Clarify's library says 0 for 0/0 and infinity for
x/0; here such a metric has no value and a reason, since a 0 would read as "no bias".

===========  ====================================================================  =====
metric       definition                                                            fair
===========  ====================================================================  =====
DPPL         share predicted good of a, less that of d                             0
DI           share predicted good of d, divided by that of a                       1
DCAcc        observed good / predicted good of a, less that of d                   0
DCR          observed bad / predicted bad of d, less that of a                     0
DAR          precision of a, less that of d (tp / predicted good)                  0
DRR          tn / predicted bad of d, less that of a                               0
RD           recall of a, less that of d                                           0
AD           accuracy of a, less that of d                                         0
SD           specificity of d, less that of a                                      0
TE           fn / fp of d, less that of a                                          0
CDDPL        share of d among the rejected less among the accepted, by group       0
FT           nearest neighbours outside the facet fare otherwise                   0
GE           inequality of the benefits prediction - label + 1, whatever the group 0
===========  ====================================================================  =====
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from mlops_framework.drift.bias.counts import MOST_GROUPS, BiasCounts, FacetCounts, Outcomes, Quad
from mlops_framework.drift.bias.intervals import (
    Estimate,
    difference,
    normal,
    odds,
    overlapping_ratio,
    quantile,
    rate,
    ratio,
)

Metric = Literal[
    "DPPL", "DI", "DCAcc", "DCR", "DAR", "DRR", "RD", "AD", "SD", "TE", "CDDPL", "FT", "GE"
]
METRICS: Final[tuple[Metric, ...]] = get_args(Metric)
LABEL_FREE: Final[frozenset[Metric]] = frozenset(("DPPL", "DI", "CDDPL", "FT"))
"""What can be said without observed labels."""

MEANINGS: Final[Mapping[Metric, str]] = {
    "DPPL": "difference in positive proportions of the predictions",
    "DI": "disparate impact: ratio of the positive proportions",
    "DCAcc": "difference in conditional acceptance",
    "DCR": "difference in conditional rejection",
    "DAR": "difference in acceptance rates (precision)",
    "DRR": "difference in rejection rates",
    "RD": "recall difference",
    "AD": "accuracy difference",
    "SD": "specificity difference",
    "TE": "treatment equality",
    "CDDPL": "conditional demographic disparity of the predictions",
    "FT": "counterfactual flip test",
    "GE": "generalized entropy of the benefits",
}
ALPHA: Final = 2
"""Of the generalized entropy: half the squared coefficient of variation, Clarify's default."""


@dataclass(frozen=True)
class Measure:
    """A metric of a facet.

    Attributes:
        metric: Which.
        estimate: Value and interval; ``None`` where it has none.
        undefined: Why it has none; empty otherwise.
    """

    metric: Metric
    estimate: Estimate | None
    undefined: str = ""


class Undefined(Exception):
    """A metric has no value on these counts."""


_Part: TypeAlias = Callable[[Outcomes, float, str], Estimate]


def measures(counts: FacetCounts, *, confidence: float, grouped: bool) -> tuple[Measure, ...]:
    """Every metric of a facet that follows from its counts (all but FT and GE).

    Args:
        counts: Of the facet.
        confidence: Two-sided level of the intervals, such as 0.95.
        grouped: Whether a group column is configured, which CDDPL needs.
    """
    z = quantile(confidence)
    rest, facet = counts.outcomes(facet=False), counts.outcomes(facet=True)
    found = []
    for metric, part, sign in _DIFFERENCES:
        first, second = (rest, facet) if sign > 0 else (facet, rest)
        names = (_REST, _FACET) if sign > 0 else (_FACET, _REST)
        found.append(_measured(metric, part, (first, second), names, z))
    found.append(_of("DI", lambda: _impact(rest, facet, z)))
    found.append(_of("CDDPL", lambda: _conditional(counts, grouped, z)))
    return tuple(sorted(found, key=lambda measure: METRICS.index(measure.metric)))


def entropy(counts: BiasCounts, *, confidence: float) -> Measure:
    """GE of everybody with a known label."""
    return _of("GE", lambda: _entropy(counts.outcomes, quantile(confidence)))


def conditional_disparity(groups: Mapping[str, Quad], z: float) -> Estimate:
    """Demographic disparity of each group, weighted by its rows.

    ``DD = d rejected / all rejected - d accepted / all accepted``. A group where nobody was
    rejected, or nobody accepted, has no such shares and is left out (Clarify's library takes 0 for
    the share that is missing). The interval is made of those of the shares, and of the chance in
    how many rows each group has.

    Raises:
        Undefined: If no group has both.
    """
    kept = [
        quad
        for quad in groups.values()
        if quad.rest_bad + quad.facet_bad and quad.rest_good + quad.facet_good
    ]
    if not kept:
        raise Undefined("in no group were some predicted good and others bad")
    total = sum(map(sum, kept))
    weighed = [(sum(quad) / total, _disparity(quad, z)) for quad in kept]
    value = sum(weight * found.value for weight, found in weighed)
    chance = z * z * sum(weight * (found.value - value) ** 2 for weight, found in weighed) / total
    below = sum((weight * (found.value - found.low)) ** 2 for weight, found in weighed)
    above = sum((weight * (found.high - found.value)) ** 2 for weight, found in weighed)
    return Estimate(
        value,
        max(-1.0, value - math.sqrt(below + chance)),
        min(1.0, value + math.sqrt(above + chance)),
    )


def _disparity(quad: Quad, z: float) -> Estimate:
    return difference(
        rate(quad.facet_bad, quad.rest_bad + quad.facet_bad, z),
        rate(quad.facet_good, quad.rest_good + quad.facet_good, z),
    )


def _measured(
    metric: Metric,
    part: _Part,
    sides: tuple[Outcomes, Outcomes],
    names: tuple[str, str],
    z: float,
) -> Measure:
    def both() -> Estimate:
        return difference(part(sides[0], z, names[0]), part(sides[1], z, names[1]))

    return _of(metric, both)


def _of(metric: Metric, compute: Callable[[], Estimate]) -> Measure:
    try:
        return Measure(metric, compute())
    except Undefined as reason:
        return Measure(metric, None, str(reason))


_FACET: Final = "in the facet"
_REST: Final = "outside the facet"


def _share(hits: int, rows: int, z: float, what: str) -> Estimate:
    if not rows:
        raise Undefined(what)
    return rate(hits, rows, z)


def _or_no_labels(side: Outcomes, where: str, what: str) -> str:
    return what if side.labelled else f"there are no labels {where}"


def _accepted(side: Outcomes, z: float, where: str) -> Estimate:
    return _share(side.predicted_good, side.rows, z, f"there are no rows {where}")


def _precision(side: Outcomes, z: float, where: str) -> Estimate:
    what = f"no labelled row {where} was predicted good"
    return _share(side.tp, side.tp + side.fp, z, _or_no_labels(side, where, what))


def _rejection(side: Outcomes, z: float, where: str) -> Estimate:
    what = f"no labelled row {where} was predicted bad"
    return _share(side.tn, side.tn + side.fn, z, _or_no_labels(side, where, what))


def _recall(side: Outcomes, z: float, where: str) -> Estimate:
    what = f"no label {where} is good"
    return _share(side.tp, side.tp + side.fn, z, _or_no_labels(side, where, what))


def _specificity(side: Outcomes, z: float, where: str) -> Estimate:
    what = f"no label {where} is bad"
    return _share(side.tn, side.tn + side.fp, z, _or_no_labels(side, where, what))


def _accuracy(side: Outcomes, z: float, where: str) -> Estimate:
    return _share(side.tp + side.tn, side.labelled, z, f"there are no labels {where}")


def _acceptance(side: Outcomes, z: float, where: str) -> Estimate:
    if not side.tp + side.fp:
        what = f"no labelled row {where} was predicted good"
        raise Undefined(_or_no_labels(side, where, what))
    return overlapping_ratio(side.tp, side.fn, side.fp, z)


def _conditional_rejection(side: Outcomes, z: float, where: str) -> Estimate:
    if not side.tn + side.fn:
        what = f"no labelled row {where} was predicted bad"
        raise Undefined(_or_no_labels(side, where, what))
    return overlapping_ratio(side.tn, side.fp, side.fn, z)


def _treatment(side: Outcomes, z: float, where: str) -> Estimate:
    if not side.fp:
        raise Undefined(_or_no_labels(side, where, f"there is no false positive {where}"))
    return odds(side.fn, side.fp, z)


def _impact(rest: Outcomes, facet: Outcomes, z: float) -> Estimate:
    share_d, share_a = _accepted(facet, z, _FACET), _accepted(rest, z, _REST)
    if not share_a.value:
        raise Undefined(f"nobody {_REST} was predicted good")
    return ratio(share_d, share_a)


def _conditional(counts: FacetCounts, grouped: bool, z: float) -> Estimate:
    if not grouped:
        raise Undefined("no group column is configured (bias.group_column)")
    if counts.too_many_groups:
        raise Undefined(f"the group column has more than {MOST_GROUPS} values")
    if not counts.groups:
        raise Undefined("no row has a value in the group column")
    return conditional_disparity(counts.groups, z)


def _entropy(side: Outcomes, z: float) -> Estimate:
    """``mean((b / mean b)^2 - 1) / 2`` of the benefits b = prediction - label + 1 (0, 1 or 2).

    Speicher et al. 2018, KDD (a unified approach to quantifying algorithmic unfairness).
    """
    rows = side.labelled
    if not rows:
        raise Undefined("there are no labels")
    if side.fn == rows:
        raise Undefined("every prediction is a false negative, so nobody has a benefit")

    def parts(lost: float, won: float) -> tuple[float, float]:
        return 1 - lost + won, 1 - lost + 3 * won

    mean, square = parts(side.fn / rows, side.fp / rows)
    value = (square / mean**2 - 1) / ALPHA
    # Half a row more of each kind for the interval: no error seen is not no error possible.
    lost, won = (side.fn + 0.5) / (rows + 1.5), (side.fp + 0.5) / (rows + 1.5)
    mean, square = parts(lost, won)
    by_lost = (2 * square / mean**3 - 1 / mean**2) / ALPHA
    by_won = (3 / mean**2 - 2 * square / mean**3) / ALPHA
    spread = lost * by_lost**2 + won * by_won**2 - (lost * by_lost + won * by_won) ** 2
    return normal(value, max(0.0, spread) / rows, z, low=0.0, high=float("inf"))


_DIFFERENCES: Final[Sequence[tuple[Metric, _Part, int]]] = (
    ("DPPL", _accepted, 1),
    ("DCAcc", _acceptance, 1),
    ("DCR", _conditional_rejection, -1),
    ("DAR", _precision, 1),
    ("DRR", _rejection, -1),
    ("RD", _recall, 1),
    ("AD", _accuracy, 1),
    ("SD", _specificity, -1),
    ("TE", _treatment, -1),
)
