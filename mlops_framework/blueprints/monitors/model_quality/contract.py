"""What a model-quality-monitor request may say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from mlops_framework.blueprints.monitors._base.analyzers import AnalyzerRequest
from mlops_framework.blueprints.monitors._base.contract import MonitoringType
from mlops_framework.blueprints.monitors._base.fields import Attribute, ProblemType, Threshold
from mlops_framework.blueprints.monitors._base.truth import THRESHOLD, TruthRequest
from mlops_framework.contracts.base import METADATA
from mlops_framework.contracts.faults import NOTHING, shown
from mlops_framework.contracts.parameters import Parameter, as_text
from mlops_framework.errors import Fault

_COLUMN = "a column's name or position, or a JMESPath expression"


class ModelQualityMonitorRequest(AnalyzerRequest, TruthRequest):
    """A schedule that compares predictions with the truth that arrived later."""

    monitoring_type: ClassVar[MonitoringType] = "ModelQuality"
    short_name: ClassVar[str] = "model-quality"
    hourly_limit: ClassVar[int] = 1800
    derived_parameters: ClassVar[tuple[Parameter, ...]] = (
        *AnalyzerRequest.derived_parameters,
        THRESHOLD,
    )
    baseline_fields: ClassVar[tuple[str, ...]] = (
        *AnalyzerRequest.baseline_fields,
        "problem_type",
        "baseline_inference_attribute",
        "baseline_probability_attribute",
        "baseline_ground_truth_attribute",
        "probability_threshold",
    )

    pipeline_type: Literal["model-quality-monitor"] = Field(description="Kind of the blueprint.")

    problem_type: ProblemType = Field(description="What the model predicts.")
    baseline_inference_attribute: Attribute = Field(
        default="",
        description="Column of the baseline data that holds the prediction.",
        json_schema_extra=dict(METADATA),
    )
    baseline_probability_attribute: Attribute = Field(
        default="",
        description="Column of the baseline data that holds its probability.",
        json_schema_extra=dict(METADATA),
    )
    baseline_ground_truth_attribute: Attribute = Field(
        default="",
        description="Column of the baseline data that holds the truth.",
        json_schema_extra=dict(METADATA),
    )
    inference_attribute: Attribute = Field(
        default="", description="Position or JMESPath of the prediction in a captured answer."
    )
    probability_attribute: Attribute = Field(
        default="", description="Position or JMESPath of the probability in a captured answer."
    )
    probability_threshold: Threshold = Field(
        default=0.5,
        description="From which probability on a prediction counts as positive.",
        json_schema_extra=dict(METADATA),
    )

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """Ask for the columns that the job of this problem type reads, and for no others."""
        yield from super().conflicts(given)
        binary = given.get("problem_type") == "BinaryClassification"
        if cls.builds_baseline(given):
            yield from _missing(given, "baseline_ground_truth_attribute", "the truth")
            if not given.get("baseline_probability_attribute") or not binary:
                instead = ", or baseline_probability_attribute" if binary else ""
                yield from _missing(
                    given, "baseline_inference_attribute", f"the prediction{instead}"
                )
        if not binary:
            yield from _missing(given, "inference_attribute", "the prediction")

    def baseline_environment(self) -> dict[str, str]:
        """Add what kind of model it is, and which columns hold what."""
        probability = self.baseline_probability_attribute
        more = {
            "analysis_type": "MODEL_QUALITY",
            "problem_type": self.problem_type,
            "inference_attribute": self.baseline_inference_attribute,
            "probability_attribute": probability,
            "ground_truth_attribute": self.baseline_ground_truth_attribute,
            "probability_threshold_attribute": (
                as_text(self.probability_threshold) if probability else ""
            ),
        }
        return super().baseline_environment() | {name: text for name, text in more.items() if text}


def _missing(given: Mapping[str, Any], field: str, what: str) -> Iterator[Fault]:
    if given.get(field):
        return
    problem = given.get("problem_type")
    of = f" of a {problem} model" if isinstance(problem, str) else ""
    yield Fault(
        field,
        f"Required for the quality{of}: where {what} is.",
        _COLUMN,
        shown(given[field]) if field in given else NOTHING,
    )
