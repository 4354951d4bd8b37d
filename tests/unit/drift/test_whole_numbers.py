"""Whole numbers are told from fractions where a monitor asks for it, and only there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mlops_framework.drift.baseline import Baseline, column_of
from mlops_framework.drift.columns import ColumnCounts, ColumnSpec
from mlops_framework.drift.documents import counts_from, counts_to
from mlops_framework.drift.tally import counted
from mlops_framework.drift.values import Numbers


def spec(*, whole: bool) -> ColumnSpec:
    return ColumnSpec("n", "numeric", (0.0, 10.0), whole=whole)


def counts(*values: float, whole: bool = True) -> ColumnCounts:
    return counted(spec(whole=whole), Numbers(np.array(values)))


def test_a_baseline_knows_which_of_its_columns_hold_whole_numbers_only() -> None:
    columns = {
        "codes": Numbers(np.array([1.0, 2.0, 2.0, np.nan] * 50)),
        "many": Numbers(np.arange(5000.0)),
        "halves": Numbers(np.arange(5000.0) / 2),
    }
    baseline = Baseline.of_columns(columns, source="test")

    again = Baseline.from_document(baseline.to_document(), "test")

    assert [column.integral for column in baseline.columns] == [True, True, False]
    assert again == baseline


def test_whole_numbers_are_counted_and_add_up() -> None:
    both = counts(1.0, 2.5, -3.0).merged(counts(4.0, np.nan))

    assert both.whole == 3
    assert counts_from(counts_to(both)) == both


def test_nothing_is_counted_or_written_where_nobody_asks() -> None:
    unasked = counts(1.0, 2.0, whole=False)

    assert unasked.whole == 0
    assert "whole" not in counts_to(unasked)


def test_a_baseline_that_counts_them_has_cells_of_its_own_name() -> None:
    column = column_of("n", Numbers(np.arange(500.0)))
    asking = replace(column, spec=replace(column.spec, whole=True))

    plain, other = (Baseline((each,), 500, "test") for each in (column, asking))

    assert plain.id != other.id
    assert Baseline.from_document(other.to_document(), "test") == other
