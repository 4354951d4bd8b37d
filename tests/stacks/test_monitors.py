"""What the templates of the four Model Monitor kinds decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mlops_framework.aws.model_monitor import NAMESPACE
from mlops_framework.model_monitor.runs import Run
from tests.stacks.conftest import ANALYZERS, Synthesized, properties, resources

UNTOLD = Run("monitor", "job", "healthy")


@pytest.fixture(params=ANALYZERS)
def template(request: pytest.FixtureRequest, dev: Synthesized) -> Mapping[str, Any]:
    return dev.blueprints[request.param]


def test_there_is_a_schedule_only_while_there_is_a_baseline(template: Mapping[str, Any]) -> None:
    (schedule,) = resources(template, "AWS::SageMaker::MonitoringSchedule").values()
    (definition,) = [
        resource
        for resource in template["Resources"].values()
        if "JobDefinition" in resource["Type"]
    ]

    assert (schedule["Condition"], definition["Condition"]) == ("HasBaseline", "HasBaseline")
    assert template["Conditions"]["HasBaseline"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "SettledBaseline"}, "none"]}]
    }
    assert template["Parameters"]["SettledBaseline"]["Default"] == "none"


def test_the_schedule_has_the_same_name_whatever_changes(template: Mapping[str, Any]) -> None:
    (schedule,) = properties(template, "AWS::SageMaker::MonitoringSchedule")

    assert schedule["MonitoringScheduleName"] == {"Ref": "MonitorName"}


def test_alarms_watch_the_numbers_that_runs_leave(template: Mapping[str, Any]) -> None:
    alarms = {
        alarm["MetricName"]: alarm for alarm in properties(template, "AWS::CloudWatch::Alarm")
    }

    assert alarms.keys() == UNTOLD.metrics().keys() == {"Violations", "FailedRuns", "Runs"}
    for alarm in alarms.values():
        assert alarm["Namespace"] == NAMESPACE
        assert {"Name": "Monitor", "Value": {"Ref": "MonitorName"}} in alarm["Dimensions"]
        assert len(alarm["AlarmActions"]) == 1
    assert (alarms["Violations"]["ComparisonOperator"], alarms["Violations"]["Threshold"]) == (
        "GreaterThanOrEqualToThreshold",
        1,
    )
    # A monitor that stops to look is silent, which is no number at all.
    assert alarms["Runs"]["TreatMissingData"] == "breaching"


def test_the_end_of_every_job_of_the_monitors_own_role_is_told(template: Mapping[str, Any]) -> None:
    (rule,) = properties(template, "AWS::Events::Rule")
    (definition,) = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if "JobDefinition" in resource["Type"]
    ]

    assert rule["EventPattern"]["detail"]["RoleArn"] == [definition["RoleArn"]]
    assert rule["EventPattern"]["detail"]["ProcessingJobStatus"] == [
        "Completed",
        "Failed",
        "Stopped",
    ]
