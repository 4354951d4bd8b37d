"""What a training request may say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from mlops_framework.contracts.base import PerStage, PipelineRequest
from mlops_framework.contracts.faults import shown
from mlops_framework.contracts.fields import (
    Direction,
    HyperParameter,
    ImageUri,
    InstanceType,
    MetricName,
    OptionalS3Uri,
    PythonScript,
    S3Object,
    S3Uri,
    SageMakerName,
)
from mlops_framework.errors import Fault

SCRIPT_MODE_PREFIX = "sagemaker_"


class TrainingRequest(PipelineRequest):
    """Train -> evaluate -> quality gate -> register, as one SageMaker Pipeline."""

    pipeline_type: Literal["training"] = Field(description="Kind of the blueprint.")

    training_data: S3Uri = Field(description="Data of the channel 'training'.")
    evaluation_data: S3Uri = Field(description="Data the model has not seen, for the quality gate.")
    source_archive: S3Object = Field(
        description="tar.gz with the training and the inference script at its top."
    )
    training_entry_point: PythonScript = Field(
        default="train.py", description="Script in the source archive that trains."
    )
    evaluation_script: S3Object = Field(
        description="Python script that writes evaluation.json; an object of its own, because a "
        "processing job starts a file and does not unpack archives."
    )
    inference_entry_point: PythonScript = Field(
        default="inference.py", description="Script in the source archive that serves the model."
    )
    image_uri: ImageUri = Field(
        description="Framework image in script mode, for training, evaluation and serving."
    )

    instance_type: PerStage[InstanceType] = Field(
        default="ml.m5.large", description="Instance type of the training and evaluation jobs."
    )
    instance_count: PerStage[Annotated[int, Field(ge=1, le=100)]] = Field(
        default=1, description="Instances of the training job."
    )
    volume_size_gb: PerStage[Annotated[int, Field(ge=1, le=16384)]] = Field(
        default=30, description="Volume of each instance, GB."
    )
    max_runtime_seconds: PerStage[Annotated[int, Field(ge=60, le=432000)]] = Field(
        default=3600, description="Each job is stopped after this time, seconds."
    )
    hyperparameters: dict[str, HyperParameter] = Field(
        default_factory=dict,
        description="Arguments of the training script, by name without dashes.",
    )

    quality_metric: MetricName = Field(
        default="accuracy", description="Metric of evaluation.json the gate looks at."
    )
    quality_threshold: PerStage[Annotated[float, Field(allow_inf_nan=False)]] = Field(
        default=0.7, description="Bound of the quality metric."
    )
    quality_direction: Direction = Field(
        default="at-least",
        description="Whether a good model is at least, or at most, at the threshold.",
    )

    model_package_group: SageMakerName = Field(
        default_factory=lambda given: str(given["model_name"]),
        description="Model package group to register in; the model's name if not given.",
    )
    retrain_on_drift: bool = Field(
        default=True, description="Whether a drift monitor of this model may start a new training."
    )
    output_location: OptionalS3Uri = Field(
        default="",
        description="Where models and reports go; the data bucket's models/<model_name> if empty.",
    )

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """Refuse hyperparameters that the framework sets itself."""
        yield from super().conflicts(given)
        hyperparameters = given.get("hyperparameters")
        if not isinstance(hyperparameters, dict):
            return
        for name in hyperparameters:
            if str(name).startswith(SCRIPT_MODE_PREFIX):
                yield Fault(
                    f"hyperparameters.{name}",
                    f"Names that begin with {SCRIPT_MODE_PREFIX} are script mode's own; use "
                    "training_entry_point and source_archive.",
                    f"a name that does not begin with {SCRIPT_MODE_PREFIX}",
                    shown(hyperparameters[name]),
                )

    def parameter_value(self, name: str, stage: str) -> Any:
        """Add what script mode needs to the hyperparameters: which script, and where it is.

        A template cannot add keys to a JSON text it is given, so the whole map is one parameter.
        """
        value = super().parameter_value(name, stage)
        if name != "hyperparameters":
            return value
        return value | {
            "sagemaker_program": self.training_entry_point,
            "sagemaker_submit_directory": self.source_archive,
        }
