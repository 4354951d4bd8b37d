"""A report's sections on model quality, bias and attribution as Model Monitor's files.

Each kind has files of its own, since each is a schedule of its own in Model Monitor. What a file
says is a violation goes by Model Monitor's rule, a value beyond its constraint; the section itself
goes by significance and by what matters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mlops_framework.drift.model_monitor_files.analysis import (
    SMALLEST_NDCG,
    Analysis,
    BiasMetric,
    FacetMetrics,
    attribution_violation,
)
from mlops_framework.drift.model_monitor_files.model_quality import (
    FEWEST_FOR_DEVIATION,
    Limit,
    Metric,
    ModelQualityConstraints,
    ModelQualityStatistics,
    comparison_of,
)
from mlops_framework.drift.model_monitor_files.violations import NAME, violations_document

CONSTRAINTS: Final = "constraints.json"
STATISTICS: Final = "statistics.json"
ANALYSIS: Final = "analysis.json"
LABEL: Final = "label0"
"""What Clarify calls the only label of a model whose labels have no headers."""
_THEIR_NAMES: Final = {"pr_auc": "au_prc"}

Files = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class FacetName:
    """A facet of a bias section, as Clarify names it.

    Attributes:
        facet: The column.
        value: Its values or threshold, as text.
    """

    facet: str
    value: str


def model_quality_files(section: Mapping[str, Any]) -> Files:
    """``statistics.json`` and what goes with it; none for a window without labels.

    Args:
        section: The report's member ``model_quality``.
    """
    rows = section["labels"]["compared"]
    lines = [line for line in section["metrics"] if line["window"] is not None]
    if not rows or not lines:
        return {}
    metrics = {
        _THEIR_NAMES.get(line["name"], line["name"]): _metric(line["window"], rows)
        for line in lines
    }
    for name, value in section["best_constant"].items():
        if value is not None:
            metrics[f"{name}_best_constant_classifier"] = Metric(value)
    confusion: dict[str, dict[str, int]] = {}
    for cell in section["confusion"]:
        confusion.setdefault(cell["label"], {})[cell["prediction"]] = cell["count"]
    curve = section["roc"]["window"]
    curves = {}
    if curve:
        curves["receiver_operating_characteristic_curve"] = {
            "false_positive_rates": [point[0] for point in curve],
            "true_positive_rates": [point[1] for point in curve],
        }
    statistics = ModelQualityStatistics(section["problem_type"], rows, metrics, confusion, curves)
    constraints = ModelQualityConstraints(section["problem_type"], dict(_limits(lines)))
    violations = constraints.violations(statistics)
    return {
        STATISTICS: statistics.to_document(),
        CONSTRAINTS: constraints.to_document(),
        NAME: violations_document(violations),
    }


def bias_files(section: Mapping[str, Any], facets: Mapping[str, FacetName], wanted: str) -> Files:
    """Clarify's ``analysis.json`` and what goes with it; none without any value.

    Args:
        section: The report's member ``bias``.
        facets: How Clarify names each facet of the section.
        wanted: The label that is good, as text.
    """
    now, before = (_bias(section, facets, wanted, member) for member in ("value", "baseline"))
    if not now.post_training:
        return {}
    return {
        ANALYSIS: now.to_document(),
        CONSTRAINTS: (before if before.post_training else now).to_document(),
        NAME: violations_document(before.bias_violations(now), clarify=True),
    }


def attribution_files(section: Mapping[str, Any]) -> Files:
    """Clarify's ``analysis.json`` and what goes with it; none without attributions.

    Args:
        section: The report's member ``attribution``.
    """
    now, before = (
        {
            feature["name"]: feature[member]
            for feature in section["features"]
            if feature[member] is not None
        }
        for member in ("window", "baseline")
    )
    if not now or section["ndcg"] is None:
        return {}
    ndcg = section["ndcg"]["value"]
    violations = [attribution_violation(LABEL, ndcg)] if ndcg < SMALLEST_NDCG else []
    return {
        ANALYSIS: Analysis(attributions={LABEL: now}).to_document(),
        CONSTRAINTS: Analysis(attributions={LABEL: before or now}).to_document(),
        NAME: violations_document(violations, clarify=True),
    }


def _metric(line: Mapping[str, Any], rows: int) -> Metric:
    value, error = line["value"], line["error"]
    deviation = error if rows >= FEWEST_FOR_DEVIATION else None
    nothing = float("nan")
    return Metric(nothing if value is None else value, nothing if deviation is None else deviation)


def _limits(lines: Sequence[Mapping[str, Any]]) -> Any:
    for line in lines:
        reference = line["reference"]["value"] if line["reference"] else None
        limit = line["threshold"] if line["threshold"] is not None else reference
        if limit is not None:
            name = _THEIR_NAMES.get(line["name"], line["name"])
            yield name, Limit(limit, comparison_of(name))


def _bias(
    section: Mapping[str, Any], facets: Mapping[str, FacetName], wanted: str, member: str
) -> Analysis:
    groups = []
    for facet in section["facets"]:
        named = facets.get(facet["name"], FacetName(facet["name"], ""))
        metrics = tuple(
            BiasMetric(metric["metric"], metric[member], metric["meaning"])
            for metric in facet["metrics"]
            if metric[member] is not None
        )
        if metrics:
            groups.append(FacetMetrics(named.facet, named.value, metrics))
    return Analysis("label", wanted, tuple(groups))
