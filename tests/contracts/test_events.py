"""What the use cases publish is what the published models describe."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from mlops_framework.aws import events as bus
from mlops_framework.aws import model_monitor
from mlops_framework.contracts.events import (
    DRIFT_SOURCE,
    EVENTS,
    MONITORS_SOURCE,
    ORCHESTRATOR_SOURCE,
    DriftDetail,
    events_document,
)
from mlops_framework.drift.objects import ObjectVersion
from mlops_framework.drift.service import DriftMonitor
from mlops_framework.model_monitor.runs import Job, Run, judge
from mlops_framework.model_monitor.service import FINISHED
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
from tests.contracts.orchestrator import REQUESTER, TRAINING, InMemoryWorld


def as_delivered(source: str, detail_type: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    return {"source": source, "detail-type": detail_type, "detail": dict(detail)}


@pytest.fixture(scope="module")
def drift_events() -> list[tuple[str, Mapping[str, Any]]]:
    """Of one window with traffic far from the training data."""
    config = replace(MONITOR, label_column="label", retrain=True)
    bucket, publisher, clock = InMemoryBucket(), RecordingPublisher(), SetClock()
    dice = random.Random(7)
    rows = "".join(f"{dice.gauss(40, 10):.3f},1\n" for _ in range(2000))
    key = config.baseline_data.removeprefix(f"s3://{config.data_bucket}/")
    bucket.objects[config.data_bucket, key] = f"income,label\n{rows}"
    monitor = DriftMonitor(
        monitors=InMemoryMonitors({config.name: config}),
        sources=bucket,
        store=bucket,
        publisher=publisher,
        metrics=RecordingMetrics(),
        clock=clock,
    )
    monitor.build_baseline(config.name)
    clock.set("2026-03-01T14:00:00Z")
    monitor.evaluate(config.name)
    time = "2026-03-01T14:30:00Z"
    captured = capture_key(config.name, time, "a")
    lines = [capture_line((round(dice.gauss(90, 10), 3),), time=time) for _ in range(600)]
    bucket.objects[config.data_bucket, captured] = "\n".join(lines)
    monitor.profile_object(ObjectVersion(config.data_bucket, captured, "v1", "v1"))
    clock.set("2026-03-01T15:30:00Z")
    monitor.evaluate(config.name)
    return publisher.events


def test_every_event_of_drift_is_as_published(
    drift_events: list[tuple[str, Mapping[str, Any]]],
) -> None:
    details = [
        (name, EVENTS[DRIFT_SOURCE, name].model_validate(detail)) for name, detail in drift_events
    ]

    assert {name for name, _ in details} == {
        "Drift Evaluated",
        "Drift Detected",
        "Retraining Requested",
    }
    assert any(
        isinstance(detail, DriftDetail) and detail.features == ("income",) for _, detail in details
    )


def test_the_schema_for_consumers_accepts_the_events(
    drift_events: list[tuple[str, Mapping[str, Any]]],
) -> None:
    for name, detail in drift_events:
        jsonschema.validate(as_delivered(DRIFT_SOURCE, name, detail), events_document())


def test_every_event_of_the_orchestrator_is_as_published() -> None:
    world = InMemoryWorld()
    world.orchestrator.provision(TRAINING, REQUESTER)
    world.settle()
    world.orchestrator.delete("income-training", REQUESTER)
    world.remove("income-training")

    names = [name for name, _ in world.events.published]

    assert names == ["Pipeline Requested", "Pipeline Removed"]
    for name, detail in world.events.published:
        delivered = {**detail, "environment": "mlops-test"}
        EVENTS[ORCHESTRATOR_SOURCE, name].model_validate(delivered)
        document = as_delivered(ORCHESTRATOR_SOURCE, name, delivered)
        jsonschema.validate(document, events_document())


VIOLATIONS = '{"violations": [{"feature_name": "age", "description": "80% complete"}]}'


@pytest.mark.parametrize(
    "run",
    [
        judge(Job("job-1", "Completed", "income", "s3://data/reports"), VIOLATIONS),
        judge(Job("job-1", "Failed", "income", reason="no data"), None),
    ],
    ids=lambda run: run.outcome,
)
def test_the_end_of_a_run_of_model_monitor_is_as_published(run: Run) -> None:
    # As lambdas/monitors labels them.
    detail = run.detail(
        {
            "environment": "mlops-test",
            "pipeline_id": "income-data-quality-monitor",
            "monitoring_type": "DataQuality",
            "model_name": "income",
            "endpoint_name": "income",
        }
    )

    EVENTS[MONITORS_SOURCE, FINISHED].model_validate_json(json.dumps(detail))
    jsonschema.validate(as_delivered(MONITORS_SOURCE, FINISHED, detail), events_document())


def test_the_sources_are_those_that_rules_match_on() -> None:
    assert bus.SOURCE == ORCHESTRATOR_SOURCE
    assert model_monitor.SOURCE == MONITORS_SOURCE
