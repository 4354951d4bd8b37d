"""Running a monitor once, and listing its runs, from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import Result

from tests.unit.cli.fakes import tools

Run = Callable[..., Result]
PIPELINE = "income-data-quality-monitor"
SCHEDULE = "mlops-test-income-data-quality-dev"
ONCE = f"{SCHEDULE}-now"
STATUS = {
    "pipeline_id": PIPELINE,
    "pipeline_type": "data-quality-monitor",
    "stages": [
        {"name": "Source", "actions": []},
        {"name": "Dev", "actions": [], "outputs": {"MonitoringScheduleName": SCHEDULE}},
    ],
}


class ResourceNotFound(Exception):
    """As SageMaker's client raises it."""


@dataclass
class Schedules:
    """Schedules and what their runs come to, one status for each look."""

    becomes: Iterator[str]
    reason: str = ""
    kept: dict[str, Any] = field(default_factory=dict)
    exceptions: Any = field(
        default_factory=lambda: SimpleNamespace(ResourceNotFound=ResourceNotFound)
    )

    def describe_monitoring_schedule(self, *, MonitoringScheduleName: str) -> Any:
        if MonitoringScheduleName not in self.kept:
            raise ResourceNotFound(MonitoringScheduleName)
        return {
            "MonitoringScheduleArn": f"arn:{MonitoringScheduleName}",
            "MonitoringScheduleConfig": self.kept[MonitoringScheduleName],
        }

    def create_monitoring_schedule(self, **request: Any) -> None:
        self.kept[request["MonitoringScheduleName"]] = request["MonitoringScheduleConfig"]
        self.tags = request["Tags"]

    def delete_monitoring_schedule(self, *, MonitoringScheduleName: str) -> None:
        if self.kept.pop(MonitoringScheduleName, None) is None:
            raise ResourceNotFound(MonitoringScheduleName)

    def list_tags(self, *, ResourceArn: str) -> Any:
        return {"Tags": [{"Key": "of", "Value": ResourceArn}]}

    def list_monitoring_executions(self, *, MonitoringScheduleName: str, **_: Any) -> Any:
        if MonitoringScheduleName not in self.kept:
            raise ResourceNotFound(MonitoringScheduleName)
        status = next(self.becomes, "")
        run = {
            "MonitoringScheduleName": MonitoringScheduleName,
            "MonitoringExecutionStatus": status,
            "ScheduledTime": datetime(2026, 11, 23, 12, tzinfo=UTC),
            "ProcessingJobArn": "arn:aws:sagemaker:us-east-1:111122223333:processing-job/job-1",
            "FailureReason": self.reason,
        }
        return {"MonitoringExecutionSummaries": [run] if status else []}


CONFIG = {"MonitoringJobDefinitionName": "definition", "MonitoringType": "DataQuality"}


@pytest.fixture
def world() -> Callable[..., tuple[Schedules, Any]]:
    """Schedules whose run on demand goes through the given statuses, and tools that reach them."""

    def make(*becomes: str, there: bool = True, reason: str = "") -> tuple[Schedules, Any]:
        schedules = Schedules(iter(becomes), reason, {SCHEDULE: CONFIG} if there else {})
        routes = {f"GET /pipelines/{PIPELINE}": lambda _: (200, STATUS)}
        return schedules, tools(routes, clients={"sagemaker": schedules})

    return make


def test_a_run_takes_the_monitors_definition_once_and_clears_up_after_itself(
    run: Run, world: Any
) -> None:
    schedules, using = world("", "InProgress", "Completed")

    result = run("monitor", "run", PIPELINE, "--hours", "3", "--json", using=using)

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "schedule": ONCE,
        "status": "Completed",
        "scheduled": "2026-11-23T12:00:00+00:00",
        "job": "job-1",
        "reason": "",
    }
    assert schedules.kept == {SCHEDULE: CONFIG}
    assert schedules.tags == [{"Key": "of", "Value": f"arn:{SCHEDULE}"}]


def test_the_run_looks_back_as_far_as_it_is_told(run: Run, world: Any) -> None:
    schedules, using = world()

    result = run("monitor", "run", PIPELINE, "--hours", "3", "--no-wait", using=using)

    assert result.exit_code == 0, result.output
    assert schedules.kept[ONCE] == {
        **CONFIG,
        "ScheduleConfig": {
            "ScheduleExpression": "NOW",
            "DataAnalysisStartTime": "-PT3H",
            "DataAnalysisEndTime": "-PT0H",
        },
    }


def test_violations_are_an_exit_status_of_their_own(run: Run, world: Any) -> None:
    _, using = world("CompletedWithViolations")

    result = run("monitor", "run", PIPELINE, using=using)

    assert result.exit_code == 2
    assert "CompletedWithViolations" in result.stdout


def test_a_run_that_fails_gives_sagemakers_reason(run: Run, world: Any) -> None:
    schedules, using = world("Failed", reason="no data for the hour")

    result = run("monitor", "run", PIPELINE, "--json", using=using)

    assert result.exit_code == 1
    assert f"The run {ONCE} is Failed: no data for the hour" in json.loads(result.stdout)["message"]
    assert ONCE not in schedules.kept


def test_a_monitor_without_a_baseline_has_nothing_to_run_and_says_where_to_look(
    run: Run, world: Any
) -> None:
    _, using = world(there=False)

    result = run("monitor", "run", PIPELINE, "--json", using=using)

    said = json.loads(result.stdout)["message"]
    assert result.exit_code == 1
    assert "no finished baseline yet" in said
    assert "mlops status" in said


def test_a_second_run_waits_for_the_first(run: Run, world: Any) -> None:
    schedules, using = world("InProgress")
    schedules.kept[ONCE] = CONFIG

    result = run("monitor", "run", PIPELINE, "--json", using=using)

    assert result.exit_code == 1
    assert "one at a time" in json.loads(result.stdout)["message"]
    assert ONCE in schedules.kept


def test_runs_are_listed_with_those_that_were_asked_for_by_hand(run: Run, world: Any) -> None:
    schedules, using = world("Completed", "Failed", reason="no data")
    schedules.kept[ONCE] = CONFIG

    result = run("monitor", "runs", PIPELINE, "--json", using=using)

    listed = json.loads(result.stdout)
    assert listed["schedule"] == SCHEDULE
    assert {each["schedule"]: each["status"] for each in listed["runs"]} == {
        SCHEDULE: "Completed",
        ONCE: "Failed",
    }


def test_a_pipeline_or_stage_without_a_monitor_is_told_with_the_stages_that_have_one(
    run: Run, world: Any
) -> None:
    _, using = world()

    result = run("monitor", "run", PIPELINE, "--stage", "prod", "--json", using=using)

    assert result.exit_code == 1
    assert (
        "no monitor in the stage 'prod'; stages with one: Dev"
        in (json.loads(result.stdout)["message"])
    )
