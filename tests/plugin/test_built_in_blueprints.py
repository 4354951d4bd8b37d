"""The built-in blueprints keep to what a third party's has to keep to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_framework.blueprints import drift_monitor, realtime_endpoint, training
from mlops_framework.cli.request_file import expand, read_request
from mlops_framework.testing.blueprint_suite import BlueprintSuite

REQUESTS = Path(__file__).resolve().parents[2] / "examples" / "employment" / "requests"


def example(kind: str) -> Mapping[str, Any]:
    return expand(read_request(REQUESTS / f"{kind}.json"), lambda key: f"the-{key}")


class TestDriftMonitor(BlueprintSuite):
    blueprint = drift_monitor.BLUEPRINT
    example = example("drift-monitor")


class TestRealtimeEndpoint(BlueprintSuite):
    blueprint = realtime_endpoint.BLUEPRINT
    example = example("realtime-endpoint")


class TestTraining(BlueprintSuite):
    blueprint = training.BLUEPRINT
    example = example("training")
