"""What a data-quality-monitor pipeline deploys."""

from __future__ import annotations

from typing import Any, ClassVar

import aws_cdk as cdk
from aws_cdk import aws_sagemaker as sagemaker

from mlops_framework.blueprints.monitors._base.analyzer_stack import AnalyzerStack


class DataQualityMonitorStack(AnalyzerStack):
    """Columns of captured traffic against those of the training data."""

    definition_class: ClassVar[Any] = sagemaker.CfnDataQualityJobDefinition
    noun = "data_quality"
    carried = ("settled_constraints", "settled_statistics")
    reads = (
        "baseline_data",
        "baseline_constraints_location",
        "baseline_statistics_location",
        "record_preprocessor_location",
        "post_analytics_location",
    )
    inputs = ("exclude_features_attribute",)

    def builds_baseline(self) -> cdk.CfnCondition:
        """Either file may be missing."""
        return cdk.CfnCondition(
            self,
            "BuildsBaseline",
            expression=cdk.Fn.condition_or(
                *(
                    cdk.Fn.condition_equals(self.text(field), "")
                    for field in ("baseline_constraints_location", "baseline_statistics_location")
                )
            ),
        )

    def baseline_files(self) -> dict[str, str]:
        """Constraints and statistics: both the request's, or both computed."""
        return {
            **super().baseline_files(),
            "statistics_resource": self.places.baseline_file("statistics", "statistics.json"),
        }
