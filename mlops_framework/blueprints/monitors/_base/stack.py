"""What every one of the four monitors deploys: baseline pipeline, schedule, report of its runs."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sagemaker as sagemaker

from mlops_framework.blueprints.monitors._base.contract import MonitorRequest
from mlops_framework.blueprints.monitors._base.definition import JobDefinition
from mlops_framework.blueprints.monitors._base.places import Places
from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import BlueprintStack, bucket_of, object_arn
from mlops_framework.cdk.definitions import substituted
from mlops_framework.cdk.function import FunctionShape, PythonFunction
from mlops_framework.cdk.security import allow
from mlops_framework.model_build.definition import PipelineDefinition
from mlops_framework.model_build.volumes import VOLUME_KEY

METRICS = "MLOps/Monitors"
_DAY_SECONDS = 86400
_ENDED = ("Completed", "Failed", "Stopped")


class MonitorStack(BlueprintStack):
    """Watch an endpoint's, or batch transforms', captured traffic with AWS's Model Monitor.

    Creates: the SageMaker Pipeline that computes the baseline, the job definition and the schedule
    as soon as a baseline is settled on, a function that tells of every run, alarms on violations,
    failures and silence. Fixed: encryption, one role for all of the monitor's jobs, a schedule name
    that never changes. CloudFormation names the job definition, because a change replaces it.

    Attributes:
        definition_class: L1 class of the job definition.
        noun: Prefix of its members.
        reads: Fields with a location that jobs read, beside the captures.
        carried: Fields with a file of a baseline that an earlier request brought.
        inputs: Fields of the contract that are members of the definition's input.
        isolated: Whether the container can do without a network of its own.
    """

    definition_class: ClassVar[Any]
    noun: ClassVar[str]
    reads: ClassVar[tuple[str, ...]]
    carried: ClassVar[tuple[str, ...]] = ("settled_constraints",)
    inputs: ClassVar[tuple[str, ...]]
    isolated: ClassVar[bool] = True

    def build(self) -> None:
        """Define role, baseline, schedule and what tells of its runs."""
        self.places = Places(self)
        self.role = self.sagemaker_role("JobRole", "Runs the baseline job and the monitor")
        self.places.let_jobs_run(self.role, *self.reads, carried=self.carried)
        self.baseline()
        self._schedule()
        self._report()
        self._alarms()
        self.output("MonitoringScheduleName", self.places.name)
        self.output("BaselineLocation", self.places.wanted_baseline)
        self.output("ReportLocation", self.places.reports)

    @abstractmethod
    def baseline(self) -> None:
        """Define the pipeline that computes the baseline, with :meth:`baseline_pipeline`."""

    @abstractmethod
    def baseline_files(self) -> dict[str, str]:
        """URIs of the baseline that runs compare with, by member of the baseline's config."""

    @abstractmethod
    def application(self) -> dict[str, Any]:
        """Members of the application specification beside image and environment."""

    def baseline_pipeline(
        self, body: str, condition: cdk.CfnCondition | None = None
    ) -> sagemaker.CfnPipeline:
        """The SageMaker Pipeline that delivery runs before there is a schedule.

        Args:
            body: Its definition, everything put in.
            condition: When it is there.
        """
        pipeline = sagemaker.CfnPipeline(
            self,
            "BaselinePipeline",
            pipeline_name=self.deployed_name,
            pipeline_description="Computes the baseline of a monitor",
            pipeline_definition={"PipelineDefinitionBody": body},
            role_arn=self.role.role_arn,
        )
        # The service checks the role when the pipeline is made, so its policy has to be there.
        pipeline.node.add_dependency(self.role)
        output = cdk.CfnOutput(self, "BaselinePipelineNameOutput", value=self.deployed_name)
        output.override_logical_id("BaselinePipelineName")
        if condition is not None:
            pipeline.cfn_options.condition = condition
            output.condition = condition
        return pipeline

    def filled(self, definition: PipelineDefinition, **more: str) -> str:
        """A pipeline's definition with the values that only the template knows.

        Args:
            definition: As ``model_build`` wrote it.
            more: Further values by name.
        """
        values = {
            "JobRoleArn": self.role.role_arn,
            "KeyArn": self.places.key_arn,
            "BaselineFolder": self.places.wanted_baseline,
            **more,
        }
        return substituted(definition.to_template(), values, {VOLUME_KEY: self.places.takes_a_key})

    def network(self) -> dict[str, Any]:
        """Arguments of ``model_build.baseline.Baseline`` that the environment decides."""
        network = self.config.networking
        if network is None:
            return {}
        return {
            "vpc_config": {
                "Subnets": list(network.subnet_ids),
                "SecurityGroupIds": list(network.security_group_ids),
            },
            "network_isolation": network.network_isolation and self.isolated,
        }

    @property
    def _monitoring_type(self) -> str:
        request = self.blueprint.request
        assert issubclass(request, MonitorRequest)
        return request.monitoring_type

    def _schedule(self) -> None:
        written = JobDefinition(self, self.places, self.definition_class, self.noun)
        definition = written.resource(
            self.role.role_arn,
            application=self.application(),
            baseline=self.baseline_files(),
            fields=self.inputs,
            isolated=self.isolated,
        )
        definition.node.add_dependency(self.role)
        schedule = sagemaker.CfnMonitoringSchedule(
            self,
            "Schedule",
            monitoring_schedule_name=self.places.name,
            monitoring_schedule_config=(
                sagemaker.CfnMonitoringSchedule.MonitoringScheduleConfigProperty(
                    # Ref gives the ARN, and the service made the name at its end.
                    monitoring_job_definition_name=cdk.Fn.select(
                        1, cdk.Fn.split("/", definition.ref)
                    ),
                    monitoring_type=self._monitoring_type,
                    schedule_config=sagemaker.CfnMonitoringSchedule.ScheduleConfigProperty(
                        schedule_expression=self.text("schedule_expression")
                    ),
                )
            ),
        )
        schedule.cfn_options.condition = self.places.has_baseline

    def _report(self) -> None:
        """SageMaker tells of violations in a file only; this function tells everybody else."""
        bundle = self.bundler.bundle("monitors")
        function = PythonFunction(
            self,
            "Report",
            bundle=bundle,
            handler="report:handler",
            settings=bundle.settings("ReportSettings"),
            environment={
                "environment_prefix": self.config.prefix,
                "pipeline_id": self.text("pipeline_id"),
                "monitoring_type": self._monitoring_type,
                "model_name": self.text("model_name"),
                "endpoint_name": self.text("endpoint_name"),
                "alert_topic_arn": self.platform.value("alert-topic-arn"),
            },
            description="Tells of a monitor's runs",
            logs=self.logs,
            shape=FunctionShape(timeout_seconds=60),
        )
        self._let_report(function)
        rule = events.CfnRule(
            self,
            "RunEnded",
            description="The end of a monitor's jobs goes to the function that tells of them",
            event_pattern={
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Processing Job State Change"],
                # The role is this monitor's own: neither SageMaker's job names nor, for runs that
                # were asked for by hand, the schedule's would tell its jobs from others.
                "detail": {
                    "RoleArn": [self.role.role_arn],
                    "ProcessingJobStatus": list(_ENDED),
                },
            },
            state="ENABLED",
            targets=[events.CfnRule.TargetProperty(id="Report", arn=function.function_arn)],
        )
        lambda_.CfnPermission(
            self,
            "ReportPermission",
            action="lambda:InvokeFunction",
            function_name=function.function_name,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
            source_account=self.account,
        )

    def _let_report(self, function: PythonFunction) -> None:
        allow(
            function,
            actions=perms.READ_PROCESSING_JOB,
            resources=[self.arn("sagemaker", "processing-job/*")],
            because="SageMaker names a monitor's jobs itself; the function only reads.",
        )
        allow(
            function,
            actions=[*perms.READ_OBJECTS, "s3:PutObject"],
            resources=[f"{object_arn(self, self.places.reports)}/*"],
            because="Reports lie below the monitor's own location, by endpoint, schedule and hour.",
        )
        allow(
            function,
            actions=perms.LIST_BUCKET,
            resources=[f"arn:{self.partition}:s3:::{bucket_of(self.places.reports)}"],
        )
        allow(
            function,
            actions=perms.USE_KEY,
            resources=[self.places.key_arn, self.platform.value("key-arn")],
        )
        allow(
            function,
            actions=perms.PUT_EVENTS,
            resources=[self.arn("events", "event-bus/default")],
        )
        allow(function, actions=perms.PUBLISH, resources=[self.platform.value("alert-topic-arn")])

    def _alarms(self) -> None:
        if not self.config.alarms.enabled:
            return
        period = self.config.alarms.period_minutes * 60
        for name, metric, statistic, comparison, missing, seconds, text in (
            (
                "Violations",
                "Violations",
                "Maximum",
                ">=",
                "notBreaching",
                period,
                "found violations",
            ),
            ("Failures", "FailedRuns", "Maximum", ">=", "notBreaching", period, "could not look"),
            # SageMaker starts no job, and so sends no event, for hours without captured data.
            ("Silence", "Runs", "Sum", "<", "breaching", _DAY_SECONDS, "has not looked for a day"),
        ):
            alarm = cloudwatch.CfnAlarm(
                self,
                f"{name}Alarm",
                alarm_description=f"Monitor {self.places.name} {text}",
                namespace=METRICS,
                metric_name=metric,
                dimensions=[
                    cloudwatch.CfnAlarm.DimensionProperty(name=key, value=value)
                    for key, value in (
                        ("Environment", self.config.prefix),
                        ("Monitor", self.places.name),
                    )
                ],
                statistic=statistic,
                period=seconds,
                evaluation_periods=1,
                threshold=1,
                comparison_operator=(
                    "GreaterThanOrEqualToThreshold" if comparison == ">=" else "LessThanThreshold"
                ),
                treat_missing_data=missing,
                alarm_actions=[self.platform.value("alert-topic-arn")],
            )
            alarm.cfn_options.condition = self.places.has_baseline


def let_shadow_endpoints_run(stack: MonitorStack, role: iam.Role) -> None:
    """Let Clarify ask the model on an endpoint of its own, which it makes and removes."""
    allow(
        role,
        actions=perms.RUN_SHADOW_ENDPOINT,
        resources=[
            stack.arn("sagemaker", f"{kind}/{start}-*")
            for kind in ("endpoint", "endpoint-config")
            for start in ("sm-clarify", "sagemaker-clarify")
        ],
        because="Clarify names the endpoints it asks models on itself, and removes them.",
    )
