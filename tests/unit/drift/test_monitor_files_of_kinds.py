"""Model quality, bias and attribution as Model Monitor's files, each kind in its own folder."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema

from mlops_framework.drift.bias.settings import BiasSettings
from mlops_framework.drift.bias.watcher import BiasWatcher
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.ground_truth.joiner import Joiner
from mlops_framework.drift.ground_truth.predictions import KeepPredictions
from mlops_framework.drift.model_monitor_files.analysis import Analysis
from mlops_framework.drift.model_monitor_files.model_quality import ModelQualityStatistics
from mlops_framework.drift.model_monitor_files.schemas import Name, schema
from mlops_framework.drift.model_monitor_files.sections import attribution_files
from mlops_framework.drift.model_monitor_files.violations import read_violations
from tests.unit.drift.bias.test_bias_watching import TRUTH, judged, traffic
from tests.unit.drift.quality.test_quality_watched import WATCHED, Watched, calls
from tests.unit.drift.test_service import CONFIG, NAME, World


def valid(name: Name, document: Any) -> Any:
    jsonschema.Draft202012Validator(schema(name)).validate(document)
    return document


def file(world: World, kind: str, hour: int, name: str) -> Any:
    place = f"reports/model-monitor/{NAME}/drift-monitor{kind}/2026/03/01/{hour}/{name}.json"
    return world.document(place)


def asking(config: MonitorConfig) -> MonitorConfig:
    return replace(config, model_monitor_files=True)


def test_model_quality_is_written_with_what_broke_its_limit() -> None:
    truth = WATCHED.ground_truth
    assert truth is not None
    limited = replace(truth, thresholds={"accuracy": 0.9})
    world = Watched(config=asking(replace(WATCHED, ground_truth=limited)))
    world.serve("2026-03-01T13:05:00Z", calls(13))
    world.label("2026-03-01T13:00:00Z", calls(13))
    world.evaluate("2026-03-01T14:15:00Z")

    document = valid("model_quality_statistics", file(world, "-model-quality", 13, "statistics"))
    limits = valid("model_quality_constraints", file(world, "-model-quality", 13, "constraints"))
    found = valid(
        "constraint_violations", file(world, "-model-quality", 13, "constraint_violations")
    )

    read = ModelQualityStatistics.from_document(document, "statistics.json")
    assert read.rows == 1000
    assert sum(sum(row.values()) for row in read.confusion.values()) == 1000
    assert 0 < read.metrics["accuracy"].deviation < 0.05
    assert {"au_prc", "accuracy_best_constant_classifier"} <= read.metrics.keys()
    assert read.curves["receiver_operating_characteristic_curve"]["true_positive_rates"][-1] == 1
    assert limits["binary_classification_constraints"]["accuracy"]["threshold"] == 0.9
    (broken,) = read_violations(found, "constraint_violations.json")
    assert (broken.metric, broken.check) == ("accuracy", "LessThanThreshold")


def test_a_window_without_labels_has_no_files_of_model_quality() -> None:
    world = Watched(config=asking(WATCHED))
    world.serve("2026-03-01T13:05:00Z", calls(13))
    world.evaluate("2026-03-01T14:15:00Z")

    written = [key for _, key in world.bucket.objects if "/model-monitor/" in key]
    assert len(written) == 3
    assert not any("model-quality" in key for key in written)


def test_bias_is_written_as_clarify_does_with_what_is_farther_from_fair() -> None:
    settings = BiasSettings.from_document({"facets": [{"column": "colour", "values": ["green"]}]})
    world = World(asking(replace(CONFIG, ground_truth=TRUTH, bias=settings)))
    watcher = BiasWatcher(Joiner(world.bucket), world.bucket)
    world.drift = replace(world.drift, keepers=(KeepPredictions(),), watchers=(watcher,))
    world.drift.build_baseline(NAME)
    for hour, green in ((11, 0.5), (12, 0.5), (13, 0.25)):
        world.evaluate(f"2026-03-01T{hour}:01:00Z")
        traffic(world, hour, green=green, others=0.55)
        judged(world, hour)

    now = Analysis.from_document(valid("analysis", file(world, "-bias", 13, "analysis")), "now")
    found = valid("constraint_violations", file(world, "-bias", 13, "constraint_violations"))

    (facet,) = now.post_training
    assert (facet.facet, facet.value, now.label_value) == ("colour", "green", "1")
    assert now.post_training[0].metrics[0].description.startswith("difference")
    valid("analysis", file(world, "-bias", 13, "constraints"))
    entries = read_violations(found, "constraint_violations.json")
    assert found["version"] == "1.0"
    assert {"DPPL", "DI"} <= {entry.metric for entry in entries}
    assert {(entry.facet, entry.facet_value) for entry in entries} == {("colour", "green")}
    quiet = file(world, "-bias", 11, "constraint_violations")
    assert quiet == {"version": "1.0", "violations": []}


def section(ndcg: float) -> dict[str, Any]:
    """An attribution section as the report has it."""
    return {
        "ndcg": {"value": ndcg, "low": ndcg - 0.01, "high": ndcg + 0.01},
        "features": [
            {"name": "age", "baseline": 0.4, "window": 0.1},
            {"name": "income", "baseline": 0.1, "window": 0.5},
        ],
    }


def test_attribution_is_written_as_clarify_does() -> None:
    moved, same = attribution_files(section(0.7)), attribution_files(section(0.95))

    now = Analysis.from_document(valid("analysis", moved["analysis.json"]), "now")
    before = Analysis.from_document(valid("analysis", moved["constraints.json"]), "before")
    violations = valid("constraint_violations", moved["constraint_violations.json"])
    assert now.attributions == {"label0": {"age": 0.1, "income": 0.5}}
    assert before.attributions == {"label0": {"age": 0.4, "income": 0.1}}
    assert json.dumps(violations["violations"]).count("exceeds threshold 0.9") == 1
    assert same["constraint_violations.json"]["violations"] == []
    assert attribution_files({"ndcg": None, "features": []}) == {}
