"""Bias of windows of captured traffic, from profile to report, with labels and without."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from mlops_framework.drift.bias.settings import BiasSettings
from mlops_framework.drift.bias.watcher import BiasWatcher
from mlops_framework.drift.errors import BaselineInvalid
from mlops_framework.drift.ground_truth.joiner import Joiner
from mlops_framework.drift.ground_truth.predictions import KeepPredictions
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.report_bias import bias_page
from mlops_framework.drift.report_html import report_page
from mlops_framework.testing.drift import InMemoryMonitors, capture_line
from tests.unit.drift.conftest import rows_of
from tests.unit.drift.test_report import SCHEMA, read
from tests.unit.drift.test_service import BUCKET, CONFIG, NAME, World

TRUTH = GroundTruth(
    problem_type="BinaryClassification", inference_attribute="prediction", reference_windows=2
)


def world_of(**members: Any) -> World:
    facets = {"facets": [{"column": "colour", "values": ["green"]}]}
    settings = BiasSettings.from_document(facets | members)
    world = World(replace(CONFIG, ground_truth=TRUTH, bias=settings))
    watcher = BiasWatcher(Joiner(world.bucket), world.bucket)
    world.drift = replace(world.drift, keepers=(KeepPredictions(),), watchers=(watcher,))
    world.drift.build_baseline(NAME)
    world.evaluate("2026-03-01T08:00:00Z")
    return world


def traffic(world: World, hour: int, *, green: float, others: float, rows: int = 1200) -> None:
    """An hour in which so many of the green and of the others were predicted 1."""
    source = random.Random(hour)
    time = f"2026-03-01T{hour:02}:05:00Z"
    lines = []
    for place, row in enumerate(rows_of(rows, hour)):
        good = int(source.random() < (green if row[2] == "green" else others))
        line = json.loads(capture_line(row, good, time=time))
        line["eventMetadata"]["eventId"] = f"{hour}-{place}"
        lines.append(json.dumps(line))
    world.capture_lines(time, lines)


def report(world: World, hour: int) -> Any:
    return world.document(f"reports/2026/03/01/{hour:02}00/report.json")


def judged(world: World, hour: int) -> list[tuple[str, str]]:
    return world.evaluate(f"2026-03-01T{hour + 1:02}:15:00Z")


def metric(document: Any, name: str) -> Any:
    (facet,) = document["bias"]["facets"]
    return next(one for one in facet["metrics"] if one["metric"] == name)


def assert_report_is_sound(document: Any) -> None:
    jsonschema.validate(document, SCHEMA)
    page = report_page(document)
    assert bias_page(document["bias"]) in page
    read(page)


@pytest.fixture(scope="module")
def world() -> World:
    """Two hours to learn from, one like them, one that treats green otherwise, one like them."""
    world = world_of()
    for hour, green in ((8, 0.5), (9, 0.5), (10, 0.5), (11, 0.25), (12, 0.5)):
        traffic(world, hour, green=green, others=0.55)
        judged(world, hour)
    return world


def test_the_first_windows_are_what_later_ones_are_compared_with(world: World) -> None:
    assert [report(world, hour)["bias"]["reference"] for hour in (8, 9, 10)] == [
        None,
        None,
        "the first windows",
    ]
    assert report(world, 10)["verdict"] == "healthy"
    impact = metric(report(world, 10), "DI")
    assert impact["low"] < impact["value"] < impact["high"]
    assert [one["breached"] for one in impact["judged"]] == [False]


def test_another_treatment_of_a_group_is_drift_though_no_column_drifted(world: World) -> None:
    found = report(world, 11)
    assert (found["verdict"], found["features"]) == ("drift", [])
    assert {one["kind"] for one in found["findings"]} == {"bias"}
    assert found["findings"][0]["column"] == "colour green"
    sentences = [one["sentence"] for one in found["findings"]]
    assert any("DPPL (difference in positive proportions" in text for text in sentences)
    assert any("in the first windows" in text for text in sentences)
    alerts = [subject for subject, _ in world.publisher.alerts]
    assert alerts == [
        "[mlops-test] Bias on employment-dev: colour green",
        "[mlops-test] Bias of employment-dev is back to what is accepted",
    ]


def test_what_needs_labels_says_so_and_is_not_judged(world: World) -> None:
    recall = metric(report(world, 11), "RD")
    assert (recall["value"], recall["judged"]) == (None, [])
    assert recall["undefined"] == "there are no labels outside the facet"
    assert_report_is_sound(report(world, 11))
    page = bias_page(report(world, 11)["bias"])
    assert "colour green" in page
    assert "chip bad" in page
    assert "Without a value" in page
    assert page.count("<svg") == 2


def test_policy_holds_from_the_first_window_on_and_needs_no_baseline() -> None:
    world = world_of(thresholds={"DI": 0.8})
    traffic(world, 8, green=0.25, others=0.55)
    assert judged(world, 8) == [("08:00", "drift")]
    (finding,) = report(world, 8)["findings"]
    assert finding["test"] == "policy"
    assert "policy allows 0.8 to 1.25" in finding["sentence"]


def test_too_few_rows_are_described_and_not_judged() -> None:
    world = world_of(thresholds={"DI": 0.8}, minimum_rows=500)
    traffic(world, 8, green=0.1, others=0.9, rows=600)
    assert judged(world, 8) == [("08:00", "healthy")]
    assert metric(report(world, 8), "DI")["value"] < 0.3
    assert metric(report(world, 8), "DI")["judged"] == []


def test_the_flip_test_finds_who_would_have_fared_better_outside_the_group() -> None:
    world = world_of(flip_test_columns=["income", "children"], flip_test_rows=400)
    traffic(world, 8, green=0.1, others=0.9)
    judged(world, 8)
    flips = metric(report(world, 8), "FT")
    assert flips["value"] > 0.6
    assert flips["low"] < flips["value"] < flips["high"]


def test_other_settings_start_a_reference_of_their_own() -> None:
    world = world_of()
    traffic(world, 8, green=0.5, others=0.5)
    judged(world, 8)
    key = (BUCKET, f"drift/{NAME}/kept/bias/reference.json")
    first = json.loads(world.bucket.objects[key])
    other = world_of(facets=[{"column": "children", "above": 1}])
    other.bucket.objects[key] = json.dumps(first)
    traffic(other, 9, green=0.5, others=0.5)
    judged(other, 9)
    second = json.loads(other.bucket.objects[key])
    assert first["counting"] != second["counting"]
    assert list(second["windows"]) == ["2026-03-01T09:00:00Z"]


def test_training_data_with_predictions_is_what_every_window_is_compared_with() -> None:
    truth = replace(
        TRUTH, baseline_inference_attribute="predicted", baseline_ground_truth_attribute="label"
    )
    world = world_of()
    config = replace(world.config, ground_truth=truth)
    world.drift = replace(world.drift, monitors=InMemoryMonitors({NAME: config}))
    source = random.Random(5)
    lines = ["income,children,colour,predicted,label"]
    for income, children, colour in rows_of(4000, 1):
        label = int(source.random() < 0.5)
        good = int(source.random() < (0.3 if colour == "green" else 0.7))
        lines.append(f"{income},{children},{colour},{good},{label}")
    key = config.baseline_data.removeprefix(f"s3://{BUCKET}/")
    world.bucket.objects[BUCKET, key] = "\n".join(lines) + "\n"
    baseline = world.drift.build_baseline(NAME)
    assert baseline.names == ("income", "children", "colour")
    traffic(world, 8, green=0.3, others=0.7)
    assert judged(world, 8) == [("08:00", "healthy")]
    found = report(world, 8)["bias"]
    assert found["reference"] == "the training data"
    recall = metric(report(world, 8), "RD")
    assert recall["value"] is None
    assert recall["baseline"] == pytest.approx(0.4, abs=0.06)
    traffic(world, 9, green=0.1, others=0.7)
    judged(world, 9)
    sentences = [one["sentence"] for one in report(world, 9)["findings"]]
    assert any("in the training data" in text for text in sentences)


def test_a_group_column_that_the_training_data_lacks_is_refused_when_the_baseline_is_built() -> (
    None
):
    with pytest.raises(BaselineInvalid, match="no column 'sex', which bias names; its columns are"):
        world_of(facets=[{"column": "sex", "values": [1]}])
