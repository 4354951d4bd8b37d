"""What the platform promises, read off its templates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from mlops_framework.environments.loader import load_environment
from tests.stacks.conftest import (
    ANALYZERS,
    ENVIRONMENTS,
    KINDS,
    PLATFORM,
    ROOT,
    Synthesize,
    Synthesized,
    listed,
    properties,
    resources,
    statements,
)

STATEFUL = ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::DynamoDB::Table")


def everything(dev: Synthesized, kind: str) -> list[tuple[str, Any]]:
    return [
        (f"{stack}/{name}", resource["Properties"])
        for stack, template in dev.templates.items()
        for name, resource in resources(template, kind).items()
    ]


def test_no_template_holds_a_custom_resource(dev: Synthesized) -> None:
    for name, template in dev.templates.items():
        for logical_id, resource in template["Resources"].items():
            assert not resource["Type"].startswith(
                ("Custom::", "AWS::CloudFormation::CustomResource")
            ), f"{name}/{logical_id}"


def test_every_bucket_is_private_versioned_and_encrypted(dev: Synthesized) -> None:
    for name, bucket in everything(dev, "AWS::S3::Bucket"):
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}, name
        assert bucket["BucketEncryption"], name
        assert bucket["LifecycleConfiguration"]["Rules"], name


def test_data_artifacts_and_requests_are_encrypted_with_the_platforms_key(dev: Synthesized) -> None:
    buckets = resources(dev.platform["Foundation"], "AWS::S3::Bucket")
    with_key = [
        name
        for name, bucket in buckets.items()
        if "KMSMasterKeyID"
        in json.dumps(bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"])
    ]

    assert sorted(name[:4] for name in with_key) == ["Arti", "Conf", "Data"]


def test_every_bucket_refuses_plain_http(dev: Synthesized) -> None:
    foundation = dev.platform["Foundation"]
    policies = properties(foundation, "AWS::S3::BucketPolicy")

    assert len(policies) == len(resources(foundation, "AWS::S3::Bucket"))
    for policy in policies:
        denied = [
            statement
            for statement in policy["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny"
            and statement["Condition"].get("Bool") == {"aws:SecureTransport": "false"}
        ]
        assert len(denied) == 1


def test_new_objects_are_told_to_eventbridge_by_the_buckets_own_property(dev: Synthesized) -> None:
    for prefix in ("Data", "Artifacts"):
        (bucket,) = [
            resource
            for name, resource in resources(dev.platform["Foundation"], "AWS::S3::Bucket").items()
            if name.startswith(prefix)
        ]
        notifications = bucket["Properties"]["NotificationConfiguration"]
        assert notifications == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}


def test_the_key_rotates(dev: Synthesized) -> None:
    (key,) = properties(dev.platform["Foundation"], "AWS::KMS::Key")

    assert key["EnableKeyRotation"] is True


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_data_outlives_its_stack_unless_the_environment_gives_it_up(
    synthesize: Synthesize, environment: str
) -> None:
    retained = load_environment(environment, ROOT / "environments").retain_data
    for template in synthesize(environment).platform.values():
        for kind in STATEFUL:
            for resource in resources(template, kind).values():
                assert resource["DeletionPolicy"] == ("Retain" if retained else "Delete")


def test_every_role_lives_below_the_platforms_path_and_its_boundary(dev: Synthesized) -> None:
    roles = everything(dev, "AWS::IAM::Role")

    assert len(roles) > 10
    for name, role in roles:
        assert role["Path"] == "/mlops/", name
        assert role["PermissionsBoundary"] == {"Ref": "PlatformPermissionsBoundaryArn"}, name


def test_the_boundary_lets_every_role_do_what_its_own_policy_says(dev: Synthesized) -> None:
    capped = [
        pattern
        for statement in statements(
            {"Resources": resources(dev.platform["Foundation"], "AWS::IAM::ManagedPolicy")}
        )
        for pattern in statement["Action"]
    ]
    allowed = {pattern for pattern in capped if not pattern.endswith(":*")}
    services = {pattern.removesuffix(":*") for pattern in capped if pattern.endswith(":*")}

    for name, template in dev.templates.items():
        for statement in statements(template):
            for action in statement["Action"]:
                service = action.partition(":")[0]
                assert service in services or action in allowed, f"{name}: {action}"


def test_the_boundary_fits_into_a_managed_policy(dev: Synthesized) -> None:
    (boundary,) = properties(dev.platform["Foundation"], "AWS::IAM::ManagedPolicy")
    # IAM counts characters without white space, after references are filled in.
    text = json.dumps(boundary["PolicyDocument"], separators=(",", ":"))
    text = text.replace('{"Ref":"AWS::AccountId"}', "111122223333")

    assert len(text) < 6144


def test_roles_are_made_only_under_the_boundary_and_passed_only_to_named_services(
    dev: Synthesized,
) -> None:
    seen = 0
    for name, template in dev.templates.items():
        for statement in statements(template):
            if statement["Effect"] != "Allow":
                continue
            if "iam:CreateRole" in statement["Action"]:
                assert "iam:PermissionsBoundary" in statement["Condition"]["StringEquals"], name
                seen += 1
            if "iam:PassRole" in statement["Action"] and name != "Foundation":
                services = listed(statement["Condition"]["StringEquals"]["iam:PassedToService"])
                assert all(service.endswith(".amazonaws.com") for service in services), name
                seen += 1
    assert seen > 5


def deploy_role_statements(dev: Synthesized, kind: str) -> list[Mapping[str, Any]]:
    """Of the role's own policy and of those that take what does not fit into it."""
    begin = f"Deploy{''.join(word.capitalize() for word in kind.split('-'))}Role"
    return [
        statement
        for name, policy in dev.platform["Delivery"]["Resources"].items()
        if name.startswith(begin) and "Policy" in policy["Type"]
        for statement in statements({"Resources": {name: policy}})
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_deploy_role_cannot_touch_the_platform(dev: Synthesized, kind: str) -> None:
    denied = json.dumps(
        [
            statement["Resource"]
            for statement in deploy_role_statements(dev, kind)
            if statement["Effect"] == "Deny"
        ]
    )

    for deployed, parts in (
        ("AWS::IAM::Role", ("role/mlops/mlops-dev-Foundation-*", "mlops-dev-deploy-training")),
        ("AWS::Lambda::Function", ("function:mlops-dev-Foundation-*", "mlops-dev-verify")),
        ("AWS::Events::Rule", ("rule/mlops-dev-Foundation-*",)),
        ("AWS::CloudWatch::Alarm", ("alarm:mlops-dev-Foundation-*",)),
    ):
        if resources(dev.blueprints[kind], deployed):
            assert [part for part in parts if part not in denied] == [], deployed


@pytest.mark.parametrize(
    ("stack", "role"),
    [("Orchestrator", "ApiRole"), ("Orchestrator", "TeardownRole"), ("Delivery", "PipelineRole")],
)
def test_who_may_change_stacks_by_prefix_spares_the_platforms(
    dev: Synthesized, stack: str, role: str
) -> None:
    (denied,) = [
        statement
        for name, policy in resources(dev.platform[stack], "AWS::IAM::Policy").items()
        if name.startswith(role)
        for statement in statements({"Resources": {name: policy}})
        if statement["Effect"] == "Deny"
    ]

    assert "cloudformation:DeleteStack" in denied["Action"]
    assert len(denied["Resource"]) == len({*PLATFORM, "GitOps"})


SERVING = ("sagemaker:CreateEndpoint", "sagemaker:CreateModel", "apigateway:")
BUILDING = ("codebuild:", "ecr:")
# What a role that deploys a kind could do with, if somebody were careless, and does not need.
FOREIGN = {
    "autopilot": (*SERVING, *BUILDING, "lambda:"),
    "batch-transform": (*BUILDING, "sagemaker:CreateEndpoint", "apigateway:", "lambda:"),
    "drift-monitor": (*SERVING, *BUILDING, "lambda:", "sagemaker:"),
    "image-builder": (*SERVING, "lambda:", "sagemaker:", "events:", "scheduler:"),
    "realtime-endpoint": (*BUILDING, "scheduler:"),
    "training": (*SERVING, *BUILDING, "lambda:", "sqs:"),
    "tuning": (*SERVING, *BUILDING, "lambda:", "sqs:"),
    **dict.fromkeys(ANALYZERS, (*SERVING, *BUILDING, "scheduler:")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_deploy_role_holds_only_what_its_template_needs(dev: Synthesized, kind: str) -> None:
    foreign = (*FOREIGN[kind], "codepipeline:", "cloudformation:", "s3:Put")
    allowed = [
        action
        for statement in deploy_role_statements(dev, kind)
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
    ]

    assert allowed
    services = tuple(each for each in foreign if each.endswith((":", ":Put")))
    assert [each for each in allowed if each in foreign or each.startswith(services)] == []


def test_every_method_of_every_api_asks_for_a_signature(dev: Synthesized) -> None:
    methods = everything(dev, "AWS::ApiGateway::Method")

    assert len(methods) >= 8
    for name, method in methods:
        assert method["AuthorizationType"] == "AWS_IAM", name


def test_bodies_are_checked_against_a_model_before_the_function_runs(dev: Synthesized) -> None:
    with_body = [
        (name, method)
        for name, method in everything(dev, "AWS::ApiGateway::Method")
        if method["HttpMethod"] in ("POST", "PATCH")
    ]

    assert len(with_body) == 7
    for name, method in with_body:
        assert method["RequestModels"]["application/json"], name
        assert method["RequestValidatorId"], name


def test_every_function_runs_the_newest_python_on_graviton_and_is_traced(dev: Synthesized) -> None:
    functions = everything(dev, "AWS::Lambda::Function")

    assert len(functions) >= 15
    for name, function in functions:
        assert function["Runtime"] == "python3.14", name
        assert function["Architectures"] == ["arm64"], name
        assert function["TracingConfig"] == {"Mode": "Active"}, name
        assert function["LoggingConfig"]["LogGroup"], name


def test_every_log_group_is_encrypted_and_expires(dev: Synthesized) -> None:
    retention = load_environment("dev", ROOT / "environments").log_retention_days
    for name, group in everything(dev, "AWS::Logs::LogGroup"):
        assert group["RetentionInDays"] == retention, name
        assert group["KmsKeyId"], name


def test_queues_and_topics_are_encrypted(dev: Synthesized) -> None:
    for name, queue in everything(dev, "AWS::SQS::Queue"):
        assert queue["KmsMasterKeyId"], name
    for name, topic in everything(dev, "AWS::SNS::Topic"):
        assert topic["KmsMasterKeyId"], name


def test_records_can_be_restored_and_cost_nothing_when_idle(dev: Synthesized) -> None:
    (table,) = properties(dev.platform["Orchestrator"], "AWS::DynamoDB::Table")

    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"]["SSEEnabled"] is True


def test_every_alarm_reaches_people(dev: Synthesized) -> None:
    alarms = [
        (name, alarm)
        for name, alarm in everything(dev, "AWS::CloudWatch::Alarm")
        if "CalledAtZero" not in name  # brings an endpoint back, and is no message to anybody
    ]

    assert len(alarms) >= 34
    for name, alarm in alarms:
        assert alarm["AlarmActions"] == [{"Ref": "PlatformAlertTopicArn"}], name
        assert alarm["AlarmDescription"], name
