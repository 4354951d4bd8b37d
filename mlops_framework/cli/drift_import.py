"""``mlops drift import-model-monitor``: from a monitoring schedule to a drift-monitor request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mlops_framework.cli.errors import NotDone
from mlops_framework.cli.options import AsJson, Environment

if TYPE_CHECKING:
    from mlops_framework.aws.monitoring_schedules import MonitoringSchedules
    from mlops_framework.cli.place import Place
    from mlops_framework.drift.baseline import Baseline
    from mlops_framework.drift.model_monitor_files import Statistics
    from mlops_framework.drift.model_monitor_import.columns import Columns
    from mlops_framework.drift.model_monitor_import.rehearsal import Compared
    from mlops_framework.drift.model_monitor_import.requests import Imported, Read
    from mlops_framework.drift.model_monitor_import.schedules import Execution, Schedule

POLICIES: Final = ("model-monitor", "standard")
_ALONE: Final = "requests/constraints.json"
"""Where constraints are the baseline, without the columns of the answer."""
_NAME: Final = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9]){0,62}")
_PLACE: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?")


@dataclass(frozen=True)
class _Found:
    """Everything that was read.

    Attributes:
        read: The schedules with their files.
        place: Where their endpoint captures.
        statistics: Of data quality; ``None`` where there are none.
        columns: The statistics' columns (without them, the constraints'), told apart.
        constraints: Their constraints' document; ``None`` where there are none.
        executions: The data quality schedule's last runs, newest first.
    """

    read: Sequence[Read]
    place: str
    statistics: Statistics | None
    columns: Columns | None
    constraints: Any
    executions: Sequence[Execution]


def import_model_monitor(
    ctx: typer.Context,
    schedules: Annotated[
        list[str],
        typer.Argument(
            metavar="SCHEDULE...",
            help="Monitoring schedules of one endpoint; one of each kind at most.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write the request to this file (*.yaml), and its baseline to the data bucket; "
            "without it nothing is written anywhere.",
        ),
    ] = None,
    model_name: Annotated[
        str | None,
        typer.Option("--model-name", help="Of the model.", show_default="the endpoint's name"),
    ] = None,
    baseline_data: Annotated[
        str | None,
        typer.Option(
            "--baseline-data",
            help="Training data to compare with, s3://bucket/key.",
            show_default="the schedule's statistics",
        ),
    ] = None,
    captures: Annotated[
        str | None,
        typer.Option(
            "--captures",
            help="Where the captures are, s3://bucket/prefix, without the endpoint's name.",
            show_default="what the endpoint says",
        ),
    ] = None,
    policy: Annotated[
        str, typer.Option("--policy", help="Whose rules decide: model-monitor or standard.")
    ] = "model-monitor",
    executions: Annotated[
        int, typer.Option("--executions", min=0, max=48, help="Last runs to compare on.")
    ] = 3,
    env: Environment = None,
    as_json: AsJson = False,
) -> None:
    """Turn monitoring schedules into a drift-monitor request, and compare both on the last runs.

    Reads the schedules, what they run, their baseline, their last runs and the traffic of these.
    Changes nothing of Model Monitor's: it goes on until you delete it. What is different then is
    told; docs/from-model-monitor.md has the whole way over.
    """
    from mlops_framework.aws.drift_store import S3Sources
    from mlops_framework.aws.monitoring_schedules import MonitoringSchedules
    from mlops_framework.cli import drift_import_words, screen
    from mlops_framework.drift.model_monitor_import.requests import Place as Said
    from mlops_framework.drift.model_monitor_import.requests import imported

    if policy not in POLICIES:
        raise typer.BadParameter(f"accepted is {' or '.join(POLICIES)}", param_hint="--policy")
    place = ctx.obj.places.find(env)
    reader = MonitoringSchedules(place.client("sagemaker"), place.client("s3"))
    with screen.progress(f"Reading {', '.join(schedules)}") as told:
        found = _read(reader, schedules, captures, executions)
        schedule = found.read[0].schedule
        folder = f"s3://{place.value('data-bucket-name')}/imported/{schedule.name}"
        baseline_uri = baseline_data or _baseline_of(found, folder, policy)
        said = Said(
            model_name=model_name or schedule.watches,
            endpoint=schedule.watches,
            baseline=baseline_uri,
            constraints=f"{folder}/constraints.json" if found.constraints else "",
            captures=_captures(found.place, place),
            policy=policy,
            answered=found.columns.answered if found.columns and not baseline_data else (),
            data_bucket=place.value("data-bucket-name"),
            told_apart=found.columns is None or found.columns.known,
        )
        result = imported(found.read, said)
        told.update("Comparing both verdicts on the last runs")
        compared = _compared(reader, S3Sources(place.client("s3")), found, result, place)
    watching = reader.others_of(schedule.endpoint) if schedule.endpoint else {}
    others = {name: kind for name, kind in watching.items() if name not in schedules}
    if output is not None:
        _write(reader, found, said.constraints, folder, baseline_data, output, result)
    if as_json:
        screen.show_json(drift_import_words.document(result, compared, output))
    else:
        drift_import_words.show(result, compared, others, output)


def _read(
    reader: MonitoringSchedules, names: Sequence[str], captured: str | None, most: int
) -> _Found:
    from mlops_framework.drift.model_monitor_files import Constraints, Statistics
    from mlops_framework.drift.model_monitor_import.columns import told_apart

    read = [_with_files(reader, reader.schedule(name)) for name in dict.fromkeys(names)]
    _check(read)
    quality = next((one.schedule for one in read if one.schedule.kind == "DataQuality"), None)
    first = read[0].schedule
    endpoint = first.watches
    captures = captured.rstrip("/") if captured else first.captures
    captures = captures or reader.captures_of(endpoint)
    if quality is None:
        return _Found(read, captures, None, None, None, ())
    # Runs over batch transforms are not compared: their captures only name the files.
    runs = reader.executions(quality, most) if quality.endpoint and most else []
    document = reader.document(quality.statistics) if quality.statistics else None
    constraints = reader.document(quality.constraints) if quality.constraints else None
    statistics = Statistics.from_document(document, quality.statistics) if document else None
    names_in_order: list[str] = []
    if statistics is not None:
        names_in_order = [feature.name for feature in statistics.features]
    elif constraints is not None:
        alone = Constraints.from_document(constraints, quality.constraints)
        names_in_order = [feature.name for feature in alone.features]
    if not names_in_order:
        return _Found(read, captures, None, None, constraints, runs)
    columns = told_apart(
        names_in_order, _a_record(reader, captures, endpoint, runs), quality.environment
    )
    return _Found(read, captures, statistics, columns, constraints, runs)


def _with_files(reader: MonitoringSchedules, schedule: Schedule) -> Read:
    from mlops_framework.drift.model_monitor_files.analysis import Analysis
    from mlops_framework.drift.model_monitor_files.model_quality import ModelQualityConstraints
    from mlops_framework.drift.model_monitor_import.requests import Read

    found = Read(schedule=schedule)
    if schedule.kind == "DataQuality":
        return found
    if schedule.config:
        found = replace(found, clarify=reader.document(schedule.config) or {})
    document = reader.document(schedule.constraints) if schedule.constraints else None
    if document is None:
        return found
    if schedule.kind == "ModelQuality":
        limits = ModelQualityConstraints.from_document(document, schedule.constraints)
        return replace(found, limits=limits)
    return replace(found, analysis=Analysis.from_document(document, schedule.constraints))


def _check(read: Sequence[Read]) -> None:
    """Whether one request can stand for all of them.

    Raises:
        NotDone: If not, with what to do.
    """
    for one in read:
        schedule = one.schedule
        if not schedule.endpoint and not (
            _NAME.fullmatch(schedule.watches) and _PLACE.fullmatch(schedule.captures)
        ):
            raise NotDone(
                f"{schedule.name} watches batch transforms captured to "
                f"{schedule.batch or 'nowhere'}. A monitor is named after the last folder of that "
                "place, which has to be letters, digits and hyphens below a bucket or folder. Let "
                "the transforms capture to s3://bucket/captures/NAME."
            )
    endpoints = sorted({one.schedule.watches for one in read})
    if len(endpoints) > 1:
        raise NotDone(
            f"These schedules watch {len(endpoints)} endpoints ({', '.join(endpoints)}); a request "
            "watches one. Import the schedules of each by themselves."
        )
    kinds = [one.schedule.kind for one in read]
    twice = sorted({kind for kind in kinds if kinds.count(kind) > 1})
    if twice:
        named = [one.schedule.name for one in read if one.schedule.kind in twice]
        raise NotDone(
            f"{' and '.join(named)} are both of kind {twice[0]}; a request has one of each. Import "
            "the one that counts."
        )


def _a_record(
    reader: MonitoringSchedules, captures: str, endpoint: str, runs: Sequence[Execution]
) -> bytes | None:
    """A captured record of the newest run that has any."""
    for run in runs:
        for uri in reader.captured(captures, endpoint, run.start, run.end):
            return reader.first_line(uri)
    return None


def _baseline_of(found: _Found, folder: str, policy: str) -> str:
    if found.statistics is not None:
        return f"{folder}/statistics.json"
    if found.constraints is not None and policy == "model-monitor":
        return f"{folder}/{_ALONE}"
    names = ", ".join(one.schedule.name for one in found.read)
    alone = " Its constraints alone would do for --policy model-monitor."
    raise NotDone(
        f"No statistics.json is named by {names}. Name the endpoint's data quality schedule, "
        "too, or the training data: --baseline-data s3://bucket/key."
        f"{alone if found.constraints is not None else ''}"
    )


def _captures(captures: str, place: Place) -> str:
    """Where captures are; empty if it is the usual place."""
    from mlops_framework import naming

    usual = f"s3://{place.value('data-bucket-name')}/{naming.CAPTURES_PREFIX}"
    return "" if captures == usual else captures


def _compared(
    reader: MonitoringSchedules, sources: Any, found: _Found, result: Imported, place: Place
) -> list[Compared]:
    """Both verdicts on the last runs; none where there is no baseline to judge by."""
    from mlops_framework.drift.config import MonitorConfig
    from mlops_framework.drift.model_monitor_files.violations import NAME, read_violations
    from mlops_framework.drift.model_monitor_import.rehearsal import Compared, look
    from mlops_framework.drift.windows import Window

    baseline = _baseline(found)
    if baseline is None:
        return []
    request = result.request
    config = MonitorConfig(
        environment=place.prefix,
        data_bucket=place.value("data-bucket-name"),
        model_name=request["model_name"],
        endpoint_name=request["endpoint_name"],
        baseline_data=request["baseline_data"],
    )
    compared = []
    for run in found.executions:
        objects = reader.captured(found.place, config.endpoint_name, run.start, run.end)
        seen = look(config, baseline, sources, objects, Window(run.start, run.end))
        theirs = None
        if run.status.startswith("Completed"):
            uri = f"{run.folder}/{NAME}"
            document = reader.document(uri)
            # A run without violations may write no file at all.
            theirs = read_violations(document, uri) if document is not None else ()
        compared.append(Compared(run, theirs, seen))
    return compared


def _baseline(found: _Found) -> Baseline | None:
    from mlops_framework.drift.model_monitor_files import Constraints
    from mlops_framework.drift.model_monitor_files.alone import baseline_of_constraints
    from mlops_framework.drift.model_monitor_files.statistics import without_features
    from mlops_framework.drift.model_monitor_files.training import baseline_of
    from mlops_framework.drift.model_monitor_policy.preparing import ruled

    if found.columns is None:
        return None
    answered, constraints = found.columns.answered, None
    if found.constraints is not None:
        constraints = Constraints.from_document(found.constraints, "constraints.json")
    if found.statistics is not None:
        baseline = baseline_of(found.statistics, source="statistics.json", without=answered)
    elif constraints is not None:
        requested = without_features(found.constraints, answered)
        kept = Constraints.from_document(requested, "constraints.json")
        baseline = baseline_of_constraints(kept, source="constraints.json")
    else:
        return None
    return ruled(baseline, constraints)


def _write(
    reader: MonitoringSchedules,
    found: _Found,
    constraints: str,
    folder: str,
    baseline_data: str | None,
    output: Path,
    result: Imported,
) -> None:
    from mlops_framework.cli.drift_files import write_text
    from mlops_framework.cli.drift_import_words import yaml_of
    from mlops_framework.drift.model_monitor_files.statistics import without_features

    answered = found.columns.answered if found.columns else ()
    if found.statistics is not None and baseline_data is None:
        schedule = next(one.schedule for one in found.read if one.schedule.kind == "DataQuality")
        document = reader.document(schedule.statistics)
        reader.write(f"{folder}/statistics.json", without_features(document, answered))
    elif found.constraints is not None and baseline_data is None:
        reader.write(f"{folder}/{_ALONE}", without_features(found.constraints, answered))
    if constraints:
        reader.write(constraints, found.constraints)
    write_text(output, yaml_of(result), never_over=())
