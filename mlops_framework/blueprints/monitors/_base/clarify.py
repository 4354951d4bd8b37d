"""What the two kinds that run AWS's Clarify share, and the analysis configuration they write.

Source: SageMaker developer guide, "Analysis Configuration Files"; the SDK's
``clarify_model_monitoring`` for what a monitor's own configuration holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from mlops_framework.blueprints.monitors._base.contract import MonitorRequest
from mlops_framework.blueprints.monitors._base.fields import Attribute, Scalar, Threshold
from mlops_framework.contracts.base import METADATA, Document, PerStage
from mlops_framework.contracts.fields import OptionalSageMakerName

DATASET_TYPES: Final[Mapping[str, str]] = {
    "csv": "text/csv",
    "csv-without-header": "text/csv",
    "json": "application/json",
    "json-lines": "application/jsonlines",
    "parquet": "application/x-parquet",
}


class Facet(Document):
    """A group that bias is looked for in."""

    name: Attribute = Field(description="Column of the group: its name, or its position.")
    values_or_threshold: list[Scalar] = Field(
        default_factory=list,
        description="Values of the disadvantaged group, or the number above which one is in it; "
        "every value in turn if left out.",
    )


class BiasConfig(Document):
    """Between whom bias is measured, and what counts as the good outcome."""

    label_values_or_threshold: list[Scalar] = Field(
        min_length=1,
        description="Values of the label that are the good outcome, or the number above it.",
    )
    facets: list[Facet] = Field(min_length=1, description="Groups that bias is looked for in.")
    group_name: Attribute = Field(
        default="", description="Column that conditional disparity is measured within."
    )


class PredictedLabelConfig(Document):
    """Where the model's answer holds its label and its probability."""

    label: Attribute = Field(default="", description="Position or JMESPath of the label.")
    probability: Attribute = Field(
        default="", description="Position or JMESPath of the probability or probabilities."
    )
    probability_threshold: Threshold = Field(
        default=0.5, description="From which probability on the label is the good outcome."
    )
    label_headers: list[str] = Field(
        default_factory=list, description="Labels in the order of the probabilities."
    )


class ShapConfig(Document):
    """How Shapley values are computed."""

    baseline: list[list[Scalar]] = Field(
        default_factory=list,
        description="Rows of features that stand for 'nothing known'; Clarify finds its own by "
        "clustering the baseline data if neither these nor a location are given.",
    )
    baseline_location: Annotated[
        str, Field(pattern="^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[A-Za-z0-9!_.*()/=+@:-]+)?$")
    ] = Field(default="", description="S3 object that holds those rows instead.")
    num_clusters: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=0, description="Rows that Clarify computes by clustering; 0 for its own choice."
    )
    num_samples: Annotated[int, Field(ge=0, le=100000)] = Field(
        default=0, description="Samples of the Kernel SHAP algorithm; 0 for Clarify's own choice."
    )
    agg_method: Literal["mean_abs", "median", "mean_sq"] = Field(
        default="mean_abs", description="How values of single records become one of the feature."
    )
    use_logit: bool = Field(default=False, description="Whether predictions are made log-odds.")
    save_local_shap_values: bool = Field(
        default=True, description="Whether the values of each record are kept."
    )
    seed: Annotated[int, Field(ge=0, le=2147483647)] = Field(
        default=0, description="Seed of the sampling; 0 for none."
    )
    features_to_explain: list[Attribute] = Field(
        default_factory=list, description="Columns to explain; all if left out."
    )


class ClarifyRequest(MonitorRequest):
    """A bias or explainability monitor.

    The whole analysis travels as a file of its own, so that none of it is bound to the 4096
    characters of a template parameter.
    """

    image: ClassVar[str] = "clarify"
    baseline_fields: ClassVar[tuple[str, ...]] = (
        *MonitorRequest.baseline_fields,
        "endpoint_name",
        "headers",
        "label",
        "predictor_model_name",
        "predictor_instance_type",
        "predictor_instance_count",
        "content_type",
        "accept_type",
        "features_attribute",
    )

    baseline_data_format: Literal["csv", "csv-without-header", "json", "json-lines", "parquet"] = (
        Field(default="csv", description="Format of the baseline data; csv has a header row.")
    )
    headers: list[Attribute] = Field(
        default_factory=list,
        description="Columns of the baseline data in order; read from its header row if left out.",
        json_schema_extra=dict(METADATA),
    )
    label: Attribute = Field(
        default="0",
        description="Column of the baseline data that holds the truth: its name or its position.",
        json_schema_extra=dict(METADATA),
    )
    predictor_model_name: PerStage[OptionalSageMakerName] = Field(
        default="",
        description="Model that Clarify asks, on an endpoint of its own; that of endpoint_name if "
        "empty.",
    )
    predictor_instance_type: Annotated[
        str, Field(pattern="^(ml[.][a-z0-9-]+[.][a-z0-9-]+)?$", max_length=64)
    ] = Field(
        default="",
        description="Instance type of that endpoint; instance_type if empty.",
        json_schema_extra=dict(METADATA),
    )
    predictor_instance_count: Annotated[int, Field(ge=1, le=100)] = Field(
        default=1,
        description="Instances of that endpoint.",
        json_schema_extra=dict(METADATA),
    )
    content_type: Literal["text/csv", "application/jsonlines", "application/json"] = Field(
        default="text/csv",
        description="What the model is asked in.",
        json_schema_extra=dict(METADATA),
    )
    accept_type: Literal["text/csv", "application/jsonlines", "application/json"] = Field(
        default="text/csv",
        description="What the model answers in.",
        json_schema_extra=dict(METADATA),
    )
    features_attribute: Attribute = Field(
        default="", description="JMESPath of the features in a captured JSON record."
    )
    inference_attribute: Attribute = Field(
        default="", description="Position or JMESPath of the prediction in a captured answer."
    )
    probability_attribute: Attribute = Field(
        default="", description="Position or JMESPath of the probability in a captured answer."
    )
    probability_threshold: Threshold = Field(
        default=0.5, description="From which probability on a prediction counts as positive."
    )


def column(name: str) -> str | int:
    """A column as Clarify wants it: a position as a number, a name as text."""
    return int(name) if name.isdigit() else name


def without_gaps(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document without members that say nothing."""
    return {key: value for key, value in document.items() if value not in ("", [], {}, None)}
