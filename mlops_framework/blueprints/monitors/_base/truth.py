"""What the two kinds that wait for the truth share."""

from __future__ import annotations

from typing import Any, Final

from pydantic import Field

from mlops_framework.blueprints.monitors._base.contract import MonitorRequest
from mlops_framework.blueprints.monitors._base.fields import Offset
from mlops_framework.contracts.base import PerStage
from mlops_framework.contracts.fields import S3Uri
from mlops_framework.contracts.parameters import Parameter, as_text

THRESHOLD: Final = Parameter(
    "ProbabilityThreshold",
    "String",
    default="",
    pattern="^(0([.][0-9]+)?|1)?$",
    description="From which probability on a prediction counts as positive; empty where nothing is "
    "compared with it.",
    field="probability_threshold",
)
"""Of the kinds that compare a probability; they have a field of this name."""


class TruthRequest(MonitorRequest):
    """A monitor that joins captured predictions with labels that arrive later."""

    ground_truth_location: PerStage[S3Uri] = Field(
        description="Where the truth arrives, as JSON lines below <yyyy>/<mm>/<dd>/<hh>/."
    )
    start_time_offset: Offset = Field(
        default="-PT0H",
        description="How far back the looked-at hours begin, such as -P1D while labels come late.",
    )
    end_time_offset: Offset = Field(
        default="-PT0H", description="How far back the looked-at hours end, such as -PT1H."
    )

    def parameter_value(self, name: str, stage: str) -> Any:
        """A threshold goes where it was asked for, or where there is a probability."""
        if name == THRESHOLD.field and name not in self.model_fields_set:
            probability = super().parameter_value("probability_attribute", stage)
            return as_text(super().parameter_value(name, stage)) if probability else ""
        return super().parameter_value(name, stage)
