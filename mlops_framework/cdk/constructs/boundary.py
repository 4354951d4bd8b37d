"""The ceiling above every role of the platform."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

from mlops_framework import naming
from mlops_framework.cdk import perms
from mlops_framework.cdk.security import acknowledge, flatten
from mlops_framework.cdk.stack import FrameworkStack

# Services whose resources carry account and region in their ARN.
_REGIONAL_SERVICES = (
    "application-autoscaling",
    "bedrock",
    "cloudformation",
    "cloudwatch",
    "codebuild",
    "codecommit",
    "codeconnections",
    "codepipeline",
    "codestar-connections",
    "dynamodb",
    "ecr",
    "events",
    "kms",
    "lambda",
    "logs",
    "sagemaker",
    "scheduler",
    "sns",
    "sqs",
    "ssm",
    "states",
)
_BUCKET_ADMINISTRATION = (
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:GetBucketPolicy",
    "s3:PutBucketPolicy",
    "s3:PutEncryptionConfiguration",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutLifecycleConfiguration",
)
_ROLE_CHANGES = (
    "iam:CreateRole",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:DeleteRolePolicy",
)
_ROLE_CARE = (
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:DeleteRole",
    "iam:ListRolePolicies",
    "iam:ListRoleTags",
    "iam:ListAttachedRolePolicies",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
    "iam:PassRole",
)
_WHY = (
    "A permissions boundary grants nothing, it caps: a role can do only what its own policy and "
    "this ceiling both name. The ceiling is this account and, where ARNs have one, this region."
)


class PermissionsBoundary(iam.ManagedPolicy):
    """What no role of the platform or of a blueprint can ever exceed.

    Creates: one managed policy below the platform's path.
    Fixed: the services an ML pipeline is made of, in this account and region; roles only below the
    platform's path and only with this same boundary; never users, keys, groups, organisations, nor
    a change of the boundary itself.
    You choose: nothing; bring your own policy with ``permissions_boundary_arn`` instead.
    """

    def __init__(self, scope: FrameworkStack, construct_id: str) -> None:
        """Define the boundary in the stack ``scope``."""
        self._scope = scope
        name = f"{scope.config.prefix}-boundary"
        path = naming.role_path(scope.config.name_prefix)
        super().__init__(
            scope,
            construct_id,
            managed_policy_name=name,
            path=path,
            description=f"Ceiling of every role of {scope.config.prefix}; grants nothing itself",
        )
        # Written out, because the policy's statements name the policy.
        own_arn = f"arn:{scope.partition}:iam::{scope.account}:policy{path}{name}"
        for service in _REGIONAL_SERVICES:
            self._cap([f"{service}:*"], [scope.arn(service, "*")])
        self._cap(
            [
                *perms.READ_OBJECTS,
                *perms.WRITE_OBJECTS,
                *perms.TAG_OBJECTS,
                "s3:DeleteObject",
                *perms.LIST_VERSIONS,
                *perms.WORK_IN_BUCKET,
                *_BUCKET_ADMINISTRATION,
            ],
            [f"arn:{scope.partition}:s3:::*"],
        )
        self._cap(["execute-api:Invoke"], [scope.arn("execute-api", "*")])
        self._cap(
            [f"apigateway:{verb}" for verb in ("GET", "POST", "PUT", "PATCH", "DELETE")],
            [f"arn:{scope.partition}:apigateway:{scope.region}::/*"],
        )
        # Framework images live in AWS's own registries, which are other accounts.
        self._cap(perms.PULL_IMAGE, [f"arn:{scope.partition}:ecr:{scope.region}:*:repository/*"])
        self._cap(perms.USE_VPC, [scope.arn("ec2", "*")])
        self._cap(sorted(perms.WITHOUT_RESOURCE), ["*"])
        # The first scaled endpoint of an account makes the role with which AWS scales it.
        scaling = "role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/*"
        self._cap(
            ["iam:CreateServiceLinkedRole"],
            [f"arn:{scope.partition}:iam::{scope.account}:{scaling}"],
        )
        roles = [scope.role_arn("*")]
        self._cap((*_ROLE_CARE, *perms.TAKE_ROLE), roles)
        self._cap(_ROLE_CHANGES, roles, {"StringEquals": {"iam:PermissionsBoundary": own_arn}})

    def _cap(
        self,
        actions: list[str] | tuple[str, ...],
        resources: list[str],
        conditions: dict[str, dict[str, str]] | None = None,
    ) -> None:
        self.add_statements(
            iam.PolicyStatement(actions=list(actions), resources=resources, conditions=conditions)
        )
        for action in actions:
            if "*" in action:
                acknowledge(self, f"IAM5[Action::{action}]", _WHY)
        for resource in resources:
            flat = flatten(self._scope.resolve(resource))
            acknowledge(self, f"IAM5[Resource::{flat}]", _WHY)
