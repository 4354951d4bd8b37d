"""What is written is as Model Monitor's schemas say, and tells what was counted."""

from __future__ import annotations

import json
import math
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.errors import MonitorFileInvalid
from mlops_framework.drift.model_monitor_files import Constraints, NumberStatistics, Statistics
from mlops_framework.drift.model_monitor_files.analysis import (
    Analysis,
    BiasMetric,
    FacetMetrics,
    attribution_violation,
)
from mlops_framework.drift.model_monitor_files.counted import (
    baseline_statistics,
    suggested_constraints,
    window_statistics,
)
from mlops_framework.drift.model_monitor_files.model_quality import (
    Limit,
    Metric,
    ModelQualityConstraints,
    ModelQualityStatistics,
)
from mlops_framework.drift.model_monitor_files.schemas import Name, schema
from mlops_framework.drift.model_monitor_files.sketch import levels_of, points_of
from mlops_framework.drift.model_monitor_files.violations import (
    Violation,
    read_violations,
    violations_document,
)
from mlops_framework.drift.values import Numbers, Values, texts_of
from tests.unit.drift.conftest import profile_of_rows, rows_of

SOURCE = "a file"


def valid(name: Name, document: Any) -> Any:
    """The document as a reader gets it, once it is held against its schema."""
    text = json.dumps(document, allow_nan=False)
    jsonschema.Draft202012Validator(schema(name)).validate(json.loads(text))
    return json.loads(text)


def columns(rows: int = 4000, seed: int = 1) -> dict[str, Values]:
    source = np.random.default_rng(seed)
    gaps = source.normal(50, 10, rows)
    gaps[: rows // 100] = np.nan
    return {
        "income": Numbers(gaps),
        "visits": Numbers(source.poisson(400, rows).astype(float)),
        "flag": Numbers((source.random(rows) < 0.3).astype(float)),
        "colour": texts_of(source.choice(["red", "green", "blue"], rows).tolist()),
        "nothing": Numbers(np.full(rows, np.nan)),
        "code": texts_of([f"c{number}" for number in source.integers(0, 3000, rows)]),
    }


@pytest.fixture(scope="module")
def big() -> Baseline:
    return Baseline.of_columns(columns(), source="test")


def test_statistics_of_training_data_are_as_their_schema_says(big: Baseline) -> None:
    document = valid("statistics", baseline_statistics(big))

    kinds = {feature["name"]: feature["inferred_type"] for feature in document["features"]}
    assert kinds == {
        "income": "Fractional",
        "visits": "Integral",
        "flag": "Integral",
        "colour": "String",
        "nothing": "Unknown",
        "code": "String",
    }
    income = document["features"][0]["numerical_statistics"]
    values = columns()["income"]
    assert isinstance(values, Numbers)
    assert income["common"] == {"num_present": 3960, "num_missing": 40}
    assert income["mean"] == pytest.approx(np.nanmean(values.values))
    assert income["std_dev"] == pytest.approx(np.nanstd(values.values))
    assert income["sum"] == pytest.approx(np.nansum(values.values))
    assert sum(bucket["count"] for bucket in income["distribution"]["kll"]["buckets"]) == 3960


def test_buckets_are_of_equal_width_and_hold_the_maximum(big: Baseline) -> None:
    feature = baseline_statistics(big)["features"][2]["numerical_statistics"]
    buckets = feature["distribution"]["kll"]["buckets"]

    widths = {round(bucket["upper_bound"] - bucket["lower_bound"], 9) for bucket in buckets}
    assert widths == {0.1}
    assert [bucket["count"] for bucket in buckets[1:9]] == [0] * 8
    assert buckets[0]["count"] + buckets[9]["count"] == 4000


def test_texts_are_counted_by_value_most_frequent_first(big: Baseline) -> None:
    feature = baseline_statistics(big)["features"][3]["string_statistics"]
    buckets = feature["distribution"]["categorical"]["buckets"]

    assert {bucket["value"] for bucket in buckets} == {"red", "green", "blue"}
    assert [bucket["count"] for bucket in buckets] == sorted(
        (bucket["count"] for bucket in buckets), reverse=True
    )
    assert feature["distinct_count"] == 3.0


def test_a_baseline_made_again_of_its_own_statistics_has_the_same_distributions(
    big: Baseline,
) -> None:
    read = Statistics.from_document(valid("statistics", baseline_statistics(big)), SOURCE)

    for column, feature in zip(big.columns[:3], read.features[:3], strict=True):
        assert isinstance(feature, NumberStatistics)
        values = feature.values().values
        below = np.searchsorted(np.sort(values[~np.isnan(values)]), column.spec.edges)
        exact = np.cumsum(column.counts.cells)[:-1]
        assert np.abs(below - exact).max() <= 0.005 * column.counts.valid
        assert np.nanmin(values) == column.counts.minimum
        assert np.nanmax(values) == column.counts.maximum


def test_a_window_is_written_with_its_own_counts(baseline: Baseline) -> None:
    profile = profile_of_rows(baseline, rows_of(300, 2, shift=100))

    document = valid("statistics", window_statistics(baseline, profile))

    assert document["dataset"]["item_count"] == 300
    income = document["features"][0]["numerical_statistics"]
    assert income["mean"] == pytest.approx(140, abs=3)
    values, weights = points_of(income["distribution"]["kll"]["sketch"]["data"])
    assert weights.sum() == 300
    assert values.min() == income["min"]
    assert values.max() == income["max"]


def test_a_window_without_rows_is_written_too(baseline: Baseline) -> None:
    document = valid("statistics", window_statistics(baseline, profile_of_rows(baseline, [])))

    assert {feature["inferred_type"] for feature in document["features"]} == {"Unknown"}


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.floats(-1e6, 1e6).map(lambda number: number + 0.0),
        st.integers(1, 10_000),
        min_size=1,
        max_size=60,
    ),
    st.integers(8, 200),
)
def test_a_sketch_keeps_the_number_of_rows_and_few_enough_items(
    counts: dict[float, int], most: int
) -> None:
    values = np.array(sorted(counts))
    weights = np.array([counts[value] for value in values], np.int64)

    levels = levels_of(values, weights, most=most)

    found, again = points_of(levels)
    assert again.sum() == weights.sum()
    assert set(found) <= set(values)
    assert sum(map(len, levels)) <= max(most, len(levels))


