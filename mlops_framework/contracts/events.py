"""The events the framework puts on the default bus; rules and other teams' consumers match on them.

A test holds what the use cases publish against these models. A detail's ``version`` grows when a
field changes its meaning or goes; new fields may come without.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

from mlops_framework.contracts.responses import Outcome

DRIFT_SOURCE: Final = "mlops.drift"
MONITORS_SOURCE: Final = "mlops.monitors"
ORCHESTRATOR_SOURCE: Final = "mlops.orchestrator"

Verdict = Literal["healthy", "drift", "insufficient-data", "no-data"]
"""Of one window. No data is a finding of its own, never ``healthy``."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Detail(_Part):
    version: Literal[1] = Field(description="Of this form.")
    environment: str = Field(description="Prefix of the environment, such as mlops-prod.")


class Window(_Part):
    """The traffic an evaluation looked at: ``start`` inclusive, ``end`` exclusive."""

    start: str = Field(description="ISO 8601, UTC.")
    end: str = Field(description="ISO 8601, UTC.")
    complete: bool = Field(description="Whether it was over when it was judged.")


class Retraining(_Part):
    """Whether drift asks for a new training, and why or why not."""

    requested: bool = Field(description="Whether it does.")
    reason: str = Field(description="For a person.")


class ReportLocation(_Part):
    """Where the report of an evaluation lies."""

    bucket: str = Field(description="The data bucket.")
    json_key: str = Field(description="Object key of the report for machines.")
    html_key: str = Field(description="Object key of the report for people.")


class SectionFound(_Part):
    """What was found out about one side of a window beside its columns."""

    verdict: Verdict = Field(description="The finding.")
    features: tuple[str, ...] = Field(description="What breached, worst first.")
    features_left_out: int = Field(
        default=0, description="How many more there are, which only the report names."
    )


class DriftDetail(_Detail):
    """Detail of every event about drift."""

    monitor: str = Field(description="Name of the monitor: its endpoint's.")
    endpoint_name: str = Field(description="The endpoint that is watched.")
    model_name: str = Field(description="The model it serves.")
    window: Window = Field(description="The traffic that was looked at.")
    verdict: Verdict = Field(description="The finding.")
    features: tuple[str, ...] = Field(description="Drifting features, worst first.")
    features_left_out: int = Field(
        default=0,
        description="How many more there are, which only the report names: an event holds the "
        "names of thousands, and no more.",
    )
    retraining: Retraining = Field(description="What follows from it.")
    report: ReportLocation = Field(description="The full report.")
    sections: dict[str, SectionFound] = Field(
        default_factory=dict,
        description="What else is watched, by its kind: model-quality, bias, attribution, "
        "heartbeat. Empty where nothing else is.",
    )


class ViolationFound(_Part):
    """One finding of AWS's analyzer."""

    subject: str = Field(description="Feature, metric or facet it is about.")
    check: str = Field(description="Kind of check.")
    text: str = Field(description="The analyzer's words.")


class MonitorRunDetail(_Detail):
    """Detail of the event that a run of Model Monitor ended."""

    pipeline_id: str = Field(description="Identity of the monitor's pipeline.")
    monitoring_type: Literal["DataQuality", "ModelQuality", "ModelBias", "ModelExplainability"] = (
        Field(description="SageMaker's name of the kind of monitor.")
    )
    model_name: str = Field(description="The model it belongs to.")
    endpoint_name: str = Field(description="What is watched; empty for batch transforms.")
    monitor: str = Field(description="Name of the monitoring schedule.")
    job: str = Field(description="Name of the processing job.")
    outcome: Literal["healthy", "violations", "failed"] = Field(description="What it came to.")
    violation_count: int = Field(ge=0, description="All that were found.")
    violations: tuple[ViolationFound, ...] = Field(description="The first twenty of them.")
    report: str = Field(description="S3 prefix of the analyzer's files; empty if there are none.")
    reason: str = Field(description="Why it failed; empty if it did not.")


class PipelineRemovedDetail(_Detail):
    """Detail of the event that a pipeline is gone."""

    pipeline_id: str = Field(description="Identity of the pipeline.")
    pipeline_type: str = Field(description="Kind of the blueprint.")
    model_name: str = Field(description="The model it belongs to.")
    requested_by: str = Field(description="Who asked, an IAM principal.")
    correlation_id: str = Field(description="Of the call, found in the logs.")


class PipelineRequestedDetail(PipelineRemovedDetail):
    """Detail of the event that a request was applied."""

    outcome: Outcome = Field(description="What the request did to the pipeline.")
    request_key: str = Field(description="Object key of the immutable request document.")


class PipelineStartRefusedDetail(PipelineRemovedDetail):
    """Detail of the event that a pipeline stays as it is, although something asked for it anew."""

    reason: str = Field(description="Why, with what to do.")


EVENTS: Final[Mapping[tuple[str, str], type[_Detail]]] = {
    (DRIFT_SOURCE, "Drift Evaluated"): DriftDetail,
    (DRIFT_SOURCE, "Drift Detected"): DriftDetail,
    (DRIFT_SOURCE, "Retraining Requested"): DriftDetail,
    (ORCHESTRATOR_SOURCE, "Pipeline Requested"): PipelineRequestedDetail,
    (ORCHESTRATOR_SOURCE, "Pipeline Removed"): PipelineRemovedDetail,
    (ORCHESTRATOR_SOURCE, "Pipeline Start Refused"): PipelineStartRefusedDetail,
    (MONITORS_SOURCE, "Monitor Run Finished"): MonitorRunDetail,
}
"""Detail by source and detail type."""


def events_document() -> dict[str, Any]:
    """JSON Schema of all events, each as EventBridge delivers it, less the service's own fields."""
    details = dict.fromkeys(EVENTS.values())
    _, definitions = models_json_schema([(model, "serialization") for model in details])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Events of the MLOps Framework",
        "oneOf": [
            {
                "type": "object",
                "required": ["source", "detail-type", "detail"],
                "properties": {
                    "source": {"const": source},
                    "detail-type": {"const": detail_type},
                    "detail": {"$ref": f"#/$defs/{detail.__name__}"},
                },
            }
            for (source, detail_type), detail in EVENTS.items()
        ],
        "$defs": definitions["$defs"],
    }
