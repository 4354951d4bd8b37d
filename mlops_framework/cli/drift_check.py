"""``mlops drift check``, ``baseline`` and ``explain``: drift between files, without any AWS."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mlops_framework.cli.errors import NotDone
from mlops_framework.cli.options import AsJson

if TYPE_CHECKING:
    from mlops_framework.cli.drift_files import Told
    from mlops_framework.drift.baseline import Baseline
    from mlops_framework.drift.checking import Counted
    from mlops_framework.drift.report import Evaluation

DRIFT: Final = 2
"""Exit status when the verdict is drift."""
TOO_LITTLE: Final = 3
"""Exit status when there are too few records for a verdict."""

Current = Annotated[
    Path, typer.Argument(help="What to judge: CSV with header, capture JSON lines, or Parquet.")
]
BaselineFile = Annotated[
    Path,
    typer.Option(
        "--baseline",
        "-b",
        help="What to compare with: CSV with header, Parquet, or a file of drift baseline.",
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
        help="Column with each row's time; tells how much ordinary hours differ. Left out.",
    ),
]
Records = Annotated[
    Path | None,
    typer.Option(
        "--records",
        help="JSON file with the monitor's `records`: where rows and values of JSON are.",
    ),
]
Effect = Annotated[
    float, typer.Option("--effect", help="Share of the records that must have moved, 0.001 to 1.")
]
Minimum = Annotated[
    int, typer.Option("--minimum-records", help="Fewer records (and fewer than 30): no verdict.")
]


def check(
    current: Current,
    baseline: BaselineFile,
    label: Label = "",
    records: Records = None,
    effect: Effect = 0.1,
    minimum_records: Minimum = 200,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the report's page to this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare a file with a baseline: a table, worst column first.

    Exit status: 0 healthy, 2 drift, 3 too few records for a verdict, 1 if a file cannot be used.
    """
    from mlops_framework.cli import drift_words, screen
    from mlops_framework.cli.drift_files import write_text
    from mlops_framework.drift.report import report_document
    from mlops_framework.drift.report_html import report_page

    evaluation, counted = _evaluate(current, baseline, label, effect, minimum_records, records)
    document = report_document(evaluation)
    if html is not None:
        write_text(html, report_page(document), never_over=(current, baseline))
    if as_json:
        screen.show_json(document)
    else:
        drift_words.show_check(document)
        drift_words.show_left_out(counted.profile, counted.ignored)
        if html is not None:
            screen.show_line(f"Report: {html}")
    _leave(document)