def test_what_the_training_data_suggests_is_as_the_schema_says(big: Baseline) -> None:
    suggested = suggested_constraints(big)

    document = valid("constraints", suggested.to_document())

    assert Constraints.from_document(document, SOURCE) == suggested
    by_name = {feature.name: feature for feature in suggested.features}
    assert by_name["income"].completeness == 0.99
    assert by_name["visits"].non_negative
    assert set(by_name["colour"].domains or ()) == {"red", "green", "blue"}
    assert by_name["code"].domains is None


def quality() -> ModelQualityStatistics:
    return ModelQualityStatistics(
        "BinaryClassification",
        500,
        {
            "accuracy": Metric(0.8, 0.01),
            "false_positive_rate": Metric(0.1),
            "auc": Metric(math.nan),
        },
        {"0": {"0": 300, "1": 50}, "1": {"0": 50, "1": 100}},
        {"precision_recall_curve": {"precisions": [1.0, 0.5], "recalls": [0.0, 1.0]}},
    )


def test_model_quality_is_written_and_read_back() -> None:
    document = valid("model_quality_statistics", quality().to_document())

    again = ModelQualityStatistics.from_document(document, SOURCE)

    assert document["binary_classification_metrics"]["auc"]["value"] == "NaN"
    assert again.metrics["accuracy"] == Metric(0.8, 0.01)
    assert math.isnan(again.metrics["auc"].value)
    assert (again.confusion, again.curves) == (quality().confusion, quality().curves)


