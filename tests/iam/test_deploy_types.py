"""The table of what CloudFormation needs, held against CloudFormation's own registry.

Each resource type's schema lists the actions that its handlers call; cfn-lint ships the schemas and
is locked here.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

import pytest

from mlops_framework.cdk import perms
from mlops_framework.cdk.deploy_role import ROLE_CONTENT
from mlops_framework.cdk.deploy_types import PASSED_TO, TYPES

ONLY_WITH = {
    "AWS::ApiGateway::Method": {"iam:PassRole": "Integration.Credentials"},
    "AWS::ApiGateway::RestApi": {
        "apigateway:UpdateRestApiPolicy": "Policy",
        "iam:PassRole": "an import of integrations",
        "s3:GetObject": "BodyS3Location",
    },
    "AWS::ApplicationAutoScaling::ScalableTarget": {
        "iam:PassRole": "RoleARN",
        "lambda:DeleteProvisionedConcurrencyConfig": "a function as target",
        "lambda:GetProvisionedConcurrencyConfig": "a function as target",
        "lambda:PutProvisionedConcurrencyConfig": "a function as target",
        # The alarms belong to policies, and the service's own role makes them.
        "cloudwatch:DeleteAlarms": "a policy",
        "cloudwatch:DescribeAlarms": "a policy",
        "cloudwatch:PutMetricAlarm": "a policy",
    },
    "AWS::CodePipeline::Pipeline": {
        "codepipeline:DisableStageTransition": "DisableInboundStageTransitions",
        "codepipeline:EnableStageTransition": "DisableInboundStageTransitions",
        "codepipeline:StartPipelineExecution": "RestartExecutionOnUpdate",
        "codestar-connections:PassConnection": "a source over a connection",
    },
    "AWS::ECR::Repository": {
        "ecr:DeleteRepositoryPolicy": "RepositoryPolicyText",
        "ecr:SetRepositoryPolicy": "RepositoryPolicyText",
        "kms:CreateGrant": "a key of the account",
        "kms:DescribeKey": "a key of the account",
        "kms:RetireGrant": "a key of the account",
    },
    "AWS::IAM::Policy": {
        f"iam:{verb}{whose}Policy": f"{whose}s"
        for verb in ("Delete", "Get", "Put")
        for whose in ("Group", "User")
    },
    "AWS::IAM::Role": {
        "iam:DeleteRolePermissionsBoundary": "a boundary taken away, which may not be"
    },
    "AWS::Lambda::Function": {
        "ec2:DescribeNetworkInterfaces": "VpcConfig",
        "ec2:DescribeSecurityGroups": "VpcConfig",
        "ec2:DescribeSubnets": "VpcConfig",
        "ec2:DescribeVpcs": "VpcConfig",
        "elasticfilesystem:DescribeMountTargets": "FileSystemConfigs",
        "kms:CreateGrant": "KmsKeyArn",
        "kms:Decrypt": "KmsKeyArn",
        "kms:DescribeKey": "KmsKeyArn",
        "kms:Encrypt": "KmsKeyArn",
        "kms:GenerateDataKey": "KmsKeyArn",
        "lambda:AssociateRuntimeAlias": "RuntimeManagementConfig",
        "lambda:DeleteFunctionCodeSigningConfig": "CodeSigningConfigArn",
        "lambda:GetCodeSigningConfig": "CodeSigningConfigArn",
        "lambda:GetLayerVersion": "Layers",
        "lambda:PassCapacityProvider": "CapacityProviderConfig",
        "lambda:PublishVersion": "PublishToLatestPublished",
        "lambda:PutFunctionCodeSigningConfig": "CodeSigningConfigArn",
        "lambda:PutFunctionRecursionConfig": "RecursiveLoop",
        "lambda:PutFunctionScalingConfig": "FunctionScalingConfig",
        "lambda:PutRuntimeManagementConfig": "RuntimeManagementConfig",
        "s3files:ListMountTargets": "FileSystemConfigs",
        # Granted with the bucket of assets, which the table does not know.
        "s3:GetObject": "the stack of delivery",
        "s3:GetObjectVersion": "the stack of delivery",
    },
    "AWS::Logs::LogGroup": {
        "firehose:TagDeliveryStream": "a log class of delivery",
        "logs:CreateLogDelivery": "a log class of delivery",
        "logs:DeleteDataProtectionPolicy": "DataProtectionPolicy",
        "logs:DeleteIndexPolicy": "FieldIndexPolicies",
        "logs:DeleteResourcePolicy": "ResourcePolicyDocument",
        "logs:PutBearerTokenAuthentication": "BearerTokenAuthenticationEnabled",
        "logs:PutDataProtectionPolicy": "DataProtectionPolicy",
        "logs:PutIndexPolicy": "FieldIndexPolicies",
        "logs:PutLogGroupDeletionProtection": "DeletionProtectionEnabled",
        "logs:PutResourcePolicy": "ResourcePolicyDocument",
        "s3:REST.PUT.OBJECT": "a log class of delivery",
    },
    "AWS::SageMaker::Pipeline": {"s3:GetObject": "PipelineDefinitionS3Location"},
    "AWS::StepFunctions::StateMachine": {
        "kms:Decrypt": "EncryptionConfiguration",
        "kms:DescribeKey": "EncryptionConfiguration",
        "kms:GenerateDataKey": "EncryptionConfiguration",
        "s3:GetObject": "DefinitionS3Location",
        "s3:GetObjectVersion": "DefinitionS3Location",
    },
}
"""What a handler calls only where a template holds something that none of ours does."""
UNREGISTERED = frozenset({"AWS::CodeBuild::Project"})
"""Types whose handlers the registry says nothing of."""


@pytest.mark.parametrize("kind", sorted(set(TYPES) - UNREGISTERED))
def test_the_table_holds_what_the_handlers_of_a_type_call(kind: str) -> None:
    entry, schema = TYPES[kind], _schema(kind)
    held = {*entry.changes, *entry.reads}
    if kind in ("AWS::IAM::Role", "AWS::IAM::Policy"):
        held |= set(ROLE_CONTENT)
    if kind in PASSED_TO or entry.passes_role_to:
        held |= set(perms.PASS_ROLE)
    if entry.key:
        held |= set(perms.GRANT_KEY)
    called = set(schema.get("tagging", {}).get("permissions", ()))
    for event, handler in schema["handlers"].items():
        called |= set(handler["permissions"]) if event != "list" else set()

    assert sorted(called - held - set(ONLY_WITH.get(kind, ()))) == []


def test_nothing_is_left_out_that_no_handler_calls() -> None:
    for kind, actions in ONLY_WITH.items():
        called = {
            action
            for event, handler in _schema(kind)["handlers"].items()
            if event != "list"
            for action in handler["permissions"]
        }
        assert sorted(set(actions) - called) == [], kind


@cache
def _schema(kind: str) -> dict[str, Any]:
    schemas = resources.files("cfnlint.data.schemas")
    names = json.loads((schemas / "providers" / "us-east-1.json").read_text(encoding="utf-8"))
    file = schemas / "resources" / f"{names[kind]}.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found
