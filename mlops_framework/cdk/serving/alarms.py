"""Alarms of an endpoint: every variant that answers with errors, or too late."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from mlops_framework.cdk.blueprint import BlueprintStack
from mlops_framework.cdk.serving.form import EndpointForm, holds, unless

_SLOW_MICROSECONDS = 1_000_000


def endpoint_alarms(
    stack: BlueprintStack, form: EndpointForm, endpoint: str, variants: Mapping[int, str]
) -> list[cloudwatch.CfnAlarm]:
    """Declare the alarms, where the environment wants them.

    An endpoint that serves through an inference component has its metrics under the component's
    name, which is the endpoint's. What waits in a queue is not late after a second.

    Args:
        stack: The blueprint's stack.
        form: What the request decides.
        endpoint: Name of the endpoint.
        variants: Token of each variant's name, by its place.
    """
    if not stack.config.alarms.enabled:
        return []
    at_once = cdk.CfnCondition(
        stack, "AnswersAtOnce", expression=cdk.Fn.condition_not(holds(form.asynchronous))
    )
    alarms = []
    for place, variant in variants.items():
        suffix = "" if place == 1 else str(place)
        present = form.has_variant.get(place)
        errors = _alarm(stack, f"ServerErrorsAlarm{suffix}", form, endpoint, variant)
        errors.alarm_description = f"Endpoint {endpoint} answers with server errors"
        errors.metric_name, errors.statistic, errors.threshold = "Invocation5XXErrors", "Sum", 1
        errors.cfn_options.condition = present
        late = _alarm(stack, f"LatencyAlarm{suffix}", form, endpoint, variant)
        late.alarm_description = f"Endpoint {endpoint} takes over a second (p90)"
        late.metric_name, late.extended_statistic = "ModelLatency", "p90"
        late.threshold = _SLOW_MICROSECONDS
        late.cfn_options.condition = present or at_once
        alarms += [errors, late]
    return alarms


def _alarm(
    stack: BlueprintStack, name: str, form: EndpointForm, endpoint: str, variant: str
) -> cloudwatch.CfnAlarm:
    return cloudwatch.CfnAlarm(
        stack,
        name,
        namespace="AWS/SageMaker",
        dimensions=[
            cloudwatch.CfnAlarm.DimensionProperty(
                name=cdk.Token.as_string(
                    cdk.Fn.condition_if(
                        form.by_component.logical_id, "InferenceComponentName", "EndpointName"
                    )
                ),
                value=endpoint,
            ),
            unless(form.by_component, {"Name": "VariantName", "Value": variant}),
        ],
        period=stack.config.alarms.period_minutes * 60,
        evaluation_periods=1,
        comparison_operator="GreaterThanOrEqualToThreshold",
        treat_missing_data="notBreaching",
        alarm_actions=[stack.platform.value("alert-topic-arn")],
    )
