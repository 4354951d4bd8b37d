from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from mlops_framework.cdk.deploy_role import DeployPermissions
from mlops_framework.cdk.deploy_types import TypePermissions
from mlops_framework.cdk.errors import ResourceTypeUnknown
from mlops_framework.cdk.stack import FrameworkStack
from mlops_framework.environments.loader import load_environment
from tests.stacks.conftest import ROOT, statements

QUEUE = TypePermissions(
    changes=("sqs:CreateQueue", "sqs:DeleteQueue"),
    reads=("sqs:GetQueueAttributes",),
    resources=("sqs:{region}:{account}:{prefix}*",),
)


def template_of(*types: str) -> dict[str, Any]:
    return {"Resources": {f"R{number}": {"Type": kind} for number, kind in enumerate(types)}}


def granted(*types: str, permissions: DeployPermissions | None = None) -> list[Any]:
    config = load_environment("dev", ROOT / "environments")
    app = cdk.App(builtin_cloud_formation_validation=False)
    stack = FrameworkStack(app, "Stack", config=config, description="A role")
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("cloudformation.amazonaws.com"))
    (permissions or DeployPermissions()).grant(role, stack, template_of(*types), kind="example")
    return statements(Template.from_stack(stack).to_json())


def test_a_type_that_nobody_knows_is_named_with_the_way_out() -> None:
    with pytest.raises(ResourceTypeUnknown) as refusal:
        granted("AWS::SQS::Queue")

    assert "'example' deploys AWS::SQS::Queue" in str(refusal.value)
    assert "deploy_permissions of the blueprint's stack" in str(refusal.value)


def test_a_blueprint_may_bring_the_permissions_of_its_own_types() -> None:
    known = DeployPermissions().extended({"AWS::SQS::Queue": QUEUE})

    actions = [
        action
        for found in granted("AWS::SQS::Queue", permissions=known)
        for action in found["Action"]
    ]

    assert sorted(actions) == ["sqs:CreateQueue", "sqs:DeleteQueue", "sqs:GetQueueAttributes"]


def test_changes_of_an_endpoint_need_the_environments_tag() -> None:
    for statement in granted("AWS::SageMaker::Endpoint"):
        changing = [action for action in statement["Action"] if "Describe" not in action]
        if changing != ["sagemaker:ListTags"]:
            (condition,) = statement["Condition"]["StringEquals"].items()
            assert condition[0].endswith("Tag/mlops:environment")
            assert condition[1] == "mlops-dev"


def test_a_template_without_roles_lets_nobody_make_one() -> None:
    actions = [action for found in granted("AWS::SSM::Parameter") for action in found["Action"]]

    assert [action for action in actions if action.startswith("iam:")] == []


def test_a_role_is_passed_only_to_the_services_in_the_template() -> None:
    (passing,) = [
        found
        for found in granted("AWS::Lambda::Function", "AWS::IAM::Role")
        if "iam:PassRole" in found["Action"]
    ]

    assert passing["Condition"] == {
        "StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com"]}
    }


def test_a_blueprint_may_say_to_which_service_its_own_type_hands_a_role() -> None:
    machine = TypePermissions(
        changes=("states:CreateStateMachine",),
        resources=("states:{region}:{account}:stateMachine:{prefix}*",),
        passes_role_to="states.amazonaws.com",
    )
    known = DeployPermissions().extended({"AWS::StepFunctions::StateMachine": machine})

    passing = [
        statement
        for statement in granted("AWS::StepFunctions::StateMachine", permissions=known)
        if statement["Action"] == ["iam:PassRole"]
    ]

    assert [statement["Condition"] for statement in passing] == [
        {"StringEquals": {"iam:PassedToService": ["states.amazonaws.com"]}}
    ]
