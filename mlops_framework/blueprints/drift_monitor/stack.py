"""What a drift-monitor pipeline deploys: the monitor's configuration, its schedule, its alarms."""

from __future__ import annotations

import json

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_ssm as ssm

from mlops_framework import naming
from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import BlueprintStack, bucket_of, either
from mlops_framework.contracts.parameters import parameter_name

CONFIGURATION_VERSION = 1
METRICS = "MLOps/Drift"
_RETRY_FOR_SECONDS = 3600
_DAY_SECONDS = 86_400
_FIELDS = (
    "model_name",
    "endpoint_name",
    "baseline_data",
    "label_column",
    "time_column",
    "schedule_expression",
    "window_minutes",
    "grace_seconds",
    "minimum_records",
    "effect_threshold",
    "rate_threshold",
    "significance",
    "policy",
    "model_monitor_files",
    "constraints_location",
    "monitoring_schedule_name",
    "heartbeat",
    "column_metrics",
    "distributed_above",
    "slow_drift",
    "retrain",
    "retrain_breaches",
    "retrain_windows",
    "retrain_cooldown_minutes",
    "retrain_monthly_cap",
    "variant_name",
    "target_model",
    "monitor_name",
    "ground_truth_location",
)
_DOCUMENTS = (
    "baseline_captures",
    "records",
    "ground_truth",
    "bias",
    "attribution",
    "thresholds",
    "ignored_columns",
)
"""Settings that are JSON objects themselves."""


