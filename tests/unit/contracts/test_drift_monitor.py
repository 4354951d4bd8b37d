"""What a drift-monitor request means beyond its fields."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_framework.blueprints.drift_monitor.contract import DriftMonitorRequest, silent_days
from mlops_framework.contracts.base import Place
from mlops_framework.errors import RequestInvalid

BODY: dict[str, Any] = {
    "pipeline_type": "drift-monitor",
    "model_name": "churn",
    "endpoint_name": "churn",
    "baseline_data": "s3://mlops-data/train.csv",
}


@pytest.mark.parametrize(
    ("schedule", "days"),
    [
        ("rate(5 minutes)", 1),
        ("rate(1 hour)", 1),
        ("rate(1 day)", 2),
        ("rate(7 days)", 7),
        ("rate(8 days)", 0),
        ("cron(0 * * * ? *)", 7),
    ],
)
def test_nobody_looking_is_an_alarm_after_two_intervals(schedule: str, days: int) -> None:
    assert silent_days(schedule) == days


def test_each_stage_has_its_own_silence() -> None:
    schedules = {"dev": "rate(1 day)", "prod": "rate(1 hour)"}
    request = DriftMonitorRequest.model_validate(BODY | {"schedule_expression": schedules})
    assert [request.parameter_value("silent_days", stage) for stage in schedules] == [2, 1]


def test_what_lies_where_nobody_may_read_is_refused_by_name_before_anything_is_made() -> None:
    place = Place("us-east-1", "aws", "111122223333", "mlops-data", "mlops-test")
    within = {
        "capture_location": {"dev": "", "prod": "s3://mlops-data/captures/eu"},
        "ground_truth": {"problem_type": "BinaryClassification", "probability_attribute": "0"},
        "ground_truth_location": "s3://mlops-data/labels",
    }
    asked = DriftMonitorRequest.model_validate(BODY | within)
    assert asked.resolved(place) == asked

    elsewhere = within | {
        "capture_location": {"dev": "", "prod": "s3://mlops-data-2/captures"},
        "ground_truth_location": "s3://theirs/labels",
    }
    with pytest.raises(RequestInvalid) as refused:
        DriftMonitorRequest.model_validate(BODY | elsewhere).resolved(place)
    captures, labels = refused.value.faults
    assert captures.path == "capture_location.prod"
    assert "in the bucket mlops-data-2; drift monitors read mlops-data alone" in captures.message
    assert (labels.path, labels.found) == ("ground_truth_location", '"s3://theirs/labels"')
    assert labels.accepted == "a location in s3://mlops-data/, or empty"
