"""What SageMaker says about an endpoint's data capture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class CaptureState:
    """Data capture of an endpoint, as ``DescribeEndpoint`` tells it.

    Attributes:
        status: The endpoint's status, for example ``InService``.
        enabled: Whether its configuration captures and the capture is started.
        sampling: Percentage of the requests that are captured, 0..100.
        destination: Where captures go, without the endpoint's name.
        by_sagemaker: Whether SageMaker captures endpoints of this form at all; of serverless and
            asynchronous ones it captures nothing.
    """

    status: str
    enabled: bool = False
    sampling: int = 0
    destination: str = ""
    by_sagemaker: bool = True


class Captures(Protocol):
    """Looks an endpoint's data capture up."""

    def state(self, endpoint_name: str) -> CaptureState | None:
        """Its state; ``None`` if there is no such endpoint."""
        ...
