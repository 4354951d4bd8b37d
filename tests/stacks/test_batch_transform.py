"""What the template of batch-transform decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mlops_framework.naming import PREDICTIONS_PREFIX
from tests.stacks.conftest import (
    Synthesized,
    properties,
    read_templates,
    resources,
    statements,
)

MODEL = {"Fn::GetAtt": ["ScoringModel", "ModelName"]}


@pytest.fixture(scope="module")
def template(dev: Synthesized) -> Mapping[str, Any]:
    return read_templates(dev.outdir / "catalogue", ("batch-transform",))["batch-transform"]


def rule(template: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return resources(template, "AWS::Events::Rule")[name]


def test_people_hear_of_a_job_that_failed_with_its_reason(template: Mapping[str, Any]) -> None:
    told = rule(template, "FailureRule")["Properties"]
    detail = told["EventPattern"]["detail"]
    (target,) = told["Targets"]

    assert detail == {"ModelName": [MODEL], "TransformJobStatus": ["Failed"]}
    assert target["InputTransformer"]["InputPathsMap"]["reason"] == "$.detail.FailureReason"


def test_what_arrives_is_scored_by_itself(template: Mapping[str, Any]) -> None:
    arrival = rule(template, "NewDataRule")
    (target,) = arrival["Properties"]["Targets"]
    given = target["SageMakerPipelineParameters"]["PipelineParameterList"]

    assert arrival["Condition"] == "StartsOnNewData"
    assert given == [{"Name": "InputKey", "Value": "$.detail.object.key"}]


def test_a_schedule_is_read_in_the_time_zone_of_the_request(template: Mapping[str, Any]) -> None:
    (schedule,) = resources(template, "AWS::Scheduler::Schedule").values()

    assert schedule["Condition"] == "RunsOnSchedule"
    assert schedule["Properties"]["ScheduleExpressionTimezone"] == {"Ref": "ScheduleTimezone"}


def test_each_role_does_its_own_part_alone(template: Mapping[str, Any]) -> None:
    does = {
        name: {
            action
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            for action in (
                [statement["Action"]]
                if isinstance(statement["Action"], str)
                else statement["Action"]
            )
        }
        for name, policy in resources(template, "AWS::IAM::Policy").items()
    }
    model, pipeline, schedule = (
        next(actions for name, actions in does.items() if name.startswith(role))
        for role in ("ModelRole", "PipelineRole", "ScheduleRole")
    )

    assert not {action for action in model if action.startswith("sagemaker:")}
    assert not {action for action in pipeline if action.startswith(("s3:", "iam:"))}
    assert schedule == {"sagemaker:StartPipelineExecution"}
    assert all("*" not in action for one in statements(template) for action in one["Action"])


def test_predictions_have_a_place_of_their_own_in_the_data_bucket(
    template: Mapping[str, Any],
) -> None:
    output = template["Outputs"]["OutputLocation"]["Value"]

    assert output["Fn::If"][0] == "NoOutputLocation"
    assert f"/{PREDICTIONS_PREFIX}/" in str(output)


def test_nothing_is_named_that_a_change_replaces(template: Mapping[str, Any]) -> None:
    (model,) = properties(template, "AWS::SageMaker::Model")

    assert "ModelName" not in model
