"""``mlops drift backfill`` and ``history``: a monitor over weeks and months."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from mlops_framework import naming
from mlops_framework.cli.errors import NotDone
from mlops_framework.cli.options import AsJson, Environment, Timeout

MOST_DAYS: Final = 366
_POLL_SECONDS: Final = 2.0
_DRIFT: Final = 2
_DEFAULT_DAYS: Final = 7
_FAILED: Final = ("FAILED", "TIMED_OUT", "ABORTED")

Endpoint = Annotated[
    str, typer.Argument(metavar="ENDPOINT", help="Name of the monitored endpoint.")
]
From = Annotated[
    str, typer.Option("--from", help="First moment: 2026-03-01 or 2026-03-01T14:00:00Z, UTC.")
]
To = Annotated[
    str | None, typer.Option("--to", help="Moment behind the last one; now if not given.")
]


def backfill(
    ctx: typer.Context,
    endpoint: Endpoint,
    since: From,
    until: To = None,
    env: Environment = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for its end.")] = True,
    timeout: Timeout = 86_400,
    as_json: AsJson = False,
) -> None:
    """Profile and judge captured traffic of the past, by many functions side by side.

    Captures that are profiled, and labels that were taken, are passed over, so that what was broken
    off goes on where it was: give the same command again. Each window gets a report; windows that
    were judged before are judged again.

    \b
    mlops drift backfill churn-prod --env prod --from 2026-01-01 --to 2026-04-01
    """  # noqa: D301
    from mlops_framework.cli import screen

    place = ctx.obj.places.find(env)
    start, end = _span(since, until, ctx.obj.clock.today())
    machine = place.value("drift-at-scale-arn")
    client = place.client("stepfunctions")
    with screen.progress(f"Starting the backfill of {endpoint}") as told:
        _monitored(place, endpoint)
        run = _Run(client, machine, endpoint, start, end)
        execution = run.started()
        told.update(f"Backfill of {endpoint}: {execution.rpartition(':')[2]}")
        began = ctx.obj.clock.now()
        found = client.describe_execution(executionArn=execution)
        while wait and found["status"] == "RUNNING":
            if ctx.obj.clock.now() - began >= timeout:
                raise NotDone(
                    f"After {timeout} s the backfill is still running. It goes on by itself; the "
                    "same command waits for it again."
                )
            told.update(run.progress(execution))
            ctx.obj.clock.sleep(_POLL_SECONDS)
            found = client.describe_execution(executionArn=execution)
    if found["status"] in _FAILED:
        raise NotDone(
            f"The backfill failed: {found.get('cause') or found.get('error') or found['status']}. "
            f"What is profiled stays; the same command goes on from there. Execution: {execution}"
        )
    if as_json:
        screen.show_json({"execution": execution, "status": found["status"]})
    elif found["status"] == "RUNNING":
        screen.show_line(f"Started {execution}")
    else:
        screen.show_line(
            f"Backfill of {endpoint} from {start} to {end} is done: mlops drift history {endpoint} "
            f"--from {since}"
        )


def history(
    ctx: typer.Context,
    endpoint: Endpoint,
    since: Annotated[
        str | None,
        typer.Option("--from", help=f"First moment; the last {_DEFAULT_DAYS} days if not given."),
    ] = None,
    until: To = None,
    env: Environment = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Save it as a page to this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show every judged window of a time, oldest first, with what drifted.

    \b
    mlops drift history churn-prod --env prod --from 2026-03-01
    mlops drift history churn-prod --from 2026-03-01 --to 2026-03-08 --html history.html

    Exit status: 0 if no window drifted, 2 if one did, 1 if none was judged.
    """  # noqa: D301
    from mlops_framework.cli import screen
    from mlops_framework.cli.drift_files import save
    from mlops_framework.drift.history import drifted_by, entry_of, history_page

    place = ctx.obj.places.find(env)
    today = ctx.obj.clock.today()
    start, end = _span(since or str(today - timedelta(days=_DEFAULT_DAYS)), until, today)
    entries = []
    with screen.progress(f"Reading the reports of {endpoint}") as told:
        bucket, s3 = place.value("data-bucket-name"), place.client("s3")
        for number, key in enumerate(_reports(s3, bucket, endpoint, start, end), 1):
            told.update(f"Reading the reports of {endpoint}: {number:,}, {_day_of(key)}")
            entries.append(
                entry_of(json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()))
            )
    entries = [entry for entry in entries if start <= entry["start"] < end]
    if not entries:
        raise NotDone(
            f"No window of {endpoint} between {start} and {end} was judged. mlops pipelines list "
            f"shows the monitors; mlops drift backfill {endpoint} --from … judges the past."
        )
    saved = html is not None and save("page", html, history_page(endpoint, entries))
    if as_json:
        screen.show_json({"endpoint": endpoint, "windows": entries})
    else:
        screen.show_table(
            ("Window", "Verdict", "Records", "Largest effect", "Drifted"),
            [
                (
                    each["start"],
                    each["verdict"],
                    f"{each['records']:,}",
                    f"{each['largest_effect']:.3g}",
                    drifted_by(each),
                )
                for each in entries
            ],
        )
        if saved:
            screen.show_line(f"Page: {html}")
    if any(each["verdict"] == "drift" for each in entries):
        raise typer.Exit(_DRIFT)


