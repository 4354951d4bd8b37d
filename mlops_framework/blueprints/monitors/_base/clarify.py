"""What the two kinds that run AWS's Clarify share, and the analysis configuration they write.

Source: SageMaker developer guide, "Analysis Configuration Files"; the SDK's
``clarify_model_monitoring`` for what a monitor's own configuration holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from mlops_framework.blueprints.monitors._base.contract import MonitorRequest, empty
from mlops_framework.blueprints.monitors._base.fields import Attribute, Scalar, Threshold
from mlops_framework.contracts.base import METADATA, Document, PerStage
from mlops_framework.contracts.faults import NOTHING
from mlops_framework.contracts.fields import OptionalSageMakerName
from mlops_framework.contracts.parameters import Parameter
from mlops_framework.errors import Fault

ANALYSIS: Final = "analysis.json"
"""Name of the file that comes with the request."""
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
        default=0, description="Seed of the sampling; a 0 that was not given is none."
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
    derived_parameters: ClassVar[tuple[Parameter, ...]] = (
        *MonitorRequest.derived_parameters,
        Parameter(
            "AnalysisKey",
            "String",
            pattern="^requests/[a-z0-9/.-]+$",
            description="Object in the artifact bucket that says what is analysed.",
            field="analysis_key",
        ),
    )

    baseline_data_format: Literal["csv", "csv-without-header", "json", "json-lines", "parquet"] = (
        Field(
            default="csv",
            description="Format of the baseline data; csv has a header row.",
            json_schema_extra=dict(METADATA),
        )
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
        json_schema_extra=dict(METADATA),
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

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """Clarify asks a model, which somebody has to name."""
        yield from super().conflicts(given)
        if (
            cls.asks_model(given)
            and empty(given.get("endpoint_name"))
            and empty(given.get("predictor_model_name"))
        ):
            yield Fault(
                "predictor_model_name",
                "Clarify asks the model on an endpoint of its own; without an endpoint_name, "
                "whose model it would take, name the model.",
                "the name of a SageMaker model",
                NOTHING,
            )

    @classmethod
    def asks_model(cls, given: Mapping[str, Any]) -> bool:
        """Whether baseline or runs need predictions that are not there yet."""
        return cls.builds_baseline(given)

    @classmethod
    def reads_headers(cls, given: Mapping[str, Any]) -> bool:
        """Whether the names of the columns can be read from the baseline data."""
        return given.get("baseline_data_format", "csv") == "csv" and not empty(
            given.get("baseline_data")
        )

    def documents(self, stage: str) -> Mapping[str, str]:
        """The analysis, as far as the request says it; the rest is looked up before the job."""
        document = {
            "version": 1,
            "baseline": self.baseline_analysis(stage),
            "monitor": self.monitor_analysis(stage),
            "headers_of": (
                self.baseline_data
                if not self.headers and self.reads_headers(self.model_dump())
                else ""
            ),
            "model_of": (
                ""
                if self.parameter_value("predictor_model_name", stage)
                else self.parameter_value("endpoint_name", stage)
            ),
        }
        return {ANALYSIS: json.dumps(document, sort_keys=True, separators=(",", ":"))}

    def parameter_value(self, name: str, stage: str) -> Any:
        """Add where the analysis is written."""
        if name == "analysis_key":
            return self.document_key(ANALYSIS, stage)
        return super().parameter_value(name, stage)

    def baseline_analysis(self, stage: str) -> dict[str, Any]:
        """Clarify's configuration of the baseline job; kinds add what they analyse."""
        return without_gaps(
            {
                "dataset_type": DATASET_TYPES[self.baseline_data_format],
                # A job that is given names takes a header row for data.
                "headers": [] if self.baseline_data_format == "csv" else list(self.headers),
                "label": column(self.label),
                "features": self.features_attribute,
                "predictor": self.predictor(stage),
                "methods": {"report": {"name": "report", "title": "Analysis Report"}},
            }
        )

    def monitor_analysis(self, stage: str) -> dict[str, Any]:
        """Clarify's configuration of the runs; kinds add what they analyse."""
        return without_gaps({"headers": list(self.headers)})

    def predictor(self, stage: str) -> dict[str, Any]:
        """The model that Clarify asks, and on what."""
        return without_gaps(
            {
                "model_name": self.parameter_value("predictor_model_name", stage),
                "instance_type": self.predictor_instance_type
                or self.parameter_value("instance_type", stage),
                "initial_instance_count": self.predictor_instance_count,
                "content_type": self.content_type,
                "accept_type": self.accept_type,
            }
        )


def column(name: str) -> str | int:
    """A column as Clarify wants it: a position as a number, a name as text."""
    return int(name) if name.isdigit() else name


def without_gaps(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document without members that say nothing."""
    return {key: value for key, value in document.items() if value not in ("", [], {}, None)}
