"""What a drift-monitor request means beyond its fields."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_framework.blueprints.drift_monitor.contract import DriftMonitorRequest, silent_days

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
