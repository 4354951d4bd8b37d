"""The built-in blueprints keep to what a third party's has to keep to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from mlops_framework.blueprints import (
    batch_transform,
    drift_monitor,
    image_builder,
    realtime_endpoint,
    training,
    tuning,
)
from mlops_framework.cli.request_file import expand, read_request
from mlops_framework.testing.blueprint_suite import BlueprintSuite

REQUESTS = Path(__file__).resolve().parents[2] / "examples" / "employment" / "requests"


def example(kind: str) -> Mapping[str, Any]:
    return expand(read_request(REQUESTS / f"{kind}.json"), lambda key: f"the-{key}")


class TestBatchTransform(BlueprintSuite):
    blueprint = batch_transform.BLUEPRINT
    example = example("batch-transform")


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


class TestTuning(BlueprintSuite):
    blueprint = tuning.BLUEPRINT
    example: ClassVar[Mapping[str, Any]] = {
        "pipeline_type": "tuning",
        "model_name": "churn",
        "training_data": "s3://my-data/datasets/churn/train/",
        "validation_data": "s3://my-data/datasets/churn/validation/",
        "content_type": "text/csv",
        "algorithm": "xgboost",
        "algorithm_version": "1.7-1",
        "hyperparameters": {"objective": "binary:logistic", "num_round": 100},
        "objective_metric": "validation:auc",
        "continuous_ranges": [{"name": "eta", "minimum": 0.05, "maximum": 0.5}],
        "integer_ranges": [{"name": "max_depth", "minimum": 3, "maximum": 9}],
        "max_jobs": 20,
        "max_parallel_jobs": 4,
        "quality_metric": "validation:auc",
        "quality_threshold": 0.8,
    }