def test_metrics_on_the_wrong_side_of_their_limit_are_violations_in_the_analyzers_words() -> None:
    limits = ModelQualityConstraints(
        "BinaryClassification",
        {
            "accuracy": Limit(0.8, "LessThanThreshold"),
            "false_positive_rate": Limit(0.1, "GreaterThanThreshold"),
        },
    )
    again = ModelQualityConstraints.from_document(
        valid("model_quality_constraints", limits.to_document()), SOURCE
    )
    worse = {"accuracy": Metric(0.7), "false_positive_rate": Metric(0.2), "auc": Metric(0.5)}
    violations = again.violations(ModelQualityStatistics("BinaryClassification", 9, worse))

    document = valid("constraint_violations", violations_document(violations))

    assert document["violations"] == [
        {
            "constraint_check_type": "LessThanThreshold",
            "description": "Metric accuracy with 0.7 was LessThanThreshold 0.8",
            "metric_name": "accuracy",
        },
        {
            "constraint_check_type": "GreaterThanThreshold",
            "description": "Metric false_positive_rate with 0.2 was GreaterThanThreshold 0.1",
            "metric_name": "false_positive_rate",
        },
    ]


def facets(**values: float) -> Analysis:
    metrics = tuple(BiasMetric(name, value) for name, value in values.items())
    return Analysis("approved", "1", (FacetMetrics("age", "40", metrics),))


def test_bias_is_written_read_back_and_compared_by_the_distance_from_its_ideal() -> None:
    training = facets(DPPL=-0.05, DI=0.9, AD=0.2)
    document = valid("analysis", training.to_document())
    again = Analysis.from_document(document, SOURCE)

    violations = again.bias_violations(facets(DPPL=0.06, DI=0.95, AD=0.1, TE=3.0))

    assert valid("constraint_violations", violations_document(violations)) == {
        "version": "1.0",
        "violations": [
            {
                "facet": "age",
                "facet_value": "40",
                "metric_name": "DPPL",
                "constraint_check_type": "bias_drift_check",
                "description": "Value 0.06 does not meet the constraint requirement",
            }
        ],
    }


def test_attributions_are_written_and_read_back() -> None:
    found = Analysis(attributions={"label0": {"age": 0.3, "income": 0.1}}, expected={"label0": 0.5})

    again = Analysis.from_document(valid("analysis", found.to_document()), SOURCE)

    assert again == found
    entry = violations_document([attribution_violation("label0", 0.76)])
    assert valid("constraint_violations", entry)["violations"][0]["description"] == (
        "Feature attribution drift 0.76 exceeds threshold 0.9"
    )


def test_violations_of_every_kind_are_read_back() -> None:
    violations = (
        Violation("data_type_check", "wrong", feature="age"),
        Violation("LessThanThreshold", "low", metric="f1"),
        Violation("bias_drift_check", "far", metric="DI", facet="sex", facet_value="F"),
        attribution_violation("label0", 0.5),
    )
    documents = [violations_document([violation]) for violation in violations]

    read = tuple(found for each in documents for found in read_violations(each, SOURCE))

    assert read == violations
    assert [violation.subject for violation in read] == ["age", "f1", "sex=F DI", "label0"]


@pytest.mark.parametrize(
    ("read", "wrong", "said"),
    [
        (ModelQualityStatistics.from_document, {"features": []}, "is not of model quality"),
        (Analysis.from_document, {"version": "1.0"}, "holds neither"),
        (
            ModelQualityConstraints.from_document,
            {"regression_constraints": {"mae": {"threshold": 1, "comparison_operator": "Above"}}},
            'comparison_operator is "Above"; accepted is LessThanThreshold or GreaterThan',
        ),
    ],
)
def test_a_file_of_another_kind_is_refused_by_what_it_lacks(
    read: Any, wrong: Any, said: str
) -> None:
    with pytest.raises(MonitorFileInvalid, match=said):
        read(wrong, SOURCE)
