"""What the two kinds that run AWS's Model Monitor analyzer deploy."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk

from mlops_framework.blueprints.monitors._base.analyzers import OUTPUT
from mlops_framework.blueprints.monitors._base.stack import MonitorStack
from mlops_framework.cdk.blueprint import either
from mlops_framework.model_build.baseline import Baseline, baseline_definition
from mlops_framework.model_build.expressions import Splice
from mlops_framework.model_build.volumes import volume_key


class AnalyzerStack(MonitorStack):
    """A data quality or model quality monitor."""

    def baseline(self) -> None:
        """One processing job; none where the request brings a baseline."""
        definition = baseline_definition(
            Baseline(
                role_arn="${JobRoleArn}",
                image_uri="${ImageUri}",
                inputs=Splice("BaselineInputs"),
                output_name=OUTPUT,
                output_location="${BaselineFolder}",
                environment=Splice("BaselineEnvironment"),
                instance_type="${InstanceType}",
                instance_count=Splice("InstanceCount"),
                volume_size_gb=Splice("VolumeSizeGb"),
                max_runtime_seconds=Splice("BaselineMaxRuntimeSeconds"),
                kms_key_arn="${KeyArn}",
                volume_key=volume_key("${KeyArn}"),
                **self.network(),
            )
        )
        self.baseline_pipeline(self.filled(definition), self.builds_baseline())

    def builds_baseline(self) -> cdk.CfnCondition:
        """A condition: the request does not bring all of the baseline's files."""
        return self.left_empty("baseline_constraints_location")

    def baseline_files(self) -> dict[str, str]:
        """Constraints, and statistics where the kind has them."""
        return {
            "constraints_resource": self.places.baseline_file("constraints", "constraints.json")
        }

    def application(self) -> dict[str, Any]:
        """The request's own scripts."""
        return {
            member: either(self.left_empty(field), cdk.Aws.NO_VALUE, self.text(field))
            for member, field in (
                ("record_preprocessor_source_uri", "record_preprocessor_location"),
                ("post_analytics_processor_source_uri", "post_analytics_location"),
            )
        }
