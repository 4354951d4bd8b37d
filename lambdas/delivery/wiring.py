"""The composition root of the delivery function."""

from __future__ import annotations

from functools import cache
from typing import Final

from lambdas.delivery.settings import DeliverySettings
from mlops_framework.aws.clients import client
from mlops_framework.aws.endpoints import SageMakerEndpoints
from mlops_framework.aws.functions import SynchronousFunction
from mlops_framework.aws.image_builds import CodeBuildImages
from mlops_framework.aws.model_builds import SageMakerBuilds
from mlops_framework.aws.pipelines import CodePipelineJobs
from mlops_framework.aws.stacks import CloudFormationStacks
from mlops_framework.aws.state_machines import StepFunctions
from mlops_framework.delivery.ports import DeliveryPorts
from mlops_framework.delivery.service import Verification

BASELINE_SECONDS: Final = 840
"""Longer than the baseline function may run, shorter than this one may."""


@cache
def service() -> Verification:
    """The checks on AWS, made once per execution environment."""
    settings = DeliverySettings.from_environ()
    name = settings.baseline_function_name
    # One attempt: a repeated call would build the same baseline a second time, at the same moment.
    baselines = (
        SynchronousFunction(client("lambda", read_seconds=BASELINE_SECONDS, attempts=1), name)
        if name
        else None
    )
    return Verification(
        DeliveryPorts(
            jobs=CodePipelineJobs(client("codepipeline")),
            stacks=CloudFormationStacks(client("cloudformation")),
            builds=SageMakerBuilds(client("sagemaker"), settings.environment_prefix),
            endpoints=SageMakerEndpoints(client("sagemaker")),
            baselines=baselines,
            machines=StepFunctions(client("stepfunctions")),
            images=CodeBuildImages(
                client("codebuild"),
                client("ecr"),
                environment=settings.environment_prefix,
                key_arn=settings.image_key_arn,
            ),
        )
    )
