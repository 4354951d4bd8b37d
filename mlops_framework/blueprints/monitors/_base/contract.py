"""What a request for any of the four monitors may say."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field

from mlops_framework import naming
from mlops_framework.blueprints.monitors._base.fields import (
    CaptureFormat,
    MonitorSchedule,
    OptionalAnalyzerImage,
    OptionalEndpointName,
    Revision,
    RuntimeSeconds,
    ScheduleName,
)
from mlops_framework.contracts.base import METADATA, PerStage, PipelineRequest, Place, value_for
from mlops_framework.contracts.faults import NOTHING, shown
from mlops_framework.contracts.fields import (
    S3_URI_LENGTH,
    S3_URI_PATTERN,
    InstanceType,
    OptionalKmsKeyArn,
    OptionalS3Object,
    OptionalS3Uri,
)
from mlops_framework.contracts.instances import has_local_disk
from mlops_framework.contracts.parameters import Parameter, parameter_name
from mlops_framework.contracts.volumes import ENCRYPTS_VOLUMES
from mlops_framework.errors import Fault, RequestInvalid
from mlops_framework.images import ImageUnknown, image_uri

MonitoringType = Literal["DataQuality", "ModelQuality", "ModelBias", "ModelExplainability"]

UNSETTLED: Final = "none"
"""Value of ``SettledBaseline`` while a stage has no finished baseline: there is no schedule."""
_SCHEDULE_NAME_LENGTH: Final = 46
_NAME_LENGTH: Final = 63

_HOURS = re.compile(r"^cron[(]0 (?:([*])|[0-9]+(?:/([0-9]+))?) ")


def carried(name: str, field: str) -> Parameter:
    """A parameter that hands on a file of the settled baseline while another one is computed."""
    return Parameter(
        name,
        "String",
        default=UNSETTLED,
        pattern=f"^({UNSETTLED}|{S3_URI_PATTERN.strip('^$')})$",
        max_length=S3_URI_LENGTH,
        description="File of the settled baseline that a request brought; delivery says so.",
        field=field,
    )


class MonitorRequest(PipelineRequest):
    """A baseline, and a schedule that compares captured traffic with it.

    Attributes:
        monitoring_type: SageMaker's name of the kind of monitor.
        image: Framework of the analyzer's image in ``mlops_framework.images``.
        short_name: The kind in the names that are derived.
        hourly_limit: Seconds that SageMaker lets an hourly run of this kind take.
        baseline_fields: Fields whose change makes the baseline another one.
    """

    monitoring_type: ClassVar[MonitoringType]
    image: ClassVar[str]
    short_name: ClassVar[str]
    hourly_limit: ClassVar[int] = 3600
    baseline_fields: ClassVar[tuple[str, ...]] = (
        "baseline_data",
        "baseline_data_format",
        "baseline_output_location",
        "baseline_revision",
        "baseline_constraints_location",
    )
    derived_parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            "MonitorName",
            "String",
            pattern="^[a-zA-Z0-9](-?[a-zA-Z0-9])*$",
            min_length=1,
            max_length=_NAME_LENGTH,
            description="Name of the monitoring schedule.",
            field="monitor_name",
        ),
        Parameter(
            "BaselineKey",
            "String",
            pattern="^[0-9a-f]{16}$",
            description="Which baseline is wanted: a digest of everything it depends on.",
            field="baseline_key",
        ),
        Parameter(
            "SettledBaseline",
            "String",
            default=UNSETTLED,
            pattern=f"^([0-9a-f]{{16}}|{UNSETTLED})$",
            description="Which baseline the schedule compares with; delivery says so.",
            field="settled_baseline",
        ),
        carried("SettledConstraints", "settled_constraints"),
        ENCRYPTS_VOLUMES,
        Parameter(
            "PublishedMetrics",
            "String",
            allowed_values=("Enabled", "Disabled"),
            description="Whether the analyzer publishes its metrics, in its own words.",
            field="published_metrics",
        ),
        Parameter(
            "CaptureKind",
            "String",
            allowed_values=("csv", "json"),
            description="What batch transforms capture.",
            field="capture_kind",
        ),
        Parameter(
            "CaptureDetail",
            "String",
            allowed_values=("true", "false"),
            description="Of CSV, whether there is a header row; of JSON, whether it is JSON lines.",
            field="capture_detail",
        ),
        # Fields whose parameters have no default: resolving the request fills them in.
        *(
            Parameter(
                parameter_name(field),
                "String",
                pattern=S3_URI_PATTERN,
                max_length=S3_URI_LENGTH,
                description=f"{description} The request's, or the platform's own place.",
                field=field,
            )
            for field, description in (
                ("data_capture_location", "Where the captures are."),
                ("baseline_output_location", "Where baselines go."),
                ("output_location", "Where reports go."),
            )
        ),
    )

    endpoint_name: PerStage[OptionalEndpointName] = Field(
        default="", description="Endpoint whose captured traffic is watched."
    )
    data_capture_location: PerStage[OptionalS3Uri] = Field(
        default="",
        description="Where the captures are; the data bucket's captures if empty. Without an "
        "endpoint_name it is the capture destination of batch transforms, which are watched then.",
        json_schema_extra=dict(METADATA),
    )
    capture_format: CaptureFormat = Field(
        default="csv",
        description="What batch transforms capture; endpoints say it themselves.",
        json_schema_extra=dict(METADATA),
    )

    baseline_data: OptionalS3Uri = Field(
        default="", description="Data the baseline is computed from, as it was at training time."
    )
    baseline_output_location: PerStage[OptionalS3Uri] = Field(
        default="",
        description="Where baselines go, each in a folder of its own; the data bucket's "
        "monitors/ if empty.",
        json_schema_extra=dict(METADATA),
    )
    baseline_max_runtime_seconds: PerStage[RuntimeSeconds] = Field(
        default=3600, description="The baseline job is stopped after this time, seconds."
    )
    baseline_revision: Revision = Field(
        default="",
        description="Any text; another one computes the baseline again, for data that was "
        "replaced in its place.",
        json_schema_extra=dict(METADATA),
    )
    baseline_constraints_location: OptionalS3Object = Field(
        default="",
        description="A constraints.json that is already there; no baseline job is run then.",
    )

    output_location: PerStage[OptionalS3Uri] = Field(
        default="",
        description="Where reports go; the data bucket's monitors/ if empty.",
        json_schema_extra=dict(METADATA),
    )
    schedule_name: ScheduleName = Field(
        default="",
        description="Start of the schedule's name, which the stage ends; derived from environment, "
        "model and kind if empty.",
        json_schema_extra=dict(METADATA),
    )
    schedule_expression: PerStage[MonitorSchedule] = Field(
        default="cron(0 * ? * * *)", description="When the monitor runs."
    )
    instance_type: PerStage[InstanceType] = Field(
        default="ml.m5.large", description="Instance type of the baseline job and of every run."
    )
    instance_count: PerStage[Annotated[int, Field(ge=1, le=100)]] = Field(
        default=1, description="Instances of the baseline job and of every run."
    )
    volume_size_gb: PerStage[Annotated[int, Field(ge=1, le=16384)]] = Field(
        default=20, description="Volume of each instance, GB."
    )
    max_runtime_seconds: PerStage[RuntimeSeconds] = Field(
        default=1800, description="A run is stopped after this time, seconds."
    )
    kms_key_arn: PerStage[OptionalKmsKeyArn] = Field(
        default="", description="Key of volumes and outputs; the platform's if empty."
    )
    publish_metrics: bool = Field(
        default=True,
        description="Whether the analyzer publishes its metrics of an endpoint to CloudWatch.",
        json_schema_extra=dict(METADATA),
    )
    image_uri: OptionalAnalyzerImage = Field(
        default="", description="The analyzer's image; AWS's own of the region if empty."
    )

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """A source, a baseline, and a run that ends before the next one begins."""
        yield from super().conflicts(given)
        if empty(given.get("endpoint_name")) and empty(given.get("data_capture_location")):
            yield Fault(
                "endpoint_name",
                "Nothing to watch: name an endpoint, or give the capture destination of batch "
                "transforms as data_capture_location.",
                "an endpoint's name, or data_capture_location",
                shown(given["endpoint_name"]) if "endpoint_name" in given else NOTHING,
            )
        if cls.builds_baseline(given) and empty(given.get("baseline_data")):
            yield Fault(
                "baseline_data",
                "Nothing to compare with: give the data the model was trained on, or a baseline "
                f"that is already there as {cls.given_baseline()}.",
                f"an S3 location, or {cls.given_baseline()}",
                shown(given["baseline_data"]) if "baseline_data" in given else NOTHING,
            )
        yield from cls._runtime_faults(given)

    @classmethod
    def builds_baseline(cls, given: Mapping[str, Any]) -> bool:
        """Whether delivery has to compute a baseline."""
        return empty(given.get("baseline_constraints_location"))

    @classmethod
    def given_baseline(cls) -> str:
        """The fields that stand for a baseline that is already there."""
        return "baseline_constraints_location"

    @classmethod
    def _runtime_faults(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        runtime = given.get("max_runtime_seconds", 1800)
        schedule = given.get("schedule_expression", "cron(0 * ? * * *)")
        stages = [*(runtime if isinstance(runtime, dict) else ())] or [
            *(schedule if isinstance(schedule, dict) else ())
        ]
        for stage in stages or [""]:
            seconds = runtime.get(stage) if isinstance(runtime, dict) else runtime
            expression = schedule.get(stage) if isinstance(schedule, dict) else schedule
            limit = cls._limit(expression)
            if isinstance(seconds, int) and limit is not None and seconds > limit:
                yield Fault(
                    f"max_runtime_seconds.{stage}" if stage else "max_runtime_seconds",
                    f"A run may take {seconds} s, and SageMaker stops it after {limit} s on the "
                    f"schedule {expression}.",
                    f"at most {limit}",
                    shown(seconds),
                )

    @classmethod
    def _limit(cls, expression: Any) -> int | None:
        """Seconds until the next run, or SageMaker's own limit for hourly ones.

        Source: SageMaker API, ``MonitoringStoppingCondition``.
        """
        hours = _HOURS.match(expression) if isinstance(expression, str) else None
        if hours is None:
            return None
        every = 1 if hours[1] else int(hours[2] or 24)
        return cls.hourly_limit if every == 1 else every * 3600

    def resolved(self, place: Place) -> Self:
        """Fill in AWS's image of the region, the schedule's name, and the data bucket's places.

        Here and not by a condition of the template: a template's validation tries every combination
        of them.
        """
        derived = f"{place.prefix}-{self.model_name}-{self.short_name}"
        try:
            image = self.image_uri or image_uri(self.image, "", place.region)
        except ImageUnknown as unknown:
            raise RequestInvalid([unknown.fault("image_uri")]) from unknown
        own = f"s3://{place.data_bucket}/{naming.MONITORS_PREFIX}"
        return self.model_copy(
            update={
                "image_uri": image,
                "data_capture_location": _filled(
                    self.data_capture_location,
                    f"s3://{place.data_bucket}/{naming.CAPTURES_PREFIX}",
                ),
                "baseline_output_location": _filled(self.baseline_output_location, own),
                "output_location": _filled(self.output_location, own),
                "schedule_name": self.schedule_name or bounded(derived, _SCHEDULE_NAME_LENGTH),
            }
        )

    def parameter_value(self, name: str, stage: str) -> Any:
        """Add name and digest, which are functions of the other fields."""
        if name == "monitor_name":
            start = self.schedule_name or f"{self.model_name}-{self.short_name}"
            return bounded(f"{start}-{stage}", _NAME_LENGTH)
        if name == "baseline_key":
            return self._baseline_key(stage)
        if name in ("settled_baseline", "settled_constraints", "settled_statistics"):
            return UNSETTLED
        if name == "encrypts_volumes":
            return not has_local_disk(value_for(self.instance_type, stage))
        if name == "published_metrics":
            return "Enabled" if self.publish_metrics else "Disabled"
        if name == "capture_kind":
            return self.capture_format.partition("-")[0]
        if name == "capture_detail":
            return self.capture_format in ("csv-with-header", "json-lines")
        value = super().parameter_value(name, stage)
        # Folders are put together with slashes, and S3 takes two for a folder without a name.
        return value.rstrip("/") if name.endswith("_location") and value else value

    def _baseline_key(self, stage: str) -> str:
        parts = {name: self._plain(name, stage) for name in self.baseline_fields}
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _plain(self, name: str, stage: str) -> Any:
        dumped = self.model_dump(mode="json", include={name})[name]
        return value_for(dumped, stage) if self.shapes[name].per_stage else dumped


def empty(value: Any) -> bool:
    """Whether a field was left out, in any stage."""
    if isinstance(value, dict):
        return not value or any(not inner for inner in value.values())
    return not value


def _filled(value: Any, default: str) -> Any:
    """The value, or the default where it was left out; stage by stage."""
    if isinstance(value, dict):
        return {stage: inner or default for stage, inner in value.items()}
    return value or default


def bounded(name: str, limit: int) -> str:
    """The name, or its start and a digest of the whole where it is too long; always the same."""
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: limit - 9].rstrip('-')}-{digest}"
