"""The three drift functions over in-memory ports."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from lambdas.drift.baseline import RequestInvalid as BaselineRequestInvalid
from lambdas.drift.baseline import build
from lambdas.drift.evaluate import RequestInvalid, evaluate
from lambdas.drift.profile import EventMalformed, object_of, profile
from mlops_framework.drift.errors import MonitorUnknown
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.objects import ObjectVersion
from mlops_framework.drift.service import DriftMonitor
from mlops_framework.testing.drift import (
    MONITOR,
    InMemoryBucket,
    InMemoryMonitors,
    RecordingMetrics,
    RecordingPublisher,
    SetClock,
    capture_key,
    capture_line,
    label_key,
    label_line,
)

BUCKET = MONITOR.data_bucket
TRAINING = "x,label\n" + "".join(f"{number % 7},{number % 2}\n" for number in range(700))
KEY = capture_key(MONITOR.name, "2026-03-01T14:05:00Z")


def object_created(key: str, **changes: str) -> dict[str, Any]:
    """EventBridge's event as Amazon S3 sends it."""
    return {
        "version": "0",
        "id": "2d4eba74-fd51-3966-4bfa-b013c9da8ff1",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2026-03-01T14:06:03Z",
        "region": "us-east-1",
        "resources": [f"arn:aws:s3:::{BUCKET}"],
        "detail": {
            "version": "0",
            "bucket": {"name": BUCKET},
            "object": {
                "key": key,
                "size": 90,
                "etag": "8ab10e4c7d4a5d0b5c9f0c6a0a2f7d11",
                "sequencer": "0062E99A88DC407460",
            }
            | changes,
            "request-id": "RKREYG1RN2X92YX6",
            "requester": "sagemaker.amazonaws.com",
            "reason": "PutObject",
        },
    }


def batch(*bodies: Any) -> dict[str, Any]:
    """An SQS batch; message ids are m0, m1, ..."""
    return {
        "Records": [
            {"messageId": f"m{index}", "body": body if isinstance(body, str) else json.dumps(body)}
            for index, body in enumerate(bodies)
        ]
    }


@dataclass
class World:
    bucket: InMemoryBucket = field(default_factory=InMemoryBucket)
    publisher: RecordingPublisher = field(default_factory=RecordingPublisher)
    metrics: RecordingMetrics = field(default_factory=RecordingMetrics)
    clock: SetClock = field(default_factory=SetClock)

    def __post_init__(self) -> None:
        config = replace(MONITOR, label_column="label")
        self.drift = DriftMonitor(
            monitors=InMemoryMonitors({config.name: config}),
            sources=self.bucket,
            store=self.bucket,
            publisher=self.publisher,
            metrics=self.metrics,
            clock=self.clock,
        )
        self.bucket.objects[BUCKET, "datasets/employment/train.csv"] = TRAINING
        lines = [capture_line([number % 7]) for number in range(300)]
        self.bucket.objects[BUCKET, KEY] = "\n".join(lines)


@pytest.fixture
def world() -> World:
    made = World()
    build({"monitor": MONITOR.name}, drift=made.drift)
    return made


def test_every_object_of_a_batch_is_profiled(world: World) -> None:
    assert profile(batch(object_created(KEY)), drift=world.drift) == {"batchItemFailures": []}
    assert any("/profiles/2026/03/01/1400/" in key for key in world.bucket.writes)


def test_labels_are_taken_for_the_monitor_that_the_rule_names(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    config = replace(
        MONITOR,
        ground_truth=GroundTruth(problem_type="Regression"),
        ground_truth_location=f"s3://{BUCKET}/labels",
    )
    monitors = InMemoryMonitors({config.name: config})
    drift = replace(world.drift, monitors=monitors)
    key = label_key("labels", "2026-03-01T15:00:00Z")
    unread = [label_line("c", 3).replace('"CSV"', '"XML"'), "{", label_line("", 4), "["]
    lines = [label_line("a", 1.5), *unread, label_line("b", 2.5)]
    world.bucket.objects[BUCKET, key] = "\n".join(lines)
    event = {"labels_of": config.name, "detail": object_created(key)["detail"]}
    assert profile(batch(event, event), drift=drift) == {"batchItemFailures": []}
    assert (
        world.metrics.values == [(config.name, {"LabelsTaken": 2.0, "UnreadableLabels": 4.0})] * 2
    )
    assert len(world.bucket.files) == 1
    told = [record.message.partition(": ")[2] for record in caplog.records]
    assert told[:3] == [
        "1 left out (label-encoding): the encoding is none of CSV, JSON and BASE64",
        "1 left out (no-event-id): the record has no eventMetadata.eventId",
        "2 left out (not-json): the line is not a JSON object",
    ]


def test_only_what_may_succeed_later_is_delivered_again(world: World) -> None:
    events = batch(
        object_created(KEY),
        object_created(capture_key("elsewhere", "2026-03-01T14:05:00Z")),
        object_created(capture_key(MONITOR.name, "2026-03-01T14:09:00Z", "deleted")),
        "not an event",
        object_created("captures/readme.txt"),
    )
    assert profile(events, drift=world.drift) == {"batchItemFailures": [{"itemIdentifier": "m3"}]}


def test_captures_wait_for_the_baseline() -> None:
    world = World()
    answer = profile(batch(object_created(KEY)), drift=world.drift)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}


