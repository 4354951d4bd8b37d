"""Windows are judged by what their profiles hold of outcomes, however these were merged."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from mlops_framework.drift.attribution.settings import AttributionSettings
from mlops_framework.drift.attribution.watcher import AttributionWatcher
from mlops_framework.drift.bias.settings import BiasSettings
from mlops_framework.drift.bias.watcher import BiasWatcher
from mlops_framework.drift.ground_truth.joiner import Joiner
from mlops_framework.drift.ground_truth.predictions import KeepPredictions
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.objects import ObjectVersion
from mlops_framework.drift.outcomes.counting import Counting
from mlops_framework.drift.profiling import chunks_of, profile_chunks
from mlops_framework.drift.quality.watching import ModelQualityWatcher
from mlops_framework.drift.records import Records
from mlops_framework.drift.scale.gathering import Gathering
from mlops_framework.drift.scale.merging import MergeTree
from mlops_framework.drift.windows import Task, Window, moment
from mlops_framework.testing.drift import capture_line, label_key, label_line
from tests.unit.drift.conftest import rows_of
from tests.unit.drift.test_service import BUCKET, CONFIG, NAME, World

HOUR = Window(moment("2026-03-01T14:00:00Z"), moment("2026-03-01T15:00:00Z"))
WATCHED = replace(
    CONFIG,
    ground_truth=GroundTruth(
        problem_type="BinaryClassification",
        probability_attribute="0",
        baseline_probability_attribute="p",
        baseline_ground_truth_attribute="label",
        minimum_labels=200,
    ),
    ground_truth_location=f"s3://{BUCKET}/labels/x",
    bias=BiasSettings.from_document(
        {
            "facets": [{"column": "colour", "values": ["green"]}],
            "group_column": "children",
            "flip_test_columns": ["income", "children"],
            "flip_test_rows": 300,
        }
    ),
    attribution=AttributionSettings.from_document(
        {
            "source": "captured",
            "outputs": {"income": "prediction.1", "children": "prediction.2"},
            "baseline": {"income": 0.8, "children": 0.3},
        }
    ),
)


@dataclass
class Runs:
    """Nobody merges but the test."""

    started: list[str] = field(default_factory=list)

    def start(self, monitor: str, since: datetime, until: datetime, *, name: str) -> None:
        self.started.append(name)


class Watched(World):
    """A monitor that asks for everything."""

    def __post_init__(self) -> None:
        super().__post_init__()
        store, joiner = self.bucket, Joiner(self.bucket)
        self.drift = replace(
            self.drift,
            keepers=(KeepPredictions(),),
            watchers=(
                ModelQualityWatcher(store, joiner),
                BiasWatcher(joiner, store),
                AttributionWatcher(store, None, lambda: 0.0),
            ),
        )
        dice = random.Random(3)
        lines = ["income,children,colour,p,label"]
        for row in rows_of(4000, 1):
            score = dice.random()
            lines.append(f"{','.join(map(str, row))},{score},{int(dice.random() < score)}")
        key = self.config.baseline_data.removeprefix(f"s3://{BUCKET}/")
        self.bucket.objects[BUCKET, key] = "\n".join(lines) + "\n"
        self.drift.build_baseline(NAME)
        self.evaluate("2026-03-01T12:00:00Z")

    def serve(self, lines: Sequence[str], name: str = "a") -> None:
        self.capture_lines("2026-03-01T14:05:00Z", lines, name=name)

    def report(self) -> Any:
        """The hour, judged."""
        self.evaluate("2026-03-01T15:15:00Z")
        return self.document("reports/2026/03/01/1400/report.json")

    def forget_outcomes(self) -> None:
        """Leave profiles as releases wrote them that did not count outcomes."""
        for (bucket, key), text in list(self.bucket.objects.items()):
            if "/profiles/" in key:
                document = json.loads(text)
                del document["profile"]["outcomes"]
                self.bucket.objects[bucket, key] = json.dumps(document)


def traffic(count: int, seed: int = 5, *, truth: bool = False) -> list[str]:
    dice = random.Random(seed)
    lines = []
    for number, row in enumerate(rows_of(count, seed)):
        score = round(dice.random(), 6)
        answer = f"{score},{dice.gauss(0, 0.8):.4f},{dice.gauss(0, 0.3):.4f}"
        line = json.loads(capture_line(row, answer, identity=f"{seed}-{number}"))
        if truth:
            label = str(int(dice.random() < score))
            line["groundTruthData"] = {"data": label, "encoding": "CSV"}
        lines.append(json.dumps(line))
    return lines


SECTIONS = ("model_quality", "bias", "attribution")


def test_a_window_without_labels_is_judged_by_its_profile_and_no_row_is_read() -> None:
    kept, counted = Watched(WATCHED), Watched(WATCHED)
    for world in (kept, counted):
        world.serve(traffic(900))
    kept.forget_outcomes()
    counted.bucket.files.clear()
    expected, report = kept.report(), counted.report()
    for section in ("model_quality", "bias"):
        assert report[section] == expected[section]
    assert report["model_quality"]["estimate"]["rows"] == 900
    flips = next(m for m in report["bias"]["facets"][0]["metrics"] if m["metric"] == "FT")
    assert flips["low"] < flips["value"] < flips["high"]
    assert report["attribution"]["ndcg"]["value"] > 0.99


def test_sums_that_earlier_releases_kept_beside_profiles_are_still_read() -> None:
    world = Watched(WATCHED)
    world.serve(traffic(900))
    (key,) = (key for _, key in world.bucket.objects if "/profiles/" in key)
    (sums,) = json.loads(world.bucket.objects[BUCKET, key])["profile"]["outcomes"].values()
    place = key.replace("/profiles/", "/kept/attributions/")
    world.bucket.files[BUCKET, place] = json.dumps(sums["attribution"]).encode()
    world.forget_outcomes()
    assert world.report()["attribution"]["rows"] == 900


def test_labels_let_the_same_rows_be_judged_with_them() -> None:
    unlabelled, labelled = Watched(WATCHED), Watched(WATCHED)
    for world in (unlabelled, labelled):
        world.serve(traffic(900))
    key = label_key("labels/x", "2026-03-01T14:00:00Z")
    labelled.bucket.objects[BUCKET, key] = label_line("5-0", 1)
    labelled.drift.take_labels(NAME, ObjectVersion(BUCKET, key, "1", "1"))
    before, after = unlabelled.report(), labelled.report()
    assert after["model_quality"]["labels"]["labelled"] == 1
    free = ("DPPL", "DI", "CDDPL", "FT")
    metrics = [
        [one for one in report["bias"]["facets"][0]["metrics"] if one["metric"] in free]
        for report in (before, after)
    ]
    assert len(metrics[0]) == len(free)
    assert metrics[0] == metrics[1]


def test_captures_that_hold_their_labels_are_judged_without_waiting_for_any() -> None:
    world = Watched(WATCHED)
    world.serve(traffic(900, truth=True))
    kept = dict(world.bucket.files)
    world.bucket.files.clear()
    quality = world.report()["model_quality"]
    assert quality["labels"]["labelled"] == 900
    accuracy = next(one for one in quality["metrics"] if one["name"] == "accuracy")
    assert accuracy["window"]["value"] == pytest.approx(0.75, abs=0.05)
    # Labels that are collected for some of the rows later leave the others theirs.
    world.bucket.files.update(kept)
    key = label_key("labels/x", "2026-03-01T15:00:00Z")
    world.bucket.objects[BUCKET, key] = label_line("5-0", 1)
    world.drift.take_labels(NAME, ObjectVersion(BUCKET, key, "1", "1"))
    assert world.report()["model_quality"]["labels"]["labelled"] == 900


@pytest.mark.parametrize(("most_rows", "judged"), [(1000, 900), (700, 400)])
def test_captures_counted_on_an_earlier_baseline_have_their_say_unless_there_are_too_many(
    most_rows: int, judged: int
) -> None:
    world = Watched(WATCHED)
    joiner = Joiner(world.bucket, most_rows=most_rows)
    watchers = (ModelQualityWatcher(world.bucket, joiner), BiasWatcher(joiner, world.bucket))
    world.drift = replace(world.drift, watchers=watchers)
    world.serve(traffic(500, 5), "a")
    key = CONFIG.baseline_data.removeprefix(f"s3://{BUCKET}/")
    lines = world.bucket.objects[BUCKET, key].splitlines(keepends=True)
    world.bucket.objects[BUCKET, key] = "".join(lines[:2000])
    world.drift.build_baseline(NAME)
    world.serve(traffic(400, 6), "b")
    report = world.report()
    assert report["captures"]["rows"] == 400
    assert report["model_quality"]["labels"]["rows"] == judged
    (facet,) = report["bias"]["facets"]
    assert facet["rows"] + facet["others"] == judged


def test_outcomes_of_a_window_merged_by_many_are_those_counted_at_once() -> None:
    lines = traffic(780)
    one, many = Watched(WATCHED), Watched(replace(WATCHED, distributed_above=64))
    many.drift = replace(many.drift, distribution=Runs())
    one.serve(lines)
    for part in range(130):
        many.serve(lines[part::130], f"{part:03}")
    records = Records(many.bucket, many.config)
    gathering = Gathering(many.bucket, many.config, records.baseline())
    tree = MergeTree(gathering)
    while groups := tree.groups(HOUR.start, HOUR.end):
        for group in groups:
            tree.merge(json.loads(json.dumps(group)))
    keys = records.profile_keys(HOUR.start, HOUR.end)[HOUR]
    merged = gathering(Task(HOUR, tuple(sorted(keys)), complete=True)).profile
    counting = Counting.of(many.config, records.baseline())
    chunks = chunks_of(lines)
    direct = profile_chunks(
        chunks, records.baseline(), window_of=lambda _: HOUR, time=HOUR.start, counting=counting
    )[HOUR]
    assert merged.to_json() == direct.to_json()
    assert len(direct.outcomes) == 1
    many.bucket.files.clear()  # neither rows nor anything else is kept beside the profiles
    expected, report = one.report(), many.report()
    for section in SECTIONS:
        assert report[section] == expected[section]
