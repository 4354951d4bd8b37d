"""The steps of a distributed run over in-memory ports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from lambdas.drift.scale import StepInvalid, step
from mlops_framework.drift.config import S3Location
from mlops_framework.drift.errors import DocumentInvalid
from mlops_framework.drift.ground_truth.label_files import label_files
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.objects import ObjectVersion
from mlops_framework.drift.scale.machine import scale_definition
from mlops_framework.drift.scale.steps import Steps
from mlops_framework.drift.windows import moment
from mlops_framework.testing.drift import (
    InMemoryMonitors,
    capture_key,
    capture_line,
    label_key,
    label_line,
)
from tests.unit.drift.conftest import rows_of
from tests.unit.drift.test_service import BUCKET, CONFIG, NAME, World

ASKED = {
    "monitor": NAME,
    "from": "2026-03-01T14:00:00Z",
    "to": "2026-03-03T00:00:00Z",
    "run": "run-1",
}


@dataclass(frozen=True)
class Listed:
    """Lists the captures of a world."""

    world: World

    def folders(self, folder: S3Location) -> list[str]:
        return [f"{folder.key}/AllTraffic/"]

    def versions(self, folder: S3Location) -> Iterator[tuple[ObjectVersion, int]]:
        for bucket, key in sorted(self.world.bucket.objects):
            if key.startswith(folder.key):
                yield ObjectVersion(bucket, key, "v1"), 1000


@pytest.fixture
def world() -> World:
    """Seventy captured objects that no event announced."""
    world = World(replace(CONFIG, distributed_above=64))
    world.drift.build_baseline(NAME)
    for number in range(70):
        time = f"2026-03-01T14:{number % 60:02}:00Z"
        lines = [capture_line(row, time=time) for row in rows_of(3, number)]
        world.bucket.objects[BUCKET, capture_key(NAME, time, f"{number}")] = "\n".join(lines)
    world.clock.set("2026-03-03T00:00:00Z")
    return world


@pytest.fixture
def steps(world: World) -> Steps:
    return Steps(world.drift, Listed(world))


def listed(world: World, answer: dict[str, Any]) -> list[Any]:
    """What a map state would read."""
    found = json.loads(world.bucket.objects[answer["bucket"], answer["key"]])
    assert len(found) == answer["items"]
    return list(found)


def test_a_run_profiles_merges_and_ends_with_the_times_to_judge(world: World, steps: Steps) -> None:
    planned = step({"step": "plan", **ASKED}, steps=steps)
    assert (planned["more"], planned["items"]) == (False, 1)
    (batch,) = listed(world, planned)
    rows = step({"step": "profile", "monitor": NAME, "objects": batch}, steps=steps)
    assert rows == {"rows": 210}
    assert step({"step": "plan", **ASKED}, steps=steps)["items"] == 0
    grouped = step({"step": "group", **ASKED}, steps=steps)
    assert (grouped["items"], grouped["times"]) == (2, [])
    for group in listed(world, grouped):
        part = step({"step": "merge", "monitor": NAME, "group": group}, steps=steps)["part"]
        assert part.startswith(f"drift/{NAME}/parts/2026/03/01/1400/")
    done = step({"step": "group", **ASKED}, steps=steps)
    assert done["items"] == 0
    assert done["times"] == [
        {"from": "2026-03-01T14:00:00Z", "to": "2026-03-02T14:00:00Z"},
        {"from": "2026-03-02T14:00:00Z", "to": "2026-03-03T00:00:00Z"},
    ]
    assert world.evaluate(since=ASKED["from"], until=ASKED["to"]) == [("14:00", "healthy")]


def test_an_object_that_is_gone_by_now_is_passed_over(world: World, steps: Steps) -> None:
    (batch,) = listed(world, step({"step": "plan", **ASKED}, steps=steps))
    del world.bucket.objects[BUCKET, batch[0]["key"]]
    rows = step({"step": "profile", "monitor": NAME, "objects": batch}, steps=steps)
    assert rows == {"rows": 207}


def test_a_damaged_object_stops_no_run_and_a_damaged_baseline_does(
    world: World, steps: Steps
) -> None:
    (batch,) = listed(world, step({"step": "plan", **ASKED}, steps=steps))
    damaged = f"captures/{NAME}/input/2026/03/01/14/job.json"  # a manifest, by its name
    world.bucket.objects[BUCKET, damaged] = "no manifest"
    batch.insert(0, {"key": damaged, "version": ""})
    asked = {"step": "profile", "monitor": NAME, "objects": batch}
    assert step(asked, steps=steps) == {"rows": 210}
    world.bucket.objects[BUCKET, f"drift/{NAME}/baseline.json"] = "{}"
    with pytest.raises(DocumentInvalid):
        step(asked, steps=steps)


def test_a_backfill_takes_labels_that_are_older_than_their_monitor(world: World) -> None:
    location = f"s3://{BUCKET}/truth"
    truth = GroundTruth(problem_type="BinaryClassification", probability_attribute="0")
    config = replace(world.config, ground_truth=truth, ground_truth_location=location)
    drift = replace(world.drift, monitors=InMemoryMonitors({NAME: config}))
    steps = Steps(drift, Listed(world))
    for hour in ("2026-03-02T07", "2026-03-03T09", "2026-03-09T00"):  # one in the future, one late
        key = label_key("truth", f"{hour}:00:00Z")
        world.bucket.objects[BUCKET, key] = label_line(hour, 1)
    asked = {**ASKED, "to": "2026-03-02T12:00:00Z"}

    def planned(run: str) -> list[Any]:
        answer = step({"step": "plan", **asked, "run": run}, steps=steps)
        batches = listed(world, answer)
        items = [item for batch in batches for item in batch]
        step({"step": "profile", "monitor": NAME, "objects": items}, steps=steps)
        return [item["key"] for item in items if "of" in item]

    assert planned("20260301T1400-of-an-evaluation") == []
    assert planned("backfill-1-0") == [label_key("truth", "2026-03-02T07:00:00Z")]
    assert planned("backfill-1-1") == []
    world.clock.set("2026-03-03T10:00:00Z")
    assert planned("backfill-1-2") == [label_key("truth", "2026-03-03T09:00:00Z")]
    span = (moment(ASKED["from"]), moment(ASKED["to"]))
    assert [file.hour.hour for file in label_files(config, world.bucket, *span)] == [7, 9]


def test_an_unknown_step_names_those_there_are(steps: Steps) -> None:
    with pytest.raises(StepInvalid, match="accepted are plan, profile, group, merge, joins, join"):
        step({"step": "guess"}, steps=steps)


def test_only_what_takes_seconds_is_done_by_executions_that_end_after_five_minutes() -> None:
    states = scale_definition(partition="aws", steps_arn="STEPS", evaluate_arn="EVALUATE")["States"]
    kinds = {
        state["ItemSelector"]["step"]: state["ItemProcessor"]["ProcessorConfig"]["ExecutionType"]
        for state in states.values()
        if "step" in state.get("ItemSelector", {})
    }
    assert kinds == {"profile": "STANDARD", "merge": "EXPRESS", "join": "STANDARD"}


def test_every_state_of_the_machine_can_be_reached_and_every_step_is_one() -> None:
    written = scale_definition(partition="aws", steps_arn="STEPS", evaluate_arn="EVALUATE")
    states = written["States"]
    reached, waiting = set(), [written["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        state = states[name]
        choices = [choice["Next"] for choice in state.get("Choices", ())]
        waiting += [*choices, *(state[key] for key in ("Next", "Default") if key in state)]
    assert reached == set(states)
    asked = {state["Parameters"]["step"] for state in states.values() if state["Type"] == "Task"}
    mapped = {
        state["ItemSelector"]["step"]
        for state in states.values()
        if "step" in state.get("ItemSelector", {})
    }
    assert asked | mapped == {"plan", "profile", "group", "merge", "joins", "join"}
