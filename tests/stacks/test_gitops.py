"""A Git source's CodePipeline, in each of its three forms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from mlops_framework.environments.loader import load_environment
from mlops_framework.environments.models import EnvironmentConfig
from stacks.gitops_stack import GitOpsStack
from tests.stacks.conftest import ROOT, properties, statements

CONNECTION = (
    "arn:aws:codeconnections:us-east-1:111122223333:connection/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
)
SOURCES = (
    {"name": "models", "connection_arn": CONNECTION, "repository": "acme/models"},
    {"name": "house", "repository": "house-models", "approval": False, "prune": True},
    {"name": "zipped", "archive": "git/models.zip"},
)


@pytest.fixture(scope="module")
def stack() -> GitOpsStack:
    base = load_environment("dev", ROOT / "environments").model_dump()
    config = EnvironmentConfig.model_validate(base | {"git_sources": SOURCES})
    app = cdk.App(builtin_cloud_formation_validation=False)
    return GitOpsStack(app, "GitOps", config=config)


@pytest.fixture(scope="module")
def template(stack: GitOpsStack) -> Mapping[str, Any]:
    return Template.from_stack(stack).to_json()


def pipeline(template: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    (found,) = [
        each
        for each in properties(template, "AWS::CodePipeline::Pipeline")
        if each["Name"].endswith(name)
    ]
    return found


def actions(template: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [
        action
        for stage in pipeline(template, name)["Stages"]
        for action in sorted(stage["Actions"], key=lambda action: action["RunOrder"])
    ]


def test_a_plan_is_shown_and_approved_before_anything_is_applied(
    template: Mapping[str, Any],
) -> None:
    by_name = {action["Name"]: action for action in actions(template, "models")}

    assert list(by_name) == ["Source", "Plan", "Approve", "Apply"]
    approval = by_name["Approve"]["Configuration"]
    assert "#{Plan.Summary}" in approval["CustomData"]
    assert approval["ExternalEntityLink"] == "#{Plan.Link}"
    assert by_name["Apply"]["InputArtifacts"] == by_name["Plan"]["OutputArtifacts"]


def test_nobody_is_asked_where_the_environment_says_so(template: Mapping[str, Any]) -> None:
    assert [action["Name"] for action in actions(template, "house")] == ["Source", "Plan", "Apply"]


def test_nothing_is_removed_unless_the_environment_says_so(template: Mapping[str, Any]) -> None:
    pruned = {
        name: {
            json.loads(action["Configuration"]["UserParameters"])["prune"]
            for action in actions(template, name)
            if "UserParameters" in action["Configuration"]
        }
        for name in ("models", "house", "zipped")
    }

    assert pruned == {"models": {False}, "house": {True}, "zipped": {False}}


def test_a_plan_that_changes_nothing_ends_the_run(template: Mapping[str, Any]) -> None:
    for name in ("models", "house", "zipped"):
        (condition,) = pipeline(template, name)["Stages"][2]["BeforeEntry"]["Conditions"]

        assert condition["Result"] == "SKIP"
        assert condition["Rules"][0]["Configuration"] == {
            "Variable": "#{Plan.Changes}",
            "Operator": "NE",
            "Value": "0",
        }


def test_a_push_starts_it_and_nothing_polls(template: Mapping[str, Any]) -> None:
    (trigger,) = pipeline(template, "models")["Triggers"]
    (push,) = trigger["GitConfiguration"]["Push"]
    assert push["FilePaths"] == {"Includes": ["pipelines/**"]}
    assert push["Branches"] == {"Includes": ["main"]}
    for name in ("house", "zipped"):
        assert actions(template, name)[0]["Configuration"]["PollForSourceChanges"] == "false"
    patterns = [rule["EventPattern"] for rule in properties(template, "AWS::Events::Rule")]
    assert sorted(pattern["source"][0] for pattern in patterns) == ["aws.codecommit", "aws.s3"]
    (archive,) = [pattern for pattern in patterns if pattern["source"] == ["aws.s3"]]
    assert archive["detail"]["object"] == {"key": ["git/models.zip"]}


def test_its_role_reads_its_own_sources_and_calls_one_function(
    template: Mapping[str, Any],
) -> None:
    granted = {
        action: statement["Resource"]
        for statement in statements(template)
        for action in statement["Action"]
    }

    assert granted["codeconnections:UseConnection"] == [CONNECTION]
    assert "house-models" in json.dumps(granted["codecommit:GetBranch"])
    assert len(granted["lambda:InvokeFunction"]) == 1
    assert [name for name in granted if name.startswith(("cloudformation:", "iam:"))] == []


def test_no_finding_is_left_open(stack: GitOpsStack) -> None:
    report = AwsSolutionsChecks(stack.node.root).validate_scope(stack.node.root)

    assert [violation.rule_name for violation in report.violations] == []
