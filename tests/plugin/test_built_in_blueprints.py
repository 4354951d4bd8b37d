"""The built-in blueprints keep to what a third party's has to keep to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from mlops_framework.blueprints import drift_monitor, image_builder, realtime_endpoint, training
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


class TestImageBuilder(BlueprintSuite):
    blueprint = image_builder.BLUEPRINT
    example: ClassVar[Mapping[str, Any]] = {
        "pipeline_type": "image-builder",
        "model_name": "churn",
        "source_archive": "s3://my-data/code/churn/image.zip",
        "build_arguments": {"PYTHON": "3.12"},
        "repository_name": "team/churn",
        "image_tag": "1.0.0",
        "scan_gate": "high",
        "accepted_findings": ["CVE-2024-12345"],
    }
