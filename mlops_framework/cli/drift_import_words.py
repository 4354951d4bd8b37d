"""What ``mlops drift import-model-monitor`` says: the request, and both verdicts side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_framework.drift.model_monitor_import.rehearsal import Compared
    from mlops_framework.drift.model_monitor_import.requests import Imported


def yaml_of(result: Imported) -> str:
    """The request file, with what is different at its top."""
    import yaml

    lines = ["Made by: mlops drift import-model-monitor. What is different:"]
    for note in result.notes:
        lines += textwrap.wrap(note, 96, initial_indent="- ", subsequent_indent="  ")
    head = "".join(f"# {line}\n" for line in lines)
    body = yaml.safe_dump(dict(result.request), sort_keys=False, allow_unicode=True)
    return f"{head}{body}"


def document(
    result: Imported, compared: Sequence[Compared], output: Path | None
) -> Mapping[str, Any]:
    """Everything, for machines."""
    return {
        "request": dict(result.request),
        "notes": list(result.notes),
        "written": str(output) if output else None,
        "executions": [
            {
                "start": one.execution.start.isoformat(),
                "end": one.execution.end.isoformat(),
                "rows": one.seen.rows,
                "model_monitor": {
                    "status": one.execution.status,
                    "reason": one.execution.reason,
                    "violations": None
                    if one.theirs is None
                    else [violation.to_document() for violation in one.theirs],
                },
                "same_rules": {
                    "status": one.seen.status,
                    "violations": [violation.to_document() for violation in one.seen.violations],
                    "agree": one.same,
                    "only_model_monitor": list(one.only_theirs),
                    "only_here": list(one.only_ours),
                },
                "own_rule": {
                    "verdict": one.seen.verdict,
                    "features": list(one.seen.features),
                    "findings": list(one.seen.sentences),
                },
            }
            for one in compared
        ],
    }


def show(
    result: Imported,
    compared: Sequence[Compared],
    others: Mapping[str, str],
    output: Path | None,
) -> None:
    """Show a request, what is different, and both verdicts side by side."""
    from mlops_framework.cli import screen

    if output is None:
        screen.show_line(yaml_of(result))
    for note in result.notes:
        screen.show_note(note)
    for name, kind in others.items():
        screen.show_note(f"{name} ({kind}) watches the endpoint, too; name it to take it along.")
    if compared:
        screen.show_table(
            ("Traffic (UTC)", "Rows", "Model Monitor", "Its rules here", "Own rule here"),
            [_row(one) for one in compared],
            title="The last runs",
        )
        for one in compared:
            for text in (*_differences(one), *_reasons(one)):
                screen.show_line(text)
    else:
        screen.show_note("There is no run of a data quality schedule to compare on.")
    if output is not None:
        screen.show_line(
            f"{output} is written, its baseline is in the data bucket. Send it: "
            f"mlops submit or mlops apply --plan {output.parent}"
        )
    else:
        screen.show_note("Nothing was written; --output FILE writes the request and its baseline.")


def _row(one: Compared) -> tuple[str, ...]:
    run, seen = one.execution, one.seen
    theirs = run.status if not one.theirs else f"{run.status}: {_short(one.theirs)}"
    same = seen.status if not seen.violations else f"{seen.status}: {_short(seen.violations)}"
    own = seen.verdict if not seen.features else f"{seen.verdict}: {', '.join(seen.features[:4])}"
    span = f"{run.start:%Y-%m-%d %H:%M} to {run.end:%H:%M}"
    return span, f"{seen.rows:,}", theirs, same, own


def _short(violations: Sequence[Any]) -> str:
    names = list(dict.fromkeys(violation.subject for violation in violations))
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _differences(one: Compared) -> list[str]:
    if one.same is not False:
        return []
    span = f"{one.execution.start:%Y-%m-%d %H:%M}"
    found = []
    if one.only_theirs:
        found.append(f"{span}: only Model Monitor: {', '.join(one.only_theirs)}")
    if one.only_ours:
        found.append(f"{span}: only its rules here: {', '.join(one.only_ours)}")
    return found


def _reasons(one: Compared) -> list[str]:
    return [f"{one.execution.start:%Y-%m-%d %H:%M}: {text}" for text in one.seen.sentences[:3]]
