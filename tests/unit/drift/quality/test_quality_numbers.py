"""Sums that add up exactly, metrics with honest errors, and estimates that follow the truth."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_framework.drift.ground_truth.answers import from_scores
from mlops_framework.drift.ground_truth.classes import classes_of
from mlops_framework.drift.ground_truth.joined import JoinedRows
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.policy import q_values
from mlops_framework.drift.quality.between_windows import between_windows
from mlops_framework.drift.quality.comparing import beyond, compared, degradation, worse_by
from mlops_framework.drift.quality.estimating import Calibration, estimated
from mlops_framework.drift.quality.exact import exact_sum, mean_of
from mlops_framework.drift.quality.metrics import Metric, best_constant, metrics_of, share
from mlops_framework.drift.quality.sums import MOST_CLASSES, OTHERS, QualitySums
from mlops_framework.drift.values import Numbers, texts_of

BINARY = GroundTruth(problem_type="BinaryClassification", probability_attribute="0")
MANY = GroundTruth(problem_type="MulticlassClassification")
REGRESSION = GroundTruth(problem_type="Regression")


def scored(scores: Any, labels: Sequence[str], settings: GroundTruth = BINARY) -> JoinedRows:
    """Probabilities and labels, ``""`` for none yet."""
    scores = np.asarray(scores, np.float64)
    return JoinedRows.of_columns(
        from_scores(settings, scores), classes_of(texts_of(labels)), scores=scores
    )


def named(labels: Sequence[str], predictions: Sequence[str]) -> JoinedRows:
    return JoinedRows.of_columns(classes_of(texts_of(predictions)), classes_of(texts_of(labels)))


def numbers(labels: Any, predictions: Any) -> JoinedRows:
    return JoinedRows.of_columns(
        Numbers(np.asarray(predictions, np.float64)), Numbers(np.asarray(labels, np.float64))
    )


def calibrated(count: int, seed: int, *, mean: float = 0.0, width: float = 2.0) -> Any:
    """Scores that are true probabilities, and their labels."""
    dice = np.random.default_rng(seed)
    scores = 1 / (1 + np.exp(-dice.normal(mean, width, count)))
    return scores, (dice.random(count) < scores).astype(int)


def texts(labels: Any) -> list[str]:
    return [str(label) for label in labels]


parts = st.lists(
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from(["0", "1", "", "x"])), min_size=1, max_size=20
    ),
    min_size=1,
    max_size=5,
)


@given(parts, st.randoms())
def test_any_split_and_order_of_merging_gives_the_same_sums(
    rows: list[list[tuple[float, str]]], dice: Any
) -> None:
    def sums(part: list[tuple[float, str]]) -> QualitySums:
        return QualitySums.of(scored([s for s, _ in part], [label for _, label in part]), BINARY)

    whole = sums([row for part in rows for row in part])
    shuffled = [sums(part) for part in rows]
    dice.shuffle(shuffled)
    merged = reduce(QualitySums.merged, shuffled)
    assert merged.to_document() == whole.to_document()
    again = QualitySums.from_document(json.loads(json.dumps(merged.to_document())), "x")
    assert again == whole


@given(st.lists(st.floats(-1e50, 1e50, allow_nan=False), max_size=50))
def test_exact_sums_are_what_fsum_says(values: list[float]) -> None:
    array = np.array(values, np.float64)
    total = exact_sum(array)
    assert total == exact_sum(array[::-1])
    expected = math.fsum(values) / len(values) if values else math.nan
    assert mean_of(total, len(values)) == pytest.approx(expected, rel=1e-15, nan_ok=True)


def test_metrics_of_two_classes_are_those_of_the_confusion_matrix() -> None:
    labels = ["1"] * 50 + ["0"] * 50
    scores = [0.9] * 40 + [0.1] * 10 + [0.9] * 20 + [0.1] * 30
    found = metrics_of(QualitySums.of(scored(scores, labels), BINARY))
    expected = {
        "accuracy": 0.7,
        "precision": 40 / 60,
        "recall": 0.8,
        "true_positive_rate": 0.8,
        "true_negative_rate": 0.6,
        "false_positive_rate": 0.4,
        "false_negative_rate": 0.2,
        "f1": 2 * 40 / (2 * 40 + 20 + 10),
        "f2": 5 * 40 / (5 * 40 + 4 * 10 + 20),
        "f0_5": 1.25 * 40 / (1.25 * 40 + 0.25 * 10 + 20),
        "auc": 0.7,
        "brier": (40 * 0.01 + 10 * 0.81 + 20 * 0.81 + 30 * 0.01) / 100,
    }
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value), name


def test_a_prediction_of_its_own_goes_before_the_threshold() -> None:
    settings = GroundTruth(
        problem_type="BinaryClassification", inference_attribute="0", positive_label="yes"
    )
    sums = QualitySums.of(named(["yes", "no", "yes"], ["yes", "yes", "maybe"]), settings)
    assert metrics_of(sums)["accuracy"].value == pytest.approx(1 / 3)


def test_rows_without_labels_or_predictions_are_counted_and_not_compared() -> None:
    rows = scored([0.9, 0.2, math.nan], ["1", "", "0"])
    sums = QualitySums.of(rows, BINARY)
    assert (sums.rows, sums.labelled, sums.compared, sums.scored) == (3, 2, 1, 1)
    assert sums.unscored_rows == 1


def test_more_classes_than_can_be_told_apart_become_one() -> None:
    labels = [f"c{number:04}" for number in range(MOST_CLASSES + 50)]
    sums = QualitySums.of(named(labels, labels), MANY)
    assert sums.compared == MOST_CLASSES + 50
    assert sums.confusion[OTHERS, OTHERS] == 50


def test_always_the_most_frequent_class_is_what_a_model_has_to_beat() -> None:
    sums = QualitySums.of(scored([0.9] * 4, ["1", "1", "1", "0"]), BINARY)
    assert best_constant(sums)["accuracy"] == 0.75
    assert best_constant(sums)["recall"] == 1.0


@pytest.mark.parametrize("name", ["accuracy", "f1", "auc", "precision", "log_loss", "brier"])
def test_standard_errors_are_the_spread_of_repeated_windows(name: str) -> None:
    found = [
        metrics_of(QualitySums.of(scored(scores, texts(labels)), BINARY))[name]
        for scores, labels in (calibrated(400, seed) for seed in range(200))
    ]
    spread = float(np.std([one.value for one in found]))
    assert float(np.mean([one.error for one in found])) == pytest.approx(spread, rel=0.2)


@pytest.mark.parametrize("name", ["weighted_precision", "weighted_f1", "mae", "rmse", "r2"])
def test_standard_errors_of_the_other_problems_too(name: str) -> None:
    found = []
    for seed in range(200):
        dice = np.random.default_rng(seed)
        if name.startswith("weighted"):
            labels = dice.choice(3, 400, p=[0.6, 0.3, 0.1])
            said = np.where(dice.random(400) < 0.7, labels, dice.integers(0, 3, 400))
            sums = QualitySums.of(named(texts(labels), texts(said)), MANY)
        else:
            y = dice.normal(10, 3, 400)
            sums = QualitySums.of(numbers(y, y + dice.normal(0, 1, 400)), REGRESSION)
        found.append(metrics_of(sums)[name])
    spread = float(np.std([one.value for one in found]))
    assert float(np.mean([one.error for one in found])) == pytest.approx(spread, rel=0.2)


def test_the_interval_of_a_share_is_wilsons() -> None:
    metric = share(8, 10)
    assert metric.low == pytest.approx(0.4902, abs=1e-4)
    assert metric.high == pytest.approx(0.9433, abs=1e-4)


def test_quality_that_stays_as_it_was_is_hardly_ever_a_degradation() -> None:
    before = metrics_of(QualitySums.of(scored(*_texts_of(calibrated(5000, 1))), BINARY))
    alarms = 0
    for seed in range(100, 300):
        window = metrics_of(QualitySums.of(scored(*_texts_of(calibrated(1000, seed))), BINARY))
        held = compared(BINARY, window, before)
        adjusted = q_values([one.outcome.p_value for one in held])
        alarms += any(
            q_value < 0.001 and one.outcome.effect >= one.change_threshold
            for one, q_value in zip(held, adjusted, strict=True)
        )
    assert alarms == 0


def test_a_degradation_is_significant_and_better_is_none() -> None:
    before, worse, better = share(900, 1000), share(800, 1000), share(990, 1000)
    assert degradation("accuracy", worse, before).p_value < 1e-6
    assert degradation("accuracy", worse, before).effect == pytest.approx(0.1)
    assert degradation("accuracy", better, before).effect == 0.0
    assert worse_by("mae", 1.5, 1.0) == pytest.approx(0.5)
    assert worse_by("false_positive_rate", 0.3, 0.1) == pytest.approx(0.2)


def test_a_threshold_is_broken_only_beyond_doubt() -> None:
    assert beyond("accuracy", share(79, 100), 0.8).p_value > 0.3
    assert beyond("accuracy", share(700, 1000), 0.8).p_value < 1e-9
    assert beyond("accuracy", share(900, 1000), 0.8).effect == 0.0
    assert beyond("false_positive_rate", share(300, 1000), 0.2).p_value < 1e-9


@pytest.mark.parametrize("name", ["accuracy", "auc", "f1"])
@pytest.mark.parametrize(("mean", "width"), [(0.0, 2.0), (1.5, 1.0), (-1.0, 0.5)])
def test_the_estimate_follows_the_truth_when_only_the_traffic_moves(
    name: str, mean: float, width: float
) -> None:
    """Of 40 windows the true value lies in the interval as often as it should, near enough."""
    calibration = Calibration.learnt(
        QualitySums.of(scored(*_texts_of(calibrated(20_000, 7))), BINARY).scores
    )
    assert calibration is not None
    within, gaps = 0, []
    for seed in range(40):
        scores, labels = calibrated(1000, 1000 + seed, mean=mean, width=width)
        truth = metrics_of(QualitySums.of(scored(scores, texts(labels)), BINARY))[name].value
        hidden = QualitySums.of(scored(scores, [""] * 1000), BINARY)
        promise = estimated(hidden.scores, calibration)[name]
        within += promise.low <= truth <= promise.high
        gaps.append(promise.value - truth)
    assert within >= 34
    assert abs(float(np.mean(gaps))) < 0.02


def test_an_overconfident_model_is_seen_through() -> None:
    """Its scores say 0.95 where 0.7 is true: calibration learns it."""
    dice = np.random.default_rng(3)
    scores = np.where(dice.random(20_000) < 0.5, 0.95, 0.05)
    labels = (dice.random(20_000) < np.where(scores > 0.5, 0.7, 0.3)).astype(int)
    calibration = Calibration.learnt(QualitySums.of(scored(scores, texts(labels)), BINARY).scores)
    assert calibration is not None
    hidden = QualitySums.of(scored(scores[:2000], [""] * 2000), BINARY)
    promise = estimated(hidden.scores, calibration)
    assert promise["accuracy"].value == pytest.approx(0.7, abs=0.02)


def test_too_few_labels_calibrate_nothing() -> None:
    scores, labels = calibrated(100, 1)
    assert Calibration.learnt(QualitySums.of(scored(scores, texts(labels)), BINARY).scores) is None


def _texts_of(pair: Any) -> tuple[Any, list[str]]:
    scores, labels = pair
    return scores, texts(labels)


def hourly(hour: int, *, rows: int = 2000, wobble: float = 0.04, drop: float = 0.0) -> Metric:
    """Accuracy of an hour whose true value is 0.85, and some hundredths more or less."""
    dice = np.random.default_rng(hour)
    true = min(1.0, 0.85 + dice.normal(0, wobble) - drop)
    return share(int(dice.binomial(rows, true)), rows)


def alarms(count: int, between: Any, **how: Any) -> int:
    """Hours out of so many that are significant by themselves at the level of the product."""
    before = hourly(0, rows=20_000, wobble=0.0)
    known = {} if between is None else {"accuracy": between}
    found = 0
    for hour in range(1000, 1000 + count):
        window = {"accuracy": hourly(hour, **how)}
        (held,) = compared(SENSITIVE, window, {"accuracy": before}, known)
        found += held.outcome.p_value < 0.001 and held.outcome.effect >= held.change_threshold
    return found


SENSITIVE = GroundTruth(
    problem_type="BinaryClassification", probability_attribute="0", minimum_change=0.02
)


def test_ordinary_differences_between_hours_are_learnt_and_do_not_alarm() -> None:
    seen = [hourly(hour) for hour in range(1, 49)]
    between = between_windows([(one.value, one.low, one.high) for one in seen])
    assert between is not None
    assert math.sqrt(between.variance) == pytest.approx(0.04, rel=0.35)
    assert alarms(200, None) > 40
    assert alarms(200, between) <= 1
    assert alarms(50, between, drop=0.25) == 50


def test_where_labels_explain_all_differences_there_is_nothing_to_add() -> None:
    seen = [hourly(hour, wobble=0.0) for hour in range(1, 60)]
    between = between_windows([(one.value, one.low, one.high) for one in seen])
    assert between is None or math.sqrt(between.variance) < 0.004
    assert between_windows([(0.8, 0.7, 0.9)] * 10) is None