def test_captures_of_an_endpoint_without_monitor_are_counted(world: World) -> None:
    key = capture_key("elsewhere", "2026-03-01T14:05:00Z")
    profile(batch(object_created(key)), drift=world.drift)
    assert world.metrics.values == [("elsewhere", {"UnknownMonitorObjects": 1.0})]


def test_a_rule_says_for_which_monitor_of_an_endpoint_an_object_is_counted(world: World) -> None:
    event = object_created(KEY) | {"captures_of": "another"}
    assert profile(batch(event), drift=world.drift) == {"batchItemFailures": []}
    assert not any("/profiles/" in key for key in world.bucket.writes)
    event["captures_of"] = MONITOR.name
    assert profile(batch(event), drift=world.drift) == {"batchItemFailures": []}
    assert any(f"/{MONITOR.name}/profiles/" in key for key in world.bucket.writes)


def test_the_version_names_the_profile_and_the_etag_does_where_there_is_none() -> None:
    etag = "8ab10e4c7d4a5d0b5c9f0c6a0a2f7d11"
    plain = object_of(json.dumps(object_created(KEY)))
    assert plain == ObjectVersion(BUCKET, KEY, etag, "0062E99A88DC407460")
    versioned = object_created(KEY, **{"version-id": "null-1"})
    assert object_of(json.dumps(versioned)).version == "null-1"


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"detail": null}', '{"detail": {"object": {}}}'])
def test_other_messages_are_named(body: str) -> None:
    with pytest.raises(EventMalformed, match="Object Created"):
        object_of(body)


def test_an_evaluation_tells_what_it_judged(world: World) -> None:
    profile(batch(object_created(KEY)), drift=world.drift)
    answer = evaluate({"monitor": MONITOR.name}, drift=world.drift)
    (entry,) = answer["evaluations"]
    assert (entry["verdict"], entry["records"], entry["features"]) == ("healthy", 300, [])
    assert answer["retraining"]["requested"] is False
    assert json.loads(json.dumps(answer)) == answer


def test_a_range_may_be_asked_for(world: World) -> None:
    profile(batch(object_created(KEY)), drift=world.drift)
    span = {"from": "2026-03-01T13:00:00Z", "to": "2026-03-01T14:00:00Z"}
    assert evaluate({"monitor": MONITOR.name} | span, drift=world.drift)["evaluations"] == []
    span["to"] = "2026-03-01T15:00:00+00:00"
    asked = evaluate({"monitor": MONITOR.name} | span, drift=world.drift)
    assert len(asked["evaluations"]) == 1


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, "no monitor"),
        ({"monitor": ""}, "no monitor"),
        ({"monitor": "m", "window": 1}, "unknown keys window"),
        ({"monitor": "m", "from": "yesterday"}, "from is 'yesterday'"),
        ({"monitor": "m", "to": 7}, "to is 7"),
    ],
)
def test_a_malformed_request_is_told_what_is_accepted(
    world: World, event: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestInvalid, match=message):
        evaluate(event, drift=world.drift)


def test_a_baseline_says_where_it_is_and_what_it_holds(world: World) -> None:
    answer = build({"monitor": MONITOR.name}, drift=world.drift)
    assert answer["baseline"] == {"bucket": BUCKET, "key": "drift/employment-dev/baseline.json"}
    assert (answer["status"], answer["rows"], answer["columns"]) == ("built", 700, ["x"])


def test_a_baseline_of_nothing_is_refused(world: World) -> None:
    with pytest.raises(MonitorUnknown, match="no drift monitor 'other'"):
        build({"monitor": "other"}, drift=world.drift)
    with pytest.raises(BaselineRequestInvalid, match="accepted"):
        build({"endpoint": "x"}, drift=world.drift)


@pytest.mark.parametrize("module", ["profile", "evaluate", "baseline"])
def test_a_function_imports_nothing_that_its_bundle_does_not_hold(module: str) -> None:
    """The engine's libraries and the runtime's boto3: what takes a second to import stays out."""
    code = (
        f"import sys, lambdas.drift.{module}; "
        "tops = {name.partition('.')[0] for name in sys.modules}; "
        "print(sorted(tops & {'pydantic', 'aws_lambda_powertools', 'aws_cdk', 'pandas', 'scipy'}))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
