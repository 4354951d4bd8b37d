"""What the two kinds that run AWS's Model Monitor analyzer share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final, Literal

from pydantic import Field

from mlops_framework.blueprints.monitors._base.contract import MonitorRequest
from mlops_framework.contracts.base import METADATA
from mlops_framework.contracts.fields import OptionalS3Object
from mlops_framework.contracts.parameters import VALUE_LIMIT, Parameter
from mlops_framework.model_build.baseline import Input

OUTPUT: Final = "monitoring_output"
_PROCESSING: Final = "/opt/ml/processing"
_DATASET: Final = "input/baseline_dataset_input"
_FORMATS: Final[Mapping[str, Any]] = {
    "csv": {"csv": {"header": True, "output_columns_position": "START"}},
    "csv-without-header": {"csv": {"header": False, "output_columns_position": "START"}},
    "json": {"json": {"lines": False}},
    "json-lines": {"json": {"lines": True}},
}
_SCRIPTS: Final = (
    ("record_preprocessor_script", "record_preprocessor_location"),
    ("post_analytics_processor_script", "post_analytics_location"),
)


class AnalyzerRequest(MonitorRequest):
    """A data quality or model quality monitor.

    Source of names and paths: the SDK's ``model_monitoring``; the container knows no others.
    """

    image: ClassVar[str] = "model-monitor"
    baseline_fields: ClassVar[tuple[str, ...]] = (
        *MonitorRequest.baseline_fields,
        "record_preprocessor_location",
    )
    derived_parameters: ClassVar[tuple[Parameter, ...]] = (
        *MonitorRequest.derived_parameters,
        Parameter(
            "BaselineEnvironment",
            "String",
            max_length=VALUE_LIMIT,
            description="Variables that tell the baseline job what to do (JSON object).",
            field="baseline_environment",
        ),
        Parameter(
            "BaselineInputs",
            "String",
            max_length=VALUE_LIMIT,
            description="What the baseline job reads (JSON list).",
            field="baseline_inputs",
        ),
    )

    baseline_data_format: Literal["csv", "csv-without-header", "json", "json-lines"] = Field(
        default="csv",
        description="Format of the baseline data; csv has a header row.",
        json_schema_extra=dict(METADATA),
    )
    record_preprocessor_location: OptionalS3Object = Field(
        default="",
        description="Python script that prepares each captured record before it is analysed.",
    )
    post_analytics_location: OptionalS3Object = Field(
        default="", description="Python script that is run after each analysis."
    )

    def parameter_value(self, name: str, stage: str) -> Any:
        """Add the baseline job's variables and inputs, of which some are there or not."""
        if name == "baseline_environment":
            return self.baseline_environment()
        if name == "baseline_inputs":
            return [given.to_dict() for given in self._baseline_inputs()]
        return super().parameter_value(name, stage)

    def baseline_environment(self) -> dict[str, str]:
        """Variables of the container that computes the baseline."""
        return {
            "dataset_format": json.dumps(_FORMATS[self.baseline_data_format]),
            "dataset_source": f"{_PROCESSING}/{_DATASET}",
            "output_path": f"{_PROCESSING}/output",
            "publish_cloudwatch_metrics": "Disabled",
            **{
                variable: f"{_PROCESSING}/input/{variable}_input/{uri.rpartition('/')[2]}"
                for variable, uri in self._scripts()
            },
        }

    def _baseline_inputs(self) -> Iterator[Input]:
        yield Input("baseline_dataset_input", self.baseline_data, _DATASET)
        for variable, uri in self._scripts():
            yield Input(f"{variable}_input", uri, f"input/{variable}_input")

    def _scripts(self) -> Iterator[tuple[str, str]]:
        for variable, field in _SCRIPTS:
            if uri := getattr(self, field):
                yield variable, uri
