"""SageMaker endpoints: what they serve, and asking them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mlops_framework.aws.refusals import refusals
from mlops_framework.delivery.endpoint import Component, Serving, Variant
from mlops_framework.orchestration.errors import ServiceRefused

_SERVICE: Final = "SageMaker"
# DescribeEndpoint has one code, ValidationException, for every fault; only its text names this one.
_NO_SUCH_ENDPOINT: Final = "Could not find"
_VALIDATION: Final = "ValidationException"


class _Rejected(Exception):
    """A ValidationException, before its text has been looked at."""


class SageMakerEndpoints:
    """The port ``Endpoints``.

    Args:
        client: A SageMaker client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def look(self, name: str, component: str = "") -> Serving | None:
        """See ``Endpoints.look``."""
        try:
            with refusals(_SERVICE, "DescribeEndpoint", {"ValidationException": _Rejected}):
                found = self._client.describe_endpoint(EndpointName=name)
        except _Rejected as rejected:
            if _NO_SUCH_ENDPOINT in str(rejected):
                return None
            raise ServiceRefused(
                _SERVICE, "DescribeEndpoint", "ValidationException", str(rejected)
            ) from rejected
        return Serving(
            endpoint=name,
            arn=found["EndpointArn"],
            status=found["EndpointStatus"],
            configuration=found.get("EndpointConfigName", ""),
            reason=found.get("FailureReason", ""),
            variants=self._variants(found) if found["EndpointStatus"] == "InService" else (),
            component=self._component(component) if component else None,
        )

    def _component(self, name: str) -> Component | None:
        try:
            with refusals(_SERVICE, "DescribeInferenceComponent", {_VALIDATION: _Rejected}):
                found = self._client.describe_inference_component(InferenceComponentName=name)
        except _Rejected as rejected:
            if _NO_SUCH_ENDPOINT in str(rejected):
                return None
            raise ServiceRefused(
                _SERVICE, "DescribeInferenceComponent", _VALIDATION, str(rejected)
            ) from rejected
        return Component(
            name=name,
            status=found["InferenceComponentStatus"],
            model=found.get("Specification", {}).get("ModelName", ""),
            reason=found.get("FailureReason", ""),
        )

    def _variants(self, found: Mapping[str, Any]) -> tuple[Variant, ...]:
        with refusals(_SERVICE, "DescribeEndpointConfig"):
            config = self._client.describe_endpoint_config(
                EndpointConfigName=found["EndpointConfigName"]
            )
        models = {v["VariantName"]: v.get("ModelName", "") for v in config["ProductionVariants"]}
        return tuple(
            Variant(
                name=live["VariantName"],
                model=models.get(live["VariantName"], ""),
                model_packages=self._packages(models.get(live["VariantName"], "")),
                images=[i["SpecifiedImage"] for i in live.get("DeployedImages", ())],
                instances=live.get("CurrentInstanceCount"),
            )
            for live in found.get("ProductionVariants", ())
        )

    def _packages(self, model: str) -> tuple[str, ...]:
        if not model:
            return ()
        with refusals(_SERVICE, "DescribeModel"):
            found = self._client.describe_model(ModelName=model)
        containers = [found.get("PrimaryContainer", {}), *found.get("Containers", ())]
        return tuple(c["ModelPackageName"] for c in containers if c.get("ModelPackageName"))
