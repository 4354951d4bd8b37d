"""Foundation: the key, the buckets, the alert topic and the ceiling of every role.

Owned by the platform team. Everything else reads these through SSM, so this stack goes first and
is deleted last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from mlops_framework import naming
from mlops_framework.cdk.constructs import AlertTopic, PrivateBucket
from mlops_framework.cdk.constructs.boundary import PermissionsBoundary
from mlops_framework.cdk.constructs.bucket import Expiry
from mlops_framework.cdk.stack import FrameworkStack
from mlops_framework.drift.ageing import NOTES, TAG, Age
from mlops_framework.environments.models import EnvironmentConfig

_DAYS_OF_WORK = 35
_ENCRYPT_FOR_A_SERVICE = ["kms:Decrypt", "kms:GenerateDataKey"]
_ENCRYPT_LOGS = [
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:DescribeKey",
]


class FoundationStack(FrameworkStack):
    """What the platform stands on, and what outlives it."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: EnvironmentConfig, **kwargs: Any
    ) -> None:
        """Define the stack for an environment."""
        super().__init__(
            scope,
            construct_id,
            config=config,
            description=f"{config.prefix}: key, buckets, alert topic, permissions boundary",
            guarded=False,
            **kwargs,
        )
        key = self._key()
        access_logs = PrivateBucket.for_access_logs(self, "AccessLogs", retain=config.retain_data)
        data = PrivateBucket(
            self,
            "Data",
            key=key,
            access_logs=access_logs,
            retain=config.retain_data,
            events=True,
            expiries=_expiries(config),
        )
        artifacts = PrivateBucket(
            self,
            "Artifacts",
            key=key,
            access_logs=access_logs,
            retain=config.retain_data,
            events=True,
        )
        configuration = config.configuration_bucket
        if configuration is None:
            configuration = PrivateBucket(
                self,
                "Configuration",
                key=key,
                access_logs=access_logs,
                retain=config.retain_data,
                events=True,
            ).bucket_name
            cdk.CfnOutput(self, "ConfigurationBucketName", value=configuration)
        topic = AlertTopic(self, "Alerts", key=key, emails=config.notifications.emails)

        published: dict[naming.PlatformKey, str] = {
            "key-arn": key.key_arn,
            "data-bucket-name": data.bucket_name,
            "artifact-bucket-name": artifacts.bucket_name,
            "configuration-bucket-name": configuration,
            "alert-topic-arn": topic.topic_arn,
            "permissions-boundary-arn": config.permissions_boundary_arn
            or PermissionsBoundary(self, "Boundary").managed_policy_arn,
        }
        publish(self, published)
        cdk.CfnOutput(self, "DataBucketName", value=data.bucket_name)
        cdk.CfnOutput(self, "ArtifactBucketName", value=artifacts.bucket_name)
        cdk.CfnOutput(self, "AlertTopicArn", value=topic.topic_arn)

    def _key(self) -> kms.IKey:
        """The platform's key, or the one the environment brings."""
        if self.config.kms_key_arn:
            return kms.Key.from_key_arn(self, "Key", self.config.kms_key_arn)
        key = kms.Key(
            self,
            "Key",
            description=f"{self.config.prefix}: data, artifacts, messages and logs",
            alias=f"alias/{self.config.prefix}",
            enable_key_rotation=True,
            # Encrypted data that is kept is lost without its key.
            removal_policy=cdk.RemovalPolicy.RETAIN
            if self.config.retain_data
            else cdk.RemovalPolicy.DESTROY,
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Logs",
                principals=[iam.ServicePrincipal(f"logs.{self.region}.{self.url_suffix}")],
                actions=_ENCRYPT_LOGS,
                resources=["*"],  # in a key policy: this key
                conditions={
                    "ArnLike": {"kms:EncryptionContext:aws:logs:arn": self.arn("logs", "*")}
                },
            )
        )
        here = {"StringEquals": {"aws:SourceAccount": self.account}}
        # SNS's guide: on the way from EventBridge to an encrypted topic KMS is told no source; that
        # it is on the way from an alarm, nobody says. A condition that is never met loses every
        # message without a trace, and who may publish is the topic's own policy.
        for service, condition in {"cloudwatch": None, "events": None, "sns": here}.items():
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=f"Messages{service.capitalize()}",
                    principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
                    actions=_ENCRYPT_FOR_A_SERVICE,
                    resources=["*"],
                    conditions=condition,
                )
            )
        return key


def _expiries(config: EnvironmentConfig) -> Sequence[Expiry]:
    """What goes after a time of what capture and drift monitoring store."""
    days: dict[Age, int | None] = {
        "profiles": config.drift.keep_profiles_days,
        "rows": config.drift.keep_rows_days,
        "work": _DAYS_OF_WORK,
    }
    # SageMaker gives a queued call at most six hours, and its answer an hour.
    notes = Expiry(f"{naming.UNANSWERED_PREFIX}/", TAG, NOTES, _DAYS_OF_WORK)
    return [
        *(
            Expiry(f"{naming.DRIFT_PREFIX}/", TAG, age, kept)
            for age, kept in days.items()
            if kept is not None
        ),
        notes,
    ]


def publish(stack: FrameworkStack, values: dict[naming.PlatformKey, str]) -> None:
    """Publish values of the platform where other stacks and blueprints read them."""
    for key, value in values.items():
        name = "".join(word.capitalize() for word in key.split("-"))
        ssm.StringParameter(
            stack,
            f"{name}Value",
            parameter_name=naming.platform_parameter(stack.config.prefix, key),
            string_value=value,
            description=f"Read by stacks of {stack.config.prefix}",
        )
