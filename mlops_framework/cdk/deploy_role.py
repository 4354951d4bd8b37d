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
from mlops_framework.cdk.deploy_types import BY_PREFIX, PASSED_TO, TYPES, TypePermissions
from mlops_framework.cdk.errors import ResourceTypeUnknown
from mlops_framework.cdk.security import allow
from mlops_framework.cdk.stack import PLATFORM_STACKS, FrameworkStack
from mlops_framework.naming import ENVIRONMENT_TAG

_NAME_LENGTH = 24
"""CloudFormation cuts the stack's name to about this when it makes a name of at most 64."""

ROLE_CONTENT = (
    "iam:CreateRole",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
)
"""What fills a role; allowed only under the platform's boundary."""
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

    def unknown(self, template: Mapping[str, Any]) -> tuple[str, ...]:
        """The resource types of a template for which the table says nothing."""
        return tuple(name for name in _types_in(template) if name not in self.types)

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
        types = _types_in(template)
        if unknown := self.unknown(template):
            raise ResourceTypeUnknown(
                f"the blueprint {kind!r} deploys {', '.join(unknown)}, and nobody has said what "
                "CloudFormation needs for that. Add a TypePermissions entry (actions that change, "
                "actions that read, ARN pattern) to deploy_permissions of the blueprint's stack."
            )
        for statement in _merged(self.types[name] for name in types):
            self._grant(role, stack, statement)
        if "AWS::IAM::Role" in types:
            _grant_bounded_roles(role, stack)
        if any(self.types[name].key for name in types):
            _grant_keys(role, stack)
        services = sorted(
            {self.types[name].passes_role_to or PASSED_TO.get(name, "") for name in types} - {""}
        )
        if services:
            allow(
                role,
                actions=perms.PASS_ROLE,
                resources=[stack.role_arn(f"{stack.config.prefix[:_NAME_LENGTH]}*")],
                conditions={"StringEquals": {"iam:PassedToService": services}},
                because=BY_PREFIX,
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
        changes |= set(ROLE_CONTENT)
        place = _arn(stack, TYPES[kind].resources[0]).removesuffix(f"{prefix[:_NAME_LENGTH]}*")
        role.add_to_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=sorted(action for action in changes if action.startswith(f"{service}:")),
                resources=[place + name for name in (*named, *generated)],
            )
        )


def _types_in(template: Mapping[str, Any]) -> list[str]:
    found = {resource["Type"] for resource in template["Resources"].values()}
    return sorted(found - _NEEDS_NOTHING)


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


def _grant_keys(role: iam.Role, stack: FrameworkStack) -> None:
    """SageMaker is granted a key in the name of who creates the resource that it encrypts."""
    allow(
        role,
        actions=perms.GRANT_KEY,
        resources=[stack.platform.value("key-arn")],
    )
    allow(
        role,
        actions=perms.GRANT_KEY,
        resources=[stack.arn("kms", "key/*")],
        conditions={
            "StringEquals": {"kms:ViaService": f"sagemaker.{stack.region}.{stack.url_suffix}"}
        },
        because="A request may bring a key of its own; it can be granted to SageMaker alone, and "
        "that key's policy has to agree.",
    )


def _grant_bounded_roles(role: iam.Role, stack: FrameworkStack) -> None:
    """Roles may be made and filled only below the platform's path and under its boundary."""
    allow(
        role,
        actions=ROLE_CONTENT,
        resources=[stack.role_arn(f"{stack.config.prefix[:_NAME_LENGTH]}*")],
        conditions={"StringEquals": {"iam:PermissionsBoundary": stack.boundary_arn()}},
        because=BY_PREFIX,
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
