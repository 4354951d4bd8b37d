"""What the two kinds that run AWS's Model Monitor analyzer deploy."""

from __future__ import annotations

from typing import Any, ClassVar

import aws_cdk as cdk

from mlops_framework.blueprints.monitors._base.analyzers import OUTPUT
from mlops_framework.blueprints.monitors._base.stack import MonitorStack
from mlops_framework.cdk.blueprint import either
from mlops_framework.model_build.baseline import Baseline, baseline_definition
from mlops_framework.model_build.expressions import Splice


class AnalyzerStack(MonitorStack):
    """A data quality or model quality monitor.

    Attributes:
        given_baseline: Fields that, all given, make the baseline job unnecessary.
    """

    given_baseline: ClassVar[tuple[str, ...]] = ("baseline_constraints_location",)

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
                **self.network(),
            )
        )
        missing = [cdk.Fn.condition_equals(self.text(f), "") for f in self.given_baseline]
        builds = cdk.CfnCondition(
            self,
            "BuildsBaseline",
            expression=cdk.Fn.condition_or(*missing) if len(missing) > 1 else missing[0],
        )
        self.baseline_pipeline(self.filled(definition), builds)

    def baseline_files(self) -> dict[str, str]:
        """Constraints, and statistics where the kind has them."""
        return {
            "constraints_resource": self.places.or_given(
                "baseline_constraints_location", f"{self.places.settled_baseline}/constraints.json"
            )
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