def baseline(
    reference: Annotated[
        list[Path],
        typer.Argument(
            help="Training data: CSV with header, JSON lines or Parquet; captured traffic; or "
            "Model Monitor's statistics.json. Files, folders and patterns of one table."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    label: Label = "",
    time: Time = "",
    columns: Annotated[
        str,
        typer.Option(
            "--columns", show_default="none", help="Names of captured CSV's columns, with commas."
        ),
    ] = "",
    records: Records = None,
    model_monitor_files: Annotated[
        Path | None,
        typer.Option(
            "--model-monitor-files",
            help="Folder for statistics.json and constraints.json too, as Model Monitor's "
            "baseline job would suggest them.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a baseline from training data or traffic, once, for many checks."""
    from mlops_framework.cli import screen
    from mlops_framework.cli.drift_baselines import expanded, read_baseline, read_form
    from mlops_framework.cli.drift_files import write_text

    files = expanded(reference)
    what = files[0].name if len(files) == 1 else f"{len(files)} files"
    names = [name.strip() for name in columns.split(",") if name.strip()]
    with _progress(f"Reading {what}") as told:
        built = read_baseline(
            files, label=label, told=told, time=time, columns=names, form=read_form(records)
        )
    document = built.to_document()
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"
    write_text(output, text, never_over=files)
    if model_monitor_files is not None:
        _write_model_monitor_files(built, model_monitor_files, files)
    kinds = [(column.spec.name, column.spec.kind, column.distinct) for column in built.columns]
    if as_json:
        named = [dict(zip(("name", "kind", "distinct"), row, strict=True)) for row in kinds]
        screen.show_json(
            {"baseline": str(output), "id": built.id, "rows": built.rows, "columns": named}
        )
        return
    screen.show_table(
        ("Column", "Kind", "Distinct values"),
        ((name, kind, f"{distinct:,}") for name, kind, distinct in kinds),
    )
    screen.show_line(f"{output}: {len(kinds)} columns of {built.rows:,} rows, id {built.id}")


def _write_model_monitor_files(built: Baseline, folder: Path, read: Sequence[Path]) -> None:
    from mlops_framework.cli.drift_files import write_text
    from mlops_framework.drift.model_monitor_files.counted import (
        baseline_statistics,
        suggested_constraints,
    )

    documents = {
        "statistics.json": baseline_statistics(built),
        "constraints.json": suggested_constraints(built).to_document(),
    }
    for name, document in documents.items():
        text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
        write_text(folder / name, text, never_over=read)


def explain(
    column: Annotated[str, typer.Argument(help="The column.")],
    current: Current,
    baseline: BaselineFile,
    label: Label = "",
    records: Records = None,
    effect: Effect = 0.1,
    minimum_records: Minimum = 200,
    as_json: AsJson = False,
) -> None:
    """Show every test of one column, and both sides next to each other.

    Exit status: 0, or 1 if a file cannot be used or has no such column.
    """
    from mlops_framework.cli import drift_words, screen
    from mlops_framework.drift.report import report_document

    evaluation, _ = _evaluate(
        current, baseline, label, effect, minimum_records, records, column=column
    )
    document = report_document(evaluation)
    shown = next(found for found in document["columns"] if found["name"] == column)
    if as_json:
        findings = [found for found in document["findings"] if found["column"] == column]
        screen.show_json({"verdict": document["verdict"], "findings": findings} | shown)
    else:
        drift_words.show_column(document, shown)


def _evaluate(
    current: Path,
    reference: Path,
    label: str,
    effect: float,
    minimum: int,
    records: Path | None,
    *,
    column: str = "",
) -> tuple[Evaluation, Counted]:
    from mlops_framework.cli.drift_baselines import read_baseline, read_form
    from mlops_framework.cli.drift_files import count
    from mlops_framework.drift.checking import evaluate_counted

    # Refused here, since a usage error of the command line has the exit status of drift.
    if not 0.001 <= effect <= 1:
        raise NotDone(f"--effect is a share of the records from 0.001 to 1; found {effect:g}.")
    if minimum < 1:
        raise NotDone(f"--minimum-records is at least 1; found {minimum}.")
    with _progress(f"Reading {reference.name}") as told:
        form = read_form(records)
        built = read_baseline([reference], label=label, told=told, form=form)
    if column and column not in built.names:
        near = difflib.get_close_matches(column, built.names, n=3, cutoff=0.5)
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        raise NotDone(
            f"The baseline has no column {column!r}; it has {', '.join(built.names)}.{meant}"
        )
    with _progress(f"Reading {current.name}") as told:
        counted = count(current, built, told=told, form=form)
    evaluation = evaluate_counted(
        counted,
        built,
        name=current.name,
        effect_threshold=effect,
        minimum_records=minimum,
    )
    return evaluation, counted


@contextmanager
def _progress(what: str) -> Iterator[Told]:
    """A bar on stderr, in a terminal, gone when the work is done."""
    from rich.markup import escape
    from rich.progress import Progress

    from mlops_framework.cli import screen

    console = screen.err()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(escape(what), total=1.0)
        yield lambda share: bar.update(task, completed=share)


def _leave(document: dict[str, Any]) -> None:
    match document["verdict"]:
        case "drift":
            raise typer.Exit(DRIFT)
        case "insufficient-data":
            raise typer.Exit(TOO_LITTLE)
