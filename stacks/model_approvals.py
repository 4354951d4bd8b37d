"""Approval of a model: a rule on the model registry, and the function that delivers the version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_

from lambdas.orchestrator.settings import OrchestratorSettings
from mlops_framework.cdk import perms
from mlops_framework.cdk.bundling import Bundle
from mlops_framework.cdk.function import FunctionShape, LogPolicy, PythonFunction
from mlops_framework.cdk.stack import FrameworkStack

_TIMEOUT_SECONDS: Final = 300


def model_approvals(
    stack: FrameworkStack, *, bundle: Bundle, environment: Mapping[str, str], logs: LogPolicy
) -> PythonFunction:
    """The function behind the registry's event; what provisioning takes is granted elsewhere.

    Args:
        stack: The orchestrator's.
        bundle: Its code.
        environment: What provisioning reads.
        logs: Retention and encryption of its log.
    """
    function = PythonFunction(
        stack,
        "Approvals",
        bundle=bundle,
        handler="approvals:handler",
        settings=OrchestratorSettings,
        environment=environment,
        description="Delivers a model that was approved, takes back one that was rejected",
        logs=logs,
        shape=FunctionShape(memory_mb=512, timeout_seconds=_TIMEOUT_SECONDS, retries=2),
    )
    rule = events.CfnRule(
        stack,
        "ModelDecided",
        description="A version in the model registry was approved or rejected",
        event_pattern={
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Package State Change"],
            "detail": {
                "ModelApprovalStatus": ["Approved", "Rejected"],
                "ModelPackageGroupName": [{"exists": True}],
            },
        },
        state="ENABLED",
        targets=[events.CfnRule.TargetProperty(id="Approvals", arn=function.function_arn)],
    )
    lambda_.CfnPermission(
        stack,
        "ModelDecidedInvokes",
        action=perms.INVOKE_FUNCTION[0],
        function_name=function.function_name,
        principal="events.amazonaws.com",
        source_arn=rule.attr_arn,
    )
    return function
