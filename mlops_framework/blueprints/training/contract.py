"""What a training request may say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from mlops_framework.contracts.base import PerStage
from mlops_framework.contracts.faults import shown
from mlops_framework.contracts.training_jobs import TrainingJobsRequest
from mlops_framework.errors import Fault


class TrainingRequest(TrainingJobsRequest):
    """Train -> evaluate -> quality gate -> register, as one SageMaker Pipeline."""

    pipeline_type: Literal["training"] = Field(description="Kind of the blueprint.")

    keep_alive_seconds: PerStage[Annotated[int, Field(ge=0, le=21600)]] = Field(
        default=0,
        description="How long instances are kept for the next job of the same kind (warm pool), "
        "seconds; they cost as while training.",
    )

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """Refuse a warm pool of spot instances, which SageMaker has none of."""
        yield from super().conflicts(given)
        kept = given.get("keep_alive_seconds")
        keeps = any(kept.values()) if isinstance(kept, dict) else kept
        if given.get("use_spot") is True and keeps:
            yield Fault(
                "keep_alive_seconds",
                "Spot instances are not kept for another job.",
                "0 beside use_spot: true, or use_spot: false",
                shown(kept),
            )