class DriftMonitorStack(BlueprintStack):
    """Watch one endpoint.

    Creates: the monitor's configuration as an SSM parameter, rules that send its capture files to
    the profile queue, the schedule that evaluates it, alarms on drift and on silence.
    Fixed: the code is the platform's drift service; a monitor is data, not another function.
    """

    def build(self) -> None:
        """Define configuration, rules, schedule and alarms."""
        endpoint = self.text("endpoint_name")
        self._monitor = self.given_or("monitor_name", endpoint)
        data_bucket = self.platform.value("data-bucket-name")
        configuration = self._configuration(endpoint, data_bucket)
        self._profile_captures(endpoint, data_bucket)
        self._take_labels()
        self._evaluate_on_schedule().add_resource_dependency(configuration)
        self._alarms(endpoint)
        self.output("MonitorName", self._monitor)

    def _configuration(self, endpoint: str, data_bucket: str) -> ssm.CfnParameter:
        captures = self.given_or("capture_location", f"s3://{data_bucket}/{naming.CAPTURES_PREFIX}")
        document = {
            "version": CONFIGURATION_VERSION,
            "environment": self.config.prefix,
            "data_bucket": "${DataBucket}",
            "capture_location": "${Captures}",
            "attribution_role": "${AttributionRole}",
            # Texts throughout: CloudFormation puts a parameter in place of its name, and the drift
            # service reads "200" as 200.
            **{field: f"${{{parameter_name(field)}}}" for field in (*_FIELDS, *_DOCUMENTS)},
        }
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        for field in _DOCUMENTS:  # the object, not a text that holds it
            text = text.replace(f'"${{{parameter_name(field)}}}"', f"${{{parameter_name(field)}}}")
        return ssm.CfnParameter(
            self,
            "Configuration",
            type="String",
            name=naming.monitor_parameter(self.config.prefix, self._monitor),
            description="Drift monitor configuration",
            # Only what is longer than 4,096 characters is kept as an advanced parameter, which
            # holds 8,192 and costs $0.05 a month.
            tier="Intelligent-Tiering",
            value=cdk.Fn.sub(
                text,
                {
                    "DataBucket": data_bucket,
                    "Captures": captures,
                    "AttributionRole": self._attribution_role(endpoint),
                }
                | {parameter_name(field): self.given_or(field, "{}") for field in _DOCUMENTS},
            ),
        )

    def _attribution_role(self, endpoint: str) -> str:
        """ARN of a role for this endpoint alone, where the request has it asked; else empty."""
        asked = self.when("EndpointIsAsked", "asks_endpoint", "true")
        role = iam.Role(
            self,
            "AttributionRole",
            description="The drift service asks one endpoint for attributions with it",
            assumed_by=iam.ArnPrincipal(self.platform.value("evaluate-role-arn")),
        )
        policy = iam.CfnPolicy(
            self,
            "AskEndpoint",
            policy_name="AskEndpoint",
            roles=[role.role_name],
            policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": list(perms.ASK_ENDPOINT),
                        "Resource": self.arn("sagemaker", f"endpoint/{endpoint}"),
                    }
                ],
            },
        )
        for resource in (role.node.default_child, policy):
            assert isinstance(resource, cdk.CfnResource)
            resource.cfn_options.condition = asked
        return either(asked, role.role_arn, "")

    def _profile_captures(self, endpoint: str, data_bucket: str) -> None:
        """Two rules, of which a request uses one: the usual place, or the request's own."""
        usual = self.left_empty("capture_location")
        elsewhere = cdk.CfnCondition(
            self,
            "CapturesElsewhere",
            expression=cdk.Fn.condition_not(
                cdk.Fn.condition_equals(self.text("capture_location"), "")
            ),
        )
        for name, condition, bucket, keys in (
            (
                "ProfileCaptures",
                usual,
                data_bucket,
                [{"prefix": f"{naming.CAPTURES_PREFIX}/{endpoint}/"}],
            ),
            (
                "ProfileOtherCaptures",
                elsewhere,
                # Without a location the rule is not made, but Fn::Select is still checked.
                bucket_of(f"{self.text('capture_location')}///"),
                # Of an endpoint, and the manifests of batch transform.
                [
                    {"wildcard": f"*/{endpoint}/*.jsonl"},
                    {"wildcard": f"*/{endpoint}/input/*"},
                    {"wildcard": f"*/{endpoint}/output/*"},
                ],
            ),
        ):
            rule = events.CfnRule(
                self,
                name,
                description="New capture files of one endpoint go to the drift service",
                event_pattern={
                    "source": ["aws.s3"],
                    "detail-type": ["Object Created"],
                    "detail": {"bucket": {"name": [bucket]}, "object": {"key": keys}},
                },
                state="ENABLED",
                targets=[self._profile_queue("captures_of")],
            )
            rule.cfn_options.condition = condition

    def _profile_queue(self, what: str) -> events.CfnRule.TargetProperty:
        """The profile function's queue, told whose the object is."""
        return events.CfnRule.TargetProperty(
            id="ProfileQueue",
            arn=self.platform.value("profile-queue-arn"),
            input_transformer=events.CfnRule.InputTransformerProperty(
                input_paths_map={"detail": "$.detail"},
                input_template=f'{{"{what}":"{self._monitor}","detail":<detail>}}',
            ),
        )

    def _take_labels(self) -> None:
        """A rule that tells the profile function whose labels an object holds."""
        location = self.text("ground_truth_location")
        rule = events.CfnRule(
            self,
            "TakeLabels",
            description="New label files of one endpoint go to the drift service",
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    # Without a location the rule is not made, but Fn::Select is still checked.
                    "bucket": {"name": [bucket_of(f"{location}///")]},
                    "object": {"key": [{"prefix": self.text("ground_truth_prefix")}]},
                },
            },
            state="ENABLED",
            targets=[self._profile_queue("labels_of")],
        )
        rule.cfn_options.condition = cdk.CfnCondition(
            self,
            "LabelsArrive",
            expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(location, "")),
        )

    def _evaluate_on_schedule(self) -> scheduler.CfnSchedule:
        return scheduler.CfnSchedule(
            self,
            "Schedule",
            description="Evaluates one endpoint's traffic",
            schedule_expression=self.text("schedule_expression"),
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            state="ENABLED",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self.platform.value("evaluate-function-arn"),
                role_arn=self.platform.value("scheduler-role-arn"),
                input=f'{{"monitor":"{self._monitor}"}}',
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=_RETRY_FOR_SECONDS, maximum_retry_attempts=3
                ),
            ),
        )

    def _alarms(self, endpoint: str) -> None:
        if not self.config.alarms.enabled:
            return
        for name, metric, text in (
            ("Drift", "Drift", "has drifted from its training data"),
            ("Silence", "NoData", "has sent nothing to evaluate: no traffic, or no capture"),
            ("Unreadable", "UnreadableRecords", "holds records that cannot be read"),
        ):
            cloudwatch.CfnAlarm(
                self,
                f"{name}Alarm",
                alarm_description=f"Traffic of {endpoint} {text}",
                namespace=METRICS,
                metric_name=metric,
                dimensions=self._dimensions(),
                statistic="Maximum",
                period=self.config.alarms.period_minutes * 60,
                evaluation_periods=1,
                threshold=1,
                comparison_operator="GreaterThanOrEqualToThreshold",
                treat_missing_data="notBreaching",
                alarm_actions=[self.platform.value("alert-topic-arn")],
            )
        self._not_looked_at(endpoint)

    def _not_looked_at(self, endpoint: str) -> None:
        """An alarm that no evaluation has to raise: every evaluation counts records."""
        days = self.number("silent_days")
        wanted = cdk.CfnCondition(
            self,
            "CanBeMissed",
            expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(self.text("silent_days"), "0")),
        )
        alarm = cloudwatch.CfnAlarm(
            self,
            "NotLookedAtAlarm",
            alarm_description=f"Traffic of {endpoint} was not evaluated for days",
            namespace=METRICS,
            metric_name="Records",
            dimensions=self._dimensions(),
            statistic="SampleCount",
            period=_DAY_SECONDS,
            evaluation_periods=days,
            threshold=1,
            comparison_operator="LessThanThreshold",
            treat_missing_data="breaching",
            alarm_actions=[self.platform.value("alert-topic-arn")],
        )
        alarm.cfn_options.condition = wanted

    def _dimensions(self) -> list[cloudwatch.CfnAlarm.DimensionProperty]:
        return [
            cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value)
            for name, value in (("Environment", self.config.prefix), ("Monitor", self._monitor))
        ]
