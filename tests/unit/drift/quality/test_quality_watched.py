"""A monitor's days with labels that come late: joined, compared, told."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

import jsonschema
import pytest

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.ground_truth.joiner import Joiner
from mlops_framework.drift.ground_truth.predictions import KeepPredictions
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.objects import ObjectVersion
from mlops_framework.drift.quality.watching import ModelQualityWatcher
from mlops_framework.drift.report_html import report_page
from mlops_framework.testing.drift import (
    InMemoryMonitors,
    capture_line,
    label_key,
    label_line,
)
from tests.unit.drift.conftest import rows_of
from tests.unit.drift.test_report import Page
from tests.unit.drift.test_service import BUCKET, CONFIG, NAME, World

SCHEMA = json.loads(
    resources.files("mlops_framework.drift").joinpath("report.schema.json").read_text("utf-8")
)
SETTINGS = GroundTruth(
    problem_type="BinaryClassification", probability_attribute="0", reference_windows=2
)
WATCHED = replace(CONFIG, ground_truth=SETTINGS, ground_truth_location=f"s3://{BUCKET}/labels/x")


@dataclass(frozen=True)
class Call:
    identity: str
    score: float
    label: float


def calls(hour: int, count: int = 1000, *, turned: float = 0.0, mean: float = 0.0) -> list[Call]:
    """Calibrated probabilities; a share ``turned`` of the labels is the other way round."""
    dice = random.Random(hour)
    found = []
    for number in range(count):
        score = round(1 / (1 + math.exp(-dice.gauss(mean, 2.0))), 6)
        label = int(dice.random() < score)
        found.append(Call(f"{hour}-{number}", score, label ^ int(dice.random() < turned)))
    return found


class Watched(World):
    """A monitored endpoint whose answers are probabilities."""

    def __post_init__(self) -> None:
        super().__post_init__()
        store = self.drift.store
        watcher = ModelQualityWatcher(store, Joiner(store))
        self.drift = replace(self.drift, keepers=(KeepPredictions(),), watchers=(watcher,))
        self.drift.build_baseline(NAME)
        self.evaluate("2026-03-01T12:00:00Z")

    def serve(
        self, time: str, made: Sequence[Call], *, name: str = "a", version: str = "v1"
    ) -> None:
        lines = [
            capture_line(row, one.score, time=time, identity=one.identity)
            for row, one in zip(rows_of(len(made), 5), made, strict=True)
        ]
        self.capture_lines(time, lines, name=name, version=version)

    def label(
        self, hour: str, made: Sequence[Call], *, name: str = "a.jsonl", version: str = "01"
    ) -> None:
        key = label_key("labels/x", hour, name)
        text = "".join(f"{label_line(one.identity, one.label)}\n" for one in made)
        self.bucket.objects[BUCKET, key] = text
        self.drift.take_labels(NAME, ObjectVersion(BUCKET, key, version, version))

    def report(self, hour: str, day: str = "01") -> Any:
        report = self.document(f"reports/2026/03/{day}/{hour}00/report.json")
        jsonschema.validate(report, SCHEMA)
        return report

    def quality(self, hour: str, day: str = "01") -> Any:
        return self.report(hour, day)["model_quality"]

    def learn(self) -> None:
        """Two good hours with labels, which later ones are compared with."""
        for hour in (13, 14):
            self.serve(f"2026-03-01T{hour}:05:00Z", calls(hour))
            self.label(f"2026-03-01T{hour}:00:00Z", calls(hour))
        self.evaluate("2026-03-01T15:15:00Z")


@pytest.fixture
def world() -> Watched:
    return Watched(config=WATCHED)


def metric(section: Mapping[str, Any], name: str) -> Any:
    return next(one for one in section["metrics"] if one["name"] == name)


def test_late_labels_re_open_their_window_and_a_drop_is_found_and_told(world: Watched) -> None:
    world.learn()
    world.serve("2026-03-01T15:05:00Z", calls(15, turned=0.3))
    assert world.evaluate("2026-03-01T16:15:00Z") == [("15:00", "healthy")]
    world.label("2026-03-02T07:00:00Z", calls(15, turned=0.3))
    judged = world.evaluate("2026-03-02T07:15:00Z")
    assert ("15:00", "drift") in judged
    report = world.report("15")
    assert report["model_quality"]["labels"]["labelled"] == 1000
    sentence = report["findings"][0]["sentence"]
    assert sentence.startswith("The ")
    assert "in the first 2 windows with labels" in sentence
    accuracy = metric(report["model_quality"], "accuracy")
    assert accuracy["breached"]
    assert accuracy["window"]["high"] < accuracy["reference"]["low"]
    subject = "[mlops-test] Model quality of employment-dev dropped: "
    told = [subject_told for subject_told, _ in world.publisher.alerts]
    assert sum(one.startswith(subject) for one in told) == 1
    values = next(v for _, v in world.metrics.values if v.get("ModelQualityDropped"))
    assert values["LabelledRecords"] == 1000.0
    assert 0.5 < values["Accuracy"] < 0.7


def test_good_quality_is_healthy_and_nothing_is_told(world: Watched) -> None:
    world.learn()
    for hour in (15, 16, 17):
        world.serve(f"2026-03-01T{hour}:05:00Z", calls(hour))
        world.label(f"2026-03-01T{hour}:00:00Z", calls(hour))
    verdicts = world.evaluate("2026-03-01T18:15:00Z")
    assert verdicts == [("15:00", "healthy"), ("16:00", "healthy"), ("17:00", "healthy")]
    assert world.publisher.alerts == []
    assert not any(one["breached"] for one in world.quality("17")["metrics"])


@pytest.mark.parametrize("order", range(6))
def test_whatever_comes_twice_or_in_another_order_counts_once(order: int) -> None:
    """Captures, labels, the same events again, and evaluations in between, shuffled."""
    made = calls(14, 300)
    world = Watched(config=WATCHED)
    steps = [
        lambda: world.serve("2026-03-01T14:05:00Z", made[:200], name="a"),
        lambda: world.serve("2026-03-01T14:35:00Z", made[200:], name="b"),
        lambda: world.label("2026-03-01T15:00:00Z", made[:150], name="a.jsonl"),
        lambda: world.label("2026-03-01T16:00:00Z", made[100:250], name="b.jsonl"),
        lambda: world.evaluate("2026-03-01T17:15:00Z"),
    ]
    shuffled = [*steps, *steps]
    random.Random(order).shuffle(shuffled)
    for step in shuffled:
        step()
    world.evaluate("2026-03-01T18:15:00Z")
    section = world.quality("14")
    assert section["labels"]["rows"] == 300
    assert section["labels"]["labelled"] == 250
    assert section["labels"]["labels_repeated"] == 50
    right = sum((one.score >= 0.5) == one.label for one in made[:250])
    assert metric(section, "accuracy")["window"]["value"] == pytest.approx(right / 250)


def test_a_new_version_of_an_object_replaces_what_it_said(world: Watched) -> None:
    made = calls(14, 300)
    wrong = [replace(one, label=1 - one.label) for one in made]
    world.serve("2026-03-01T14:05:00Z", made[:10], version="01")
    world.serve("2026-03-01T14:05:00Z", made, version="02")
    world.label("2026-03-01T15:00:00Z", wrong, version="01")
    world.evaluate("2026-03-01T16:15:00Z")
    before = metric(world.quality("14"), "accuracy")["window"]["value"]
    world.label("2026-03-01T15:00:00Z", made, version="02")
    assert ("14:00", "healthy") in world.evaluate("2026-03-01T17:15:00Z")
    section = world.quality("14")
    assert metric(section, "accuracy")["window"]["value"] == pytest.approx(1 - before)
    assert section["labels"]["rows"] == section["labels"]["labelled"] == 300
    assert section["labels"]["labels_repeated"] == 0


def test_labels_and_predictions_without_each_other_are_counted(world: Watched) -> None:
    world.serve("2026-03-01T14:05:00Z", calls(14, 300))
    world.label("2026-03-01T14:00:00Z", [*calls(14, 120), *calls(99, 30)])
    world.evaluate("2026-03-01T15:15:00Z")
    labels = world.quality("14")["labels"]
    assert (labels["rows"], labels["labelled"]) == (300, 120)
    assert (labels["arrived"], labels["arrived_unmatched"]) == (150, 30)
    values = world.metrics.values[-1][1]
    assert (values["LabelledRecords"], values["UnmatchedLabels"]) == (120.0, 30.0)


def test_labels_of_another_window_re_open_that_window_alone(world: Watched) -> None:
    for hour in (13, 14, 15):
        world.serve(f"2026-03-01T{hour}:05:00Z", calls(hour, 300))
    world.evaluate("2026-03-01T16:15:00Z")
    world.label("2026-03-01T20:00:00Z", calls(14, 300))
    judged = world.evaluate("2026-03-01T20:15:00Z")
    assert judged == [("14:00", "healthy"), ("19:00", "no-data")]


def test_labels_that_come_after_the_horizon_change_nothing(world: Watched) -> None:
    world.serve("2026-03-01T14:05:00Z", calls(14, 300))
    world.evaluate("2026-03-01T15:15:00Z")
    world.label("2026-03-02T15:00:00Z", calls(14, 300))
    judged = world.evaluate("2026-03-02T15:15:00Z")
    assert ("14:00", "healthy") not in judged
    assert world.quality("14")["labels"]["labelled"] == 0


def test_before_labels_come_the_probabilities_tell_of_a_drop(world: Watched) -> None:
    """Traffic moves to where the model is unsure; no label has come yet."""
    world.learn()
    unsure = [
        replace(one, score=round(0.5 + (one.score - 0.5) * 0.2, 6)) for one in calls(15, 2000)
    ]
    world.serve("2026-03-01T15:05:00Z", unsure)
    assert world.evaluate("2026-03-01T16:15:00Z") == [("15:00", "drift")]
    report = world.report("15")
    assert report["model_quality"]["estimate"]["rows"] == 2000
    (finding, *_) = report["findings"]
    assert finding["column"].startswith("estimated ")
    assert "Labels have not come yet" in finding["sentence"]


def test_a_threshold_of_the_request_decides_without_any_reference() -> None:
    settings = replace(SETTINGS, thresholds={"accuracy": 0.9})
    world = Watched(config=replace(WATCHED, ground_truth=settings))
    world.serve("2026-03-01T14:05:00Z", calls(14))
    world.label("2026-03-01T14:00:00Z", calls(14))
    assert world.evaluate("2026-03-01T15:15:00Z") == [("14:00", "drift")]
    sentence = world.report("14")["findings"][0]["sentence"]
    assert "below the 90.0 % that was asked for" in sentence


def test_the_page_shows_before_and_now_side_by_side(world: Watched) -> None:
    world.learn()
    world.serve("2026-03-01T15:05:00Z", calls(15, turned=0.3))
    world.label("2026-03-01T15:00:00Z", calls(15, turned=0.3))
    world.evaluate("2026-03-01T16:15:00Z")
    page = world.bucket.objects[BUCKET, f"drift/{NAME}/reports/2026/03/01/1500/report.html"]
    read = Page()
    read.feed(page)
    read.close()
    shown = " ".join(read.text)
    for text in ("Model quality", "ROC curve", "Confusion matrix", "worse", "1,000 of 1,000"):
        assert text in shown
    assert read.open == []
    assert not any(link.startswith("http") for link in read.references)


def test_a_window_too_large_for_one_function_is_told_and_its_columns_are_judged(
    world: Watched,
) -> None:
    world.learn()
    store = world.drift.store
    watcher = ModelQualityWatcher(store, Joiner(store, most_rows=999))
    world.drift = replace(world.drift, watchers=(watcher,))
    world.serve("2026-03-01T15:05:00Z", calls(15))
    world.label("2026-03-01T15:00:00Z", calls(15))

    assert world.evaluate("2026-03-01T16:15:00Z") == [("15:00", "healthy")]
    report = world.report("15")
    assert "model_quality" not in report
    (finding,) = report["findings"]
    assert (finding["kind"], finding["test"]) == ("model-quality", "not-joined")
    assert "the window has 1,000 rows, which several functions join" in finding["sentence"]


def test_a_drop_that_goes_on_says_since_when(world: Watched) -> None:
    world.learn()
    for hour in (15, 16, 17):
        world.serve(f"2026-03-01T{hour}:05:00Z", calls(hour, turned=0.3))
        world.label(f"2026-03-01T{hour}:00:00Z", calls(hour, turned=0.3))
        world.evaluate(f"2026-03-01T{hour + 1}:15:00Z")
    assert metric(world.quality("17"), "accuracy")["since"] == "2026-03-01T15:00:00Z"
    sentence = world.report("17")["findings"][0]["sentence"]
    assert "So it is since 2026-03-01 15:00 UTC." in sentence


def test_few_labels_an_hour_are_judged_together(world: Watched) -> None:
    """Thirty labels an hour prove nothing alone; a day of them does, and says so."""
    world.learn()
    verdicts = []
    for hour in range(15, 23):
        made = calls(hour, 300, turned=0.4)
        world.serve(f"2026-03-01T{hour}:05:00Z", made)
        world.label(f"2026-03-01T{hour}:00:00Z", made[:30])
        verdicts += world.evaluate(f"2026-03-01T{hour + 1}:15:00Z")
    assert verdicts[0] == ("15:00", "healthy")
    assert verdicts[-1] == ("22:00", "drift")
    section = world.quality("22")
    assert section["pool"]["rows"] >= 100
    assert section["pool"]["since"] > "2026-03-01T14:00:00Z"
    assert section["labels"]["compared"] == 30
    (finding, *_) = (f for f in world.report("22")["findings"] if f["kind"] == "model-quality")
    assert "windows are judged together" in finding["sentence"]
    assert [point["start"][11:13] for point in section["history"]["points"]][:3] == [
        "13",
        "14",
        "15",
    ]


def test_few_labels_an_hour_of_a_good_model_are_healthy_together(world: Watched) -> None:
    world.learn()
    for hour in range(15, 23):
        world.serve(f"2026-03-01T{hour}:05:00Z", calls(hour, 300))
        world.label(f"2026-03-01T{hour}:00:00Z", calls(hour, 300)[:30])
        world.evaluate(f"2026-03-01T{hour + 1}:15:00Z")
    assert world.document("state.json")["sections"]["model-quality"]["status"] == "quiet"
    assert world.publisher.alerts == []
    assert world.quality("22")["pool"] is not None


def test_what_windows_are_compared_with_is_learnt_from_few_labels_too(world: Watched) -> None:
    for hour in range(13, 23):
        world.serve(f"2026-03-01T{hour}:05:00Z", calls(hour, 300))
        world.label(f"2026-03-01T{hour}:00:00Z", calls(hour, 300)[:60])
        world.evaluate(f"2026-03-01T{hour + 1}:15:00Z")
    reference = world.quality("22")["reference"]
    assert (reference["origin"], len(reference["windows"])) == ("windows", 4)
    assert reference["rows"] == 240


def test_a_monitor_without_ground_truth_keeps_nothing() -> None:
    world = Watched(config=CONFIG)
    world.serve("2026-03-01T14:05:00Z", calls(14, 300))
    world.evaluate("2026-03-01T15:15:00Z")
    assert "model_quality" not in world.report("14")
    assert world.bucket.files == {}
    key = label_key("labels/x", "2026-03-01T14:00:00Z")
    assert "reads no labels" in world.drift.take_labels(NAME, ObjectVersion(BUCKET, key)).skipped


@pytest.mark.parametrize("key", ["elsewhere/2026/03/01/14/a.jsonl", "labels/x/a.jsonl"])
def test_objects_that_are_no_labels_of_the_monitor_are_skipped(world: Watched, key: str) -> None:
    skipped = world.drift.take_labels(NAME, ObjectVersion(BUCKET, key)).skipped
    assert "is not of the form" in skipped


def test_a_regression_that_gets_worse_is_told_by_its_errors() -> None:
    settings = GroundTruth(problem_type="Regression", reference_windows=1)
    world = Watched(config=MonitorConfig(**{**vars(WATCHED), "ground_truth": settings}))
    dice = random.Random(3)
    for hour, spread in ((13, 1.0), (14, 1.5)):
        made = [Call(f"{hour}-{n}", round(dice.gauss(0, 5), 4), 0) for n in range(500)]
        labelled = [replace(c, label=round(c.score + dice.gauss(0, spread), 4)) for c in made]
        world.serve(f"2026-03-01T{hour}:05:00Z", made)
        world.label(f"2026-03-01T{hour}:00:00Z", labelled)
        world.evaluate(f"2026-03-01T{hour + 1}:15:00Z")
    report = world.report("14")
    assert report["verdict"] == "drift"
    assert report["findings"][0]["column"] in ("mae", "rmse")
    assert "rose from" in report["findings"][0]["sentence"]
    assert "in the first window with labels" in report["findings"][0]["sentence"]
    assert "500 rows of the first window with labels" in report_page(report)


def test_predictions_in_the_baseline_data_are_what_windows_are_compared_with() -> None:
    settings = replace(
        SETTINGS,
        baseline_probability_attribute="p",
        baseline_ground_truth_attribute="label",
    )
    world = Watched(config=WATCHED)
    key = CONFIG.baseline_data.removeprefix(f"s3://{BUCKET}/")
    made = calls(1, 4000)
    rows = rows_of(4000, 1)
    table = "income,children,colour,p,label\n" + "".join(
        f"{','.join(map(str, row))},{one.score},{one.label}\n"
        for row, one in zip(rows, made, strict=True)
    )
    monitors = InMemoryMonitors({NAME: replace(WATCHED, ground_truth=settings)})
    world.drift = replace(world.drift, monitors=monitors)
    world.bucket.objects[BUCKET, key] = table
    baseline = world.drift.build_baseline(NAME)
    assert baseline.names == ("income", "children", "colour")
    world.serve("2026-03-01T14:05:00Z", calls(14, turned=0.3))
    world.label("2026-03-01T14:00:00Z", calls(14, turned=0.3))
    assert world.evaluate("2026-03-01T15:15:00Z") == [("14:00", "drift")]
    report = world.report("14")
    assert report["model_quality"]["reference"]["rows"] == 4000
    assert "(in the baseline data)" in report["findings"][0]["sentence"]
