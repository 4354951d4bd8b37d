"""Model Monitor's schedules, their runs and files as ``drift.model_monitor_import`` reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from mlops_framework.aws.refusals import refusals
from mlops_framework.drift.config import S3Location
from mlops_framework.drift.errors import DriftFault, MonitorFileInvalid, ObjectMissing
from mlops_framework.drift.model_monitor_import.schedules import KINDS, Execution, Schedule
from mlops_framework.drift.windows import moment

_HOUR: Final = timedelta(hours=1)
_MOST_NAMED: Final = 20
_ABSENT: Final = ("NoSuchKey", "NoSuchBucket", "404")


class ScheduleUnknown(DriftFault):
    """There is no such monitoring schedule."""


class EndpointUnknown(DriftFault):
    """There is no such endpoint, or it captures nothing."""


class MonitoringSchedules:
    """Reads schedules, and nothing else of an account.

    Args:
        sagemaker: A SageMaker client.
        s3: An S3 client.
    """

    def __init__(self, sagemaker: Any, s3: Any) -> None:
        self._sagemaker = sagemaker
        self._s3 = s3

    def schedule(self, name: str) -> Schedule:
        """A schedule with the definition it runs.

        Raises:
            ScheduleUnknown: If there is none; it names those there are.
        """

        def unknown(_: str) -> ScheduleUnknown:
            return ScheduleUnknown(
                f"There is no monitoring schedule {name!r} here. There are: {self._named()}."
            )

        with refusals(
            "SageMaker",
            "DescribeMonitoringSchedule",
            dict.fromkeys(("ResourceNotFound", "ValidationException"), unknown),
        ):
            described = self._sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name)
        config = described["MonitoringScheduleConfig"]
        definition = config.get("MonitoringJobDefinitionName", "")
        if not definition:
            return self._located(Schedule.of(described, {}))
        kind = KINDS[described.get("MonitoringType") or config["MonitoringType"]]
        operation = {
            "DataQuality": "describe_data_quality_job_definition",
            "ModelQuality": "describe_model_quality_job_definition",
            "ModelBias": "describe_model_bias_job_definition",
            "ModelExplainability": "describe_model_explainability_job_definition",
        }[kind]
        with refusals("SageMaker", f"Describe{kind}JobDefinition"):
            found = getattr(self._sagemaker, operation)(JobDefinitionName=definition)
        return self._located(Schedule.of(described, found))

    def others_of(self, endpoint: str) -> Mapping[str, str]:
        """Kind of monitor by name of each schedule that watches an endpoint."""
        with refusals("SageMaker", "ListMonitoringSchedules"):
            page = self._sagemaker.list_monitoring_schedules(EndpointName=endpoint)
        return {
            found["MonitoringScheduleName"]: found.get("MonitoringType", "DataQuality")
            for found in page["MonitoringScheduleSummaries"]
        }

    def executions(self, schedule: Schedule, most: int) -> list[Execution]:
        """The last runs that ended, newest first."""
        with refusals("SageMaker", "ListMonitoringExecutions"):
            page = self._sagemaker.list_monitoring_executions(
                MonitoringScheduleName=schedule.name,
                SortBy="ScheduledTime",
                SortOrder="Descending",
                MaxResults=100,
            )
        ended = [
            found
            for found in page["MonitoringExecutionSummaries"]
            if found["MonitoringExecutionStatus"] not in ("Pending", "InProgress", "Stopping")
        ]
        return [self._execution(schedule, found) for found in ended[:most]]

    def captures_of(self, endpoint: str) -> str:
        """Where an endpoint writes captures, without its name.

        Raises:
            EndpointUnknown: If there is no such endpoint, or it captures nothing.
        """

        def unknown(_: str) -> EndpointUnknown:
            return EndpointUnknown(
                f"There is no endpoint {endpoint!r} any more. If its captures are still there, say "
                "where: --captures s3://bucket/prefix."
            )

        with refusals("SageMaker", "DescribeEndpoint", {"ValidationException": unknown}):
            found = self._sagemaker.describe_endpoint(EndpointName=endpoint)
        place = found.get("DataCaptureConfig", {}).get("DestinationS3Uri", "")
        if not place:
            raise EndpointUnknown(
                f"The endpoint {endpoint!r} captures nothing. Switch its data capture on (a "
                "realtime-endpoint request does): without captures there is nothing to watch."
            )
        return str(place).rstrip("/")

    def document(self, uri: str) -> Any:
        """A decoded JSON object; ``None`` if it is not there.

        Raises:
            MonitorFileInvalid: If it is not JSON.
        """
        location = S3Location.parse(uri)

        def missing(_: str) -> ObjectMissing:
            return ObjectMissing(f"{uri} does not exist.")

        try:
            with refusals("S3", "GetObject", dict.fromkeys(_ABSENT, missing)):
                body = self._s3.get_object(Bucket=location.bucket, Key=location.key)["Body"]
        except ObjectMissing:
            return None
        try:
            return json.loads(body.read())
        except ValueError as error:
            raise MonitorFileInvalid(f"{uri} is not JSON: {error}.") from error

    def write(self, uri: str, document: Any) -> None:
        """Write a JSON object."""
        location = S3Location.parse(uri)
        with refusals("S3", "PutObject"):
            self._s3.put_object(
                Bucket=location.bucket,
                Key=location.key,
                Body=json.dumps(document, ensure_ascii=False).encode(),
                ContentType="application/json",
            )

    def captured(self, place: str, endpoint: str, start: datetime, end: datetime) -> Iterator[str]:
        """URIs of the capture objects of a span, of every variant, oldest hour first."""
        location = S3Location.parse(place)
        root = f"{location.key}/{endpoint}/".lstrip("/")
        with refusals("S3", "ListObjectsV2"):
            page = self._s3.list_objects_v2(Bucket=location.bucket, Prefix=root, Delimiter="/")
        variants = [found["Prefix"] for found in page.get("CommonPrefixes", ())]
        hour = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        while hour < end:
            for variant in variants:
                for key in self._keys(location.bucket, f"{variant}{hour:%Y/%m/%d/%H}/"):
                    yield f"s3://{location.bucket}/{key}"
            hour += _HOUR

    def first_line(self, uri: str) -> bytes:
        """The first line of an object."""
        location = S3Location.parse(uri)
        with refusals("S3", "GetObject"):
            body = self._s3.get_object(Bucket=location.bucket, Key=location.key)["Body"]
            return bytes(next(body.iter_lines(), b""))

    def _keys(self, bucket: str, prefix: str) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        with refusals("S3", "ListObjectsV2"):
            return [found["Key"] for page in pages for found in page.get("Contents", ())]

    def _located(self, schedule: Schedule) -> Schedule:
        """With the files of its baselining job, where it names that job and no files."""
        if not schedule.baselining_job or schedule.constraints:
            return schedule
        folder = self._output(schedule.baselining_job)[0]
        if not folder:
            return schedule
        statistics = f"{folder}/statistics.json" if schedule.kind == "DataQuality" else ""
        return replace(schedule, constraints=f"{folder}/constraints.json", statistics=statistics)

    def _execution(self, schedule: Schedule, found: Mapping[str, Any]) -> Execution:
        scheduled = found["ScheduledTime"].astimezone(UTC)
        job = found.get("ProcessingJobArn", "").rpartition("/")[2]
        folder, environment = self._output(job) if job else ("", {})
        end = scheduled.replace(second=0, microsecond=0)
        if schedule.expression != "NOW":
            end = end.replace(minute=0)  # runs start up to 20 minutes late
        end += schedule.offset("EndTimeOffset")
        start = end - schedule.window
        if "start_time" in environment and "end_time" in environment:
            start, end = moment(environment["start_time"]), moment(environment["end_time"])
        return Execution(
            scheduled,
            found["MonitoringExecutionStatus"],
            start,
            end,
            folder or f"{schedule.folder}/{scheduled:%Y/%m/%d/%H}",
            found.get("FailureReason", ""),
        )

    def _output(self, job: str) -> tuple[str, Mapping[str, str]]:
        """Where a processing job's first output went, and its container's variables."""

        def gone(_: str) -> ObjectMissing:
            return ObjectMissing(job)

        try:
            with refusals("SageMaker", "DescribeProcessingJob", {"ValidationException": gone}):
                found = self._sagemaker.describe_processing_job(ProcessingJobName=job)
        except ObjectMissing:
            return "", {}
        outputs = found.get("ProcessingOutputConfig", {}).get("Outputs", [])
        places = [one["S3Output"]["S3Uri"] for one in outputs if "S3Output" in one]
        return (places[0].rstrip("/") if places else ""), found.get("Environment", {})

    def _named(self) -> str:
        with refusals("SageMaker", "ListMonitoringSchedules"):
            page = self._sagemaker.list_monitoring_schedules(MaxResults=100)
        names = sorted(
            found["MonitoringScheduleName"] for found in page["MonitoringScheduleSummaries"]
        )
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        return f"{', '.join(names[:_MOST_NAMED])}{more}" if names else "none"
