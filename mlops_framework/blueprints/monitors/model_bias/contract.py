"""What a model-bias-monitor request may say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from mlops_framework.blueprints.monitors._base.clarify import (
    BiasConfig,
    ClarifyRequest,
    PredictedLabelConfig,
)
from mlops_framework.blueprints.monitors._base.contract import MonitoringType
from mlops_framework.blueprints.monitors._base.fields import AnyProblemType
from mlops_framework.contracts.base import METADATA, PerStage
from mlops_framework.contracts.faults import NOTHING
from mlops_framework.contracts.fields import S3Uri
from mlops_framework.errors import Fault


class ModelBiasMonitorRequest(ClarifyRequest):
    """A schedule that measures bias between groups in what the model decides."""

    monitoring_type: ClassVar[MonitoringType] = "ModelBias"
    short_name: ClassVar[str] = "bias"
    hourly_limit: ClassVar[int] = 1800
    baseline_fields: ClassVar[tuple[str, ...]] = (
        *ClarifyRequest.baseline_fields,
        "bias_config",
        "model_predicted_label_config",
    )

    pipeline_type: Literal["model-bias-monitor"] = Field(description="Kind of the blueprint.")

    problem_type: AnyProblemType = Field(
        default="",
        description="What the model predicts; Clarify sees it from the label if empty.",
        json_schema_extra=dict(METADATA),
    )
    bias_config: BiasConfig = Field(
        description="Groups, and the outcome that is good.", json_schema_extra=dict(METADATA)
    )
    model_predicted_label_config: PredictedLabelConfig | None = Field(
        default=None,
        description="Where the model's answer to Clarify holds label and probability.",
        json_schema_extra=dict(METADATA),
    )
    ground_truth_location: PerStage[S3Uri] = Field(
        description="Where the truth arrives, as JSON lines below <yyyy>/<mm>/<dd>/<hh>/."
    )

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """A classifier's answer is a probability or a label: which of them has to be said."""
        yield from super().conflicts(given)
        problem = given.get("problem_type")
        if (
            problem in ("BinaryClassification", "MulticlassClassification")
            and cls.builds_baseline(given)
            and not given.get("model_predicted_label_config")
        ):
            yield Fault(
                "model_predicted_label_config",
                f"Required for a {problem} model: where its answer holds label or probability.",
                "an object with label, probability, probability_threshold, label_headers",
                NOTHING,
            )
