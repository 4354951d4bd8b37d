"""A SageMaker model out of the registry or out of image and artefact, as the request decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker

from mlops_framework import naming
from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import bucket_of, either, object_arn
from mlops_framework.cdk.security import allow
from mlops_framework.cdk.stack import FrameworkStack


@dataclass(frozen=True)
class ModelSource:
    """Tokens of what a request says of a model; of package and image, one is empty.

    Attributes:
        package: ARN of a version in the registry.
        image: Image that serves the artefact.
        artefact: ``s3://bucket/key`` of the model's archive.
        environment: The container's variables, as JSON text.
        present: Holds when the request has this model at all; none when it always has.
        models: ``s3://bucket/folder/`` of the archives of a multi-model endpoint.
        many: Holds when it is one; none where it never is.
    """

    package: str
    image: str
    artefact: str
    environment: str
    present: cdk.CfnCondition | None = None
    models: str = ""
    many: cdk.CfnCondition | None = None


@dataclass(frozen=True)
class Network:
    """Where containers run, from the environment's configuration."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    isolated: bool

    @classmethod
    def of(cls, stack: FrameworkStack) -> Network | None:
        """The network of a stack's environment, if it has one."""
        given = stack.config.networking
        if given is None:
            return None
        return cls(
            tuple(given.subnet_ids), tuple(given.security_group_ids), given.network_isolation
        )


def served_model(
    stack: FrameworkStack, construct_id: str, source: ModelSource, role: iam.Role
) -> sagemaker.CfnModel:
    """Declare the model of one production variant.

    Creates: the model. Fixed: the environment's network. You choose: where it comes from; both ways
    are in the template, and CloudFormation takes the one that the request names.

    Args:
        stack: The blueprint's stack.
        construct_id: Its logical id; conditions are named after it.
        source: Where it comes from.
        role: What its containers may do; see :func:`let_serve`.
    """
    packaged = from_package(stack, construct_id, source)
    none, many = cdk.Aws.NO_VALUE, source.many
    data = either(many, source.models, source.artefact) if many else source.artefact
    network = Network.of(stack)
    model = sagemaker.CfnModel(
        stack,
        construct_id,
        execution_role_arn=role.role_arn,
        primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
            model_package_name=either(packaged, source.package, none),
            image=either(packaged, none, source.image),
            model_data_url=either(packaged, none, data),
            mode=either(many, "MultiModel", none) if many else None,
            # CloudFormation takes the map as JSON text, which is how a parameter can hold one.
            environment=_unless_empty(stack, f"{construct_id}NoEnvironment", source.environment),
        ),
        enable_network_isolation=network.isolated if network else None,
        vpc_config=sagemaker.CfnModel.VpcConfigProperty(
            subnets=list(network.subnets), security_group_ids=list(network.security_groups)
        )
        if network
        else None,
    )
    model.cfn_options.condition = source.present
    # SageMaker tries the role on the artefact when the model is made.
    model.node.add_dependency(role)
    return model


def from_package(stack: FrameworkStack, construct_id: str, source: ModelSource) -> cdk.CfnCondition:
    """The condition that a model comes from the registry. Declared once."""
    name = f"{construct_id}FromPackage"
    known = stack.node.try_find_child(name)
    if known is None:
        return cdk.CfnCondition(
            stack,
            name,
            expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(source.package, "")),
        )
    assert isinstance(known, cdk.CfnCondition)
    return known


def let_serve(stack: FrameworkStack, role: iam.Role, construct_id: str, source: ModelSource) -> str:
    """Let a role read a model's artefact.

    Args:
        stack: The blueprint's stack.
        role: The models' role.
        construct_id: Of the model.
        source: Where it comes from.

    Returns:
        Token of its image, or of any image of this account and AWS's own for a package: which one
        it names, only the registry knows.
    """
    packaged = from_package(stack, construct_id, source)
    data = stack.platform.bucket_arn("data-bucket-name")
    absent = cdk.CfnCondition(
        stack,
        f"{construct_id}HasNoArtefact",
        expression=cdk.Fn.condition_equals(source.artefact, ""),
    )
    allow(
        role,
        actions=perms.READ_OBJECTS,
        resources=[
            either(absent, f"{data}/{naming.MODELS_PREFIX}", object_arn(stack, source.artefact))
        ],
    )
    if source.many:
        _let_load(stack, role, source.many, source.models)
    return either(packaged, "*.dkr", source.image)


def _let_load(stack: FrameworkStack, role: iam.Role, many: cdk.CfnCondition, models: str) -> None:
    """Let a role find and read every archive of a multi-model endpoint."""
    data = stack.platform.bucket_arn("data-bucket-name")
    place = either(many, object_arn(stack, models), f"{data}/{naming.MODELS_PREFIX}/")
    allow(
        role,
        actions=perms.READ_OBJECTS,
        resources=[f"{place}*"],
        because="Which models a multi-model endpoint has, its folder says, and calls name them.",
    )
    bucket = f"arn:{stack.partition}:s3:::{bucket_of(f'{models}///')}"
    allow(role, actions=perms.LIST_BUCKET, resources=[either(many, bucket, data)])


def _unless_empty(stack: FrameworkStack, name: str, environment: str) -> Any:
    empty = cdk.CfnCondition(stack, name, expression=cdk.Fn.condition_equals(environment, "{}"))
    return cdk.Token.as_any(cdk.Fn.condition_if(empty.logical_id, cdk.Aws.NO_VALUE, environment))