@dataclass(frozen=True)
class _Run:
    """One backfill: the same endpoint and time are the same run as long as it lasts."""

    client: Any
    machine: str
    endpoint: str
    start: str
    end: str

    def started(self) -> str:
        """ARN of its execution: the one that is running, or a new one."""
        asked = json.dumps({"monitor": self.endpoint, "from": self.start, "to": self.end})
        digest = hashlib.sha256(asked.encode()).hexdigest()[:32]
        from mlops_framework.drift.scale.runs import BACKFILL

        for attempt in range(1000):
            name = f"{BACKFILL}{digest}-{attempt}"
            execution = f"{self.machine.replace(':stateMachine:', ':execution:')}:{name}"
            try:
                if self.client.describe_execution(executionArn=execution)["status"] == "RUNNING":
                    return execution
            except self.client.exceptions.ExecutionDoesNotExist:
                answer = self.client.start_execution(
                    stateMachineArn=self.machine, name=name, input=asked
                )
                return str(answer["executionArn"])
        raise NotDone("This time was backfilled a thousand times; choose another.")

    def progress(self, execution: str) -> str:
        """How far its steps are."""
        runs = self.client.list_map_runs(executionArn=execution)["mapRuns"]
        if not runs:
            return f"Backfill of {self.endpoint}: planning"
        latest = max(runs, key=lambda run: str(run["startDate"]))
        counts = self.client.describe_map_run(mapRunArn=latest["mapRunArn"])["itemCounts"]
        return f"Backfill of {self.endpoint}: {counts['succeeded']} of {counts['total']} batches"


def _monitored(place: Any, endpoint: str) -> None:
    """Check that there is a monitor before anything is started."""
    ssm = place.client("ssm")
    name = naming.monitor_parameter(place.prefix, endpoint)
    try:
        ssm.get_parameter(Name=name)
    except ssm.exceptions.ParameterNotFound:
        raise NotDone(
            f"{endpoint!r} is no monitored endpoint: there is no SSM parameter {name}. mlops "
            "pipelines list shows the drift-monitors; submit one for it first."
        ) from None


def _reports(s3: Any, bucket: str, endpoint: str, start: str, end: str) -> Iterator[str]:
    """Keys of the reports of the days of a span."""
    day, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
    day = day.replace(hour=0, minute=0, second=0)
    while day < last:
        prefix = f"{naming.monitor_prefix(endpoint)}/reports/{day:%Y/%m/%d}/"
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for each in page.get("Contents", ()):
                if each["Key"].endswith("/report.json"):
                    yield each["Key"]
        day += timedelta(days=1)


def _day_of(key: str) -> str:
    """The day of a report by its key, ``.../yyyy/mm/dd/HHMM/report.json``."""
    return "-".join(key.split("/")[-5:-2])


def _span(since: str, until: str | None, now: datetime) -> tuple[str, str]:
    """Both ends as ISO 8601 in UTC.

    Raises:
        NotDone: If one is no moment, or they are in the wrong order or too far apart.
    """
    from mlops_framework.drift.windows import instant, moment

    ends = []
    for option, text in (("--from", since), ("--to", until)):
        try:
            ends.append(now if text is None else moment(text))
        except ValueError:
            raise NotDone(
                f"{option} is {text!r}; accepted is a day or a moment, such as 2026-03-01 or "
                "2026-03-01T14:00:00Z."
            ) from None
    start, end = ends
    if not start < end <= start + timedelta(days=MOST_DAYS):
        raise NotDone(
            f"From {instant(start)} to {instant(end)} is no time to look at: accepted is an end "
            f"behind the beginning, at most {MOST_DAYS} days."
        )
    return instant(start), instant(end)
