"""What a batch-transform request may say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field

from mlops_framework.contracts.base import (
    METADATA,
    PerStage,
    PipelineRequest,
    Place,
    value_for,
)
from mlops_framework.contracts.faults import shown
from mlops_framework.contracts.fields import (
    Accepts,
    HyperParameter,
    InstanceType,
    OptionalImageUri,
    OptionalKmsKeyArn,
    OptionalModelPackageArn,
    OptionalS3Object,
    OptionalS3Uri,
    OptionalSageMakerName,
)
from mlops_framework.contracts.instances import has_local_disk
from mlops_framework.contracts.model_source import (
    Algorithm,
    AlgorithmVersion,
    image_for,
    source_faults,
)
from mlops_framework.contracts.parameters import Parameter
from mlops_framework.contracts.volumes import ENCRYPTS_VOLUMES
from mlops_framework.errors import Fault

MOST_VARIABLES = 16
"""Environment variables that SageMaker takes for one transform job."""
MOST_MEGABYTES = 100
"""Of payloads that one instance may hold at the same time, MB."""
_VARIABLE = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,1023}")
_CODE_IN_ARTIFACT = "/opt/ml/model/code"
_FORMATS = {
    "text/csv": "CSV",
    "application/json": "JSON",
    "application/jsonlines": "JSON",
}

InputLocation = Annotated[
    str,
    Field(pattern="^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[A-Za-z0-9!_.()/=+@:-]+$"),
    Field(max_length=1024),
    Accepts("a prefix or object inside a bucket, s3://bucket/prefix"),
]
ContentType = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9]+/[A-Za-z0-9.+_-]+( *; *[A-Za-z0-9_-]+=[A-Za-z0-9._-]+)*$"),
    Field(max_length=256),
    Accepts("a media type such as text/csv or application/jsonlines"),
]
_MEMBER = "[A-Za-z_][A-Za-z0-9_-]*"
_NAMES = "'[A-Za-z0-9_ -]+'(, *'[A-Za-z0-9_ -]+')*"
_INDEX = "(-?[0-9]+|-?[0-9]*:(-?[0-9]+)?)"
JsonPath = Annotated[
    str,
    Field(
        pattern=f"^[$]([.]{_MEMBER}|[.][*]|[.]?\\[({_NAMES}|[*]|{_INDEX}(, *{_INDEX})*)\\])*$",
        max_length=63,
    ),
    Accepts(
        "a JSONPath of at most 63 characters made of $, .name, ['name','name'], [0], [0,2:], [:3], "
        "[-1], .* and [*]"
    ),
]
OptionalSchedule = Annotated[
    str,
    Field(
        pattern="^((rate[(](1 (minute|hour|day)|[2-9] (minutes|hours|days)"
        "|[1-9][0-9]+ (minutes|hours|days))[)]|cron[(][0-9A-Z*?,/#L -]+[)]))?$",
        max_length=128,
    ),
    Accepts(
        "an EventBridge Scheduler expression, rate(1 day) or cron(0 6 * * ? *), or empty for none"
    ),
]
TimeZone = Annotated[
    str,
    Field(pattern="^[A-Za-z]+([/_+-][A-Za-z0-9]+)*$", max_length=50),
    Accepts("a time zone of the IANA database such as Europe/Berlin, or UTC"),
]
OptionalScript = Annotated[
    str,
    Field(pattern="^([A-Za-z0-9_]+([./-][A-Za-z0-9_]+)*[.]py)?$", max_length=128),
    Accepts(
        "the path of a Python file below code/ in the artefact, such as inference.py, or empty"
    ),
]


class BatchTransformRequest(PipelineRequest):
    """Score the objects of an S3 location with one model: now, on a schedule, or as they arrive."""

    derived_parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            name="InputBucket",
            kind="String",
            description="Bucket of input_location.",
            field="input_bucket",
        ),
        Parameter(
            name="InputKey",
            kind="String",
            description="Prefix or key of input_location, inside its bucket.",
            field="input_key",
        ),
        ENCRYPTS_VOLUMES,
    )

    pipeline_type: Literal["batch-transform"] = Field(description="Kind of the blueprint.")

    model_package_name: OptionalModelPackageArn = Field(
        default="", description="Version in the model registry that scores."
    )
    model_package_group: OptionalSageMakerName = Field(
        default="",
        description="Group of the model registry whose newest approved version scores; "
        "model_package_name is filled in with it.",
        json_schema_extra=dict(METADATA),
    )
    image_uri: OptionalImageUri = Field(
        default="", description="Image that serves the model, with model_artifact_location."
    )
    algorithm: Algorithm = Field(
        default="",
        description="SageMaker algorithm or framework whose image serves the model, instead of "
        "image_uri.",
        json_schema_extra=dict(METADATA),
    )
    algorithm_version: AlgorithmVersion = Field(
        default="",
        description="Version of the algorithm's image.",
        json_schema_extra=dict(METADATA),
    )
    model_artifact_location: OptionalS3Object = Field(
        default="", description="model.tar.gz with the model, unless it is in the registry."
    )
    inference_entry_point: OptionalScript = Field(
        default="",
        description="Script below code/ in the artefact that serves the model, for framework "
        "images; empty where the image or the package brings its own.",
        json_schema_extra=dict(METADATA),
    )
    environment: dict[str, HyperParameter] = Field(
        default_factory=dict,
        description="Environment variables of the container while it transforms; at most 16.",
    )

    input_location: PerStage[InputLocation] = Field(
        description="Objects to score: everything whose name begins with this prefix, or one "
        "manifest, as s3_data_type says."
    )
    s3_data_type: Literal["S3Prefix", "ManifestFile"] = Field(
        default="S3Prefix",
        description="Whether input_location is a prefix or the object with a manifest.",
    )
    content_type: ContentType = Field(
        default="text/csv", description="Media type of the input, as the model gets it."
    )
    compression: Literal["None", "Gzip"] = Field(
        default="None", description="Compression of the input objects."
    )
    split_type: Literal["None", "Line", "RecordIO", "TFRecord"] = Field(
        default="Line", description="What one record of an input object is."
    )
    batch_strategy: Literal["MultiRecord", "SingleRecord"] = Field(
        default="MultiRecord",
        description="Whether a request to the model holds as many records as fit, or one; without "
        "splitting it holds the whole object.",
    )
    max_payload_mb: Annotated[int, Field(ge=0, le=MOST_MEGABYTES)] = Field(
        default=6,
        description="Largest request to the model, MB; 0 streams objects of any size to "
        "containers that can take that.",
    )
    max_concurrent_transforms: Annotated[int, Field(ge=0, le=MOST_MEGABYTES)] = Field(
        default=0,
        description="Requests that an instance is sent at the same time; 0 lets the container "
        "say, and is 1 where it does not.",
    )
    invocation_timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        default=600, description="How long one request to the model may take, seconds."
    )
    invocation_retries: Annotated[int, Field(ge=0, le=3)] = Field(
        default=3, description="How often a request that failed is sent again."
    )

    input_filter: JsonPath = Field(
        default="$",
        description="Part of each record that the model gets; $[1:] leaves out the first column.",
    )
    join_source: Literal["None", "Input"] = Field(
        default="None",
        description="Input puts each record in front of its prediction in the output.",
    )
    output_filter: JsonPath = Field(
        default="$",
        description="Part of each joined record that is written; $[0,-1] keeps the first column "
        "and the prediction.",
    )

    output_location: PerStage[OptionalS3Uri] = Field(
        default="",
        description="Where predictions go, <name of the input>.out each; the data bucket's "
        "predictions/<model_name> if empty.",
    )
    output_layout: Literal["by-input", "by-run"] = Field(
        default="by-input",
        description="by-input: a later run replaces the predictions for the same input; by-run: "
        "each run writes below a folder with the id of its execution.",
    )
    accept: ContentType = Field(
        default_factory=lambda given: str(given["content_type"]),
        description="Media type of the predictions; content_type if not given.",
    )
    assemble_with: Literal["None", "Line"] = Field(
        default="Line", description="What comes between the answers in one output object."
    )

    data_capture_location: PerStage[OptionalS3Uri] = Field(
        default="",
        description="Where records of input and output go; the data bucket's "
        "captures/<pipeline id> if empty.",
    )
    data_capture: PerStage[bool] = Field(
        default_factory=lambda given: _where_given(given["data_capture_location"]),
        description="Whether input and output are recorded for monitors; true if not given, where "
        "there is a data_capture_location.",
    )
    generate_inference_id: bool = Field(
        default=False,
        description="Whether captured output gets an id and a time, for joining ground truth.",
    )

    schedule_expression: PerStage[OptionalSchedule] = Field(
        default="", description="When to run; empty for no schedule."
    )
    schedule_timezone: TimeZone = Field(
        default="UTC", description="Time zone in which the schedule is read."
    )
    start_on_new_data: PerStage[bool] = Field(
        default=False,
        description="Whether each object that arrives below input_location is scored by a run of "
        "its own.",
    )
    run_on_deployment: PerStage[bool] = Field(
        default_factory=lambda given: _runs_on_deployment(given),
        description="Whether a delivery runs it once and fails when that fails; true if not given, "
        "unless there is a schedule or start_on_new_data.",
    )

    instance_type: PerStage[InstanceType] = Field(
        default="ml.m5.large", description="Instance type of the transform job."
    )
    instance_count: PerStage[Annotated[int, Field(ge=1, le=100)]] = Field(
        default=1, description="Instances of the transform job; they share out the objects."
    )
    kms_key_arn: PerStage[OptionalKmsKeyArn] = Field(
        default="",
        description="Key for volumes, predictions and captures; the platform's key if empty.",
    )

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """One model, limits between fields, and no output that would be input again."""
        yield from super().conflicts(given)
        yield from source_faults(given)
        yield from _environment(given)
        yield from _payload(given)
        yield from _data_processing(given)
        yield from _output_in_input(given)

    def resolved(self, place: Place) -> Self:
        """The request with the image of its algorithm."""
        if not self.algorithm:
            return self
        types = self.instance_type
        image = image_for(
            self.algorithm,
            self.algorithm_version,
            self.image_uri,
            place,
            instance_type=next(iter(types.values())) if isinstance(types, dict) else types,
        )
        return self.model_copy(update={"image_uri": image})

    def parameter_value(self, name: str, stage: str) -> Any:
        """Cut the input's location in two, and say what SageMaker takes where it takes less."""
        if name in ("input_bucket", "input_key"):
            location = str(value_for(self.input_location, stage)).removeprefix("s3://")
            bucket, _, key = location.partition("/")
            return bucket if name == "input_bucket" else key
        if name == "encrypts_volumes":
            return not has_local_disk(value_for(self.instance_type, stage))
        if name in ("output_location", "data_capture_location"):
            return super().parameter_value(name, stage).rstrip("/")
        if name == "environment":
            return self._entry_point() | self.environment
        if name == "batch_strategy" and self.split_type == "None":
            return "SingleRecord"  # What is not split has no batches; SageMaker takes only this.
        return super().parameter_value(name, stage)

    def _entry_point(self) -> dict[str, str]:
        if not self.inference_entry_point:
            return {}
        return {
            "SAGEMAKER_PROGRAM": self.inference_entry_point,
            "SAGEMAKER_SUBMIT_DIRECTORY": _CODE_IN_ARTIFACT,
        }


