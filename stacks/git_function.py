"""The function that the CodePipelines of Git sources invoke: it plans and applies their folders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lambdas.orchestrator.settings import OrchestratorSettings
from mlops_framework import naming
from mlops_framework.cdk import perms
from mlops_framework.cdk.bundling import Bundle
from mlops_framework.cdk.function import FunctionShape, LogPolicy, PythonFunction
from mlops_framework.cdk.security import allow
from mlops_framework.cdk.stack import FrameworkStack

_TIMEOUT_SECONDS: Final = 900


def gitops_function_name(prefix: str) -> str:
    """Name of the function that the CodePipelines of Git sources invoke."""
    return f"{prefix}-gitops"


def git_function(
    stack: FrameworkStack, *, bundle: Bundle, environment: Mapping[str, str], logs: LogPolicy
) -> PythonFunction:
    """The function; what provisioning takes is granted elsewhere.

    Args:
        stack: The orchestrator's.
        bundle: Its code.
        environment: What provisioning reads.
        logs: Retention and encryption of its log.
    """
    prefix = stack.config.prefix
    function = PythonFunction(
        stack,
        "GitOps",
        bundle=bundle,
        handler="gitops:handler",
        settings=OrchestratorSettings,
        environment=environment,
        description="Plans and applies the request files of Git sources",
        logs=logs,
        shape=FunctionShape(
            memory_mb=1024,
            timeout_seconds=_TIMEOUT_SECONDS,
            name=gitops_function_name(prefix),
        ),
    )
    allow(
        function,
        actions=perms.ANSWER_PIPELINE_JOB,
        resources=["*"],
        because="CodePipeline's job results take no resource.",
    )
    artifacts = stack.platform.bucket_arn("artifact-bucket-name")
    allow(
        function,
        actions=[*perms.READ_OBJECTS, *perms.WRITE_OBJECTS],
        resources=[
            f"{artifacts}/{naming.git_artifacts(prefix)}*",
            f"{artifacts}/gitops/*",
        ],
        because="CodePipeline names artifacts after its pipelines, plans are named by digest.",
    )
    allow(
        function,
        actions=perms.READ_PARAMETERS,
        resources=[stack.arn("ssm", f"parameter/{prefix}/platform/*")],
        because="Request files name any of the values that the platform publishes.",
    )
    return function
