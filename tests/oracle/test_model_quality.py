"""The engine's metrics are those of scikit-learn, its intervals and exact tests those of scipy."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops_framework.drift.ground_truth.answers import from_scores, likeliest
from mlops_framework.drift.ground_truth.classes import classes_of
from mlops_framework.drift.ground_truth.joined import JoinedRows
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.quality.comparing import beyond
from mlops_framework.drift.quality.estimating import Calibration
from mlops_framework.drift.quality.histogram import BINS
from mlops_framework.drift.quality.metrics import metrics_of, share
from mlops_framework.drift.quality.sums import QualitySums
from mlops_framework.drift.values import Numbers, texts_of

pytestmark = pytest.mark.oracle

BINARY = GroundTruth(problem_type="BinaryClassification", probability_attribute="0")
PAIRS = [[8, 10], [79, 100], [700, 1000], [0, 40], [40, 40]]


@pytest.fixture(scope="module")
def data() -> Any:
    """Probabilities lie in the middle of the engine's bins, so that ranking them loses nothing."""
    dice = np.random.default_rng(11)
    p = (dice.beta(0.7, 0.9, 3000) * BINS).astype(int) / BINS + 0.5 / BINS
    many = dice.choice(5, 2000, p=[0.5, 0.25, 0.15, 0.08, 0.02])
    wrong = dice.integers(0, 6, 2000)
    y = dice.normal(3, 7, 2000)
    several = (dice.multinomial(BINS - 2, dice.dirichlet([0.5] * 4, 3000)) + 0.5) / BINS
    return {
        "binary": {"y": (dice.random(3000) < p**1.3).astype(int), "p": p},
        "many": {"y": many, "said": np.where(dice.random(2000) < 0.7, many, wrong)},
        "several": {"y": (dice.random((3000, 1)) > several.cumsum(1)).sum(1), "p": several},
        "regression": {"y": y, "said": y * 0.9 + dice.normal(1, 2, 2000)},
        "shares": {"pairs": np.array(PAIRS)},
    }


@pytest.fixture(scope="module")
def witness(oracle_python: Path, data: Any) -> Any:
    script = Path(__file__).with_name("quality_metrics.py")
    given = json.dumps({n: {k: v.tolist() for k, v in c.items()} for n, c in data.items()})
    done = subprocess.run(
        [str(oracle_python), str(script)], input=given, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def scored(data: Any) -> QualitySums:
    p, y = data["binary"]["p"], data["binary"]["y"]
    rows = JoinedRows.of_columns(
        from_scores(BINARY, p), classes_of(texts_of([str(label) for label in y])), scores=p
    )
    return QualitySums.of(rows, BINARY)


def assert_same(sums: QualitySums, expected: dict[str, float]) -> None:
    found = metrics_of(sums)
    assert found.keys() == expected.keys()
    assert {name: one.value for name, one in found.items()} == pytest.approx(expected, rel=1e-9)


def test_two_classes_and_their_probabilities(data: Any, witness: Any) -> None:
    assert_same(scored(data), witness["binary"])


def test_many_classes(data: Any, witness: Any) -> None:
    settings = GroundTruth(problem_type="MulticlassClassification")
    labels, said = (
        classes_of(texts_of([str(code) for code in data["many"][name]])) for name in ("y", "said")
    )
    assert_same(QualitySums.of(JoinedRows.of_columns(said, labels), settings), witness["many"])


def test_probabilities_of_many_classes(data: Any, witness: Any) -> None:
    columns = data["several"]["p"].T.astype(np.float32)
    by_class = {str(code): column for code, column in enumerate(columns)}
    settings = GroundTruth(
        problem_type="MulticlassClassification", probabilities={name: name for name in by_class}
    )
    labels = classes_of(texts_of([str(code) for code in data["several"]["y"]]))
    rows = JoinedRows.of_columns(likeliest(by_class, len(labels)), labels, by_class=by_class)
    assert_same(QualitySums.of(rows, settings), witness["several"])


def test_numbers(data: Any, witness: Any) -> None:
    settings = GroundTruth(problem_type="Regression")
    labels, said = (Numbers(data["regression"][name]) for name in ("y", "said"))
    sums = QualitySums.of(JoinedRows.of_columns(said, labels), settings)
    assert_same(sums, witness["regression"])


def test_intervals_and_exact_tests_of_shares(witness: Any) -> None:
    for (hits, of), (low, high, p_value) in zip(PAIRS, witness["shares"], strict=True):
        metric = share(hits, of)
        assert (metric.low, metric.high) == (
            pytest.approx(low, abs=1e-9),
            pytest.approx(high, abs=1e-9),
        )
        assert beyond("accuracy", metric, 0.8).p_value == pytest.approx(p_value, rel=1e-6)


def test_the_calibration_is_isotonic_regression(data: Any, witness: Any) -> None:
    calibration = Calibration.learnt(scored(data).scores)
    assert calibration is not None
    bins = np.minimum((data["binary"]["p"] * BINS).astype(int), BINS - 1)
    assert calibration.positive[bins].tolist() == pytest.approx(witness["isotonic"], abs=1e-9)
