"""Drift: captured traffic in, verdicts and retraining out.

Owned by the platform team. Monitors are data (one SSM parameter each, written by the drift-monitor
blueprint), so this stack serves all of them.
"""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lambdas.drift.settings import BaselineSettings, EvaluateSettings, ProfileSettings
from mlops_framework import naming
from mlops_framework.cdk import perms
from mlops_framework.cdk.bundling import Bundle, Bundler
from mlops_framework.cdk.constructs import QueueWithDeadLetters
from mlops_framework.cdk.function import FunctionShape, LogPolicy, PythonFunction
from mlops_framework.cdk.security import allow
from mlops_framework.cdk.stack import FrameworkStack
from mlops_framework.environments.models import EnvironmentConfig
from stacks.drift_at_scale import DriftAtScale, machine_arn
from stacks.foundation_stack import publish

_PROFILE_TIMEOUT_SECONDS = 120
_BATCH = 10
_AGEING = ("profiles/*", "kept/*", "parts/*", "runs/*")
"""What the data bucket's lifecycle knows by a tag (``drift.ageing``)."""
_OWN_FILES = "Profiles, reports and state are named after monitor and time, below drift/."


def baseline_function_name(prefix: str) -> str:
    """Name of the function that the delivery check builds baselines with."""
    return f"{prefix}-drift-baseline"


