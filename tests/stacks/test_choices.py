"""What an environment may choose, all of it chosen at once."""

from __future__ import annotations

import json

import pytest
from cdk_nag import AwsSolutionsChecks

from mlops_framework.environments.loader import load_environment
from mlops_framework.environments.models import EnvironmentConfig
from tests.stacks.conftest import KINDS, ROOT, Synthesized, properties, statements, synthesized

KEY = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
BOUNDARY = "arn:aws:iam::111122223333:policy/company/ceiling"
SUBNET = "subnet-0123456789abcdef0"
GROUP = "sg-0123456789abcdef0"
COMPUTES = (
    "AWS::CodeBuild::Project",
    "AWS::SageMaker::Model",
    "AWS::SageMaker::Pipeline",
    "AWS::StepFunctions::StateMachine",
)


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    base = load_environment("staging", ROOT / "environments").model_dump()
    config = EnvironmentConfig.model_validate(
        base
        | {
            "kms_key_arn": KEY,
            "permissions_boundary_arn": BOUNDARY,
            "networking": {
                "vpc_id": "vpc-0123456789abcdef0",
                "subnet_ids": [SUBNET],
                "security_group_ids": [GROUP],
                "network_isolation": True,
            },
            "stages": [
                {"name": "try-out", "approval": False},
                {"name": "live", "approval": True},
            ],
            "alarms": {"enabled": False},
            "budget": {"monthly_limit_usd": 500, "alert_percent": 80},
            "notifications": {"emails": ["team@example.com"]},
        }
    )
    return synthesized(config, tmp_path_factory.mktemp("chosen"))


def test_nothing_is_left_open_for_cdk_nag(chosen: Synthesized) -> None:
    report = AwsSolutionsChecks(chosen.app).validate_scope(chosen.app)

    assert [violation.rule_name for violation in report.violations] == []


def test_a_key_that_is_brought_is_used_and_none_is_made(chosen: Synthesized) -> None:
    foundation = chosen.platform["Foundation"]

    assert properties(foundation, "AWS::KMS::Key") == []
    values = {
        parameter["Name"]: parameter["Value"]
        for parameter in properties(foundation, "AWS::SSM::Parameter")
    }
    assert values["/mlops-staging/platform/key-arn"] == KEY


def test_a_boundary_that_is_brought_caps_every_role(chosen: Synthesized) -> None:
    assert properties(chosen.platform["Foundation"], "AWS::IAM::ManagedPolicy") == []
    for template in chosen.templates.values():
        for role in properties(template, "AWS::IAM::Role"):
            assert role["PermissionsBoundary"] == BOUNDARY


def test_jobs_and_endpoints_run_in_the_network_that_is_given(chosen: Synthesized) -> None:
    models = properties(chosen.blueprints["realtime-endpoint"], "AWS::SageMaker::Model")
    (pipeline,) = properties(chosen.blueprints["training"], "AWS::SageMaker::Pipeline")
    text = json.dumps(pipeline["PipelineDefinition"]).replace('\\"', '"')

    for model in models:
        assert model["VpcConfig"] == {"Subnets": [SUBNET], "SecurityGroupIds": [GROUP]}
        assert model["EnableNetworkIsolation"] is True
    # A training job in each of the three ways to judge a model, an evaluation in one of them.
    assert text.count(json.dumps({"Subnets": [SUBNET]})[1:-1].replace(" ", "")) == 4
    assert text.count('"EnableNetworkIsolation":true') == 4


# The drift service runs in functions of the platform, which need no network of their own.
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "drift-monitor"])
def test_what_any_kind_computes_runs_in_the_network_that_is_given(
    chosen: Synthesized, kind: str
) -> None:
    resources = chosen.blueprints[kind]["Resources"].values()
    placed = [
        resource["Type"]
        for resource in resources
        if not resource["Type"].startswith("AWS::IAM::")
        and SUBNET in (text := json.dumps(resource))
        and GROUP in text
    ]
    computing = [
        resource["Type"]
        for resource in resources
        if resource["Type"] in COMPUTES or resource["Type"].endswith("JobDefinition")
        # A transform job runs where its model does.
        if (kind, resource["Type"]) != ("batch-transform", "AWS::SageMaker::Pipeline")
    ]

    assert computing
    assert [each for each in computing if computing.count(each) > placed.count(each)] == []


def test_network_interfaces_are_made_only_in_the_given_network(chosen: Synthesized) -> None:
    (interfaces,) = [
        statement
        for statement in statements(chosen.blueprints["training"])
        if "ec2:CreateNetworkInterface" in statement["Action"]
    ]
    named = json.dumps(interfaces["Resource"])

    assert SUBNET in named
    assert GROUP in named
    assert "subnet/*" not in named


def test_every_stage_is_delivered_in_order_and_the_last_after_approval(
    chosen: Synthesized,
) -> None:
    (pipeline,) = properties(chosen.blueprints["training-delivery"], "AWS::CodePipeline::Pipeline")

    assert [stage["Name"] for stage in pipeline["Stages"]] == ["Source", "TryOut", "Live"]
    approvals = [
        stage["Name"]
        for stage in pipeline["Stages"]
        if stage["Actions"][0]["ActionTypeId"]["Provider"] == "Manual"
    ]
    assert approvals == ["Live"]


def test_alarms_that_are_switched_off_are_not_made(chosen: Synthesized) -> None:
    for template in chosen.templates.values():
        for alarm in properties(template, "AWS::CloudWatch::Alarm"):
            # What brings an endpoint back from zero is no message to anybody.
            assert "FromZero" in alarm["AlarmActions"][0]["Ref"]


def test_a_budget_watches_what_carries_the_environments_tag(chosen: Synthesized) -> None:
    (budget,) = properties(chosen.platform["Observability"], "AWS::Budgets::Budget")

    assert budget["Budget"]["BudgetLimit"] == {"Amount": 500, "Unit": "USD"}
    assert budget["Budget"]["CostFilters"] == {
        "TagKeyValue": ["user:mlops:environment$mlops-staging"]
    }


def test_addresses_are_subscribed_to_alerts(chosen: Synthesized) -> None:
    subscriptions = properties(chosen.platform["Foundation"], "AWS::SNS::Subscription")

    assert [(each["Protocol"], each["Endpoint"]) for each in subscriptions] == [
        ("email", "team@example.com")
    ]
