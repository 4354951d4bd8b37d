"""The built-in blueprints keep to what a third party's has to keep to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from mlops_framework.blueprints import (
    autopilot,
    batch_transform,
    drift_monitor,
    image_builder,
    realtime_endpoint,
    training,
    tuning,
)
from mlops_framework.blueprints.monitors import (
    data_quality,
    explainability,
    model_bias,
    model_quality,
)
from mlops_framework.cli.request_file import expand, read_request
from mlops_framework.registry import Registry
from mlops_framework.testing.blueprint_suite import BlueprintSuite

REQUESTS = Path(__file__).resolve().parents[2] / "examples" / "employment" / "requests"


def example(kind: str) -> Mapping[str, Any]:
    return expand(read_request(REQUESTS / f"{kind}.json"), lambda key: f"the-{key}")


def test_every_kind_that_the_platform_brings_passes_the_suite() -> None:
    tested = {suite.blueprint.kind for suite in BlueprintSuite.__subclasses__()}
    brought = {
        blueprint.kind
        for blueprint in Registry.discover().blueprints
        if blueprint.stack.startswith("mlops_framework.")
    }

    assert brought <= tested


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


MONITORED: Mapping[str, Any] = {
    "model_name": "churn",
    "endpoint_name": "churn",
    "baseline_data": "s3://my-data/datasets/churn/train.csv",
}


class TestDataQualityMonitor(BlueprintSuite):
    blueprint = data_quality.BLUEPRINT
    example: ClassVar[Mapping[str, Any]] = {**MONITORED, "pipeline_type": "data-quality-monitor"}


class TestModelQualityMonitor(BlueprintSuite):
    blueprint = model_quality.BLUEPRINT
    example: ClassVar[Mapping[str, Any]] = {
        **MONITORED,
        "pipeline_type": "model-quality-monitor",
        "problem_type": "BinaryClassification",
        "baseline_probability_attribute": "probability",
        "baseline_ground_truth_attribute": "label",
        "ground_truth_location": "s3://my-data/truth/churn",
        "probability_attribute": "0",
    }


class TestModelBiasMonitor(BlueprintSuite):
    blueprint = model_bias.BLUEPRINT
    example: ClassVar[Mapping[str, Any]] = {
        **MONITORED,
        "pipeline_type": "model-bias-monitor",
        "bias_config": {
            "label_values_or_threshold": [1],
            "facets": [{"name": "age", "values_or_threshold": [40]}],
        },
        "model_predicted_label_config": {"probability": "0", "probability_threshold": 0.8},
        "ground_truth_location": "s3://my-data/truth/churn",
        "probability_attribute": "0",
    }


class TestModelExplainabilityMonitor(BlueprintSuite):
    blueprint = explainability.BLUEPRINT
    example: ClassVar[Mapping[str, Any]] = {
        **MONITORED,
        "pipeline_type": "model-explainability-monitor",
        "shap_config": {"baseline": [[0.1, 0.2]], "num_samples": 100},
        "inference_attribute": "0",
    }


class TestAutopilot(BlueprintSuite):
    blueprint = autopilot.BLUEPRINT
    example: ClassVar[Mapping[str, Any]] = {
        "pipeline_type": "autopilot",
        "model_name": "churn",
        "training_data": "s3://my-data/datasets/churn/train/",
        "target_attribute": "churned",
        "problem_type": "BinaryClassification",
        "objective_metric": "F1",
        "max_candidates": 10,
        "max_total_seconds": 14400,
        "gate": True,
        "quality_threshold": 0.8,
    }
