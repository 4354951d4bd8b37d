"""The CloudFormation type of an inference component."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from mlops_framework.local.plane.cloudformation import ResourceContext, resource_type
from mlops_framework.local.plane.sagemaker.resources import (
    Created,
    ResourceFailed,
    SageMakerType,
    as_request,
    name_of,
)

_POLL_SECONDS = 0.2


@resource_type(
    "AWS::SageMaker::InferenceComponent",
    attributes={"InferenceComponentArn", "EndpointArn", "InferenceComponentStatus"},
)
class InferenceComponent(SageMakerType):
    """A component; waits until it serves, or has no copy to serve with."""

    replaced_by = frozenset({"InferenceComponentName", "EndpointName", "VariantName"})
    name_property = "InferenceComponentName"
    deletion = ("delete_inference_component", "InferenceComponentName")

    def create(self, properties: Mapping[str, Any], context: ResourceContext) -> Created:
        """Make the component and wait until it is InService."""
        name = properties.get("InferenceComponentName") or context.generated_name(63)
        request = as_request(
            properties, context, "CreateInferenceComponent", InferenceComponentName=name
        )
        client = context.client("sagemaker")
        client.create_inference_component(**request)
        described = _settled(client, name)
        if described["InferenceComponentStatus"] != "InService":
            # A stack that rolls back deletes only what it was told of; this was not yet.
            client.delete_inference_component(InferenceComponentName=name)
            _settled(client, name)
            raise ResourceFailed(described.get("FailureReason", f"{name} failed."))
        return self._attributes(described)

    def update(
        self,
        physical_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        context: ResourceContext,
    ) -> Created:
        """Put the new model in place of the old one, which serves until then.

        The number of copies is left alone where only the model changes: scaling has changed it.
        """
        client = context.client("sagemaker")
        self.retag(physical_id, before, after, context)
        changed = {
            member: after[member]
            for member in ("Specification", "RuntimeConfig")
            if after.get(member) != before.get(member)
        }
        name = name_of(physical_id)
        if changed:
            request = as_request(
                changed, context, "UpdateInferenceComponent", InferenceComponentName=name
            )
            client.update_inference_component(**request)
        described = _settled(client, name)
        if described.get("FailureReason") or described["InferenceComponentStatus"] != "InService":
            raise ResourceFailed(described.get("FailureReason", f"{name} failed."))
        return self._attributes(described)

    def delete(
        self, physical_id: str, properties: Mapping[str, Any], context: ResourceContext
    ) -> None:
        """Delete the component and wait until it is gone."""
        super().delete(physical_id, properties, context)
        _settled(context.client("sagemaker"), name_of(physical_id))

    @staticmethod
    def _attributes(described: Mapping[str, Any]) -> Created:
        arn = described["InferenceComponentArn"]
        return arn, {
            "InferenceComponentArn": arn,
            "EndpointArn": described["EndpointArn"],
            "InferenceComponentStatus": described["InferenceComponentStatus"],
        }


def _settled(client: Any, name: str) -> dict[str, Any]:
    while True:
        try:
            found: dict[str, Any] = client.describe_inference_component(InferenceComponentName=name)
        except ClientError as error:
            if "Could not find" in str(error):
                return {"InferenceComponentStatus": "Deleted"}
            raise
        if found["InferenceComponentStatus"] in ("InService", "Failed"):
            return found
        time.sleep(_POLL_SECONDS)
