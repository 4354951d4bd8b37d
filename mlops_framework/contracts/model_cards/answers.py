"""What the API answers about model cards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from mlops_framework.contracts.model_cards.content import Status
from mlops_framework.contracts.responses import Answer


class CardDone(Answer):
    """A card was created, changed or deleted."""

    message: str = Field(description="What happened, one sentence.")
    name: str = Field(description="Name of the card.")
    arn: str = Field(description="ARN of the card.")
    notes: tuple[str, ...] = Field(default=(), description="What of the request had no effect.")


class CardSummary(Answer):
    """A card in a list."""

    name: str = Field(description="Name of the card.")
    arn: str = Field(description="ARN of the card.")
    status: Status = Field(description="Stage of its review.")
    version: int | None = Field(default=None, description="Version, in lists of versions.")
    created_at: str = Field(description="ISO 8601.")
    modified_at: str = Field(description="ISO 8601; empty if never.")


class CardAnswer(CardSummary):
    """A whole card."""

    content: Mapping[str, Any] = Field(description="By SageMaker's model card JSON schema.")
    kms_key_arn: str = Field(description="Key that it is encrypted with; empty for AWS's own.")
    created_by: str = Field(description="Who created it, as far as SageMaker says.")
    modified_by: str = Field(description="Who changed it last, likewise.")


class CardList(Answer):
    """A page of cards, or of versions of one."""

    model_cards: tuple[CardSummary, ...] = Field(description="The newest first.")
    next_token: str = Field(description="Of the next page; empty at the end.")


class CardExportAnswer(Answer):
    """An export of a card to a PDF."""

    message: str = Field(description="How far it is, one sentence.")
    export_job_name: str = Field(description="Name of the job.")
    export_job_arn: str = Field(description="ARN of the job.")
    status: str = Field(description="InProgress, Completed or Failed.")
    version: int = Field(description="Version that is exported.")
    location: str = Field(description="The file in S3; empty before it is there.")
    reason: str = Field(description="SageMaker's reason of a failure.")


class CardExportList(Answer):
    """The exports of a card."""

    exports: tuple[CardExportAnswer, ...] = Field(description="The newest first.")
