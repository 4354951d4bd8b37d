"""What a drift-monitor request may say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from mlops_framework.contracts.base import PerStage, PipelineRequest
from mlops_framework.contracts.faults import shown
from mlops_framework.contracts.fields import (
    ColumnName,
    OptionalS3Object,
    OptionalS3Uri,
    OptionalSageMakerName,
    S3Object,
    SageMakerName,
    ScheduleExpression,
)
from mlops_framework.errors import Fault


class DriftMonitorRequest(PipelineRequest):
    """A schedule that evaluates one endpoint's traffic, and the rule for retraining."""

    pipeline_type: Literal["drift-monitor"] = Field(description="Kind of the blueprint.")

    endpoint_name: PerStage[SageMakerName] = Field(description="Endpoint to watch.")
    baseline_data: S3Object = Field(
        description="CSV with a header row: the features as they were at training time."
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

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """N of M needs N to be at most M."""
        yield from super().conflicts(given)
        breaches, windows = given.get("retrain_breaches", 1), given.get("retrain_windows", 1)
        if isinstance(breaches, int) and isinstance(windows, int) and breaches > windows:
            yield Fault(
                "retrain_breaches",
                f"{breaches} drifting windows of the last {windows} cannot happen; "
                "give at most as many as retrain_windows.",
                f"1 to {windows}",
                shown(breaches),
            )
