"""The CloudFormation types of Application Auto Scaling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_framework.local.plane.cloudformation import (
    ResourceContext,
    ResourceType,
    resource_type,
)
from mlops_framework.local.plane.members import members
from mlops_framework.local.plane.sagemaker.resources import Created

_SERVICE = "application-autoscaling"
_KEY = ("ServiceNamespace", "ResourceId", "ScalableDimension")


@resource_type("AWS::ApplicationAutoScaling::ScalableTarget", attributes={"Id"})
class ScalableTarget(ResourceType):
    """A target with its scheduled actions; `Ref` is resource, dimension and namespace."""

    replaced_by = frozenset(_KEY)
    tags = None

    def create(self, properties: Mapping[str, Any], context: ResourceContext) -> Created:
        """Register the target."""
        return self.update("", {}, properties, context)

    def update(
        self,
        physical_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        context: ResourceContext,
    ) -> Created:
        """Change bounds and scheduled actions."""
        client = context.client(_SERVICE)
        key = {name: after[name] for name in _KEY}
        client.register_scalable_target(**_request(after, context, "RegisterScalableTarget"))
        wanted = {a["ScheduledActionName"]: a for a in after.get("ScheduledActions") or []}
        for action in before.get("ScheduledActions") or []:
            if (name := action["ScheduledActionName"]) not in wanted:
                client.delete_scheduled_action(ScheduledActionName=name, **key)
        for action in wanted.values():
            request = _request({**action, **key}, context, "PutScheduledAction")
            client.put_scheduled_action(**request)
        identity = "|".join(after[n] for n in ("ResourceId", "ScalableDimension", _KEY[0]))
        return identity, {"Id": identity}

    def delete(
        self, physical_id: str, properties: Mapping[str, Any], context: ResourceContext
    ) -> None:
        """Deregister the target."""
        client = context.client(_SERVICE)
        try:
            client.deregister_scalable_target(**_key_of(physical_id))
        except client.exceptions.ObjectNotFoundException:
            return


@resource_type("AWS::ApplicationAutoScaling::ScalingPolicy", attributes={"Arn"})
class ScalingPolicy(ResourceType):
    """A policy; `Ref` is its ARN."""

    replaced_by = frozenset({"PolicyName", "ScalingTargetId", *_KEY})
    tags = None

    def create(self, properties: Mapping[str, Any], context: ResourceContext) -> Created:
        """Put the policy."""
        return self.update("", {}, properties, context)

    def update(
        self,
        physical_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        context: ResourceContext,
    ) -> Created:
        """Put the policy as it is now."""
        given = {**_key_of(after["ScalingTargetId"]), **after}
        request = _request(given, context, "PutScalingPolicy")
        arn = context.client(_SERVICE).put_scaling_policy(**request)["PolicyARN"]
        return arn, {"Arn": arn}

    def delete(
        self, physical_id: str, properties: Mapping[str, Any], context: ResourceContext
    ) -> None:
        """Delete the policy."""
        key = _key_of(properties["ScalingTargetId"])
        client = context.client(_SERVICE)
        try:
            client.delete_scaling_policy(PolicyName=properties["PolicyName"], **key)
        except client.exceptions.ObjectNotFoundException:
            return


def _key_of(target: str) -> dict[str, str]:
    resource, dimension, namespace = target.split("|")
    return {
        "ServiceNamespace": namespace,
        "ResourceId": resource,
        "ScalableDimension": dimension,
    }


def _request(
    properties: Mapping[str, Any], context: ResourceContext, operation: str
) -> dict[str, Any]:
    shape = context.host.service_model(_SERVICE).operation_model(operation).input_shape
    accepted = shape.members if shape else {}
    return {
        name: members(member, properties[name])
        for name, member in accepted.items()
        # The emulator hands every resource the stack's tags; on AWS these types have none.
        if name in properties and name != "Tags"
    }
