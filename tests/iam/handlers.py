"""What CloudFormation's own handlers call, by resource type.

Each resource type's schema lists it; cfn-lint ships the schemas and is locked here.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

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


def called(kind: str, *events: str) -> frozenset[str]:
    """The actions that a type's handlers call.

    Args:
        kind: Resource type.
        events: ``create``, ``read``, ``update``, ``delete``; all four where none is named.

    Raises:
        LookupError: The registry says nothing of the type's handlers.
    """
    schema = _schema(kind)
    if "handlers" not in schema:
        raise LookupError(f"the registry says nothing of the handlers of {kind}")
    actions = {
        action
        for event, handler in schema["handlers"].items()
        if event in (events or ("create", "read", "update", "delete"))
        for action in handler["permissions"]
    }
    if not events:
        actions |= set(schema.get("tagging", {}).get("permissions", ()))
    return frozenset(actions)


def needed(kind: str, *events: str) -> frozenset[str]:
    """The same without what our templates never make them call."""
    return called(kind, *events) - set(ONLY_WITH.get(kind, ()))


@cache
def _schema(kind: str) -> dict[str, Any]:
    schemas = resources.files("cfnlint.data.schemas")
    names = json.loads((schemas / "providers" / "us-east-1.json").read_text(encoding="utf-8"))
    file = schemas / "resources" / f"{names[kind]}.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found
