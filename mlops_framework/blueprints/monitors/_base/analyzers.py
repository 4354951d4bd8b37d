"""What the two kinds that run AWS's Model Monitor analyzer share."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mlops_framework.blueprints.monitors._base.contract import MonitorRequest
from mlops_framework.contracts.fields import OptionalS3Object


class AnalyzerRequest(MonitorRequest):
    """A data quality or model quality monitor."""

    image: ClassVar[str] = "model-monitor"
    baseline_fields: ClassVar[tuple[str, ...]] = (
        *MonitorRequest.baseline_fields,
        "record_preprocessor_location",
    )

    baseline_data_format: Literal["csv", "csv-without-header", "json", "json-lines"] = Field(
        default="csv", description="Format of the baseline data; csv has a header row."
    )
    record_preprocessor_location: OptionalS3Object = Field(
        default="",
        description="Python script that prepares each captured record before it is analysed.",
    )
    post_analytics_location: OptionalS3Object = Field(
        default="", description="Python script that is run after each analysis."
    )
