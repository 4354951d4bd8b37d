"""Labels that stop, or belong to nothing, are noticed; labels that come seldom are no fault."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mlops_framework.drift.ground_truth.joiner import Joiner
from mlops_framework.drift.ground_truth.label_index import find_matches
from mlops_framework.drift.heartbeat.label_memory import LabelMemory
from mlops_framework.drift.heartbeat.labels import label_faults
from mlops_framework.drift.heartbeat.watcher import HeartbeatWatcher
from mlops_framework.drift.windows import Window
from tests.unit.drift.quality.test_quality_watched import SETTINGS, WATCHED, Watched, calls
from tests.unit.drift.test_heartbeat import Endpoints, subjects
from tests.unit.drift.test_service import BUCKET, NAME

BEGIN = datetime(2026, 3, 2, 6, tzinfo=UTC)
"""A Monday, 06:00."""
WATCHED_DAILY = replace(WATCHED, heartbeat=True, window_minutes=1440)
HOUR = timedelta(hours=1)
DAY = 24


def impatient_after(
    arrivals: Iterable[int], *, horizon: int, until: int, deleted: int = 0
) -> int | None:
    """Looks every hour at labels that come in hours after the beginning.

    Returns:
        How many hours after the last labels they are missed first; ``None`` if never.
    """
    come = sorted(arrivals)
    memory, waits = LabelMemory(), timedelta(hours=horizon)
    files: dict[str, tuple[int, str]] = {}
    for hour in range(until):
        now = BEGIN + hour * HOUR
        if hour in come:
            files[f"{now:%Y-%m-%d}"] = (files.get(f"{now:%Y-%m-%d}", (0, ""))[0] + 1, str(hour))
        if hour == deleted:
            files = {day: (count - 1, f"{digest}-") for day, (count, digest) in files.items()}
        memory = LabelMemory.from_document(memory.after(files, 10, now, waits).to_document())
        last = memory.arrived or memory.since
        assert last is not None
        if now - last > memory.patience(waits):
            return hour - max((one for one in come if one <= hour), default=0)
    return None


def office_hours(weeks: int) -> list[int]:
    """Every hour from 9 to 17, Monday to Friday."""
    hours = range(weeks * 7 * DAY)
    times = ((hour, BEGIN + hour * HOUR) for hour in hours)
    return [hour for hour, time in times if time.weekday() < 5 and 9 <= time.hour <= 17]


@pytest.mark.parametrize(
    ("arrivals", "horizon"),
    [
        (range(60 * DAY), 24),
        (range(0, 60 * DAY, DAY), 24),
        (range(0, 60 * DAY, 7 * DAY), 7 * DAY),
        (range(0, 60 * DAY, 7 * DAY), 24),
        ([hour + hour // (7 * DAY) % 3 * DAY for hour in range(0, 60 * DAY, 7 * DAY)], 8 * DAY),
        (range(0, 60 * DAY, 14 * DAY), 14 * DAY),
        (range(5 * DAY, 60 * DAY, 30 * DAY), 30 * DAY),
        (office_hours(9), 24),
        (office_hours(9), 4),
    ],
)
def test_labels_that_come_as_ever_are_never_missed(arrivals: Iterable[int], horizon: int) -> None:
    assert impatient_after(arrivals, horizon=horizon, until=60 * DAY) is None


@pytest.mark.parametrize(
    ("arrivals", "horizon", "hours"),
    [
        (range(20 * DAY), 4, 5),  # the horizon
        (range(20 * DAY), 24, DAY + 1),
        (range(0, 20 * DAY, DAY), 24, 2 * DAY + 1),  # twice the longest pause
        (office_hours(3), 24, 2 * 64 + 1),
        (range(0, 30 * DAY, 7 * DAY), 7 * DAY, 14 * DAY + 1),
        (range(3 * DAY), 24, 8 * DAY + 1),  # too new to know a weekend
        ([], 24, 8 * DAY + 1),  # they never came
        ([], 10 * DAY, 20 * DAY + 1),
    ],
)
def test_labels_that_stop_are_missed_when_the_pause_is_no_ordinary_one(
    arrivals: Iterable[int], horizon: int, hours: int
) -> None:
    assert impatient_after(arrivals, horizon=horizon, until=70 * DAY) == hours


def test_files_that_are_deleted_are_no_labels() -> None:
    stop = 20 * DAY
    assert impatient_after(range(stop), horizon=24, until=30 * DAY, deleted=stop + 5) == DAY + 1


@pytest.fixture
def world() -> Watched:
    """A day's traffic is a window; labels come with it."""
    world = Watched(config=WATCHED_DAILY)
    joiner = world.drift.watchers[0].joiner  # type: ignore[attr-defined]
    assert isinstance(joiner, Joiner)
    heartbeat = HeartbeatWatcher(world.bucket, Endpoints(), world.clock, joiner)
    world.drift = replace(world.drift, watchers=(*world.drift.watchers, heartbeat))
    return world


