"""What CloudFormation may do when it deploys a blueprint: what its template needs, and no more.

The permissions are derived from the resource types in the synthesized template, by one table. A
type that the table does not know stops the synthesis: a role that is too narrow fails in the middle
of a deployment, and one that is too wide is never noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import aws_iam as iam

from mlops_framework import naming
from mlops_framework.cdk import perms
from mlops_framework.cdk.errors import ResourceTypeUnknown
from mlops_framework.cdk.security import allow
from mlops_framework.cdk.stack import ENVIRONMENT_TAG, PLATFORM_STACKS, FrameworkStack

_NAME_LENGTH = 24
"""CloudFormation cuts the stack's name to about this when it makes a name of at most 64."""

_BY_PREFIX = (
    "Names begin with the environment's prefix; CloudFormation adds what makes them unique."
)
_BY_TAG = (
    "The name is the request's or the service's own. Changes are limited to resources that carry "
    "the environment's tag; only reading is not."
)
_BY_SERVICE = (
    "API Gateway numbers its APIs itself and has no names in ARNs; the permissions boundary keeps "
    "the role in this account and region."
)


@dataclass(frozen=True)
class TypePermissions:
    """What it takes to create, change and delete one resource type.

    Attributes:
        changes: Actions that change something.
        reads: Actions that only look.
        resources: ARN tails after ``arn:<partition>:``, with ``{region}``, ``{account}``,
            ``{prefix}`` and ``{path}``.
        because: Why a wildcard in ``resources`` is no wider than it has to be.
        tagged: Whether changes are allowed only where the environment's tag is.
    """

    changes: tuple[str, ...]
    resources: tuple[str, ...]
    reads: tuple[str, ...] = ()
    because: str = _BY_PREFIX
    tagged: bool = False


def _sagemaker(noun: str, kind: str, *changes: str, reads: tuple[str, ...] = ()) -> TypePermissions:
    return TypePermissions(
        changes=tuple(
            f"sagemaker:{action}"
            for action in (f"Create{noun}", f"Delete{noun}", *changes, "AddTags", "DeleteTags")
        ),
        reads=(f"sagemaker:Describe{noun}", "sagemaker:ListTags", *reads),
        resources=(f"sagemaker:{{region}}:{{account}}:{kind}/*",),
        because=_BY_TAG,
        tagged=True,
    )


