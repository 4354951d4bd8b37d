"""``mlops drift``: what a monitor last found, and drift between files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from mlops_framework import naming
from mlops_framework.cli import drift_check, drift_import, drift_over_time
from mlops_framework.cli.errors import NotDone
from mlops_framework.cli.failures import FAILED
from mlops_framework.cli.options import AsJson, Environment

_USAGE: Final[type[Exception]] = typer.BadParameter.__bases__[0]
"""Any error of usage: typer does not name click's class of them."""


class Statuses(TyperGroup):
    """Commands whose exit status 2 means drift and nothing else."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a mistyped option is a fault like any other."""
        try:
            return super().invoke(ctx)
        except _USAGE as error:
            vars(error)["exit_code"] = FAILED
            raise


app = typer.Typer(
    cls=Statuses, no_args_is_help=True, help="What the drift monitors find; drift between files."
)
app.command("check")(drift_check.check)
app.command("baseline")(drift_check.baseline)
app.command("explain")(drift_check.explain)
app.command("backfill")(drift_over_time.backfill)
app.command("history")(drift_over_time.history)
app.command("import-model-monitor")(drift_import.import_model_monitor)


@app.callback()
def drift() -> None:
    """What the drift monitors find; drift between files."""


@app.command("report")
def report(
    ctx: typer.Context,
    monitor: Annotated[str, typer.Argument(help="Name of the monitored endpoint.")],
    env: Environment = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Save the report's page to this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a monitor's last report, worst column first.

    \b
    mlops drift report churn-prod --env prod --html report.html

    Exit status: 0 healthy or no verdict, 2 drift, 1 if there is no report.
    """  # noqa: D301
    from mlops_framework.cli import screen
    from mlops_framework.cli.drift_files import save

    place = ctx.obj.places.find(env)
    with screen.progress(f"Reading the last report of {monitor}"):
        bucket, s3 = place.value("data-bucket-name"), place.client("s3")
        latest_key = f"{naming.monitor_prefix(monitor)}/latest.json"
        latest = json.loads(_read(s3, bucket, latest_key, monitor))
        where = latest["report"]
        document = json.loads(_read(s3, where["bucket"], where["json_key"], monitor))
        page = _read(s3, where["bucket"], where["html_key"], monitor) if html else b""
    saved = html if html and save("page", html, page.decode()) else None
    if as_json:
        screen.show_json(document)
    else:
        _show(document, where, saved)
    if document["verdict"] == "drift":
        raise typer.Exit(drift_check.DRIFT)


def _read(s3: Any, bucket: str, key: str, monitor: str) -> bytes:
    try:
        body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        raise NotDone(
            f"There is no s3://{bucket}/{key}. Either {monitor!r} is no monitored endpoint (mlops "
            "pipelines list), or nothing was evaluated yet: a window is judged when it is over and "
            "its grace period has passed."
        ) from None
    return body


def _show(document: Mapping[str, Any], where: Mapping[str, str], html: Path | None) -> None:
    from mlops_framework.cli import screen
    from mlops_framework.drift.report_tables import since_words

    window = document["window"]
    line = screen.out()
    line.print(document["verdict"], style=screen.COLOURS.get(document["verdict"], "bold"), end="  ")
    line.print(f"{window['start']} to {window['end']}", markup=False)
    screen.show_line(document["summary"])
    rows = [
        (column["name"], "drift" if column["drifted"] else "", *_means(column), *_worst(column))
        for column in document["columns"]
    ]
    if rows:
        screen.show_table(
            ("Column", "", "Training mean", "Window mean", "Test", "Effect", "Limit"), rows
        )
    for finding in document["findings"]:
        screen.show_line(f"- {finding['sentence']}{since_words(finding, window['start'])}")
    page = html or f"s3://{where['bucket']}/{where['html_key']}"
    screen.show_line(f"Report: {page}")


def _means(column: Mapping[str, Any]) -> tuple[str, str]:
    return _number(column["baseline"]["mean"]), _number(column["window"]["mean"])


def _worst(column: Mapping[str, Any]) -> tuple[str, str, str]:
    """The test that is farthest beyond, or nearest to, its limit."""
    tests = [test for test in column["tests"] if test["effect"] is not None]
    if not tests:
        return "", "", ""
    worst = max(tests, key=lambda test: float(test["effect"]) / (float(test["threshold"]) or 1.0))
    return str(worst["test"]), _number(worst["effect"]), _number(worst["threshold"])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
