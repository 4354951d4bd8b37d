"""What starts a model build by itself: a schedule, new data, a drift monitor.

One piece for every kind whose contract is a ``ModelBuildRequest``, whatever does its work: a
SageMaker Pipeline or a state machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler

from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import BlueprintStack, either
from mlops_framework.cdk.security import allow

_RETRY_FOR_SECONDS = 3600


@dataclass(frozen=True)
class Started:
    """What a start starts.

    Attributes:
        resource: The pipeline or state machine; it has to exist first.
        arn: Its ARN.
        pipeline: Whether it is a SageMaker Pipeline; else it is a state machine.
    """

    resource: cdk.CfnResource
    arn: str
    pipeline: bool


def start_builds(stack: BlueprintStack, started: Started) -> None:
    """Let drift, new data and a schedule start a build, as far as the request asks for it.

    Creates: a rule for drift; under a condition each a rule for new data and a schedule with its
    role. Fixed: nothing is passed along, a build takes what its request says.

    Args:
        stack: Of a kind whose contract is a ``ModelBuildRequest``.
        started: What is started.
    """
    role = _events_role(stack, started)
    _on_drift(stack, started, role)
    _on_new_data(stack, started, role)
    _on_schedule(stack, started)


def _events_role(stack: BlueprintStack, started: Started) -> str:
    """The platform has a role for pipelines; a state machine brings its own."""
    if started.pipeline:
        return stack.platform.value("sagemaker-event-role-arn")
    role = stack.role_for("EventRole", "events.amazonaws.com", "Starts a search on an event")
    allow(role, actions=perms.START_MACHINE, resources=[started.arn])
    return role.role_arn


def _target(started: Started, role_arn: str) -> events.CfnRule.TargetProperty:
    return events.CfnRule.TargetProperty(
        id="ModelBuild",
        arn=started.arn,
        role_arn=role_arn,
        sage_maker_pipeline_parameters=(
            events.CfnRule.SageMakerPipelineParametersProperty(pipeline_parameter_list=[])
            if started.pipeline
            else None
        ),
        input=None if started.pipeline else "{}",
    )


def _on_drift(stack: BlueprintStack, started: Started, role_arn: str) -> None:
    wanted = stack.when("RetrainsOnDrift", "retrain_on_drift", "true")
    rule = events.CfnRule(
        stack,
        "RetrainingRule",
        description="Starts the model build when a drift monitor of the model asks for it",
        event_pattern={
            "source": ["mlops.drift"],
            "detail-type": ["Retraining Requested"],
            "detail": {
                "environment": [stack.config.prefix],
                "model_name": [stack.text("model_name")],
            },
        },
        state=either(wanted, "ENABLED", "DISABLED"),
        targets=[_target(started, role_arn)],
    )
    rule.add_resource_dependency(started.resource)


def _on_new_data(stack: BlueprintStack, started: Started, role_arn: str) -> None:
    rule = events.CfnRule(
        stack,
        "NewDataRule",
        description="Starts the model build when new training data is complete",
        event_pattern={
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": [stack.text("new_data_bucket")]},
                "object": {"key": [{"wildcard": stack.text("new_data_keys")}]},
            },
        },
        state="ENABLED",
        targets=[_target(started, role_arn)],
    )
    rule.cfn_options.condition = stack.when("StartsOnNewData", "start_on_new_data", "true")
    rule.add_resource_dependency(started.resource)


def _on_schedule(stack: BlueprintStack, started: Started) -> None:
    wanted = cdk.CfnCondition(
        stack,
        "StartsOnSchedule",
        expression=cdk.Fn.condition_not(
            cdk.Fn.condition_equals(stack.text("schedule_expression"), "")
        ),
    )
    role = stack.role_for("ScheduleRole", "scheduler.amazonaws.com", "Starts builds on schedule")
    allow(
        role,
        actions=perms.START_MODEL_BUILD if started.pipeline else perms.START_MACHINE,
        resources=[started.arn],
    )
    schedule = scheduler.CfnSchedule(
        stack,
        "BuildSchedule",
        description="Starts the model build",
        schedule_expression=stack.text("schedule_expression"),
        flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
        state="ENABLED",
        target=scheduler.CfnSchedule.TargetProperty(
            arn=started.arn,
            role_arn=role.role_arn,
            input=None if started.pipeline else "{}",
            sage_maker_pipeline_parameters=(
                scheduler.CfnSchedule.SageMakerPipelineParametersProperty(
                    pipeline_parameter_list=[]
                )
                if started.pipeline
                else None
            ),
            retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                maximum_event_age_in_seconds=_RETRY_FOR_SECONDS, maximum_retry_attempts=3
            ),
        ),
    )
    schedule.add_resource_dependency(started.resource)
    for resource in (schedule, *_resources_of(role)):
        resource.cfn_options.condition = wanted


def _resources_of(role: iam.Role) -> list[cdk.CfnResource]:
    """The role's own resource and its policy's."""
    return [each for each in role.node.find_all() if isinstance(each, cdk.CfnResource)]