def a_day(world: Watched, day: int, *, labels: str = "own") -> None:
    """150 rows and their labels, and the evaluation of the next night."""
    made = calls(day, 150)
    world.serve(f"2026-03-{day:02}T12:05:00Z", made)
    if labels != "none":
        whose = made if labels == "own" else [replace(one, identity=f"x{one}") for one in made]
        world.label(f"2026-03-{day:02}T13:00:00Z", whose)
    world.evaluate(f"2026-03-{day + 1:02}T00:15:00Z")


def found(world: Watched, day: int) -> list[tuple[str, str]]:
    report = world.document(f"reports/2026/03/{day:02}/0000/report.json")
    return [
        (one["aspect"], one["sentence"]) for one in report["findings"] if one["kind"] == "heartbeat"
    ]


def test_labels_that_stop_are_told_while_it_lasts_and_when_they_are_back(world: Watched) -> None:
    for day in range(2, 12):
        a_day(world, day)
    assert subjects(world) == []
    for day in (12, 13):
        a_day(world, day, labels="none")
    assert found(world, 12) == found(world, 13) == []
    a_day(world, 14, labels="none")
    ((aspect, sentence),) = found(world, 14)
    assert aspect == "no-labels"
    assert sentence.startswith(
        f"No labels have come to s3://{BUCKET}/labels/x for 3 days, though 450 rows were captured "
        "since, and 24 hours was the longest pause before: look at what collects them."
    )
    a_day(world, 15)
    assert found(world, 15) == []
    assert subjects(world) == [
        f"[mlops-test] Captures and labels of {NAME}: no-labels",
        f"[mlops-test] Captures and labels of {NAME} are in order again",
    ]
    pulse = world.document("reports/2026/03/14/0000/report.json")["heartbeat"]
    assert (pulse["last_labels"], pulse["faults"]) == ("2026-03-12T00:15:00Z", ["no-labels"])


def test_labels_that_belong_to_no_prediction_are_told(world: Watched) -> None:
    a_day(world, 2)
    assert found(world, 2) == []
    a_day(world, 3, labels="strange")
    ((aspect, sentence),) = found(world, 3)
    assert aspect == "unmatched-labels"
    assert sentence.startswith(
        "None of 150 labels that were collected since 2026-03-03T13:00:00Z belongs to a captured "
        "prediction: eventMetadata.eventId"
    )
    a_day(world, 4)
    assert found(world, 4) == []


def test_few_strange_labels_prove_nothing_where_few_requests_are_captured(world: Watched) -> None:
    heartbeat = world.drift.watchers[-1]
    assert isinstance(heartbeat, HeartbeatWatcher)
    assert isinstance(heartbeat.captures, Endpoints)
    assert heartbeat.captures.found is not None
    heartbeat.captures.found = replace(heartbeat.captures.found, sampling=10)
    a_day(world, 2, labels="strange")
    assert found(world, 2) == []


def test_labels_that_were_not_compared_with_all_windows_yet_may_belong_to_one(
    world: Watched,
) -> None:
    made = calls(2, 150)
    world.serve("2026-03-02T12:05:00Z", made)
    world.label("2026-03-02T13:00:00Z", [replace(one, identity=f"x{one}") for one in made])
    start, end = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)
    now = end + HOUR
    faults = []
    for most in (0, 1000):
        matches = find_matches(WATCHED_DAILY, world.bucket, [Window(start, end)], now, most=most)
        memory = LabelMemory(since=start)
        faults.append(
            list(label_faults(WATCHED_DAILY, SETTINGS, memory, matches, sampling=100, now=now))
        )
    assert [[fault.aspect for fault in found] for found in faults] == [[], ["unmatched-labels"]]


def test_what_was_remembered_before_labels_were_looked_for_is_read(world: Watched) -> None:
    a_day(world, 2)
    key = (BUCKET, f"drift/{NAME}/heartbeat.json")
    kept = json.loads(world.bucket.objects[key])
    assert kept.pop("labels")["arrived"] == "2026-03-03T00:15:00Z"
    world.bucket.objects[key] = json.dumps(kept)
    a_day(world, 3)
    assert json.loads(world.bucket.objects[key])["labels"]["first"] == "2026-03-04T00:15:00Z"
