"""What a model-explainability-monitor request may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from mlops_framework.blueprints.monitors._base.clarify import (
    ClarifyRequest,
    ShapConfig,
    column,
    without_gaps,
)
from mlops_framework.blueprints.monitors._base.contract import MonitoringType
from mlops_framework.blueprints.monitors._base.fields import AnyProblemType, Attribute, Threshold
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
    probability_threshold: Threshold = Field(
        default=0.5,
        description="Kept with the request; SageMaker has no place for it in this kind.",
        json_schema_extra=dict(METADATA),
    )

    @classmethod
    def asks_model(cls, given: Mapping[str, Any]) -> bool:
        """Every run explains predictions, for which it asks the model again."""
        return True

    def baseline_analysis(self, stage: str) -> dict[str, Any]:
        """Shapley values of the baseline data."""
        common = super().baseline_analysis(stage)
        scores = without_gaps({"label": column(self.model_scores)})
        return {
            **common,
            "predictor": {**common["predictor"], **scores},
            "methods": {**common["methods"], "shap": self._shap()},
        }

    def monitor_analysis(self, stage: str) -> dict[str, Any]:
        """The same values, of what was captured; captures hold no label."""
        headers = [
            name for index, name in enumerate(self.headers) if self.label not in (name, str(index))
        ]
        return {
            **without_gaps({"headers": headers}),
            "predictor": self.predictor(stage),
            "methods": {"shap": self._shap()},
        }

    def _shap(self) -> dict[str, Any]:
        shap = self.shap_config
        return {
            **without_gaps(
                {
                    "baseline": shap.baseline_location or [list(row) for row in shap.baseline],
                    "num_clusters": shap.num_clusters or None,
                    "num_samples": shap.num_samples or None,
                    "agg_method": shap.agg_method,
                    "seed": shap.seed if "seed" in shap.model_fields_set else None,
                    "features_to_explain": [column(name) for name in shap.features_to_explain],
                }
            ),
            "use_logit": shap.use_logit,
            "save_local_shap_values": shap.save_local_shap_values,
        }
