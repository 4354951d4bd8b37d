"""A monitoring schedule of Model Monitor, whichever of its two forms it has.

Sources: SageMaker API, ``DescribeMonitoringSchedule`` and the four ``Describe…JobDefinition``; the
older schedules hold their definition themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Self, TypeAlias

MonitorKind: TypeAlias = Literal["DataQuality", "ModelQuality", "ModelBias", "ModelExplainability"]

KINDS: Final[Mapping[str, MonitorKind]] = {
    "DataQuality": "DataQuality",
    "ModelQuality": "ModelQuality",
    "ModelBias": "ModelBias",
    "ModelExplainability": "ModelExplainability",
}
_HOUR: Final = timedelta(hours=1)
_DURATION: Final = re.compile(r"(-?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_HOURS: Final = re.compile(r"cron\(0 (\d{1,2})/(\d{1,2}) \? \* \* \*\)")


@dataclass(frozen=True)
class Execution:
    """One run of a schedule.

    Attributes:
        scheduled: When it was due.
        status: ``Completed``, ``CompletedWithViolations``, ``Failed`` …
        start: Beginning of the traffic it looked at.
        end: Its end.
        folder: Where its files are; empty if it wrote none.
        reason: Why it failed.
    """

    scheduled: datetime
    status: str
    start: datetime
    end: datetime
    folder: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A monitoring schedule with the definition it runs.

    Attributes:
        name: Its name.
        kind: What it watches.
        status: ``Scheduled``, ``Stopped`` …
        expression: When it runs.
        endpoint: The endpoint it watches; empty for batch transforms.
        output: Where its files go, without endpoint and name.
        constraints: S3 URI of its constraints; empty for none.
        statistics: S3 URI of its statistics; empty for none.
        baselining_job: The processing job that wrote both, where they are not named.
        ground_truth: Where labels arrive (model quality, bias).
        problem_type: Of model quality.
        inputs: Attributes of its endpoint input: ``InferenceAttribute``, ``StartTimeOffset`` …
        config: S3 URI of Clarify's analysis configuration (bias, explainability).
        environment: Variables of its container.
        preprocessor: Its record preprocessor script.
        postprocessor: Its script for after the analysis.
        image: The analyzer's image.
        batch: Where captures of batch transforms are; empty for an endpoint.
    """

    name: str
    kind: MonitorKind
    status: str
    expression: str
    endpoint: str = ""
    output: str = ""
    constraints: str = ""
    statistics: str = ""
    baselining_job: str = ""
    ground_truth: str = ""
    problem_type: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    config: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    preprocessor: str = ""
    postprocessor: str = ""
    image: str = ""
    batch: str = ""

    @classmethod
    def of(cls, described: Mapping[str, Any], definition: Mapping[str, Any]) -> Self:
        """Read what SageMaker says.

        Args:
            described: Answer of ``DescribeMonitoringSchedule``.
            definition: Answer of its ``Describe…JobDefinition``; empty where the schedule holds its
                definition itself.
        """
        config = described["MonitoringScheduleConfig"]
        kind = KINDS.get(
            described.get("MonitoringType") or config.get("MonitoringType", ""), "DataQuality"
        )
        parts = _own(definition, kind) if definition else _inline(config)
        given = parts["input"].get("EndpointInput", {})
        batch = parts["input"].get("BatchTransformInput", {})
        application, baseline = parts["application"], parts["baseline"]
        outputs = parts["output"].get("MonitoringOutputs", [])
        timing = config.get("ScheduleConfig", {})
        once = {
            ours: timing[theirs]
            for ours, theirs in (
                ("StartTimeOffset", "DataAnalysisStartTime"),
                ("EndTimeOffset", "DataAnalysisEndTime"),
            )
            if theirs in timing
        }
        return cls(
            name=described["MonitoringScheduleName"],
            kind=kind,
            status=described.get("MonitoringScheduleStatus", ""),
            expression=timing.get("ScheduleExpression", ""),
            endpoint=given.get("EndpointName", "") or described.get("EndpointName", ""),
            output=outputs[0]["S3Output"]["S3Uri"].rstrip("/") if outputs else "",
            constraints=baseline.get("ConstraintsResource", {}).get("S3Uri", ""),
            statistics=baseline.get("StatisticsResource", {}).get("S3Uri", ""),
            baselining_job=baseline.get("BaseliningJobName", ""),
            ground_truth=parts["input"].get("GroundTruthS3Input", {}).get("S3Uri", ""),
            problem_type=application.get("ProblemType", ""),
            inputs={name: str(value) for name, value in (once | (given or batch)).items()},
            config=application.get("ConfigUri", ""),
            environment=dict(parts["environment"]),
            preprocessor=application.get("RecordPreprocessorSourceUri", ""),
            postprocessor=application.get("PostAnalyticsProcessorSourceUri", ""),
            image=application.get("ImageUri", ""),
            batch=batch.get("DataCapturedDestinationS3Uri", ""),
        )

    @property
    def watches(self) -> str:
        """The endpoint, or what stands for it: the last folder of a batch transform's captures."""
        return self.endpoint or self.batch.rstrip("/").rpartition("/")[2]

    @property
    def captures(self) -> str:
        """Where captures of batch transforms are, without that folder; empty for an endpoint."""
        return "" if self.endpoint else self.batch.rstrip("/").rpartition("/")[0]

    @property
    def folder(self) -> str:
        """Where the folders of its runs are, ``yyyy/mm/dd/HH`` below it."""
        return "/".join(part for part in (self.output, self.endpoint, self.name) if part)

    @property
    def every(self) -> timedelta:
        """Time between two runs, which is also how much traffic a run looks at."""
        if self.expression == "cron(0 * ? * * *)" or not self.expression.startswith("cron"):
            return _HOUR
        match = _HOURS.fullmatch(self.expression)
        return _HOUR * int(match[2]) if match else _HOUR * 24

    @property
    def window(self) -> timedelta:
        """How much traffic a run looks at: between its offsets, where it has any."""
        return (self.offset("EndTimeOffset") - self.offset("StartTimeOffset")) or self.every

    def offset(self, name: str) -> timedelta:
        """An offset of its input, negative; zero where there is none."""
        return duration(self.inputs.get(name, ""))


def duration(text: str) -> timedelta:
    """An ISO 8601 duration such as ``-P1D`` or ``-PT2H30M``; zero for anything else."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return timedelta()
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    found = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -found if match[1] else found


def _own(definition: Mapping[str, Any], kind: str) -> dict[str, Mapping[str, Any]]:
    application = definition.get(f"{kind}AppSpecification", {})
    return {
        "baseline": definition.get(f"{kind}BaselineConfig", {}),
        "application": application,
        "input": definition.get(f"{kind}JobInput", {}),
        "output": definition.get(f"{kind}JobOutputConfig", {}),
        "environment": application.get("Environment", {}),
    }


def _inline(config: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    inside: Mapping[str, Any] = config.get("MonitoringJobDefinition", {})
    inputs: Sequence[Mapping[str, Any]] = inside.get("MonitoringInputs", [])
    return {
        "baseline": inside.get("BaselineConfig", {}),
        "application": inside.get("MonitoringAppSpecification", {}),
        "input": inputs[0] if inputs else {},
        "output": inside.get("MonitoringOutputConfig", {}),
        "environment": inside.get("Environment", {}),
    }
