"""Windows too large for one function are joined with their labels by many, each label once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from lambdas.drift.evaluate import evaluate
from lambdas.drift.scale import step
from mlops_framework.drift.bias.watcher import BiasWatcher
from mlops_framework.drift.ground_truth.joiner import Joiner
from mlops_framework.drift.ground_truth.label_index import find_matches
from mlops_framework.drift.quality.watching import ModelQualityWatcher
from mlops_framework.drift.scale.machine import scale_definition
from mlops_framework.drift.scale.steps import Steps
from mlops_framework.drift.windows import instant, moment
from tests.lambdas.drift.state_machine import StateMachine
from tests.lambdas.drift.test_scale import Listed
from tests.unit.drift.quality.test_quality_watched import WATCHED, Watched, calls
from tests.unit.drift.test_service import NAME

DEFINITION = scale_definition(partition="aws", steps_arn="STEPS", evaluate_arn="EVALUATE")


@dataclass
class Large(Watched):
    """Windows of more than 400 rows are large here; runs are started by hand, or never."""

    started: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.drift = replace(self.drift, watchers=self.watchers(400), distribution=self)
        self.steps = Steps(self.drift, Listed(self), few_rows=400, part_rows=300)

    def watchers(self, most_rows: int) -> tuple[Any, ...]:
        joiner = Joiner(self.bucket, most_rows=most_rows)
        return ModelQualityWatcher(self.bucket, joiner), BiasWatcher(joiner, self.bucket)

    def start(self, monitor: str, since: datetime, until: datetime, *, name: str) -> None:
        asked = {"monitor": monitor, "from": instant(since), "to": instant(until)}
        self.started.setdefault(name, asked)

    def machine(self, *, again: bool = False) -> StateMachine:
        functions = {
            "STEPS": lambda event: step(event, steps=self.steps),
            "EVALUATE": lambda event: evaluate(event, drift=self.drift),
        }
        return StateMachine(DEFINITION, functions, self.bucket.objects, again)

    def run(self, *, again: bool = False) -> list[StateMachine]:
        """Run what was started."""
        done = []
        for name, asked in self.started.items():
            done.append(self.machine(again=again))
            done[-1].run(asked, name=name)
        self.started.clear()
        return done

    def labelled(self, hour: str, day: str = "01") -> int:
        return int(self.quality(hour, day)["labels"]["labelled"])

    def parts(self, hour: str) -> list[str]:
        prefix = f"drift/{NAME}/kept/joined/2026/03/01/{hour}00/"
        return [key for _, key in self.bucket.objects if key.startswith(prefix)]


@pytest.fixture
def world() -> Large:
    world = Large(config=replace(WATCHED, heartbeat=False))
    for hour in (13, 14):
        made = calls(hour, 1000)
        world.serve(f"2026-03-01T{hour}:05:00Z", made[:500])
        world.serve(f"2026-03-01T{hour}:35:00Z", made[500:], name="b")
        world.label(f"2026-03-01T{hour}:00:00Z", made[:700])
    return world


def test_a_large_window_is_joined_by_many_functions_as_one_would_have_joined_it(
    world: Large,
) -> None:
    assert world.evaluate("2026-03-01T15:15:00Z") == []
    assert [(asked["from"][11:13], asked["to"][11:13]) for asked in world.started.values()] == [
        ("13", "15")  # neighbours go together
    ]
    (machine,) = world.run(again=True)  # every part twice
    assert machine.visited.count("Join") == 2 * 2 * 4
    assert world.evaluate() == []  # they were judged by the run
    found = world.quality("14")
    assert found["labels"]["labelled"] == 700
    assert len(world.parts("14")) == 4

    alone = Large(config=world.config)
    alone.bucket.objects |= {
        place: text for place, text in world.bucket.objects.items() if "/state" not in place[1]
    }
    alone.bucket.files |= world.bucket.files
    for place in [p for p in alone.bucket.objects if "/joined/" in p[1] or "/quality" in p[1]]:
        del alone.bucket.objects[place]
    alone.drift = replace(alone.drift, watchers=alone.watchers(10**6))
    alone.evaluate("2026-03-01T15:15:00Z", since="2026-03-01T13:00:00Z")
    assert alone.quality("14") == found


def test_late_labels_start_a_run_of_their_own_and_nothing_is_judged_twice(world: Large) -> None:
    world.evaluate("2026-03-01T15:15:00Z")
    world.run()
    world.publisher.events.clear()
    world.label("2026-03-01T15:00:00Z", calls(14, 1000)[700:], name="late.jsonl")
    assert world.evaluate("2026-03-01T15:45:00Z") == []
    world.evaluate("2026-03-01T15:50:00Z")
    assert len(world.started) == 1  # the same run, however often it is asked for
    world.run()
    assert (world.labelled("13"), world.labelled("14")) == (700, 1000)
    assert len(world.parts("14")) == 8
    assert world.evaluate("2026-03-01T15:55:00Z") == []
    windows = [detail["window"]["start"] for _, detail in world.publisher.events]
    assert windows == ["2026-03-01T14:00:00Z"]


def test_labels_that_come_during_a_run_are_not_waited_for_and_not_lost(world: Large) -> None:
    world.evaluate("2026-03-01T15:15:00Z")
    (asked,) = world.started.values()
    machine = world.machine()
    functions = dict(machine.functions)

    def judge(event: Mapping[str, Any]) -> Any:
        world.label("2026-03-01T15:00:00Z", calls(14, 1000)[700:], name="late.jsonl")
        return functions["EVALUATE"](event)

    machine.functions = {**functions, "EVALUATE": judge}
    machine.run(asked)
    assert world.labelled("14") == 700
    world.started.clear()
    assert world.evaluate("2026-03-01T15:30:00Z") == []
    world.run()
    assert world.labelled("14") == 1000
    assert world.evaluate("2026-03-01T15:40:00Z") == []


def test_a_window_that_nobody_joined_says_so_and_is_judged_again(world: Large) -> None:
    world.clock.set("2026-03-01T15:15:00Z")
    judged = world.drift.evaluate(NAME, distribute=False)
    assert [entry["verdict"] for entry in judged.evaluations] == ["healthy", "healthy"]
    (finding,) = world.report("14")["findings"]
    assert (finding["kind"], finding["test"]) == ("model-quality", "not-joined")
    assert "the window has 1,000 rows, which several functions join" in finding["sentence"]
    assert "--from 2026-03-01T14:00:00Z --to 2026-03-01T15:00:00Z" in finding["sentence"]
    assert world.evaluate("2026-03-01T15:15:00Z") == []
    world.run()
    assert world.labelled("14") == 700


def test_a_large_window_whose_labels_nobody_looked_for_yet_is_left_to_many(world: Large) -> None:
    @dataclass
    class Slow(Joiner):
        def news(self, config: Any, profiles: Any, now: Any) -> Any:
            self._matches[config.name] = find_matches(
                config, self.store, tuple(profiles), now, most_read=0
            )
            return {}

    watchers = world.drift.watchers
    slow = ModelQualityWatcher(world.bucket, Slow(world.bucket, most_rows=400))
    world.drift = replace(world.drift, watchers=(slow,))
    assert world.evaluate("2026-03-01T15:15:00Z") == []
    world.drift = replace(world.drift, watchers=watchers)
    world.run()
    assert (world.labelled("13"), world.labelled("14")) == (700, 700)


def test_a_part_that_cannot_be_joined_takes_no_verdict_on_columns_away(world: Large) -> None:
    world.evaluate("2026-03-01T15:15:00Z")
    folder = "/predictions/2026/03/01/1400/"
    damaged = min(place for place in world.bucket.files if folder in place[1])
    whole = world.bucket.files[damaged]
    world.bucket.files[damaged] = b"damaged"
    world.run()
    assert world.labelled("13") == 700
    assert world.report("14")["verdict"] == "healthy"
    assert [one["test"] for one in world.report("14")["findings"]] == ["not-joined"]
    world.bucket.files[damaged] = whole
    assert world.evaluate("2026-03-01T15:45:00Z") == []
    world.run()
    assert world.labelled("14") == 700


def test_a_part_whose_work_is_done_is_not_done_again(world: Large) -> None:
    world.evaluate("2026-03-01T15:15:00Z")
    (asked,) = world.started.values()
    world.run()
    written = Counter(world.bucket.writes)
    step({"step": "joins", **asked, "run": "another"}, steps=world.steps)
    place = next(p for p in world.bucket.objects if p[1].endswith("joins-2026-03-01T130000Z.json"))
    assert json.loads(world.bucket.objects[place]) != []
    for part in json.loads(world.bucket.objects[place]):
        step({"step": "join", "monitor": NAME, "part": part}, steps=world.steps)
    again = Counter(world.bucket.writes) - written
    assert not any("/kept/joined/" in key for key in again)


def test_a_window_that_nobody_can_join_says_what_to_do_and_is_judged_once(world: Large) -> None:
    joiner = Joiner(world.bucket, most_rows=400, most_at_all=900)
    watchers = (ModelQualityWatcher(world.bucket, joiner),)
    world.drift = replace(world.drift, watchers=watchers)
    judged = world.evaluate("2026-03-01T15:15:00Z")
    assert judged == [("13:00", "healthy"), ("14:00", "healthy")]
    assert world.evaluate() == []
    assert world.started == {}
    (finding,) = world.report("14")["findings"]
    assert "1,000 rows, and 900 are joined at most. Make window_minutes" in finding["sentence"]
    steps = replace(world.steps, drift=world.drift)
    joining = replace(steps.joining(world.config), most_rows=900)
    planned = joining.plan(moment("2026-03-01"), moment("2026-03-02"), now=world.clock(), run="r")
    assert planned.items == []
