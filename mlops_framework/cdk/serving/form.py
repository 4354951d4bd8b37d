"""What a request decides about the form of an endpoint, as CloudFormation conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import aws_cdk as cdk

from mlops_framework.cdk.blueprint import BlueprintStack
from mlops_framework.contracts.parameters import parameter_name

NONE = cdk.Aws.NO_VALUE


class EndpointForm:
    """The conditions of a stack whose contract is a realtime endpoint's, or extends it.

    Attributes:
        serverless: It has no instances.
        asynchronous: A queue stands before its instances.
        by_component: It is a real-time endpoint that may go down to no instance, which only one
            that serves through an inference component can.
        scales: Its instances are scaled, at least one stays.
        scales_queue: The instances behind its queue are scaled.
        queue_from_zero: And there may be none of them.
        many_models: It is a multi-model endpoint.
        keeps_counts: An update keeps the number of instances that scaling has come to.
        has_variant: That a place for a further variant is taken, by its number.
        scales_variant: ``scales`` and there is such a variant.
    """

    def __init__(self, stack: BlueprintStack, places: Mapping[int, str]) -> None:
        """Declare the conditions.

        Args:
            stack: The blueprint's stack.
            places: Token of a further variant's name, by its number; empty where there is none.
        """
        self._stack = stack
        equals, negate, both = (
            cdk.Fn.condition_equals,
            cdk.Fn.condition_not,
            cdk.Fn.condition_and,
        )
        mode = stack.text("endpoint_mode")
        scaled = negate(equals(stack.text("autoscaling_max_instances"), "0"))
        to_zero = equals(stack.text("autoscaling_min_instances"), "0")
        stays = negate(equals(stack.text("autoscaling_min_instances"), "0"))

        self.serverless = self._declare("Serverless", equals(mode, "serverless"))
        self.asynchronous = self._declare("Asynchronous", equals(mode, "asynchronous"))
        self.by_component = self._declare(
            "ServesByComponent", both(equals(mode, "real-time"), scaled, to_zero)
        )
        self.scales = self._declare("Scales", both(equals(mode, "real-time"), scaled, stays))
        self.scales_queue = self._declare("ScalesQueue", both(equals(mode, "asynchronous"), scaled))
        self.queue_from_zero = self._declare(
            "QueueComesBackFromZero", both(equals(mode, "asynchronous"), scaled, to_zero)
        )
        self.many_models = self._declare(
            "ServesManyModels", negate(equals(stack.text("models_location"), ""))
        )
        self.keeps_counts = self._declare("KeepsCounts", both(scaled, stays))
        self.has_variant = {
            place: self._declare(f"HasVariant{place}", negate(equals(name, "")))
            for place, name in places.items()
        }
        self.scales_variant = {
            1: self.scales,
            **{
                place: self._declare(
                    f"ScalesVariant{place}", both(holds(self.scales), holds(present))
                )
                for place, present in self.has_variant.items()
            },
        }

    def _declare(self, name: str, expression: Any) -> cdk.CfnCondition:
        return cdk.CfnCondition(self._stack, name, expression=expression)

    def without(self, field: str) -> cdk.CfnCondition:
        """The condition that a number is 0, which leaves its property to SageMaker."""
        name = f"Without{parameter_name(field)}"
        known = self._stack.node.try_find_child(name) or self._stack.when(name, field, "0")
        assert isinstance(known, cdk.CfnCondition)
        return known

    def refuse_serverless_in_a_vpc(self) -> None:
        """Have CloudFormation refuse what SageMaker does not do, before anything is made."""
        if not self._stack.config.networking:
            return
        cdk.CfnRule(
            self._stack,
            "NoServerlessEndpointInAVpc",
            assertions=[
                cdk.CfnRuleAssertion(
                    assert_=cdk.Fn.condition_not(
                        cdk.Fn.condition_equals(self._stack.text("endpoint_mode"), "serverless")
                    ),
                    assert_description="This environment keeps containers in its VPC, where "
                    "SageMaker runs no serverless endpoint; choose another endpoint_mode.",
                )
            ],
        )


def holds(condition: cdk.CfnCondition) -> cdk.ICfnConditionExpression:
    """A condition as an expression of others; the CDK's own typing does not see that it is one."""
    return cast(cdk.ICfnConditionExpression, condition)


def where(condition: cdk.CfnCondition, value: Any) -> Any:
    """The value where the condition holds, and no property where it does not."""
    return cdk.Fn.condition_if(condition.logical_id, value, NONE)


def unless(condition: cdk.CfnCondition, value: Any) -> Any:
    """No property where the condition holds, and the value where it does not."""
    return cdk.Fn.condition_if(condition.logical_id, NONE, value)
