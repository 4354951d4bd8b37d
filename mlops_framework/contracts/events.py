"""The events the framework puts on the default bus; rules and other teams' consumers match on them.

A detail's ``version`` grows when a field changes its meaning or goes; new fields may come without.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

VERSION: Final = 1

DRIFT_SOURCE: Final = "mlops.drift"
ORCHESTRATOR_SOURCE: Final = "mlops.orchestrator"

DRIFT_EVALUATED: Final = "Drift Evaluated"
DRIFT_DETECTED: Final = "Drift Detected"
RETRAINING_REQUESTED: Final = "Retraining Requested"
PIPELINE_REQUESTED: Final = "Pipeline Requested"

Verdict = Literal["healthy", "drift", "insufficient-data", "no-data"]
"""Of one window. No data is a finding of its own, never ``healthy``."""


class _Detail(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal[1] = Field(default=VERSION, description="Of this form.")
    environment: str = Field(description="Prefix of the environment, such as mlops-prod.")

    def to_detail(self) -> dict[str, Any]:
        """The event's ``detail`` as JSON values."""
        return self.model_dump(mode="json", exclude_none=True)


class Window(BaseModel):
    """The traffic an evaluation looked at: ``start`` inclusive, ``end`` exclusive."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: str = Field(description="ISO 8601, UTC.")
    end: str = Field(description="ISO 8601, UTC.")
    complete: bool = Field(default=True, description="Whether it was over when it was judged.")


class Retraining(BaseModel):
    """Whether drift asks for a new training, and why or why not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requested: bool = Field(description="Whether it does.")
    reason: str = Field(description="For a person.")


class ReportLocation(BaseModel):
    """Where the report of an evaluation lies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bucket: str = Field(description="The data bucket.")
    json_key: str = Field(description="Object key of the report for machines.")
    html_key: str = Field(description="Object key of the report for people.")


class DriftDetail(_Detail):
    """Detail of Drift Evaluated, Drift Detected and Retraining Requested."""

    monitor: str = Field(description="Pipeline id of the drift monitor.")
    endpoint_name: str = Field(description="The endpoint that is watched.")
    model_name: str = Field(description="The model it serves.")
    window: Window = Field(description="The traffic that was looked at.")
    verdict: Verdict = Field(description="The finding.")
    features: tuple[str, ...] = Field(default=(), description="Drifting features, worst first.")
    retraining: Retraining | None = Field(default=None, description="What follows from it.")
    report: ReportLocation = Field(description="The full report.")


class PipelineDetail(_Detail):
    """Detail of Pipeline Requested."""

    pipeline_id: str = Field(description="Identity of the pipeline.")
    pipeline_type: str = Field(description="Kind of the blueprint.")
    model_name: str = Field(description="The model it belongs to.")
    change: Literal["created", "updated", "unchanged", "repaired", "restarted", "deleted"] = Field(
        description="What the request did."
    )
    request_digest: str | None = Field(
        default=None, description="SHA-256 of the canonical request document."
    )
    requested_by: str | None = Field(default=None, description="ARN of the caller.")
