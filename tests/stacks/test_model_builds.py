"""What the templates of training, tuning and autopilot decide."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.stacks.conftest import Synthesized, read_templates, resources

KINDS = ("training", "tuning", "autopilot")


@pytest.fixture(scope="module")
def templates(dev: Synthesized) -> Mapping[str, Any]:
    return read_templates(dev.outdir / "catalogue", KINDS)


@pytest.fixture(params=KINDS)
def template(request: pytest.FixtureRequest, templates: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = templates[request.param]
    return found


def test_time_data_and_drift_start_a_build_as_far_as_the_request_says(
    template: Mapping[str, Any],
) -> None:
    rules = resources(template, "AWS::Events::Rule")
    (schedule,) = resources(template, "AWS::Scheduler::Schedule").values()
    conditions = template["Conditions"]
    new_data = rules["NewDataRule"]
    arrives = new_data["Properties"]["EventPattern"]["detail"]

    assert arrives == {
        "bucket": {"name": [{"Ref": "NewDataBucket"}]},
        "object": {"key": [{"wildcard": {"Ref": "NewDataKeys"}}]},
    }
    assert conditions[new_data["Condition"]] == {"Fn::Equals": [{"Ref": "StartOnNewData"}, "true"]}
    assert conditions[schedule["Condition"]] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "ScheduleExpression"}, ""]}]
    }
    assert "Condition" not in rules["RetrainingRule"]


def test_what_the_schedule_needs_is_there_only_with_the_schedule(
    template: Mapping[str, Any],
) -> None:
    conditions = {
        name: each.get("Condition")
        for name, each in template["Resources"].items()
        if name.startswith("ScheduleRole")
    }

    assert len(conditions) == 2
    assert set(conditions.values()) == {"StartsOnSchedule"}


def test_jobs_read_what_the_request_names_and_no_more(template: Mapping[str, Any]) -> None:
    policies = resources(template, "AWS::IAM::Policy")
    objects, buckets = policies["ReadPolicy"]["Properties"]["PolicyDocument"]["Statement"]

    assert objects["Action"] == ["s3:GetObject", "s3:GetObjectVersion"]
    assert {"Ref": "ReadLocations"} in _values(objects["Resource"])
    assert {"Ref": "ReadBuckets"} in _values(buckets["Resource"])


@pytest.mark.parametrize(("kind", "step"), [("training", "Train"), ("tuning", "Tune")])
def test_the_request_decides_how_the_model_is_judged(
    templates: Mapping[str, Any], kind: str, step: str
) -> None:
    (pipeline,) = resources(templates[kind], "AWS::SageMaker::Pipeline").values()
    body = pipeline["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"]

    without_script, (ungated, by_own_metric), by_script = (
        body["Fn::If"][0],
        body["Fn::If"][1]["Fn::If"][1:],
        body["Fn::If"][2],
    )

    assert without_script == "NoEvaluationScript"
    assert _steps(ungated) == [step, "Register"]
    assert _steps(by_own_metric) == [step, "Gate"]
    assert _steps(by_script) == [step, "Evaluate", "Gate"]


def test_a_search_is_encrypted_with_the_key_of_the_request_or_the_platform(
    templates: Mapping[str, Any],
) -> None:
    (machine,) = resources(templates["autopilot"], "AWS::StepFunctions::StateMachine").values()
    text, variables = machine["Properties"]["DefinitionString"]["Fn::Sub"]

    assert text.count("${KeyArn}") == 2
    assert variables["KeyArn"]["Fn::If"][0] == "NoKmsKeyArn"
    assert variables["KeyArn"]["Fn::If"][2] == {"Ref": "KmsKeyArn"}


def _steps(body: Mapping[str, Any]) -> list[str]:
    """Names of the steps at the top of a definition, each variable put in as a number."""
    text, variables = body["Fn::Sub"]
    for option in [name for name in variables if name.endswith(("Member", "Members"))]:
        text = text.replace(f"${{{option}}}", "")
    return [step["Name"] for step in json.loads(re.sub(r"\$\{[^}]+\}", "0", text))["Steps"]]


def _values(value: Any) -> list[Any]:
    found = [value]
    if isinstance(value, Mapping):
        for inner in value.values():
            found += _values(inner)
    elif isinstance(value, list):
        for inner in value:
            found += _values(inner)
    return found
