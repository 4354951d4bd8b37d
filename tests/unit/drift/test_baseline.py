from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest

from mlops_framework.drift.baseline import Baseline, BaselineColumn
from mlops_framework.drift.errors import BaselineInvalid, DocumentInvalid
from mlops_framework.drift.policy import Policy, judge
from mlops_framework.drift.training_columns import hours_of as hours_of_rows
from mlops_framework.drift.values import Numbers
from mlops_framework.testing.drift import capture_line
from tests.unit.drift.conftest import csv_of, profile_of, rows_of


def column_of(values: list[object]) -> BaselineColumn:
    lines = ["x\n", *(f"{value}\n" for value in values)]
    return Baseline.of_csv(lines, label_column="", source="x.csv").columns[0]


def test_columns_keep_the_order_of_the_training_data_and_lose_the_label(baseline: Baseline) -> None:
    assert baseline.names == ("income", "children", "colour")
    assert baseline.rows == 5000


def test_kinds_follow_from_the_values(baseline: Baseline) -> None:
    assert [column.spec.kind for column in baseline.columns] == ["numeric", "codes", "categories"]


def test_a_numeric_column_has_cells_of_about_equal_weight(baseline: Baseline) -> None:
    income = baseline.columns[0]
    inner = income.counts.cells[1:-1]
    assert len(inner) >= 120
    assert max(inner) < 2 * 5000 / 128
    assert (income.counts.cells[0], income.counts.cells[-1]) == (0, 0)
    assert sum(inner) == 5000


def test_codes_have_a_cell_each_and_nothing_between_them(baseline: Baseline) -> None:
    children = baseline.columns[1]
    assert children.spec.codes == (0.0, 1.0, 2.0, 3.0)
    assert sum(children.counts.cells[1::2]) == 5000
    assert sum(children.counts.cells[::2]) == 0


def test_a_value_heavier_than_a_cell_is_a_cell_of_its_own() -> None:
    source = random.Random(1)
    values = [0.0 if source.random() < 0.6 else source.gammavariate(2, 30) for _ in range(4000)]
    column = column_of(list(values))
    assert column.spec.kind == "numeric"
    assert values.count(0.0) in column.counts.cells


def test_few_rows_of_many_different_numbers_are_no_codes() -> None:
    assert column_of([1.5 * number for number in range(60)]).spec.kind == "numeric"


def test_years_of_age_are_codes() -> None:
    source = random.Random(1)
    assert column_of([source.randrange(95) for _ in range(3000)]).spec.kind == "codes"


def test_a_few_words_among_numbers_are_invalid_and_not_a_category() -> None:
    column = column_of([*range(1000), *["broken"] * 20])
    assert column.spec.kind == "numeric"
    assert column.counts.invalid == 20


def test_identifiers_share_buckets_and_only_heavy_ones_have_a_cell() -> None:
    column = column_of([*(f"id-{number}" for number in range(3000)), *["guest"] * 100])
    assert column.spec.categories == ("guest",)
    assert len(column.counts.cells) == 1 + 64
    assert min(column.counts.cells) > 20
    assert not column.complete
    assert column.singletons == 3000


def test_an_empty_column_is_a_column_without_values() -> None:
    column = column_of(['""'] * 50)
    assert column.spec.kind == "categories"
    assert column.counts.missing == 50


def test_a_constant_is_a_single_code() -> None:
    assert column_of([7] * 100).spec.codes == (7.0,)


def test_a_stored_baseline_is_read_back_as_it_was(baseline: Baseline) -> None:
    document = json.loads(json.dumps(baseline.to_document()))
    read = Baseline.from_document(document, "s3://b/baseline.json")
    assert read == baseline
    assert read.id == baseline.id


def test_the_id_depends_on_the_cells_and_not_on_the_counts() -> None:
    first = Baseline.of_csv(["x\n", "1\n", "2\n"], label_column="", source="a")
    again = Baseline.of_csv(["x\n", "1\n", "2\n", "2\n", "1\n"], label_column="", source="b")
    other = Baseline.of_csv(["y\n", "1\n", "2\n"], label_column="", source="a")
    assert first.id == again.id
    assert first.id != other.id


@pytest.mark.parametrize(
    ("lines", "label", "message"),
    [
        ([], "", "is empty; expected CSV with a header line"),
        (["a,b\n"], "", "has a header but no rows"),
        (["a,,b\n", "1,2,3\n"], "", "column 2 of the header has no name"),
        (["a,b,a\n", "1,2,3\n"], "", "names a more than once"),
        (["a,b\n", "1,2\n"], "target", "no column 'target' to leave out.*a, b"),
        (["y\n", "1\n"], "y", "holds the label column 'y' and nothing else"),
        (["a,b\n", "1,2\n", "3\n"], "", "row 3 has 1 fields, the header has 2"),
    ],
)
def test_training_data_that_cannot_be_used_is_refused_with_the_reason(
    lines: list[str], label: str, message: str
) -> None:
    with pytest.raises(BaselineInvalid, match=message):
        Baseline.of_csv(lines, label_column=label, source="s3://b/train.csv")


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    lines = ["\ufeffa,b\n", "1,2\n"]
    assert Baseline.of_csv(lines, label_column="", source="x").names == ("a", "b")