def _runs_on_deployment(given: Mapping[str, Any]) -> bool | dict[str, bool]:
    """Per stage where one of the two starts is: whether nothing else starts it there."""
    starts = [given.get(name) for name in ("schedule_expression", "start_on_new_data")]
    stages = {stage for start in starts if isinstance(start, dict) for stage in start}
    if not stages:
        return not any(starts)
    return {stage: not any(_in(start, stage) for start in starts) for stage in sorted(stages)}


def _where_given(location: str | dict[str, str]) -> bool | dict[str, bool]:
    if isinstance(location, dict):
        return {stage: bool(each) for stage, each in location.items()}
    return bool(location)


def _in(value: Any, stage: str) -> Any:
    return value.get(stage) if isinstance(value, dict) else value


def _environment(given: Mapping[str, Any]) -> Iterator[Fault]:
    environment = given.get("environment")
    if not isinstance(environment, dict):
        return
    own = 2 if given.get("inference_entry_point") else 0
    if len(environment) + own > MOST_VARIABLES:
        room = MOST_VARIABLES - own
        yield Fault(
            "environment",
            f"{len(environment)} variables; a transform job takes {room}"
            f"{' beside inference_entry_point' if own else ''}.",
            f"at most {room} variables",
            f"{len(environment)} variables",
        )
    for name in environment:
        if not _VARIABLE.fullmatch(str(name)):
            yield Fault(
                f"environment.{name}",
                "Not a name of an environment variable.",
                "letters, digits and underscores, not starting with a digit",
                shown(name),
            )


