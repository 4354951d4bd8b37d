"""What requests that build a model have in common: data, start, registry, key.

Training, tuning and Autopilot extend :class:`ModelBuildRequest`; the first two, whose jobs are
training jobs of the request's own, extend :class:`mlops_framework.contracts.training_jobs` too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field

from mlops_framework.contracts.base import METADATA, Accepts, PerStage, PipelineRequest, Place
from mlops_framework.contracts.faults import shown
from mlops_framework.contracts.fields import (
    Direction,
    OptionalKmsKeyArn,
    OptionalS3Uri,
    S3Uri,
    SageMakerName,
)
from mlops_framework.contracts.parameters import VALUE_LIMIT, Parameter, as_text
from mlops_framework.errors import Fault, RequestInvalid

S3DataType = Literal["S3Prefix", "ManifestFile", "AugmentedManifestFile"]
Distribution = Literal["FullyReplicated", "ShardedByS3Key"]
Compression = Literal["None", "Gzip"]

OptionalSchedule = Annotated[
    str,
    Field(
        pattern="^((rate[(](1 (minute|hour|day)|[2-9] (minutes|hours|days)"
        "|[1-9][0-9]+ (minutes|hours|days))[)]|cron[(][0-9A-Z*?,/#L -]+[)])|)$",
        max_length=128,
    ),
    Accepts(
        "an EventBridge Scheduler expression such as rate(7 days) or cron(0 3 ? * MON *), or empty "
        "for none"
    ),
]
ContentType = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9;=+._/ -]*$", max_length=256),
    Accepts("a content type such as text/csv, or empty"),
]
ObjectEnding = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9!_.()/=+@:-]*$", max_length=128),
    Accepts("the end of an object's key, such as _SUCCESS or .parquet, or empty for any object"),
]
JobMetric = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_:./@ -]*$", max_length=255),
    Accepts("a metric's name of letters, digits, blanks and _ : . / @ -, or empty for none"),
]
Threshold = Annotated[float, Field(allow_inf_nan=False)]

START_PARAMETERS: Final = (
    Parameter(
        name="NewDataBucket",
        kind="String",
        default="",
        description="Bucket of the training data.",
        field="new_data_bucket",
    ),
    Parameter(
        name="NewDataKeys",
        kind="String",
        default="",
        description="Keys of new training data, with * for any text.",
        field="new_data_keys",
    ),
)
"""What a rule for new data needs of ``training_data``, which no intrinsic can cut out of it."""


READ_PARAMETERS: Final = (
    Parameter(
        name="ReadLocations",
        kind="String",
        max_length=VALUE_LIMIT,
        description="S3 locations the jobs may read, each with its wildcard, separated by commas.",
        field="read_locations",
    ),
    Parameter(
        name="ReadBuckets",
        kind="String",
        max_length=VALUE_LIMIT,
        description="Buckets the jobs may list, separated by commas.",
        field="read_buckets",
    ),
)
"""What the role of the jobs may read; a template cannot loop over a list of locations."""


class ModelBuildRequest(PipelineRequest):
    """Data in, a registered version of a model out; started by request, time, data or drift."""

    derived_parameters: ClassVar[tuple[Parameter, ...]] = START_PARAMETERS
    put_together: ClassVar[Mapping[str, str]] = {}
    """Derived parameters that grow with the request, and the field that grows them most."""

    training_data: S3Uri = Field(description="Data the model learns from.")

    kms_key_arn: PerStage[OptionalKmsKeyArn] = Field(
        default="", description="Key for volumes and outputs; the platform's key if empty."
    )
    encrypt_inter_container_traffic: bool = Field(
        default=True, description="Whether traffic between instances of one job is encrypted."
    )

    quality_threshold: PerStage[Threshold] = Field(
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
        default=True, description="Whether a drift monitor of this model may start a new build."
    )
    schedule_expression: PerStage[OptionalSchedule] = Field(
        default="",
        description="When to build again, in UTC: cron(…) or rate(…); by request only if empty.",
    )
    start_on_new_data: bool = Field(
        default=False,
        description="Whether a new object below training_data starts a build; the bucket has to "
        "send its events to EventBridge, as the platform's data bucket does.",
    )
    new_data_marker: ObjectEnding = Field(
        default="",
        description="End of the key of the object that says new data is complete, such as "
        "_SUCCESS; with none, every object starts a build of its own.",
        json_schema_extra=dict(METADATA),
    )
    output_location: OptionalS3Uri = Field(
        default="",
        description="Where models and reports go; the data bucket's models/<model_name> if empty.",
    )

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """Refuse a start on new data that would start itself, or cannot be watched."""
        yield from super().conflicts(given)
        data, output = given.get("training_data"), given.get("output_location")
        if given.get("start_on_new_data") is not True or not isinstance(data, str):
            if given.get("new_data_marker") and given.get("start_on_new_data") is not True:
                yield Fault(
                    "new_data_marker",
                    "Nothing waits for the marker: start_on_new_data is not on.",
                    "start_on_new_data: true beside it, or no marker",
                    shown(given["new_data_marker"]),
                )
            return
        bucket, key = bucket_and_key(data)
        if not key or "*" in key:
            yield Fault(
                "training_data",
                "start_on_new_data watches a prefix inside the bucket, without *.",
                f"s3://{bucket}/<prefix>",
                data,
            )
        elif isinstance(output, str) and output.startswith(data):
            yield Fault(
                "output_location",
                "Lies below training_data: every build would start the next one.",
                "a location outside training_data",
                output,
            )

    def resolved(self, place: Place) -> Self:
        """Refuse what is put together to more than a template parameter holds.

        Raises:
            RequestInvalid: Naming the field that holds too much.
        """
        faults = []
        for derived, field in self.put_together.items():
            length = len(as_text(self.parameter_value(derived, "")))
            if length > VALUE_LIMIT:
                said = (
                    f"Comes to {length} characters with what belongs to it; a template parameter "
                    f"holds {VALUE_LIMIT}."
                )
                found = f"{length} characters"
                faults.append(Fault(field, said, f"at most {VALUE_LIMIT} characters", found))
        if faults:
            raise RequestInvalid(faults)
        return self

    def parameter_value(self, name: str, stage: str) -> Any:
        """Cut bucket and keys out of ``training_data`` for the rule that watches them."""
        if name == "new_data_bucket":
            return bucket_and_key(self.training_data)[0]
        if name == "new_data_keys":
            return f"{bucket_and_key(self.training_data)[1]}*{self.new_data_marker}"
        if name == "output_location":
            return self.output_location.rstrip("/")
        return super().parameter_value(name, stage)


def bucket_and_key(uri: str) -> tuple[str, str]:
    """Bucket and key of an ``s3://bucket/key`` text; the key may be empty."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def read_locations(locations: Iterable[str]) -> str:
    """What may be read, as one parameter: ``s3://a/x*,s3://b/y*``, sorted and without repetition.

    Each ends with the wildcard for the objects below it; a bucket alone means all that is in it.
    """
    given = {location for location in locations if location}
    return ",".join(sorted(_prefix(each) for each in given))


def _prefix(location: str) -> str:
    bucket, key = bucket_and_key(location)
    return f"s3://{bucket}/{key}*"


def read_buckets(locations: Iterable[str]) -> str:
    """The buckets of what may be read, as one parameter: ``s3://a,s3://b``."""
    given = {bucket_and_key(location)[0] for location in locations if location}
    return ",".join(f"s3://{bucket}" for bucket in sorted(given))
