"""Options of ``mlops drift check`` and its like: what is judged, by what, and by which rule."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mlops_framework.cli.errors import NotDone
from mlops_framework.drift.errors import MonitorInvalid
from mlops_framework.errors import RequestInvalid

if TYPE_CHECKING:
    from mlops_framework.drift.checking import Counted
    from mlops_framework.drift.config import MonitorConfig
    from mlops_framework.drift.model_monitor_files import Constraints
    from mlops_framework.drift.report import Evaluation
    from mlops_framework.drift_check.files import Told

STDIN: Final = "-"
_RULE: Final = "How to judge"
_OPTIONS: Final = {
    "label_column": "--label",
    "time_column": "--time",
    "effect_threshold": "--effect",
    "rate_threshold": "--rate",
    "minimum_records": "--minimum-records",
    "thresholds": "--threshold",
    "ignored_columns": "--ignore",
    "policy": "--policy",
}
"""Settings by the option that says them."""

Current = Annotated[
    list[Path],
    typer.Argument(
        help="What to judge: CSV with a header line, JSON lines, Parquet or capture records; gzip "
        "or not. Files, folders and patterns are judged as one; - is standard input.",
        show_default=False,
    ),
]
BaselineFile = Annotated[
    list[Path],
    typer.Option(
        "--baseline",
        "-b",
        help="What to compare with: training data (likewise; give it again for more files), a file "
        "of drift baseline, or Model Monitor's statistics.json or constraints.json.",
    ),
]
Label = Annotated[
    str, typer.Option("--label", show_default="none", help="Column of the baseline to leave out.")
]
Time = Annotated[
    str,
    typer.Option(
        "--time",
        show_default="none",
        help="Column with each row's time; tells how much ordinary hours and days differ. Left "
        "out.",
    ),
]
Records = Annotated[
    Path | None,
    typer.Option(
        "--records",
        help="JSON file with the monitor's `records`: where rows and values of JSON are.",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="A drift-monitor request (JSON or YAML), or the part of it to judge by: thresholds, "
        "ignored_columns, policy, records and the like. Options go before it.",
        rich_help_panel=_RULE,
    ),
]
Stage = Annotated[
    str,
    typer.Option(
        "--stage",
        show_default="none",
        help="Stage whose values of the request count, where it has one for each.",
        rich_help_panel=_RULE,
    ),
]
Effect = Annotated[
    float | None,
    typer.Option(
        "--effect",
        show_default="0.1",
        help="Share of the records that must have moved, 0.001 to 1.",
        rich_help_panel=_RULE,
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--rate",
        show_default="0.005",
        help="By how much a rate (missing, invalid, unseen, out of range) must have changed.",
        rich_help_panel=_RULE,
    ),
]
Minimum = Annotated[
    int | None,
    typer.Option(
        "--minimum-records",
        show_default="200",
        help="Fewer records (and fewer than 30): no verdict.",
        rich_help_panel=_RULE,
    ),
]
Threshold = Annotated[
    list[str] | None,
    typer.Option(
        "--threshold",
        "-t",
        show_default="none",
        metavar="COLUMN[:TEST]=SHARE",
        help="A limit of its own: age=0.05, age:missing=0.01, '*:rates=0.02'. As often as needed.",
        rich_help_panel=_RULE,
    ),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore",
        show_default="none",
        metavar="COLUMN",
        help="A column to show and not to judge. As often as needed.",
        rich_help_panel=_RULE,
    ),
]
PolicyName = Annotated[
    str | None,
    typer.Option(
        "--policy",
        show_default="standard",
        help="standard, or model-monitor: the rules of SageMaker Model Monitor.",
        rich_help_panel=_RULE,
    ),
]
ConstraintsFile = Annotated[
    Path | None,
    typer.Option(
        "--constraints",
        help="Model Monitor's constraints.json to go by, with --policy model-monitor.",
        rich_help_panel=_RULE,
    ),
]


@dataclass(frozen=True)
class Asked:
    """What a command was asked to judge, and how.

    Attributes:
        current: Files, folders and patterns to judge.
        baseline: Likewise what to compare with.
        config: A request.
        stage: Of the request.
        settings: What options say, as a request has it; ``None`` where they say nothing.
        thresholds: Of single columns.
        records: File with the form of JSON.
        constraints: Model Monitor's.
    """

    current: Sequence[Path]
    baseline: Sequence[Path]
    config: Path | None
    stage: str
    settings: Mapping[str, Any]
    thresholds: Sequence[str]
    records: Path | None
    constraints: Path | None


@dataclass(frozen=True)
class Found:
    """What came of it.

    Attributes:
        evaluation: The engine's evaluation.
        counted: What was counted.
        read: Every file that was read.
        name: What was judged is called.
        notes: What was not judged, and why.
    """

    evaluation: Evaluation
    counted: Counted
    read: Sequence[Path]
    name: str
    notes: Sequence[str]


def evaluated(asked: Asked, *, column: str = "") -> Found:
    """Read, count and judge; a bar of progress tells how far it is.

    Args:
        asked: What to do.
        column: A column that the baseline has to have; empty for none.

    Raises:
        FrameworkFault: If something cannot be read or is not accepted.
    """
    from mlops_framework.drift.checking import evaluate_counted
    from mlops_framework.drift_check.counting import called, count_files
    from mlops_framework.drift_check.files import expanded
    from mlops_framework.drift_check.judging import notes_of, prepared, read_reference
    from mlops_framework.drift_check.outcomes import Shelf
    from mlops_framework.drift_check.settings import no_column

    with _faults(asked):
        config, notes = rule_of(asked)
    if [*asked.current, *asked.baseline].count(Path(STDIN)) > 1:
        raise NotDone("Standard input can be read once: as CURRENT, or as --baseline.")
    with _standard_input(asked.current) as places, _standard_input(asked.baseline) as references:
        constraints = _constraints(asked, config)
        files, known = expanded(places), expanded(references)
        name, shelf = called(places, files), Shelf()
        config = replace(config, endpoint_name=name)
        with progress(f"Reading {_what(known)}") as told:
            built = read_reference(known, config, shelf, told=told)
        if column and column not in built.names:
            raise NotDone(no_column(column, built.names))
        with _faults(asked):
            built = prepared(built, config, constraints)
        with progress(f"Reading {_what(files)}") as told:
            counted = count_files(files, built, config, told=told)
    found = evaluate_counted(counted, built, config, store=shelf)
    return Found(found, counted, [*files, *known], name, [*notes, *notes_of(found)])


def rule_of(asked: Asked) -> tuple[MonitorConfig, Sequence[str]]:
    """The rule that the request and the options say, and what of it is not used.

    Raises:
        FrameworkFault: If something in it is not accepted.
    """
    from mlops_framework.cli.drift_request import read_document
    from mlops_framework.drift.model_monitor_policy.preparing import POLICY
    from mlops_framework.drift_check import settings

    request = settings.Asked({})
    if asked.config is not None:
        document = read_document(asked.config)
        request = settings.asked_of(document, str(asked.config), stage=asked.stage)
    elif asked.stage:
        raise NotDone("--stage chooses among the values of a request; give one with --config.")
    given = {name: value for name, value in asked.settings.items() if value is not None}
    if asked.thresholds:
        own = [settings.threshold_of(text) for text in asked.thresholds]
        given["thresholds"] = [*request.settings.get("thresholds", ()), *own]
    said = {**request.settings, **given}
    config = settings.settings_of(said, source=str(asked.config or "The options"))
    if asked.records is not None:
        from mlops_framework.drift_check.references import read_form

        config = replace(config, records=read_form(asked.records))
    if asked.constraints is not None and config.policy != POLICY:
        raise NotDone(f"Only Model Monitor's rules go by --constraints: add --policy {POLICY}.")
    notes = (*request.notes, *settings.not_by_policy(said))
    if asked.constraints is not None:
        notes = tuple(note for note in notes if not note.startswith("constraints_location"))
    return config, notes


@contextmanager
def _faults(asked: Asked) -> Iterator[None]:
    """Faults of the rule, each by the name of the option that it was said with."""
    try:
        yield
    except MonitorInvalid as invalid:
        said = {"thresholds"} if asked.thresholds else set()
        said |= {name for name, value in asked.settings.items() if value is not None}
        faults = [
            replace(fault, path=_OPTIONS[fault.path]) if fault.path in said else fault
            for fault in invalid.faults
        ]
        where = "The options are" if asked.config is None else f"{asked.config} or an option is"
        raise RequestInvalid(faults, subject=f"{where} not accepted.") from invalid


@contextmanager
def progress(what: str) -> Iterator[Told]:
    """A bar on stderr, in a terminal, gone when the work is done."""
    from rich.markup import escape
    from rich.progress import Progress

    from mlops_framework.cli import screen

    console = screen.err()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(escape(what), total=1.0)
        yield lambda share: bar.update(task, completed=share)


@contextmanager
def _standard_input(places: Sequence[Path]) -> Iterator[Sequence[Path]]:
    """The places; standard input as a file for a while, since it is looked at twice."""
    if Path(STDIN) not in places:
        yield places
        return
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "stdin"
        with kept.open("wb") as file:
            while chunk := sys.stdin.buffer.read(1 << 20):
                file.write(chunk)
        yield [kept if place == Path(STDIN) else place for place in places]


def _constraints(asked: Asked, config: MonitorConfig) -> Constraints | None:
    """Those that were named, or that Model Monitor's baseline job left in the baseline's folder."""
    import json

    from mlops_framework.drift.baselines import CONSTRAINTS
    from mlops_framework.drift.errors import FileUnusable
    from mlops_framework.drift.model_monitor_files import Constraints
    from mlops_framework.drift.model_monitor_policy.preparing import POLICY
    from mlops_framework.drift_check.files import reading

    beside = [place / CONSTRAINTS for place in asked.baseline if place.is_dir()]
    found = [asked.constraints, *(path for path in beside if path.is_file())]
    path = next((path for path in found if path is not None), None)
    if path is None or config.policy != POLICY:
        return None

    with reading(path):
        try:
            document = json.loads(path.read_text("utf-8-sig"))
        except ValueError as error:
            raise FileUnusable(f"{path} is not JSON: {error}.") from error
    return Constraints.from_document(document, str(path))


def _what(files: Sequence[Path]) -> str:
    return files[0].name if len(files) == 1 else f"{len(files)} files"
