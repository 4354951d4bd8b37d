"""What the containers behind an endpoint may do."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from mlops_framework import naming
from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import BlueprintStack, object_arn
from mlops_framework.cdk.containers import let_containers_start
from mlops_framework.cdk.security import allow
from mlops_framework.cdk.serving.configuration import Locations
from mlops_framework.cdk.serving.form import holds
from mlops_framework.cdk.serving.model import ModelSource, let_serve


def let_models_run(
    stack: BlueprintStack,
    role: iam.Role,
    sources: Mapping[str, ModelSource],
    locations: Locations,
    inputs: str,
) -> None:
    """Give the models' role what serving takes: artefacts, images, captures, queue, key.

    Args:
        stack: The blueprint's stack.
        role: Of all models of the endpoint.
        sources: Where each model comes from, by its logical id.
        locations: Where the endpoint writes.
        inputs: Where callers of an asynchronous endpoint put what they ask.
    """
    data = stack.platform.bucket_arn("data-bucket-name")
    allow(
        role,
        actions=perms.READ_OBJECTS,
        resources=[f"{data}/{naming.MODELS_PREFIX}/*", f"{data}/{naming.CODE_PREFIX}/*"],
        because="A model package names an artefact below models/ and scripts below code/; "
        "which ones, only the registry knows.",
    )
    allow(role, actions=perms.LIST_BUCKET, resources=[data])
    allow(
        role,
        actions=perms.WRITE_OBJECTS,
        resources=[
            f"{object_arn(stack, place)}/*"
            for place in (locations.captures, locations.answers, locations.failures)
        ],
        because="Captures, answers and failures are named by SageMaker below the request's "
        "locations.",
    )
    allow(
        role,
        actions=perms.READ_OBJECTS,
        resources=[f"{object_arn(stack, inputs)}/*"],
        because="Every call of an asynchronous endpoint has an object of its own.",
    )
    allow(
        role,
        actions=perms.USE_KEY_FOR_VOLUMES,
        resources=[locations.key, stack.platform.value("key-arn")],
    )
    for number, (construct_id, source) in enumerate(sources.items()):
        image = let_serve(stack, role, construct_id, source)
        if number == 0:
            let_containers_start(stack, role, image)
            continue
        registry = cdk.Fn.select(0, cdk.Fn.split(".", image))
        allow(
            role,
            actions=perms.PULL_IMAGE,
            resources=[f"arn:{stack.partition}:ecr:{stack.region}:{registry}:repository/*"],
            because="The repository is part of the variant's image URI, in that image's account "
            "only.",
        )
    for field in ("async_success_topic_arn", "async_error_topic_arn"):
        _let_tell(stack, role, field)


def _let_tell(stack: BlueprintStack, role: iam.Role, field: str) -> None:
    """Let the role publish to a topic, if the request names one; no policy without a resource."""
    given = cdk.CfnCondition(
        stack,
        f"{_pascal(field)}Given",
        expression=cdk.Fn.condition_not(holds(stack.left_empty(field))),
    )
    policy = iam.CfnPolicy(
        stack,
        f"{_pascal(field)}Policy",
        policy_name=_pascal(field),
        roles=[role.role_name],
        policy_document=iam.PolicyDocument(
            statements=[
                iam.PolicyStatement(actions=list(perms.PUBLISH), resources=[stack.text(field)])
            ]
        ),
    )
    policy.cfn_options.condition = given


def _pascal(field: str) -> str:
    return "".join(word.capitalize() for word in field.split("_"))
