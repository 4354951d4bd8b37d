"""What a drift-monitor request may say."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field

from mlops_framework.blueprints.drift_monitor.fairness import (
    Attribution,
    Bias,
    GivenColumn,
    fairness_conflicts,
)
from mlops_framework.blueprints.drift_monitor.thresholds import ColumnThreshold
from mlops_framework.blueprints.drift_monitor.traffic import (
    CapturedTime,
    OptionalTargetModel,
    Records,
    out_of_reach,
)
from mlops_framework.blueprints.drift_monitor.truth import (
    GroundTruth,
    LabelLocation,
    label_prefix,
    truth_conflicts,
)
from mlops_framework.contracts.base import PerStage, PipelineRequest, Place
from mlops_framework.contracts.faults import NOTHING, shown
from mlops_framework.contracts.fields import (
    ColumnName,
    OptionalS3Object,
    OptionalS3Uri,
    OptionalSageMakerName,
    SageMakerName,
    ScheduleExpression,
)
from mlops_framework.contracts.parameters import Parameter
from mlops_framework.errors import Fault, RequestInvalid

_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_WEEK: Final = 7


class DriftMonitorRequest(PipelineRequest):
    """A schedule that evaluates one endpoint's traffic, and the rule for retraining."""

    derived_parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            name="SilentDays",
            kind="Number",
            default="7",
            min_value=0,
            max_value=7,
            description="After so many days without an evaluation an alarm is raised; 0 for none.",
            field="silent_days",
        ),
        Parameter(
            name="GroundTruthPrefix",
            kind="String",
            default="",
            pattern="^[A-Za-z0-9!_.*'()=+@:/-]{0,1024}$",
            description="Beginning of the keys of label objects.",
            field="ground_truth_prefix",
        ),
        Parameter(
            name="AsksEndpoint",
            kind="String",
            default="false",
            allowed_values=("false", "true"),
            description="Whether the endpoint is asked for attributions.",
            field="asks_endpoint",
        ),
    )

    pipeline_type: Literal["drift-monitor"] = Field(description="Kind of the blueprint.")

    endpoint_name: PerStage[SageMakerName] = Field(description="Endpoint to watch.")
    baseline_data: OptionalS3Uri = Field(
        default="",
        description="The features as they were at training time: CSV with a header row, JSON "
        "lines, Parquet, or Model Monitor's statistics.json (or, for its policy, constraints.json "
        "alone); one object, or all below a folder (s3://bucket/folder/).",
    )
    baseline_captures: CapturedTime | None = Field(
        default=None, description="Captured traffic of this time is the baseline instead."
    )
    label_column: ColumnName = Field(
        default="", description="Column of the baseline data that is no feature; dropped."
    )
    time_column: ColumnName = Field(
        default="",
        description="Column of the baseline data with each row's time (ISO 8601, or seconds since "
        "1970); it tells how much ordinary hours differ, and is no feature.",
    )
    capture_location: PerStage[OptionalS3Uri] = Field(
        default="", description="Where the endpoint's captures are; the data bucket's if empty."
    )

    records: Records = Field(
        default_factory=Records,
        description="Where rows and values of JSON payloads are, if not where they usually are.",
    )
    variant_name: OptionalSageMakerName = Field(
        default="",
        description="The variant whose traffic is watched; all of them together if empty.",
    )
    target_model: OptionalTargetModel = Field(
        default="",
        description="The model of a multi-model endpoint whose traffic is watched, as calls name "
        "it; all of them together if empty.",
    )
    monitor_name: PerStage[OptionalSageMakerName] = Field(
        default="",
        description="Name of the monitor, for an endpoint that has several; the endpoint's if "
        "empty.",
    )

    schedule_expression: PerStage[ScheduleExpression] = Field(
        default="rate(1 hour)", description="When to evaluate."
    )
    window_minutes: PerStage[Annotated[int, Field(ge=1, le=10080)]] = Field(
        default=60, description="Traffic that one evaluation looks at, minutes."
    )
    grace_seconds: PerStage[Annotated[int, Field(ge=0, le=86400)]] = Field(
        default=600,
        description="How long after its end a window still waits for late captures, seconds.",
    )
    minimum_records: PerStage[Annotated[int, Field(ge=1, le=1000000)]] = Field(
        default=200, description="Fewer records in a window are no evidence either way."
    )
    effect_threshold: PerStage[Annotated[float, Field(ge=0.001, le=1)]] = Field(
        default=0.1,
        description="Share of the records that must have moved before a difference matters, "
        "however significant it is.",
    )

    rate_threshold: PerStage[Annotated[float, Field(ge=0.0001, le=1)]] = Field(
        default=0.005,
        description="By how much the rate of missing, invalid or unseen values must change.",
    )
    significance: Annotated[float, Field(ge=1e-9, le=0.2)] = Field(
        default=0.001,
        description="False discovery rate of all tests of a window together.",
    )
    thresholds: list[ColumnThreshold] = Field(
        default_factory=list,
        max_length=500,
        description="What matters in single columns, where it is not the above; the closest word "
        "wins.",
    )
    ignored_columns: list[GivenColumn] = Field(
        default_factory=list, max_length=500, description="Columns that are shown and not judged."
    )
    distributed_above: Annotated[int, Field(ge=64, le=100000)] = Field(
        default=1000,
        description="Windows of more captured objects than this are merged, and joined with their "
        "labels, by many functions side by side.",
    )
    slow_drift: bool = Field(
        default=True,
        description="Whether evidence is added up over windows, too: finds in thin traffic what no "
        "single window proves.",
    )

    policy: Literal["standard", "model-monitor"] = Field(
        default="standard",
        description="The rule for the columns: this engine's own, or that of SageMaker Model "
        "Monitor, which goes by thresholds alone.",
    )
    model_monitor_files: bool = Field(
        default=False,
        description="Whether Model Monitor's three files are written beside the reports; its "
        "policy writes them, too.",
    )
    constraints_location: OptionalS3Object = Field(
        default="",
        description="Model Monitor's constraints.json to go by; what its baseline job would "
        "suggest if empty.",
    )
    monitoring_schedule_name: OptionalSageMakerName = Field(
        default="",
        description="What stands for the schedule in the place of Model Monitor's files; "
        "drift-monitor if empty.",
    )

    heartbeat: bool = Field(
        default=True,
        description="Whether data capture itself is watched: off, late, sampled or shaped "
        "otherwise, or not looked at; and whether labels come and belong to something.",
    )

    column_metrics: bool = Field(
        default=False,
        description="Whether CloudWatch has a metric for each drifted column, too; each costs 0.30 "
        "USD a month.",
    )

    ground_truth: GroundTruth | None = Field(
        default=None,
        description="What the model's quality is watched by; not watched where it is left out.",
    )
    ground_truth_location: PerStage[LabelLocation] = Field(
        default="",
        description="Where labels arrive, below <yyyy>/<mm>/<dd>/<HH>/ of their collection, in the "
        "data bucket; where none do, quality is only estimated.",
    )

    bias: Bias | None = Field(
        default=None,
        description="Groups of people to compare; none where it is left out. Needs ground_truth.",
    )
    attribution: Attribution | None = Field(
        default=None,
        description="How to watch by which features the model decides; not watched where it is "
        "left out.",
    )

    retrain: bool = Field(
        default=True, description="Whether drift starts the model's training pipeline again."
    )
    retrain_breaches: Annotated[int, Field(ge=1, le=100)] = Field(
        default=1, description="Drifting windows (N of the last M) that start a training."
    )
    retrain_windows: Annotated[int, Field(ge=1, le=100)] = Field(
        default=1, description="Windows the rule looks back (M)."
    )
    retrain_cooldown_minutes: Annotated[int, Field(ge=0, le=525600)] = Field(
        default=1440, description="Shortest time between two trainings, minutes."
    )
    retrain_monthly_cap: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=4, description="Most trainings per calendar month (UTC) that drift may start."
    )

    def resolved(self, place: Place) -> Self:
        """The request as it is, once what it watches lies where the functions may read."""
        watched = {
            "capture_location": self.capture_location,
            "ground_truth_location": self.ground_truth_location,
        }
        if faults := tuple(out_of_reach(watched, place.data_bucket)):
            raise RequestInvalid(faults)
        return self

    def parameter_value(self, name: str, stage: str) -> Any:
        """Work the longest silence out of the schedule, and where keys of labels begin."""
        if name == "silent_days":
            return silent_days(str(super().parameter_value("schedule_expression", stage)))
        if name == "ground_truth_prefix":
            return label_prefix(str(super().parameter_value("ground_truth_location", stage)))
        if name == "asks_endpoint":
            asks = self.attribution is not None and self.attribution.source == "endpoint"
            return "true" if asks else "false"
        return super().parameter_value(name, stage)

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """One baseline; and N of M needs N to be at most M."""
        yield from super().conflicts(given)
        baselines = [name for name in ("baseline_data", "baseline_captures") if given.get(name)]
        if len(baselines) != 1:
            yield Fault(
                "baseline_data",
                "a monitor compares with training data or with captured traffic",
                "one of baseline_data and baseline_captures",
                " and ".join(baselines) or NOTHING,
            )
        yield from truth_conflicts(given)
        yield from fairness_conflicts(given)
        asked = given.get("policy") == "model-monitor" or given.get("model_monitor_files")
        if given.get("constraints_location") and not asked:
            yield Fault(
                "constraints_location",
                "only Model Monitor's rules read it; ask for them, or leave it out",
                "together with policy: model-monitor or model_monitor_files: true",
                shown(given["constraints_location"]),
            )
        breaches, windows = given.get("retrain_breaches", 1), given.get("retrain_windows", 1)
        if isinstance(breaches, int) and isinstance(windows, int) and breaches > windows:
            yield Fault(
                "retrain_breaches",
                f"{breaches} drifting windows of the last {windows} cannot happen; "
                "give at most as many as retrain_windows.",
                f"1 to {windows}",
                shown(breaches),
            )


def silent_days(schedule_expression: str) -> int:
    """Days without an evaluation after which something is wrong: two intervals, 1 to 7.

    CloudWatch looks back a week at most. A cron expression may mean any interval, so it gets the
    week; for a rate of more than a week there is no such alarm (0).
    """
    match = _RATE.fullmatch(schedule_expression)
    if match is None:
        return _WEEK
    interval = timedelta(**{f"{match[2]}s": int(match[1])})
    if interval > timedelta(days=_WEEK):
        return 0
    return min(_WEEK, max(1, math.ceil(2 * interval / timedelta(days=1))))
