"""What a model-bias-monitor pipeline deploys."""

from __future__ import annotations

from typing import Any, ClassVar

from aws_cdk import aws_sagemaker as sagemaker

from mlops_framework.blueprints.monitors._base.clarify_stack import ClarifyStack


class ModelBiasMonitorStack(ClarifyStack):
    """Bias between groups in what the model decides."""

    definition_class: ClassVar[Any] = sagemaker.CfnModelBiasJobDefinition
    noun = "model_bias"
    reads = ("baseline_data", "baseline_constraints_location", "ground_truth_location")
    inputs = (
        "features_attribute",
        "inference_attribute",
        "probability_attribute",
        "probability_threshold",
        "start_time_offset",
        "end_time_offset",
        "ground_truth_location",
    )
