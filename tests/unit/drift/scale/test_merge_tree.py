"""Windows of very many objects: merged by many, judged as if one had merged everything."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_framework.drift.config import S3Location
from mlops_framework.drift.objects import PLACE_DIGITS, ObjectVersion
from mlops_framework.drift.records import Records
from mlops_framework.drift.scale.gathering import Gathering
from mlops_framework.drift.scale.merging import MergeTree
from mlops_framework.drift.scale.parts import digest_of, groups
from mlops_framework.drift.scale.planning import Planning, sources_of
from mlops_framework.drift.windows import Task, Window, moment
from mlops_framework.testing.drift import capture_key, capture_line
from tests.unit.drift.conftest import rows_of
from tests.unit.drift.test_service import BUCKET, CONFIG, NAME, World

WINDOW = Window(moment("2026-03-01T14:00:00Z"), moment("2026-03-01T15:00:00Z"))
OBJECTS = 150


@dataclass
class Runs:
    """Remembers what it was asked to have done."""

    started: list[tuple[str, datetime, datetime, str]] = field(default_factory=list)

    def start(self, monitor: str, since: datetime, until: datetime, *, name: str) -> None:
        self.started.append((monitor, since, until, name))


@pytest.fixture
def runs() -> Runs:
    return Runs()


@pytest.fixture
def world(runs: Runs) -> World:
    """150 small objects in one window of a monitor that takes 64 at most by itself."""
    world = World(replace(CONFIG, distributed_above=64, heartbeat=False))
    world.drift = replace(world.drift, distribution=runs)
    world.drift.build_baseline(NAME)
    world.evaluate("2026-03-01T12:00:00Z")
    for number in range(OBJECTS):
        world.capture("2026-03-01T14:05:00Z", rows_of(3, number), name=f"{number:03}")
    world.clock.set("2026-03-01T15:15:00Z")
    return world


def tree(world: World) -> MergeTree:
    baseline = Records(world.bucket, world.config).baseline()
    return MergeTree(Gathering(world.bucket, world.config, baseline))


def task(world: World) -> Task:
    keys = Records(world.bucket, world.config).profile_keys(WINDOW.start, WINDOW.end)[WINDOW]
    return Task(WINDOW, tuple(sorted(keys)), complete=True)


def grown(world: World) -> list[int]:
    """Merge level by level; how many groups each level had."""
    sizes = []
    while found := tree(world).groups(WINDOW.start, WINDOW.end):
        sizes.append(len(found))
        for group in found:
            tree(world).merge(json.loads(json.dumps(group)))
    return sizes


def directly(world: World) -> str:
    """The profile without any tree."""
    gathering = replace(tree(world).gathering, config=replace(world.config, distributed_above=9999))
    return gathering(task(world)).profile.to_json()


def test_a_window_that_is_too_large_is_given_to_many_and_judged_when_they_are_done(
    world: World, runs: Runs
) -> None:
    assert world.evaluate() == []
    ((monitor, since, until, name),) = runs.started
    assert (monitor, since, until) == (NAME, WINDOW.start, WINDOW.end)
    assert len(name) <= 80
    world.evaluate()
    assert len({run[3] for run in runs.started}) == 1  # the same run, however often it is asked for
    assert grown(world) == [3]
    assert world.evaluate() == [("14:00", "healthy")]
    report = world.document("reports/2026/03/01/1400/report.json")
    assert report["captures"]["rows"] == 3 * OBJECTS


def test_many_functions_count_exactly_what_one_counts(world: World) -> None:
    before = directly(world)
    grown(world)
    gathered = tree(world).gathering(task(world))
    assert gathered.profile.to_json() == before
    assert len(gathered.sources) == OBJECTS


def test_a_late_object_is_added_and_an_overwritten_one_replaced(world: World) -> None:
    grown(world)
    world.capture("2026-03-01T14:05:00Z", rows_of(4, 7), name="late")
    world.capture("2026-03-01T14:05:00Z", rows_of(5, 8), name="007", version="v2")
    gathered = tree(world).gathering(task(world))
    assert gathered.profile.to_json() == directly(world)
    assert gathered.profile.rows == 3 * (OBJECTS - 1) + 4 + 5
    assert len(gathered.sources) == OBJECTS + 1


def test_parts_of_an_earlier_baseline_are_not_used(world: World) -> None:
    grown(world)
    key = CONFIG.baseline_data.removeprefix(f"s3://{BUCKET}/")
    lines = world.bucket.objects[BUCKET, key].splitlines(keepends=True)
    world.bucket.objects[BUCKET, key] = "".join(lines[:2000])
    world.drift.build_baseline(NAME)
    assert len(tree(world).gathering.cover(task(world)).keys) == OBJECTS
    grown(world)
    gathered = tree(world).gathering(task(world))
    assert (gathered.profile.rows, gathered.stale) == (0, OBJECTS)


def test_merging_again_changes_nothing(world: World) -> None:
    (first, *_) = tree(world).groups(WINDOW.start, WINDOW.end)
    key = tree(world).merge(first)
    text = world.bucket.objects[BUCKET, key]
    assert tree(world).merge(first) == key
    assert world.bucket.objects[BUCKET, key] == text


def test_the_tree_grows_until_one_function_can_reach_it(world: World) -> None:
    made = tree(world)
    keys = task(world).keys
    # As many parts as a window of hundreds of thousands of objects would have at the first level.
    for key in keys[:70]:
        made.merge({"window": "2026-03-01T14:00:00Z", "profiles": [key]})
    for key in keys[70:]:
        made.merge({"window": "2026-03-01T14:00:00Z", "profiles": [key]})
    before = directly(world)
    assert grown(world) == [3]
    gathered = made.gathering(task(world))
    assert made.gathering.cover(task(world)).units == 3
    assert gathered.profile.to_json() == before


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), unique=True, max_size=60))
def test_all_versions_of_an_object_are_in_one_group(found: list[tuple[int, int]]) -> None:
    keys = [
        f"p/{ObjectVersion('b', str(place), str(version)).digest}.json" for place, version in found
    ]
    made = groups(keys, 8)
    assert sorted(key for group in made for key in group) == sorted(keys)
    places = [{digest_of(key)[:PLACE_DIGITS] for key in group} for group in made]
    assert sum(map(len, places)) == len(set().union(*places))


@dataclass
class Bucket:
    """Lists what a world captured."""

    world: World
    version: str = "v1"

    def folders(self, folder: S3Location) -> list[str]:
        return [f"{folder.key}/{name}/" for name in ("AllTraffic", "input", "output")]

    def versions(self, folder: S3Location) -> list[tuple[ObjectVersion, int]]:
        return [
            (ObjectVersion(BUCKET, key, self.version), 40 << 20)
            for _, key in sorted(self.world.bucket.objects)
            if key.startswith(folder.key)
        ]


def test_objects_that_no_event_announced_are_planned_oldest_first_and_once() -> None:
    world = World()
    world.drift.build_baseline(NAME)
    for minute in ("05", "25", "45"):
        key = capture_key(NAME, f"2026-03-01T14:{minute}:00Z")
        world.bucket.objects[BUCKET, key] = ""
    planning = Planning(Bucket(world), Records(world.bucket, world.config), world.config)
    since, until = moment("2026-03-01T14:10:00Z"), moment("2026-03-01T16:00:00Z")
    plan = planning.plan(since, until)
    assert plan.rest is None
    batches = plan.batches
    assert [len(batch) for batch in batches] == [1, 1]  # two of 40 MB are more than a batch holds
    for batch in batches:
        for source in sources_of(world.config, json.loads(json.dumps(batch))):
            assert source.key.startswith("captures/")


def test_batch_jobs_are_planned_by_what_they_read() -> None:
    world = World()
    world.drift.build_baseline(NAME)
    manifest = json.dumps([{"prefix": f"s3://{BUCKET}/in/"}, "a.csv"])
    for side in ("input", "output"):
        key = f"captures/{NAME}/{side}/2026/03/01/14/job.json"
        world.bucket.objects[BUCKET, key] = manifest
    world.bucket.objects[BUCKET, "in/a.csv"] = "40,1,red\n"
    planning = Planning(Bucket(world), Records(world.bucket, world.config), world.config)
    hour = (moment("2026-03-01T14:00:00Z"), moment("2026-03-01T15:00:00Z"))
    ((asked,),) = planning.plan(*hour).batches
    assert asked["key"] == f"captures/{NAME}/input/2026/03/01/14/job.json"
    for source in sources_of(world.config, [asked]):
        assert world.drift.profile_object(source).rows == 1
    assert planning.plan(*hour).batches == []


def test_objects_that_are_profiled_are_not_planned_again() -> None:
    world = World()
    world.drift.build_baseline(NAME)
    world.capture("2026-03-01T14:05:00Z", rows_of(3, 1))
    planning = Planning(Bucket(world), Records(world.bucket, world.config), world.config)
    day = (moment("2026-03-01T00:00:00Z"), moment("2026-03-02T00:00:00Z"))
    assert planning.plan(*day).batches == []
    with pytest.raises(ValueError, match="at most 366 days"):
        planning.plan(day[1], day[0])


def test_an_overwritten_object_whose_event_was_lost_counts_with_what_it_holds_now() -> None:
    world = World()
    world.drift.build_baseline(NAME)
    time, hour = "2026-03-01T14:05:00Z", "2026-03-01T14:00:00Z"
    first = ObjectVersion(BUCKET, capture_key(NAME, time), "v9", "0062E99A88DC407460")

    def write(rows: int, source: ObjectVersion) -> None:
        lines = [capture_line(row, time=time) for row in rows_of(rows, rows)]
        world.bucket.objects[BUCKET, first.key] = "\n".join(lines)
        if source.sequencer:
            world.drift.profile_object(source)

    def counted() -> int:
        keys = Records(world.bucket, CONFIG).profile_keys(moment(hour), moment(time))[WINDOW]
        return tree(world).gathering(Task(WINDOW, keys, complete=True)).profile.rows

    write(3, first)
    for version, rows in (("v5", 4), ("v2", 5)):  # neither event came
        write(rows, replace(first, sequencer=""))
        planning = Planning(Bucket(world, version), Records(world.bucket, CONFIG), CONFIG)
        (batch,) = planning.plan(moment(hour), moment(time) + timedelta(minutes=1)).batches
        for source in sources_of(CONFIG, json.loads(json.dumps(batch))):
            world.drift.profile_object(source)
        assert counted() == rows
    write(6, replace(first, version="v1", sequencer="0062E99A88DC407461"))
    assert counted() == 6


def test_more_windows_than_one_evaluation_can_judge_are_given_to_many(runs: Runs) -> None:
    world = World(replace(CONFIG, heartbeat=False, window_minutes=5))
    world.drift = replace(world.drift, distribution=runs)
    world.drift.build_baseline(NAME)
    world.evaluate("2026-03-01T05:55:00Z")
    for number in range(80):
        time = f"2026-03-01T{6 + number // 12:02}:{number % 12 * 5:02}:00Z"
        world.capture(time, rows_of(2, number))
    judged = world.evaluate("2026-03-01T13:15:00Z")
    assert len(judged) == 59 + 1
    assert judged[-1] == ("13:00", "no-data")  # a silence is told at once
    ((_, since, until, _),) = runs.started
    assert (since, until) == (moment("2026-03-01T10:55:00Z"), moment("2026-03-01T12:40:00Z"))
