"""``mlops drift check``, ``baseline`` and ``explain``: drift between files, without any AWS."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mlops_framework.cli import drift_options as options
from mlops_framework.cli.errors import NotDone
from mlops_framework.cli.options import AsJson

if TYPE_CHECKING:
    from mlops_framework.cli.drift_options import Found
    from mlops_framework.drift.baseline import Baseline

DRIFT: Final = 2
"""Exit status when the verdict is drift."""
TOO_LITTLE: Final = 3
"""Exit status when there are too few records for a verdict."""


def check(
    current: options.Current,
    baseline: options.BaselineFile,
    label: options.Label = "",
    time: options.Time = "",
    records: options.Records = None,
    config: options.Config = None,
    stage: options.Stage = "",
    effect: options.Effect = None,
    rate: options.Rate = None,
    minimum_records: options.Minimum = None,
    threshold: options.Threshold = None,
    ignore: options.Ignore = None,
    policy: options.PolicyName = None,
    constraints: options.ConstraintsFile = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            show_default="NAME.drift.html in this folder",
            help="Write the report's page to this file.",
        ),
    ] = None,
    no_html: Annotated[bool, typer.Option("--no-html", help="Write no page.")] = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", help="Write the report to this file, too, as JSON."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare files with a baseline: a table, worst column first, and a page beside it.

    \b
    mlops drift check last-week.jsonl --baseline train.csv --label churned
    mlops drift check 'batch/*.parquet' -b baseline.json -t age=0.05 -t '*:missing=0.02'
    mlops drift check now.csv -b baseline.json --config drift-monitor.yaml --no-html
    zcat day.jsonl.gz | mlops drift check - -b statistics.json --policy model-monitor

    The page is NAME.drift.html in this folder; with --json there is none, unless --html names it.

    \b
    Exit status
    0  healthy
    2  drift
    3  too few records for a verdict
    1  a file cannot be used, or an option is not accepted
    """  # noqa: D301
    from mlops_framework.cli import drift_words, screen
    from mlops_framework.cli.drift_files import refuse_over
    from mlops_framework.drift.report import report_document

    asked = options.Asked(
        current,
        baseline,
        config,
        stage,
        {
            "label_column": label or None,
            "time_column": time or None,
            "effect_threshold": effect,
            "rate_threshold": rate,
            "minimum_records": minimum_records,
            "ignored_columns": ignore or None,
            "policy": policy,
        },
        threshold or (),
        records,
        constraints,
    )
    if html is not None and no_html:
        raise NotDone("--html names a page and --no-html wants none; give one of them.")
    for path in (html, report):
        if path == Path(options.STDIN):
            raise NotDone("--html and --report name files; --json prints the report.")
        if path is not None:
            refuse_over(path, [*current, *baseline])
    found = options.evaluated(asked)
    document = report_document(found.evaluation)
    page = html or (None if no_html or as_json else _page_of(found.name))
    if as_json:
        screen.show_json(document)
    else:
        drift_words.show_check(document)
        drift_words.show_sections(found.evaluation.sections)
        drift_words.show_left_out(found.counted.profile, found.counted.ignored)
    for note in found.notes:
        screen.show_note(note)
    _write(document, found, page, report, quiet=as_json)
    _leave(document)


def _page_of(name: str) -> Path:
    """The page in the working folder: data folders may be read-only, or be read as a whole."""
    stem = Path(name).name.split(".")[0]
    return Path(f"{stem}.drift.html" if stem and " files" not in name else "drift.html")


def _write(
    document: Mapping[str, Any],
    found: Found,
    page: Path | None,
    report: Path | None,
    *,
    quiet: bool,
) -> None:
    """Write what was asked for; that it cannot be written changes nothing about the verdict."""
    from mlops_framework.cli import screen
    from mlops_framework.cli.drift_files import save
    from mlops_framework.drift.report_html import report_page

    say = screen.show_note if quiet else screen.show_line
    for what, path in (("page", page), ("JSON", report)):
        if path is None:
            continue
        text = report_page(document) if what == "page" else _text(document)
        if save(what, path, text, never_over=found.read):
            say(f"Report ({what}): {path}")


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def baseline(
    reference: Annotated[
        list[Path],
        typer.Argument(
            help="Training data: CSV with header, JSON lines or Parquet; captured traffic; or "
            "Model Monitor's statistics.json or constraints.json. Files, folders and patterns of "
            "one table.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    label: options.Label = "",
    time: options.Time = "",
    columns: Annotated[
        str,
        typer.Option(
            "--columns", show_default="none", help="Names of captured CSV's columns, with commas."
        ),
    ] = "",
    records: options.Records = None,
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
    """Make a baseline from training data or traffic, once, for many checks.

    \b
    mlops drift baseline train.csv -o baseline.json --label churned
    mlops drift baseline 'train/*.parquet' -o baseline.json --time collected_at
    mlops drift baseline captured/ -o baseline.json --columns age,income,colour

    Exit status: 0, or 1 if a file cannot be used.
    """  # noqa: D301
    from mlops_framework.cli import screen
    from mlops_framework.cli.drift_files import write_text
    from mlops_framework.drift_check.files import expanded
    from mlops_framework.drift_check.references import read_baseline, read_form

    files = expanded(reference)
    what = files[0].name if len(files) == 1 else f"{len(files)} files"
    names = [name.strip() for name in columns.split(",") if name.strip()]
    with options.progress(f"Reading {what}") as told:
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
    if not built.rows:
        screen.show_note(
            "It holds constraints alone, and nothing of distributions: give it with --policy "
            "model-monitor."
        )


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
    current: options.Current,
    baseline: options.BaselineFile,
    label: options.Label = "",
    time: options.Time = "",
    records: options.Records = None,
    config: options.Config = None,
    stage: options.Stage = "",
    effect: options.Effect = None,
    rate: options.Rate = None,
    minimum_records: options.Minimum = None,
    threshold: options.Threshold = None,
    ignore: options.Ignore = None,
    policy: options.PolicyName = None,
    constraints: options.ConstraintsFile = None,
    as_json: AsJson = False,
) -> None:
    """Show every test of one column, and both sides next to each other.

    \b
    mlops drift explain age last-week.jsonl --baseline baseline.json

    Exit status: 0, or 1 if a file cannot be used or has no such column.
    """  # noqa: D301
    from mlops_framework.cli import drift_words, screen
    from mlops_framework.drift.report import report_document

    asked = options.Asked(
        current,
        baseline,
        config,
        stage,
        {
            "label_column": label or None,
            "time_column": time or None,
            "effect_threshold": effect,
            "rate_threshold": rate,
            "minimum_records": minimum_records,
            "ignored_columns": ignore or None,
            "policy": policy,
        },
        threshold or (),
        records,
        constraints,
    )
    document = report_document(options.evaluated(asked, column=column).evaluation)
    shown = next(found for found in document["columns"] if found["name"] == column)
    if as_json:
        findings = [found for found in document["findings"] if found["column"] == column]
        screen.show_json({"verdict": document["verdict"], "findings": findings} | shown)
    else:
        drift_words.show_column(document, shown)


def _leave(document: Mapping[str, Any]) -> None:
    match document["verdict"]:
        case "drift":
            raise typer.Exit(DRIFT)
        case "insufficient-data":
            raise typer.Exit(TOO_LITTLE)
