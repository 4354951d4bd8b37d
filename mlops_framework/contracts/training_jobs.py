"""What requests have in common whose jobs are SageMaker training jobs: training and tuning.

Three forms of training are told apart by what is given: a source archive (script mode), an image
alone (an own container), an algorithm and its version (an image of AWS, from the shipped table).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import Field

from mlops_framework.contracts.base import (
    METADATA,
    Accepts,
    PerStage,
    Place,
    value_for,
)
from mlops_framework.contracts.channels import (
    AttributeName,
    Channel,
    ChannelName,
    InputMode,
    MetricDefinition,
    OptionalChannelName,
    RecordWrapping,
    input_of,
)
from mlops_framework.contracts.faults import shown
from mlops_framework.contracts.fields import (
    HyperParameter,
    InstanceType,
    OptionalImageUri,
    OptionalS3Object,
    OptionalS3Uri,
    PythonScript,
    S3Uri,
)
from mlops_framework.contracts.instances import has_local_disk
from mlops_framework.contracts.model_building import (
    READ_PARAMETERS,
    START_PARAMETERS,
    Compression,
    ContentType,
    Distribution,
    JobMetric,
    ModelBuildRequest,
    S3DataType,
    read_buckets,
    read_locations,
)
from mlops_framework.contracts.model_source import Algorithm, AlgorithmVersion
from mlops_framework.contracts.parameters import VALUE_LIMIT, Parameter
from mlops_framework.contracts.training_faults import training_faults
from mlops_framework.contracts.training_images import aws_image, training_image
from mlops_framework.contracts.volumes import ENCRYPTS_VOLUMES
from mlops_framework.errors import Fault, RequestInvalid

REPORTED: Final = "accuracy"
"""Metric of an evaluation report that is compared when the request names none."""
SPOT_PATIENCE: Final = 2
"""Waiting for spot capacity is limited to this many times the run time, if nothing is said."""

EnvironmentValue = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f]*$", max_length=512),
    Accepts("text of at most 512 characters without control characters"),
]

_JSON = "JSON that SageMaker takes as it stands."
TRAINING_PARAMETERS: Final = (
    *START_PARAMETERS,
    *(
        Parameter(
            name=name,
            kind="String",
            max_length=VALUE_LIMIT,
            description=f"{said} {_JSON}",
            field=field,
        )
        for name, field, said in (
            ("InputDataConfig", "input_data_config", "Channels of the training jobs."),
            ("MetricRules", "metric_rules", "Metrics read from the jobs' logs."),
            ("StoppingCondition", "stopping_condition", "Limits of each training job."),
        )
    ),
    *READ_PARAMETERS,
    Parameter(
        name="EvaluationScriptName",
        kind="String",
        default="evaluate.py",
        description="File name of the evaluation script.",
        field="evaluation_script_name",
    ),
    ENCRYPTS_VOLUMES,
)


class TrainingJobsRequest(ModelBuildRequest):
    """Training jobs of the request's own, the evaluation of the best, a gate, the registry."""

    derived_parameters: ClassVar[tuple[Parameter, ...]] = TRAINING_PARAMETERS
    put_together: ClassVar[Mapping[str, str]] = {
        "input_data_config": "channels",
        "metric_rules": "metric_definitions",
        "read_locations": "readable_locations",
    }

    training_channel: OptionalChannelName = Field(
        default="",
        description="Channel of training_data; 'train' for a built-in algorithm, else 'training'.",
        json_schema_extra=dict(METADATA),
    )
    validation_data: OptionalS3Uri = Field(
        default="",
        description="Data of a validation channel, if the training takes one.",
        json_schema_extra=dict(METADATA),
    )
    validation_channel: ChannelName = Field(
        default="validation",
        description="Channel of validation_data.",
        json_schema_extra=dict(METADATA),
    )
    content_type: ContentType = Field(
        default="",
        description="Content type of training_data and validation_data, if it is to be told.",
        json_schema_extra=dict(METADATA),
    )
    s3_data_type: S3DataType = Field(
        default="S3Prefix",
        description="Whether training_data and validation_data are prefixes or manifests.",
        json_schema_extra=dict(METADATA),
    )
    distribution: Distribution = Field(
        default="FullyReplicated",
        description="Whether each instance gets all training_data and validation_data or a share.",
        json_schema_extra=dict(METADATA),
    )
    compression: Compression = Field(
        default="None",
        description="Compression of training_data and validation_data.",
        json_schema_extra=dict(METADATA),
    )
    input_mode: InputMode = Field(
        default="File",
        description="How the container gets training_data and validation_data.",
    )
    record_wrapping: RecordWrapping = Field(
        default="None",
        description="Whether training_data and validation_data are wrapped in RecordIO.",
        json_schema_extra=dict(METADATA),
    )
    attribute_names: list[AttributeName] = Field(
        default_factory=list,
        max_length=16,
        description="Attributes of the augmented manifests training_data and validation_data.",
        json_schema_extra=dict(METADATA),
    )
    channels: list[Channel] = Field(
        default_factory=list,
        max_length=18,
        description="Further channels of the training jobs.",
        json_schema_extra=dict(METADATA),
    )
    readable_locations: list[S3Uri] = Field(
        default_factory=list,
        max_length=16,
        description="Further S3 locations the jobs may read, such as the data of a manifest.",
        json_schema_extra=dict(METADATA),
    )

    evaluation_data: OptionalS3Uri = Field(
        default="", description="Data the model has not seen, for the evaluation script."
    )
    evaluation_script: OptionalS3Object = Field(
        default="",
        description="Python script that writes evaluation.json; an object of its own, because a "
        "processing job starts a file and does not unpack archives. Without one the gate reads a "
        "metric of the training job itself.",
    )
    source_archive: OptionalS3Object = Field(
        default="",
        description="tar.gz with the training and the inference script at its top (script mode); "
        "empty for an own container or a built-in algorithm.",
        json_schema_extra=dict(METADATA),
    )
    training_entry_point: PythonScript = Field(
        default="train.py",
        description="Script in the source archive that trains.",
        json_schema_extra=dict(METADATA),
    )
    inference_entry_point: PythonScript = Field(
        default="inference.py",
        description="Script in the source archive that serves the model.",
        json_schema_extra=dict(METADATA),
    )
    image_uri: OptionalImageUri = Field(
        default="",
        description="Image of the training jobs: a framework's in script mode, or an own "
        "container's; found by algorithm and algorithm_version if empty.",
    )
    evaluation_image_uri: OptionalImageUri = Field(
        default="", description="Image that runs the evaluation script; image_uri if empty."
    )
    inference_image_uri: OptionalImageUri = Field(
        default="", description="Image that serves the registered model; image_uri if empty."
    )
    algorithm: Algorithm = Field(
        default="",
        description="Built-in algorithm or framework of AWS whose image is used.",
        json_schema_extra=dict(METADATA),
    )
    algorithm_version: AlgorithmVersion = Field(
        default="", description="Version of the algorithm.", json_schema_extra=dict(METADATA)
    )

    instance_type: PerStage[InstanceType] = Field(
        default="ml.m5.large", description="Instance type of the training and evaluation jobs."
    )
    instance_count: PerStage[Annotated[int, Field(ge=1, le=100)]] = Field(
        default=1, description="Instances of each training job."
    )
    volume_size_gb: PerStage[Annotated[int, Field(ge=1, le=16384)]] = Field(
        default=30, description="Volume of each instance, GB."
    )
    max_runtime_seconds: PerStage[Annotated[int, Field(ge=60, le=432000)]] = Field(
        default=3600, description="Each job is stopped after this time, seconds."
    )
    use_spot: bool = Field(
        default=False,
        description="Whether training runs on spot instances, with checkpoints.",
    )
    max_wait_seconds: PerStage[Annotated[int, Field(ge=0, le=864000)]] = Field(
        default=0,
        description="A spot job is given up after this time, its run time included, seconds; "
        "twice max_runtime_seconds if 0.",
        json_schema_extra=dict(METADATA),
    )
    checkpoint_location: OptionalS3Uri = Field(
        default="",
        description="Where a spot job keeps its checkpoints, below the build's own id; "
        "checkpoints/ below output_location if empty.",
    )
    environment: dict[str, EnvironmentValue] = Field(
        default_factory=dict,
        max_length=48,
        description="Environment variables of the training container.",
    )
    inference_environment: dict[str, EnvironmentValue] = Field(
        default_factory=dict,
        max_length=16,
        description="Environment variables of the container that serves the registered model.",
    )
    hyperparameters: dict[str, HyperParameter] = Field(
        default_factory=dict,
        description="Hyperparameters; arguments of the training script, by name without dashes.",
    )
    metric_definitions: list[MetricDefinition] = Field(
        default_factory=list,
        max_length=40,
        description="Metrics read from the jobs' logs; built-in algorithms bring their own.",
        json_schema_extra=dict(METADATA),
    )

    quality_metric: JobMetric = Field(
        default="",
        description="Metric the gate looks at: of evaluation.json ('accuracy' if empty), or of "
        "the training job if there is no evaluation script; with neither, every model is "
        "registered.",
    )

    @property
    def script_mode(self) -> bool:
        """Whether the image's framework runs a script of the request."""
        return bool(self.source_archive)

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """Refuse what contradicts itself: images, hyperparameters, channels, evaluation, spot."""
        yield from super().conflicts(given)
        yield from training_faults(given)

    def resolved(self, place: Place) -> Self:
        """Find the images of a built-in algorithm or a framework of AWS.

        Raises:
            RequestInvalid: If there is no such image, or the request names another one beside it.
        """
        super().resolved(place)
        if not self.algorithm:
            return self
        types = self.instance_type
        training = training_image(
            self.algorithm,
            self.algorithm_version,
            place,
            instance_types=set(types.values()) if isinstance(types, dict) else {types},
        )
        if self.image_uri not in ("", training):
            fault = Fault(
                "image_uri",
                f"Given together with algorithm, whose image is {training}; leave one of them out.",
                training,
                shown(self.image_uri),
            )
            raise RequestInvalid([fault])
        serving = self.inference_image_uri or aws_image(
            self.algorithm, self.algorithm_version, place, scope="inference"
        )
        return self.model_copy(update={"image_uri": training, "inference_image_uri": serving})

    def parameter_value(self, name: str, stage: str) -> Any:
        """Put together what SageMaker takes as one object.

        A template cannot add members to a JSON text it is given, so that each object is one
        parameter.
        """
        match name:
            case "input_data_config":
                return self._channels()
            case "metric_rules":
                return [
                    {"Name": each.name, "Regex": each.regex} for each in self.metric_definitions
                ]
            case "stopping_condition":
                return self._stopping_condition(stage)
            case "read_locations":
                return read_locations(self._locations())
            case "read_buckets":
                return read_buckets(self._locations())
            case "encrypts_volumes":
                return not has_local_disk(value_for(self.instance_type, stage))
            case "evaluation_script_name":
                return self.evaluation_script.rpartition("/")[2] or "evaluate.py"
            case "hyperparameters" if self.script_mode:
                return self.hyperparameters | {
                    "sagemaker_program": self.training_entry_point,
                    "sagemaker_submit_directory": self.source_archive,
                }
            case "inference_environment" if self.script_mode:
                return {
                    "SAGEMAKER_PROGRAM": self.inference_entry_point,
                    "SAGEMAKER_SUBMIT_DIRECTORY": self.source_archive,
                } | self.inference_environment
            case "evaluation_image_uri" | "inference_image_uri":
                return getattr(self, name) or self.image_uri
            case "quality_metric" if self.evaluation_script:
                return self.quality_metric or REPORTED
        return super().parameter_value(name, stage)

    def _channels(self) -> list[dict[str, Any]]:
        built_in = bool(self.algorithm) and not self.script_mode
        shared = {
            member: getattr(self, member)
            for member in (
                *("content_type", "s3_data_type", "distribution", "compression"),
                *("input_mode", "record_wrapping", "attribute_names"),
            )
        }
        training = self.training_channel or ("train" if built_in else "training")
        own = [Channel(name=training, location=self.training_data, **shared)]
        if self.validation_data:
            own.append(
                Channel(name=self.validation_channel, location=self.validation_data, **shared)
            )
        return [input_of(channel) for channel in (*own, *self.channels)]

    def _stopping_condition(self, stage: str) -> dict[str, int]:
        limit = value_for(self.max_runtime_seconds, stage)
        if not self.use_spot:
            return {"MaxRuntimeInSeconds": limit}
        wait = value_for(self.max_wait_seconds, stage) or SPOT_PATIENCE * limit
        return {"MaxRuntimeInSeconds": limit, "MaxWaitTimeInSeconds": wait}

    def _locations(self) -> Iterator[str]:
        yield from (self.training_data, self.validation_data, self.evaluation_data)
        yield from (self.source_archive, self.evaluation_script)
        yield from (channel.location for channel in self.channels)
        yield from self.readable_locations
