"""``mlops monitor``: runs of the four Model Monitor kinds, listed and asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from mlops_framework.cli.errors import NotDone
from mlops_framework.cli.options import AsJson, Environment, Timeout

app = typer.Typer(no_args_is_help=True, help="Runs of Model Monitor: list them, ask for one.")

OUTPUT: Final = "MonitoringScheduleName"
_ONCE: Final = "-now"
_NAME_LENGTH: Final = 63
_UNDER_WAY: Final = ("Pending", "InProgress", "Stopping")
_VIOLATIONS: Final = "CompletedWithViolations"
_LOOKED: Final = ("Completed", _VIOLATIONS)
_POLL_SECONDS: Final = 5.0

Pipeline = Annotated[str, typer.Argument(metavar="PIPELINE_ID", help="As submit answered it.")]
Stage = Annotated[
    str | None, typer.Option("--stage", "-s", help="Delivery stage; the last one if not given.")
]


@app.callback()
def monitor() -> None:
    """Runs of Model Monitor: list them, ask for one."""


@app.command("run")
def run(
    ctx: typer.Context,
    pipeline_id: Pipeline,
    stage: Stage = None,
    env: Environment = None,
    hours: Annotated[
        int, typer.Option("--hours", min=1, max=24, help="How many hours back to look.")
    ] = 1,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for its end, and clear up after it.")
    ] = True,
    timeout: Timeout = 3600,
    as_json: AsJson = False,
) -> None:
    """Run a monitor once, now, besides its schedule.

    SageMaker offers this as a schedule of its own that runs once; it is named after the monitor's
    and takes the same job definition. Exit status: 0 healthy, 2 violations, 1 otherwise.
    """
    from mlops_framework.cli import screen

    place = ctx.obj.places.find(env)
    client = place.client("sagemaker")
    with screen.progress(f"Asking for a run of {pipeline_id}") as told:
        schedule = _schedule(place.api().status(pipeline_id), stage)
        once = schedule[: _NAME_LENGTH - len(_ONCE)].rstrip("-") + _ONCE
        _start(client, schedule, once, hours)
        summary = _summary(client, once)
        started = ctx.obj.clock.now()
        while wait and summary["status"] in _UNDER_WAY:
            if ctx.obj.clock.now() - started >= timeout:
                raise NotDone(
                    f"After {timeout} s the run {once} is still {summary['status']}. It goes on; "
                    f"look with mlops monitor runs {pipeline_id}."
                )
            told.update(f"{once}: {summary['status']}")
            ctx.obj.clock.sleep(_POLL_SECONDS)
            summary = _summary(client, once)
        if wait:
            client.delete_monitoring_schedule(MonitoringScheduleName=once)
    if wait and summary["status"] not in _LOOKED:
        reason = summary["reason"] or "SageMaker gives no reason."
        raise NotDone(f"The run {once} is {summary['status']}: {reason}")
    if as_json:
        screen.show_json(summary)
    else:
        screen.show_line(f"{summary['status']}  {summary['schedule']}  {summary['job']}".rstrip())
    if summary["status"] == _VIOLATIONS:
        raise typer.Exit(2)


@app.command("runs")
def runs(
    ctx: typer.Context,
    pipeline_id: Pipeline,
    stage: Stage = None,
    env: Environment = None,
    as_json: AsJson = False,
) -> None:
    """List a monitor's last runs, newest first; those asked for by hand, too."""
    from mlops_framework.cli import screen

    place = ctx.obj.places.find(env)
    client = place.client("sagemaker")
    with screen.progress(f"Reading the runs of {pipeline_id}"):
        schedule = _schedule(place.api().status(pipeline_id), stage)
        once = schedule[: _NAME_LENGTH - len(_ONCE)].rstrip("-") + _ONCE
        found = sorted(
            (summary for name in (schedule, once) for summary in _summaries(client, name)),
            key=lambda summary: summary["scheduled"],
            reverse=True,
        )
    if as_json:
        screen.show_json({"schedule": schedule, "runs": found})
        return
    screen.show_table(
        ("Scheduled", "Status", "Job", "Reason"),
        [(one["scheduled"], one["status"], one["job"], one["reason"]) for one in found],
    )


