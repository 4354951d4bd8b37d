"""SageMaker Clarify's pre-training bias metrics: bias in labels, before a model learns it.

Definitions: SageMaker developer guide, *Pre-training Bias Metrics*
(``clarify-measure-data-bias``). ``a`` is everybody outside the facet, ``d`` the facet, ``P`` their
shares of each label. A label that only one side has counts as a share of 0 on the other (Clarify's
library leaves it out), so KL may have no value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from mlops_framework.drift.bias.condition import Condition
from mlops_framework.drift.bias.counts import Quad
from mlops_framework.drift.bias.intervals import quantile
from mlops_framework.drift.bias.metrics import Undefined, conditional_disparity
from mlops_framework.drift.values import texts_of

LabelMetric = Literal["CI", "DPL", "KL", "JS", "LP", "TVD", "KS", "CDDL"]
LABEL_METRICS: Final[tuple[LabelMetric, ...]] = get_args(LabelMetric)


@dataclass(frozen=True)
class LabelMeasure:
    """A metric of the labels.

    Attributes:
        metric: Which.
        value: ``None`` where it has none.
        undefined: Why it has none; empty otherwise.
    """

    metric: LabelMetric
    value: float | None
    undefined: str = ""


def label_measures(
    rest: Mapping[str, int],
    facet: Mapping[str, int],
    good: Condition,
    groups: Mapping[str, Quad] | None = None,
) -> tuple[LabelMeasure, ...]:
    """All pre-training metrics.

    Args:
        rest: Rows per label outside the facet.
        facet: Rows per label in the facet.
        good: Which labels are good.
        groups: Rows by group, facet and label, for CDDL.
    """
    n_a, n_d = sum(rest.values()), sum(facet.values())

    def imbalance() -> float:
        return (n_a - n_d) / (n_a + n_d)

    def proportions() -> float:
        return _good(rest, good) / n_a - _good(facet, good) / n_d

    def conditional() -> float:
        if not groups:
            raise Undefined("no group column is given")
        return conditional_disparity(groups, quantile(0.95)).value

    computations: dict[LabelMetric, Callable[[], float]] = {
        "CI": imbalance,
        "DPL": proportions,
        "KL": lambda: _divergence(*_shares(rest, facet)),
        "JS": lambda: _jensen_shannon(*_shares(rest, facet)),
        "LP": lambda: _norm(rest, facet, 2),
        "TVD": lambda: _norm(rest, facet, 1) / 2,
        "KS": lambda: max(abs(p - q) for p, q in zip(*_shares(rest, facet), strict=True)),
        "CDDL": conditional,
    }
    found = []
    for metric in LABEL_METRICS:
        try:
            if not n_a or not n_d:
                raise Undefined(f"there are no rows {'in' if n_a else 'outside'} the facet")
            found.append(LabelMeasure(metric, computations[metric]()))
        except Undefined as reason:
            found.append(LabelMeasure(metric, None, str(reason)))
    return tuple(found)


def _good(labels: Mapping[str, int], good: Condition) -> int:
    names = list(labels)
    return sum(
        labels[name]
        for name, mark in zip(names, good.marks(texts_of(names)).tolist(), strict=True)
        if mark == 1
    )


def _shares(rest: Mapping[str, int], facet: Mapping[str, int]) -> tuple[list[float], list[float]]:
    labels = sorted(rest.keys() | facet.keys())
    n_a, n_d = sum(rest.values()), sum(facet.values())
    return [rest.get(x, 0) / n_a for x in labels], [facet.get(x, 0) / n_d for x in labels]


def _divergence(p: list[float], q: list[float]) -> float:
    if any(a and not b for a, b in zip(p, q, strict=True)):
        raise Undefined("the facet lacks a label that others have, so the divergence is infinite")
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a)


def _jensen_shannon(p: list[float], q: list[float]) -> float:
    middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    return (_divergence(p, middle) + _divergence(q, middle)) / 2


def _norm(rest: Mapping[str, int], facet: Mapping[str, int], order: int) -> float:
    p, q = _shares(rest, facet)
    total: float = sum(abs(a - b) ** order for a, b in zip(p, q, strict=True))
    return math.sqrt(total) if order == 2 else total
