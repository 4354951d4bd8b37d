"""What an acme-shadow-endpoint request may say: a realtime-endpoint's, and the challenger."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_framework.blueprints.realtime_endpoint.contract import RealtimeEndpointRequest
from mlops_framework.contracts.base import PerStage
from mlops_framework.contracts.fields import OptionalModelPackageArn

ChallengerArn = Annotated[OptionalModelPackageArn, Field(min_length=1)]


class ShadowEndpointRequest(RealtimeEndpointRequest):
    """A realtime endpoint with a challenger in its shadow."""

    pipeline_type: Literal["acme-shadow-endpoint"] = Field(  # type: ignore[assignment]
        description="Kind of the blueprint."
    )
    challenger_package_name: ChallengerArn = Field(
        description="Version in the model registry that answers unseen."
    )
    challenger_share: PerStage[Annotated[float, Field(ge=0, le=1)]] = Field(
        default=1.0, description="Part of the traffic that the challenger gets a copy of."
    )
