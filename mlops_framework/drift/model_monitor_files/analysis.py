"""Clarify's ``analysis.json``: bias metrics by facet, global attributions by label.

The monitors of bias and of attribution have it as their ``constraints.json``: a baseline is what
Clarify found in the training data. Sources: SageMaker developer guide, "Bias Drift Violations",
"Feature Attribution Drift Violations" and "Clarify processing job output".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from mlops_framework.drift.errors import MonitorFileInvalid
from mlops_framework.drift.model_monitor_files.members import Members
from mlops_framework.drift.model_monitor_files.violations import ATTRIBUTION, BIAS, Violation

VERSION: Final = "1.0"
SMALLEST_NDCG: Final = 0.9
"""Below it the ranking of the attributions has drifted; Clarify's threshold cannot be changed."""
_STAGES: Final = ("post_training_bias_metrics", "pre_training_bias_metrics")


@dataclass(frozen=True)
class BiasMetric:
    """A metric of one facet.

    Attributes:
        name: Short name, for example ``DPPL``.
        value: Its value; ``None`` where it is not defined.
        description: Long name.
    """

    name: str
    value: float | None
    description: str = ""


@dataclass(frozen=True)
class FacetMetrics:
    """The metrics of one facet.

    Attributes:
        facet: The column.
        value: Its value or threshold, as text.
        metrics: In the file's order.
    """

    facet: str
    value: str
    metrics: tuple[BiasMetric, ...]


@dataclass(frozen=True)
class Analysis:
    """What Clarify found.

    Attributes:
        label: Name of the label.
        label_value: The value or threshold of the label that is wanted, as text.
        post_training: Metrics of predictions, by facet.
        pre_training: Metrics of the data, by facet.
        attributions: Mean of the absolute attributions, by label and feature.
        expected: The model's answer to the SHAP baseline, by label.
    """

    label: str = ""
    label_value: str = ""
    post_training: tuple[FacetMetrics, ...] = ()
    pre_training: tuple[FacetMetrics, ...] = ()
    attributions: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    expected: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_document(cls, document: Any, source: str) -> Self:
        """Read the decoded file.

        Raises:
            MonitorFileInvalid: If it is not as its schema says, or holds neither.
        """
        whole = Members.of(document, source)
        stages = [whole.part(stage) for stage in _STAGES]
        post, pre = (_facets(stage) for stage in stages)
        said = next((stage for stage in stages if stage is not None), None)
        attributions, expected = _explanations(whole)
        if said is None and not attributions:
            raise MonitorFileInvalid(
                f"{source} holds neither {' nor '.join(_STAGES)} nor explanations.kernel_shap; "
                "accepted is what a baseline job of Clarify wrote (analysis.json)."
            )
        return cls(
            _text(said, "label"),
            _text(said, "label_value_or_threshold"),
            post,
            pre,
            attributions,
            expected,
        )

    def to_document(self) -> dict[str, Any]:
        """The file."""
        document: dict[str, Any] = {"version": VERSION}
        for stage, facets in zip(_STAGES, (self.post_training, self.pre_training), strict=True):
            if facets:
                document[stage] = {
                    "label": self.label,
                    "label_value_or_threshold": self.label_value,
                    "facets": _by_facet(facets),
                }
        if self.attributions:
            document["explanations"] = {
                "kernel_shap": {
                    label: {"global_shap_values": dict(values)}
                    | ({"expected_value": self.expected[label]} if label in self.expected else {})
                    for label, values in self.attributions.items()
                }
            }
        return document

    def bias_violations(self, now: Analysis) -> tuple[Violation, ...]:
        """Metrics that are farther from their ideal than in this analysis.

        The ideal is 1 for the disparate impact ``DI`` and 0 for every other metric. Clarify also
        asks that the metric's confidence interval leaves the allowed range; without an interval
        the value alone decides.
        """
        allowed = {
            (facet.facet, facet.value, metric.name): metric.value
            for facet in (*self.pre_training, *self.post_training)
            for metric in facet.metrics
        }
        return tuple(
            Violation(
                BIAS,
                f"Value {metric.value} does not meet the constraint requirement",
                metric=metric.name,
                facet=facet.facet,
                facet_value=facet.value,
            )
            for facet in (*now.pre_training, *now.post_training)
            for metric in facet.metrics
            if _farther(metric, allowed.get((facet.facet, facet.value, metric.name)))
        )


def attribution_violation(label: str, ndcg: float) -> Violation:
    """The entry for a label whose attributions are ranked otherwise than in training."""
    return Violation(
        ATTRIBUTION,
        f"Feature attribution drift {ndcg} exceeds threshold {SMALLEST_NDCG}",
        metric="shap",
        label=label,
    )


def _farther(metric: BiasMetric, allowed: float | None) -> bool:
    if metric.value is None or allowed is None:
        return False
    ideal = 1.0 if metric.name == "DI" else 0.0
    return abs(metric.value - ideal) > abs(allowed - ideal)


def _facets(stage: Members | None) -> tuple[FacetMetrics, ...]:
    facets = stage.part("facets") if stage else None
    if facets is None:
        return ()
    return tuple(
        FacetMetrics(
            facet,
            _text(group, "value_or_threshold"),
            tuple(
                BiasMetric(
                    metric.text("name"), metric.number("value"), _text(metric, "description")
                )
                for metric in group.parts("metrics")
            ),
        )
        for facet in facets.document
        for group in facets.parts(facet)
    )


def _by_facet(facets: Sequence[FacetMetrics]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for group in facets:
        metrics = [
            {
                "name": metric.name,
                "description": metric.description or metric.name,
                "value": metric.value if _is_number(metric.value) else None,
            }
            for metric in group.metrics
        ]
        entry = {"value_or_threshold": group.value, "metrics": metrics}
        found.setdefault(group.facet, []).append(entry)
    return found


def _explanations(
    whole: Members,
) -> tuple[Mapping[str, Mapping[str, float]], Mapping[str, float]]:
    explanations = whole.part("explanations")
    labels = explanations.part("kernel_shap") if explanations else None
    found: dict[str, Mapping[str, float]] = {}
    expected: dict[str, float] = {}
    for label in labels.document if labels else ():
        part = labels.part(label) if labels else None
        values = part.part("global_shap_values") if part else None
        if part is None or values is None:
            continue
        numbers = {name: values.number(name) for name in values.document}
        found[label] = {name: value for name, value in numbers.items() if value is not None}
        if isinstance(part.get("expected_value"), int | float):
            expected[label] = float(part.get("expected_value"))
    return found, expected


def _text(members: Members | None, name: str) -> str:
    value = members.get(name) if members else None
    return "" if value is None else str(value)


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
