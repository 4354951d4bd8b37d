"""What a training request may say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_framework.contracts.base import PerStage
from mlops_framework.contracts.training_jobs import TrainingJobsRequest


class TrainingRequest(TrainingJobsRequest):
    """Train -> evaluate -> quality gate -> register, as one SageMaker Pipeline."""

    pipeline_type: Literal["training"] = Field(description="Kind of the blueprint.")

    keep_alive_seconds: PerStage[Annotated[int, Field(ge=0, le=21600)]] = Field(
        default=0,
        description="How long instances are kept for the next job of the same kind (warm pool), "
        "seconds; they cost as while training.",
    )
