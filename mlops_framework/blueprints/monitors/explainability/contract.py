"""What a model-explainability-monitor request may say."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mlops_framework.blueprints.monitors._base.clarify import ClarifyRequest, ShapConfig
from mlops_framework.blueprints.monitors._base.contract import MonitoringType
from mlops_framework.blueprints.monitors._base.fields import AnyProblemType, Attribute
from mlops_framework.contracts.base import METADATA


class ModelExplainabilityMonitorRequest(ClarifyRequest):
    """A schedule that watches which features the model decides by."""

    monitoring_type: ClassVar[MonitoringType] = "ModelExplainability"
    short_name: ClassVar[str] = "explainability"
    baseline_fields: ClassVar[tuple[str, ...]] = (
        *ClarifyRequest.baseline_fields,
        "shap_config",
        "model_scores",
    )

    pipeline_type: Literal["model-explainability-monitor"] = Field(
        description="Kind of the blueprint."
    )

    problem_type: AnyProblemType = Field(
        default="",
        description="What the model predicts; kept with the request.",
        json_schema_extra=dict(METADATA),
    )
    shap_config: ShapConfig = Field(
        description="How Shapley values are computed.", json_schema_extra=dict(METADATA)
    )
    model_scores: Attribute = Field(
        default="",
        description="Position or JMESPath of the scores in the model's answer, if that holds more.",
        json_schema_extra=dict(METADATA),
    )
