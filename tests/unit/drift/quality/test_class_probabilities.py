"""Probabilities of several classes: counted exactly, judged with labels, estimated without."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_framework.drift.ground_truth.answers import likeliest, normalised, predicted
from mlops_framework.drift.ground_truth.classes import classes_of
from mlops_framework.drift.ground_truth.joined import JoinedRows, join
from mlops_framework.drift.ground_truth.label_files import labels_of
from mlops_framework.drift.ground_truth.partitions import Part
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.ground_truth.tables import table_of
from mlops_framework.drift.quality.estimating import estimated_of_classes
from mlops_framework.drift.quality.metrics import Metric, metrics_of
from mlops_framework.drift.quality.sums import QualitySums, settings_digest
from mlops_framework.drift.quality.training import rows_of as training_rows
from mlops_framework.drift.training_columns import Part as TrainingPart
from mlops_framework.drift.values import Numbers, as_texts, texts_of
from mlops_framework.testing.drift import capture_line
from tests.unit.drift.conftest import rows_of
from tests.unit.drift.quality.test_quality_watched import WATCHED, Call, Watched, metric

NAMES = ("cat", "dog", "eel")
SETTINGS = GroundTruth(
    problem_type="MulticlassClassification",
    probabilities={name: str(place) for place, name in enumerate(NAMES)},
    reference_windows=2,
)


def rows(table: Any, labels: Sequence[str], names: Sequence[str] = NAMES) -> JoinedRows:
    """Rows with probabilities, a column a class."""
    columns = normalised(dict(zip(names, np.asarray(table, np.float64).T, strict=True)))
    found = classes_of(texts_of(labels))
    return JoinedRows.of_columns(likeliest(columns, len(labels)), found, by_class=columns)


def traffic(count: int, seed: int, mix: Sequence[float] = (1, 1, 1), sharp: float = 2.0) -> Any:
    """Probabilities, and labels drawn of them, but for eels: a third of these are cats."""
    dice = np.random.default_rng(seed)
    table = dice.dirichlet([0.3] * 3, count) ** sharp * np.asarray(mix, float)
    table /= table.sum(1, keepdims=True)
    codes = (dice.random((count, 1)) > table.cumsum(1)).sum(1).clip(0, 2)
    codes = np.where((codes == 2) & (dice.random(count) < 1 / 3), 0, codes)
    return table, [NAMES[code] for code in codes]


def sums_of(table: Any, labels: Sequence[str]) -> QualitySums:
    return QualitySums.of(rows(table, labels), SETTINGS)


@given(
    st.lists(
        st.lists(
            st.tuples(st.lists(st.floats(0, 1), min_size=9, max_size=9), st.integers(-1, 10)),
            min_size=1,
            max_size=8,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_split_gives_the_same_sums(parts: Any) -> None:
    names = [f"c{place}" for place in range(9)]
    settings = replace(SETTINGS, probabilities={name: name for name in names})

    def sums(part: Any) -> QualitySums:
        table = [np.array(p) / max(sum(p), 1e-9) for p, _ in part]
        return QualitySums.of(
            rows(table, [f"c{n}" if n >= 0 else "" for _, n in part], names), settings
        )

    whole = sums([row for part in parts for row in part])
    merged = reduce(QualitySums.merged, [sums(part) for part in reversed(parts)])
    assert merged.to_document() == whole.to_document()
    again = QualitySums.from_document(json.loads(json.dumps(merged.to_document())), "x")
    assert again == whole


def test_each_class_is_held_against_the_rest() -> None:
    table = [[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.1, 0.3, 0.6], [0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]
    sums = sums_of(table, ["cat", "dog", "eel", "dog", ""])
    found = metrics_of(sums)
    # Cats and eels are ranked without a fault; of four pairs of a dog and another, dogs win 3.5.
    assert found["weighted_auc"].value == pytest.approx((1 + 2 * 3.5 / 4 + 1) / 4)
    assert found["log_loss"].value == pytest.approx(-np.log([0.7, 0.7, 0.6, 0.3]).mean())
    assert found["accuracy"].value == 0.75
    assert sums.unscored_rows == 1


def test_a_label_that_has_no_probability_is_no_part_of_the_log_loss() -> None:
    found = metrics_of(sums_of([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]], ["cat", "yak"]))
    assert found["log_loss"].value == pytest.approx(-np.log(0.8))
    assert found["accuracy"].value == 0.5


def test_the_likeliest_class_is_the_prediction_and_other_numbers_are_no_probabilities() -> None:
    outputs = {
        f"prediction.{place}": Numbers(np.array(column))
        for place, column in enumerate(
            [
                [0.5, 0.2, 3.0, 0.5, np.nan, 0.0],
                [0.3, 0.5, -1.0, 0.5, 0.5, 0.0],
                [0.2, 0.3, 0.5, 0, 0.5, 0.0],
            ]
        )
    }
    classes = as_texts(predicted(SETTINGS, outputs, 6)[0])
    said = [classes.distinct[place] for place in classes.indices]
    assert said == ["cat", "dog", "", "cat", "", ""]


@pytest.mark.parametrize("mix", [(1, 1, 1), (3, 1, 1), (0.3, 1, 2)])
def test_the_estimate_follows_the_truth_when_only_the_traffic_moves(mix: Any) -> None:
    """Of 40 windows the true value lies in the interval as often as it should, near enough."""
    reference = sums_of(*traffic(20_000, 7))
    within, gaps = 0, []
    for seed in range(40):
        table, labels = traffic(1000, 1000 + seed, mix)
        truth = metrics_of(sums_of(table, labels))["accuracy"].value
        promise = promised(table, reference)
        within += promise.low <= truth <= promise.high
        gaps.append(promise.value - truth)
    assert within >= 34
    assert abs(float(np.mean(gaps))) < 0.02


def promised(table: Any, reference: QualitySums) -> Metric:
    hidden = sums_of(table, [""] * len(table))
    return estimated_of_classes(hidden.by_class, reference.by_class)["accuracy"]


def test_standard_errors_are_no_smaller_than_the_spread_of_repeated_windows() -> None:
    for name in ("weighted_auc", "log_loss"):
        found = [metrics_of(sums_of(*traffic(400, seed)))[name] for seed in range(200)]
        spread = float(np.std([one.value for one in found]))
        error = float(np.mean([one.error for one in found]))
        assert spread * 0.9 < error < spread * 2.5, name


def test_nothing_is_promised_of_classes_nobody_knows() -> None:
    table, labels = traffic(5000, 3)
    reference = sums_of(table, [label if label != "cat" else "" for label in labels])
    hidden = sums_of(table, [""] * 5000)
    few = sums_of(table[:100], labels[:100])
    assert not estimated_of_classes(hidden.by_class, few.by_class)
    assert not estimated_of_classes(hidden.by_class, {"dog": reference.by_class["dog"]})


class Several(Watched):
    """An endpoint whose answers are three probabilities."""

    def answer(
        self, hour: int, *, labels: bool = True, lie: float = 0.0, mix: Any = (1, 1, 1)
    ) -> None:
        table, said = traffic(1000, hour, mix)
        dice = np.random.default_rng(hour)
        said = [NAMES[(NAMES.index(one) + (dice.random() < lie)) % 3] for one in said]
        lines = [
            capture_line(
                row,
                ",".join(f"{p:.4f}" for p in probabilities),
                time=f"2026-03-01T{hour}:05:00Z",
                identity=f"{hour}-{number}",
            )
            for number, (row, probabilities) in enumerate(zip(rows_of(1000, 5), table, strict=True))
        ]
        self.capture_lines(f"2026-03-01T{hour}:05:00Z", lines)
        if labels:
            made = [Call(f"{hour}-{n}", 0.0, one) for n, one in enumerate(said)]
            self.label(f"2026-03-01T{hour}:00:00Z", made)


@pytest.fixture
def world() -> Several:
    world = Several(config=replace(WATCHED, ground_truth=SETTINGS))
    for hour in (13, 14):
        world.answer(hour)
    world.evaluate("2026-03-01T15:15:00Z")
    return world


def test_probabilities_are_watched_with_labels_and_estimated_without(world: Several) -> None:
    world.answer(15, lie=0.3)
    world.answer(16, labels=False)
    assert ("15:00", "drift") in world.evaluate("2026-03-01T17:15:00Z")
    section = world.quality("15")
    assert metric(section, "weighted_auc")["breached"]
    assert metric(section, "accuracy")["breached"]
    assert metric(section, "log_loss")["window"]["value"] > 0.5
    words = [one["sentence"] for one in world.report("15")["findings"]]
    assert any(
        one.startswith("The weighted AUC (each class against the rest) fell") for one in words
    )
    estimate = world.quality("16")["estimate"]
    assert estimate["rows"] == 1000
    ((promise),) = estimate["metrics"]
    assert promise["name"] == "accuracy"
    assert promise["window"]["low"] < promise["reference"]["value"] < promise["window"]["high"]
    page = world.bucket.objects[
        world.config.data_bucket, f"drift/{world.config.name}/reports/2026/03/01/1600/report.html"
    ]
    assert "stimated" in page


def test_parts_of_a_window_add_up_to_the_whole(world: Several) -> None:
    """Kept, joined with labels part by part, and counted."""

    def kept(name: str) -> list[bytes]:
        files = sorted(world.bucket.files.items())
        return [data for (_, key), data in files if f"/kept/{name}/2026/" in key]

    tables = [table_of(data, "x") for data in kept("predictions")]
    labels = [labels_of(table_of(data, "x")) for data in kept("labels")]
    whole = join(tables, labels, classes=True)
    assert whole is not None
    sums = []
    for part in (Part(number, 3) for number in range(3)):
        mine = join([part.rows(one) for one in tables], map(part.labels, labels), classes=True)
        assert mine is not None
        sums.append(QualitySums.of(mine, SETTINGS))
    assert reduce(QualitySums.merged, sums) == QualitySums.of(whole, SETTINGS)
    assert sum(counts.sum() for counts in sums[0].by_class.values()) > 0


def test_settings_without_probabilities_count_as_they_always_did() -> None:
    plain = GroundTruth(problem_type="MulticlassClassification")
    assert settings_digest(plain) == "ec223ffeadba77e4"
    assert settings_digest(plain) != settings_digest(SETTINGS)
    assert "by_class" not in QualitySums.of(rows([[1, 0, 0]], ["cat"]), plain).to_document()


def test_rows_that_were_kept_of_other_classes_are_not_counted() -> None:
    both = rows([[0.8, 0.2, 0.0]] * 2, ["cat"] * 2)
    later = {**both.by_class, "eel": np.array([0.0, np.nan], np.float32)}
    assert QualitySums.of(replace(both, by_class=later), SETTINGS).by_class["cat"].sum() == 1
    del later["eel"]
    assert not QualitySums.of(replace(both, by_class=later), SETTINGS).by_class


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"problem_type": "Regression"}, "accepted with MulticlassClassification alone"),
        ({"probabilities": {"cat": "0"}}, "accepted is an object of 2 to 20 classes"),
        ({"probabilities": {"1": "0", "1.0": "1"}}, "names of their own"),
        ({"probabilities": {"cat": "0", "dog": ""}}, "none empty"),
        ({"baseline_probabilities": {"cat": "a", "dog": "b"}}, "accepted are the classes of"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: Mapping[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        GroundTruth.from_document({**SETTINGS.to_document(), **changes})


def test_probabilities_of_the_baseline_data_are_a_reference() -> None:
    settings = GroundTruth.from_document(
        {
            **SETTINGS.to_document(),
            "baseline_probabilities": {name: f"p_{name}" for name in NAMES},
            "baseline_ground_truth_attribute": "was",
        }
    )
    table, labels = traffic(300, 5)
    columns = {f"p_{name}": Numbers(table[:, place]) for place, name in enumerate(NAMES)}
    part = TrainingPart({**columns, "was": texts_of(labels)}, 300)
    assert QualitySums.of(training_rows(part, settings), settings) == sums_of(table, labels)
