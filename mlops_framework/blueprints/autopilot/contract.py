"""What an Autopilot request may say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from mlops_framework.contracts.base import METADATA, Accepts
from mlops_framework.contracts.faults import NOTHING, shown
from mlops_framework.contracts.fields import OptionalS3Uri
from mlops_framework.contracts.model_building import (
    READ_PARAMETERS,
    START_PARAMETERS,
    Compression,
    ContentType,
    ModelBuildRequest,
    read_buckets,
    read_locations,
)
from mlops_framework.contracts.parameters import VALUE_LIMIT, Parameter
from mlops_framework.errors import Fault

JOB_PREFIX: Final = 18
"""Of the 32 characters of a search's name; the rest makes it unique."""

Attribute = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_. -]+$", max_length=256),
    Accepts("a column's name of letters, digits, blanks and _ . -"),
]
OptionalAttribute = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_-]*$", max_length=256),
    Accepts("a column's name of letters, digits, _ and -, or empty"),
]
Objective = Literal[
    "",
    "Accuracy",
    "AUC",
    "BalancedAccuracy",
    "F1",
    "F1macro",
    "MAE",
    "MSE",
    "Precision",
    "PrecisionMacro",
    "R2",
    "Recall",
    "RecallMacro",
    "RMSE",
]


class AutopilotRequest(ModelBuildRequest):
    """Let Autopilot search a model of tabular data -> quality gate -> register the best."""

    derived_parameters: ClassVar[tuple[Parameter, ...]] = (
        *START_PARAMETERS,
        *(
            Parameter(
                name=name,
                kind="String",
                default=default,
                max_length=VALUE_LIMIT,
                description=f"{said} JSON that SageMaker takes as it stands.",
                field=field,
            )
            for name, field, default, said in (
                ("InputDataConfig", "input_data_config", None, "Channels of the search."),
                ("TabularJobConfig", "tabular_job_config", None, "What is searched, how long."),
                ("DataSplitConfig", "data_split_config", "", "Share kept for validation, if any."),
            )
        ),
        *READ_PARAMETERS,
        Parameter(
            name="JobPrefix",
            kind="String",
            pattern="^[a-z][a-z0-9-]*$",
            max_length=JOB_PREFIX,
            description="Begins the names of the search and its jobs.",
            field="job_prefix",
        ),
    )

    pipeline_type: Literal["autopilot"] = Field(description="Kind of the blueprint.")

    target_attribute: Attribute = Field(
        description="Column to predict.", json_schema_extra=dict(METADATA)
    )
    validation_data: OptionalS3Uri = Field(
        default="",
        description="Data to compare candidates with; a share of training_data if empty.",
        json_schema_extra=dict(METADATA),
    )
    validation_fraction: Annotated[float, Field(ge=0, le=0.9, allow_inf_nan=False)] = Field(
        default=0.0,
        description="Share of training_data to compare candidates with; Autopilot's own 0.2 if 0.",
        json_schema_extra=dict(METADATA),
    )
    content_type: ContentType = Field(
        default="text/csv;header=present",
        description="Content type of the data: text/csv;header=present or "
        "x-application/vnd.amazon+parquet.",
        json_schema_extra=dict(METADATA),
    )
    s3_data_type: Literal["S3Prefix", "ManifestFile"] = Field(
        default="S3Prefix",
        description="Whether the data is given by a prefix or a manifest.",
        json_schema_extra=dict(METADATA),
    )
    compression: Compression = Field(
        default="None", description="Compression of the data.", json_schema_extra=dict(METADATA)
    )
    sample_weight_attribute: OptionalAttribute = Field(
        default="",
        description="Column that weighs the rows; ensembling mode only.",
        json_schema_extra=dict(METADATA),
    )
    problem_type: Literal["", "BinaryClassification", "MulticlassClassification", "Regression"] = (
        Field(
            default="",
            description="Kind of problem; with objective_metric, or neither, and Autopilot finds "
            "out.",
            json_schema_extra=dict(METADATA),
        )
    )
    objective_metric: Objective = Field(
        default="", description="Metric that is to be best; Autopilot's choice if empty."
    )
    mode: Literal["AUTO", "ENSEMBLING", "HYPERPARAMETER_TUNING"] = Field(
        default="AUTO",
        description="How candidates are made; AUTO takes ensembling for less than 100 MB.",
        json_schema_extra=dict(METADATA),
    )
    max_candidates: Annotated[int, Field(ge=1, le=750)] = Field(
        default=10,
        description="Candidates at most; not limited in ensembling mode.",
        json_schema_extra=dict(METADATA),
    )
    max_runtime_seconds: Annotated[int, Field(ge=60, le=259200)] = Field(
        default=86400,
        description="Each training job is stopped after this time, seconds.",
        json_schema_extra=dict(METADATA),
    )
    max_total_seconds: Annotated[int, Field(ge=600, le=2592000)] = Field(
        default=86400,
        description="The whole search is stopped after this time, seconds.",
        json_schema_extra=dict(METADATA),
    )
    candidate_definitions_only: bool = Field(
        default=False,
        description="Whether only notebooks with candidates are written, and nothing is trained.",
        json_schema_extra=dict(METADATA),
    )
    gate: bool = Field(
        default=False,
        description="Whether the best candidate's objective has to reach quality_threshold.",
    )

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """Refuse what Autopilot refuses, and a bound that nothing is compared with."""
        yield from super().conflicts(given)
        kind, metric = given.get("problem_type"), given.get("objective_metric")
        if bool(kind) != bool(metric):
            yield Fault(
                "objective_metric" if kind else "problem_type",
                "Autopilot takes the kind of problem and the metric together.",
                "problem_type and objective_metric together, or neither",
                NOTHING,
            )
        if given.get("validation_data") and given.get("validation_fraction"):
            yield Fault(
                "validation_fraction",
                "There is validation data already.",
                "validation_data or validation_fraction",
                shown(given["validation_fraction"]),
            )
        weight = given.get("sample_weight_attribute")
        if weight and given.get("mode") != "ENSEMBLING":
            yield Fault(
                "sample_weight_attribute",
                "Rows are weighed in ensembling mode only.",
                "mode: ENSEMBLING beside it",
                shown(weight),
            )
        if given.get("candidate_definitions_only") is True and given.get("mode") == "ENSEMBLING":
            yield Fault(
                "candidate_definitions_only",
                "Ensembling writes no candidate notebooks.",
                "mode: HYPERPARAMETER_TUNING or AUTO beside it",
                "true",
            )
        if given.get("gate") is not True and "quality_threshold" in given:
            yield Fault(
                "quality_threshold",
                "Nothing is compared with it: gate is not on.",
                "gate: true beside it",
                shown(given["quality_threshold"]),
            )
        if given.get("gate") is True and not metric:
            yield Fault(
                "objective_metric",
                "The gate compares the objective, which has to be named.",
                "problem_type and objective_metric",
                NOTHING,
            )

    def parameter_value(self, name: str, stage: str) -> Any:
        """Put the search's settings together as SageMaker takes them."""
        match name:
            case "input_data_config":
                return self._channels()
            case "tabular_job_config":
                return self._job()
            case "job_prefix":
                return self.model_name[:JOB_PREFIX].rstrip("-")
            case "data_split_config":
                share = self.validation_fraction
                return {"ValidationFraction": share} if share else ""
            case "read_locations":
                return read_locations(self._locations())
            case "read_buckets":
                return read_buckets(self._locations())
        return super().parameter_value(name, stage)

    def _locations(self) -> tuple[str, ...]:
        return (self.training_data, self.validation_data)

    def _channels(self) -> list[dict[str, Any]]:
        given = [("training", self.training_data), ("validation", self.validation_data)]
        return [
            {
                "ChannelType": kind,
                "ContentType": self.content_type,
                "CompressionType": self.compression,
                "DataSource": {
                    "S3DataSource": {"S3DataType": self.s3_data_type, "S3Uri": location}
                },
            }
            for kind, location in given
            if location
        ]

    def _job(self) -> dict[str, Any]:
        job: dict[str, Any] = {
            "TargetAttributeName": self.target_attribute,
            "Mode": self.mode,
            "CompletionCriteria": {
                "MaxRuntimePerTrainingJobInSeconds": self.max_runtime_seconds,
                "MaxAutoMLJobRuntimeInSeconds": self.max_total_seconds,
            },
        }
        if self.mode != "ENSEMBLING":
            job["CompletionCriteria"]["MaxCandidates"] = self.max_candidates
            job["GenerateCandidateDefinitionsOnly"] = self.candidate_definitions_only
        if self.problem_type:
            job["ProblemType"] = self.problem_type
        if self.sample_weight_attribute:
            job["SampleWeightAttributeName"] = self.sample_weight_attribute
        return job
