"""Monitoring that stops is noticed: each way to stop is a finding of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from mlops_framework.drift.heartbeat.capture_state import CaptureState
from mlops_framework.drift.heartbeat.pulse import overdue_since
from mlops_framework.drift.heartbeat.watcher import HeartbeatWatcher
from mlops_framework.drift.windows import moment
from tests.unit.drift.conftest import rows_of
from tests.unit.drift.test_service import BUCKET, CONFIG, LIKE, NAME, UNLIKE, World

ON = CaptureState("InService", True, 100, f"s3://{BUCKET}/captures")


@dataclass
class Endpoints:
    """Says what the test says."""

    found: CaptureState | None = field(default_factory=lambda: ON)

    def state(self, endpoint_name: str) -> CaptureState | None:
        assert endpoint_name == NAME
        return self.found


@pytest.fixture
def endpoints() -> Endpoints:
    return Endpoints()


@pytest.fixture
def world(endpoints: Endpoints) -> World:
    """A monitor that watches its captures, after two ordinary hours."""
    world = World(replace(CONFIG, heartbeat=True))
    watcher = HeartbeatWatcher(world.bucket, endpoints, world.clock)
    world.drift = replace(world.drift, watchers=(watcher,))
    world.drift.build_baseline(NAME)
    world.evaluate("2026-03-01T12:00:00Z")
    for hour in (12, 13):
        world.capture(f"2026-03-01T{hour}:05:00Z", LIKE)
        world.evaluate(f"2026-03-01T{hour + 1}:15:00Z")
    return world


def told(world: World, hour: int) -> list[tuple[str, str]]:
    """Aspect and sentence of the heartbeat's findings in a window's report."""
    report = world.document(f"reports/2026/03/01/{hour}00/report.json")
    return [
        (found["aspect"], found["sentence"])
        for found in report["findings"]
        if found["kind"] == "heartbeat"
    ]


def subjects(world: World) -> Sequence[str]:
    return [subject for subject, _ in world.publisher.alerts]


def test_captures_that_come_as_ever_are_no_news(world: World) -> None:
    assert told(world, 12) == told(world, 13) == []
    assert world.publisher.alerts == []
    report = world.document("reports/2026/03/01/1300/report.json")
    assert report["heartbeat"] == {
        "endpoint_status": "InService",
        "capture_enabled": True,
        "sampling_percentage": 100,
        "last_looked": "2026-03-01T13:15:00Z",
        "faults": [],
    }


def test_silence_with_capture_on_says_what_may_be_the_reason(world: World) -> None:
    assert world.evaluate("2026-03-01T15:15:00Z") == [("14:00", "no-data")]
    ((aspect, sentence),) = told(world, 14)
    assert aspect == "no-capture"
    assert "is on at 100 %" in sentence
    assert "disk is more than three quarters full" in sentence
    assert subjects(world) == [f"[mlops-test] No traffic captured on {NAME}"]


def test_silence_of_an_endpoint_that_its_api_captures_is_plain_silence(
    world: World, endpoints: Endpoints
) -> None:
    """SageMaker says of a serverless endpoint that its capture is off, and could not be on."""
    endpoints.found = CaptureState("InService", by_sagemaker=False)
    assert world.evaluate("2026-03-01T15:15:00Z") == [("14:00", "no-data")]
    ((aspect, sentence),) = told(world, 14)
    assert aspect == "no-capture"
    assert "its inference API does: no request came" in sentence
    assert subjects(world) == [f"[mlops-test] No traffic captured on {NAME}"]


@pytest.mark.parametrize(
    ("found", "because"),
    [
        (None, f"there is no endpoint {NAME}"),
        (CaptureState("InService", False), "is off"),
        (CaptureState("InService", True, 100, "s3://elsewhere/x"), "captures to s3://elsewhere/x"),
    ],
)
def test_silence_with_a_reason_is_told_by_itself(
    world: World, endpoints: Endpoints, found: CaptureState | None, because: str
) -> None:
    endpoints.found = found
    assert world.evaluate("2026-03-01T15:15:00Z") == [("14:00", "no-data")]
    ((_, sentence),) = told(world, 14)
    assert because in sentence
    assert f"[mlops-test] Captures of {NAME}: no-capture" in subjects(world)
    report = world.document("reports/2026/03/01/1400/report.json")
    assert because in report["summary"]


def test_another_sampling_percentage_is_told_once(world: World, endpoints: Endpoints) -> None:
    endpoints.found = replace(ON, sampling=20)
    world.capture("2026-03-01T14:05:00Z", LIKE)
    assert world.evaluate("2026-03-01T15:15:00Z") == [("14:00", "healthy")]
    ((aspect, sentence),) = told(world, 14)
    assert (aspect, "from 100 % to 20 %" in sentence) == ("sampling-changed", True)
    world.capture("2026-03-01T15:05:00Z", LIKE)
    world.evaluate("2026-03-01T16:15:00Z")
    assert told(world, 15) == []
    assert subjects(world) == [
        f"[mlops-test] Captures of {NAME}: sampling-changed",
        f"[mlops-test] Captures of {NAME} are in order again",
    ]


def test_another_share_of_what_the_inference_api_captures_is_told_once(
    world: World, endpoints: Endpoints
) -> None:
    """The captures say it themselves; those of an hour judged again say what was before."""
    endpoints.found = CaptureState("InService", by_sagemaker=False)
    for hour, share in ((14, 100), (15, 20), (16, 20)):
        world.capture(f"2026-03-01T{hour}:05:00Z", LIKE, name=f"a.share={share}")
        if hour == 16:
            world.capture("2026-03-01T14:50:00Z", LIKE, name="late.share=100")
        world.evaluate(f"2026-03-01T{hour + 1}:15:00Z")
    assert [aspect for aspect, _ in told(world, 14)] == ["late-capture"]
    ((aspect, sentence),) = told(world, 15)
    assert (aspect, "from 100 % to 20 %" in sentence) == ("sampling-changed", True)
    assert told(world, 16) == []
    report = world.document("reports/2026/03/01/1600/report.json")
    assert report["heartbeat"]["sampling_percentage"] == 20


def test_captures_after_the_window_was_over_are_late(world: World) -> None:
    world.capture("2026-03-01T13:50:00Z", LIKE, name="late")
    assert world.evaluate("2026-03-01T14:30:00Z") == [("13:00", "healthy")]
    ((aspect, sentence),) = told(world, 13)
    assert aspect == "late-capture"
    assert "1 captured object of 2026-03-01 13:00-14:00 UTC came more than 600 seconds" in sentence


def test_a_column_that_is_gone_and_one_of_another_kind_change_the_schema(world: World) -> None:
    rows = [("", "many", colour) for _, _, colour in rows_of(500, 3)]
    world.capture("2026-03-01T14:05:00Z", rows)
    assert world.evaluate("2026-03-01T15:15:00Z") == [("14:00", "drift")]
    sentences = [sentence for _, sentence in told(world, 14)]
    assert sentences == [
        "No request has a value any more: income.",
        "Numbers in the training data and something else now: children.",
    ]


def test_rows_of_another_width_change_the_schema(world: World) -> None:
    world.capture("2026-03-01T14:05:00Z", [*LIKE, *[(1, 2)] * 20])
    world.evaluate("2026-03-01T15:15:00Z")
    ((aspect, sentence),) = told(world, 14)
    assert (aspect, sentence) == (
        "schema-changed",
        "4% of the rows do not have the 3 fields of the training data.",
    )


def test_an_evaluation_that_did_not_run_is_told_by_the_next(world: World) -> None:
    world.capture("2026-03-01T19:05:00Z", LIKE)
    world.evaluate("2026-03-01T20:15:00Z")
    ((aspect, sentence),) = told(world, 19)
    assert aspect == "check-missed"
    assert "between 2026-03-01T14:15:00Z and 2026-03-01T20:15:00Z" in sentence


@pytest.mark.parametrize(
    ("schedule", "runs", "due"),
    [
        ("rate(2 hours)", "03-01T19:10", None),
        ("rate(2 hours)", "03-01T19:11", "03-01T17:10"),
        ("cron(0 * ? * * *)", "03-01T17:00", None),
        ("cron(0 * ? * * *)", "03-01T18:00", "03-01T16:00"),
        ("cron(0 20-2/2 * * ? *)", "03-02T20:00", "03-01T20:00"),
        ("cron(0 9 ? * MON-FRI *)", "03-03T09:00", None),
        ("cron(0 9 ? * MON-FRI *)", "03-06T09:00", "03-02T09:00"),
        ("cron(0 9 ? * 2#1 *)", "04-07T09:00", None),
        ("cron(0 9 LW * ? *)", "06-01T00:00", "03-31T09:00"),
        ("cron(0 9 ? * MUN *)", "12-01T00:00", None),
        ("on request", "12-01T00:00", None),
    ],
)
def test_two_evaluations_that_a_schedule_asks_for_have_to_be_missed(
    schedule: str, runs: str, due: str | None
) -> None:
    """A Sunday, 14:00; the next hour is over and may have been looked at after 15:10."""
    config = replace(CONFIG, schedule_expression=schedule)
    looked = datetime(2026, 3, 1, 14, tzinfo=UTC)
    now, wanted = (time and moment(f"2026-{time}:00Z") for time in (runs, due))
    assert now
    assert overdue_since(config, looked, now) == wanted


def test_an_evaluation_that_cron_did_not_start_is_told_too(endpoints: Endpoints) -> None:
    config = replace(CONFIG, heartbeat=True, schedule_expression="cron(0 * ? * * *)")
    world = World(config)
    watcher = HeartbeatWatcher(world.bucket, endpoints, world.clock)
    world.drift = replace(world.drift, watchers=(watcher,))
    world.drift.build_baseline(NAME)
    world.evaluate("2026-03-01T12:00:00Z")
    for hour, now in ((12, 14), (13, 15), (19, 21)):
        world.capture(f"2026-03-01T{hour}:05:00Z", LIKE)
        world.evaluate(f"2026-03-01T{now}:00:00Z")
    assert told(world, 13) == []
    assert [aspect for aspect, _ in told(world, 19)] == ["check-missed"]


def test_a_fault_of_the_captures_is_no_drift_and_asks_for_no_retraining(
    world: World, endpoints: Endpoints
) -> None:
    endpoints.found = replace(ON, sampling=20)
    world.capture("2026-03-01T14:05:00Z", LIKE)
    world.evaluate("2026-03-01T15:15:00Z")
    assert set(world.publisher.types()) == {"Drift Evaluated"}
    world.capture("2026-03-01T15:05:00Z", UNLIKE)
    endpoints.found = ON
    world.evaluate("2026-03-01T16:15:00Z")
    report = world.document("reports/2026/03/01/1500/report.json")
    kinds = [found["kind"] for found in report["findings"]]
    assert kinds[0] == "data-quality"
    assert kinds[-1] == "heartbeat"
    assert report["verdict"] == "drift"


def test_what_is_remembered_survives_as_a_document(world: World) -> None:
    kept = json.loads(world.bucket.objects[BUCKET, f"drift/{NAME}/heartbeat.json"])
    assert kept["objects"] == {"2026-03-01T12:00:00Z": 1, "2026-03-01T13:00:00Z": 1}
    assert (kept["looked"], kept["sampling"]) == ("2026-03-01T14:15:00Z", 100)