TYPES: Mapping[str, TypePermissions] = {
    "AWS::SageMaker::Model": _sagemaker("Model", "model"),
    "AWS::SageMaker::EndpointConfig": _sagemaker("EndpointConfig", "endpoint-config"),
    "AWS::SageMaker::Endpoint": TypePermissions(
        changes=(
            "sagemaker:CreateEndpoint",
            "sagemaker:UpdateEndpoint",
            "sagemaker:UpdateEndpointWeightsAndCapacities",
            "sagemaker:DeleteEndpoint",
            "sagemaker:AddTags",
            "sagemaker:DeleteTags",
        ),
        reads=("sagemaker:DescribeEndpoint", "sagemaker:ListTags"),
        # Creating and moving an endpoint is also checked against its configuration.
        resources=(
            "sagemaker:{region}:{account}:endpoint/*",
            "sagemaker:{region}:{account}:endpoint-config/*",
        ),
        because=_BY_TAG,
        tagged=True,
    ),
    "AWS::SageMaker::ModelPackageGroup": _sagemaker(
        "ModelPackageGroup",
        "model-package-group",
        "PutModelPackageGroupPolicy",
        "DeleteModelPackageGroupPolicy",
        reads=("sagemaker:GetModelPackageGroupPolicy",),
    ),
    "AWS::SageMaker::Pipeline": _sagemaker("Pipeline", "pipeline", "UpdatePipeline"),
    "AWS::IAM::Role": TypePermissions(
        changes=(
            "iam:DeleteRole",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateRoleDescription",
            "iam:UpdateAssumeRolePolicy",
        ),
        reads=("iam:GetRole", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies"),
        resources=("iam::{account}:role{path}{prefix}*",),
    ),
    "AWS::IAM::Policy": TypePermissions(
        changes=(),
        reads=("iam:GetRolePolicy",),
        resources=("iam::{account}:role{path}{prefix}*",),
    ),
    "AWS::Lambda::Function": TypePermissions(
        changes=(
            "lambda:CreateFunction",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
            "lambda:DeleteFunction",
            "lambda:PutFunctionConcurrency",
            "lambda:DeleteFunctionConcurrency",
            "lambda:TagResource",
            "lambda:UntagResource",
        ),
        reads=(
            "lambda:GetFunction",
            "lambda:GetFunctionConfiguration",
            "lambda:GetFunctionCodeSigningConfig",
            "lambda:ListTags",
        ),
        resources=("lambda:{region}:{account}:function:{prefix}*",),
    ),
    "AWS::Lambda::Permission": TypePermissions(
        changes=("lambda:AddPermission", "lambda:RemovePermission"),
        reads=("lambda:GetPolicy",),
        resources=("lambda:{region}:{account}:function:{prefix}*",),
    ),
    "AWS::Logs::LogGroup": TypePermissions(
        changes=(
            "logs:CreateLogGroup",
            "logs:DeleteLogGroup",
            "logs:PutRetentionPolicy",
            "logs:DeleteRetentionPolicy",
            "logs:AssociateKmsKey",
            "logs:DisassociateKmsKey",
            "logs:TagResource",
            "logs:UntagResource",
        ),
        reads=("logs:ListTagsForResource",),
        resources=("logs:{region}:{account}:log-group:{prefix}*",),
    ),
    "AWS::Events::Rule": TypePermissions(
        changes=(
            "events:PutRule",
            "events:DeleteRule",
            "events:PutTargets",
            "events:RemoveTargets",
            "events:TagResource",
            "events:UntagResource",
        ),
        reads=("events:DescribeRule", "events:ListTargetsByRule", "events:ListTagsForResource"),
        resources=("events:{region}:{account}:rule/{prefix}*",),
    ),
    "AWS::Scheduler::Schedule": TypePermissions(
        changes=(
            "scheduler:CreateSchedule",
            "scheduler:UpdateSchedule",
            "scheduler:DeleteSchedule",
        ),
        reads=("scheduler:GetSchedule",),
        resources=("scheduler:{region}:{account}:schedule/default/{prefix}*",),
    ),
    "AWS::SSM::Parameter": TypePermissions(
        changes=(
            "ssm:PutParameter",
            "ssm:DeleteParameter",
            "ssm:AddTagsToResource",
            "ssm:RemoveTagsFromResource",
        ),
        reads=("ssm:GetParameters", "ssm:ListTagsForResource"),
        resources=("ssm:{region}:{account}:parameter/{environment}/drift/*",),
        because="A monitor's configuration is named after its endpoint, which the request names.",
    ),
    "AWS::CloudWatch::Alarm": TypePermissions(
        changes=(
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:DeleteAlarms",
            "cloudwatch:TagResource",
            "cloudwatch:UntagResource",
        ),
        reads=("cloudwatch:ListTagsForResource", "cloudwatch:DescribeAlarms"),
        resources=("cloudwatch:{region}:{account}:alarm:{prefix}*",),
    ),
    "AWS::CodePipeline::Pipeline": TypePermissions(
        changes=(
            "codepipeline:CreatePipeline",
            "codepipeline:UpdatePipeline",
            "codepipeline:DeletePipeline",
            "codepipeline:TagResource",
            "codepipeline:UntagResource",
        ),
        reads=(
            "codepipeline:GetPipeline",
            "codepipeline:GetPipelineState",
            "codepipeline:ListTagsForResource",
        ),
        resources=("codepipeline:{region}:{account}:{prefix}*",),
    ),
    **{
        f"AWS::ApiGateway::{noun}": TypePermissions(
            changes=(
                "apigateway:POST",
                "apigateway:PUT",
                "apigateway:PATCH",
                "apigateway:DELETE",
            ),
            reads=("apigateway:GET",),
            resources=(
                "apigateway:{region}::/restapis",
                "apigateway:{region}::/restapis/*",
                "apigateway:{region}::/tags/*",
            ),
            because=_BY_SERVICE,
        )
        for noun in (
            "RestApi",
            "Resource",
            "Method",
            "Model",
            "RequestValidator",
            "Deployment",
            "Stage",
        )
    },
}

PASSED_TO: Mapping[str, str] = {
    "AWS::SageMaker::Model": "sagemaker.amazonaws.com",
    "AWS::SageMaker::Pipeline": "sagemaker.amazonaws.com",
    "AWS::Lambda::Function": "lambda.amazonaws.com",
    "AWS::Scheduler::Schedule": "scheduler.amazonaws.com",
    "AWS::Events::Rule": "events.amazonaws.com",
    "AWS::CodePipeline::Pipeline": "codepipeline.amazonaws.com",
}
"""Types that are given a role, and the service that takes it."""

_ROLE_CONTENT = (
    "iam:CreateRole",
    "iam:PutRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
)
_NEEDS_NOTHING = frozenset({"AWS::CDK::Metadata", "AWS::CloudFormation::WaitConditionHandle"})


@dataclass(frozen=True)
class DeployPermissions:
    """The table, and what extensions add to it.

    Attributes:
        types: Resource type to its permissions.
    """

    types: Mapping[str, TypePermissions] = field(default_factory=lambda: TYPES)

    def extended(self, types: Mapping[str, TypePermissions]) -> DeployPermissions:
        """The same with further types; an extension's entry wins over the house's."""
        return DeployPermissions({**self.types, **types})

    def grant(
        self, role: iam.Role, stack: FrameworkStack, template: Mapping[str, Any], *, kind: str
    ) -> None:
        """Give ``role`` what deploying ``template`` takes.

        Args:
            role: CloudFormation's service role.
            stack: The stack that holds the role.
            template: A synthesized template.
            kind: The blueprint, for messages.

        Raises:
            ResourceTypeUnknown: The template holds a type that the table does not know.
        """
        found = sorted({resource["Type"] for resource in template["Resources"].values()})
        types = [name for name in found if name not in _NEEDS_NOTHING]
        unknown = [name for name in types if name not in self.types]
        if unknown:
            raise ResourceTypeUnknown(
                f"the blueprint {kind!r} deploys {', '.join(unknown)}, and nobody has said what "
                "CloudFormation needs for that. Add a TypePermissions entry (actions that change, "
                "actions that read, ARN pattern) to deploy_permissions of the blueprint's stack."
            )
        for statement in _merged(self.types[name] for name in types):
            self._grant(role, stack, statement)
        if "AWS::IAM::Role" in types:
            _grant_bounded_roles(role, stack)
        services = sorted({PASSED_TO[name] for name in types if name in PASSED_TO})
        if services:
            allow(
                role,
                actions=perms.PASS_ROLE,
                resources=[stack.role_arn(f"{stack.config.prefix[:_NAME_LENGTH]}*")],
                conditions={"StringEquals": {"iam:PassedToService": services}},
                because=_BY_PREFIX,
            )

    @staticmethod
    def _grant(role: iam.Role, stack: FrameworkStack, entry: TypePermissions) -> None:
        resources = [_arn(stack, tail) for tail in entry.resources]
        reads = [action for action in entry.reads if action not in perms.WITHOUT_RESOURCE]
        if reads:
            allow(role, actions=reads, resources=resources, because=entry.because)
        everywhere = [action for action in entry.reads if action in perms.WITHOUT_RESOURCE]
        if everywhere:
            allow(
                role,
                actions=everywhere,
                resources=["*"],
                because=f"{', '.join(everywhere)}: IAM has no resource for it.",
            )
        if not entry.changes:
            return
        if not entry.tagged:
            allow(role, actions=entry.changes, resources=resources, because=entry.because)
            return
        # On creation the tag is in the request, afterwards on the resource.
        for key in ("aws:RequestTag", "aws:ResourceTag"):
            creating = key == "aws:RequestTag"
            actions = [
                action
                for action in entry.changes
                if _creates(action) == creating or action == "sagemaker:AddTags"
            ]
            allow(
                role,
                actions=actions,
                resources=resources,
                conditions={"StringEquals": {f"{key}/{ENVIRONMENT_TAG}": stack.config.prefix}},
                because=entry.because,
            )


def protect(
    role: iam.Role,
    stack: FrameworkStack,
    template: Mapping[str, Any],
    *,
    roles: Iterable[str],
    functions: Iterable[str],
) -> None:
    """Deny a deploy role every change of the platform itself, whose names share the prefix.

    Args:
        role: CloudFormation's service role.
        stack: The stack that holds the role.
        template: What the role deploys; only services in it are worth a denial.
        roles: Names of roles that the platform gave itself, whole.
        functions: Likewise of functions.
    """
    types = {resource["Type"] for resource in template["Resources"].values()}
    prefix = stack.config.prefix
    generated = [f"{naming.platform_stack(prefix, name)}-*" for name in PLATFORM_STACKS]
    for service, kind, named in (
        ("iam", "AWS::IAM::Role", tuple(roles)),
        ("lambda", "AWS::Lambda::Function", tuple(functions)),
        ("logs", "AWS::Logs::LogGroup", ()),
        ("events", "AWS::Events::Rule", ()),
        ("cloudwatch", "AWS::CloudWatch::Alarm", ()),
    ):
        if kind not in types:
            continue
        changes = {action for entry in TYPES.values() for action in entry.changes}
        changes |= set(_ROLE_CONTENT)
        place = _arn(stack, TYPES[kind].resources[0]).removesuffix(f"{prefix[:_NAME_LENGTH]}*")
        role.add_to_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=sorted(action for action in changes if action.startswith(f"{service}:")),
                resources=[place + name for name in (*named, *generated)],
            )
        )


