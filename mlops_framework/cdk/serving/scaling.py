"""Application Auto Scaling of what serves: bounds, a metric to follow, the way back from zero.

Source: *Amazon SageMaker AI Developer Guide*, "Automatic scaling", "Autoscale an asynchronous
endpoint" and "Scale an endpoint to zero instances".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

_NAMESPACE = "sagemaker"


@dataclass(frozen=True)
class ScheduledAction:
    """Tokens of other bounds from a moment on.

    Attributes:
        present: Holds when the request has this action.
        name: Of the action.
        schedule: ``cron(…)``, ``rate(…)`` or ``at(…)``.
        timezone: IANA name.
        least: Fewest from then on.
        most: Most from then on.
    """

    present: cdk.CfnCondition
    name: str
    schedule: str
    timezone: str
    least: int | float
    most: int | float

    def to_property(self) -> Any:
        """The action, or nothing where the request has none."""
        return cdk.Fn.condition_if(
            self.present.logical_id,
            {
                "ScheduledActionName": self.name,
                "Schedule": self.schedule,
                "Timezone": self.timezone,
                "ScalableTargetAction": {"MinCapacity": self.least, "MaxCapacity": self.most},
            },
            cdk.Aws.NO_VALUE,
        )


@dataclass(frozen=True)
class Bounds:
    """How few and how many there may be.

    Attributes:
        least: Fewest.
        most: Most.
        actions: Times at which that changes.
    """

    least: int | float
    most: int | float
    actions: Sequence[ScheduledAction] = ()


@dataclass(frozen=True)
class Tracking:
    """A metric that is kept near a value.

    Attributes:
        target: The value.
        predefined: One of Application Auto Scaling's own metrics; empty for ``metric``.
        metric: Name of a metric of ``AWS/SageMaker``, averaged.
        endpoint: The endpoint whose metric it is.
        scale_in_cooldown: Seconds.
        scale_out_cooldown: Seconds.
    """

    target: int | float
    scale_in_cooldown: int | float
    scale_out_cooldown: int | float
    predefined: str = ""
    metric: str = ""
    endpoint: str = ""


@dataclass(frozen=True)
class StepFromZero:
    """The metric that says that somebody calls and nothing is there.

    Attributes:
        metric: Of ``AWS/SageMaker``.
        dimension: Its one dimension.
        value: The dimension's value.
        statistic: ``Average`` or ``Maximum``.
        period: Seconds.
        periods: In a row.
        cooldown: Seconds before one more is added.
    """

    metric: str
    dimension: str
    value: str
    statistic: str
    period: int
    periods: int
    cooldown: int


class Scaled(Construct):
    """Something of SageMaker whose number is scaled.

    Creates: the scalable target, a policy that follows a metric and, where it may go down to
    none, the step and the alarm that bring the first one back. Fixed: a step adds one. You choose:
    bounds, metric and times.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        resource: str,
        dimension: str,
        bounds: Bounds,
        tracking: Tracking,
        when: cdk.CfnCondition,
    ) -> None:
        """Declare the target and the policy that tracks.

        Args:
            scope: The stack.
            construct_id: Stable id.
            resource: ``endpoint/<name>/variant/<variant>`` or ``inference-component/<name>``.
            dimension: ``sagemaker:variant:DesiredInstanceCount`` and so on.
            bounds: How few and how many.
            tracking: What is followed.
            when: Holds when this is scaled.
        """
        super().__init__(scope, construct_id)
        self._when = when
        self._name = construct_id
        self.target = scaling.CfnScalableTarget(
            self,
            "Target",
            service_namespace=_NAMESPACE,
            resource_id=resource,
            scalable_dimension=dimension,
            min_capacity=bounds.least,
            max_capacity=bounds.most,
            scheduled_actions=[action.to_property() for action in bounds.actions] or None,
        )
        self.target.cfn_options.condition = when
        policy = scaling.CfnScalingPolicy(
            self,
            "Tracking",
            policy_name=f"{cdk.Aws.STACK_NAME}-{construct_id}-tracking",
            policy_type="TargetTrackingScaling",
            scaling_target_id=self.target.ref,
            target_tracking_scaling_policy_configuration=_tracking(tracking),
        )
        policy.cfn_options.condition = when

    def comes_back_from_zero(self, step: StepFromZero, when: cdk.CfnCondition) -> None:
        """Add one when somebody calls and nothing is there.

        Args:
            step: The metric that says so.
            when: Holds when it may go down to none.
        """
        policy = scaling.CfnScalingPolicy(
            self,
            "FromZero",
            policy_name=f"{cdk.Aws.STACK_NAME}-{self._name}-from-zero",
            policy_type="StepScaling",
            scaling_target_id=self.target.ref,
            step_scaling_policy_configuration=(
                scaling.CfnScalingPolicy.StepScalingPolicyConfigurationProperty(
                    adjustment_type="ChangeInCapacity",
                    metric_aggregation_type=step.statistic,
                    cooldown=step.cooldown,
                    step_adjustments=[
                        scaling.CfnScalingPolicy.StepAdjustmentProperty(
                            metric_interval_lower_bound=0, scaling_adjustment=1
                        )
                    ],
                )
            ),
        )
        policy.cfn_options.condition = when
        alarm = cloudwatch.CfnAlarm(
            self,
            "CalledAtZero",
            alarm_description="Somebody calls, and no instance is there: one is brought back.",
            namespace="AWS/SageMaker",
            metric_name=step.metric,
            dimensions=[
                cloudwatch.CfnAlarm.DimensionProperty(name=step.dimension, value=step.value)
            ],
            statistic=step.statistic,
            period=step.period,
            evaluation_periods=step.periods,
            datapoints_to_alarm=step.periods,
            threshold=1,
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="missing",
            alarm_actions=[policy.ref],
        )
        alarm.cfn_options.condition = when


def _tracking(
    tracking: Tracking,
) -> scaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty:
    policy = scaling.CfnScalingPolicy
    custom = policy.CustomizedMetricSpecificationProperty(
        namespace="AWS/SageMaker",
        metric_name=tracking.metric,
        statistic="Average",
        dimensions=[policy.MetricDimensionProperty(name="EndpointName", value=tracking.endpoint)],
    )
    return policy.TargetTrackingScalingPolicyConfigurationProperty(
        target_value=tracking.target,
        scale_in_cooldown=tracking.scale_in_cooldown,
        scale_out_cooldown=tracking.scale_out_cooldown,
        predefined_metric_specification=policy.PredefinedMetricSpecificationProperty(
            predefined_metric_type=tracking.predefined
        )
        if tracking.predefined
        else None,
        customized_metric_specification=None if tracking.predefined else custom,
    )