def test_another_kind_of_document_is_refused() -> None:
    with pytest.raises(DocumentInvalid, match="mlops-drift-profile"):
        Baseline.from_document({"kind": "mlops-drift-profile", "version": 1}, "s3://b/k")


def test_the_same_training_data_gives_the_same_document() -> None:
    rows = rows_of(500, 3)
    one, other = (
        Baseline.of_csv(csv_of(order), label_column="label", source="x")
        for order in (rows, rows[::-1])
    )
    assert json.dumps(one.to_document()) == json.dumps(other.to_document())


def hourly(hours: int, seed: int, *, wobble: float, rows: int = 200) -> list[str]:
    """Rows of x, g and the time; every hour's average moves a little."""
    source = random.Random(seed)
    lines = []
    for hour in range(hours):
        middle = source.gauss(0, wobble)
        share = 0.5 + source.gauss(0, wobble / 2)
        lines += [
            f"{source.gauss(middle, 1):.4f},{'a' if source.random() < share else 'b'},"
            f"2026-03-{1 + hour // 24:02d}T{hour % 24:02d}:30:00Z\n"
            for _ in range(rows)
        ]
    return lines


def hours_of(text: list[str]) -> Baseline:
    return Baseline.of_csv(
        ["x,g,at\n", *text], label_column="", time_column="at", source="hours.csv"
    )


def test_a_time_column_is_left_out_and_tells_how_much_hours_differ() -> None:
    restless, calm = hours_of(hourly(60, 5, wobble=0.3)), hours_of(hourly(60, 5, wobble=0))
    assert restless.names == ("x", "g")
    number, text = (column.between for column in restless.columns)
    assert number is not None
    assert text is not None
    assert number.hours == 60
    # A wobble of 0.3 standard deviations moves the mean midrank by about 0.3 / (2 sqrt(pi)).
    assert number.location == pytest.approx((0.3 * 0.2821) ** 2, rel=0.5)
    assert text.design == pytest.approx((0.15 / 0.5) ** 2, rel=0.6)
    quiet = calm.columns[0].between
    assert quiet is not None
    assert quiet.location < number.location / 20
    again = Baseline.from_document(json.loads(json.dumps(restless.to_document())), "a file")
    assert again == restless


def test_a_wobble_that_ordinary_hours_have_is_healthy_and_a_larger_change_is_found() -> None:
    base = hours_of(hourly(60, 5, wobble=0.15))
    naive = replace(base, columns=tuple(replace(c, between=None) for c in base.columns))
    policy = Policy(effect_threshold=0.02)
    alarms = naive_alarms = 0
    for seed in range(40):
        rows = hourly(1, 100 + seed, wobble=0.15, rows=600)
        window = profile_of(base, [capture_line(row.rsplit(",", 1)[0]) for row in rows])
        alarms += judge(base, window, policy).verdict == "drift"
        naive_alarms += judge(naive, window, policy).verdict == "drift"
    assert alarms <= 1 < 10 < naive_alarms
    source = random.Random(9)
    moved = [f"{source.gauss(1.2, 1):.4f},a" for _ in range(1000)]
    shifted = profile_of(base, [capture_line(row) for row in moved])
    assert {b.column for b in judge(base, shifted, policy).breaches} == {"x", "g"}


@pytest.mark.parametrize("unit", [1, 1e3, 1e6, 1e9])
@pytest.mark.parametrize("numbers", [True, False])
def test_times_in_smaller_units_than_seconds_are_of_the_same_hours(
    unit: float, *, numbers: bool
) -> None:
    seconds = [1_772_000_000 + 600 * row for row in range(30)]
    times = np.array(seconds, np.float64) * unit
    column = Numbers(times) if numbers else [f"{time:.0f}" for time in times.tolist()]
    assert hours_of_rows(column, "at", "x").tolist() == [second // 3600 for second in seconds]


def test_a_time_that_is_none_is_named() -> None:
    with pytest.raises(BaselineInvalid, match=r"inf in its time column at is no time"):
        hours_of_rows(Numbers(np.array([1.8e9, np.inf])), "at", "x")
    with pytest.raises(BaselineInvalid, match=r"'noon' in its time column at is no time"):
        hours_of(["1,a,noon\n"])
    with pytest.raises(BaselineInvalid, match=r"no column 'when' to leave out as time_column"):
        Baseline.of_csv(["x\n", "1\n"], label_column="", time_column="when", source="x.csv")
