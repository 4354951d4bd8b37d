"""What a model-bias-monitor request may say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from mlops_framework.blueprints.monitors._base.clarify import (
    BiasConfig,
    ClarifyRequest,
    PredictedLabelConfig,
    column,
    without_gaps,
)
from mlops_framework.blueprints.monitors._base.contract import MonitoringType
from mlops_framework.blueprints.monitors._base.fields import AnyProblemType, Threshold
from mlops_framework.blueprints.monitors._base.truth import THRESHOLD, TruthRequest
from mlops_framework.contracts.base import METADATA
from mlops_framework.contracts.faults import NOTHING, shown
from mlops_framework.contracts.parameters import Parameter
from mlops_framework.errors import Fault


class ModelBiasMonitorRequest(ClarifyRequest, TruthRequest):
    """A schedule that measures bias between groups in what the model decides."""

    monitoring_type: ClassVar[MonitoringType] = "ModelBias"
    short_name: ClassVar[str] = "bias"
    hourly_limit: ClassVar[int] = 1800
    derived_parameters: ClassVar[tuple[Parameter, ...]] = (
        *ClarifyRequest.derived_parameters,
        THRESHOLD,
    )
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
    probability_threshold: Threshold = Field(
        default=0.5,
        description="From which probability on a prediction counts as positive.",
        json_schema_extra=dict(METADATA),
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
        if not given.get("headers") and not cls.reads_headers(given):
            for path, name in _named_columns(given):
                yield Fault(
                    path,
                    f"The column {name!r} cannot be found: the request has no headers, and no "
                    "baseline data with a header row to read them from.",
                    "the column's position, or headers",
                    shown(name),
                )

    def baseline_analysis(self, stage: str) -> dict[str, Any]:
        """Bias in the data, and in what the model makes of it."""
        common = super().baseline_analysis(stage)
        asked = self.model_predicted_label_config
        predicted = {
            "label": column(asked.label) if asked else "",
            "probability": column(asked.probability) if asked else "",
            "label_headers": list(asked.label_headers) if asked else [],
        }
        return {
            **common,
            **self._bias(),
            "predictor": {**common["predictor"], **without_gaps(predicted)},
            **({"probability_threshold": asked.probability_threshold} if asked else {}),
            "methods": {
                **common["methods"],
                "pre_training_bias": {"methods": "all"},
                "post_training_bias": {"methods": "all"},
            },
        }

    def monitor_analysis(self, stage: str) -> dict[str, Any]:
        """The same groups and the same label."""
        return {**super().monitor_analysis(stage), "label": column(self.label), **self._bias()}

    def _bias(self) -> dict[str, Any]:
        bias = self.bias_config
        return without_gaps(
            {
                "label_values_or_threshold": list(bias.label_values_or_threshold),
                "facet": [
                    without_gaps(
                        {
                            "name_or_index": column(facet.name),
                            "value_or_threshold": list(facet.values_or_threshold),
                        }
                    )
                    for facet in bias.facets
                ],
                "group_variable": column(bias.group_name),
            }
        )


def _named_columns(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Columns that the request names; those it gives a position need no headers."""
    bias = given.get("bias_config")
    facets = bias.get("facets") if isinstance(bias, dict) else None
    named = [("label", given.get("label", "0"))]
    if isinstance(bias, dict):
        named.append(("bias_config.group_name", bias.get("group_name")))
    for index, facet in enumerate(facets if isinstance(facets, list) else ()):
        if isinstance(facet, dict):
            named.append((f"bias_config.facets.{index}.name", facet.get("name")))
    for path, name in named:
        if isinstance(name, str) and name and not name.isdigit():
            yield path, name
