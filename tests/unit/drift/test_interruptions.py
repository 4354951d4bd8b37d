"""Evaluations that end in the middle, and two at once: nothing is lost or out of date."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlops_framework.testing.drift import InMemoryBucket, RecordingPublisher, capture_line
from tests.unit.drift.conftest import rows_of
from tests.unit.drift.test_service import BUCKET, NAME, World

LIKE, UNLIKE = rows_of(500, 2), rows_of(500, 3, shift=9)


@pytest.fixture
def world() -> World:
    """A monitor with its baseline, watching since noon."""
    world = World()
    world.drift.build_baseline(NAME)
    world.evaluate("2026-03-01T12:00:00Z")
    return world


def test_an_evaluation_that_dies_when_it_has_decided_loses_nothing(world: World) -> None:
    world.capture("2026-03-01T12:05:00Z", UNLIKE)
    world.clock.set("2026-03-01T12:15:00Z")

    class Dying(InMemoryBucket):
        def write_state(self, bucket: str, key: str, text: str, tag: str) -> str:
            super().write_state(bucket, key, text, tag)
            raise KeyboardInterrupt

    dying = replace(world.drift, store=Dying(world.bucket.objects, world.bucket.files))
    with pytest.raises(KeyboardInterrupt):
        dying.evaluate(NAME)
    assert (world.metrics.values[1:], world.publisher.events) == ([], [])
    assert world.evaluate("2026-03-01T12:16:00Z") == []
    assert world.metrics.values[-1][1]["Drift"] == 1.0
    assert world.document("latest.json")["verdict"] == "drift"
    assert len(world.publisher.alerts) == 1


def test_what_cannot_be_told_people_starts_no_retraining_again_and_again(world: World) -> None:
    class Topicless(RecordingPublisher):
        def alert(self, subject: str, text: str) -> None:
            raise ConnectionError("the topic is gone")

    publisher = Topicless()
    drift, world.drift = world.drift, replace(world.drift, publisher=publisher)
    world.capture("2026-03-01T12:05:00Z", UNLIKE)
    for minute in (15, 16, 17):
        with pytest.raises(ConnectionError):
            world.evaluate(f"2026-03-01T12:{minute}:00Z")
    assert publisher.types() == ["Drift Evaluated", "Drift Detected", "Retraining Requested"]
    world.drift = drift  # which can be told people of
    world.evaluate("2026-03-01T12:18:00Z")
    assert len(world.publisher.alerts) == 1
    assert world.publisher.events == []


def test_the_report_is_of_all_that_was_there_when_two_evaluations_write_it(world: World) -> None:
    world.capture("2026-03-01T12:05:00Z", LIKE)
    world.clock.set("2026-03-01T12:15:00Z")
    key = (BUCKET, f"drift/{NAME}/reports/2026/03/01/1200/report.json")

    def another() -> None:
        mine = world.bucket.objects[key]
        world.capture("2026-03-01T12:06:00Z", LIKE, name="b")
        world.drift.evaluate(NAME)
        world.bucket.objects[key] = mine  # the slower one writes after the quicker one

    world.bucket.interfere.append(another)
    world.drift.evaluate(NAME)
    assert world.document("reports/2026/03/01/1200/report.json")["captures"]["objects"] == 2
    assert world.evaluate("2026-03-01T12:16:00Z") == []


def test_an_object_whose_records_were_all_taken_out_counts_no_more(world: World) -> None:
    world.capture("2026-03-01T12:05:00Z", UNLIKE)
    world.capture("2026-03-01T12:06:00Z", LIKE, name="b")
    assert world.evaluate("2026-03-01T13:15:00Z") == [("12:00", "drift")]
    world.capture("2026-03-01T12:05:00Z", [], version="v2")
    assert world.evaluate("2026-03-01T13:16:00Z") == [("12:00", "healthy")]
    assert world.document("reports/2026/03/01/1200/report.json")["captures"]["rows"] == 500
    # An object that always was empty is no traffic, and re-opens no window.
    world.capture("2026-03-01T12:07:00Z", [], name="c")
    assert world.evaluate("2026-03-01T13:17:00Z") == []


@pytest.mark.parametrize(
    "time",
    [
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z",
        "2025-03-01T12:05:00Z",
        "2026-03-03T12:05:00Z",
    ],
)
def test_a_time_that_nobody_would_look_at_is_counted_as_left_out_where_the_object_is(
    world: World, time: str
) -> None:
    lines = [
        capture_line(row, time=time if row is LIKE[7] else "2026-03-01T12:05:00Z") for row in LIKE
    ]
    profiled = world.capture_lines("2026-03-01T12:05:00Z", lines)
    assert (profiled.rows, profiled.left_out, len(profiled.keys)) == (len(LIKE) - 1, 1, 1)
    assert world.evaluate("2026-03-01T13:15:00Z") == [("12:00", "healthy")]
    captures = world.document("reports/2026/03/01/1200/report.json")["captures"]
    (told,) = captures["left_out"]
    assert (told["reason"], told["count"]) == ("time-off", 1)
    assert told["meaning"].startswith("eventMetadata.inferenceTime is far off")


def test_records_that_come_a_day_late_are_counted_where_their_time_says(world: World) -> None:
    lines = [capture_line(row, time="2026-03-01T12:05:00Z") for row in LIKE]
    assert world.capture_lines("2026-03-02T13:05:00Z", lines).left_out == 0
    assert ("12:00", "healthy") in world.evaluate("2026-03-02T13:30:00Z")
