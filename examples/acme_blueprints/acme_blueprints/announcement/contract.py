"""What an acme-announcement request may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mlops_framework import naming
from mlops_framework.contracts.base import Accepts, PerStage, PipelineRequest

Sentence = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9 .,:;!?()/_+-]{1,200}$"),
    Accepts("one line of at most 200 letters, digits, blanks and common signs"),
]


class AnnouncementRequest(PipelineRequest):
    """A state machine that says one sentence about a model."""

    pipeline_type: Literal["acme-announcement"] = Field(description="Kind of the blueprint.")
    sentence: PerStage[Sentence] = Field(description="What is said about the model.")
    delay_seconds: PerStage[Annotated[int, Field(ge=0, le=86_400)]] = Field(
        default=0, description="How long the machine waits before it says it."
    )

    def resource_names(self, prefix: str, stage: str) -> Mapping[str, str]:
        """The state machine's name; measured before anything is deployed."""
        return {"model_name": naming.sagemaker_name(prefix, self.pipeline_id, stage)}
