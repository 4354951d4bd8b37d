"""Monitoring schedules: kept, started and stopped; every run fails by name.

A run is a job of AWS's own analyzer or Clarify image, which cannot be had outside AWS. The runs
that would have begun are listed as failed with that reason, so that nobody waits for a report.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker.area import Area, Record, invalid, not_carried, now, only
from mlops_framework.local.plane.sagemaker.images import why_not
from mlops_framework.local.plane.sagemaker.job_definitions import JobDefinitions
from mlops_framework.local.plane.sagemaker.listing import page
from mlops_framework.local.plane.service import AwsFault, Scope, operation

KIND: Final = "monitoring-schedule"
_EXPRESSION = re.compile(r"cron\(0 (?:(\*)|(\d{1,2})(?:/(\d{1,2}))?) \? \* \* \*\)")
_ONCE: Final = "NOW"
_WINDOW: Final = ("DataAnalysisStartTime", "DataAnalysisEndTime")
_KEPT: Final = 100
_OWN: Final = ("Since", "Executions")
"""Members of a record that SageMaker does not show."""
_SUMMARY: Final = (
    *("MonitoringScheduleName", "MonitoringScheduleArn", "CreationTime", "LastModifiedTime"),
    *("MonitoringScheduleStatus", "EndpointName", "MonitoringType"),
)


class MonitoringSchedules(Area):
    """The operations on monitoring schedules and their executions."""

    def __init__(self, host: PlaneHost, definitions: Mapping[str, JobDefinitions]) -> None:
        """Take the definitions that schedules run.

        Args:
            host: the emulator.
            definitions: by kind of monitor.
        """
        super().__init__(host)
        self._definitions = definitions

    @operation("CreateMonitoringSchedule")
    def create_schedule(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Keep a schedule; it is on at once."""
        config = request["MonitoringScheduleConfig"]
        endpoint = self._check(config, scope)
        name = request["MonitoringScheduleName"]
        arn = scope.arn("sagemaker", f"{KIND}/{name.lower()}")
        moment = now()
        record: Record = {
            "MonitoringScheduleName": name,
            "MonitoringScheduleArn": arn,
            "MonitoringScheduleStatus": "Scheduled",
            "MonitoringScheduleConfig": config,
            "MonitoringType": config["MonitoringType"],
            "CreationTime": moment,
            "LastModifiedTime": moment,
            "Since": moment,
            "Executions": [],
            **({"EndpointName": endpoint} if endpoint else {}),
        }
        taken = AwsFault("ResourceInUse", f"A monitoring schedule with the ARN {arn} exists.")
        self.add(KIND, name, scope, record, taken)
        self.keep_tags(arn, request.get("Tags"), scope)
        return {"MonitoringScheduleArn": arn}

    @operation("UpdateMonitoringSchedule")
    def update_schedule(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Change what a schedule runs, and when."""
        config = request["MonitoringScheduleConfig"]
        record = self._looked_at(request["MonitoringScheduleName"], scope)
        endpoint = self._check(config, scope)
        if config["MonitoringType"] != record["MonitoringType"]:
            raise invalid(
                f"The schedule is of type {record['MonitoringType']} and stays of it; "
                f"{config['MonitoringType']} needs a schedule of its own."
            )
        self.change(
            KIND,
            record["MonitoringScheduleName"],
            scope,
            MonitoringScheduleConfig=config,
            EndpointName=endpoint or None,
            Since=now(),
        )
        return {"MonitoringScheduleArn": record["MonitoringScheduleArn"]}

    @operation("DescribeMonitoringSchedule")
    def describe_schedule(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Describe a schedule, with its last run."""
        record = self._looked_at(request["MonitoringScheduleName"], scope)
        shown = {member: value for member, value in record.items() if member not in _OWN}
        runs = record["Executions"]
        return {**shown, **({"LastMonitoringExecutionSummary": runs[-1]} if runs else {})}

    @operation("ListMonitoringSchedules")
    def list_schedules(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """List schedules."""
        with self.locked():
            found = [
                record
                for record in self.records(KIND, scope).values()
                if _is_asked_for(record, request)
            ]
            chosen, token = page(
                found, request, name="MonitoringScheduleName", status="MonitoringScheduleStatus"
            )
        listed = [
            {
                **only(record, _SUMMARY),
                "MonitoringJobDefinitionName": record["MonitoringScheduleConfig"][
                    "MonitoringJobDefinitionName"
                ],
            }
            for record in chosen
        ]
        return {"MonitoringScheduleSummaries": listed, "NextToken": token}

    @operation("ListMonitoringExecutions")
    def list_executions(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """List runs, all of them failed."""
        wanted = request.get("MonitoringScheduleName")
        with self.locked():
            names = [
                record["MonitoringScheduleName"] for record in self.records(KIND, scope).values()
            ]
        runs = [
            run
            for name in names
            if wanted in (None, name)
            for run in self._looked_at(name, scope)["Executions"]
            if _is_asked_for(run, request)
        ]
        chosen, token = page(
            runs, request, name="MonitoringScheduleName", status="MonitoringExecutionStatus"
        )
        return {"MonitoringExecutionSummaries": chosen, "NextToken": token}

    @operation("StartMonitoringSchedule")
    def start_schedule(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Switch a schedule on again."""
        return self._switch(request["MonitoringScheduleName"], "Scheduled", scope)

    @operation("StopMonitoringSchedule")
    def stop_schedule(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Switch a schedule off."""
        return self._switch(request["MonitoringScheduleName"], "Stopped", scope)

    @operation("DeleteMonitoringSchedule")
    def delete_schedule(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Forget a schedule and its runs; its definition stays."""
        record = self._looked_at(request["MonitoringScheduleName"], scope)
        self.forget(KIND, record["MonitoringScheduleName"], scope, record["MonitoringScheduleArn"])
        return {}

    def _switch(self, name: str, status: str, scope: Scope) -> Mapping[str, Any]:
        self._looked_at(name, scope)
        self.change(KIND, name, scope, MonitoringScheduleStatus=status, Since=now())
        return {}

    def _looked_at(self, name: str, scope: Scope) -> Record:
        """A copy of a schedule, with the runs that were due until now.

        Raises:
            AwsFault: there is none.
        """
        record = self.find(KIND, name, scope)
        if record is None:
            arn = scope.arn("sagemaker", f"{KIND}/{name.lower()}")
            raise AwsFault("ResourceNotFound", f"Could not find the monitoring schedule {arn}.")
        if record["MonitoringScheduleStatus"] != "Scheduled":
            return record
        expression = record["MonitoringScheduleConfig"]["ScheduleConfig"]["ScheduleExpression"]
        moment = now()
        runs = [
            self._failed(record, due, scope)
            for due in _due(expression, record["Since"], moment, first=not record["Executions"])
        ]
        if not runs:
            return record
        kept = [*record["Executions"], *runs][-_KEPT:]
        modified = record["LastModifiedTime"]
        self.change(KIND, name, scope, Executions=kept, Since=moment)
        return {**record, "Executions": kept, "LastModifiedTime": modified}

    def _failed(self, record: Record, due: dt.datetime, scope: Scope) -> dict[str, Any]:
        config = record["MonitoringScheduleConfig"]
        definitions = self._definitions[record["MonitoringType"]]
        name = config["MonitoringJobDefinitionName"]
        try:
            image = definitions.image_of(definitions.definition(name, scope))
            reason = why_not(image, told_as="the job definition's ImageUri")
        except AwsFault as fault:
            reason = fault.message
        return {
            "MonitoringScheduleName": record["MonitoringScheduleName"],
            "ScheduledTime": due,
            "CreationTime": due,
            "LastModifiedTime": due,
            "MonitoringExecutionStatus": "Failed",
            "FailureReason": reason[:1024],
            "MonitoringJobDefinitionName": name,
            "MonitoringType": record["MonitoringType"],
            **only(record, ("EndpointName",)),
        }

    def _check(self, config: Mapping[str, Any], scope: Scope) -> str:
        """Whether SageMaker would take a configuration; the endpoint that it watches."""
        if "MonitoringJobDefinition" in config:
            raise not_carried(
                "a MonitoringJobDefinition inside the schedule",
                "Make a job definition of its own and name it as MonitoringJobDefinitionName.",
            )
        for member in ("MonitoringJobDefinitionName", "MonitoringType"):
            if member not in config:
                raise invalid(f"MonitoringScheduleConfig has no {member}.")
        definitions = self._definitions[config["MonitoringType"]]
        definition = definitions.definition(config["MonitoringJobDefinitionName"], scope)
        schedule = config.get("ScheduleConfig", {})
        expression = schedule.get("ScheduleExpression", "cron(0 0 ? * * *)")
        if expression == _ONCE:
            if missing := [member for member in _WINDOW if member not in schedule]:
                raise invalid(f"A schedule of NOW needs {' and '.join(missing)}.")
        elif not _hours(expression):
            raise invalid(
                f"The schedule expression {expression!r} is not supported: hourly "
                "cron(0 * ? * * *), daily cron(0 [00-23] ? * * *), every few hours "
                "cron(0 [00-23]/[01-24] ? * * *), or NOW."
            )
        else:
            _check_runtime(definition, expression, config["MonitoringType"])
        return definitions.endpoint_of(definition)


def _is_asked_for(record: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    return all(
        request.get(asked) in (None, record.get(member))
        for asked, member in (
            ("EndpointName", "EndpointName"),
            ("MonitoringTypeEquals", "MonitoringType"),
        )
    )


def _check_runtime(definition: Mapping[str, Any], expression: str, kind: str) -> None:
    """As the API reference of `MonitoringStoppingCondition` has it."""
    hours = _hours(expression)
    every = 24 if len(hours) == 1 else hours[1] - hours[0]
    hourly = 1800 if kind in ("ModelQuality", "ModelBias") else 3600
    limit = hourly if every == 1 else every * 3600
    seconds = definition["StoppingCondition"]["MaxRuntimeInSeconds"]
    if seconds > limit:
        raise invalid(
            f"MaxRuntimeInSeconds of the job definition is {seconds}; a {kind} monitor on "
            f"{expression} may take {limit} seconds."
        )


def _hours(expression: str) -> list[int]:
    """Hours of the day, UTC, that an expression names; none if it is of another form."""
    match = _EXPRESSION.fullmatch(expression)
    if match is None:
        return []
    if match[1]:
        return list(range(24))
    start, every = int(match[2]), int(match[3] or 24)
    return list(range(start, 24, every)) if every else []


def _due(
    expression: str, since: dt.datetime, until: dt.datetime, *, first: bool
) -> Iterator[dt.datetime]:
    """When runs would have begun: after `since`, up to `until`, the newest ones only."""
    if expression == _ONCE:
        if first:
            yield since
        return
    hours = _hours(expression)
    hour = since.replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=1)
    hour = max(hour, until.replace(minute=0, second=0, microsecond=0) - dt.timedelta(hours=_KEPT))
    while hour <= until:
        if hour.hour in hours:
            yield hour
        hour += dt.timedelta(hours=1)
