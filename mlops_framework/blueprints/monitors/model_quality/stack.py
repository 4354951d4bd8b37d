"""What a model-quality-monitor pipeline deploys."""

from __future__ import annotations

from typing import Any, ClassVar

from aws_cdk import aws_sagemaker as sagemaker

from mlops_framework.blueprints.monitors._base.analyzer_stack import AnalyzerStack


class ModelQualityMonitorStack(AnalyzerStack):
    """Predictions against the truth that arrived later."""

    definition_class: ClassVar[Any] = sagemaker.CfnModelQualityJobDefinition
    noun = "model_quality"
    reads = (
        "baseline_data",
        "baseline_constraints_location",
        "ground_truth_location",
        "record_preprocessor_location",
        "post_analytics_location",
    )
    inputs = (
        "inference_attribute",
        "probability_attribute",
        "probability_threshold",
        "start_time_offset",
        "end_time_offset",
        "ground_truth_location",
    )

    def application(self) -> dict[str, Any]:
        """The kind of model."""
        return {**super().application(), "problem_type": self.text("problem_type")}
