"""What a data-quality-monitor request may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mlops_framework.blueprints.monitors._base.analyzers import AnalyzerRequest
from mlops_framework.blueprints.monitors._base.contract import MonitoringType, carried, empty
from mlops_framework.contracts.fields import OptionalS3Object
from mlops_framework.contracts.parameters import Parameter


class DataQualityMonitorRequest(AnalyzerRequest):
    """A schedule that checks the columns of captured traffic against those of the training data."""

    monitoring_type: ClassVar[MonitoringType] = "DataQuality"
    short_name: ClassVar[str] = "data-quality"
    baseline_fields: ClassVar[tuple[str, ...]] = (
        *AnalyzerRequest.baseline_fields,
        "baseline_statistics_location",
    )

    derived_parameters: ClassVar[tuple[Parameter, ...]] = (
        *AnalyzerRequest.derived_parameters,
        carried("SettledStatistics", "settled_statistics"),
    )

    pipeline_type: Literal["data-quality-monitor"] = Field(description="Kind of the blueprint.")

    baseline_statistics_location: OptionalS3Object = Field(
        default="",
        description="The statistics.json that belongs to baseline_constraints_location.",
    )
    exclude_features_attribute: Annotated[
        str, Field(pattern="^[A-Za-z0-9_., -]*$", max_length=100)
    ] = Field(default="", description="Columns that runs leave out, separated by commas.")

    @classmethod
    def builds_baseline(cls, given: Mapping[str, Any]) -> bool:
        """Both files make a baseline of this kind."""
        return super().builds_baseline(given) or empty(given.get("baseline_statistics_location"))

    @classmethod
    def given_baseline(cls) -> str:
        """Both files."""
        return "baseline_statistics_location and baseline_constraints_location"
