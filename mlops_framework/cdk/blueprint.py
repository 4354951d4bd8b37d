"""The base class of every blueprint's stack, ours and a third party's.

A blueprint's template is synthesized once per environment, stored in the orchestrator's bundle, and
deployed by CodePipeline for every request and stage. What differs between two requests is a
parameter; what the platform provides is an SSM value; nothing else may differ.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from mlops_framework.cdk.bundling import Bundler
from mlops_framework.cdk.deploy_types import TypePermissions
from mlops_framework.cdk.errors import SynthesisRefused
from mlops_framework.cdk.function import LogPolicy
from mlops_framework.cdk.stack import FrameworkStack
from mlops_framework.contracts.parameters import Parameter, parameter_name, template_parameters
from mlops_framework.environments.models import EnvironmentConfig
from mlops_framework.registry import Blueprint

MODEL_TAG = "mlops:model"
PIPELINE_TAG = "mlops:pipeline"
STAGE_TAG = "mlops:stage"


class BlueprintStack(FrameworkStack):
    """A template with the contract's parameters; subclasses say what it deploys.

    Creates: one CloudFormation parameter per field of the contract, and ``PipelineId`` and
    ``Stage``. Fixed: no account, region or name of a request is in the template. You choose: the
    resources, by overriding :meth:`build`.

    Example::

        class ShadowStack(BlueprintStack):
            def build(self) -> None:
                sagemaker.CfnEndpointConfig(self, "Config", …, instance=self.text("instance_type"))
    """

    deploy_permissions: ClassVar[Mapping[str, TypePermissions]] = {}
    """Resource types this blueprint deploys beyond those the house knows."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: EnvironmentConfig,
        blueprint: Blueprint,
        bundler: Bundler,
    ) -> None:
        """Declare the parameters, then :meth:`build`.

        Args:
            scope: The app that only holds blueprints.
            construct_id: The blueprint's kind.
            config: The environment.
            blueprint: The blueprint this stack belongs to.
            bundler: Builds Lambda bundles for the environment's target.
        """
        super().__init__(
            scope,
            construct_id,
            config=config,
            description=blueprint.summary,
            # CodePipeline passes parameters from a file; a version rule would only add a value
            # that every deploy role has to read.
            synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
        self.blueprint = blueprint
        self.bundler = bundler
        self._parameters = {
            parameter.name: _declare(self, parameter)
            for parameter in template_parameters(blueprint.request)
        }
        cdk.Tags.of(self).add(PIPELINE_TAG, self.text("pipeline_id"))
        cdk.Tags.of(self).add(STAGE_TAG, self.text("stage"))
        cdk.Tags.of(self).add(MODEL_TAG, self.text("model_name"))
        self.build()

    @abstractmethod
    def build(self) -> None:
        """Define the resources and outputs. Called once, after the parameters exist."""

    def parameter(self, field: str) -> cdk.CfnParameter:
        """The parameter of a field of the contract, or of ``pipeline_id`` and ``stage``.

        Raises:
            SynthesisRefused: The contract has no such field.
        """
        name = parameter_name(field)
        if name not in self._parameters:
            raise SynthesisRefused(
                f"{self.blueprint.kind}: the contract {self.blueprint.request.__name__} has no "
                f"field {field!r}; it has {', '.join(sorted(self._parameters))}"
            )
        return self._parameters[name]

    def text(self, field: str) -> str:
        """Token of a field's value as text."""
        return self.parameter(field).value_as_string

    def number(self, field: str) -> int | float:
        """Token of a field's value as a number."""
        return self.parameter(field).value_as_number

    def when(self, construct_id: str, field: str, value: str) -> cdk.CfnCondition:
        """A condition: the field has exactly this value."""
        return cdk.CfnCondition(
            self, construct_id, expression=cdk.Fn.condition_equals(self.text(field), value)
        )

    def left_empty(self, field: str) -> cdk.CfnCondition:
        """A condition: the request left the field empty. Declared once, however often asked for."""
        name = f"No{parameter_name(field)}"
        condition = self.node.try_find_child(name) or self.when(name, field, "")
        assert isinstance(condition, cdk.CfnCondition)
        return condition

    def given_or(self, field: str, default: str) -> str:
        """The field's value, or ``default`` where the request left it empty."""
        return either(self.left_empty(field), default, self.text(field))

    def output(self, name: str, value: str) -> None:
        """An output; its name may be that of a parameter, which are separate for CloudFormation."""
        cdk.CfnOutput(self, f"{name}Output", value=value).override_logical_id(name)

    @property
    def logs(self) -> LogPolicy:
        """How functions of this blueprint log."""
        return LogPolicy(
            retention_days=self.config.log_retention_days,
            key=self.platform.key(),
            retain=False,
        )

    @property
    def deployed_name(self) -> str:
        """Default physical name: that of the stack, ``<prefix>-<pipeline id>-<stage>``."""
        return cdk.Aws.STACK_NAME

    def sagemaker_role(self, construct_id: str, description: str) -> iam.Role:
        """A role without permissions that SageMaker may take for this account."""
        return self.role_for(construct_id, "sagemaker.amazonaws.com", description)


def either(condition: cdk.CfnCondition, then: str, otherwise: str) -> str:
    """``Fn::If`` between two texts."""
    return cdk.Token.as_string(cdk.Fn.condition_if(condition.logical_id, then, otherwise))


def object_arn(stack: cdk.Stack, uri: str) -> str:
    """ARN of what an ``s3://bucket/key`` text names, where the text is only known when deployed."""
    return f"arn:{stack.partition}:s3:::{cdk.Fn.select(1, cdk.Fn.split('s3://', uri))}"


def bucket_of(uri: str) -> str:
    """Bucket name of an ``s3://bucket/key`` text that is only known when deployed."""
    return cdk.Fn.select(2, cdk.Fn.split("/", uri))


def _declare(stack: cdk.Stack, parameter: Parameter) -> cdk.CfnParameter:
    return cdk.CfnParameter(
        stack,
        parameter.name,
        type=parameter.kind,
        default=parameter.default,
        allowed_values=list(parameter.allowed_values) or None,
        allowed_pattern=parameter.pattern,
        min_length=parameter.min_length,
        max_length=parameter.max_length,
        min_value=parameter.min_value,
        max_value=parameter.max_value,
        description=parameter.description,
    )
