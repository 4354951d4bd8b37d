"""From a file of metrics to the metric groups of a model card.

The files are those that SageMaker Clarify and Model Monitor write, and the card's own form.
Sources: *Amazon SageMaker Developer Guide*, "Analysis results" of Clarify, "Model quality metrics
and CloudWatch monitoring" of Model Monitor.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from mlops_framework.contracts.model_cards.requests import MetricType

Group = dict[str, Any]
_CURVES: Final = {
    "receiver_operating_characteristic_curve": ("false_positive_rates", "true_positive_rates"),
    "precision_recall_curve": ("recalls", "precisions"),
}
"""Curve of Model Monitor to what is on its axes, x and y."""


class MetricsUnreadable(ValueError):
    """The file is not what its metric_type says; the message says what was looked for."""


def metric_groups(metric_type: MetricType, document: Any) -> list[Group]:
    """The metric groups in a decoded file.

    Args:
        metric_type: What wrote the file.
        document: Its JSON.

    Returns:
        Groups in the card's form; numbers that the file leaves open (null, NaN) are left out.

    Raises:
        MetricsUnreadable: If the file is of another form.
    """
    if not isinstance(document, Mapping):
        raise MetricsUnreadable("the file holds no JSON object")
    try:
        groups = [group for group in _READERS[metric_type](document) if group["metric_data"]]
    except (AttributeError, IndexError, KeyError, TypeError) as fault:
        raise MetricsUnreadable(f"something is missing or of another form: {fault!r}") from None
    if not groups:
        raise MetricsUnreadable("there is no metric in it")
    return groups


def _own_form(document: Mapping[str, Any]) -> Iterator[Group]:
    groups = document.get("metric_groups")
    if not isinstance(groups, list):
        raise MetricsUnreadable("it has no list metric_groups")
    yield from groups


def _bias(document: Mapping[str, Any]) -> Iterator[Group]:
    sections = {
        name: section
        for name, section in document.items()
        if isinstance(section, Mapping) and "facets" in section
    }
    if not sections:
        raise MetricsUnreadable("it has no bias metrics with facets")
    for name, section in sections.items():
        label = f"label {section.get('label', '')} = {section.get('label_value_or_threshold', '')}"
        for facet, values in section["facets"].items():
            for value in values:
                where = f"facet {facet} = {value['value_or_threshold']}"
                yield _group(
                    f"{name} - {label} and {where}",
                    *(_number(one["name"], one.get("value")) for one in value["metrics"]),
                )


def _explainability(document: Mapping[str, Any]) -> Iterator[Group]:
    explanations = document.get("explanations")
    if not isinstance(explanations, Mapping):
        raise MetricsUnreadable("it has no object explanations")
    for label, parts in explanations.get("kernel_shap", {}).items():
        yield _group(
            f"SHAP values - label {label}",
            *(_number(name, value) for name, value in parts.get("global_shap_values", {}).items()),
        )
        for feature, words in parts.get("global_top_shap_text", {}).items():
            yield _group(
                f"SHAP values of text - label {label}, feature {feature}",
                *(_number(word, value) for word, value in words.items()),
            )
    yield _group(
        "Partial dependence",
        *(metric for each in explanations.get("pdp", ()) for metric in _dependence(each)),
    )


def _dependence(feature: Mapping[str, Any]) -> Iterator[list[Group]]:
    name, values = str(feature["feature_name"]), feature["feature_values"]
    is_curve = feature["data_type"] == "numerical"
    series = [("distribution", feature.get("data_distribution", []))]
    series += [
        (f"prediction of {label}", predicted)
        for label, predicted in zip(
            feature["label_headers"], feature["model_predictions"], strict=False
        )
    ]
    for what, measured in series:
        if not measured:
            continue
        yield [
            {
                "name": f"{name}: {what}",
                "type": "linear_graph" if is_curve else "bar_chart",
                "value": _pairs(values, measured) if is_curve else list(measured),
                "x_axis_name": name if is_curve else [str(value) for value in values],
                "y_axis_name": what[:63],
            }
        ]


def _regression(document: Mapping[str, Any]) -> Iterator[Group]:
    yield _quality(document, "regression_metrics")


def _binary(document: Mapping[str, Any]) -> Iterator[Group]:
    yield _quality(document, "binary_classification_metrics")


def _multiclass(document: Mapping[str, Any]) -> Iterator[Group]:
    yield _quality(document, "multiclass_classification_metrics")


def _quality(document: Mapping[str, Any], section: str) -> Group:
    measured = document.get(section)
    if not isinstance(measured, Mapping):
        raise MetricsUnreadable(f"it has no object {section}")
    return _group(section, *(_measure(name, one) for name, one in measured.items()))


def _measure(name: str, measured: Mapping[str, Any]) -> list[Group]:
    if name == "confusion_matrix":
        return [_matrix(name, measured)]
    if name in _CURVES:
        x, y = _CURVES[name]
        return [
            {
                "name": name,
                "type": "linear_graph",
                "value": _pairs(measured[x], measured[y]),
                "x_axis_name": x,
                "y_axis_name": y,
            }
        ]
    return [
        *_number(name, measured["value"]),
        *_number(f"{name} - standard deviation", measured.get("standard_deviation")),
    ]


def _matrix(name: str, measured: Mapping[str, Any]) -> Group:
    """Rows are what was true, columns what was predicted, in the file's order."""
    columns = list(dict.fromkeys(key for row in measured.values() for key in row))
    return {
        "name": name,
        "type": "matrix",
        "value": [[row.get(column, 0) for column in columns] for row in measured.values()],
        "x_axis_name": [str(key) for key in columns],
        "y_axis_name": [str(key) for key in measured],
    }


def _group(name: str, *metrics: Sequence[Group]) -> Group:
    return {"name": name[:255], "metric_data": [one for some in metrics for one in some]}


def _number(name: str, value: Any) -> list[Group]:
    """One metric; none where the file has no number, as Model Monitor writes without bootstrap."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return []
    return [{"name": str(name), "type": "number", "value": value}]


def _pairs(x: Sequence[Any], y: Sequence[Any]) -> list[list[Any]]:
    return [[one, other] for one, other in zip(x, y, strict=False)]


_READERS: Final[Mapping[MetricType, Callable[[Mapping[str, Any]], Iterator[Group]]]] = {
    "model_card_metric_schema": _own_form,
    "clarify_bias": _bias,
    "clarify_explainability": _explainability,
    "regression": _regression,
    "binary_classification": _binary,
    "multiclass_classification": _multiclass,
}
