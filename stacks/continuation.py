"""The function that goes on with requests that need longer than an answer of the API may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lambdas.orchestrator.settings import OrchestratorSettings
from mlops_framework.cdk.bundling import Bundle
from mlops_framework.cdk.function import FunctionShape, LogPolicy, PythonFunction
from mlops_framework.cdk.stack import FrameworkStack
from stacks.delivery_stack import continue_function_name

_TIMEOUT_SECONDS: Final = 900


def continuation(
    stack: FrameworkStack, *, bundle: Bundle, environment: Mapping[str, str], logs: LogPolicy
) -> PythonFunction:
    """The function; what provisioning takes is granted elsewhere.

    Args:
        stack: The orchestrator's.
        bundle: Its code.
        environment: What provisioning reads.
        logs: Retention and encryption of its log.
    """
    return PythonFunction(
        stack,
        "Continuation",
        bundle=bundle,
        handler="continuation:handler",
        settings=OrchestratorSettings,
        environment=environment,
        description="Goes on with requests that wait for CloudFormation",
        logs=logs,
        shape=FunctionShape(
            memory_mb=512,
            timeout_seconds=_TIMEOUT_SECONDS,
            retries=2,
            name=continue_function_name(stack.config.prefix),
        ),
    )
