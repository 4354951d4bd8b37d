"""What SageMaker says about the data capture of endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_framework.aws.refusals import refusals
from mlops_framework.drift.heartbeat.capture_state import CaptureState


class _Absent(Exception):
    """There is no such endpoint."""


class SageMakerCaptures:
    """The port ``Captures`` over ``DescribeEndpoint``.

    Args:
        client: A SageMaker client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def state(self, endpoint_name: str) -> CaptureState | None:
        """See ``Captures.state``."""
        # SageMaker has no error code of its own for an endpoint that is not there.
        conditions = {"ValidationException": _Absent}
        try:
            with refusals("SageMaker", "DescribeEndpoint", conditions):
                found = self._client.describe_endpoint(EndpointName=endpoint_name)
        except _Absent:
            return None
        capture = found.get("DataCaptureConfig", {})
        return CaptureState(
            found["EndpointStatus"],
            capture.get("EnableCapture", False) and capture.get("CaptureStatus") == "Started",
            capture.get("CurrentSamplingPercentage", 0),
            capture.get("DestinationS3Uri", ""),
            not _has_no_capture(found),
        )


def _has_no_capture(endpoint: Mapping[str, Any]) -> bool:
    variants = endpoint.get("ProductionVariants", ())
    serverless = any("CurrentServerlessConfig" in variant for variant in variants)
    return serverless or "AsyncInferenceConfig" in endpoint
