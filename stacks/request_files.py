"""Requests as files: a rule on the configuration bucket, and the function that carries them out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypedDict

from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_

from lambdas.orchestrator.settings import FilesSettings
from mlops_framework.cdk import perms
from mlops_framework.cdk.bundling import Bundle
from mlops_framework.cdk.function import FunctionShape, LogPolicy, PythonFunction
from mlops_framework.cdk.security import allow
from mlops_framework.cdk.stack import FrameworkStack

_TIMEOUT_SECONDS: Final = 120
_PREFIX: Final = "mlops-config"
"""Keys of request files begin so, as the predecessor's did."""


class Runs(TypedDict):
    """What the orchestrator's functions are made with."""

    bundle: Bundle
    environment: Mapping[str, str]
    logs: LogPolicy


def request_files(
    stack: FrameworkStack, *, bundle: Bundle, environment: Mapping[str, str], logs: LogPolicy
) -> PythonFunction:
    """The function behind the configuration bucket; what provisioning takes is granted elsewhere.

    Args:
        stack: The orchestrator's.
        bundle: Its code.
        environment: What provisioning reads.
        logs: Retention and encryption of its log.
    """
    function = PythonFunction(
        stack,
        "Files",
        bundle=bundle,
        handler="files:handler",
        settings=FilesSettings,
        environment={**environment, "alert_topic_arn": stack.platform.value("alert-topic-arn")},
        description="Carries out requests that were put as files, and writes results beside",
        logs=logs,
        shape=FunctionShape(memory_mb=512, timeout_seconds=_TIMEOUT_SECONDS, retries=2),
    )
    _call_when_put(stack, function)
    allow(
        function,
        actions=["s3:GetObject", "s3:PutObject"],
        resources=[f"{stack.platform.bucket_arn('configuration-bucket-name')}/{_PREFIX}*"],
        because="Senders name their files; what begins so is a request or its result.",
    )
    # Without it, S3 says of a file that was removed meanwhile that reading it is forbidden.
    allow(
        function,
        actions=perms.LIST_BUCKET,
        resources=[stack.platform.bucket_arn("configuration-bucket-name")],
    )
    allow(function, actions=perms.PUBLISH, resources=[stack.platform.value("alert-topic-arn")])
    return function


def _call_when_put(stack: FrameworkStack, function: PythonFunction) -> None:
    rule = events.CfnRule(
        stack,
        "RequestFilePut",
        description="A request was put as a file into the configuration bucket",
        event_pattern={
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": [stack.platform.value("configuration-bucket-name")]},
                "object": {"key": [{"prefix": _PREFIX}]},
            },
        },
        state="ENABLED",
        targets=[events.CfnRule.TargetProperty(id="Files", arn=function.function_arn)],
    )
    lambda_.CfnPermission(
        stack,
        "RequestFilePutInvokes",
        action=perms.INVOKE_FUNCTION[0],
        function_name=function.function_name,
        principal="events.amazonaws.com",
        source_arn=rule.attr_arn,
    )
    if stack.config.configuration_bucket:
        # Its owner may send it S3's own notifications, as the predecessor had them.
        lambda_.CfnPermission(
            stack,
            "BucketNotifies",
            action=perms.INVOKE_FUNCTION[0],
            function_name=function.function_name,
            principal="s3.amazonaws.com",
            source_arn=stack.platform.bucket_arn("configuration-bucket-name"),
            source_account=stack.account,
        )
