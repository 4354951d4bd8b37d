"""Model quality: ``statistics.json`` with metrics, ``constraints.json`` with a limit for each.

Source: SageMaker developer guide, "Model quality metrics and Amazon CloudWatch monitoring"; the
files of the SDK's and of the custom metrics container's tests.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self, TypeAlias

from mlops_framework.drift.errors import MonitorFileInvalid
from mlops_framework.drift.model_monitor_files.members import Members
from mlops_framework.drift.model_monitor_files.violations import Comparison, Violation

ProblemType: TypeAlias = Literal["BinaryClassification", "MulticlassClassification", "Regression"]

_STEMS: Final[dict[ProblemType, str]] = {
    "BinaryClassification": "binary_classification",
    "MulticlassClassification": "multiclass_classification",
    "Regression": "regression",
}
_CURVES: Final = ("receiver_operating_characteristic_curve", "precision_recall_curve")
_MATRIX: Final = "confusion_matrix"
_BEST_SMALL: Final = (
    *("mae", "mse", "rmse", "log_loss", "brier"),
    *("false_positive_rate", "false_negative_rate"),
)
FEWEST_FOR_DEVIATION: Final = 200
"""Of fewer rows Model Monitor says no standard deviation."""
_COMPARISONS: Final[dict[str, Comparison]] = {
    "LessThanThreshold": "LessThanThreshold",
    "GreaterThanThreshold": "GreaterThanThreshold",
}


@dataclass(frozen=True)
class Metric:
    """A metric's value; NaN where it is not defined.

    Attributes:
        value: The value.
        deviation: Its standard deviation; NaN where too few rows (200) were there for one.
    """

    value: float
    deviation: float = math.nan


@dataclass(frozen=True)
class ModelQualityStatistics:
    """What a model's predictions were worth.

    Attributes:
        problem_type: Which metrics there are.
        rows: Rows with a label.
        metrics: By name.
        confusion: Rows by true and by predicted class; empty for regression.
        curves: Further members as the file has them.
    """

    problem_type: ProblemType
    rows: int
    metrics: Mapping[str, Metric]
    confusion: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    curves: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)

    def to_document(self) -> dict[str, Any]:
        """The file."""
        metrics: dict[str, Any] = {}
        if self.confusion:
            metrics[_MATRIX] = {true: dict(row) for true, row in self.confusion.items()}
        for name, metric in self.metrics.items():
            metrics[name] = {
                "value": _written(metric.value),
                "standard_deviation": _written(metric.deviation),
            }
        metrics |= {name: dict(curve) for name, curve in self.curves.items()}
        member = f"{_STEMS[self.problem_type]}_metrics"
        return {"version": 0.0, "dataset": {"item_count": self.rows}, member: metrics}

    @classmethod
    def from_document(cls, document: Any, source: str) -> Self:
        """Read the decoded file.

        Raises:
            MonitorFileInvalid: If it is not as its schema says.
        """
        whole = Members.of(document, source)
        problem, part = _part(whole, "metrics")
        metrics, confusion, curves = {}, {}, {}
        for name in part.document:
            inner = part.part(name)
            if inner is None:
                continue
            if name == _MATRIX:
                confusion = {
                    true: {said: row.count(said) or 0 for said in row.document}
                    for true in inner.document
                    if (row := inner.part(true)) is not None
                }
            elif name in _CURVES:
                curves[name] = dict(inner.document)
            else:
                metrics[name] = Metric(
                    _or_nan(inner.number("value")), _or_nan(inner.number("standard_deviation"))
                )
        dataset = whole.part("dataset")
        rows = dataset.count("item_count") if dataset else None
        return cls(problem, rows or 0, metrics, confusion, curves)


@dataclass(frozen=True)
class Limit:
    """What a metric may not be.

    Attributes:
        threshold: The limit.
        comparison: On which side of it the metric is a violation.
    """

    threshold: float
    comparison: Comparison

    def broken_by(self, value: float) -> bool:
        """Whether a value is on the wrong side; a value that is not defined is not."""
        if self.comparison == "LessThanThreshold":
            return value < self.threshold
        return value > self.threshold


@dataclass(frozen=True)
class ModelQualityConstraints:
    """Limits of metrics.

    Attributes:
        problem_type: Which metrics there are.
        limits: By metric.
    """

    problem_type: ProblemType
    limits: Mapping[str, Limit]

    def to_document(self) -> dict[str, Any]:
        """The file."""
        member = f"{_STEMS[self.problem_type]}_constraints"
        return {
            "version": 0.0,
            member: {
                name: {
                    "threshold": limit.threshold,
                    "comparison_operator": limit.comparison,
                    "additional_properties": None,
                }
                for name, limit in self.limits.items()
            },
        }

    @classmethod
    def from_document(cls, document: Any, source: str) -> Self:
        """Read the decoded file; metrics without a limit are left out.

        Raises:
            MonitorFileInvalid: If it is not as its schema says.
        """
        problem, part = _part(Members.of(document, source), "constraints")
        limits = {}
        for name in part.document:
            inner = part.part(name)
            threshold = inner.number("threshold") if inner else None
            if inner is None or threshold is None:
                continue
            comparison = _COMPARISONS.get(str(inner.get("comparison_operator")))
            if comparison is None:
                inner.refuse(
                    "comparison_operator",
                    inner.get("comparison_operator"),
                    " or ".join(_COMPARISONS),
                )
            limits[name] = Limit(threshold, comparison)
        return cls(problem, limits)

    def violations(self, statistics: ModelQualityStatistics) -> tuple[Violation, ...]:
        """Metrics on the wrong side of their limit."""
        return tuple(
            Violation(
                limit.comparison,
                f"Metric {name} with {metric.value} was {limit.comparison} {limit.threshold}",
                metric=name,
            )
            for name, limit in self.limits.items()
            if (metric := statistics.metrics.get(name)) and limit.broken_by(metric.value)
        )


def comparison_of(metric: str) -> Comparison:
    """On which side of a limit a metric is worse."""
    return "GreaterThanThreshold" if metric in _BEST_SMALL else "LessThanThreshold"


def _part(whole: Members, what: str) -> tuple[ProblemType, Members]:
    for problem, stem in _STEMS.items():
        part = whole.part(f"{stem}_{what}")
        if part is not None:
            return problem, part
    accepted = ", ".join(f"{stem}_{what}" for stem in _STEMS.values())
    raise MonitorFileInvalid(
        f"{whole.place} is not of model quality; accepted is one of {accepted}."
    )


def _written(value: float) -> float | str:
    """Python writes NaN bare, which is no JSON; the analyzer writes it as a text."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