def _schedule(status: Mapping[str, Any], stage: str | None) -> str:
    """The monitor's schedule in a stage, from the outputs of its stack."""
    names = {
        each["name"]: each["outputs"][OUTPUT]
        for each in status["stages"]
        if OUTPUT in each.get("outputs", {})
    }
    plain = {_plain(name): value for name, value in names.items()}
    if stage is None and names:
        return str(list(names.values())[-1])
    if stage is not None and _plain(stage) in plain:
        return str(plain[_plain(stage)])
    raise NotDone(
        f"Pipeline {status['pipeline_id']} ({status['pipeline_type']}) has no monitor"
        f"{f' in the stage {stage!r}' if stage else ''}; stages with one: "
        f"{', '.join(names) or 'none'}."
    )


def _plain(stage: str) -> str:
    return "".join(each for each in stage.lower() if each.isalnum())


def _start(client: Any, schedule: str, once: str, hours: int) -> None:
    """Make the schedule that runs once; the last one of its kind goes first."""
    try:
        described = client.describe_monitoring_schedule(MonitoringScheduleName=schedule)
    except client.exceptions.ResourceNotFound:
        raise NotDone(
            f"There is no monitoring schedule {schedule}: the monitor has no finished baseline "
            "yet. mlops status says why."
        ) from None
    last = _summary(client, once)
    if last["status"] in _UNDER_WAY:
        raise NotDone(f"The run {once} is {last['status']}; one at a time.")
    with contextlib.suppress(client.exceptions.ResourceNotFound):
        client.delete_monitoring_schedule(MonitoringScheduleName=once)
    config = described["MonitoringScheduleConfig"]
    client.create_monitoring_schedule(
        MonitoringScheduleName=once,
        MonitoringScheduleConfig={
            "MonitoringJobDefinitionName": config["MonitoringJobDefinitionName"],
            "MonitoringType": config["MonitoringType"],
            "ScheduleConfig": {
                "ScheduleExpression": "NOW",
                "DataAnalysisStartTime": f"-PT{hours}H",
                "DataAnalysisEndTime": "-PT0H",
            },
        },
        Tags=client.list_tags(ResourceArn=described["MonitoringScheduleArn"])["Tags"],
    )


def _summary(client: Any, schedule: str) -> dict[str, str]:
    """The newest run of a schedule; ``Pending`` until SageMaker lists it."""
    found = _summaries(client, schedule)
    if found:
        return found[0]
    try:
        client.describe_monitoring_schedule(MonitoringScheduleName=schedule)
    except client.exceptions.ResourceNotFound:
        return _shown({"MonitoringScheduleName": schedule, "MonitoringExecutionStatus": "None"})
    return _shown({"MonitoringScheduleName": schedule, "MonitoringExecutionStatus": "Pending"})


def _summaries(client: Any, schedule: str) -> list[dict[str, str]]:
    try:
        page = client.list_monitoring_executions(
            MonitoringScheduleName=schedule, SortBy="CreationTime", SortOrder="Descending"
        )
    except client.exceptions.ResourceNotFound:
        return []
    return [_shown(found) for found in page["MonitoringExecutionSummaries"]]


def _shown(found: Mapping[str, Any]) -> dict[str, str]:
    scheduled = found.get("ScheduledTime")
    return {
        "schedule": found["MonitoringScheduleName"],
        "status": found["MonitoringExecutionStatus"],
        "scheduled": scheduled.isoformat() if scheduled else "",
        "job": found.get("ProcessingJobArn", "").rpartition("/")[2],
        "reason": found.get("FailureReason", ""),
    }
