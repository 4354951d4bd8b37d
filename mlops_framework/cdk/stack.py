"""The base of every stack in the house: platform and blueprint alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlops_framework import naming
from mlops_framework.cdk import perms
from mlops_framework.cdk.aspects import GuardedRoles
from mlops_framework.environments.models import EnvironmentConfig

PLATFORM_STACKS: tuple[naming.PlatformStack, ...] = get_args(naming.PlatformStack)
"""Tag with the environment's prefix on everything; deploy roles are limited by it."""


class PlatformValues:
    """What the platform publishes in SSM, read by CloudFormation when a stack is deployed.

    Stacks know each other only through these values, so the platform's stacks can be replaced one
    by one, and a blueprint's template holds no name of the account it is deployed to.
    """

    def __init__(self, stack: cdk.Stack, prefix: str) -> None:
        """Read the values of the environment ``prefix`` in ``stack``."""
        self._stack = stack
        self._prefix = prefix

    def value(self, key: naming.PlatformKey) -> str:
        """Token of one value; the first use declares the template's parameter for it."""
        name = "Platform" + "".join(word.capitalize() for word in key.split("-"))
        known = self._stack.node.try_find_child(name)
        if known is None:
            known = cdk.CfnParameter(
                self._stack,
                name,
                type="AWS::SSM::Parameter::Value<String>",
                default=naming.platform_parameter(self._prefix, key),
                description=f"The platform's {key}; leave as it is.",
            )
        assert isinstance(known, cdk.CfnParameter)
        return known.value_as_string

    def key(self, construct_id: str = "PlatformKey") -> kms.IKey:
        """The platform's KMS key; permissions on it come from roles, never from its policy."""
        known = self._stack.node.try_find_child(construct_id)
        if known is None:
            return kms.Key.from_key_arn(self._stack, construct_id, self.value("key-arn"))
        return known  # type: ignore[return-value]  # the node holds what was put there above

    def bucket_arn(self, key: naming.PlatformKey) -> str:
        """ARN of one of the platform's buckets."""
        return self._stack.format_arn(service="s3", region="", account="", resource=self.value(key))

    def bucket(self, construct_id: str, key: naming.PlatformKey) -> s3.IBucket:
        """One of the platform's buckets, for constructs that want an object."""
        return s3.Bucket.from_bucket_name(self._stack, construct_id, self.value(key))


_NAME_THE_ACCOUNT = frozenset(
    f"{service}.amazonaws.com"
    for service in ("codebuild", "events", "sagemaker", "scheduler", "states")
)
"""Services whose guides give this condition for the roles that they take."""


class FrameworkStack(cdk.Stack):
    """A stack that is tagged, guarded and fed by the platform.

    Creates: nothing by itself. Fixed: every role gets the platform's path and permissions
    boundary, every resource the environment's tags. You choose: what is in it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: EnvironmentConfig,
        description: str,
        stack_name: str | None = None,
        synthesizer: cdk.IStackSynthesizer | None = None,
        guarded: bool = True,
        env: cdk.Environment | None = None,
        termination_protection: bool = False,
    ) -> None:
        """Prepare an empty stack.

        Args:
            scope: App or stage.
            construct_id: Stable id without environment or region.
            config: The environment.
            description: What it holds, for the CloudFormation console.
            stack_name: Physical name; CDK's default when not given.
            synthesizer: CDK's default when not given.
            guarded: False only for the stack that creates the permissions boundary.
            env: Account and region; none for a template that is deployed anywhere.
            termination_protection: Whether the stack refuses to be deleted.
        """
        super().__init__(
            scope,
            construct_id,
            description=description,
            stack_name=stack_name,
            synthesizer=synthesizer,
            env=env,
            termination_protection=termination_protection,
        )
        self.config = config
        self.platform = PlatformValues(self, config.prefix)
        for key, value in house_tags(config).items():
            cdk.Tags.of(self).add(key, value)
        if guarded:
            cdk.Aspects.of(self).add(
                GuardedRoles(
                    path=naming.role_path(config.name_prefix),
                    boundary_arn=self.boundary_arn,
                )
            )

    def boundary_arn(self) -> str:
        """ARN of the policy that caps every role: the environment's own, or the platform's."""
        return self.config.permissions_boundary_arn or self.platform.value(
            "permissions-boundary-arn"
        )

    def arn(self, service: str, resource: str) -> str:
        """ARN in this stack's partition, region and account; ``resource`` as IAM writes it."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def role_arn(self, name: str) -> str:
        """ARN of a role below the platform's path; ``name`` is known at synthesis."""
        path = naming.role_path(self.config.name_prefix)
        # Fn::Sub and not a join: cfn-lint 1.58 takes no join in a CodePipeline action.
        return cdk.Fn.sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role{path}{name}")

    def spare_platform_stacks(self, role: iam.IGrantable) -> None:
        """Deny a role that may change stacks by prefix every change of the platform's own."""
        role.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=sorted({*perms.CHANGE_STACKS, *perms.CHANGE_SETS} - {*perms.READ_STACKS}),
                resources=[
                    self.arn("cloudformation", f"stack/{name}/*")
                    for name in (
                        naming.platform_stack(self.config.prefix, stack)
                        for stack in PLATFORM_STACKS
                    )
                ],
            )
        )

    def role_for(self, construct_id: str, service: str, description: str) -> iam.Role:
        """A role that one AWS service may take, and only for this account.

        ``aws:SourceAccount`` keeps another account from using the service as its deputy. Only of
        some services is it known that they name the account when they take a role; any other could
        not take it at all.
        """
        here = {"StringEquals": {"aws:SourceAccount": self.account}}
        return iam.Role(
            self,
            construct_id,
            description=description,
            assumed_by=iam.ServicePrincipal(
                service, conditions=here if service in _NAME_THE_ACCOUNT else None
            ),
        )


def house_tags(config: EnvironmentConfig) -> Mapping[str, str]:
    """Tags of everything in an environment: the configured ones and the environment's prefix."""
    return {**config.tags, naming.ENVIRONMENT_TAG: config.prefix}
