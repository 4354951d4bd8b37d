"""How many there are of what is scaled, read and changed through SageMaker's own API."""

from __future__ import annotations

import re
from typing import Any, Protocol

from mlops_framework.local.plane.service import AwsFault

_VARIANT = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")
_COMPONENT = re.compile(r"inference-component/([^/]+)")


class Capacity(Protocol):
    """A number that can be changed."""

    def read(self, client: Any) -> int | None:
        """How many are wanted; None while it is being changed."""

    def write(self, client: Any, number: int) -> None:
        """Want so many."""


class Instances:
    """Instances of a production variant."""

    def __init__(self, endpoint: str, variant: str) -> None:
        """Take the names."""
        self.endpoint, self.variant = endpoint, variant

    def read(self, client: Any) -> int | None:
        """See `Capacity.read`."""
        found = client.describe_endpoint(EndpointName=self.endpoint)
        if found["EndpointStatus"] != "InService":
            return None
        for variant in found.get("ProductionVariants", []):
            if variant["VariantName"] == self.variant:
                count: int | None = variant.get("DesiredInstanceCount")
                return count
        raise _unknown(f"endpoint/{self.endpoint}/variant/{self.variant}")

    def write(self, client: Any, number: int) -> None:
        """See `Capacity.write`."""
        wanted = {"VariantName": self.variant, "DesiredInstanceCount": number}
        client.update_endpoint_weights_and_capacities(
            EndpointName=self.endpoint, DesiredWeightsAndCapacities=[wanted]
        )


class Copies:
    """Copies of an inference component."""

    def __init__(self, component: str) -> None:
        """Take its name."""
        self.component = component

    def read(self, client: Any) -> int | None:
        """See `Capacity.read`."""
        found = client.describe_inference_component(InferenceComponentName=self.component)
        if found["InferenceComponentStatus"] != "InService":
            return None
        count: int = found["RuntimeConfig"]["DesiredCopyCount"]
        return count

    def write(self, client: Any, number: int) -> None:
        """See `Capacity.write`."""
        client.update_inference_component_runtime_config(
            InferenceComponentName=self.component, DesiredRuntimeConfig={"CopyCount": number}
        )


def capacity_of(resource: str, dimension: str) -> Capacity:
    """What a resource id and a dimension name.

    Raises:
        AwsFault: they name nothing that is scaled here.
    """
    variant, component = _VARIANT.fullmatch(resource), _COMPONENT.fullmatch(resource)
    if variant and dimension == "sagemaker:variant:DesiredInstanceCount":
        return Instances(variant[1], variant[2])
    if component and dimension == "sagemaker:inference-component:DesiredCopyCount":
        return Copies(component[1])
    raise AwsFault(
        "NotCarriedByLocalAws",
        f"The local AWS does not scale {dimension} of {resource!r}. It scales "
        "sagemaker:variant:DesiredInstanceCount of endpoint/<name>/variant/<variant> and "
        "sagemaker:inference-component:DesiredCopyCount of inference-component/<name>.",
        501,
    )


def _unknown(resource: str) -> AwsFault:
    return AwsFault("ValidationException", f"Resource not found: {resource}.")
