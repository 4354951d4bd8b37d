"""What a model-explainability-monitor pipeline deploys."""

from __future__ import annotations

from typing import Any, ClassVar

from aws_cdk import aws_sagemaker as sagemaker

from mlops_framework.blueprints.monitors._base.clarify_stack import ClarifyStack


class ModelExplainabilityMonitorStack(ClarifyStack):
    """Which features the model decides by, and whether that changes."""

    definition_class: ClassVar[Any] = sagemaker.CfnModelExplainabilityJobDefinition
    noun = "model_explainability"
    reads = ("baseline_data", "baseline_constraints_location")
    inputs = ("features_attribute", "inference_attribute", "probability_attribute")
