"""What may be asked of model cards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from mlops_framework.contracts.fields import Accepts
from mlops_framework.contracts.model_cards.content import (
    AdditionalInformation,
    AnyStatus,
    BusinessDetails,
    CardPart,
    EvaluationDetail,
    IntendedUses,
    ModelOverview,
    TrainingDetails,
    in_any_case,
)

NAME_PATTERN = "^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$"
MetricType = Literal[
    "model_card_metric_schema",
    "clarify_bias",
    "clarify_explainability",
    "regression",
    "binary_classification",
    "multiclass_classification",
]
METRIC_TYPES: tuple[MetricType, ...] = (
    "model_card_metric_schema",
    "clarify_bias",
    "clarify_explainability",
    "regression",
    "binary_classification",
    "multiclass_classification",
)

CardName = Annotated[
    str,
    Field(pattern=NAME_PATTERN, max_length=63),
    Accepts("1 to 63 letters, digits and hyphens, beginning and ending with a letter or digit"),
]
MetricFile = Annotated[
    str, Field(pattern="^s3://[a-z0-9.-]{1,63}/[^\\x00-\\x1f]+$", max_length=1024)
]


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


CardVersion = Annotated[int, Field(ge=1, le=2**31 - 1), BeforeValidator(_whole)]


class CardTraining(TrainingDetails):
    """Training details as given, or found out from the model or the job that is named."""

    model_name: str | None = Field(
        default=None, description="SageMaker model whose training job is looked up."
    )
    training_job_name: str | None = Field(
        default=None, description="Training job whose details are filled in."
    )


class CardEvaluation(EvaluationDetail):
    """An evaluation as given, or translated from a file of metrics."""

    metric_file_s3_url: MetricFile | None = Field(
        default=None, description="File of metrics to read, s3://bucket/key."
    )
    metric_type: Annotated[MetricType, in_any_case(*METRIC_TYPES)] | None = Field(
        default=None, description="What wrote the file."
    )


class CardSections(CardPart):
    """The sections of a card that a request may give."""

    status: AnyStatus | None = Field(default=None, description="Stage of its review.")
    model_overview: ModelOverview | None = Field(
        default=None, description="What the model is; a model_name of SageMaker's fills it in."
    )
    business_details: BusinessDetails | None = Field(default=None, description="What it is for.")
    intended_uses: IntendedUses | None = Field(default=None, description="What it may do.")
    training_details: CardTraining | None = Field(default=None, description="How it was made.")
    evaluation_details: list[CardEvaluation] | None = Field(
        default=None, description="How good it is."
    )
    additional_information: AdditionalInformation | None = Field(
        default=None, description="Everything else."
    )


class CardChange(CardSections):
    """``PATCH /model-cards/{name}``: the sections given replace those of the card."""


class CardCreation(CardSections):
    """``POST /model-cards``."""

    name: CardName = Field(description="Name of the card.")
    kms_key_arn: str | None = Field(
        default=None,
        pattern="^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-zA-Z0-9-]+$",
        description="Key that the card is encrypted with; the platform's if left out.",
    )


class CardExport(CardPart):
    """``POST /model-cards/{name}/exports``."""

    export_job_name: CardName | None = Field(
        default=None, description="Name of the export job; derived if left out."
    )
    model_card_version: CardVersion | None = Field(
        default=None, description="Version to export; the newest if left out."
    )


READ_ONLY = ("arn", "version", "created_by", "last_modified_by", "creation_time")
"""Fields that the predecessor took and SageMaker sets itself; accepted in its requests, and left
out with a word in the answer."""


def given_sections(request: CardSections) -> Iterator[str]:
    """Names of the sections that a request gives."""
    for name in CardSections.model_fields:
        if name != "status" and getattr(request, name) is not None:
            yield name