class DriftStack(FrameworkStack):
    """The drift service: a queue, three functions, two roles."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: EnvironmentConfig,
        bundler: Bundler,
        **kwargs: Any,
    ) -> None:
        """Define the stack for an environment."""
        super().__init__(
            scope,
            construct_id,
            config=config,
            description=f"{config.prefix}: drift of captured traffic",
            **kwargs,
        )
        bundle = bundler.bundle("drift")
        self.captures = QueueWithDeadLetters(
            self,
            "Captures",
            key=self.platform.key(),
            visibility_timeout=cdk.Duration.seconds(6 * _PROFILE_TIMEOUT_SECONDS),
        )
        self.profile = self._profile(bundle)
        self.evaluate = self._evaluate(bundle)
        self.baseline = self._baseline(bundle)

        self.scale = DriftAtScale(
            self,
            "AtScale",
            bundle=bundle,
            logs=self._logs(),
            evaluate=self.evaluate,
            grant=self._let_scale,
        )
        self._let_rules_send()
        publish(
            self,
            {
                "profile-queue-arn": self.captures.queue.queue_arn,
                "evaluate-function-arn": self.evaluate.function_arn,
                "evaluate-role-arn": _role_of(self.evaluate).role_arn,
                "drift-at-scale-arn": self.scale.machine.attr_arn,
                "scheduler-role-arn": self._scheduler_role().role_arn,
                "sagemaker-event-role-arn": self._retraining_role().role_arn,
            },
        )

    def _profile(self, bundle: Bundle) -> PythonFunction:
        function = PythonFunction(
            self,
            "Profile",
            bundle=bundle,
            handler="profile:handler",
            settings=ProfileSettings,
            environment={"environment_prefix": self.config.prefix},
            description="Profiles one capture file",
            logs=self._logs(),
            shape=FunctionShape(memory_mb=1024, timeout_seconds=_PROFILE_TIMEOUT_SECONDS),
        )
        self._read_monitors(function)
        self._read_data(
            function, "*", "A monitor's captures lie where its request says, in this bucket."
        )
        for name in ("profiles/*", "kept/*"):
            self._write_data(function, f"{naming.DRIFT_PREFIX}/*/{name}")
        allow(function, actions=perms.CONSUME_QUEUE, resources=[self.captures.queue.queue_arn])
        lambda_.CfnEventSourceMapping(
            self,
            "ProfileCaptures",
            event_source_arn=self.captures.queue.queue_arn,
            function_name=function.function_name,
            batch_size=_BATCH,
            function_response_types=["ReportBatchItemFailures"],
        ).node.add_dependency(function.role or function)
        return function

    def _evaluate(self, bundle: Bundle) -> PythonFunction:
        function = PythonFunction(
            self,
            "Evaluate",
            bundle=bundle,
            handler="evaluate:handler",
            settings=EvaluateSettings,
            environment={
                "environment_prefix": self.config.prefix,
                "alert_topic_arn": self.platform.value("alert-topic-arn"),
                "scale_machine_arn": machine_arn(self),
            },
            description="Compares a window of traffic with the baseline and decides",
            logs=self._logs(),
            shape=FunctionShape(memory_mb=1024, timeout_seconds=300),
        )
        lambda_.CfnEventInvokeConfig(
            self,
            "EvaluateFailures",
            function_name=function.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=2,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(
                    destination=self.captures.dead_letters.queue_arn
                )
            ),
        )
        allow(
            function, actions=perms.SEND_TO_QUEUE, resources=[self.captures.dead_letters.queue_arn]
        )
        self._read_monitors(function)
        self._read_data(function, f"{naming.DRIFT_PREFIX}/*", _OWN_FILES)
        for name in (
            "reports/*",
            "latest.json",
            "state.json",
            "sequence.json",
            "heartbeat.json",
            "kept/*",
        ):
            self._write_data(function, f"{naming.DRIFT_PREFIX}/*/{name}")
        allow(function, actions=perms.START_MACHINE, resources=[machine_arn(self)])
        allow(
            function,
            actions=perms.READ_CAPTURE,
            resources=[self.arn("sagemaker", "endpoint/*")],
            because="A monitor may watch any endpoint of the account; only its state is read.",
        )
        allow(
            function,
            actions=perms.TAKE_ROLE,
            resources=[self.role_arn(f"{self.config.prefix}-*")],
            because="A monitor that asks its endpoint brings a role that may ask this endpoint and "
            "nothing else; no other role of the platform lets this function take it.",
        )
        allow(function, actions=perms.PUBLISH, resources=[self.platform.value("alert-topic-arn")])
        allow(
            function,
            actions=perms.PUT_EVENTS,
            resources=[self.arn("events", "event-bus/default")],
            conditions={"StringEquals": {"events:source": "mlops.drift"}},
        )
        return function

    def _let_scale(self, function: PythonFunction) -> None:
        self._read_monitors(function)
        self._read_data(
            function, "*", "A monitor's captures lie where its request says, in this bucket."
        )
        allow(
            function,
            actions=perms.LIST_VERSIONS,
            resources=[self.platform.bucket_arn("data-bucket-name")],
        )
        for name in ("profiles/*", "kept/*", "parts/*", "runs/*"):
            self._write_data(function, f"{naming.DRIFT_PREFIX}/*/{name}")

    def _baseline(self, bundle: Bundle) -> PythonFunction:
        function = PythonFunction(
            self,
            "Baseline",
            bundle=bundle,
            handler="baseline:handler",
            settings=BaselineSettings,
            environment={"environment_prefix": self.config.prefix},
            description="Builds a monitor's baseline from its training data",
            logs=self._logs(),
            shape=FunctionShape(
                memory_mb=2048,
                timeout_seconds=300,
                name=baseline_function_name(self.config.prefix),
            ),
        )
        self._read_monitors(function)
        self._read_data(function, "*", "Baseline data lies where the request says, in this bucket.")
        for name in ("baseline.json", "kept/*"):
            self._write_data(function, f"{naming.DRIFT_PREFIX}/*/{name}")
        return function

    def _let_rules_send(self) -> None:
        """Rules of monitors are made at run time; their names begin with the prefix."""
        self.captures.queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="CaptureRules",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=list(perms.SEND_TO_QUEUE),
                resources=[self.captures.queue.queue_arn],
                conditions={
                    "ArnLike": {
                        "aws:SourceArn": self.arn("events", f"rule/{self.config.prefix[:24]}*")
                    }
                },
            )
        )

    def _scheduler_role(self) -> iam.Role:
        role = self.role_for(
            "SchedulerRole", "scheduler.amazonaws.com", "Schedules of monitors evaluate with it"
        )
        allow(role, actions=perms.INVOKE_FUNCTION, resources=[self.evaluate.function_arn])
        return role

    def _retraining_role(self) -> iam.Role:
        role = self.role_for(
            "RetrainingRole", "events.amazonaws.com", "Rules start model builds with it"
        )
        allow(
            role,
            actions=perms.START_MODEL_BUILD,
            resources=[self.arn("sagemaker", f"pipeline/{self.config.prefix}-*")],
            because="Model builds are made at run time; their names begin with the prefix.",
        )
        return role

    def _logs(self) -> LogPolicy:
        return LogPolicy(
            self.config.log_retention_days, self.platform.key(), self.config.retain_data
        )

    def _read_monitors(self, function: PythonFunction) -> None:
        monitors = naming.monitor_parameters(self.config.prefix)
        allow(
            function,
            actions=perms.READ_PARAMETER,
            resources=[self.arn("ssm", f"parameter{monitors}/*")],
            because="One parameter per monitored endpoint; monitors are made at run time.",
        )

    def _read_data(self, function: PythonFunction, keys: str, because: str) -> None:
        data = self.platform.bucket_arn("data-bucket-name")
        allow(
            function,
            actions=perms.READ_OBJECTS,
            resources=[f"{data}/{keys}"],
            because=because,
        )
        allow(function, actions=perms.LIST_BUCKET, resources=[data])
        allow(function, actions=perms.USE_KEY, resources=[self.platform.value("key-arn")])

    def _write_data(self, function: PythonFunction, keys: str) -> None:
        data = self.platform.bucket_arn("data-bucket-name")
        ageing = keys.endswith(_AGEING)
        allow(
            function,
            # A tag with PutObject is an action of its own.
            actions=(*perms.WRITE_OBJECTS, *(perms.TAG_OBJECTS if ageing else ())),
            resources=[f"{data}/{keys}"],
            because=_OWN_FILES,
        )


def _role_of(function: PythonFunction) -> iam.IRole:
    assert function.role is not None  # only imported functions have none
    return function.role
