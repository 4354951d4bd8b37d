"""Counting files and tables at hand on a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.checking import (
    ColumnsDiffer,
    Counted,
    count_captures,
    count_parts,
    together,
)
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.errors import FileUnusable
from mlops_framework.drift.model_monitor_policy.preparing import POLICY
from mlops_framework.drift.outcomes.counting import Counting
from mlops_framework.drift.profile import Profile, sample_of
from mlops_framework.drift.unreadable import REASONS
from mlops_framework.drift_check.files import Told, chunks, format_of, reading
from mlops_framework.drift_check.outcomes import TableOutcomes, columns_of
from mlops_framework.drift_check.tables import Table, csv_table, json_table, parquet_table


def count_files(
    files: Sequence[Path], baseline: Baseline, config: MonitorConfig, *, told: Told
) -> Counted:
    """Count the records of files on a baseline, as one.

    Args:
        files: The files, whatever forms they have.
        baseline: What to count on.
        config: The rule.
        told: Is told how far it is, 0..1.

    Raises:
        FileUnusable: If one is nothing that is read, lacks columns of the baseline, or nothing in
            all of them can be read.
    """
    found = []
    for number, path in enumerate(files):
        with reading(path):

            def share(done: float, number: int = number) -> None:
                told((number + done) / len(files))

            found.append(_of_file(path, baseline, config, share))
    counted = together(found, baseline)
    if counted.profile.left_out and not counted.profile.rows:
        reasons = "\n".join(left_out(counted.profile))
        what = str(files[0]) if len(files) == 1 else f"{len(files)} files"
        raise FileUnusable(
            f"No record of {what} could be read. The baseline has {len(baseline.columns)} "
            f"columns: {', '.join(baseline.names)}.\n{reasons}"
        )
    return counted


def _of_file(path: Path, baseline: Baseline, config: MonitorConfig, told: Told) -> Counted:
    time = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    form = config.records
    match format_of(path):
        case "baseline":
            raise FileUnusable(f"{path} is a baseline; give it as --baseline.")
        case "statistics" | "constraints":
            raise FileUnusable(f"{path} is Model Monitor's; give it as --baseline.")
        case "capture":
            counting = Counting.of(config, baseline)
            return count_captures(
                chunks(path, told), baseline, time=time, form=form, counting=counting
            )
        case "json-lines":
            table = json_table(path, told, form.input if form else None)
        case "parquet":
            table = parquet_table(path, told)
        case "csv":
            table = csv_table(path, told)
    return count_of_table(table, baseline, config, source=str(path), time=time)


def count_of_table(
    table: Table, baseline: Baseline, config: MonitorConfig, *, source: str, time: datetime
) -> Counted:
    """Count a table's rows on a baseline, and what became of them.

    Args:
        table: The table.
        baseline: What to count on.
        config: The rule.
        source: What the table is called in messages.
        time: When it was made.

    Raises:
        FileUnusable: If it lacks columns of the baseline.
    """
    outcomes = TableOutcomes(config, {spec.name: spec for spec in baseline.specs})
    apart = [*columns_of(config), *filter(None, (config.label_column, config.time_column))]
    try:
        counted = count_parts(
            table.names,
            lambda leave_out: outcomes.through(table.parts(leave_out)),
            baseline,
            source=source,
            time=time,
            apart=apart,
            time_column=config.time_column,
            lenient=config.policy == POLICY,
        )
    except ColumnsDiffer as fault:
        told = [str(fault), f"Its columns: {', '.join(fault.names)}."]
        if len(fault.missing) == len(baseline.names):
            told.append("It has none of the baseline's; is its first line a header?")
        elif len(fault.missing) == 1:
            told.append(f"If {fault.missing[0]} is the label: --label {fault.missing[0]}.")
        raise FileUnusable("\n".join(told)) from fault
    return outcomes.added_to(counted)


def called(places: Sequence[Path], files: Sequence[Path]) -> str:
    """What files are called in a report: the name of the only place, or how many they are."""
    only = places[0].name if len(places) == 1 else ""
    return only if only and not set(only) & set("*?[") else f"{len(files)} files"


def left_out(profile: Profile) -> tuple[str, ...]:
    """How many records could not be read, why, and the first kept of each reason."""
    if not profile.left_out:
        return ()
    seen: dict[str, str] = {}
    for reason, excerpt in (sample_of(text) for text, _ in profile.samples.most_frequent()):
        seen.setdefault(reason, excerpt)
    told = [f"Left out: {profile.left_out:,} that could not be read."]
    for reason, count in sorted(profile.unreadable.items(), key=lambda item: (-item[1], item[0])):
        example = f", for example {seen[reason][:60]!r}" if seen.get(reason) else ""
        told.append(f"- {count:,}: {REASONS.get(reason, reason)}{example}")
    return tuple(told)


__all__ = ["called", "count_files", "count_of_table", "left_out"]
