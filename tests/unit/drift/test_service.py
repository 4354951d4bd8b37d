"""The use cases over in-memory ports, a monitor's day from baseline to retraining."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.errors import (
    BaselineMissing,
    MonitorUnknown,
    ObjectMissing,
    StateConflict,
)
from mlops_framework.drift.model_monitor_policy.rule import ModelMonitorFiles, ModelMonitorRule
from mlops_framework.drift.objects import ObjectVersion
from mlops_framework.drift.service import DriftMonitor, Profiled
from mlops_framework.drift.windows import moment
from mlops_framework.testing.drift import (
    MONITOR,
    InMemoryBucket,
    InMemoryMonitors,
    RecordingMetrics,
    RecordingPublisher,
    SetClock,
    capture_key,
    capture_line,
)
from tests.unit.drift.conftest import Row, csv_of, rows_of

CONFIG = replace(MONITOR, label_column="label")
NAME, BUCKET = CONFIG.name, CONFIG.data_bucket


@dataclass
class World:
    """A monitored endpoint."""

    config: MonitorConfig = CONFIG
    bucket: InMemoryBucket = field(default_factory=InMemoryBucket)
    publisher: RecordingPublisher = field(default_factory=RecordingPublisher)
    metrics: RecordingMetrics = field(default_factory=RecordingMetrics)
    clock: SetClock = field(default_factory=SetClock)

    def __post_init__(self) -> None:
        self.drift = DriftMonitor(
            monitors=InMemoryMonitors({NAME: self.config}),
            sources=self.bucket,
            store=self.bucket,
            publisher=self.publisher,
            metrics=self.metrics,
            clock=self.clock,
            filers=(ModelMonitorFiles(),),
            rules=(ModelMonitorRule(),),
        )
        key = self.config.baseline_data.removeprefix(f"s3://{BUCKET}/")
        self.bucket.objects[BUCKET, key] = "".join(csv_of(rows_of(4000, 1)))

    def capture(
        self, time: str, rows: Sequence[Row], *, name: str = "a", version: str = "v1"
    ) -> Profiled:
        """Write a capture object and let its event arrive."""
        return self.capture_lines(
            time, [capture_line(row, time=time) for row in rows], name=name, version=version
        )

    def capture_lines(
        self, time: str, lines: Sequence[str], *, name: str = "a", version: str = "v1"
    ) -> Profiled:
        key = capture_key(NAME, time, name)
        self.bucket.objects[BUCKET, key] = "\n".join(lines)
        return self.drift.profile_object(ObjectVersion(BUCKET, key, version, version))

    def evaluate(self, now: str = "", **span: str) -> list[tuple[str, str]]:
        """Start and verdict of the windows judged now."""
        if now:
            self.clock.set(now)
        asked = {name: moment(text) for name, text in span.items()}
        outcome = self.drift.evaluate(NAME, **asked)
        return [
            (entry["window"]["start"][11:16], entry["verdict"]) for entry in outcome.evaluations
        ]

    def document(self, name: str) -> Any:
        return json.loads(self.bucket.objects[BUCKET, f"drift/{NAME}/{name}"])


@pytest.fixture
def world() -> World:
    """A monitor with its baseline, watching since noon."""
    world = World()
    world.drift.build_baseline(NAME)
    world.evaluate("2026-03-01T12:00:00Z")
    return world


LIKE, UNLIKE = rows_of(500, 2), rows_of(500, 3, shift=9)


def test_a_day_from_healthy_to_drift_to_retraining(world: World) -> None:
    world.capture("2026-03-01T14:05:00Z", LIKE)
    assert world.evaluate("2026-03-01T15:15:00Z") == [("14:00", "healthy")]
    assert world.publisher.types() == ["Drift Evaluated"]
    assert world.publisher.alerts == []

    world.capture("2026-03-01T15:20:00Z", UNLIKE)
    assert world.evaluate("2026-03-01T15:25:00Z") == [("15:00", "drift")]
    assert world.publisher.types()[1:] == [
        "Drift Evaluated",
        "Drift Detected",
        "Retraining Requested",
    ]
    (alert,) = world.publisher.alerts
    assert alert[0] == "[mlops-test] Drift on employment-dev: income"
    assert "- income moved up: the average went from" in alert[1]
    assert "Retraining: requested." in alert[1]


def test_the_event_says_everything_a_rule_needs(world: World) -> None:
    world.capture("2026-03-01T12:05:00Z", UNLIKE)
    world.evaluate("2026-03-01T12:15:00Z")
    detail = world.publisher.events[-1][1]
    assert {key: detail[key] for key in ("version", "environment", "monitor", "model_name")} == {
        "version": 1,
        "environment": "mlops-test",
        "monitor": "employment-dev",
        "model_name": "employment",
    }
    assert detail["window"] == {
        "start": "2026-03-01T12:00:00Z",
        "end": "2026-03-01T13:00:00Z",
        "complete": False,
    }
    assert (detail["verdict"], detail["features"]) == ("drift", ["income"])
    assert detail["retraining"]["requested"] is True
    assert (BUCKET, detail["report"]["html_key"]) in world.bucket.objects


def test_evaluating_again_without_news_does_nothing(world: World) -> None:
    world.capture("2026-03-01T12:05:00Z", UNLIKE)
    world.evaluate("2026-03-01T12:15:00Z")
    said, written = len(world.publisher.events), len(world.bucket.writes)
    assert world.evaluate("2026-03-01T12:16:00Z") == []
    assert (len(world.publisher.events), len(world.bucket.writes)) == (said, written)


def test_a_drifted_window_is_announced_once_however_often_it_is_judged(world: World) -> None:
    world.capture("2026-03-01T12:05:00Z", UNLIKE)
    world.evaluate("2026-03-01T12:15:00Z")
    world.capture("2026-03-01T12:25:00Z", UNLIKE)
    world.evaluate("2026-03-01T12:30:00Z")
    assert world.evaluate("2026-03-01T13:11:00Z") == [("12:00", "drift")]
    assert world.publisher.types().count("Drift Detected") == 1
    assert world.publisher.types().count("Retraining Requested") == 1
    assert len(world.publisher.alerts) == 1


def test_silence_is_reported_and_never_healthy(world: World) -> None:
    assert world.evaluate("2026-03-01T14:12:00Z") == [("13:00", "no-data")]
    assert world.publisher.alerts[0][0] == "[mlops-test] No traffic captured on employment-dev"
    assert world.metrics.values[-1][1]["NoData"] == 1.0
    assert world.evaluate("2026-03-01T14:13:00Z") == []


def test_late_captures_re_open_their_window(world: World) -> None:
    world.capture("2026-03-01T14:05:00Z", LIKE)
    world.evaluate("2026-03-01T15:15:00Z")
    world.capture("2026-03-01T14:50:00Z", UNLIKE, name="late")
    assert ("14:00", "drift") in world.evaluate("2026-03-01T17:00:00Z")
    assert world.document("reports/2026/03/01/1400/report.json")["captures"]["objects"] == 2


def test_an_event_delivered_twice_counts_once(world: World) -> None:
    first = world.capture("2026-03-01T14:05:00Z", LIKE)
    again = world.capture("2026-03-01T14:05:00Z", LIKE)
    assert first == again
    world.evaluate("2026-03-01T15:15:00Z")
    assert world.document("reports/2026/03/01/1400/report.json")["captures"]["rows"] == 500


def test_a_capture_object_written_over_counts_with_its_last_version(world: World) -> None:
    world.capture("2026-03-01T14:05:00Z", UNLIKE, version="v1")
    world.capture("2026-03-01T14:05:00Z", LIKE, version="v2")
    assert world.evaluate("2026-03-01T15:15:00Z") == [("14:00", "healthy")]


def test_records_are_counted_in_the_window_of_their_own_time(world: World) -> None:
    lines = [capture_line(row, time="2026-03-01T13:59:59Z") for row in LIKE[:250]]
    lines += [capture_line(row, time="2026-03-01T15:00:00+01:00") for row in LIKE[250:]]
    done = world.capture_lines("2026-03-01T13:59:00Z", lines)
    assert [key.split("/")[-2] for key in done.keys] == ["1300", "1400"]
    assert done.rows == 500


def test_records_without_a_usable_time_count_in_the_window_of_their_object(world: World) -> None:
    lines = [
        capture_line(LIKE[0], time="soon"),
        "{",
        capture_line(LIKE[1], time="2026-03-01T99:99Z0Z"),
    ]
    done = world.capture_lines("2026-03-01T14:05:00Z", lines)
    assert [key.split("/")[-2] for key in done.keys] == ["1400"]
    assert (done.rows, done.left_out) == (0, 3)


def test_few_records_give_no_verdict_and_no_alarm(world: World) -> None:
    world.capture("2026-03-01T14:05:00Z", UNLIKE[:50])
    assert world.evaluate("2026-03-01T15:15:00Z") == [("14:00", "insufficient-data")]
    assert world.publisher.alerts == []


def test_a_range_can_be_judged_on_demand(world: World) -> None:
    for hour in (13, 14, 15):
        world.capture(f"2026-03-01T{hour}:05:00Z", LIKE)
    world.evaluate("2026-03-01T16:15:00Z")
    judged = world.evaluate(since="2026-03-01T14:00:00Z", until="2026-03-01T15:00:00Z")
    assert judged == [("14:00", "healthy")]
    assert world.document("latest.json")["window"]["start"] == "2026-03-01T15:00:00Z"


def test_the_latest_report_can_be_found_without_listing(world: World) -> None:
    world.capture("2026-03-01T14:05:00Z", LIKE)
    world.evaluate("2026-03-01T15:15:00Z")
    latest = world.document("latest.json")
    assert latest["verdict"] == "healthy"
    assert (BUCKET, latest["report"]["json_key"]) in world.bucket.objects


def test_captures_counted_on_an_earlier_baseline_are_left_out_and_told(world: World) -> None:
    world.capture("2026-03-01T14:05:00Z", LIKE)
    key = world.config.baseline_data.removeprefix(f"s3://{BUCKET}/")
    world.bucket.objects[BUCKET, key] = "".join(csv_of(rows_of(4000, 77)))
    world.drift.build_baseline(NAME)
    world.capture("2026-03-01T14:25:00Z", LIKE)
    world.evaluate("2026-03-01T15:15:00Z")
    captures = world.document("reports/2026/03/01/1400/report.json")["captures"]
    assert (captures["rows"], captures["profiles_of_other_baseline"]) == (500, 1)


def test_a_new_baseline_rewrites_no_history_and_is_not_taken_for_silence(world: World) -> None:
    world.capture("2026-03-01T12:05:00Z", LIKE)
    world.evaluate("2026-03-01T12:15:00Z")
    key = world.config.baseline_data.removeprefix(f"s3://{BUCKET}/")
    world.bucket.objects[BUCKET, key] = "".join(csv_of(rows_of(4000, 77)))
    world.drift.build_baseline(NAME)
    assert world.evaluate("2026-03-01T12:16:00Z") == []
    assert world.evaluate("2026-03-01T13:11:00Z") == [("12:00", "insufficient-data")]
    told = world.document("reports/2026/03/01/1200/report.json")["findings"][0]["sentence"]
    assert "Left out: 1 counted on an earlier baseline" in told
    assert world.publisher.alerts == []


def test_another_evaluation_at_the_same_time_is_noticed_and_nothing_is_said_twice(
    world: World,
) -> None:
    world.capture("2026-03-01T12:05:00Z", UNLIKE)
    world.clock.set("2026-03-01T12:15:00Z")
    world.bucket.interfere.append(lambda: world.drift.evaluate(NAME))
    outcome = world.drift.evaluate(NAME)
    assert outcome.evaluations == ()
    assert len(world.publisher.alerts) == 1
    assert world.publisher.types().count("Drift Detected") == 1


def test_endless_interference_ends_in_a_clear_fault(world: World) -> None:
    world.capture("2026-03-01T15:05:00Z", UNLIKE)
    world.clock.set("2026-03-01T15:15:00Z")
    key = (BUCKET, f"drift/{NAME}/state.json")

    def touch() -> None:
        world.bucket.objects[key] += " "

    world.bucket.interfere.extend([touch] * 9)
    with pytest.raises(StateConflict):
        world.drift.evaluate(NAME)


def test_what_could_not_be_said_is_said_next_time(world: World) -> None:
    world.capture("2026-03-01T12:05:00Z", UNLIKE)
    world.publisher.broken = True
    world.clock.set("2026-03-01T12:15:00Z")
    with pytest.raises(ConnectionError):
        world.drift.evaluate(NAME)
    world.publisher.broken = False
    world.evaluate("2026-03-01T12:16:00Z")
    assert world.publisher.types() == [
        "Drift Evaluated",
        "Drift Detected",
        "Retraining Requested",
    ]
    assert len(world.publisher.alerts) == 1


def test_windows_of_a_week_collect_the_captures_of_their_days() -> None:
    world = World(config=replace(CONFIG, window_minutes=10_080))
    world.drift.build_baseline(NAME)
    world.evaluate("2026-03-02T12:00:00Z")
    for day in (2, 4, 7):
        world.capture(f"2026-03-{day:02}T14:05:00Z", LIKE)
    assert world.evaluate("2026-03-09T01:00:00Z") == [("00:00", "healthy")]
    assert world.document("reports/2026/03/02/0000/report.json")["captures"]["rows"] == 1500


def test_the_state_forgets_old_windows(world: World) -> None:
    for day in range(2, 12):
        world.capture(f"2026-03-{day:02}T14:05:00Z", LIKE[:30])
        world.evaluate(f"2026-03-{day:02}T15:15:00Z")
    starts = world.document("state.json")["windows"]
    assert min(starts) > "2026-03-08"


def test_an_object_of_an_unwatched_endpoint_is_told_apart(world: World) -> None:
    key = capture_key("elsewhere", "2026-03-01T14:05:00Z")
    with pytest.raises(MonitorUnknown, match="Submit a drift-monitor request"):
        world.drift.profile_object(ObjectVersion(BUCKET, key))


@pytest.mark.parametrize(
    ("bucket", "key", "why"),
    [
        (BUCKET, "captures/notes.txt", "not named like a capture object"),
        ("another-bucket", capture_key(NAME, "2026-03-01T14:05:00Z"), "lies outside"),
        (BUCKET, f"copies/{capture_key(NAME, '2026-03-01T14:05:00Z')}", "lies outside"),
    ],
)
def test_objects_that_are_no_captures_of_the_monitor_are_skipped(
    world: World, bucket: str, key: str, why: str
) -> None:
    assert why in world.drift.profile_object(ObjectVersion(bucket, key)).skipped


def test_without_a_baseline_nothing_is_profiled_or_judged() -> None:
    world = World()
    with pytest.raises(BaselineMissing, match='"monitor": "employment-dev"'):
        world.capture("2026-03-01T14:05:00Z", LIKE)
    with pytest.raises(BaselineMissing):
        world.drift.evaluate(NAME)


def test_training_data_that_is_not_there_is_named() -> None:
    world = World()
    world.bucket.objects.clear()
    with pytest.raises(ObjectMissing, match=r"datasets/employment/train\.csv does not exist"):
        world.drift.build_baseline(NAME)


def test_metrics_tell_what_an_alarm_needs(world: World) -> None:
    world.capture("2026-03-01T15:05:00Z", UNLIKE)
    assert world.metrics.values[-1] == (NAME, {"RecordsProfiled": 500.0, "UnreadableRecords": 0.0})
    world.evaluate("2026-03-01T15:15:00Z")
    values = world.metrics.values[-1][1]
    assert (values["Drift"], values["DriftedColumns"], values["NoData"]) == (1.0, 1.0, 0.0)
    assert values["RetrainingRequested"] == 1.0


def test_a_column_has_a_metric_of_its_own_only_where_that_is_asked_for_and_it_drifts() -> None:
    found = []
    for config in (CONFIG, replace(CONFIG, column_metrics=True)):
        world = World(config)
        world.drift.build_baseline(NAME)
        world.evaluate("2026-03-01T12:00:00Z")
        world.capture("2026-03-01T14:05:00Z", LIKE)
        world.capture("2026-03-01T15:05:00Z", UNLIKE)
        world.evaluate("2026-03-01T16:15:00Z")
        found.append(world.metrics.columns)

    silent, ((monitor, column, values),) = found
    assert silent == []
    assert (monitor, column) == (NAME, "income")
    assert 0.2 < values["Effect"] < 1


def since_of(world: World, hour: str) -> dict[str, str]:
    findings = world.document(f"reports/2026/03/01/{hour}00/report.json")["findings"]
    told = [one for one in findings if one["aspect"] in ("values", "heartbeat")]
    return {finding["column"]: finding["since"] for finding in told}


def test_every_finding_says_since_when_it_has_been_like_this(world: World) -> None:
    both = rows_of(500, 4, shift=9, green=0.95)
    for hour, rows in ((14, LIKE), (15, UNLIKE), (16, UNLIKE[:30]), (17, both), (18, LIKE)):
        world.capture(f"2026-03-01T{hour}:05:00Z", rows)
        world.evaluate(f"2026-03-01T{hour + 1}:15:00Z")
    world.capture("2026-03-01T19:05:00Z", UNLIKE)
    world.evaluate("2026-03-01T20:15:00Z")

    assert since_of(world, "15") == {"income": "2026-03-01T15:00:00Z"}
    assert since_of(world, "17") == {  # an hour without a verdict ends nothing
        "income": "2026-03-01T15:00:00Z",
        "colour": "2026-03-01T17:00:00Z",
    }
    assert since_of(world, "19") == {"income": "2026-03-01T19:00:00Z"}
    (message,) = (text for _, text in world.publisher.alerts if "colour" in text)
    (line,) = (line for line in message.splitlines() if line.startswith("- income moved"))
    assert line.endswith("So it is since 2026-03-01 15:00 UTC.")
    page = world.bucket.objects[BUCKET, f"drift/{NAME}/reports/2026/03/01/1700/report.html"]
    assert "So it is since 2026-03-01 15:00 UTC." in str(page)


def test_drift_that_lasts_longer_than_windows_are_remembered_keeps_its_beginning() -> None:
    world = World(config=replace(CONFIG, window_minutes=1440))
    world.drift.build_baseline(NAME)
    world.evaluate("2026-03-01T00:00:00Z")
    for day in range(1, 9):
        world.capture(f"2026-03-{day:02}T14:05:00Z", UNLIKE)
        world.evaluate(f"2026-03-{day + 1:02}T01:00:00Z")

    assert "2026-03-01T00:00:00Z" not in world.document("state.json")["windows"]
    (finding,) = world.document("reports/2026/03/08/0000/report.json")["findings"]
    assert finding["since"] == "2026-03-01T00:00:00Z"


def test_silence_says_since_when_too(world: World) -> None:
    world.capture("2026-03-01T14:05:00Z", LIKE)
    world.evaluate("2026-03-01T15:15:00Z")
    world.evaluate("2026-03-01T16:15:00Z")
    world.evaluate("2026-03-01T17:15:00Z")

    assert since_of(world, "16") == {"": "2026-03-01T15:00:00Z"}


@pytest.mark.parametrize(("watched", "rows"), [("", 1000), ("blue", 500)])
def test_all_variants_of_an_endpoint_are_one_traffic_unless_one_is_asked_for(
    watched: str, rows: int
) -> None:
    world = World(replace(CONFIG, variant_name=watched))
    world.drift.build_baseline(NAME)
    world.evaluate("2026-03-01T12:00:00Z")
    time = "2026-03-01T14:05:00Z"
    for variant, served in (("blue", LIKE), ("green", UNLIKE)):
        key = capture_key(NAME, time).replace("AllTraffic", variant)
        text = "\n".join(capture_line(row, time=time) for row in served)
        world.bucket.objects[BUCKET, key] = text
        world.drift.profile_object(ObjectVersion(BUCKET, key, "v1", "v1"))
    world.evaluate("2026-03-01T15:15:00Z")
    report = world.document("reports/2026/03/01/1400/report.json")
    assert report["captures"]["rows"] == rows
    assert report["verdict"] == ("healthy" if watched else "drift")


def test_a_captured_object_that_is_written_again_counts_once_with_what_it_holds_now() -> None:
    """As captures of an asynchronous endpoint are, when their answers come."""
    world = World()
    world.drift.build_baseline(NAME)
    world.evaluate("2026-03-01T12:00:00Z")
    time = "2026-03-01T14:05:00Z"
    both = [json.loads(capture_line(row, time=time)) for row in LIKE]
    asked = [
        {**line, "captureData": {"endpointInput": line["captureData"]["endpointInput"]}}
        for line in both
    ]
    world.capture_lines(time, [json.dumps(line) for line in asked], version="v1")
    assert world.evaluate("2026-03-01T15:15:00Z") == [("14:00", "healthy")]
    world.capture_lines(time, [json.dumps(line) for line in both], version="v2")
    assert world.evaluate("2026-03-01T15:20:00Z") == [("14:00", "healthy")]
    report = world.document("reports/2026/03/01/1400/report.json")
    assert (report["captures"]["objects"], report["captures"]["rows"]) == (1, len(LIKE))
    assert [each["window"]["records"] for each in report["predictions"]] == [len(LIKE)]


def test_each_model_of_a_multi_model_endpoint_has_a_monitor_that_counts_its_own_traffic() -> None:
    world = World(replace(CONFIG, target_model="eu/churn.tar.gz", monitor_name="churn"))
    both = {"churn": world.config}
    both["rent"] = replace(CONFIG, target_model="rent.tar.gz", monitor_name="rent")
    drift = replace(world.drift, monitors=InMemoryMonitors(both))
    time = "2026-03-01T14:05:00Z"
    for monitor in both:
        drift.build_baseline(monitor)
        world.clock.set("2026-03-01T12:00:00Z")
        drift.evaluate(monitor)
    for model, served in (("eu!churn.tar.gz", LIKE), ("rent.tar.gz", UNLIKE), ("", UNLIKE)):
        name = f".model={model}.jsonl" if model else ".jsonl"
        key = capture_key(NAME, time, f"{len(model)}").removesuffix(".jsonl") + name
        world.bucket.objects[BUCKET, key] = "\n".join(
            capture_line(row, time=time) for row in served
        )
        for monitor in both:
            done = drift.profile_object(ObjectVersion(BUCKET, key, "v1", "v1"), monitor)
            assert bool(done.skipped) == (model.replace("!", "/") != both[monitor].target_model)
    verdicts = {}
    world.clock.set("2026-03-01T15:15:00Z")
    for monitor in both:
        (judged,) = drift.evaluate(monitor).evaluations
        verdicts[monitor] = (judged["records"], judged["verdict"])
    assert verdicts == {"churn": (500, "healthy"), "rent": (500, "drift")}
    # Whoever is told knows which of the models it is.
    (alert,) = world.publisher.alerts
    assert alert[0] == f"[mlops-test] Drift on {NAME} (model rent.tar.gz): income"
    key = "drift/rent/reports/2026/03/01/1400/report"
    told = json.loads(world.bucket.objects[BUCKET, f"{key}.json"])["monitor"]
    assert (told["name"], told["watched"]) == ("rent", f"{NAME} (model rent.tar.gz)")
    assert f"<h1>{NAME} (model rent.tar.gz)</h1>" in world.bucket.objects[BUCKET, f"{key}.html"]