def _payload(given: Mapping[str, Any]) -> Iterator[Fault]:
    size = given.get("max_payload_mb", 6)
    many = given.get("max_concurrent_transforms", 0)
    if isinstance(size, int) and isinstance(many, int) and size * many > MOST_MEGABYTES:
        yield Fault(
            "max_concurrent_transforms",
            f"{many} requests of {size} MB are {many * size} MB; SageMaker takes "
            f"{MOST_MEGABYTES} MB at the same time.",
            f"max_concurrent_transforms x max_payload_mb of at most {MOST_MEGABYTES}",
            shown(many),
        )


def _data_processing(given: Mapping[str, Any]) -> Iterator[Fault]:
    """Filters and joins read records, which SageMaker does for CSV and JSON."""
    used = [
        name
        for name, unused in (("input_filter", "$"), ("output_filter", "$"), ("join_source", "None"))
        if given.get(name, unused) != unused
    ]
    if not used:
        return
    needed = f"Needed as CSV or JSON by {', '.join(used)}"
    content = given.get("content_type", "text/csv")
    accept = given.get("accept", content)
    for name, value in (("content_type", content), ("accept", accept)):
        if isinstance(value, str) and _format(value) is None:
            yield Fault(
                name,
                f"{needed}; found {value}.",
                ", ".join(_FORMATS),
                shown(value),
            )
    if given.get("split_type", "Line") in ("RecordIO", "TFRecord"):
        yield Fault(
            "split_type",
            f"{needed}, whose records are lines or whole objects.",
            "None or Line",
            shown(given["split_type"]),
        )


def _format(media_type: str) -> str | None:
    return _FORMATS.get(media_type.split(";", 1)[0].strip().lower())


def _output_in_input(given: Mapping[str, Any]) -> Iterator[Fault]:
    """Predictions below the input would be scored by the next run, or start one, for ever."""
    if given.get("s3_data_type", "S3Prefix") != "S3Prefix":
        return
    source = given.get("input_location")
    for name in ("output_location", "data_capture_location"):
        target = given.get(name)
        stages = {stage for each in (source, target) if isinstance(each, dict) for stage in each}
        for stage in sorted(stages) or [""]:
            begin, end = _in(source, stage), _in(target, stage)
            if not (isinstance(begin, str) and isinstance(end, str) and begin and end):
                continue
            if f"{end.rstrip('/')}/".startswith(begin):
                yield Fault(
                    f"{name}.{stage}" if isinstance(target, dict) else name,
                    f"It lies below input_location ({begin}), so what is written there would be "
                    "scored again; give another prefix.",
                    f"a location that does not begin with {begin}",
                    shown(end),
                )
