"""The noise of floating point is no drift: not in codes, heavy values or at the ends."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mlops_framework.drift.attribution.explaining import typical_row
from mlops_framework.drift.bars import bars_of
from mlops_framework.drift.baseline import Baseline, BaselineColumn, column_of
from mlops_framework.drift.documents import spec_from, spec_to
from mlops_framework.drift.model_monitor_files.counted import baseline_statistics
from mlops_framework.drift.number_cells import plain
from mlops_framework.drift.policy import Judgement, Policy, judge
from mlops_framework.drift.tally import counted
from mlops_framework.drift.values import Numbers
from mlops_framework.testing.drift import capture_line
from tests.unit.drift.conftest import profile_of


def numbers(*values: float) -> Numbers:
    return Numbers(np.array(values, np.float64))


def built(values: list[float]) -> BaselineColumn:
    return column_of("x", numbers(*values))


def single(value: float) -> float:
    return float(np.float32(value))


def judged(training: list[float], window: list[float]) -> Judgement:
    baseline = Baseline.of_columns({"x": numbers(*training)}, source="train.csv")
    profile = profile_of(baseline, [capture_line(repr(value)) for value in window])
    return judge(baseline, profile, Policy(effect_threshold=0.02))


CODES = [0.1, 0.2, 0.30000000000000004, 1.0]
NOISY: dict[str, Callable[[float], float]] = {
    "single precision": single,
    "seven digits": lambda value: float(f"{value:.7g}"),
    "another order of summing": lambda value: math.nextafter(value, 0.0),
    "read twice": lambda value: math.nextafter(single(value), math.inf),
}


@pytest.mark.parametrize("written", NOISY)
def test_codes_written_in_another_way_are_the_same_codes(written: str) -> None:
    source = random.Random(1)
    training, window = source.choices(CODES, k=2000), source.choices(CODES, k=2000)
    noisy = [NOISY[written](value) for value in window]

    assert noisy != window
    assert judged(training, noisy).verdict == "healthy"
    assert judged([NOISY[written](value) for value in training], window).verdict == "healthy"


def test_twins_in_the_training_data_are_one_code_under_its_usual_name() -> None:
    column = built([1.0] * 50 + [0.9999999999999999] * 30 + [single(0.1)] * 20 + [0.1] * 60)

    assert column.spec.codes == (0.1, 1.0)
    assert column.counts.cells == (0, 80, 0, 80, 0)
    assert (column.distinct, column.singletons) == (2, 0)


def test_what_sums_leave_over_is_zero() -> None:
    column = built([0.0] * 50 + [0.1 + 0.2 - 0.3] * 50 + [1.0] * 50)

    assert column.spec.codes == (0.0, 1.0)
    assert counted(column.spec, numbers(6e-17, -6e-17, 1e-9)).cells == (0, 2, 1, 0, 0)


@pytest.mark.parametrize(
    "codes",
    [
        [20260101, 20260102, 20260103],  # dates
        [16777216, 16777217],  # one in single precision
        [1e15, 1e15 + 1],
        [9.99, 10.0],
        [52.52, 52.5201],
        [-0.001, 0.0, 0.001],
        [1e-9, 2e-9, 1.0],
        [1.0, 1e9],
    ],
)
def test_different_values_stay_different_codes(codes: list[float]) -> None:
    column = built([float(code) for code in codes] * 20)

    assert column.spec.codes == tuple(codes)
    assert set(column.counts.cells[1::2]) == {20}


def test_a_date_between_the_known_ones_is_unseen() -> None:
    column = built([20260101.0, 20260301.0] * 50)

    assert counted(column.spec, numbers(20260102.0)).cells == (0, 0, 1, 0, 0)


def test_a_heavy_value_keeps_its_cell_when_it_arrives_with_noise() -> None:
    source = random.Random(3)

    def drawn(exact: float) -> list[float]:
        return [exact if source.random() < 0.6 else source.uniform(0, 0.9) for _ in range(3000)]

    training, window = drawn(0.95), drawn(single(0.95))

    assert built(training).spec.kind == "numeric"
    assert judged(training, window).verdict == "healthy"
    assert judged(training, drawn(0.7)).verdict == "drift"


def test_the_ends_of_the_training_data_may_arrive_with_noise() -> None:
    source = random.Random(4)
    training = [min(source.uniform(0, 1.02), 0.9) for _ in range(3000)]
    window = [single(value) for value in training]

    assert max(training) == 0.9 != max(window)
    assert judged(training, window).verdict == "healthy"


def test_values_that_are_dense_everywhere_are_no_twins() -> None:
    values = [1000 + place * 1e-5 for place in range(400)]

    assert built(values).distinct == 400
    assert built(values).spec.kind == "numeric"


finite = st.floats(-1e9, 1e9, allow_subnormal=False) | st.integers(-1000, 1000).map(float)


@settings(max_examples=200, deadline=None)
@given(st.lists(finite, min_size=1, max_size=12, unique=True), st.integers(0, 10**6))
def test_every_value_is_in_its_own_cell_with_and_without_noise(
    codes: list[float], seed: int
) -> None:
    ordered = sorted(value + 0.0 for value in codes)
    assume(all(b - a > 1e-4 * max(abs(a), abs(b), 1e-3) for a, b in pairwise(ordered)))
    assume(min(map(abs, filter(None, ordered)), default=1) > 1e-3)
    column = built(ordered * 20)
    assume(column.spec.kind == "codes")
    source = random.Random(seed)
    noisy = [
        value * (1 + source.uniform(-1e-7, 1e-7)) if abs(value) < 1e6 else value
        for value in ordered
    ]

    assert column.spec.codes == tuple(ordered)
    assert counted(column.spec, numbers(*noisy)).cells[1::2] == (1,) * len(ordered)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-1e100, 1e100), min_size=1, max_size=300))
def test_any_numbers_have_ascending_edges_and_are_all_counted(values: list[float]) -> None:
    column = built(values)
    spec = column.spec

    assert all(a < b for a, b in pairwise(spec.edges))
    assert sum(column.counts.cells) == len(values)
    assert column.counts.cells[0] == column.counts.cells[-1] == 0
    if spec.kind == "codes":
        assert sum(column.counts.cells[1::2]) == len(values)
    assert spec_from(json.loads(json.dumps(spec_to(spec)))) == spec


def test_a_baseline_of_an_earlier_release_keeps_its_cells_and_its_name() -> None:
    earlier = {"name": "x", "kind": "codes", "centre": 1.0, "exponent": 40, "codes": [0.0, 1.0]}

    spec = spec_from(earlier)

    assert spec.edges == (0.0, math.nextafter(0.0, 1), 1.0, math.nextafter(1.0, 2))
    assert spec_to(spec) == earlier


def test_people_and_other_programs_see_the_values_and_not_the_edges() -> None:
    source = random.Random(5)
    rows = [source.choice([0.5, 0.25]) for _ in range(500)]
    heavy = [0.0 if source.random() < 0.7 else source.uniform(1, 100) for _ in range(500)]
    baseline = Baseline.of_columns({"c": numbers(*rows), "h": numbers(*heavy)}, source="x")
    bars = bars_of(baseline.columns[1], baseline.columns[1].counts)
    features = baseline_statistics(baseline)["features"]
    sketches = [
        feature["numerical_statistics"]["distribution"]["kll"]["sketch"]["data"]
        for feature in features
    ]

    assert bars[0].label.startswith("0 ") or bars[0].label == "0"
    assert {value for level in sketches[0] for value in level} == {0.25, 0.5}
    assert 0.0 in {value for level in sketches[1] for value in level}
    assert typical_row(baseline)[1] == "0"


def test_the_value_of_a_narrow_cell_is_the_plainest_number_in_it() -> None:
    assert plain(0.29999995, 0.30000005, 1.0) == 0.3
    assert plain(-1e-14, 1e-14, 1.0) == 0.0
    assert plain(0.2, 0.4, 1.0) is None
