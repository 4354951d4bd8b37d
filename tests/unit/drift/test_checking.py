"""Judging a table or a batch of captures by hand, with the monitor's own engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.checking import (
    ColumnsDiffer,
    Counted,
    count_captures,
    count_parts,
    evaluate_counted,
)
from mlops_framework.drift.errors import BaselineInvalid
from mlops_framework.drift.profile import merge
from mlops_framework.drift.profiling import chunks_of, profile_lines
from mlops_framework.drift_check.outcomes import Shelf
from mlops_framework.drift_check.settings import settings_of
from mlops_framework.drift_check.tables import parts_of_rows
from mlops_framework.testing.drift import capture_line
from tests.unit.drift.conftest import Row, profile_of_rows, rows_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEADER = ("income", "children", "colour")


def texts(rows: list[Row]) -> list[list[str]]:
    return [list(map(str, row)) for row in rows]


def counted(baseline: Baseline, rows: list[list[str]], header: tuple[str, ...] = HEADER) -> Counted:
    return count_parts(
        header,
        lambda leave_out: parts_of_rows(header, rows, leave_out),
        baseline,
        source="now.csv",
        time=NOON,
    )


def test_a_table_and_the_captures_of_the_same_rows_count_the_same(baseline: Baseline) -> None:
    rows = rows_of(500, 2)
    captures = count_captures(chunks_of(map(capture_line, rows)), baseline, time=NOON)
    table = counted(baseline, texts(rows))
    assert captures.profile.columns == table.profile.columns
    assert table.profile.columns == profile_of_rows(baseline, rows).columns


def test_columns_of_a_table_are_found_by_name_and_others_are_told(baseline: Baseline) -> None:
    rows = texts(rows_of(500, 2))
    turned = [["x", *row[::-1]] for row in rows]
    found = counted(baseline, turned, ("id", "colour", "children", "income"))
    assert found.profile.columns == counted(baseline, rows).profile.columns
    assert found.ignored == ("id",)


def test_captures_count_the_same_as_in_a_monitor_and_cover_the_days_they_are_of(
    baseline: Baseline,
) -> None:
    rows = rows_of(90, 3)
    times = ("2026-03-02T23:30:00-02:00", "2026-03-01T10:00:00Z", "yesterday")
    lines = [capture_line(row, time=times[n % 3]) for n, row in enumerate(rows)]
    lines += ["", "rubbish"]
    found = count_captures(chunks_of(lines), baseline, time=NOON)
    windows = profile_lines(lines, baseline, minutes=60, time=NOON)
    assert found.profile.to_json() == merge(baseline, windows.values()).to_json()
    assert found.profile.unreadable == {"no-time": 30, "not-json": 1}
    assert (found.start.day, found.end.day) == (1, 4)


def test_absent_and_repeated_columns_are_all_named_at_once(baseline: Baseline) -> None:
    with pytest.raises(ColumnsDiffer) as caught:
        counted(baseline, [], ("colour", "colour", "age"))
    assert caught.value.missing == ("income", "children")
    assert caught.value.twice == ("colour",)


def test_the_evaluation_is_called_by_the_file_and_covers_its_day(baseline: Baseline) -> None:
    found = counted(baseline, texts(rows_of(500, 2, shift=20)))
    evaluation = evaluate_counted(
        found, baseline, replace(settings_of({}), endpoint_name="now.csv"), store=Shelf()
    )
    assert evaluation.summary.startswith("Drift in now.csv: 1 of 3 columns")
    assert evaluation.features == ("income",)
    assert (found.end - found.start).days == 1
    assert found.start < NOON < found.end


@pytest.mark.parametrize("count", [0, 29])
def test_nothing_and_too_little_are_never_healthy(baseline: Baseline, count: int) -> None:
    evaluation = evaluate_counted(
        counted(baseline, texts(rows_of(count, 2))),
        baseline,
        settings_of({"minimum_records": 1}),
        store=Shelf(),
    )
    assert evaluation.verdict == "insufficient-data"
    assert "a verdict needs at least 30" in evaluation.summary


def test_a_label_can_be_taken_out_of_a_baseline_later(baseline: Baseline) -> None:
    assert baseline.without("colour").names == ("income", "children")
    assert baseline.without("absent") == baseline
    with pytest.raises(BaselineInvalid, match="nothing else"):
        replace(baseline, columns=baseline.columns[:1]).without("income")
