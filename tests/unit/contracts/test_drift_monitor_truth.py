"""What a drift-monitor request may say of labels."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from mlops_framework.blueprints.drift_monitor import truth
from mlops_framework.blueprints.drift_monitor.contract import DriftMonitorRequest
from mlops_framework.blueprints.drift_monitor.truth import METRICS, label_prefix
from mlops_framework.drift import config
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.errors import MonitorInvalid
from mlops_framework.drift.ground_truth import settings
from mlops_framework.testing.drift import MONITOR

REQUEST: dict[str, Any] = {
    "pipeline_type": "drift-monitor",
    "model_name": "churn",
    "endpoint_name": "churn",
    "baseline_data": "s3://data/train.csv",
}
TRUTH = {"problem_type": "BinaryClassification", "probability_attribute": "0"}

SEVERAL = {
    "problem_type": "MulticlassClassification",
    "probabilities": {"a": "0", "b": "predictions[1]"},
}


def test_requests_are_checked_by_what_the_engine_knows() -> None:
    assert dict(METRICS) == dict(settings.METRICS)
    assert truth.MOST_LABELLED_WINDOWS == config.MOST_LABELLED_WINDOWS


@pytest.mark.parametrize("minutes", [1, {"dev": 60, "prod": 1}])
def test_more_windows_than_can_wait_for_labels_are_refused(minutes: Any) -> None:
    waiting = TRUTH | {"label_horizon_hours": 100}
    body = {"ground_truth": waiting, "ground_truth_location": "s3://data/labels"}
    with pytest.raises(ValidationError, match="6,000 windows that wait for labels"):
        DriftMonitorRequest.model_validate(REQUEST | body | {"window_minutes": minutes})
    document = MONITOR.to_document() | body | {"window_minutes": 1}
    with pytest.raises(MonitorInvalid, match="6,000 windows"):
        MonitorConfig.from_document(document, "x")


@pytest.mark.parametrize(
    "asked",
    [
        TRUTH | {"thresholds": {"accuracy": 0.8}, "minimum_labels": 50, "positive_label": "yes"},
        SEVERAL | {"thresholds": {"weighted_auc": 0.9}, "label_attribute": "truth.label"},
    ],
)
def test_what_a_request_says_is_what_the_service_reads(asked: dict[str, Any]) -> None:
    request = DriftMonitorRequest.model_validate(REQUEST | {"ground_truth": asked})
    assert request.ground_truth is not None
    document = MONITOR.to_document() | {"ground_truth": request.ground_truth.model_dump()}
    read = MonitorConfig.from_document(document, "x")
    assert read.ground_truth is not None
    assert read.ground_truth.to_document() == asked
    again = MonitorConfig.from_document(read.to_document(), "x")
    assert again == read


def test_left_out_it_is_off() -> None:
    document = MONITOR.to_document() | {"ground_truth": {}, "ground_truth_location": ""}
    assert MonitorConfig.from_document(document, "x").ground_truth is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"problem_type": "BinaryClassification"}, "where the prediction is"),
        ({"problem_type": "Regression", "probability_attribute": "0"}, "no positive class"),
        (TRUTH | {"thresholds": {"mae": 1.0}}, "Not a metric of a BinaryClassification"),
        (TRUTH | {"baseline_probability_attribute": "p"}, "give both or neither"),
        (TRUTH | {"minimum_labels": 3}, "minimum_labels"),
        (TRUTH | {"probabilities": {"a": "0", "b": "1"}}, "of a BinaryClassification leave it out"),
        (SEVERAL | {"probabilities": {"a": "0"}}, "name each class of the model"),
        (SEVERAL | {"probabilities": {"a": "0", "b": " "}}, "probabilities.b"),
        (
            SEVERAL
            | {
                "baseline_probabilities": {"a": "p", "c": "q"},
                "baseline_ground_truth_attribute": "was",
            },
            "name the same classes",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DriftMonitorRequest.model_validate(REQUEST | {"ground_truth": wrong})


def test_labels_without_saying_what_is_predicted_are_refused() -> None:
    with pytest.raises(ValidationError, match="Required with ground_truth_location"):
        DriftMonitorRequest.model_validate(REQUEST | {"ground_truth_location": "s3://data/labels"})


@pytest.mark.parametrize(
    ("location", "prefix"),
    [("s3://data/labels/churn", "labels/churn/"), ("s3://data/labels/", "labels/"), ("", "")],
)
def test_the_rule_listens_below_the_location(location: str, prefix: str) -> None:
    assert label_prefix(location) == prefix