def _creates(action: str) -> bool:
    return action.partition(":")[2].startswith("Create")


def _merged(entries: Iterable[TypePermissions]) -> list[TypePermissions]:
    """One entry per set of resources, so that six API Gateway types are one statement."""
    merged: dict[tuple[tuple[str, ...], str, bool], tuple[list[str], list[str]]] = {}
    for entry in entries:
        changes, reads = merged.setdefault((entry.resources, entry.because, entry.tagged), ([], []))
        changes += [action for action in entry.changes if action not in changes]
        reads += [action for action in entry.reads if action not in reads]
    return [
        TypePermissions(tuple(changes), resources, tuple(reads), because, tagged)
        for (resources, because, tagged), (changes, reads) in merged.items()
    ]


def _grant_bounded_roles(role: iam.Role, stack: FrameworkStack) -> None:
    """Roles may be made and filled only below the platform's path and under its boundary."""
    allow(
        role,
        actions=_ROLE_CONTENT,
        resources=[stack.role_arn(f"{stack.config.prefix[:_NAME_LENGTH]}*")],
        conditions={"StringEquals": {"iam:PermissionsBoundary": stack.boundary_arn()}},
        because=_BY_PREFIX,
    )


def _arn(stack: FrameworkStack, tail: str) -> str:
    config = stack.config
    filled = tail.format(
        region=stack.region,
        account=stack.account,
        environment=config.prefix,
        prefix=config.prefix[:_NAME_LENGTH],
        path=f"/{config.name_prefix}/",
    )
    return f"arn:{stack.partition}:{filled}"
