"""Which labels belong to which windows: found without reading rows again, and none passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from mlops_framework.drift.ground_truth.id_sets import IdSets
from mlops_framework.drift.ground_truth.label_index import find_matches, index_key
from mlops_framework.drift.records import Records
from mlops_framework.drift.windows import Window, moment
from mlops_framework.testing.drift import InMemoryBucket
from tests.unit.drift.quality.test_quality_watched import WATCHED, Watched, calls
from tests.unit.drift.test_service import BUCKET, NAME

HOURS = (13, 14, 15, 16)
NOW = moment("2026-03-01T17:15:00Z")


@dataclass
class Watching(InMemoryBucket):
    """Remembers which kept files were read."""

    asked: list[str] = field(default_factory=list)

    def read_bytes(self, bucket: str, keys: Sequence[str]) -> Mapping[str, bytes]:
        self.asked += keys
        return super().read_bytes(bucket, keys)


@pytest.fixture
def world() -> Watched:
    """Four hours of two objects each; every file of labels has some of every hour."""
    world = Watched(config=replace(WATCHED, heartbeat=False), bucket=Watching())
    for hour in HOURS:
        made = calls(hour, 40)
        world.serve(f"2026-03-01T{hour}:05:00Z", made[:20])
        world.serve(f"2026-03-01T{hour}:35:00Z", made[20:], name="b")
    for number in range(4):
        some = [one for hour in HOURS for one in calls(hour, 40)[number::4]]
        world.label(f"2026-03-01T{13 + number}:00:00Z", some, name=f"{number}.jsonl")
    return world


def matched(world: Watched, **most: int) -> dict[int, list[int]]:
    """Of each hour, how many labels each file holds of it."""
    windows = [Window.containing(moment(f"2026-03-01T{hour}:00:00Z"), 60) for hour in HOURS]
    found = find_matches(world.config, world.bucket, windows, NOW, **most)
    seen = found.index.windows
    return {w.start.hour: sorted(seen[w.start].matched.values()) for w in windows}


def opened(world: Watched, name: str) -> list[str]:
    """What was read of one kind of kept file since last asked."""
    bucket: Any = world.bucket
    found = [key for key in bucket.asked if f"/kept/{name}/" in key]
    bucket.asked.clear()
    return found


def test_ids_are_put_down_once_and_rows_are_not_read_again(world: Watched) -> None:
    first = matched(world)
    assert [sum(counts) for counts in first.values()] == [40, 30, 20, 10]  # of later files alone
    assert len(opened(world, "predictions")) == 2 * len(HOURS)
    world.label("2026-03-01T17:00:00Z", calls(14, 40)[:7], name="more.jsonl")
    again = matched(world)
    assert sorted(again[14]) == sorted([*first[14], 7])
    assert opened(world, "predictions") == []
    world.serve("2026-03-01T14:50:00Z", calls(99, 5), name="late")
    world.label("2026-03-01T17:00:00Z", calls(99, 5), name="of-late.jsonl")
    assert matched(world)[14].count(5) == 1
    assert len(opened(world, "predictions")) == 1  # the late object's alone


@pytest.mark.parametrize("most", [1, 50, 100])
def test_what_is_too_much_for_one_evaluation_has_its_turn_later_and_nothing_is_lost(
    world: Watched, most: int
) -> None:
    whole = matched(world)
    world.bucket.objects.pop((BUCKET, index_key(world.config)))
    found = [matched(world, most=most) for _ in range(10)]
    assert found[0] != whole
    assert found[-1] == whole


def test_labels_that_were_found_stay_while_a_late_object_waits_for_its_turn(
    world: Watched,
) -> None:
    windows = [Window.containing(moment(f"2026-03-01T{hour}:00:00Z"), 60) for hour in HOURS]
    before = find_matches(world.config, world.bucket, windows, NOW).by_window
    world.serve("2026-03-01T14:50:00Z", calls(99, 5), name="late")
    for _ in range(2):
        waiting = find_matches(world.config, world.bucket, windows, NOW, most=0)
        assert waiting.by_window == before
    world.label("2026-03-01T17:00:00Z", calls(99, 5), name="of-late.jsonl")
    found = find_matches(world.config, world.bucket, windows, NOW)
    assert len(found.by_window[windows[1]]) == len(before[windows[1]]) + 1
    assert found.index.windows[windows[1].start].before == frozenset()


def test_ids_that_nobody_could_put_down_yet_are_put_down_later(world: Watched) -> None:
    window = Window.containing(moment("2026-03-01T14:00:00Z"), 60)
    keys = kept(world, "predictions")[window]
    for complete in (False, True):
        sets = IdSets(world.bucket, world.config, most_read=20)
        sets.know([window])
        assert sets.complete(window, keys) is complete
    assert sum(map(len, sets.numbers(window))) == sets.count(window) == 40
    assert len(list(sets.numbers(window))) == 1  # small ones were put together


@pytest.mark.parametrize("lost", [".arrow", "sets.json"])
def test_what_was_put_down_and_lost_is_put_down_again(world: Watched, lost: str) -> None:
    whole = matched(world)
    places = [p for p in (*world.bucket.files, *world.bucket.objects) if "/kept/ids/" in p[1]]
    for place in places:
        if place[1].endswith(lost):
            world.bucket.files.pop(place, None)
            world.bucket.objects.pop(place, None)
    world.bucket.objects.pop((BUCKET, index_key(world.config)))
    assert matched(world) == whole


def kept(world: Watched, name: str) -> Mapping[Window, Sequence[str]]:
    records = Records(world.bucket, world.config)
    root = f"drift/{NAME}/kept/{name}/"
    found: Mapping[Window, Any] = records.keys_by_window(root, moment("2026-03-01"), NOW)
    return found
