"""What the two kinds that wait for the truth share."""

from __future__ import annotations

from pydantic import Field

from mlops_framework.blueprints.monitors._base.contract import MonitorRequest
from mlops_framework.blueprints.monitors._base.fields import Offset
from mlops_framework.contracts.base import PerStage
from mlops_framework.contracts.fields import S3Uri


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
