"""What is spelt otherwise in traffic than in training data has not drifted."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.ground_truth.classes import class_of
from mlops_framework.drift.policy import Policy, judge
from mlops_framework.testing.drift import capture_line
from tests.unit.drift.conftest import profile_of

POLICY = Policy(effect_threshold=0.02, minimum_records=30)


def drifted(
    training: Callable[[int], str], served: Callable[[int], str], values: int
) -> list[tuple[str, str]]:
    """What is found in 400 rows that are the training data's, but for how they are spelt."""
    source = random.Random(4)
    rows = [f"{training(source.randrange(values))},1\n" for _ in range(2000)]
    baseline = Baseline.of_csv(["x,one\n", *rows], label_column="", source="train.csv")
    lines = [capture_line(f"{served(source.randrange(values))},1") for _ in range(400)]
    judgement = judge(baseline, profile_of(baseline, lines), POLICY)
    return [(breach.column, breach.test) for breach in judgement.breaches]


@pytest.mark.parametrize("training", [("False", "True"), ("0", "1"), ("0.0", "1.0")])
@pytest.mark.parametrize("served", [("0", "1"), ("false", "true"), ("0.0", "1.0")])
def test_truth_values_are_ones_and_zeros(
    training: tuple[str, str], served: tuple[str, str]
) -> None:
    assert drifted(training.__getitem__, served.__getitem__, 2) == []


def test_a_flag_that_turns_round_has_drifted_however_it_is_spelt() -> None:
    often = ("False", "False", "False", "True")
    seldom = ("1", "1", "1.0", "0")
    assert ("x", "shares") in drifted(often.__getitem__, seldom.__getitem__, 4)
    assert ("x", "shares") in drifted(seldom.__getitem__, often.__getitem__, 4)


@pytest.mark.parametrize("missing", ["nan", "NaN", "None", "null", "NA", ""])
def test_a_missing_text_is_missing_however_it_is_spelt(missing: str) -> None:
    served = ("red", "green", missing)
    assert drifted(("red", "green", "").__getitem__, served.__getitem__, 3) == []


def test_what_is_a_category_of_the_training_data_is_no_missing_value() -> None:
    countries = ("BW", "ZA", "NA")  # the last one is Namibia
    assert drifted(countries.__getitem__, countries.__getitem__, 3) == []
    assert ("x", "missing") in drifted(countries.__getitem__, ("BW", "ZA", "").__getitem__, 3)


def test_months_with_an_underscore_are_names_and_no_numbers() -> None:
    rows = [f"2024_{month:02d}\n" for month in range(1, 13)] * 20
    column = Baseline.of_csv(["x\n", *rows], label_column="", source="train.csv").columns[0]
    assert column.spec.kind == "categories"
    assert class_of("2024_07") == "2024_07"
